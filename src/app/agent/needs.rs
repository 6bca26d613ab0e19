//! A pod with all that it takes to run it: the ConfigMaps, Secrets and others that it names.

use serde_json::{Value, json};

use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, ObjectKey, list};
use crate::target::Memory;
use crate::target::runtime::Playable;
use crate::target::standalone::{self, standalone};

/// A folder that is asked about and never written: only what is looked up counts.
const NOWHERE: &str = "/nowhere";

/// The pod of this key, with what it names as far as the store has it; nothing where there is no
/// such pod any longer.
pub(super) fn playable(
    store: &dyn Memory,
    key: &ObjectKey,
    mark: &str,
) -> Result<Option<Playable>, Diagnostic> {
    let Some(mut manifest) = store.object(Kind::Pod, key)? else { return Ok(None) };
    let mut objects = Vec::new();
    let mut lookup = |kind: Kind, named: &ObjectKey| {
        let found = store.object(kind, named)?;
        objects.extend(found.iter().cloned());
        Ok(found)
    };
    for secret in list(&manifest["spec"], "imagePullSecrets") {
        let kind = Kind::other("v1", "Secret");
        if let (Some(kind), Some(name)) = (kind, secret["name"].as_str()) {
            lookup(kind, &ObjectKey::new(key.namespace.clone(), name))?;
        }
    }
    if let Some(node) = manifest["spec"]["nodeName"].as_str()
        && let Some(node) = lookup(Kind::Node, &ObjectKey::new("", node))?
        && let Some(address) = address(&node)
    {
        manifest["status"]["hostIP"] = json!(address);
    }
    standalone(manifest.clone(), standalone::Runtime::Podman, NOWHERE, &mut lookup)?;
    objects.dedup();
    Ok(Some(Playable { key: key.clone(), mark: mark.to_owned(), manifest, objects }))
}

/// What a pod names: objects that it mounts or takes values of, and secrets of registries.
pub(super) fn named(pod: &Value) -> Vec<(Kind, ObjectKey)> {
    let mut all = Vec::new();
    let namespace = pod["metadata"]["namespace"].as_str().unwrap_or("");
    for secret in list(&pod["spec"], "imagePullSecrets") {
        let kind = Kind::other("v1", "Secret");
        all.extend(
            kind.zip(secret["name"].as_str()).map(|(kind, name)| (kind, ObjectKey::new(namespace, name))),
        );
    }
    let mut lookup = |kind: Kind, named: &ObjectKey| {
        all.push((kind, named.clone()));
        // One that is there and says nothing: so that all of them are asked for.
        Ok(Some(json!({ "metadata": { "name": &*named.name, "namespace": &*named.namespace } })))
    };
    // What it cannot run it says when it is to run it.
    let _ = standalone(pod.clone(), standalone::Runtime::Podman, NOWHERE, &mut lookup);
    all
}

/// The address of a node.
fn address(node: &Value) -> Option<&str> {
    let mut internal = list(&node["status"], "addresses").filter(|it| it["type"] == "InternalIP");
    internal.find_map(|it| it["address"].as_str())
}
