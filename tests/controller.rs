//! Many controllers on one store, which is simulated: what they know lags behind as it likes, what
//! they write arrives late, they are paused and cut off, and their leases end without their
//! knowing. Whatever happens, no node ever has two pods of a daemonset, no more pods are down than
//! a rollout may take, and in the end everything is as the manifests say.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use dsrules::app::controller::{Controller, Key, Transaction, decode, encode};
use dsrules::kube::{Kind, Name, Object, ObjectKey, Origin};
use dsrules::policy;
use dsrules::state::Gone;
use serde_json::{Value, json};

#[path = "naive/dice.rs"]
mod dice;
#[path = "controller/store.rs"]
mod store;

use dice::Dice;
use store::Store;

const NODES: usize = 5;
const DAEMONSETS: usize = 4;

/// One controller with its view of the store.
struct Member {
    name: String,
    controller: Controller,
    /// How much of the log it has heard.
    heard: usize,
    pending: VecDeque<Transaction>,
    paused: bool,
}

struct Stage {
    store: Store,
    members: Vec<Member>,
    now: i64,
    images: BTreeMap<String, u32>,
    dice: Dice,
}

fn object(kind: Kind, namespace: &str, name: &str, value: Value) -> Object {
    let origin = Origin { file: "test".into(), document: 0, path: String::new() };
    Object { kind, key: ObjectKey::new(namespace, name), value, origin }
}

fn daemonset(name: &str, image: u32) -> Object {
    let value = json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": { "name": name, "namespace": "default" },
        "spec": {
            "selector": { "matchLabels": { "app": name } },
            "updateStrategy": { "rollingUpdate": { "maxUnavailable": 2 } },
            "template": {
                "metadata": { "labels": { "app": name } },
                "spec": { "containers": [{ "name": "c", "image": format!("x:{image}") }] }
            }
        }
    });
    object(Kind::DaemonSet, "default", name, value)
}

fn node(name: &str) -> Object {
    let value = json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": name } });
    object(Kind::Node, "", name, value)
}

impl Stage {
    fn new(seed: u64) -> Self {
        let dice = Dice::new(seed);
        let mut stage = Stage {
            store: Store::default(),
            members: Vec::new(),
            now: 1_000_000,
            images: BTreeMap::new(),
            dice,
        };
        for at in 0..3 {
            let controller = Controller::new(&policy::load(&[]).program.unwrap());
            let name = format!("c{at}");
            stage.members.push(Member {
                name,
                controller,
                heard: 0,
                pending: VecDeque::new(),
                paused: false,
            });
            stage.join(at);
        }
        stage.settle();
        let nodes = (0..NODES).map(|it| node(&format!("n{it}")));
        let daemonsets = (0..DAEMONSETS).map(|it| daemonset(&format!("d{it}"), 0));
        stage.images = (0..DAEMONSETS).map(|it| (format!("d{it}"), 0)).collect();
        stage.bring(nodes.chain(daemonsets).collect());
        stage.settle();
        stage
    }

    /// A member comes, again perhaps: a key of its own, and another term.
    fn join(&mut self, at: usize) {
        let member = &mut self.members[at];
        let keys = vec![
            (format!("members/{}", member.name), Some(b"{}".to_vec())),
            ("term".to_owned(), Some(member.name.clone().into_bytes())),
        ];
        let revision = self.store.write(keys, None);
        member.controller.is_member(Some((member.name.as_str().into(), revision)));
    }

    fn is_alive(&self, at: usize) -> bool {
        self.store.keys.contains_key(&format!("members/{}", self.members[at].name))
    }

    /// Its lease ends; it hears of that when it hears of it.
    fn expire(&mut self, at: usize) {
        self.store.write(vec![(format!("members/{}", self.members[at].name), None)], None);
    }

    /// A member hears some of what happened.
    fn hear(&mut self, at: usize, most: usize) {
        let member = &mut self.members[at];
        let to = member.heard.saturating_add(most).min(self.store.log.len());
        for written in &self.store.log[member.heard..to] {
            for (key, entry) in &written.keys {
                member.controller.hear(key, entry.clone(), written.revision, self.now);
            }
            member.controller.passed(written.revision);
        }
        member.heard = to;
    }

    fn decide(&mut self, at: usize) {
        let member = &mut self.members[at];
        if member.pending.is_empty() {
            let decided = member.controller.decide(self.now).unwrap();
            member.pending.extend(decided.transactions);
        }
    }

    /// The next of its writes arrives; says whether there was one.
    fn send(&mut self, at: usize) -> bool {
        let member = &mut self.members[at];
        let Some(next) = member.pending.pop_front() else { return false };
        match self.store.commit(&next) {
            Some(revision) => member.controller.done(next, revision),
            None => {
                let rest = std::iter::once(next).chain(member.pending.drain(..)).collect();
                member.controller.not_done(rest, self.now);
            }
        }
        true
    }

    /// A member that is well, if there is one.
    fn well(&self) -> Option<usize> {
        (0..self.members.len()).find(|at| self.is_alive(*at) && !self.members[*at].paused)
    }

    /// Somebody brings manifests, by a member that is well.
    fn bring(&mut self, objects: Vec<Object>) {
        let at = self.well().unwrap();
        while self.send(at) {}
        self.hear(at, usize::MAX);
        let brought = self.members[at].controller.bring(objects, &Gone::default(), None, self.now);
        for transaction in brought {
            let revision = self.store.commit(&transaction).expect("it knows all there is");
            self.members[at].controller.done(transaction, revision);
        }
    }

    fn pods(&self) -> Vec<(String, Value)> {
        let pods = self.store.keys.range("pods/".to_owned().."pods0".to_owned());
        pods.map(|(key, entry)| (key.clone(), decode(&entry.value).unwrap().0)).collect()
    }

    /// The agents of some nodes see their pods run.
    fn run(&mut self, percent: usize) {
        for (key, mut pod) in self.pods() {
            if pod["status"]["phase"] != "Running" && self.dice.chance(percent) {
                pod["status"] = json!({ "phase": "Running", "conditions": [
                    { "type": "Ready", "status": "True", "lastTransitionTime": "2020-01-01T00:00:00Z" }] });
                let value = encode(pod, Default::default());
                self.store.write(vec![(key, Some(value))], None);
            }
        }
    }

    /// All that are alive hear everything and do everything, until nothing is left.
    fn settle(&mut self) {
        for round in 0.. {
            assert!(round < 200, "it does not come to rest");
            let before = self.store.revision;
            for at in 0..self.members.len() {
                self.members[at].paused = false;
                if !self.is_alive(at) {
                    self.join(at);
                }
                self.hear(at, usize::MAX);
                while self.send(at) {}
                self.hear(at, usize::MAX);
                self.decide(at);
                while self.send(at) {}
            }
            self.run(100);
            self.now += 1;
            if self.store.revision == before {
                break;
            }
        }
    }

    /// Something happens.
    fn step(&mut self) {
        let at = self.dice.below(self.members.len());
        match self.dice.below(100) {
            0..30 if !self.members[at].paused => {
                let some = 1 + self.dice.below(6);
                self.hear(at, some);
            }
            30..50 if !self.members[at].paused => self.decide(at),
            50..75 if !self.members[at].paused => drop(self.send(at)),
            75..85 => self.run(30),
            85..88 => self.members[at].paused ^= true,
            88..90 if self.is_alive(at) => self.expire(at),
            90..94 if !self.is_alive(at) && !self.members[at].paused => self.join(at),
            94..96 if self.well().is_some() => {
                let name = format!("d{}", self.dice.below(DAEMONSETS));
                *self.images.get_mut(&name).unwrap() += 1;
                let image = self.images[&name];
                self.bring(vec![daemonset(&name, image)]);
            }
            _ => self.now += 1,
        }
    }
}

/// What holds of the history, revision by revision.
fn check(store: &Store) {
    let mut pods: BTreeMap<(String, Name), BTreeMap<String, bool>> = BTreeMap::new();
    let mut up: BTreeSet<(String, Name)> = BTreeSet::new();
    for written in &store.log {
        for (key, entry) in &written.keys {
            let Key::Object(Kind::Pod, pod) = Key::parse(key) else { continue };
            let node: Name = key.split('/').nth(1).unwrap().into();
            let daemonset = pod.name.rsplit_once('-').unwrap().0.to_owned();
            let here = pods.entry((daemonset.clone(), node.clone())).or_default();
            match entry {
                Some(entry) => {
                    let ready = decode(&entry.value).unwrap().0["status"]["phase"] == "Running";
                    here.insert(pod.name.to_string(), ready);
                    if ready {
                        up.insert((daemonset, node));
                    }
                }
                None => drop(here.remove(&*pod.name)),
            }
        }
        for ((daemonset, node), here) in &pods {
            let revision = written.revision;
            assert!(here.len() <= 1, "revision {revision}: {node} has two pods of {daemonset}: {here:?}");
        }
        // Where one was ready once, only a rollout takes it.
        let mut down: BTreeMap<&str, usize> = BTreeMap::new();
        for place in &up {
            let is_up = pods.get(place).is_some_and(|here| here.values().any(|ready| *ready));
            *down.entry(&place.0).or_default() += usize::from(!is_up);
        }
        for (daemonset, down) in down {
            let by = &written.by;
            assert!(
                down <= 2,
                "revision {}: {down} nodes are without {daemonset}, by {by:?}",
                written.revision
            );
        }
    }
}

fn converged(stage: &Stage) {
    let mut found: BTreeMap<(String, String), String> = BTreeMap::new();
    for (key, pod) in stage.pods() {
        let daemonset = pod["metadata"]["labels"]["app"].as_str().unwrap().to_owned();
        let node = key.split('/').nth(1).unwrap().to_owned();
        let image = pod["spec"]["containers"][0]["image"].as_str().unwrap().to_owned();
        assert_eq!(pod["spec"]["nodeName"], *node);
        assert!(found.insert((daemonset, node), image).is_none());
    }
    let wanted: BTreeMap<(String, String), String> = stage
        .images
        .iter()
        .flat_map(|(name, image)| {
            (0..NODES).map(move |at| ((name.clone(), format!("n{at}")), format!("x:{image}")))
        })
        .collect();
    assert_eq!(found, wanted);
    for name in stage.images.keys() {
        let entry = &stage.store.keys[&format!("daemonsets/default/{name}")];
        let status = &decode(&entry.value).unwrap().0["status"];
        assert_eq!(status["numberAvailable"], NODES, "{name}: {status}");
        assert_eq!(status["updatedNumberScheduled"], NODES, "{name}: {status}");
    }
}

#[test]
fn many_controllers_act_as_one_whatever_becomes_of_them() {
    let seeds = std::env::var("DSRULES_SEEDS").ok().and_then(|it| it.parse().ok()).unwrap_or(12);
    for seed in 0..seeds {
        let mut stage = Stage::new(seed);
        converged(&stage);
        for _ in 0..400 {
            stage.step();
        }
        stage.settle();
        check(&stage.store);
        converged(&stage);
    }
}

#[test]
fn each_daemonset_is_written_by_its_owner_and_no_work_is_done_twice() {
    let mut stage = Stage::new(7);
    let from = stage.store.log.len();
    let names: Vec<String> = stage.images.keys().cloned().collect();
    for name in &names {
        stage.images.insert(name.clone(), 9);
    }
    stage.bring(names.iter().map(|name| daemonset(name, 9)).collect());
    stage.settle();
    converged(&stage);
    let mut writers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut created = 0;
    for written in &stage.store.log[from..] {
        let Some((by, _)) = &written.by else { continue };
        for (key, entry) in &written.keys {
            if let Key::Object(Kind::Pod, pod) = Key::parse(key) {
                let daemonset = pod.name.rsplit_once('-').unwrap().0.to_owned();
                writers.entry(daemonset).or_default().insert(by.clone());
                created += usize::from(entry.is_some());
            }
        }
    }
    assert!(writers.values().all(|by| by.len() == 1), "{writers:?}");
    assert!(writers.values().flatten().collect::<BTreeSet<_>>().len() > 1, "all by one: {writers:?}");
    assert_eq!(created, NODES * DAEMONSETS);
}

#[test]
fn a_node_whose_agent_is_silent_is_unreachable_until_it_is_back() {
    let mut stage = Stage::new(3);
    let keys = |beats: bool| {
        let beat = beats.then(|| b"{}".to_vec());
        vec![("agents/n1".to_owned(), Some(b"{}".to_vec())), ("beats/n1".to_owned(), beat)]
    };
    stage.store.write(keys(true), None);
    stage.settle();
    let node = |stage: &Stage| decode(&stage.store.keys["nodes//n1"].value).unwrap().0;
    assert_eq!(node(&stage)["spec"]["taints"], Value::Null);
    stage.store.write(keys(false), None);
    for at in 0..3 {
        stage.hear(at, usize::MAX);
        stage.decide(at);
        while stage.send(at) {}
    }
    let lost = node(&stage);
    let taints: Vec<String> =
        lost["spec"]["taints"].as_array().unwrap().iter().map(|it| it.to_string()).collect();
    assert_eq!(taints.len(), 2, "{taints:?}");
    assert!(taints.iter().all(|it| it.contains("node.kubernetes.io/unreachable")), "{taints:?}");
    assert_eq!(lost["status"]["conditions"][0]["status"], "Unknown");
    let ready = |stage: &Stage| {
        let here = stage.pods().into_iter().filter(|(key, _)| key.starts_with("pods/n1/"));
        here.map(|(_, pod)| pod["status"]["conditions"][0]["status"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        ready(&stage),
        vec![json!("False"); DAEMONSETS],
        "the pods stay, and nobody knows how they are"
    );
    for at in 0..3 {
        stage.hear(at, usize::MAX);
        stage.decide(at);
        while stage.send(at) {}
    }
    let status = decode(&stage.store.keys["daemonsets/default/d0"].value).unwrap().0["status"].clone();
    assert_eq!(
        (status["numberReady"].as_u64(), status["desiredNumberScheduled"].as_u64()),
        (Some(4), Some(4))
    );
    // The agent is back, and says how its pods are.
    stage.store.write(keys(true), None);
    for (key, mut pod) in stage.pods() {
        if pod["status"]["conditions"][0]["status"] == "False" {
            pod["status"]["conditions"][0]["status"] = json!("True");
            stage.store.write(vec![(key, Some(encode(pod, Default::default())))], None);
        }
    }
    stage.settle();
    assert_eq!(node(&stage)["spec"]["taints"].as_array().map_or(0, Vec::len), 0);
    assert_eq!(node(&stage)["status"]["conditions"][0]["status"], "True");
    converged(&stage);
}

#[test]
fn what_a_deleted_daemonset_owned_goes_with_it() {
    let mut stage = Stage::new(5);
    stage.store.write(vec![("daemonsets/default/d2".to_owned(), None)], None);
    // Whoever saw it go is gone itself.
    stage.expire(0);
    stage.settle();
    stage.images.remove("d2");
    converged(&stage);
    assert!(!stage.store.keys.keys().any(|key| key.starts_with("controllerrevisions/default/d2-")));
}

#[test]
fn a_value_that_cannot_be_read_changes_nothing() {
    let mut stage = Stage::new(6);
    let key = "daemonsets/default/d1";
    let before = stage.store.keys[key].value.clone();
    stage.store.write(vec![(key.to_owned(), Some(b"not ours".to_vec()))], None);
    stage.settle();
    let member = &stage.members[0].controller;
    assert_eq!(member.known().faults().count(), 1);
    assert_eq!(stage.pods().len(), NODES * DAEMONSETS);
    assert_eq!(stage.store.keys[key].value, b"not ours");
    stage.store.write(vec![(key.to_owned(), Some(before))], None);
    stage.settle();
    converged(&stage);
}
