//! What an API server fills in before it looks at an object.
//!
//! It happens on a copy, to validate it or to compare templates, that is thrown away:
//! nothing of it is ever written back over what the user wrote.

use serde_json::{Map, Value, json};

use super::Kind;

/// Fills in the defaults of an object.
pub fn defaults(kind: Kind, value: &mut Value, namespace: &str) {
    if kind.namespaced()
        && let Some(meta) = object(value, "metadata")
        && meta.get("namespace").is_none_or(|it| it.is_null() || it == "")
    {
        meta.insert("namespace".to_owned(), namespace.into());
    }
    match kind {
        Kind::DaemonSet => daemonset(value),
        Kind::Pod => {
            if let Some(spec) = object(value, "spec") {
                pod(spec);
            }
        }
        _ => {}
    }
}

/// A pod template as an API server would keep it, so that one written by hand and the
/// same one read back from a cluster are equal: defaults filled in, nothing empty.
pub(super) fn normal_template(template: &Value) -> Value {
    let mut template = template.clone();
    if let Some(fields) = template.as_object_mut() {
        // Carried by a revision's copy only.
        fields.remove("$patch");
    }
    if let Some(meta) = object(&mut template, "metadata") {
        meta.remove("creationTimestamp");
    }
    if let Some(spec) = object(&mut template, "spec") {
        pod(spec);
        mirror(spec, "serviceAccountName", "serviceAccount");
        mirror(spec, "serviceAccount", "serviceAccountName");
    }
    drop_empty(&mut template);
    template
}

/// The deprecated name of a field says the same as the field.
fn mirror(map: &mut Map<String, Value>, from: &str, to: &str) {
    if let Some(value) = map.get(from).cloned() {
        map.entry(to).or_insert(value);
    }
}

/// Removes nulls, empty objects and empty lists, which say nothing.
fn drop_empty(value: &mut Value) {
    let says_nothing = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    match value {
        Value::Array(items) => items.iter_mut().for_each(drop_empty),
        Value::Object(fields) => fields.retain(|_, field| {
            drop_empty(field);
            !says_nothing(field)
        }),
        _ => {}
    }
}

fn daemonset(value: &mut Value) {
    let Some(spec) = object(value, "spec") else { return };
    absent(spec, "revisionHistoryLimit", || json!(10));
    if let Some(strategy) = nested(spec, "updateStrategy") {
        empty(strategy, "type", "RollingUpdate");
        if strategy["type"] == "RollingUpdate"
            && let Some(rolling) = nested(strategy, "rollingUpdate")
        {
            absent(rolling, "maxUnavailable", || json!(1));
            absent(rolling, "maxSurge", || json!(0));
        }
    }
    if let Some(spec) = nested(spec, "template").and_then(|template| nested(template, "spec")) {
        pod(spec);
    }
}

fn pod(spec: &mut Map<String, Value>) {
    empty(spec, "dnsPolicy", "ClusterFirst");
    empty(spec, "restartPolicy", "Always");
    empty(spec, "schedulerName", "default-scheduler");
    absent(spec, "terminationGracePeriodSeconds", || json!(30));
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        each(spec, list, container);
    }
    each(spec, "volumes", volume);
}

fn container(container: &mut Map<String, Value>) {
    let image = container.get("image").and_then(Value::as_str).unwrap_or("");
    let policy = if has_latest_tag(image) { "Always" } else { "IfNotPresent" };
    empty(container, "imagePullPolicy", policy);
    empty(container, "terminationMessagePath", "/dev/termination-log");
    empty(container, "terminationMessagePolicy", "File");
    each(container, "ports", |port| empty(port, "protocol", "TCP"));
    each(container, "env", |variable| {
        if let Some(from) = present(variable, "valueFrom") {
            field_ref(from);
        }
    });
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probe) = present(container, name) else { continue };
        for (field, value) in
            [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)]
        {
            zero(probe, field, value);
        }
        handler(probe);
    }
    if let Some(lifecycle) = present(container, "lifecycle") {
        for name in ["postStart", "preStop"] {
            if let Some(hook) = present(lifecycle, name) {
                handler(hook);
            }
        }
    }
}

/// No tag and no digest means the tag `latest`.
fn has_latest_tag(image: &str) -> bool {
    if image.is_empty() || image.contains('@') {
        return false;
    }
    let name = image.rsplit('/').next().unwrap_or(image);
    name.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

fn handler(handler: &mut Map<String, Value>) {
    if let Some(get) = present(handler, "httpGet") {
        empty(get, "path", "/");
        empty(get, "scheme", "HTTP");
    }
}

fn field_ref(owner: &mut Map<String, Value>) {
    if let Some(reference) = present(owner, "fieldRef") {
        empty(reference, "apiVersion", "v1");
    }
}

fn volume(volume: &mut Map<String, Value>) {
    let has_source = volume.iter().any(|(name, value)| name != "name" && !value.is_null());
    if !has_source {
        volume.insert("emptyDir".to_owned(), json!({}));
    }
    if let Some(path) = present(volume, "hostPath") {
        absent(path, "type", || json!(""));
    }
    for source in ["secret", "configMap", "downwardAPI", "projected"] {
        if let Some(source) = present(volume, source) {
            absent(source, "defaultMode", || json!(0o644));
        }
    }
    if let Some(downward) = present(volume, "downwardAPI") {
        each(downward, "items", field_ref);
    }
    if let Some(disk) = present(volume, "azureDisk") {
        absent(disk, "cachingMode", || json!("ReadWrite"));
        absent(disk, "kind", || json!("Shared"));
    }
    if let Some(image) = present(volume, "image") {
        let reference = image.get("reference").and_then(Value::as_str).unwrap_or("");
        let policy = if has_latest_tag(reference) { "Always" } else { "IfNotPresent" };
        empty(image, "pullPolicy", policy);
    }
    let Some(projected) = present(volume, "projected") else { return };
    each(projected, "sources", |source| {
        if let Some(downward) = present(source, "downwardAPI") {
            each(downward, "items", field_ref);
        }
        if let Some(token) = present(source, "serviceAccountToken") {
            absent(token, "expirationSeconds", || json!(3600));
        }
    });
}

/// The object at `name`, made if it is not there.
fn object<'v>(value: &'v mut Value, name: &str) -> Option<&'v mut Map<String, Value>> {
    value.as_object_mut().and_then(|map| nested(map, name))
}

fn nested<'m>(map: &'m mut Map<String, Value>, name: &str) -> Option<&'m mut Map<String, Value>> {
    let inner = map.entry(name).or_insert_with(|| json!({}));
    if inner.is_null() {
        *inner = json!({});
    }
    inner.as_object_mut()
}

fn present<'m>(map: &'m mut Map<String, Value>, name: &str) -> Option<&'m mut Map<String, Value>> {
    map.get_mut(name).and_then(Value::as_object_mut)
}

fn each(map: &mut Map<String, Value>, name: &str, fill: impl Fn(&mut Map<String, Value>)) {
    let list = map.get_mut(name).and_then(Value::as_array_mut);
    list.into_iter().flatten().filter_map(Value::as_object_mut).for_each(fill);
}

fn absent(map: &mut Map<String, Value>, name: &str, value: impl FnOnce() -> Value) {
    if map.get(name).is_none_or(Value::is_null) {
        map.insert(name.to_owned(), value());
    }
}

fn empty(map: &mut Map<String, Value>, name: &str, value: &str) {
    if map.get(name).is_none_or(|it| it.is_null() || it == "") {
        map.insert(name.to_owned(), value.into());
    }
}

fn zero(map: &mut Map<String, Value>, name: &str, value: i64) {
    if map.get(name).is_none_or(|it| it.is_null() || it == 0) {
        map.insert(name.to_owned(), value.into());
    }
}
