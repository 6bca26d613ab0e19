//! Manifests on top of a live cluster, as `kubectl apply` would: what the cluster has and the
//! manifest does not speak of stays, what the last apply set and the manifest has no longer goes.

use serde_json::{Map, Value};

use crate::app::api::{Typed, strategic};
use crate::diagnostic::{Diagnostic, Place};
use crate::kube::Object;
use crate::target::Memory;

/// Where an apply leaves what it was given.
const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Makes of each object what the cluster would have of it after an apply.
///
/// # Errors
/// When an object cannot be merged with what the cluster has.
pub fn merged(objects: &mut [Object], store: &dyn Memory) -> Result<(), Vec<Diagnostic>> {
    let mut errors = Vec::new();
    for object in objects {
        let Some(live) = store.object(object.kind, &object.key)? else { continue };
        let of = Typed::of(object.kind.name());
        match applied(live, &object.value, of) {
            Ok(value) => object.value = value,
            Err(why) => errors.push(
                Diagnostic::error(
                    "cannot-merge",
                    format!("{} `{}` cannot be applied to that of the cluster", object.kind, object.key),
                )
                .at(Place::file(object.origin.file.clone()))
                .because(why),
            ),
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Takes the version off an object: it says nothing of what the object is.
pub(in crate::app) fn unversioned(value: &mut Value) {
    if let Some(meta) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        meta.remove("resourceVersion");
    }
}

/// What an object of the cluster becomes with a manifest.
pub(super) fn applied(mut live: Value, manifest: &Value, of: Typed) -> Result<Value, String> {
    unversioned(&mut live);
    let mut patch = manifest.clone();
    // What a manifest was written out of a cluster with is no wish.
    if let Some(fields) = patch.as_object_mut() {
        fields.remove("status");
    }
    if let Some(meta) = patch.get_mut("metadata").and_then(Value::as_object_mut) {
        for given in ["uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"] {
            meta.remove(given);
        }
    }
    let last = live["metadata"]["annotations"][APPLIED].as_str();
    if let Some(last) = last.and_then(|text| serde_json::from_str::<Value>(text).ok()) {
        let gone = gone(&last, manifest, of);
        strategic(&mut live, &gone, of).map_err(|refused| refused.message.clone())?;
    }
    strategic(&mut live, &patch, of).map_err(|refused| refused.message.clone())?;
    Ok(live)
}

/// The patch that takes away what was in `last` and is not in `now`.
fn gone(last: &Value, now: &Value, of: Typed) -> Value {
    let (Some(last), Some(now)) = (last.as_object(), now.as_object()) else {
        return Value::Object(Map::new());
    };
    let mut patch = Map::new();
    for (name, before) in last {
        let inner = of.field(name);
        match (before, now.get(name)) {
            (_, None | Some(Value::Null)) if !before.is_null() => _ = patch.insert(name.clone(), Value::Null),
            (Value::Object(_), Some(after @ Value::Object(_))) => {
                let less = gone(before, after, inner);
                if less.as_object().is_some_and(|less| !less.is_empty()) {
                    patch.insert(name.clone(), less);
                }
            }
            (Value::Array(before), Some(Value::Array(after))) => {
                if let Some(key) = of.key(name) {
                    let less = items_gone(before, after, key, inner.item());
                    if !less.is_empty() {
                        patch.insert(name.clone(), less.into());
                    }
                }
            }
            _ => {}
        }
    }
    Value::Object(patch)
}

/// The same of lists whose items are told apart by a key.
fn items_gone(last: &[Value], now: &[Value], key: &str, of: Typed) -> Vec<Value> {
    let mut less = Vec::new();
    for before in last {
        let Some(named) = before.get(key) else { continue };
        let item = match now.iter().find(|item| item.get(key) == Some(named)) {
            None => Some(Map::from_iter([("$patch".to_owned(), "delete".into())])),
            Some(after) => gone(before, after, of).as_object().filter(|it| !it.is_empty()).cloned(),
        };
        if let Some(mut item) = item {
            item.insert(key.to_owned(), named.clone());
            less.push(item.into());
        }
    }
    less
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_manifest_has_no_longer_goes_and_what_it_never_had_stays() {
        let last = json!({ "metadata": { "name": "a", "labels": { "x": "1", "y": "2" } },
            "spec": { "template": { "spec": { "containers": [{ "name": "a", "image": "a:1", "args": ["v"] }, { "name": "b" }] } } } });
        let live = json!({ "metadata": { "name": "a", "uid": "u", "annotations": { APPLIED: last.to_string() },
                "labels": { "x": "1", "y": "2", "by": "somebody" } },
            "spec": { "template": { "spec": { "dnsPolicy": "ClusterFirst", "containers": [
                { "name": "a", "image": "a:1", "args": ["v"], "imagePullPolicy": "Always" }, { "name": "b" }, { "name": "injected" }] } } },
            "status": { "n": 1 } });
        let manifest = json!({ "metadata": { "name": "a", "labels": { "x": "1" } },
            "spec": { "template": { "spec": { "containers": [{ "name": "a", "image": "a:2" }] } } } });
        let value = applied(live.clone(), &manifest, Typed::of("DaemonSet")).unwrap();
        assert_eq!(value["metadata"]["labels"], json!({ "x": "1", "by": "somebody" }));
        assert_eq!((&value["metadata"]["uid"], &value["status"]), (&json!("u"), &json!({ "n": 1 })));
        assert_eq!(
            value["spec"]["template"]["spec"],
            json!({ "dnsPolicy": "ClusterFirst", "containers": [
                { "name": "a", "image": "a:2", "imagePullPolicy": "Always" }, { "name": "injected" }] })
        );
        // What was applied last comes to what is there.
        assert_eq!(applied(live.clone(), &last, Typed::of("DaemonSet")).unwrap(), live);
    }
}
