//! `fieldSelector`: equality of the fields that an API server can be asked for.

use serde_json::Value;

use super::entry::Entry;
use super::refused::{Reason, Refused};
use super::resource::{EVENTS, RESOURCES};
use crate::kube::ObjectKey;

/// A selector of fields; empty selects everything.
#[derive(Debug, Clone, Default)]
pub struct Fields(Vec<Test>);

#[derive(Debug, Clone)]
struct Test {
    field: String,
    value: String,
    equal: bool,
}

/// The fields that objects of any kind may be asked for.
const OF_ALL: [&str; 2] = ["metadata.name", "metadata.namespace"];
/// Those of pods.
const OF_PODS: [&str; 9] = [
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.podIPs",
    "status.nominatedNodeName",
];
/// Those of events.
const OF_EVENTS: [&str; 11] = [
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
];

impl Fields {
    /// Reads a selector for a resource.
    ///
    /// # Errors
    /// When it is none, or has fields that its objects cannot be asked for.
    pub fn parse(text: &str, resource: usize) -> Result<Fields, Refused> {
        let mut tests = Vec::new();
        for part in split(text).into_iter().filter(|part| !part.is_empty()) {
            let found = ["!=", "==", "="].iter().find_map(|it| part.split_once(it).map(|found| (*it, found)));
            let Some((operator, (field, value))) = found else {
                let message = format!(
                    "Unable to find \"{}\" that match label selector \"\", field selector \"{text}\": \
                     invalid selector: '{text}'; can't understand '{part}'",
                    RESOURCES[resource].qualified()
                );
                return Err(Refused::new(Reason::BadRequest, message));
            };
            if !is_known(field, resource) {
                let message = format!("field label not supported: {field}");
                return Err(Refused::new(Reason::BadRequest, message));
            }
            let equal = operator != "!=";
            tests.push(Test { field: field.to_owned(), value: unescaped(value), equal });
        }
        Ok(Fields(tests))
    }

    /// The value that a field must have, where there is only one.
    #[must_use]
    pub fn only(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|test| test.equal && test.field == field).map(|test| &*test.value)
    }

    /// Whether it selects everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an object is selected.
    #[must_use]
    pub fn fit(&self, key: &ObjectKey, entry: &Entry) -> bool {
        let mut whole = None;
        self.0.iter().all(|test| {
            let is = match &*test.field {
                "metadata.name" => *key.name == *test.value,
                "metadata.namespace" => *key.namespace == *test.value,
                "spec.nodeName" => *entry.node == *test.value,
                "status.phase" => *entry.phase == *test.value,
                field => said(whole.get_or_insert_with(|| entry.value()), field) == test.value,
            };
            is == test.equal
        })
    }
}

/// The text of a field, empty where it says none.
fn said(object: &Value, field: &str) -> String {
    let path = match field {
        "source" => "source.component",
        "status.podIPs" => "status.podIP",
        field => field,
    };
    let found = path.split('.').fold(object, |value, name| &value[name]);
    match found {
        Value::String(text) => text.clone(),
        Value::Null if field == "spec.hostNetwork" => "false".to_owned(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn is_known(field: &str, resource: usize) -> bool {
    OF_ALL.contains(&field)
        || match RESOURCES[resource].plural {
            "pods" => OF_PODS.contains(&field),
            "nodes" => field == "spec.unschedulable",
            "namespaces" => field == "status.phase",
            _ => resource == EVENTS && OF_EVENTS.contains(&field),
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
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::app::api::resource::Resource;
    use serde_json::json;

    #[test]
    fn fields_select_as_an_api_server_does() {
        let pods = Resource::named("", "v1", "pods").unwrap();
        let pod = json!({ "metadata": { "name": "a", "namespace": "b" }, "spec": { "nodeName": "n" },
            "status": { "phase": "Running" } });
        let entry = Entry::of(&pod);
        let fits = |text: &str| Fields::parse(text, pods).unwrap().fit(&ObjectKey::new("b", "a"), &entry);
        for (text, expected) in [
            ("", true),
            ("metadata.name=a,metadata.namespace==b", true),
            ("spec.nodeName!=n", false),
            ("spec.nodeName=n,status.phase!=Failed", true),
            ("spec.hostNetwork=false", true),
            ("status.podIP=", true),
            ("metadata.name=a\\,b", false),
        ] {
            assert_eq!(fits(text), expected, "{text}");
        }
        for wrong in ["spec.nodeNam=a", "metadata.name", "involvedObject.uid=1"] {
            assert!(Fields::parse(wrong, pods).is_err(), "{wrong}");
        }
    }
}
