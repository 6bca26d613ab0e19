//! The scheduler, restated pod by pod with loops over everything, and random cases for it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::generate::Dice;

#[derive(Clone, Debug)]
pub struct Pod {
    pub name: String,
    pub node: usize,
    pub bound: bool,
    pub priority: i64,
    pub never: bool,
    pub time: usize,
    pub app: &'static str,
    /// Beside itself, of `pods`.
    pub asks: BTreeMap<&'static str, i64>,
    pub port: Option<(&'static str, i64)>,
}

#[derive(Clone, Debug)]
pub struct Case {
    pub nodes: Vec<BTreeMap<&'static str, i64>>,
    pub pods: Vec<Pod>,
    /// Of which app, and how many may go.
    pub budgets: Vec<(&'static str, i64)>,
}

const AMOUNTS: &[i64] = &[0, 1, 2, 3, 5, 8];
const APPS: &[&str] = &["a", "b", "c"];

impl Case {
    pub fn random(seed: u64) -> Case {
        let mut dice = Dice::new(seed);
        let amount = |dice: &mut Dice| match dice.chance(5) {
            true => i64::MAX,
            false => *dice.pick(AMOUNTS),
        };
        let nodes = (0..2).map(|_| {
            let mut has = BTreeMap::from([("pods", 2 + dice.below(6) as i64)]);
            has.insert("memory", *dice.pick(&[4, 8, 12, i64::MAX]));
            if dice.chance(60) {
                has.insert("example.com/gpu", dice.below(9) as i64);
            }
            has
        });
        let nodes = nodes.collect();
        let pods = (0..4 + dice.below(9)).map(|at| Pod {
            name: format!("p{at}"),
            node: dice.below(2),
            bound: dice.chance(60),
            priority: *dice.pick(&[-10, 0, 0, 100, 1000]),
            never: dice.chance(10),
            time: dice.below(50),
            app: APPS[dice.below(APPS.len())],
            asks: BTreeMap::from([("memory", amount(&mut dice)), ("example.com/gpu", amount(&mut dice) / 2)]),
            port: dice
                .chance(25)
                .then(|| (*dice.pick(&["0.0.0.0", "127.0.0.1", "10.0.0.1"]), *dice.pick(&[80, 90]))),
        });
        let pods = pods.collect();
        let budgets = (0..dice.below(3)).map(|_| (*dice.pick(APPS), dice.below(3) as i64)).collect();
        Case { nodes, pods, budgets }
    }

    /// The case as the corpus writes one.
    pub fn to_json(&self) -> Value {
        let nodes: Vec<Value> = self.nodes.iter().enumerate().map(|(at, has)| node(at, has)).collect();
        let pods: Vec<Value> = self.pods.iter().map(pod).collect();
        let budgets: Vec<Value> = self
            .budgets
            .iter()
            .enumerate()
            .map(|(at, (app, allowed))| {
                json!({ "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
                    "metadata": { "name": format!("b{at}"), "namespace": "ns" },
                    "spec": { "selector": { "matchLabels": { "app": app } } },
                    "status": { "disruptionsAllowed": allowed } })
            })
            .collect();
        json!({ "nodes": nodes, "pods": pods, "pdbs": budgets, "expect": self.expected() })
    }

    /// What keeps a pod from its node beside these: the filter, and its words.
    fn objection(&self, pod: &Pod, beside: &[&Pod]) -> Option<(&'static str, Vec<String>)> {
        if beside.iter().any(|other| clash(pod, other)) {
            return Some((
                "NodePorts",
                vec!["node(s) didn't have free ports for the requested pod ports".into()],
            ));
        }
        let has = &self.nodes[pod.node];
        let mut short = Vec::new();
        for (resource, asked) in &pod.asks {
            let taken: i128 = beside.iter().map(|other| i128::from(other.asks[resource])).sum();
            let room = i128::from(has.get(resource).copied().unwrap_or(0));
            if *asked > 0 && i128::from(*asked) > room - taken {
                short.push(format!("Insufficient {resource}"));
            }
        }
        if beside.len() as i64 >= has["pods"] {
            short.push("Too many pods".into());
        }
        (!short.is_empty()).then_some(("NodeResourcesFit", short))
    }

    fn victims<'a>(&self, pod: &Pod, on: &[&'a Pod]) -> Vec<&'a Pod> {
        let (mut low, mut kept): (Vec<&Pod>, Vec<&Pod>) =
            on.iter().partition(|other| other.priority < pod.priority);
        if low.is_empty() || self.objection(pod, &kept).is_some() {
            return Vec::new();
        }
        low.sort_by_key(|other| (-other.priority, other.time, other.name.clone()));
        let mut left: Vec<(&str, i64)> = self.budgets.clone();
        let mut violates = |other: &Pod| {
            let mut violated = false;
            for (_, allowed) in left.iter_mut().filter(|(app, _)| *app == other.app) {
                *allowed -= 1;
                violated |= *allowed < 0;
            }
            violated
        };
        let (first, then): (Vec<&Pod>, Vec<&Pod>) = low.into_iter().partition(|other| violates(other));
        let mut gone = Vec::new();
        for other in first.into_iter().chain(then) {
            kept.push(other);
            if self.objection(pod, &kept).is_some() {
                kept.pop();
                gone.push(other);
            }
        }
        gone
    }

    fn expected(&self) -> Value {
        let mut there: Vec<Pod> = self.pods.iter().filter(|pod| pod.bound).cloned().collect();
        let mut queue: Vec<&Pod> = self.pods.iter().filter(|pod| !pod.bound).collect();
        queue.sort_by_key(|pod| (-pod.priority, pod.time, pod.name.clone()));
        let (mut bound, mut pending, mut victims) = (Vec::new(), Vec::new(), Vec::new());
        for pod in queue {
            let on: Vec<&Pod> = there.iter().filter(|other| other.node == pod.node).collect();
            let (name, node) = (format!("ns/{}", pod.name), format!("n{}", pod.node));
            if let Some((plugin, reasons)) = self.objection(pod, &on) {
                let gone = if pod.never { Vec::new() } else { self.victims(pod, &on) };
                if gone.is_empty() {
                    let why = if pod.never { "never" } else { "no victims" };
                    pending.push(json!({ "pod": name, "node": node, "plugin": plugin,
                        "reasons": reasons, "preemption": why }));
                    continue;
                }
                let gone: Vec<String> = gone.into_iter().map(|other| other.name.clone()).collect();
                victims.extend(gone.iter().map(|other| json!({ "pod": format!("ns/{other}"), "by": name })));
                there.retain(|other| !gone.contains(&other.name));
            }
            bound.push(json!({ "pod": name, "node": node }));
            there.push(pod.clone());
        }
        for list in [&mut bound, &mut pending, &mut victims] {
            list.sort_by_key(|it| it["pod"].as_str().unwrap_or_default().to_owned());
        }
        json!({ "bound": bound, "pending": pending, "victims": victims })
    }
}

pub fn clash(a: &Pod, b: &Pod) -> bool {
    let any = "0.0.0.0";
    a.port.zip(b.port).is_some_and(|(a, b)| a.1 == b.1 && (a.0 == b.0 || a.0 == any || b.0 == any))
}

fn node(at: usize, has: &BTreeMap<&str, i64>) -> Value {
    let has: BTreeMap<&str, String> = has.iter().map(|(name, amount)| (*name, amount.to_string())).collect();
    json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": format!("n{at}") },
        "status": { "allocatable": has } })
}

fn pod(pod: &Pod) -> Value {
    let node = format!("n{}", pod.node);
    let time = format!("2026-01-01T00:00:{:02}Z", pod.time);
    let requests: BTreeMap<&str, String> =
        pod.asks.iter().map(|(name, amount)| (*name, amount.to_string())).collect();
    let ports: Vec<Value> = pod
        .port
        .iter()
        .map(|(ip, port)| json!({ "containerPort": 1, "hostPort": port, "hostIP": ip }))
        .collect();
    let mut spec = json!({ "priority": pod.priority,
        "preemptionPolicy": if pod.never { "Never" } else { "PreemptLowerPriority" },
        "containers": [{ "name": "c", "resources": { "requests": requests }, "ports": ports }] });
    if pod.bound {
        spec["nodeName"] = json!(node);
    } else {
        dsrules::kube::pin(&mut spec, &node);
    }
    json!({ "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": pod.name, "namespace": "ns", "creationTimestamp": time,
            "labels": { "app": pod.app } },
        "spec": spec,
        "status": { "phase": if pod.bound { "Running" } else { "Pending" }, "startTime": time } })
}
