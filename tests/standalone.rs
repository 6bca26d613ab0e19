//! Pods for machines without an API server: what is filled in, what is left out, what is
//! refused, for each runtime.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fmt::Write;

use dsrules::kube::{Kind, ObjectKey};
use dsrules::target::standalone::{Runtime, Standalone, standalone};
use dsrules::yaml::to_yaml;
use serde::Deserialize;
use serde_json::{Value, json};

/// The objects of the manifests.
fn objects() -> BTreeMap<(String, ObjectKey), Value> {
    let text = include_str!("standalone/manifests.yaml");
    let objects =
        serde_yaml::Deserializer::from_str(text).map(|document| Value::deserialize(document).unwrap());
    let key = |object: &Value| {
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or("");
        ObjectKey::new(namespace, object["metadata"]["name"].as_str().unwrap())
    };
    objects.map(|object| ((object["kind"].as_str().unwrap().to_owned(), key(&object)), object)).collect()
}

fn made(pod: Value, runtime: Runtime) -> Standalone {
    let objects = objects();
    let mut lookup =
        |kind: Kind, key: &ObjectKey| Ok(objects.get(&(kind.name().to_owned(), key.clone())).cloned());
    standalone(pod, runtime, "/etc/pods/till-1", &mut lookup).unwrap()
}

fn read(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

/// All of it, as a text.
fn shown(made: &Standalone) -> String {
    let mut out = to_yaml(&made.pod);
    for (volume, files) in &made.volumes {
        writeln!(out, "--- {volume}/").unwrap();
        for (path, file) in files {
            writeln!(out, "{:o} {path}: {:?}", file.mode, String::from_utf8_lossy(&file.bytes)).unwrap();
        }
    }
    writeln!(out, "--- secret: {}", made.is_secret).unwrap();
    for (what, findings) in [("refused", &made.refused), ("missed", &made.missed)] {
        for it in findings {
            writeln!(out, "{what}: {}: {}\n  {}", it.field, it.why, it.help).unwrap();
        }
    }
    out
}

fn assert(name: &str, text: String) {
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn a_pod_is_filled_in_for_each_runtime() {
    let pod = read(include_str!("standalone/whole.yaml"));
    for (name, runtime) in [
        ("standalone_cluster", Runtime::Cluster),
        ("standalone_kubelet", Runtime::Kubelet),
        ("standalone_podman", Runtime::Podman),
    ] {
        let made = made(pod.clone(), runtime);
        assert_eq!(made.refused, [], "{name}");
        assert(name, shown(&made));
    }
}

#[test]
fn what_cannot_be_taken_is_refused_by_name() {
    let pod = read(include_str!("standalone/refused.yaml"));
    for (name, runtime) in
        [("standalone_kubelet_refused", Runtime::Kubelet), ("standalone_podman_refused", Runtime::Podman)]
    {
        let made = made(pod.clone(), runtime);
        let lines = made.refused.iter().map(|it| format!("{}: {}\n  {}\n", it.field, it.why, it.help));
        assert(name, lines.collect());
    }
    assert_eq!(made(pod, Runtime::Cluster).refused, []);
}

/// What `podutil.HasAPIObjectReference` of Kubernetes looks for, which a kubelet refuses of a
/// static pod.
fn refers(pod: &Value) -> Option<String> {
    let spec = &pod["spec"];
    let named = |field: &str| !spec[field].is_null();
    if let Some(field) = ["serviceAccountName", "imagePullSecrets", "resourceClaims", "ephemeralContainers"]
        .iter()
        .find(|it| named(it))
    {
        return Some((*field).to_owned());
    }
    for list in ["initContainers", "containers"] {
        for container in spec[list].as_array().into_iter().flatten() {
            if container["envFrom"].as_array().is_some_and(|from| !from.is_empty()) {
                return Some("envFrom".to_owned());
            }
            for entry in container["env"].as_array().into_iter().flatten() {
                for field in ["configMapKeyRef", "secretKeyRef"] {
                    if !entry["valueFrom"][field].is_null() {
                        return Some(field.to_owned());
                    }
                }
            }
        }
    }
    let allowed = ["name", "hostPath", "emptyDir", "downwardAPI", "nfs", "iscsi", "fc", "image"];
    let volumes = spec["volumes"].as_array().into_iter().flatten().flat_map(|it| it.as_object().unwrap());
    volumes.map(|(field, _)| field.clone()).find(|field| !allowed.contains(&field.as_str()))
}

#[test]
fn a_static_pod_refers_to_no_object() {
    let pod = read(include_str!("standalone/whole.yaml"));
    assert!(refers(&pod).is_some());
    assert_eq!(refers(&made(pod, Runtime::Kubelet).pod), None);
}

#[test]
fn a_pod_without_references_stays_as_it_is() {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": "a", "namespace": "default" },
        "spec": { "nodeName": "n1", "hostNetwork": true, "containers": [{ "name": "c", "image": "c",
            "env": [{ "name": "A", "value": "$(B) $$ $" }], "volumeMounts": [{ "name": "v", "mountPath": "/v" }] }],
            "volumes": [{ "name": "v", "hostPath": { "path": "/v" } }] },
    });
    for runtime in [Runtime::Cluster, Runtime::Kubelet] {
        assert_eq!(made(pod.clone(), runtime).pod, pod);
    }
}
