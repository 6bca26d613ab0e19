//! The pods of our own as podman lists them, read from its JSON.

use std::collections::BTreeMap;

use serde_json::Value;

use super::command::Command;
use super::kube::{MARK, NAMESPACE, NODE, POD};
use super::text::word;
use crate::diagnostic::Diagnostic;
use crate::kube::{ObjectKey, list, seconds};

/// A pod of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// Its name for podman.
    pub(super) name: String,
    /// Namespace and name.
    pub(super) key: ObjectKey,
    /// The mark that it was played with.
    pub(super) mark: String,
    /// When it was made.
    pub(super) created: Option<i64>,
    /// The id of the container that holds its namespaces, where there is one.
    pub(super) infra: String,
    /// Whether that one runs.
    pub(super) infra_runs: bool,
    /// Its containers by their names in the manifest.
    pub(super) runs: BTreeMap<String, Run>,
}

/// A container of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    /// Its id.
    pub(super) id: String,
    /// Its process, which tells one run of a container from the next; 0 where it has none.
    pub(super) process: i64,
    /// What it does.
    pub(super) does: Does,
    /// When it began.
    pub(super) started: Option<i64>,
    /// When it ended.
    pub(super) exited: Option<i64>,
    /// Its exit code.
    pub(super) code: i64,
    /// What the image's own health check says, where it has one.
    pub(super) healthy: Option<bool>,
}

/// What a container does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Does {
    /// It has not been started.
    Wait,
    /// It runs.
    Run,
    /// It has ended.
    Rest,
}

/// The pods of `node`.
pub(super) fn listed(podman: &Command, node: &str) -> Result<Vec<Listed>, Diagnostic> {
    let filter = format!("label={NODE}={node}");
    let pods = ask(podman, &["pod", "ps", "--no-trunc", "--filter", &filter, "--format", "json"])?;
    let containers = ask(podman, &["ps", "--all", "--no-trunc", "--filter", &filter, "--format", "json"])?;
    Ok(read(&pods, &containers))
}

/// Whether podman has a pod of this name, and whose it is: ours for `node`, or not.
pub(super) fn is_ours(podman: &Command, node: &str, name: &str) -> Result<Option<bool>, Diagnostic> {
    let filter = format!("name=^{}$", name.replace('.', "\\."));
    let pods = ask(podman, &["pod", "ps", "--filter", &filter, "--format", "json"])?;
    let found = pods.as_array().into_iter().flatten().find(|pod| pod["Name"] == name);
    Ok(found.map(|pod| pod["Labels"][NODE] == node))
}

/// What podman answers in JSON.
fn ask(podman: &Command, words: &[&str]) -> Result<Value, Diagnostic> {
    let said = podman.ask(words).map_err(|fault| fault.told())?;
    // Of no pods, some versions say nothing at all.
    let text = if said.trim().is_empty() { "[]" } else { &said };
    serde_json::from_str(text).map_err(|error| {
        let message = format!("`podman {}` answers no JSON: {error}", words[..words.len().min(2)].join(" "));
        Diagnostic::error("podman-failed", message)
    })
}

fn read(pods: &Value, containers: &Value) -> Vec<Listed> {
    let pods = pods.as_array().into_iter().flatten();
    pods.filter_map(|pod| {
        let name = pod["Name"].as_str()?.to_owned();
        let labels = &pod["Labels"];
        let infra = word(pod, "InfraId").to_owned();
        let holds = list(pod, "Containers").find(|it| it["Id"] == *infra);
        let id = word(pod, "Id");
        let runs = containers.as_array().into_iter().flatten().filter(|it| it["Pod"] == id);
        let prefix = format!("{name}-");
        Some(Listed {
            key: ObjectKey::new(labels[NAMESPACE].as_str()?, labels[POD].as_str()?),
            mark: word(labels, MARK).to_owned(),
            created: seconds(&pod["Created"]),
            infra_runs: holds.is_some_and(|it| it["Status"] == "running"),
            infra,
            runs: runs
                .filter_map(|it| {
                    let full = it["Names"].get(0)?.as_str()?;
                    Some((full.strip_prefix(&prefix)?.to_owned(), run(it)))
                })
                .collect(),
            name,
        })
    })
    .collect()
}

fn run(container: &Value) -> Run {
    // Go's zero time is what has not happened.
    let time = |field: &str| container[field].as_i64().filter(|seconds| *seconds > 0);
    let status = word(container, "Status");
    Run {
        id: word(container, "Id").to_owned(),
        process: container["Pid"].as_i64().unwrap_or(0),
        does: match word(container, "State") {
            // One that is being stopped runs until it has ended.
            "running" | "paused" | "stopping" => Does::Run,
            "exited" | "stopped" => Does::Rest,
            _ => Does::Wait,
        },
        started: time("StartedAt"),
        exited: time("ExitedAt"),
        code: container["ExitCode"].as_i64().unwrap_or(0),
        healthy: match status.rsplit_once('(') {
            Some((_, "healthy)")) => Some(true),
            Some((_, "unhealthy)" | "starting)")) => Some(false),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pods_and_their_containers_are_read() {
        let pods = json!([
            {"Id": "p1", "Name": "shop.web-1", "InfraId": "i1", "Created": "2026-11-27T20:24:12.96Z",
             "Labels": {NODE: "n1", NAMESPACE: "shop", POD: "web-1", MARK: "u1 7f"},
             "Containers": [{"Id": "i1", "Status": "running"}, {"Id": "c1", "Status": "running"}]},
            {"Id": "p2", "Name": "odd", "Labels": {NODE: "n1"}},
        ]);
        let containers = json!([
            {"Id": "c1", "Pod": "p1", "Names": ["shop.web-1-a-b"], "State": "running", "StartedAt": 7,
             "ExitedAt": -62135596800_i64, "ExitCode": 0, "Status": "Up 1 second ago (unhealthy)"},
            {"Id": "c2", "Pod": "p1", "Names": ["shop.web-1-c"], "State": "exited", "StartedAt": 7,
             "ExitedAt": 9, "ExitCode": 137, "Status": "Exited (137) 1 second ago"},
            {"Id": "c3", "Pod": "other", "Names": ["other"], "State": "running"},
        ]);
        let all = read(&pods, &containers);
        assert_eq!(all.len(), 1);
        let pod = &all[0];
        assert_eq!((pod.key.to_string(), pod.infra_runs), ("shop/web-1".to_owned(), true));
        let (a, c) = (&pod.runs["a-b"], &pod.runs["c"]);
        assert_eq!((a.does, a.started, a.exited, a.healthy), (Does::Run, Some(7), None, Some(false)));
        assert_eq!((c.does, c.exited, c.code, c.healthy), (Does::Rest, Some(9), 137, None));
    }
}
