//! `fieldSelector`: what of it an API server takes beyond `get --field-selector`.

use super::entry::Entry;
use super::refused::{Reason, Refused};
use super::resource::{EVENTS, RESOURCES};
use crate::app::fields::{self, FieldSelector};
use crate::kube::{Kind, ObjectKey};

/// A selector of fields; empty selects everything.
#[derive(Debug, Clone, Default)]
pub struct Fields(FieldSelector);

/// What pods may be asked for beside what `get` takes.
const OF_PODS: [&str; 3] = ["status.podIP", "status.podIPs", "status.nominatedNodeName"];
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
        let refused = |message: String| Refused::new(Reason::BadRequest, message);
        let selector: FieldSelector = text.parse().map_err(|why: String| {
            let of = RESOURCES[resource].qualified();
            refused(format!(
                "Unable to find \"{of}\" that match label selector \"\", field selector \"{text}\": {why}"
            ))
        })?;
        if let Some(field) = selector.paths().find(|field| !is_known(field, resource)) {
            return Err(refused(format!("field label not supported: {field}")));
        }
        Ok(Fields(selector))
    }

    /// The value that a field must have, where there is only one.
    #[must_use]
    pub fn only(&self, field: &str) -> Option<&str> {
        self.0.value(field)
    }

    /// Whether it selects everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.paths().next().is_none()
    }

    /// Whether an object is selected.
    #[must_use]
    pub fn fit(&self, key: &ObjectKey, entry: &Entry) -> bool {
        let mut whole = None;
        self.0.holds(|field, value| match field {
            "metadata.name" => *key.name == *value,
            "metadata.namespace" => *key.namespace == *value,
            "spec.nodeName" => *entry.node == *value,
            "status.phase" => *entry.phase == *value,
            field => {
                let path = match field {
                    "source" => "source.component",
                    "status.podIPs" => "status.podIP",
                    field => field,
                };
                fields::text(whole.get_or_insert_with(|| entry.value()), path) == value
            }
        })
    }
}

fn is_known(field: &str, resource: usize) -> bool {
    let it = &RESOURCES[resource];
    fields::ANY.contains(&field)
        || Kind::from_name(it.kind).is_some_and(|kind| fields::has_field(kind, field))
        || match it.plural {
            "pods" => OF_PODS.contains(&field),
            "namespaces" => field == "status.phase",
            _ => resource == EVENTS && OF_EVENTS.contains(&field),
        }
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
