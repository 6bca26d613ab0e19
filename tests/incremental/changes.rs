//! A small cluster and what may happen to it.

use dsrules::kube::{Kind, Object, ObjectKey, Origin};
use dsrules::state::{Cascade, World};
use serde_json::{Map, Value, json};

use crate::generate::Dice;

const ZONES: &[&str] = &["a", "b", "c"];
const TAINTS: &[&str] =
    &["dedicated", "gpu", "node.kubernetes.io/not-ready", "node.kubernetes.io/disk-pressure"];
const EFFECTS: &[&str] = &["NoSchedule", "NoExecute", "PreferNoSchedule"];

/// The objects as their manifests have them, and the time.
pub struct Cluster {
    pub now: i64,
    nodes: Vec<Value>,
    daemonsets: Vec<Value>,
    made: usize,
}

impl Cluster {
    pub fn new(dice: &mut Dice) -> Self {
        let mut cluster = Cluster { now: 1000, nodes: Vec::new(), daemonsets: Vec::new(), made: 0 };
        for _ in 0..3 + dice.below(4) {
            let node = cluster.node(dice);
            cluster.nodes.push(node);
        }
        for _ in 0..1 + dice.below(3) {
            let daemonset = cluster.daemonset(dice);
            cluster.daemonsets.push(daemonset);
        }
        cluster
    }

    pub fn start(&self, world: &mut World) {
        for object in self.nodes.iter().chain(&self.daemonsets) {
            put(world, object, self.now);
        }
    }

    fn name(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}{}", self.made)
    }

    fn node(&mut self, dice: &mut Dice) -> Value {
        let name = self.name("n");
        let mut node =
            json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": name, "labels": {} } });
        relabel(dice, &mut node);
        retaint(dice, &mut node);
        node
    }

    pub fn add_node(&mut self, dice: &mut Dice, world: &mut World, nth: usize) {
        let mut node = self.node(dice);
        node["metadata"]["name"] = json!(format!("many-{nth}"));
        put(world, &node, self.now);
    }

    fn daemonset(&mut self, dice: &mut Dice) -> Value {
        let name = self.name("d");
        // Two may select the same pods.
        let app = if dice.chance(10) { "shared".to_owned() } else { name.clone() };
        let mut daemonset = json!({
            "apiVersion": "apps/v1", "kind": "DaemonSet",
            "metadata": { "name": name, "namespace": "x", "labels": {} },
            "spec": {
                "selector": { "matchLabels": { "app": app } },
                "template": { "metadata": { "labels": { "app": app } },
                    "spec": { "containers": [{ "name": "c", "image": "x:1" }] } },
            },
        });
        reconstrain(dice, &mut daemonset);
        restrategy(dice, &mut daemonset);
        daemonset
    }

    /// Makes a change and says what it was.
    pub fn change(&mut self, dice: &mut Dice, world: &mut World) -> String {
        match dice.below(15) {
            0 | 1 => self.edit_node(dice, world, relabel, "relabelled"),
            2 | 3 => self.edit_node(dice, world, retaint, "tainted"),
            4 => {
                let node = self.node(dice);
                put(world, &node, self.now);
                self.nodes.push(node.clone());
                format!("{node} added")
            }
            5 if self.nodes.len() > 2 => {
                let node = self.nodes.remove(dice.below(self.nodes.len()));
                world.remove(Kind::Node, &key(&node));
                format!("node {} removed", key(&node))
            }
            6 if self.daemonsets.len() < 5 => {
                let daemonset = self.daemonset(dice);
                put(world, &daemonset, self.now);
                self.daemonsets.push(daemonset.clone());
                format!("{daemonset} added")
            }
            7 if self.daemonsets.len() > 1 => self.remove_daemonset(dice, world),
            8 | 9 => self.edit_daemonset(dice, world, reconstrain, "constrained"),
            10 => self.edit_daemonset(dice, world, new_image, "given an image"),
            11 => self.edit_daemonset(dice, world, restrategy, "given a strategy"),
            12 => {
                self.now += *dice.pick(&[1, 5, 30, 1000]);
                format!("it is {}", self.now)
            }
            _ => self.change_pod(dice, world),
        }
    }

    fn edit_node(
        &mut self,
        dice: &mut Dice,
        world: &mut World,
        edit: fn(&mut Dice, &mut Value),
        what: &str,
    ) -> String {
        let at = dice.below(self.nodes.len());
        edit(dice, &mut self.nodes[at]);
        put(world, &self.nodes[at], self.now);
        format!("{what}: {}", self.nodes[at])
    }

    fn edit_daemonset(
        &mut self,
        dice: &mut Dice,
        world: &mut World,
        edit: fn(&mut Dice, &mut Value),
        what: &str,
    ) -> String {
        let at = dice.below(self.daemonsets.len());
        edit(dice, &mut self.daemonsets[at]);
        put(world, &self.daemonsets[at], self.now);
        format!("{what}: {}", self.daemonsets[at])
    }

    fn remove_daemonset(&mut self, dice: &mut Dice, world: &mut World) -> String {
        let daemonset = self.daemonsets.remove(dice.below(self.daemonsets.len()));
        let key = key(&daemonset);
        let orphan = dice.chance(40);
        let cascade = if orphan { Cascade::Orphan } else { Cascade::Background };
        world.delete(Kind::DaemonSet, &key, cascade);
        format!("daemonset {key} removed, its pods too: {}", !orphan)
    }

    /// What a kubelet, a person or nobody does to a pod.
    fn change_pod(&mut self, dice: &mut Dice, world: &mut World) -> String {
        if world.pods.is_empty() || dice.chance(10) {
            let app = self.daemonsets[dice.below(self.daemonsets.len())]["metadata"]["name"].clone();
            let name = self.name("p");
            let node = self.nodes[dice.below(self.nodes.len())]["metadata"]["name"].clone();
            let pod = json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": { "name": name, "namespace": "x", "labels": { "app": app } },
                "spec": { "nodeName": node, "containers": [] },
                "status": { "phase": "Running" },
            });
            put(world, &pod, self.now);
            return format!("{pod} added");
        }
        let pods: Vec<ObjectKey> = world.pods.keys().cloned().collect();
        let pod = dice.pick(&pods).clone();
        let now = self.now;
        let done = dice.below(6);
        if done == 5 {
            world.remove(Kind::Pod, &pod);
            return format!("pod {pod} removed");
        }
        let Some(found) = world.pods.get_mut(&pod) else { return String::new() };
        match done {
            0 => found.phase = "Failed".into(),
            1 => found.phase = "Succeeded".into(),
            2 => found.meta.deleting = Some(now),
            3 => found.meta.labels = std::sync::Arc::new([("app".into(), "other".into())].into()),
            _ => {
                found.phase = "Running".into();
                found.ready = !found.ready;
                found.ready_since = Some(now);
            }
        }
        let shown = format!("pod {pod}: {} ready {} {:?}", found.phase, found.ready, found.meta.deleting);
        world.touch(Kind::Pod, &pod);
        shown
    }
}

fn relabel(dice: &mut Dice, node: &mut Value) {
    let mut labels = Map::new();
    for (key, values) in
        [("zone", ZONES), ("disk", &["ssd", "hdd"]), ("hold", &["yes"]), ("number", &["1", "2", "3"])]
    {
        if dice.chance(60) {
            labels.insert(key.into(), json!(dice.pick(values)));
        }
    }
    node["metadata"]["labels"] = Value::Object(labels);
}

fn retaint(dice: &mut Dice, node: &mut Value) {
    let taints: Vec<Value> = (0..dice.below(3))
        .map(|_| json!({ "key": dice.pick(TAINTS), "value": dice.pick(&["", "a"]), "effect": dice.pick(EFFECTS) }))
        .collect();
    node["spec"]["taints"] = Value::Array(taints);
}

fn reconstrain(dice: &mut Dice, daemonset: &mut Value) {
    let app = daemonset["spec"]["template"]["spec"]["containers"].clone();
    let mut spec = json!({ "containers": app });
    if dice.chance(30) {
        spec["nodeSelector"] = json!({ "disk": dice.pick(&["ssd", "hdd"]) });
    }
    if dice.chance(5) {
        spec["nodeName"] = json!("n1");
    }
    if dice.chance(30) {
        let operator = *dice.pick(&["In", "NotIn", "Exists", "DoesNotExist"]);
        let mut requirement = json!({ "key": dice.pick(&["zone", "disk", "rack"]), "operator": operator });
        if operator.ends_with("In") {
            requirement["values"] = json!([dice.pick(ZONES)]);
        }
        spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] =
            json!({ "nodeSelectorTerms": [{ "matchExpressions": [requirement] }] });
    }
    if dice.chance(40) {
        spec["tolerations"] = json!([{ "key": dice.pick(TAINTS), "operator": "Exists" }]);
    }
    if dice.chance(20) {
        spec["hostNetwork"] = json!(true);
    }
    daemonset["spec"]["template"]["spec"] = spec;
    if dice.chance(20) {
        daemonset["metadata"]["labels"]["alone"] = json!(dice.pick(&["yes", "no"]));
    }
}

fn new_image(dice: &mut Dice, daemonset: &mut Value) {
    let image = format!("x:{}", dice.below(4));
    daemonset["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
}

fn restrategy(dice: &mut Dice, daemonset: &mut Value) {
    let spec = &mut daemonset["spec"];
    spec["updateStrategy"] = match dice.below(4) {
        0 => json!({ "type": "OnDelete" }),
        1 => {
            json!({ "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 0, "maxSurge": dice.pick(&["1", "50%"]) } })
        }
        _ => json!({ "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 1 + dice.below(3) } }),
    };
    spec["minReadySeconds"] = json!(dice.pick(&[0, 0, 10]));
    spec["revisionHistoryLimit"] = json!(dice.below(3));
}

fn key(object: &Value) -> ObjectKey {
    let text = |name: &str| object["metadata"][name].as_str().unwrap_or("").to_owned();
    ObjectKey::new(text("namespace"), text("name"))
}

fn put(world: &mut World, value: &Value, now: i64) {
    let kind = Kind::from_name(value["kind"].as_str().unwrap()).unwrap();
    let origin = Origin { file: "test".into(), document: 0, path: String::new() };
    world.put(Object { kind, key: key(value), value: value.clone(), origin }, now);
}
