//! The cookbook: what each policy of `examples/policies` adds to a plan of 50 daemonsets on
//! 300 nodes, in a cluster that has what the policies ask for.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::timing::{median, show};

const NODES: usize = 300;
const DAEMONSETS: usize = 50;
const RUNS: usize = 5;

pub fn run() {
    println!("\n### cookbook\n");
    println!("| policy, planned with {DAEMONSETS} daemonsets on {NODES} nodes | time | beside no policy |");
    println!("|---|---|---|");
    let folder = tempfile::tempdir().expect("a place for files");
    write(&folder.path().join("nodes.yaml"), &nodes());
    write(&folder.path().join("daemonsets.yaml"), &daemonsets());
    let alone = plan(folder.path(), None);
    println!("| none | {} | |", show(alone));
    for policy in policies() {
        let time = plan(folder.path(), Some(&policy));
        let name = policy.file_name().unwrap_or_default().to_string_lossy();
        println!("| {name} | {} | +{} |", show(time), show(time.saturating_sub(alone)));
    }
}

/// How long the program takes, from its start to its end.
fn plan(manifests: &Path, policy: Option<&Path>) -> Duration {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dsrules"));
    command.arg("plan").arg(manifests).arg("--db").arg(manifests.join("none.db"));
    command.args(["--now", "2026-03-06T12:00:00Z", "--ignore-violations"]);
    if let Some(policy) = policy {
        command.arg("--rules").arg(policy.join("policy.dl"));
        let facts = policy.join("facts");
        if facts.exists() {
            command.arg("--facts").arg(facts);
        }
    }
    command.stdout(Stdio::null()).stderr(Stdio::null());
    median(RUNS, || assert!(command.status().expect("it runs").success()))
}

fn policies() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/policies");
    let entries = std::fs::read_dir(folder).expect("the policies");
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.expect("a policy").path()).collect();
    found.sort();
    found
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("the file can be written");
}

fn nodes() -> String {
    let mut text = String::new();
    for nth in 0..NODES {
        let kind = if nth % 4 == 0 { "spot" } else { "on-demand" };
        write!(
            text,
            "---
apiVersion: v1
kind: Node
metadata:
  name: n{nth}
  creationTimestamp: \"2026-03-0{day}T11:55:00Z\"
  labels:
    kubernetes.io/hostname: n{nth}
    topology.kubernetes.io/zone: {zone}
    karpenter.sh/capacity-type: {kind}
    example.com/rack: r{rack}
    example.com/price: \"{price}\"
    nvidia.com/cuda.driver-version.full: 535.{nth}.1
    nvidia.com/cuda.driver.major: \"535\"
status:
  allocatable: {{cpu: \"8\", memory: 16Gi, pods: \"60\"}}
  nodeInfo: {{kernelVersion: 5.{minor}.0-91-generic}}
",
            day = 1 + nth % 6,
            zone = ["a", "b", "c"][nth % 3],
            rack = nth % 20,
            price = 10 + nth % 7,
            minor = 4 + nth % 14,
        )
        .expect("a string takes it");
    }
    text
}

fn daemonsets() -> String {
    let mut text = String::new();
    for nth in 0..DAEMONSETS {
        write!(
            text,
            "---
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: d{nth}
  namespace: ns{namespace}
  labels: {{ebpf: \"yes\", role: role{role}, version: \"{version}\", boot: later, runs: everywhere}}
  annotations: {{example.com/min-driver: \"535.{nth}\", example.com/budget: \"3900\"}}
spec:
  selector: {{matchLabels: {{app: d{nth}}}}}
  template:
    metadata: {{labels: {{app: d{nth}}}, annotations: {{example.com/needs: ebpf}}}}
    spec:
      containers:
      - name: main
        image: registry.example.com/d{nth}:1.{nth}
        resources: {{requests: {{cpu: 10m, memory: 20Mi}}}}
        ports: [{{containerPort: 9000, hostPort: {port}}}]
      volumes: [{{name: log, hostPath: {{path: /var/log}}}}]
",
            namespace = nth % 5,
            role = nth / 2,
            version = nth % 2 + 1,
            port = 9000 + nth,
        )
        .expect("a string takes it");
    }
    text
}
