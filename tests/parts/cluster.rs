//! A cluster as its manifests have it, and what somebody may change in them.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::generate::Dice;

/// Rules that a user may have: some say of a node what is on that node, some look at others.
pub const RULES: [&str; 6] = [
    r#"/// {Node} is kept free.
blocked(DaemonSet, Node) :- daemonset(DaemonSet), node_label(Node, "keep", "free").
"#,
    r#"/// {Node} is held.
hold(DaemonSet, Node) :- daemonset(DaemonSet), node_label(Node, "hold", "yes").
.decl crowded(node: Node, pods: number) warning
/// {Node} has {Pods} pods.
crowded(Node, Pods) :- node(Node), Pods = count : { pod_target(_, Node) }, Pods > 4.
"#,
    r#".decl bare(daemonset: DaemonSet, node: Node) violation
/// {Node} is in the zone a and has no pod of {DaemonSet}.
bare(DaemonSet, Node) :- daemonset_label(DaemonSet, "must", "yes"), node_label(Node, "zone", "a"), eligible(DaemonSet, Node), !has_pod(DaemonSet, Node).
.decl leaves(daemonset: DaemonSet, node: Node) warning
/// {DaemonSet} leaves {Node}.
leaves(DaemonSet, Node) :- planned("delete", DaemonSet, Node), !planned("create", DaemonSet, Node).
"#,
    r#"/// another node of the zone has a lower number.
blocked(DaemonSet, Node) :- daemonset_label(DaemonSet, "alone", "yes"), node_number(Node, "number", Number), node_label(Node, "zone", Zone), node_label(Other, "zone", Zone), node_number(Other, "number", Less), Less < Number.
"#,
    r#".decl many(zone: Value, nodes: number) warning
/// {Zone} has {Nodes} nodes.
many(Zone, Nodes) :- node_label(_, "zone", Zone), Nodes = count : { node_label(_, "zone", Zone) }, Nodes > 5.
"#,
    r#"/// {Node} comes first.
wave(DaemonSet, Node, 1) :- daemonset(DaemonSet), node_label(Node, "zone", "a").
/// {Node} is as crowded as it may be.
blocked(DaemonSet, Node) :- daemonset_label(DaemonSet, "shy", "yes"), pod_target(Pod, Node), pod_label(Pod, "app", "single").
"#,
];

pub struct Cluster {
    pub now: i64,
    pub observed: bool,
    /// Which of the rules it has.
    pub rules: Option<usize>,
    /// Whether nodes say what they have.
    sized: bool,
    nodes: Vec<Value>,
    daemonsets: Vec<Value>,
    pods: Vec<Value>,
    others: Vec<Value>,
    made: usize,
}

impl Cluster {
    pub fn new(dice: &mut Dice) -> Self {
        let mut cluster = Cluster {
            now: 1_000_000,
            observed: dice.chance(10),
            rules: dice.chance(50).then(|| dice.below(RULES.len())),
            sized: dice.chance(40),
            nodes: Vec::new(),
            daemonsets: Vec::new(),
            pods: Vec::new(),
            others: Vec::new(),
            made: 0,
        };
        for _ in 0..4 + dice.below(8) {
            let node = cluster.node(dice);
            cluster.nodes.push(node);
        }
        for _ in 0..1 + dice.below(4) {
            let daemonset = cluster.daemonset(dice);
            cluster.daemonsets.push(daemonset);
        }
        for _ in 0..dice.below(4) {
            let pod = cluster.pod(dice);
            cluster.pods.push(pod);
        }
        if cluster.sized && dice.chance(50) {
            cluster.others.push(json!({ "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
                "metadata": { "name": "high" }, "value": 1000 }));
            cluster.others.push(json!({ "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
                "metadata": { "name": "budget", "namespace": "x" },
                "spec": { "minAvailable": 1, "selector": { "matchLabels": { "app": "single" } } } }));
        }
        cluster
    }

    /// Writes the manifests, the nodes in two files.
    pub fn write(&self, folder: &Path) {
        let (some, more) = self.nodes.split_at(self.nodes.len() / 2);
        for (file, objects) in [
            ("nodes-1", some),
            ("nodes-2", more),
            ("daemonsets", &self.daemonsets),
            ("pods", &self.pods),
            ("rest", &self.others),
        ] {
            let path = folder.join(format!("{file}.json"));
            let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
            if objects.is_empty() {
                _ = fs::remove_file(path)
            } else {
                fs::write(path, list.to_string()).unwrap()
            }
        }
    }

    /// Changes one thing, mostly about a node, and says what it was.
    pub fn edit(&mut self, dice: &mut Dice) -> String {
        self.now += 60;
        match dice.below(20) {
            0..=4 => self.edit_node(dice, relabel),
            5..=7 => self.edit_node(dice, retaint),
            8 => self.edit_node(dice, |dice, node| node["spec"]["unschedulable"] = json!(dice.chance(50))),
            9 => self.edit_node(dice, resize),
            10 | 11 => {
                let node = self.node(dice);
                self.nodes.push(node.clone());
                format!("{node} added")
            }
            12 if self.nodes.len() > 3 => {
                let node = self.nodes.remove(dice.below(self.nodes.len()));
                format!("node {} removed", node["metadata"]["name"])
            }
            13 | 14 => {
                let pod = self.pod(dice);
                self.pods.push(pod.clone());
                format!("{pod} added")
            }
            15 if !self.pods.is_empty() => {
                let pod = self.pods.remove(dice.below(self.pods.len()));
                format!("pod {} removed", pod["metadata"]["name"])
            }
            16 if !self.pods.is_empty() => {
                let at = dice.below(self.pods.len());
                let phase = *dice.pick(&["Running", "Failed", "Succeeded", "Pending"]);
                self.pods[at]["status"] = json!({ "phase": phase });
                format!("pod {} is {phase}", self.pods[at]["metadata"]["name"])
            }
            17 => {
                let at = dice.below(self.daemonsets.len());
                let image = format!("x:{}", dice.below(4));
                self.daemonsets[at]["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
                format!("daemonset {} has {image}", self.daemonsets[at]["metadata"]["name"])
            }
            18 if dice.chance(40) => {
                let daemonset = self.daemonset(dice);
                self.daemonsets.push(daemonset.clone());
                format!("{daemonset} added")
            }
            _ => self.edit_node(dice, |dice, node| {
                node["metadata"]["annotations"] = json!({ "a": dice.pick(&["1", "2"]) })
            }),
        }
    }

    fn edit_node(&mut self, dice: &mut Dice, edit: fn(&mut Dice, &mut Value)) -> String {
        let at = dice.below(self.nodes.len());
        edit(dice, &mut self.nodes[at]);
        if !self.sized {
            self.nodes[at].as_object_mut().unwrap().remove("status");
        }
        format!("{}", self.nodes[at])
    }

    fn name(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}{}", self.made)
    }

    fn node(&mut self, dice: &mut Dice) -> Value {
        let name = self.name("n");
        let mut node = json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": name } });
        relabel(dice, &mut node);
        if dice.chance(30) {
            retaint(dice, &mut node);
        }
        if self.sized {
            resize(dice, &mut node);
        }
        node
    }

    fn pod(&mut self, dice: &mut Dice) -> Value {
        let name = self.name("p");
        let app = match dice.chance(40) {
            true => self.daemonsets[dice.below(self.daemonsets.len())]["metadata"]["name"].clone(),
            false => json!("single"),
        };
        let node = match dice.chance(85) {
            true => self.nodes[dice.below(self.nodes.len())]["metadata"]["name"].clone(),
            false => Value::Null,
        };
        let mut pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": name, "namespace": "x", "labels": { "app": app } },
            "spec": { "nodeName": node, "containers": [{ "name": "c", "image": "x", "resources": { "requests": { "cpu": dice.pick(&["100m", "1", "3"]) } } }] },
            "status": { "phase": "Running" },
        });
        if node.is_null() {
            pod["spec"].as_object_mut().unwrap().remove("nodeName");
        }
        pod
    }

    fn daemonset(&mut self, dice: &mut Dice) -> Value {
        let name = self.name("d");
        let mut spec = json!({ "containers": [{ "name": "c", "image": "x:1", "resources": { "requests": { "cpu": dice.pick(&["100m", "500m"]) } } }] });
        if dice.chance(25) {
            spec["nodeSelector"] = json!({ "disk": dice.pick(&["ssd", "hdd"]) });
        }
        if dice.chance(25) {
            spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] = json!({ "nodeSelectorTerms": [{ "matchExpressions": [
                    { "key": "zone", "operator": dice.pick(&["In", "NotIn"]), "values": [dice.pick(&["a", "b"])] }] }] });
        }
        if dice.chance(40) {
            spec["tolerations"] = json!([{ "key": dice.pick(TAINTS), "operator": "Exists" }]);
        }
        if self.sized && dice.chance(30) {
            spec["priorityClassName"] = json!("high");
        }
        let strategy = match dice.below(5) {
            0 => json!({ "type": "OnDelete" }),
            1 => json!({ "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 0, "maxSurge": 1 } }),
            _ => {
                json!({ "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": dice.pick(&["10%", "50%"]) } })
            }
        };
        let labels = json!({ (*dice.pick(&["must", "alone", "shy", "x"])): "yes" });
        json!({
            "apiVersion": "apps/v1", "kind": "DaemonSet",
            "metadata": { "name": name, "namespace": "x", "labels": labels },
            "spec": {
                "selector": { "matchLabels": { "app": name } },
                "updateStrategy": strategy,
                "minReadySeconds": dice.pick(&[0, 0, 0, 10]),
                "revisionHistoryLimit": dice.below(3),
                "template": { "metadata": { "labels": { "app": name } }, "spec": spec },
            },
        })
    }
}

const TAINTS: &[&str] = &["dedicated", "gpu", "node.kubernetes.io/not-ready"];

fn relabel(dice: &mut Dice, node: &mut Value) {
    let mut labels = Map::new();
    let keys: [(&str, &[&str]); 5] = [
        ("zone", &["a", "b"]),
        ("disk", &["ssd", "hdd"]),
        ("hold", &["yes"]),
        ("number", &["1", "2"]),
        ("keep", &["free"]),
    ];
    for (at, (key, values)) in keys.into_iter().enumerate() {
        if dice.chance(if at < 2 { 70 } else { 10 }) {
            labels.insert(key.into(), json!(dice.pick(values)));
        }
    }
    node["metadata"]["labels"] = Value::Object(labels);
}

fn retaint(dice: &mut Dice, node: &mut Value) {
    let keys: Vec<&&str> = TAINTS.iter().filter(|_| dice.chance(35)).collect();
    let taints: Vec<Value> = keys
        .into_iter()
        .map(|key| json!({ "key": key, "value": "", "effect": dice.pick(&["NoSchedule", "NoExecute"]) }))
        .collect();
    node["spec"]["taints"] = Value::Array(taints);
}

fn resize(dice: &mut Dice, node: &mut Value) {
    node["status"] =
        json!({ "allocatable": { "cpu": dice.pick(&["1", "4", "16"]), "memory": "8Gi", "pods": "20" } });
}
