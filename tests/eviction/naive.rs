//! The taint-eviction controller as it is: events, a queue of timed work, a clock that ticks. And
//! random histories for it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::cases::{Cluster, Pod};
use crate::generate::Dice;

/// What happens at a time.
#[derive(Debug)]
enum Event {
    /// The node has these taints.
    Taints(Vec<Value>),
    /// A pod comes to the node.
    Comes(String, Vec<Value>),
    /// Nothing.
    Time,
}

#[derive(Debug)]
pub struct History(Vec<(i64, Event)>);

const KEYS: &[&str] = &["a", "b", "c"];
const VALUES: &[&str] = &["", "x"];

impl History {
    pub fn random(seed: u64) -> History {
        let mut dice = Dice::new(seed);
        let (mut at, mut pods, mut taints) = (0, 0, Vec::new());
        let events = (0..12).map(|_| {
            at += 1 + dice.below(12) as i64;
            let event = match dice.below(5) {
                // Taints come one by one and go together.
                0 if taints.is_empty() || dice.chance(60) => {
                    let free: Vec<_> = KEYS
                        .iter()
                        .filter(|key| taints.iter().all(|it: &Value| it["key"] != **key))
                        .collect();
                    if let Some(key) = free.get(dice.below(free.len().max(1))) {
                        let effect = if dice.chance(80) { "NoExecute" } else { "NoSchedule" };
                        let at = dice.below(taints.len() + 1);
                        taints
                            .insert(at, json!({ "key": key, "value": dice.pick(VALUES), "effect": effect }));
                    }
                    Event::Taints(taints.clone())
                }
                0 => {
                    taints.clear();
                    Event::Taints(Vec::new())
                }
                1 | 2 => {
                    pods += 1;
                    let tolerations = (0..dice.below(5)).map(|_| toleration(&mut dice)).collect();
                    Event::Comes(format!("p{pods}"), tolerations)
                }
                _ => Event::Time,
            };
            (at, event)
        });
        History(events.collect())
    }

    /// Goes through it with both, and says how many were evicted and how many were to be.
    pub fn compare(&self) -> Result<(usize, usize), String> {
        let (mut cluster, mut controller) = (Cluster::new(), Controller::default());
        let (mut evicted, mut later) = (0, 0);
        let mut clock = 0;
        cluster.taint(&[], 0);
        cluster.step(0);
        for (at, event) in &self.0 {
            // A watcher looks again when something is due; nothing goes a second before.
            while let Some(due) = controller.due().filter(|due| due < at) {
                for second in (due - 1).max(clock + 1)..=due {
                    clock = second;
                    let (gone, got) = (controller.tick(clock), cluster.step(clock));
                    same(clock, &gone, &controller, &got)?;
                    evicted += gone.len();
                }
            }
            clock = *at;
            let mut gone = BTreeSet::new();
            match event {
                Event::Taints(taints) => {
                    cluster.taint(taints, *at);
                    gone.extend(controller.node_updated(taints, *at));
                }
                Event::Comes(name, tolerations) => {
                    let pod = Pod { tolerations: tolerations.clone(), created: *at, ..Pod::default() };
                    cluster.pod(name, &pod, *at);
                    gone.extend(controller.pod_updated(name, tolerations, *at));
                }
                Event::Time => {}
            }
            gone.extend(controller.tick(*at));
            let got = cluster.step(*at);
            same(*at, &gone, &controller, &got)?;
            evicted += gone.len();
            later += got.later.len();
        }
        Ok((evicted, later))
    }
}

fn same(
    at: i64,
    gone: &BTreeSet<String>,
    controller: &Controller,
    got: &crate::cases::Done,
) -> Result<(), String> {
    let due: BTreeMap<String, i64> =
        controller.queue.iter().map(|(pod, work)| (pod.clone(), work.1)).collect();
    if *gone == got.evicts && due == got.later {
        return Ok(());
    }
    Err(format!("at {at}: expected {gone:?}, later {due:?}\ngot {got:?}"))
}

fn toleration(dice: &mut Dice) -> Value {
    let mut it = json!({ "operator": "Exists" });
    if dice.chance(85) {
        it["key"] = json!(dice.pick(KEYS));
        if dice.chance(40) {
            it["operator"] = json!("Equal");
            it["value"] = json!(dice.pick(VALUES));
        }
    }
    if dice.chance(85) {
        it["effect"] = json!(*dice.pick(&["NoExecute", "NoExecute", "NoExecute", "NoSchedule"]));
    }
    if it["effect"] == "NoExecute" && dice.chance(70) {
        it["tolerationSeconds"] = json!(dice.below(40) as i64 - 3);
    }
    it
}

/// The controller: which taints the node has, which pods are there, and what is scheduled.
#[derive(Default)]
struct Controller {
    taints: Vec<Value>,
    pods: BTreeMap<String, Vec<Value>>,
    /// When the work was made, and when it is to be done.
    queue: BTreeMap<String, (i64, i64)>,
}

impl Controller {
    /// When the next is due.
    fn due(&self) -> Option<i64> {
        self.queue.values().map(|work| work.1).min()
    }

    /// Does what is due.
    fn tick(&mut self, now: i64) -> BTreeSet<String> {
        let due: BTreeSet<String> =
            self.queue.iter().filter(|(_, work)| work.1 <= now).map(|(pod, _)| pod.clone()).collect();
        due.iter().for_each(|pod| self.delete(pod));
        due
    }

    fn delete(&mut self, pod: &str) {
        self.queue.remove(pod);
        self.pods.remove(pod);
    }

    fn node_updated(&mut self, taints: &[Value], now: i64) -> BTreeSet<String> {
        self.taints = taints.iter().filter(|taint| taint["effect"] == "NoExecute").cloned().collect();
        if self.taints.is_empty() {
            self.queue.clear();
            return BTreeSet::new();
        }
        let pods: Vec<String> = self.pods.keys().cloned().collect();
        pods.into_iter().filter(|pod| self.process(pod, now)).collect()
    }

    fn pod_updated(&mut self, name: &str, tolerations: &[Value], now: i64) -> Option<String> {
        self.pods.insert(name.to_owned(), tolerations.to_vec());
        (!self.taints.is_empty() && self.process(name, now)).then(|| name.to_owned())
    }

    /// Says whether the pod is deleted at once.
    fn process(&mut self, pod: &str, now: i64) -> bool {
        let mut used = Vec::new();
        for taint in &self.taints {
            match self.pods[pod].iter().find(|toleration| tolerates(toleration, taint)) {
                Some(toleration) => used.push(toleration["tolerationSeconds"].as_i64()),
                None => {
                    self.delete(pod);
                    return true;
                }
            }
        }
        let Some(least) = used.into_iter().flatten().min() else {
            self.queue.remove(pod);
            return false;
        };
        let least = least.max(0);
        if let Some((created, _)) = self.queue.get(pod)
            && created + least < now + least
        {
            return false;
        }
        if least == 0 {
            self.delete(pod);
            return true;
        }
        self.queue.insert(pod.to_owned(), (now, now + least));
        false
    }
}

fn tolerates(toleration: &Value, taint: &Value) -> bool {
    let text = |it: &Value, field: &str| it[field].as_str().unwrap_or("").to_owned();
    let or_any =
        |field: &str| text(toleration, field).is_empty() || text(toleration, field) == text(taint, field);
    let value = match text(toleration, "operator").as_str() {
        "Exists" => true,
        _ => text(toleration, "value") == text(taint, "value"),
    };
    or_any("effect") && or_any("key") && value
}
