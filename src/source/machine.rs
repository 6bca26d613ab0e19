//! This machine as a Node: what a kubelet would say of it.
//!
//! Read from files alone (`/proc`, `/sys`, `/etc/os-release`), so that a test can show it
//! another machine. What is not there is left out.

use std::fs;
use std::net::UdpSocket;
use std::path::Path;

use serde_json::{Map, Value, json};

/// What a kubelet keeps free before it evicts pods, in KiB of memory.
const SPARED: u64 = 100 << 10;
/// How many pods a kubelet takes.
const PODS: &str = "110";

/// What is known of a machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Machine {
    /// Its name, in lower case.
    pub hostname: String,
    /// Its address towards other machines.
    pub address: Option<String>,
    architecture: &'static str,
    processors: usize,
    memory: Option<u64>,
    /// The fields of `status.nodeInfo`.
    info: Vec<(&'static str, String)>,
}

impl Machine {
    /// What the files under `root` say (`/`, but in tests).
    #[must_use]
    pub fn read(root: &Path) -> Machine {
        let text = |path: &str| {
            fs::read_to_string(root.join(path))
                .ok()
                .map(|it| it.trim().to_owned())
                .filter(|it| !it.is_empty())
        };
        let architecture = architecture(std::env::consts::ARCH);
        let image = text("etc/os-release").or_else(|| text("usr/lib/os-release")).and_then(|it| image(&it));
        let info = [
            ("kernelVersion", text("proc/sys/kernel/osrelease")),
            ("osImage", image),
            ("machineID", text("etc/machine-id")),
            ("bootID", text("proc/sys/kernel/random/boot_id")),
            ("systemUUID", text("sys/class/dmi/id/product_uuid")),
            ("operatingSystem", Some(std::env::consts::OS.to_owned())),
            ("architecture", Some(architecture.to_owned())),
        ];
        Machine {
            hostname: text("proc/sys/kernel/hostname").unwrap_or_default().to_lowercase(),
            address: if root == Path::new("/") { address() } else { None },
            architecture,
            processors: text("proc/cpuinfo").map_or(1, |it| processors(&it)),
            memory: text("proc/meminfo").and_then(|it| memory(&it)),
            info: info.into_iter().filter_map(|(field, value)| Some((field, value?))).collect(),
        }
    }

    /// The Node that it is under a name.
    #[must_use]
    pub fn node(&self, name: &str) -> Value {
        let mut capacity = json!({ "cpu": self.processors.to_string(), "pods": PODS });
        let mut allocatable = capacity.clone();
        if let Some(memory) = self.memory {
            capacity["memory"] = json!(format!("{memory}Ki"));
            allocatable["memory"] = json!(format!("{}Ki", memory.saturating_sub(SPARED)));
        }
        let hostname = if self.hostname.is_empty() { name } else { &self.hostname };
        let os = std::env::consts::OS;
        let mut addresses: Vec<Value> = Vec::new();
        addresses.extend(self.address.iter().map(|it| json!({ "type": "InternalIP", "address": it })));
        addresses.push(json!({ "type": "Hostname", "address": hostname }));
        let info: Map<String, Value> =
            self.info.iter().map(|(field, value)| ((*field).to_owned(), json!(value))).collect();
        json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": { "name": name, "labels": {
                "kubernetes.io/hostname": hostname, "kubernetes.io/os": os, "kubernetes.io/arch": self.architecture,
                "beta.kubernetes.io/os": os, "beta.kubernetes.io/arch": self.architecture,
            } },
            "spec": {},
            "status": {
                "capacity": capacity, "allocatable": allocatable, "addresses": addresses, "nodeInfo": info,
                "conditions": [{ "type": "Ready", "status": "True", "reason": "AgentReady",
                    "message": "the agent runs" }],
            },
        })
    }
}

/// An architecture by the name that Kubernetes has for it.
fn architecture(name: &'static str) -> &'static str {
    match name {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        "loongarch64" => "loong64",
        other => other,
    }
}

fn processors(cpuinfo: &str) -> usize {
    cpuinfo.lines().filter(|line| line.starts_with("processor") && line.contains(':')).count().max(1)
}

/// How much memory there is, in KiB.
fn memory(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// `PRETTY_NAME` of an os-release.
fn image(release: &str) -> Option<String> {
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(name.trim().trim_matches(['"', '\'']).to_owned())
}

/// The address that this machine would send from. Nothing is sent: the system is asked which
/// way it would go to an address that is nobody's.
fn address() -> Option<String> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_unspecified() && !address.is_loopback()).then(|| address.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_machine_is_a_node() {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("proc/sys/kernel/hostname", "Shop-7\n"),
            ("proc/sys/kernel/osrelease", "6.1.0-13-amd64\n"),
            ("proc/cpuinfo", "processor\t: 0\nmodel name\t: x\n\nprocessor\t: 1\n"),
            ("proc/meminfo", "MemTotal:       1048576 kB\nMemFree: 1 kB\n"),
            ("etc/os-release", "NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"),
        ] {
            fs::create_dir_all(root.path().join(path).parent().unwrap()).unwrap();
            fs::write(root.path().join(path), text).unwrap();
        }
        let machine = Machine::read(root.path());
        let node = machine.node("n1");
        assert_eq!(node["metadata"]["name"], "n1");
        assert_eq!(node["metadata"]["labels"]["kubernetes.io/hostname"], "shop-7");
        assert_eq!(node["metadata"]["labels"]["kubernetes.io/os"], "linux");
        let status = &node["status"];
        assert_eq!(
            (&status["capacity"]["cpu"], &status["capacity"]["memory"]),
            (&json!("2"), &json!("1048576Ki"))
        );
        assert_eq!(status["allocatable"]["memory"], "946176Ki");
        assert_eq!(status["nodeInfo"]["osImage"], "Debian GNU/Linux 12 (bookworm)");
        assert_eq!(status["nodeInfo"]["kernelVersion"], "6.1.0-13-amd64");
        assert_eq!(status["addresses"], json!([{ "type": "Hostname", "address": "shop-7" }]));
    }

    #[test]
    fn what_is_not_there_is_left_out() {
        let root = tempfile::tempdir().unwrap();
        let node = Machine::read(root.path()).node("n1");
        assert_eq!(node["metadata"]["labels"]["kubernetes.io/hostname"], "n1");
        assert_eq!(node["status"]["capacity"], json!({ "cpu": "1", "pods": "110" }));
    }
}
