//! A pod as `podman kube play` is given it: one plain Pod, with nothing left to look up.
//!
//! What it names has been resolved (`standalone`). Only fields that podman acts on are written, each as it means it; whatever a pod has that
//! podman cannot act on has been refused before. Probes are not among them: they are asked
//! from here. Nor is a restart policy: who ends is started again from here too, with a
//! kubelet's patience, and so podman is told `Never`.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::volumes::Volumes;
use crate::diagnostic::Diagnostic;
use crate::kube::{ObjectKey, controlling, list};
use crate::target::standalone::Standalone;

/// The node whose pod it is.
pub(super) const NODE: &str = "dsrules.dev/node";
/// The pod's namespace.
pub(super) const NAMESPACE: &str = "dsrules.dev/namespace";
/// The pod's name.
pub(super) const POD: &str = "dsrules.dev/pod";
/// The pod's uid.
pub(super) const UID: &str = "dsrules.dev/uid";
/// Which pod and which revision.
pub(super) const MARK: &str = "dsrules.dev/mark";

/// A host name is no longer.
const HOST_NAME: usize = 63;

/// Fields of a security context that podman acts on.
const SECURITY: [&str; 8] = [
    "allowPrivilegeEscalation",
    "capabilities",
    "privileged",
    "readOnlyRootFilesystem",
    "runAsGroup",
    "runAsUser",
    "seLinuxOptions",
    "supplementalGroups",
];

/// A pod of a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    /// Its name for podman.
    pub(super) name: &'a str,
    /// Namespace and name.
    pub(super) key: &'a ObjectKey,
    /// Its node.
    pub(super) node: &'a str,
    /// Its mark.
    pub(super) mark: &'a str,
    /// The whole pod, as it is asked for.
    pub(super) whole: &'a Value,
}

/// What podman is given, and what has to be there for it.
#[derive(Debug)]
pub(super) struct Document {
    /// The Pod.
    pub(super) pod: Value,
    /// Its volumes.
    pub(super) volumes: Volumes,
}

/// The pod as podman takes it; `made` has everything resolved, `home` is its own folder.
pub(super) fn document(about: About<'_>, made: &Standalone, home: &Path) -> Result<Document, Diagnostic> {
    let spec = &made.pod["spec"];
    let mut volumes = Volumes::of(made, home);
    let mut containers = |field: &str| -> Result<Vec<Value>, Diagnostic> {
        list(spec, field).map(|it| container(it, spec, &mut volumes)).collect()
    };
    let init = containers("initContainers")?;
    let lasting = containers("containers")?;
    let mut told = json!({ "restartPolicy": "Never", "hostname": host_name(about), "containers": lasting });
    if !init.is_empty() {
        told["initContainers"] = init.into();
    }
    for field in ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"] {
        if spec[field] == true {
            told[field] = json!(true);
        }
    }
    if spec["dnsConfig"].is_object() && spec["hostNetwork"] != true {
        told["dnsConfig"] = spec["dnsConfig"].clone();
    }
    let security = pod_security(&spec["securityContext"]);
    if !security.is_empty() {
        told["securityContext"] = security.into();
    }
    if !volumes.asked.is_empty() {
        told["volumes"] = volumes.asked.clone().into();
    }
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": about.name, "labels": labels(about) },
        "spec": told,
    });
    Ok(Document { pod, volumes })
}

/// The pod's labels and our own.
fn labels(about: About<'_>) -> Map<String, Value> {
    let meta = &about.whole["metadata"];
    let mut labels = meta["labels"].as_object().cloned().unwrap_or_default();
    let own = [
        (NODE, about.node),
        (NAMESPACE, &*about.key.namespace),
        (POD, &*about.key.name),
        (UID, meta["uid"].as_str().unwrap_or("")),
        (MARK, about.mark),
    ];
    labels.extend(own.map(|(key, value)| (key.to_owned(), json!(value))));
    if let Some(owner) = controlling(about.whole) {
        labels.insert("dsrules.dev/daemonset".to_owned(), owner["name"].clone());
    }
    labels
}

/// What the pod calls its host: itself, or with the host's network the node.
fn host_name(about: About<'_>) -> String {
    let spec = &about.whole["spec"];
    let own = match spec["hostname"].as_str() {
        Some(name) => name,
        None if spec["hostNetwork"] == true => about.node,
        None => &about.key.name,
    };
    own.chars().take(HOST_NAME).collect::<String>().trim_end_matches(['-', '.']).to_owned()
}

/// The group that owns what is mounted, where the pod has one.
pub(super) fn group(spec: &Value) -> Option<u32> {
    u32::try_from(spec["securityContext"]["fsGroup"].as_i64()?).ok()
}

fn pod_security(security: &Value) -> Map<String, Value> {
    let mut told = chosen(security, &SECURITY);
    if let Some(group) = security["fsGroup"].as_i64() {
        let mut groups: Vec<Value> = list(security, "supplementalGroups").cloned().collect();
        groups.push(json!(group));
        told.insert("supplementalGroups".to_owned(), groups.into());
    }
    told
}

fn container(container: &Value, spec: &Value, volumes: &mut Volumes) -> Result<Value, Diagnostic> {
    let mut told =
        chosen(container, &["name", "image", "command", "args", "workingDir", "stdin", "tty", "env"]);
    // It has been pulled by now, as the pod's own policy asks.
    told.insert("imagePullPolicy".to_owned(), json!("Never"));
    let limits = chosen(&container["resources"]["limits"], &["cpu", "memory"]);
    let security = chosen(&container["securityContext"], &SECURITY);
    for (field, value) in [("volumeMounts", volumes.mounts(container)?), ("ports", ports(container, spec))] {
        if !value.is_empty() {
            told.insert(field.to_owned(), value.into());
        }
    }
    if !limits.is_empty() {
        told.insert("resources".to_owned(), json!({ "limits": limits }));
    }
    if !security.is_empty() {
        told.insert("securityContext".to_owned(), security.into());
    }
    Ok(told.into())
}

/// The ports that are to be published. With the host's network there is nothing to publish.
fn ports(container: &Value, spec: &Value) -> Vec<Value> {
    if spec["hostNetwork"] == true {
        return Vec::new();
    }
    let asked =
        list(container, "ports").filter(|port| port["hostPort"].as_i64().is_some_and(|port| port > 0));
    asked
        .map(|port| chosen(port, &["name", "containerPort", "hostPort", "hostIP", "protocol"]).into())
        .collect()
}

/// The fields of these names that are there.
fn chosen(value: &Value, fields: &[&str]) -> Map<String, Value> {
    let all = value.as_object().into_iter().flatten();
    let kept = all.filter(|(name, value)| fields.contains(&name.as_str()) && !value.is_null());
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::target::standalone::{Runtime, standalone};
    use crate::yaml::to_yaml;

    fn written(pod: &Value, key: &ObjectKey) -> Document {
        let mut lookup = |_, _: &ObjectKey| Ok(None);
        let made = standalone(pod.clone(), Runtime::Podman, "/pods/x/volumes", &mut lookup).unwrap();
        assert_eq!(made.refused, []);
        let about = About { name: "shop.web-x7k2", key, node: "n1", mark: "u1 7f", whole: pod };
        document(about, &made, Path::new("/pods/x")).unwrap()
    }

    #[test]
    fn a_pod_is_written_with_what_podman_acts_on() {
        let key = ObjectKey::new("shop", "web-x7k2");
        let pod = json!({
            "metadata": {"name": "web-x7k2", "uid": "u1", "labels": {"app": "web"},
                "ownerReferences": [{"kind": "DaemonSet", "name": "web", "controller": true}]},
            "spec": {
                "nodeName": "n1", "affinity": {}, "tolerations": [{}], "restartPolicy": "Always",
                "securityContext": {"runAsUser": 1000, "fsGroup": 2000, "runAsNonRoot": true},
                "volumes": [{"name": "tmp", "emptyDir": {}}],
                "initContainers": [{"name": "init", "image": "i:1", "command": ["/init"]}],
                "containers": [{
                    "name": "web", "image": "w:1", "imagePullPolicy": "Always", "args": ["--port=$(PORT)", "$(NO)"],
                    "env": [{"name": "PORT", "value": "80"}],
                    "ports": [{"name": "http", "containerPort": 80, "hostPort": 8080, "protocol": "TCP"},
                              {"name": "metrics", "containerPort": 81}],
                    "resources": {"limits": {"cpu": "1", "memory": "64Mi"}, "requests": {"cpu": "1"}},
                    "readinessProbe": {"httpGet": {"port": "http"}},
                    "securityContext": {"capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": true},
                    "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
                }],
            },
        });
        insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "../../../snapshots" }, {
            insta::assert_snapshot!("podman_kube_document", to_yaml(&written(&pod, &key).pod));
        });
        assert_eq!(group(&pod["spec"]), Some(2000));
    }

    #[test]
    fn the_hosts_network_has_the_hosts_name_and_no_ports() {
        let key = ObjectKey::new("shop", "a".repeat(70));
        let mut pod = json!({"spec": {"hostNetwork": true, "containers": [
            {"name": "web", "image": "w:1", "ports": [{"containerPort": 80, "hostPort": 80}]}]}});
        let spec = written(&pod, &key).pod["spec"].clone();
        assert_eq!((&spec["hostname"], &spec["containers"][0]["ports"]), (&json!("n1"), &Value::Null));
        pod["spec"]["hostNetwork"] = json!(false);
        assert_eq!(written(&pod, &key).pod["spec"]["hostname"], "a".repeat(63));
    }
}
