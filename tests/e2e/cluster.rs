//! A folder of manifests, a database, and the real binary that is run on them.

use std::fs;
use std::path::PathBuf;

use assert_cmd::Command;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A cluster of one test: its manifests, its database and its clock.
pub struct Cluster {
    folder: TempDir,
    /// Seconds since the test began; the clock of every command.
    pub clock: i64,
    /// `assume` or `observe`.
    pub readiness: &'static str,
}

/// What a command printed, and how it ended.
pub struct Told {
    pub out: String,
    pub err: String,
    pub code: i32,
}

impl Cluster {
    /// A cluster of so many nodes, which are applied.
    pub fn new(nodes: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("in")).unwrap();
        let cluster = Cluster { folder, clock: 0, readiness: "assume" };
        for at in 0..nodes {
            cluster.write(&node(&format!("node-{at}"), json!({})));
        }
        cluster
    }

    fn path(&self, object: &Value) -> PathBuf {
        let name = object["metadata"]["name"].as_str().unwrap();
        self.folder.path().join("in").join(format!("{}-{name}.json", object["kind"].as_str().unwrap()))
    }

    /// Writes a manifest into the input, over a former one of the same object.
    pub fn write(&self, object: &Value) {
        fs::write(self.path(object), object.to_string()).unwrap();
    }

    /// Takes a manifest out of the input.
    pub fn forget(&self, object: &Value) {
        fs::remove_file(self.path(object)).unwrap();
    }

    /// Runs a command; what it prints is kept, however it ends.
    pub fn run(&self, line: &[&str]) -> Told {
        let now = dsrules::kube::timestamp(1_772_442_000 + self.clock);
        let mut command = Command::cargo_bin("dsrules").unwrap();
        command.current_dir(self.folder.path()).env_clear().args(line).args(["--now", &now]);
        let output = command.output().unwrap();
        Told {
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
            code: output.status.code().unwrap(),
        }
    }

    /// Runs a command that must end well, and gives what it printed.
    pub fn well(&self, line: &[&str]) -> String {
        let told = self.run(line);
        assert_eq!(told.code, 0, "{line:?}\n{}\n{}", told.out, told.err);
        told.out
    }

    /// Applies the manifests; the cluster settles within this command.
    pub fn apply(&mut self) -> String {
        self.clock += 10;
        self.well(&["apply", "-f", "in", "--readiness", self.readiness])
    }

    /// The objects of a kind, sorted by name.
    pub fn get(&self, kind: &str) -> Vec<Value> {
        let text = self.well(&["get", kind, "-o", "json"]);
        let list: Value = serde_json::from_str(&text).unwrap();
        list["items"].as_array().unwrap().clone()
    }

    pub fn daemonset(&self, name: &str) -> Value {
        serde_json::from_str(&self.well(&["get", "daemonset", name, "-o", "json"])).unwrap()
    }

    /// The daemonset's status field.
    pub fn status(&self, name: &str, field: &str) -> i64 {
        self.daemonset(name)["status"][field].as_i64().unwrap_or(0)
    }

    /// Where pods are, by node name; a node with two pods is there twice.
    pub fn places(&self) -> Vec<String> {
        let mut nodes: Vec<String> = self.get("pods").iter().map(node_of).collect();
        nodes.sort();
        nodes
    }

    /// Writes a status of a pod as a kubelet would report it, and applies it.
    pub fn report(&mut self, pods: &[Value], phase: &str, ready: bool) {
        for pod in pods {
            let mut pod = pod.clone();
            let since = dsrules::kube::timestamp(1_772_442_000 + self.clock);
            pod["status"] = json!({ "phase": phase, "conditions": [
                { "type": "Ready", "status": if ready { "True" } else { "False" }, "lastTransitionTime": since }
            ] });
            self.write(&pod);
        }
        self.apply();
        // A report that stays would bring a deleted pod back.
        pods.iter().for_each(|pod| self.forget(pod));
    }

    /// Reports every pod that is not ready as ready.
    pub fn report_all_ready(&mut self) {
        let pods: Vec<Value> = self.get("pods").into_iter().filter(|pod| !is_ready(pod)).collect();
        self.report(&pods, "Running", true);
    }
}

pub fn node(name: &str, labels: Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": name, "labels": labels } })
}

/// The daemonset of most scenarios: one container, RollingUpdate, a label of its own.
pub fn daemonset(name: &str, image: &str) -> Value {
    let labels = json!({ "daemonset-name": name });
    json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": { "name": name, "labels": labels },
        "spec": {
            "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels },
                "spec": { "containers": [{ "name": "app", "image": image }] },
            },
        },
    })
}

pub fn node_of(pod: &Value) -> String {
    pod["spec"]["nodeName"].as_str().unwrap().to_owned()
}

pub fn name_of(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap().to_owned()
}

pub fn image_of(pod: &Value) -> String {
    pod["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()
}

pub fn hash_of(object: &Value) -> String {
    object["metadata"]["labels"]["controller-revision-hash"].as_str().unwrap().to_owned()
}

pub fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|it| it["type"] == "Ready" && it["status"] == "True")
}
