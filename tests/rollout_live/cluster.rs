//! A simulated cluster: the truth, a log of all changes, and who changes things there.

use std::collections::BTreeMap;

use dsrules::kube::{Kind, timestamp};
use serde_json::{Value, json};

use super::dice::Dice;

pub const NAMESPACE: &str = "logging";
pub const NAME: &str = "agent";
pub const UID: &str = "ds-uid";

/// A change as a watch tells it: what is gone has no value.
#[derive(Clone)]
pub struct Change {
    pub kind: Kind,
    pub name: String,
    pub value: Option<Value>,
}

pub struct Cluster {
    pub objects: BTreeMap<(Kind, String), Value>,
    pub log: Vec<Change>,
    /// Seconds of Unix time.
    pub now: i64,
    /// Templates of which pods never become ready.
    pub bad: Vec<u64>,
    version: u64,
    made: u64,
    /// The template that the controller has seen.
    observed: u64,
}

impl Cluster {
    /// With so many nodes, each in one of `waves` waves (0: in none).
    pub fn new(nodes: usize, waves: usize, strategy: Value, min_ready: i64, random: &mut Dice) -> Self {
        let mut cluster = Cluster {
            objects: BTreeMap::new(),
            log: Vec::new(),
            now: 1_800_000_000,
            bad: Vec::new(),
            version: 100,
            made: 0,
            observed: 0,
        };
        for nth in 0..nodes {
            let mut labels = json!({ "kubernetes.io/hostname": format!("n{nth:02}") });
            // Some have none: they come last.
            if waves > 0 && !random.chance(15) {
                labels["wave"] = json!((1 + random.below(waves)).to_string());
            }
            let ready = json!([{ "type": "Ready", "status": "True" }]);
            let node = json!({ "metadata": { "labels": labels }, "status": { "conditions": ready } });
            cluster.put(Kind::Node, &format!("n{nth:02}"), node);
        }
        let spec = json!({
            "selector": { "matchLabels": { "app": NAME } },
            "template": template(1),
            "updateStrategy": strategy,
            "minReadySeconds": min_ready,
        });
        let meta = json!({ "uid": UID, "generation": 1, "creationTimestamp": timestamp(cluster.now) });
        cluster.put(Kind::DaemonSet, NAME, json!({ "metadata": meta, "spec": spec }));
        for _ in 0..4 {
            cluster.control();
            cluster.now += 60;
            for (name, _) in cluster.pods() {
                cluster.set_ready(&name, true);
            }
        }
        cluster.now += 600;
        cluster
    }

    pub fn pods(&self) -> Vec<(String, Value)> {
        let pods = self.objects.iter().filter(|((kind, _), _)| *kind == Kind::Pod);
        pods.map(|((_, name), value)| (name.clone(), value.clone())).collect()
    }

    pub fn nodes(&self) -> Vec<String> {
        self.objects.keys().filter(|(kind, _)| *kind == Kind::Node).map(|(_, name)| name.clone()).collect()
    }

    /// The template that the daemonset has.
    pub fn wanted(&self) -> u64 {
        revision_of(&self.objects[&(Kind::DaemonSet, NAME.to_owned())]["spec"]["template"])
    }

    /// Writes an object, as a server does: with its next version.
    pub fn put(&mut self, kind: Kind, name: &str, mut value: Value) {
        self.version += 1;
        value["metadata"]["name"] = json!(name);
        if kind.namespaced() {
            value["metadata"]["namespace"] = json!(NAMESPACE);
        }
        value["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.objects.insert((kind, name.to_owned()), value.clone());
        self.log.push(Change { kind, name: name.to_owned(), value: Some(value) });
    }

    pub fn remove(&mut self, kind: Kind, name: &str) {
        self.version += 1;
        self.objects.remove(&(kind, name.to_owned()));
        self.log.push(Change { kind, name: name.to_owned(), value: None });
    }

    pub fn edit(&mut self, kind: Kind, name: &str, edit: impl FnOnce(&mut Value)) {
        let Some(mut value) = self.objects.get(&(kind, name.to_owned())).cloned() else { return };
        edit(&mut value);
        self.put(kind, name, value);
    }

    /// Gives the daemonset the next template.
    pub fn revise(&mut self, is_bad: bool) {
        let next = self.wanted() + 1;
        if is_bad {
            self.bad.push(next);
        }
        self.edit(Kind::DaemonSet, NAME, |it| {
            it["spec"]["template"] = template(next);
            it["metadata"]["generation"] = json!(next);
        });
    }

    /// The controller: history, pods where there are none, failed pods away. It leaves old ones.
    pub fn control(&mut self) {
        let wanted = self.wanted();
        if self.observed != wanted {
            self.observed = wanted;
            let mut data = template(wanted);
            data["$patch"] = json!("replace");
            let labels = json!({ "app": NAME, "controller-revision-hash": hash(wanted) });
            let meta = json!({ "uid": format!("rev-{wanted}"), "labels": labels, "ownerReferences": [owner()],
                "creationTimestamp": timestamp(self.now) });
            let value =
                json!({ "metadata": meta, "data": { "spec": { "template": data } }, "revision": wanted });
            self.put(Kind::ControllerRevision, &format!("{NAME}-{}", hash(wanted)), value);
        }
        let pods = self.pods();
        for (name, pod) in &pods {
            if pod["status"]["phase"] == "Failed" && pod["metadata"]["deletionTimestamp"].is_null() {
                self.remove(Kind::Pod, name);
            }
        }
        for node in self.nodes() {
            if !self.pods().iter().any(|(_, pod)| pod["spec"]["nodeName"] == *node) {
                self.create(&node, wanted);
            }
        }
    }

    fn create(&mut self, node: &str, wanted: u64) {
        self.made += 1;
        let name = format!("{NAME}-{:05}", self.made);
        let labels = json!({ "app": NAME, "controller-revision-hash": hash(wanted) });
        let meta = json!({ "uid": format!("pod-{}", self.made), "labels": labels,
            "ownerReferences": [owner()], "creationTimestamp": timestamp(self.now) });
        let spec =
            json!({ "nodeName": node, "containers": [{ "name": "main", "image": format!("a:{wanted}") }] });
        self.put(
            Kind::Pod,
            &name,
            json!({ "metadata": meta, "spec": spec, "status": { "phase": "Pending" } }),
        );
    }

    /// A kubelet says that a pod is ready, or is not.
    pub fn set_ready(&mut self, name: &str, ready: bool) {
        let time = timestamp(self.now);
        self.edit(Kind::Pod, name, |pod| {
            let status = if ready { "True" } else { "False" };
            if pod["status"]["conditions"][0]["status"] == status {
                return;
            }
            pod["status"]["phase"] = json!("Running");
            pod["status"]["conditions"] =
                json!([{ "type": "Ready", "status": status, "lastTransitionTime": time }]);
        });
    }

    /// One thing that kubelets or users do.
    pub fn live(&mut self, random: &mut Dice, calm: bool) {
        let pods = self.pods();
        for (name, pod) in &pods {
            if !pod["metadata"]["deletionTimestamp"].is_null() {
                if random.chance(50) {
                    self.remove(Kind::Pod, name);
                }
                continue;
            }
            let ready = pod["status"]["conditions"][0]["status"] == "True";
            let template = revision_of_pod(pod);
            if self.bad.contains(&template) && !ready {
                if random.chance(40) {
                    self.fail(name, template);
                }
            } else if !ready && random.chance(40) {
                self.set_ready(name, true);
            } else if !calm && random.chance(2) {
                self.set_ready(name, false);
            } else if !calm && random.chance(3) {
                // Something changes that matters to nobody, but for the version.
                self.edit(Kind::Pod, name, |pod| pod["metadata"]["annotations"] = json!({ "seen": "again" }));
            }
        }
        for node in self.nodes() {
            let held = self.objects[&(Kind::Node, node.clone())]["metadata"]["labels"]["hold"] == "true";
            if held && (calm || random.chance(15)) || !held && !calm && random.chance(1) {
                self.edit(Kind::Node, &node, |it| {
                    it["metadata"]["labels"]["hold"] = json!((!held).to_string());
                });
            }
        }
    }

    fn fail(&mut self, name: &str, template: u64) {
        self.edit(Kind::Pod, name, |pod| match template % 3 {
            0 => pod["status"]["phase"] = json!("Failed"),
            1 => {
                let waiting = json!({ "waiting": { "reason": "CrashLoopBackOff" } });
                pod["status"]["containerStatuses"] = json!([{ "name": "main", "state": waiting }]);
            }
            // It just never gets ready.
            _ => {}
        });
    }

    /// Takes a pod, if it is still of this uid and version; else nothing happens.
    pub fn delete(&mut self, name: &str, uid: &str, version: &str) -> bool {
        let Some(pod) = self.objects.get(&(Kind::Pod, name.to_owned())) else { return false };
        let meta = &pod["metadata"];
        if meta["uid"] != uid || meta["resourceVersion"] != version {
            return false;
        }
        if meta["deletionTimestamp"].is_null() {
            let time = timestamp(self.now + 30);
            self.edit(Kind::Pod, name, |pod| pod["metadata"]["deletionTimestamp"] = json!(time));
        }
        true
    }
}

fn owner() -> Value {
    json!({ "apiVersion": "apps/v1", "kind": "DaemonSet", "name": NAME, "uid": UID, "controller": true })
}

fn hash(template: u64) -> String {
    format!("hash{template}")
}

fn template(number: u64) -> Value {
    let spec = json!({ "containers": [{ "name": "main", "image": format!("agent:{number}") }] });
    json!({ "metadata": { "labels": { "app": NAME } }, "spec": spec })
}

fn revision_of(template: &Value) -> u64 {
    template["spec"]["containers"][0]["image"].as_str().unwrap().split_once(':').unwrap().1.parse().unwrap()
}

/// The number of the template that a pod was made of.
pub fn revision_of_pod(pod: &Value) -> u64 {
    let hash = pod["metadata"]["labels"]["controller-revision-hash"].as_str().unwrap();
    hash.strip_prefix("hash").unwrap().parse().unwrap()
}
