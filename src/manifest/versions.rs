//! Versions of the API that are not served: what they were called, and what they filled
//! in that the present one asks for.

use serde_json::Value;

use super::problem::Problem;
use crate::kube::Kind;

/// What is told of an object of a known kind under another version than the one served.
pub(super) fn problem(kind: Kind, version: &str, value: &Value) -> Problem {
    let right = kind.api_version();
    let removed = kind.info().removed.iter().find(|(name, _)| *name == version);
    let Some((_, release)) = removed else {
        let message = format!("there is no {} of apiVersion `{version}`", kind.name());
        return Problem::new("unknown-version", message).help(format!("use `apiVersion: {right}`"));
    };
    let message = format!("Kubernetes {release} removed `{version}`");
    let problem = Problem::new("removed-version", message);
    let filled = if version == "extensions/v1beta1" { filled_in(&value["spec"]) } else { Vec::new() };
    if filled.is_empty() {
        return problem.help(format!("use `apiVersion: {right}`"));
    }
    problem
        .because(format!("{version} filled in {}, which {right} does not", filled.join(" and ")))
        .help(format!("use `apiVersion: {right}`, and write below `spec:` what {version} filled in"))
}

/// What extensions/v1beta1 filled in of a daemonset.
fn filled_in(spec: &Value) -> Vec<String> {
    let mut filled = Vec::new();
    if spec["selector"].is_null()
        && let Some(labels) = spec["template"]["metadata"]["labels"].as_object().filter(|it| !it.is_empty())
    {
        let labels: Vec<String> = labels
            .iter()
            .map(|(key, value)| format!("{key}: {}", value.as_str().unwrap_or("\"\"")))
            .collect();
        filled.push(format!("`selector: {{matchLabels: {{{}}}}}`", labels.join(", ")));
    }
    if spec["updateStrategy"]["type"].as_str().is_none_or(str::is_empty) {
        filled.push("`updateStrategy: {type: OnDelete}`".to_owned());
    }
    filled
}

/// What is said of a field that a removed version had and the present one has not.
pub(super) fn gone(value: &Value, field: &str) -> Option<String> {
    let version = value["apiVersion"].as_str()?;
    let had = version == "extensions/v1beta1" && field == "spec.templateGeneration";
    had.then(|| format!("{version} had it; take it out"))
}
