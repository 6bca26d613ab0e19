//! Cases as files: a node with taints and pods on it, what goes in each step, what goes later.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use dsrules::facts::Grouping;
use dsrules::kube::{Kind, Object, ObjectKey, Origin, timestamp};
use dsrules::plan::{Reconciler, Settings, Verb, evictions, reconcile};
use dsrules::policy::builtin;
use dsrules::reason::Reasoner;
use dsrules::state::World;
use serde::Deserialize;
use serde_json::{Value, json};

/// Second 0 of every case.
const BEGIN: i64 = 1_800_000_000;
/// When pods were created of which nothing else is said.
const LONG_BEFORE: i64 = -10_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub case: String,
    pub steps: Vec<Step>,
}

/// What changes, and what is expected of it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    pub at: i64,
    pub taints: Option<Vec<Value>>,
    pub pods: BTreeMap<String, Pod>,
    pub daemonset: Option<Value>,
    pub evicts: BTreeSet<String>,
    pub later: BTreeMap<String, i64>,
    /// Of the daemonset: pods created, deleted and evicted, and when those that are there go.
    pub creates: usize,
    pub deletes: usize,
    pub evicted: usize,
    pub daemons: Vec<i64>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pod {
    pub tolerations: Vec<Value>,
    pub created: i64,
    pub started: Option<i64>,
    pub phase: String,
    pub bound: bool,
    pub deleting: bool,
    pub node: String,
    pub owner: Option<Value>,
}

impl Default for Pod {
    fn default() -> Self {
        Pod {
            tolerations: Vec::new(),
            created: LONG_BEFORE,
            started: None,
            phase: "Running".to_owned(),
            bound: true,
            deleting: false,
            node: "n".to_owned(),
            owner: None,
        }
    }
}

pub fn read(file: &str) -> Vec<Case> {
    let path = format!("{}/tests/eviction/{file}", env!("CARGO_MANIFEST_DIR"));
    serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap_or_else(|e| panic!("{file}: {e}"))
}

/// A world that goes through steps: what is derived follows each change.
pub struct Cluster {
    world: World,
    reasoner: Reasoner,
    reconciler: Reconciler,
}

/// What became of a step.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Done {
    pub evicts: BTreeSet<String>,
    pub later: BTreeMap<String, i64>,
    pub creates: usize,
    pub deletes: usize,
    pub evicted: usize,
    pub daemons: Vec<i64>,
}

impl Cluster {
    pub fn new() -> Self {
        let program = builtin::load(&[]).program.unwrap();
        let reasoner = Reasoner::new(&program, Grouping::On);
        let mut cluster = Cluster { world: World::default(), reasoner, reconciler: Reconciler::default() };
        cluster.put(Kind::Node, "other", json!({}), LONG_BEFORE);
        cluster
    }

    fn put(&mut self, kind: Kind, name: &str, mut value: Value, at: i64) {
        value["metadata"]["name"] = json!(name);
        let namespace = if kind.namespaced() { "default" } else { "" };
        let origin = Origin { file: "case".into(), document: 0, path: String::new() };
        self.world.put(Object { kind, key: ObjectKey::new(namespace, name), value, origin }, BEGIN + at);
    }

    pub fn taint(&mut self, taints: &[Value], at: i64) {
        let mut taints = taints.to_vec();
        for taint in &mut taints {
            if let Some(added) = taint["timeAdded"].as_i64() {
                taint["timeAdded"] = json!(timestamp(BEGIN + added));
            }
        }
        self.put(Kind::Node, "n", json!({ "spec": { "taints": taints } }), at);
    }

    pub fn pod(&mut self, name: &str, pod: &Pod, at: i64) {
        let mut value = json!({
            "metadata": { "creationTimestamp": timestamp(BEGIN + pod.created), "labels": { "app": "pod" } },
            "spec": { "tolerations": pod.tolerations, "containers": [{ "name": "c", "image": "x" }] },
            "status": { "phase": pod.phase },
        });
        if pod.bound {
            value["spec"]["nodeName"] = json!(pod.node);
        }
        if pod.deleting {
            value["metadata"]["deletionTimestamp"] = json!(timestamp(BEGIN + at));
        }
        if let Some(started) = pod.started {
            value["status"]["startTime"] = json!(timestamp(BEGIN + started));
        }
        if let Some(owner) = &pod.owner {
            let mut owner = owner.clone();
            owner["apiVersion"] = json!("v1");
            owner["uid"] = json!("of-another-controller");
            owner["controller"] = json!(true);
            value["metadata"]["ownerReferences"] = json!([owner]);
        }
        self.put(Kind::Pod, name, value, at);
    }

    fn daemonset(&mut self, spec: &Value, at: i64) {
        let mut spec = spec.clone();
        spec["containers"] = json!([{ "name": "c", "image": "x" }]);
        // Only on the node that the case is about.
        spec["nodeName"] = json!("n");
        let labels = json!({ "app": "daemon" });
        let template = json!({ "metadata": { "labels": labels }, "spec": spec });
        let spec = json!({ "selector": { "matchLabels": labels }, "template": template });
        self.put(Kind::DaemonSet, "daemon", json!({ "spec": spec }), at);
    }

    /// Lets all controllers do what there is to do: as what is derived follows the changes, and
    /// from the start, which must come to the same.
    pub fn step(&mut self, at: i64) -> Done {
        let settings = Settings { readiness: Default::default(), now: BEGIN + at };
        let mut copy = self.world.clone();
        let mut fresh = Reasoner::new(self.reasoner.program(), Grouping::Off);
        let anew = reconcile(&mut copy, &mut fresh, settings).unwrap();
        let followed = self.reconciler.reconcile(&mut self.world, &mut self.reasoner, settings).unwrap();
        assert_eq!(followed.waves.len(), anew.waves.len(), "at {at}");
        for (one, other) in followed.waves.iter().zip(&anew.waves) {
            assert_eq!(one.actions, other.actions, "at {at}");
        }
        let later = evictions(&self.reasoner, &self.world);
        assert_eq!(later, evictions(&fresh, &copy), "at {at}");
        let mut done = Done::default();
        for action in followed.waves.iter().flat_map(|wave| &wave.actions) {
            match (action.verb, &action.daemonset) {
                (Verb::Create, _) => done.creates += 1,
                (Verb::Delete, Some(_)) => done.deletes += 1,
                (Verb::Evict, Some(_)) => done.evicted += 1,
                (Verb::Evict, None) => drop(done.evicts.insert(action.object.name.to_string())),
                _ => {}
            }
        }
        for it in later {
            match it.daemonset {
                Some(_) => done.daemons.push(it.at - BEGIN),
                None => drop(done.later.insert(it.pod.name.to_string(), it.at - BEGIN)),
            }
        }
        done
    }
}

/// Goes through the steps of a case.
pub fn check(case: &Case) -> Result<(), String> {
    let mut cluster = Cluster::new();
    for step in &case.steps {
        if let Some(taints) = &step.taints {
            cluster.taint(taints, step.at);
        }
        step.pods.iter().for_each(|(name, pod)| cluster.pod(name, pod, step.at));
        if let Some(spec) = &step.daemonset {
            cluster.daemonset(spec, step.at);
        }
        let expected = Done {
            evicts: step.evicts.clone(),
            later: step.later.clone(),
            creates: step.creates,
            deletes: step.deletes,
            evicted: step.evicted,
            daemons: step.daemons.clone(),
        };
        let got = cluster.step(step.at);
        if got != expected {
            return Err(format!(
                "{}, at {}:\n  expected {expected:?}\n  got      {got:?}",
                case.case, step.at
            ));
        }
    }
    Ok(())
}
