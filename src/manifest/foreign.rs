//! What looks like manifests and is none: kustomize's and helm's files, and patches.
//!
//! Their parts make no sense by themselves, so they are told in one finding that says
//! what they are and how they are rendered, in place of one for each of their lines.

use serde_json::Value;

use super::problem::Problem;
use super::tool::Tool;
use crate::diagnostic::nearest;
use crate::kube::Kind;

/// The fields of a kustomization that no other file has.
const OWN_FIELDS: [&str; 17] = [
    "resources",
    "bases",
    "components",
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "configMapGenerator",
    "secretGenerator",
    "generatorOptions",
    "generators",
    "transformers",
    "namePrefix",
    "nameSuffix",
    "commonLabels",
    "commonAnnotations",
    "helmCharts",
    "replacements",
];

/// Fields that a kustomization may have beside them.
const OTHER_FIELDS: [&str; 12] = [
    "namespace",
    "images",
    "labels",
    "replicas",
    "vars",
    "crds",
    "configurations",
    "openapi",
    "sortOptions",
    "buildMetadata",
    "validators",
    "metadata",
];

/// What this document is to a tool, if it is no manifest but the tool's own.
pub(super) fn document(value: &Value) -> Option<Problem> {
    let text = |name: &str| value[name].as_str().unwrap_or("");
    let (kind, version) = (text("kind"), text("apiVersion"));
    let bare = value["kind"].is_null() && value["apiVersion"].is_null();
    let own = || {
        let keys = || value.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
        keys().any(|key| OWN_FIELDS.contains(&key))
            && keys().all(|key| OWN_FIELDS.contains(&key) || OTHER_FIELDS.contains(&key))
    };
    if version.starts_with("kustomize.config.k8s.io/") || (bare && own()) {
        let message = "this is a kustomization: it says how manifests are put together, and is none itself";
        return Some(Problem::new(Tool::Kustomize.code(), message));
    }
    let chart = matches!(version, "v1" | "v2") && kind.is_empty() && value["version"].is_string();
    (chart && value["name"].is_string()).then(|| {
        Problem::new(Tool::Helm.code(), "this describes a helm chart, from which manifests are rendered")
    })
}

/// Whether a list is a JSON patch, the other kind of patch that kustomize takes.
pub(super) fn json_patch(value: &Value) -> Option<Problem> {
    let steps = value.as_array().filter(|steps| !steps.is_empty())?;
    let is_step = |step: &Value| step["op"].is_string() && step["path"].is_string();
    steps.iter().all(is_step).then(|| {
        Problem::new("patch", "this is a JSON patch, not an object")
            .because("its steps change another object, which is named where the patch is used")
            .help(RENDER_WHAT_NAMES_IT)
    })
}

const RENDER_WHAT_NAMES_IT: &str =
    "render the kustomize folder that names it: `kubectl kustomize FOLDER | dsrules plan -`";

/// What has neither a kind nor a version, nor anything that may be a misspelling of them.
pub(super) fn no_object(value: &Value) -> Option<Problem> {
    let near = |name: &str| {
        value.as_object().is_some_and(|map| {
            map.contains_key(name) || nearest(name, map.keys().map(String::as_str)).is_some()
        })
    };
    (value.is_object() && !near("kind") && !near("apiVersion")).then(|| {
        Problem::new("not-an-object", "this is no Kubernetes object: it has neither `apiVersion` nor `kind`")
            .because("values of a helm chart and other settings look like this")
            .help("leave it out; what is rendered of it can be piped in, as `helm template CHART | dsrules plan -`")
    })
}

/// Whether this is part of an object that is to be merged into another one.
pub(super) fn patch(kind: Kind, value: &Value) -> Option<Problem> {
    // The data of a revision is a patch, and means what it says.
    let directive = if kind == Kind::ControllerRevision { None } else { directive(value) };
    let why = match directive {
        Some(directive) => format!("`{directive}` says how it is merged into another object"),
        None if kind == Kind::DaemonSet && is_fragment(&value["spec"]) => {
            "it has no selector, no labels and no image, which come from the object it is merged into"
                .to_owned()
        }
        None => return None,
    };
    Some(
        Problem::new("patch", "this is a strategic-merge patch, not a whole object")
            .because(why)
            .help(RENDER_WHAT_NAMES_IT),
    )
}

/// The first of kustomize's and kubectl's words for merging.
fn directive(value: &Value) -> Option<&str> {
    const WORDS: [&str; 4] = ["$patch", "$retainKeys", "$setElementOrder/", "$deleteFromPrimitiveList/"];
    match value {
        Value::Object(map) => map.iter().find_map(|(key, value)| {
            let word = WORDS.iter().find(|word| key.starts_with(**word)).map(|_| key.as_str());
            word.or_else(|| directive(value))
        }),
        Value::Array(list) => list.iter().find_map(directive),
        _ => None,
    }
}

fn is_fragment(spec: &Value) -> bool {
    let template = &spec["template"];
    let containers =
        || ["containers", "initContainers"].into_iter().filter_map(|list| template["spec"][list].as_array());
    let says_something = template["spec"].as_object().is_some_and(|pod| !pod.is_empty());
    let imageless = containers().flatten().all(|container| container["image"].is_null());
    says_something && imageless && spec["selector"].is_null() && template["metadata"]["labels"].is_null()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kustomizations_are_known_without_a_kind() {
        assert!(document(&json!({ "resources": ["a.yaml"], "namespace": "x" })).is_some());
        assert!(document(&json!({ "namespace": "x" })).is_none());
        assert!(document(&json!({ "resources": {}, "replicaCount": 1 })).is_none());
        let flux = json!({ "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization" });
        assert!(document(&flux).is_none());
    }

    #[test]
    fn a_revision_is_no_patch_although_it_holds_one() {
        let data = json!({ "data": { "spec": { "template": { "$patch": "replace" } } } });
        assert!(patch(Kind::ControllerRevision, &data).is_none());
        assert!(patch(Kind::DaemonSet, &data).is_some());
    }
}
