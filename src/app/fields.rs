//! `--field-selector`: what objects say in a few fields, as kubectl takes it.
//!
//! `a=b`, `a==b`, `a!=b`, joined by commas (`\\,` is one in a value); all must hold. Which fields there are depends on the
//! kind, as in Kubernetes.

use std::str::FromStr;

use serde_json::Value;

use crate::diagnostic::Diagnostic;
use crate::kube::Kind;

/// A selector that was typed.
#[derive(Debug, Clone, Default)]
pub struct FieldSelector(Vec<Field>);

#[derive(Debug, Clone)]
struct Field {
    path: String,
    value: String,
    is: bool,
}

/// The fields that every kind has.
pub(super) const ANY: [&str; 2] = ["metadata.name", "metadata.namespace"];

/// And what is asked of a kind beside them.
fn fields_of(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Pod => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
        ],
        Kind::Node => &["spec.unschedulable"],
        _ => &[],
    }
}

/// Whether objects of a kind are asked for such a field.
pub(super) fn has_field(kind: Kind, path: &str) -> bool {
    ANY.contains(&path) || fields_of(kind).contains(&path)
}

impl FieldSelector {
    /// Whether an object's fields satisfy all of it.
    #[must_use]
    pub fn matches(&self, object: &Value) -> bool {
        self.holds(|path, value| text(object, path) == value)
    }

    /// Whether all of it holds, as `has` says of a field whether it has a value.
    pub(super) fn holds(&self, mut has: impl FnMut(&str, &str) -> bool) -> bool {
        self.0.iter().all(|field| has(&field.path, &field.value) == field.is)
    }

    /// The fields that it asks for.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|field| &*field.path)
    }

    /// The value that a field has to have, if it has to have one.
    pub(super) fn value(&self, path: &str) -> Option<&str> {
        self.0.iter().find(|it| it.is && it.path == path).map(|it| &*it.value)
    }

    /// Says so where objects of a kind are not asked for such a field.
    pub(super) fn check(&self, kind: Kind) -> Result<(), Diagnostic> {
        let Some(path) = self.paths().find(|path| !has_field(kind, path)) else { return Ok(()) };
        let own = fields_of(kind);
        let told = match own {
            [] => format!(
                "\"{}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
                path
            ),
            _ => format!("field label not supported: {path}"),
        };
        let known: Vec<String> = ANY.iter().chain(own).map(|path| format!("`{path}`")).collect();
        let plural = kind.info().plural;
        Err(Diagnostic::error("bad-field", told)
            .help(format!("{plural} are selected by {}", known.join(", "))))
    }
}

/// A field as Kubernetes compares it: empty where it is not there.
pub(super) fn text(object: &Value, path: &str) -> String {
    let value = path.split('.').fold(object, |value, name| &value[name]);
    match value {
        Value::String(text) => text.clone(),
        // These two are false where nobody says anything.
        Value::Null if matches!(path, "spec.hostNetwork" | "spec.unschedulable") => "false".to_owned(),
        Value::Null => match path {
            "spec.restartPolicy" => "Always".to_owned(),
            "spec.schedulerName" => "default-scheduler".to_owned(),
            _ => String::new(),
        },
        value => value.to_string(),
    }
}

impl FromStr for FieldSelector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = split(text).into_iter().map(str::trim).filter(|part| !part.is_empty());
        let field = |part: &str| {
            let split = ["!=", "==", "="].iter().find_map(|it| Some((part.split_once(it)?, *it != "!=")));
            let ((path, value), is) = split
                .filter(|((path, _), _)| !path.trim().is_empty())
                .ok_or_else(|| format!("invalid selector: '{text}'; can't understand '{part}'"))?;
            Ok(Field { path: path.trim().to_owned(), value: unescaped(value.trim()), is })
        };
        parts.map(field).collect::<Result<_, _>>().map(FieldSelector)
    }
}

/// The parts between commas that are not escaped.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut escaped) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        match c {
            '\\' if !escaped => escaped = true,
            ',' if !escaped => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => escaped = false,
        }
    }
    parts.push(&text[start..]);
    parts
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(if c == '\\' { chars.next().unwrap_or('\\') } else { c });
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn every_form_selects_what_kubectl_would() {
        let pod = json!({ "metadata": { "name": "a", "namespace": "default" },
            "spec": { "nodeName": "n1", "hostNetwork": true }, "status": { "phase": "Running" } });
        for (text, expected) in [
            ("", true),
            ("spec.nodeName=n1", true),
            ("spec.nodeName==n1,metadata.name=a", true),
            ("spec.nodeName!=n1", false),
            ("spec.nodeName=", false),
            ("spec.nodeName=n1,status.phase!=Running", false),
            ("spec.hostNetwork=true,spec.restartPolicy=Always", true),
            ("metadata.namespace=kube-system", false),
        ] {
            let selector = text.parse::<FieldSelector>().unwrap();
            assert_eq!(selector.matches(&pod), expected, "{text}");
            assert!(selector.check(Kind::Pod).is_ok(), "{text}");
        }
    }

    #[test]
    fn nonsense_and_what_a_kind_has_not_are_refused() {
        for text in ["a", "=b", "spec.nodeName=a,b"] {
            let told = text.parse::<FieldSelector>().unwrap_err();
            assert!(told.contains("can't understand"), "{told}");
        }
        let selector = "spec.nodeName=a".parse::<FieldSelector>().unwrap();
        let told = |kind| selector.check(kind).unwrap_err().message;
        assert_eq!(told(Kind::Node), "field label not supported: spec.nodeName");
        let only = "only \"metadata.name\", \"metadata.namespace\"";
        assert_eq!(told(Kind::Service), format!("\"spec.nodeName\" is not a known field selector: {only}"));
    }
}
