//! What an API server takes, but warns about: deprecated labels, annotations and fields,
//! and what is written twice.
//!
//! These are the warnings of Kubernetes 1.31 for pods (`GetWarningsForPodTemplate`) and
//! nodes, in its order and with its field paths. An object that a server has stored
//! already (it has a uid) has been warned about when it was written. One warning is our
//! own: a mount of dockershim's socket, which is on no node any more.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::path::{Cursor, FieldPath, Part};
use crate::kube::{Kind, Quantity};

/// Something that is allowed, but seldom meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where it stands.
    pub at: FieldPath,
    /// Whether it is about a key or a value.
    pub part: Part,
    /// What is said of it, after the field's path.
    pub message: String,
}

/// Labels of nodes that have another name by now, with what Kubernetes says of them.
const DEPRECATED_LABELS: [(&str, &str); 8] = [
    ("beta.kubernetes.io/arch", "is deprecated since v1.14; use `kubernetes.io/arch` instead"),
    ("beta.kubernetes.io/os", "is deprecated since v1.14; use `kubernetes.io/os` instead"),
    (
        "failure-domain.beta.kubernetes.io/region",
        "is deprecated since v1.17; use `topology.kubernetes.io/region` instead",
    ),
    (
        "failure-domain.beta.kubernetes.io/zone",
        "is deprecated since v1.17; use `topology.kubernetes.io/zone` instead",
    ),
    (
        "beta.kubernetes.io/instance-type",
        "is deprecated since v1.17; use `node.kubernetes.io/instance-type` instead",
    ),
    ("app.kubernetes.io/created-by", "is deprecated since v1.9"),
    (
        "scheduler.alpha.kubernetes.io/preferAvoidPods",
        "is deprecated since v1.22; use taints and tolerations instead",
    ),
    (
        "node-role.kubernetes.io/master",
        "is no longer set; use `node-role.kubernetes.io/control-plane` instead",
    ),
];

/// Annotations that do nothing any more.
const DEAD_ANNOTATIONS: [(&str, &str); 3] = [
    (
        "scheduler.alpha.kubernetes.io/critical-pod",
        "does nothing since v1.16; use the field `priorityClassName` instead",
    ),
    ("security.alpha.kubernetes.io/sysctls", "does nothing since v1.11; use the field `sysctls` instead"),
    (
        "security.alpha.kubernetes.io/unsafe-sysctls",
        "does nothing since v1.11; use the field `sysctls` instead",
    ),
];

const POD_SECCOMP: &str = "seccomp.security.alpha.kubernetes.io/pod";
const CONTAINER_SECCOMP: &str = "container.seccomp.security.alpha.kubernetes.io/";
const APPARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

/// Volume plugins that are going or gone.
const DEPRECATED_VOLUMES: [(&str, &str); 9] = [
    ("photonPersistentDisk", "is deprecated since v1.11 and does nothing since v1.16"),
    ("gitRepo", "is deprecated since v1.11"),
    ("scaleIO", "is deprecated since v1.16 and does nothing since v1.22"),
    ("flocker", "is deprecated since v1.22 and does nothing since v1.25"),
    ("storageos", "is deprecated since v1.22 and does nothing since v1.25"),
    ("quobyte", "is deprecated since v1.22 and does nothing since v1.25"),
    ("glusterfs", "is deprecated since v1.25 and does nothing since v1.26"),
    ("cephfs", "is deprecated since v1.28 and does nothing since v1.31"),
    ("rbd", "is deprecated since v1.28 and does nothing since v1.31"),
];

/// Where the kubelet's own Docker was spoken to.
const DOCKER_SOCKETS: [&str; 4] =
    ["/var/run/docker.sock", "/run/docker.sock", "/var/run/dockershim.sock", "/run/dockershim.sock"];

/// Everything that an API server would warn about in an object as a user wrote it.
#[must_use]
pub fn warnings(kind: Kind, value: &Value) -> Vec<Warning> {
    let root = Cursor::root(value);
    let mut said = Said(Vec::new());
    if !root.field("metadata").field("uid").text().is_empty() {
        return said.0;
    }
    match kind {
        Kind::DaemonSet => {
            let spec = root.field("spec");
            pod(&spec.field("template"), &mut said);
        }
        Kind::Pod => pod(&root, &mut said),
        Kind::Node => node(&root, &mut said),
        _ => {}
    }
    said.0
}

struct Said(Vec<Warning>);

impl Said {
    fn of(&mut self, at: &Cursor<'_, '_>, message: impl Into<String>) {
        self.0.push(Warning { at: at.path(), part: Part::Value, message: message.into() });
    }

    fn of_key(&mut self, at: &Cursor<'_, '_>, message: impl Into<String>) {
        self.0.push(Warning { at: at.path(), part: Part::Key, message: message.into() });
    }
}

fn node(root: &Cursor<'_, '_>, said: &mut Said) {
    let spec = root.field("spec");
    let (config, external) = (spec.field("configSource"), spec.field("externalID"));
    if config.is_set() {
        said.of_key(&config, "belongs to a feature that was removed");
    }
    if !external.text().is_empty() {
        said.of_key(&external, "is deprecated, and Kubernetes does not use it");
    }
}

/// Warns about an object with `metadata` and a pod's `spec`.
fn pod(at: &Cursor<'_, '_>, said: &mut Said) {
    let (spec, meta) = (at.field("spec"), at.field("metadata"));
    let annotations = meta.field("annotations");
    node_labels(&spec, said);
    for (key, message) in DEAD_ANNOTATIONS {
        let annotation = annotations.key(key);
        if annotation.is_set() {
            said.of_key(&annotation, message);
        }
    }
    volumes(&spec.field("volumes"), said);
    twice(&spec.field("hostAliases"), "ip", said);
    twice(&spec.field("imagePullSecrets"), "name", said);
    for secret in spec.field("imagePullSecrets").items() {
        let name = secret.field("name");
        if name.text().is_empty() {
            said.of(&name, "is empty");
        }
    }
    whole_bytes(&spec.field("overhead"), said);
    let account = spec.field("serviceAccount");
    if !account.text().is_empty() && !spec.field("serviceAccountName").is_set() {
        said.of_key(&account, "is a deprecated name of `serviceAccountName`");
    }
    let security = spec.field("securityContext");
    let seccomp = annotations.key(POD_SECCOMP);
    if seccomp.is_set() && !security.field("seccompProfile").is_set() {
        said.of_key(&seccomp, "does nothing since v1.27; use the field `seccompProfile` instead");
    }
    let armored = security.field("appArmorProfile").is_set();
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for container in spec.field(list).items() {
            profiles(&container, &annotations, armored, said);
            let resources = container.field("resources");
            whole_bytes(&resources.field("limits"), said);
            whole_bytes(&resources.field("requests"), said);
            hidden_variables(&container.field("env"), said);
        }
    }
    ports(&spec, said);
    let grace = spec.field("terminationGracePeriodSeconds");
    if grace.int().is_some_and(|seconds| seconds < 0) {
        said.of(&grace, "must not be negative, and will be taken as 1");
    }
    selects_nothing(&spec, said);
}

/// What is said of a label of nodes.
fn deprecated(label: &str) -> Option<&'static str> {
    DEPRECATED_LABELS.iter().find(|(name, _)| *name == label).map(|(_, message)| *message)
}

fn node_labels(spec: &Cursor<'_, '_>, said: &mut Said) {
    for (key, entry) in spec.field("nodeSelector").entries() {
        if let Some(message) = deprecated(key) {
            said.of_key(&entry, message);
        }
    }
    let affinity = spec.field("affinity");
    let affinity = affinity.field("nodeAffinity");
    let required = affinity.field("requiredDuringSchedulingIgnoredDuringExecution");
    let required = required.field("nodeSelectorTerms");
    required.items().for_each(|term| term_labels(&term, said));
    for preferred in affinity.field("preferredDuringSchedulingIgnoredDuringExecution").items() {
        term_labels(&preferred.field("preference"), said);
    }
    for constraint in spec.field("topologySpreadConstraints").items() {
        let key = constraint.field("topologyKey");
        if let Some(message) = deprecated(key.text()) {
            said.of(&key, format!("`{}` {message}", key.text()));
        }
    }
}

fn term_labels(term: &Cursor<'_, '_>, said: &mut Said) {
    for expression in term.field("matchExpressions").items() {
        let key = expression.field("key");
        if let Some(message) = deprecated(key.text()) {
            said.of(&key, format!("`{}` {message}", key.text()));
        }
    }
}

fn volumes(volumes: &Cursor<'_, '_>, said: &mut Said) {
    for volume in volumes.items() {
        for (plugin, message) in DEPRECATED_VOLUMES {
            let source = volume.field(plugin);
            if source.is_set() {
                said.of_key(&source, message);
            }
        }
        let host = volume.field("hostPath");
        let path = host.field("path");
        if DOCKER_SOCKETS.contains(&path.text()) {
            let gone =
                "names the socket of Docker, which the kubelet does not use since v1.24: it is on few nodes";
            said.of(&path, gone);
        }
        let ephemeral = volume.field("ephemeral");
        let claim = ephemeral.field("volumeClaimTemplate");
        let spec = claim.field("spec");
        let resources = spec.field("resources");
        for part in ["requests", "limits"] {
            let amounts = resources.field(part);
            fractional(&amounts.key("storage"), said);
        }
    }
    token_paths(volumes, said);
}

/// Files of a projected volume that stand where a token does.
fn token_paths(volumes: &Cursor<'_, '_>, said: &mut Said) {
    let mut tokens = BTreeSet::new();
    each_source(volumes, &mut |source| {
        let token = source.field("serviceAccountToken");
        if token.is_set() {
            tokens.insert(token.field("path").text().to_owned());
        }
    });
    if tokens.is_empty() {
        return;
    }
    let message = "is where the service account token stands, too";
    each_source(volumes, &mut |source| {
        for kind in ["configMap", "secret", "downwardAPI"] {
            for item in source.field(kind).field("items").items() {
                let path = item.field("path");
                if tokens.contains(path.text()) {
                    said.of(&path, message);
                }
            }
        }
        let bundle = source.field("clusterTrustBundle");
        let path = bundle.field("path");
        if path.is_set() && tokens.contains(path.text()) {
            said.of(&path, message);
        }
    });
}

fn each_source(volumes: &Cursor<'_, '_>, visit: &mut dyn FnMut(&Cursor<'_, '_>)) {
    for volume in volumes.items() {
        for source in volume.field("projected").field("sources").items() {
            visit(&source);
        }
    }
}

/// Values that should be there once.
fn twice(list: &Cursor<'_, '_>, name: &str, said: &mut Said) {
    let mut seen = BTreeSet::new();
    for item in list.items() {
        let field = item.field(name);
        if !seen.insert(field.text()) {
            said.of(&field, format!("repeats `{}`", field.text()));
        }
    }
}

/// Amounts of memory are bytes.
fn whole_bytes(amounts: &Cursor<'_, '_>, said: &mut Said) {
    for resource in ["memory", "ephemeral-storage"] {
        fractional(&amounts.key(resource), said);
    }
}

fn fractional(amount: &Cursor<'_, '_>, said: &mut Said) {
    if amount.is_set() && Quantity::of(amount.value).is_some_and(|quantity| !quantity.is_whole()) {
        said.of(amount, "is a fraction of a byte; it must be a whole number of bytes");
    }
}

/// Annotations that fields have taken the place of.
fn profiles(container: &Cursor<'_, '_>, annotations: &Cursor<'_, '_>, armored: bool, said: &mut Said) {
    let name = container.field("name").text();
    let security = container.field("securityContext");
    let key = format!("{CONTAINER_SECCOMP}{name}");
    let seccomp = annotations.key(&key);
    if seccomp.is_set() && !security.field("seccompProfile").is_set() {
        said.of_key(&seccomp, "does nothing since v1.27; use the field `seccompProfile` instead");
    }
    let key = format!("{APPARMOR}{name}");
    let apparmor = annotations.key(&key);
    if apparmor.is_set() && !armored && !security.field("appArmorProfile").is_set() {
        said.of_key(&apparmor, "is deprecated since v1.30; use the field `appArmorProfile` instead");
    }
}

/// Variables that are defined twice, where the second does not build on the first.
fn hidden_variables(env: &Cursor<'_, '_>, said: &mut Said) {
    let mut seen = BTreeSet::new();
    for variable in env.items() {
        let name = variable.field("name");
        if seen.insert(name.text()) {
            continue;
        }
        let itself = format!("$({})", name.text());
        let value = variable.field("value").text();
        if variable.field("valueFrom").is_set() || value == itself || !value.contains(&itself) {
            let message =
                format!("hides the former definition of `{}`, which `kubectl apply` may drop", name.text());
            said.of(&variable, message);
        }
    }
}

/// Ports of all containers that are one, or nearly one.
fn ports(spec: &Cursor<'_, '_>, said: &mut Said) {
    type Port<'v> = (FieldPath, &'v str, i64);
    let mut known: BTreeMap<(i64, &str), Vec<Port<'_>>> = BTreeMap::new();
    for list in ["initContainers", "containers"] {
        for container in spec.field(list).items() {
            for port in container.field("ports").items() {
                let ip = port.field("hostIP").text();
                let host = port.field("hostPort").int().unwrap_or(0);
                if !ip.is_empty() && host == 0 {
                    said.of(&port.field("hostIP"), "does nothing without `hostPort`");
                }
                let protocol = Some(port.field("protocol").text()).filter(|it| !it.is_empty());
                let number = port.field("containerPort").int().unwrap_or(0);
                let others = known.entry((number, protocol.unwrap_or("TCP"))).or_default();
                for (path, other_ip, other_host) in &*others {
                    if ip == *other_ip && host == *other_host {
                        said.of(&port, format!("is the same port as `{path}`"));
                    } else if host == 0 || *other_host == 0 {
                        said.of(&port, format!("is a port that `{path}` has, too"));
                    } else if host == *other_host && ip.is_empty() != other_ip.is_empty() {
                        said.of(&port, format!("is ambiguous: `{path}` has the same host port"));
                    }
                }
                others.push((port.path(), ip, host));
            }
        }
    }
}

/// Selectors that are not there, which select nothing.
fn selects_nothing(spec: &Cursor<'_, '_>, said: &mut Said) {
    let mut missing = |owner: &Cursor<'_, '_>| {
        let selector = owner.field("labelSelector");
        if !selector.is_set() {
            said.of(&selector, "is not set, so no pod matches");
        }
    };
    spec.field("topologySpreadConstraints").items().for_each(|constraint| missing(&constraint));
    let affinity = spec.field("affinity");
    for which in ["podAffinity", "podAntiAffinity"] {
        let terms = affinity.field(which);
        for term in terms.field("requiredDuringSchedulingIgnoredDuringExecution").items() {
            missing(&term);
        }
        for weighted in terms.field("preferredDuringSchedulingIgnoredDuringExecution").items() {
            missing(&weighted.field("podAffinityTerm"));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(template: Value) -> Vec<String> {
        let daemonset = json!({ "metadata": { "name": "a" }, "spec": { "template": template } });
        let one = |warning: Warning| format!("{} {}", warning.at, warning.message);
        warnings(Kind::DaemonSet, &daemonset).into_iter().map(one).collect()
    }

    #[test]
    fn a_variable_may_build_on_its_former_value() {
        let env = |second: Value| {
            let first = json!({ "name": "X", "value": "a" });
            said(json!({ "spec": { "containers": [{ "name": "a", "env": [first, second] }] } })).len()
        };
        assert_eq!(env(json!({ "name": "X", "value": "$(X),b" })), 0);
        assert_eq!(env(json!({ "name": "X", "value": "$(X)" })), 1);
        assert_eq!(env(json!({ "name": "X", "value": "b" })), 1);
        assert_eq!(env(json!({ "name": "X", "valueFrom": {} })), 1);
        assert_eq!(env(json!({ "name": "Y", "value": "b" })), 0);
    }

    #[test]
    fn ports_are_compared_over_all_containers() {
        let ports = |first: Value, second: Value| {
            said(
                json!({ "spec": { "initContainers": [{ "ports": [first] }], "containers": [{ "ports": [second] }] } }),
            )
        };
        let port = |host: i64, ip: &str, protocol: &str| json!({ "containerPort": 80, "hostPort": host, "hostIP": ip, "protocol": protocol });
        assert_eq!(
            ports(port(0, "", "TCP"), json!({ "containerPort": 80 })),
            [
                "spec.template.spec.containers[0].ports[0] is the same port as `spec.template.spec.initContainers[0].ports[0]`"
            ]
        );
        assert!(ports(port(0, "", "TCP"), port(80, "", "TCP"))[0].contains("has, too"));
        assert!(ports(port(80, "", "TCP"), port(80, "::1", "TCP"))[0].contains("ambiguous"));
        assert!(ports(port(80, "::1", "TCP"), port(80, "::2", "TCP")).is_empty());
        assert!(ports(port(80, "", "TCP"), port(80, "", "UDP")).is_empty());
        assert!(ports(port(0, "::1", "TCP"), port(1, "", "UDP"))[0].contains("does nothing without"));
    }

    #[test]
    fn what_a_server_has_stored_was_warned_about() {
        let pod = json!({ "metadata": { "uid": "u" }, "spec": { "nodeSelector": { "beta.kubernetes.io/os": "linux" } } });
        assert!(warnings(Kind::Pod, &pod).is_empty());
        let written = json!({ "spec": { "nodeSelector": { "beta.kubernetes.io/os": "linux" } } });
        assert_eq!(warnings(Kind::Pod, &written).len(), 1);
    }
}
