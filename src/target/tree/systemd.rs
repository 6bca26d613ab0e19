//! Units of systemd, and quadlets, that run a pod from its file.
//!
//! A unit plays the pod's file and is told by podman when it runs; to stop, it removes the
//! pod by its name, so that a unit whose file has gone can still be stopped. One target
//! wants them all: it is enabled once, and what comes and goes is started at boot without
//! being enabled again.
//!
//! What hardens a unit is inherited by the containers, so it takes away what no container
//! has unless its pod asks for it, and it is worked out for each pod. What would give
//! podman a view of its own of the file system (`ProtectSystem=`, `PrivateTmp=`, …) is not
//! among it: containers and volumes are mounted in that view, and every other podman of
//! the machine would look for them in its own.

use std::fmt::Write;

use serde_json::Value;

use super::place::{FileName, NodeFolder};
use crate::hash::sha256;
use crate::kube::ObjectKey;

/// The target that wants all pods of a node.
pub(super) const TARGET: &str = "dsrules-pods.target";

/// How long podman may take beyond the time that a pod asks for to end.
const TO_STOP: i64 = 30;

/// The time to end of a pod that asks for none.
const GRACE: i64 = 30;

/// What podman and a usual container do without: a capability, with the system calls that
/// are of no use without it.
const SPARED: &[(&str, &str)] = &[
    ("AUDIT_CONTROL", ""),
    ("AUDIT_READ", ""),
    ("BLOCK_SUSPEND", ""),
    ("BPF", ""),
    ("CHECKPOINT_RESTORE", ""),
    ("IPC_LOCK", ""),
    ("LEASE", ""),
    ("LINUX_IMMUTABLE", ""),
    ("MAC_ADMIN", ""),
    ("MAC_OVERRIDE", ""),
    ("PERFMON", ""),
    ("SYSLOG", ""),
    ("SYS_BOOT", "@reboot"),
    ("SYS_MODULE", "@module"),
    ("SYS_PACCT", ""),
    ("SYS_RAWIO", "@raw-io"),
    ("SYS_TIME", "@clock"),
    ("WAKE_ALARM", ""),
];

/// What a unit says of its pod.
pub(super) struct Unit<'a> {
    pub(super) key: &'a ObjectKey,
    /// The pod, as it is played.
    pub(super) pod: &'a Value,
    /// The file that it stands in.
    pub(super) file: &'a FileName,
    /// What stands in that.
    pub(super) text: &'a str,
    /// The full path of the node's folder.
    pub(super) folder: &'a str,
}

impl Unit<'_> {
    /// The unit, without its first line.
    pub(super) fn service(&self) -> String {
        let grace = self.pod["spec"]["terminationGracePeriodSeconds"].as_i64().unwrap_or(GRACE).max(0);
        let file = argument(&format!("{}/{}", self.folder, self.file));
        let mut out = self.head();
        out.push_str("RequiresMountsFor=%t/containers\nPartOf=");
        out.push_str(TARGET);
        let _ = write!(
            out,
            "\n\n[Service]\nType=notify\nNotifyAccess=all\nEnvironment=PODMAN_SYSTEMD_UNIT=%n\n\
             ExecStart=/usr/bin/podman kube play --replace --service-container=true {file}\n\
             ExecStop=/usr/bin/podman pod rm --force --ignore --time={grace} {}\n",
            argument(&self.key.name),
        );
        out.push_str(&self.running(grace));
        out
    }

    /// The quadlet, without its first line.
    pub(super) fn quadlet(&self) -> String {
        let grace = self.pod["spec"]["terminationGracePeriodSeconds"].as_i64().unwrap_or(GRACE).max(0);
        let mut out = self.head();
        // Beside the quadlet, wherever that is.
        let _ = write!(out, "\n[Kube]\nYaml={}\n\n[Service]\n", escaped(self.file));
        out.push_str(&self.running(grace));
        out
    }

    fn head(&self) -> String {
        format!(
            "[Unit]\nDescription=Pod {}\nDocumentation=man:podman-kube-play(1)\n\
             Wants=network-online.target\nAfter=network-online.target\nStartLimitIntervalSec=0\n\
             # Another manifest is another unit, and so to be restarted.\nX-Manifest={}\n",
            escaped(&self.key.to_string()),
            &sha256(self.text)[..16],
        )
    }

    /// How it is kept running, hardened, and installed.
    fn running(&self, grace: i64) -> String {
        let mut out = format!(
            "Restart=always\nRestartSec=5\nTimeoutStartSec=900\nTimeoutStopSec={}\n",
            grace.saturating_add(TO_STOP)
        );
        for line in hardening(self.pod) {
            out.push_str(&line);
            out.push('\n');
        }
        out.push_str("\n[Install]\nWantedBy=multi-user.target\n");
        out
    }
}

/// The target, without its first line.
pub(super) fn target<'u>(node: &NodeFolder, units: impl Iterator<Item = &'u FileName>) -> String {
    let mut out = format!("[Unit]\nDescription=Pods of the node {}\n", escaped(node));
    for unit in units {
        let _ = writeln!(out, "Wants={}", escaped(unit));
    }
    out.push_str("\n[Install]\nWantedBy=multi-user.target\n");
    out
}

/// What the unit of a pod is kept from, as its containers do not need it.
fn hardening(pod: &Value) -> Vec<String> {
    let lists = ["initContainers", "containers"].into_iter();
    let containers = || lists.clone().flat_map(|list| pod["spec"][list].as_array().into_iter().flatten());
    let context = |container: &Value| container["securityContext"].clone();
    if containers().any(|container| context(container)["privileged"] == true) {
        return vec!["# A container is privileged: nothing is kept from it.".to_owned()];
    }
    let added: Vec<String> = containers()
        .flat_map(|container| {
            context(container)["capabilities"]["add"].as_array().cloned().unwrap_or_default()
        })
        .filter_map(|name| Some(name.as_str()?.trim_start_matches("CAP_").to_ascii_uppercase()))
        .collect();
    let has = |name: &str| added.iter().any(|it| it == name || it == "ALL");
    let spared = || SPARED.iter().filter(|(name, _)| !has(name));
    let mut lines = Vec::new();
    let capabilities: Vec<String> = spared().map(|(name, _)| format!("CAP_{name}")).collect();
    if !capabilities.is_empty() {
        lines.push(format!("CapabilityBoundingSet=~{}", capabilities.join(" ")));
    }
    let calls: Vec<&str> = spared().map(|(_, calls)| *calls).filter(|calls| !calls.is_empty()).collect();
    lines.push(format!("SystemCallFilter=~{}", ["@obsolete", "@cpu-emulation", "@swap"].join(" ")));
    if !calls.is_empty() {
        lines.push(format!("SystemCallFilter=~{}", calls.join(" ")));
    }
    lines.push("SystemCallErrorNumber=EPERM".to_owned());
    lines.push("LockPersonality=yes".to_owned());
    if !has("SYS_NICE") {
        lines.push("RestrictRealtime=yes".to_owned());
    }
    if containers().all(|container| context(container)["allowPrivilegeEscalation"] == false) {
        lines.push("NoNewPrivileges=yes".to_owned());
    }
    lines
}

/// The name of the unit of a pod, as `systemd-escape --mangle` would leave it.
pub(super) fn unit_name(key: &ObjectKey, suffix: &str) -> String {
    let mut name = String::from("dsrules-");
    for byte in format!("{}_{}", key.namespace, key.name).bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_' | b'.' | b'-') {
            name.push(char::from(byte));
        } else {
            let _ = write!(name, "\\x{byte:02x}");
        }
    }
    name + suffix
}

/// A value in a unit: `%` begins a specifier, and a line ends it.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "%%").replace(char::is_control, " ")
}

/// One argument of a command: quoted where it has to be, with `$` for itself.
fn argument(text: &str) -> String {
    let text = escaped(text).replace('$', "$$");
    if text.chars().all(|c| c.is_alphanumeric() || "/._-:=@%$\\+,".contains(c)) && !text.is_empty() {
        text
    } else {
        format!("\"{}\"", text.replace('"', "\\\""))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn names_and_arguments_are_escaped() {
        let name = |namespace, pod| unit_name(&ObjectKey::new(namespace, pod), ".service");
        assert_eq!(name("kube-system", "a.b-1"), "dsrules-kube-system_a.b-1.service");
        assert_eq!(name("a b", "ü"), "dsrules-a\\x20b_\\xc3\\xbc.service");
        for (text, expected) in [
            ("/etc/pods/a.yaml", "/etc/pods/a.yaml"),
            ("/a b/c", "\"/a b/c\""),
            ("/50%/$HOME", "/50%%/$$HOME"),
            ("a\"b;c", "\"a\\\"b;c\""),
            ("a\\b", "a\\\\b"),
            ("", "\"\""),
        ] {
            assert_eq!(argument(text), expected);
        }
    }

    #[test]
    fn a_pod_has_what_it_asks_for() {
        let pod = |context: Value| json!({ "spec": { "containers": [{ "securityContext": context }] } });
        let all = hardening(&pod(json!({}))).join("\n");
        assert!(all.contains("CAP_SYS_TIME") && all.contains("@clock") && all.contains("RestrictRealtime"));
        assert!(!all.contains("NoNewPrivileges"));
        let some = pod(json!({ "capabilities": { "add": ["SYS_TIME", "CAP_SYS_NICE"] } }));
        let some = hardening(&some).join("\n");
        assert!(!some.contains("SYS_TIME") && !some.contains("@clock") && !some.contains("RestrictRealtime"));
        assert!(some.contains("CAP_SYS_MODULE"));
        let every = hardening(&pod(json!({ "capabilities": { "add": ["ALL"] } }))).join("\n");
        assert!(!every.contains("CapabilityBoundingSet") && !every.contains("@module"));
        let none = hardening(&pod(json!({ "privileged": true })));
        assert_eq!(none.len(), 1);
        let own = hardening(&pod(json!({ "allowPrivilegeEscalation": false }))).join("\n");
        assert!(own.contains("NoNewPrivileges=yes"));
    }
}
