//! The promises of a rollout, said once more, as plainly as can be.

use std::collections::{BTreeMap, BTreeSet};

use dsrules::kube::{Kind, time};
use serde_json::Value;

use super::cluster::{Cluster, NAME, revision_of_pod};

/// What was heard of a cluster.
pub type Heard = BTreeMap<(Kind, String), Value>;

/// How a node stands in the rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stands {
    New,
    Old,
    /// An old pod that is not available: it goes whatever the bound, and counts.
    OldDown,
    /// An old pod that a rule holds.
    Held,
    Down,
}

fn daemonset(heard: &Heard) -> &Value {
    &heard[&(Kind::DaemonSet, NAME.to_owned())]
}

fn newest(heard: &Heard) -> u64 {
    let image = &daemonset(heard)["spec"]["template"]["spec"]["containers"][0]["image"];
    image.as_str().unwrap().split_once(':').unwrap().1.parse().unwrap()
}

pub fn bound(heard: &Heard) -> usize {
    let nodes = heard.keys().filter(|(kind, _)| *kind == Kind::Node).count();
    match &daemonset(heard)["spec"]["updateStrategy"]["rollingUpdate"]["maxUnavailable"] {
        Value::Number(number) => usize::try_from(number.as_u64().unwrap()).unwrap(),
        Value::String(text) => {
            let percent: usize = text.strip_suffix('%').unwrap().parse().unwrap();
            (nodes * percent).div_ceil(100)
        }
        _ => 1,
    }
}

pub fn is_available(heard: &Heard, pod: &Value, now: i64) -> bool {
    let least = daemonset(heard)["spec"]["minReadySeconds"].as_i64().unwrap();
    let ready = &pod["status"]["conditions"][0];
    let since = ready["lastTransitionTime"].as_str().and_then(time).unwrap_or(now);
    ready["status"] == "True" && (least == 0 || since + least < now)
}

fn stands(heard: &Heard, node: &str, now: i64) -> Stands {
    let on = |((kind, _), it): &(&(Kind, String), &Value)| {
        *kind == Kind::Pod && it["spec"]["nodeName"] == *node && it["metadata"]["deletionTimestamp"].is_null()
    };
    let mut pods = heard.iter().filter(on).map(|(_, it)| it);
    let (Some(pod), None) = (pods.next(), pods.next()) else { return Stands::Down };
    let held = heard[&(Kind::Node, node.to_owned())]["metadata"]["labels"]["hold"] == "true";
    match (revision_of_pod(pod) == newest(heard), is_available(heard, pod, now)) {
        (true, true) => Stands::New,
        (true, false) => Stands::Down,
        (false, true) if held => Stands::Held,
        (false, false) if held => Stands::Down,
        (false, true) => Stands::Old,
        (false, false) => Stands::OldDown,
    }
}

fn wave(heard: &Heard, node: &str) -> i64 {
    let label = &heard[&(Kind::Node, node.to_owned())]["metadata"]["labels"]["wave"];
    label.as_str().map_or(i64::MAX, |it| it.parse().unwrap())
}

/// Checks what is asked for in one go, by nodes; gives those whose pod was available.
pub fn check(heard: &Heard, asked: &[String], now: i64) -> BTreeSet<String> {
    let nodes: Vec<&String> =
        heard.keys().filter(|(kind, _)| *kind == Kind::Node).map(|(_, name)| name).collect();
    let all: BTreeMap<&String, Stands> = nodes.iter().map(|node| (*node, stands(heard, node, now))).collect();
    let mut taken = BTreeSet::new();
    for node in asked {
        match all[node] {
            Stands::Old => assert!(taken.insert(node.clone()), "{node} is asked for twice"),
            Stands::OldDown => {}
            other => panic!("{node} is {other:?} and is asked for"),
        }
    }
    let down = all.values().filter(|it| matches!(it, Stands::Down | Stands::OldDown)).count();
    let most = bound(heard);
    assert!(
        taken.is_empty() || down + taken.len() <= most,
        "{down} are down, {taken:?} go, of {most}: {all:?}"
    );
    let is_open = |node: &&&String| matches!(all[**node], Stands::Old | Stands::OldDown | Stands::Down);
    let first = nodes.iter().filter(is_open).map(|node| wave(heard, node)).min();
    for node in &taken {
        assert!(Some(wave(heard, node)) <= first, "the wave of {node} has not come: {all:?}");
    }
    taken
}

/// Whether a pod of the current template has failed, as was heard.
pub fn has_failed(heard: &Heard, deadline: i64, now: i64) -> bool {
    heard.iter().filter(|((kind, _), _)| *kind == Kind::Pod).any(|(_, pod)| {
        let ready = &pod["status"]["conditions"][0];
        let since = ready["lastTransitionTime"].as_str().or(pod["metadata"]["creationTimestamp"].as_str());
        let late = since.and_then(time).unwrap_or(now) + deadline < now;
        let waits = &pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"];
        revision_of_pod(pod) == newest(heard)
            && pod["metadata"]["deletionTimestamp"].is_null()
            && ready["status"] != "True"
            && (late || pod["status"]["phase"] == "Failed" || waits == "CrashLoopBackOff")
    })
}

/// Pods that were available when they were asked to go, and on whose nodes none has been ready
/// since: never more than the bound. (For how long a pod stays ready nobody knows who hears of it
/// later; that is checked by what was heard.)
#[derive(Default)]
pub struct Taken {
    nodes: BTreeSet<String>,
}

impl Taken {
    pub fn take(&mut self, node: &str) {
        self.nodes.insert(node.to_owned());
    }

    pub fn look(&mut self, cluster: &Cluster) {
        let truth = &cluster.objects;
        self.nodes.retain(|node| {
            let mut pods = cluster.pods().into_iter().filter(|(_, pod)| pod["spec"]["nodeName"] == **node);
            !pods.any(|(_, pod)| {
                let lives = pod["metadata"]["deletionTimestamp"].is_null();
                lives && pod["status"]["conditions"][0]["status"] == "True"
            })
        });
        let most = bound(truth);
        assert!(self.nodes.len() <= most, "{:?} are away at one time, of {most}", self.nodes);
    }
}

/// Whether all is done, in truth.
pub fn is_complete(cluster: &Cluster) -> bool {
    let truth = &cluster.objects;
    cluster.nodes().iter().all(|node| stands(truth, node, cluster.now) == Stands::New)
}
