//! A small cluster as manifests, and what may happen to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use dsrules::kube::{Kind, ObjectKey};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// What may happen.
#[derive(Debug, Clone)]
pub enum Deed {
    Nothing,
    /// A node comes or goes.
    Node(u8),
    /// It gets another label, or loses it.
    Label(u8, u8),
    /// It gets a taint, or loses it.
    Taint(u8, bool),
    /// Another image: a rollout.
    Image,
    /// A daemonset comes or goes.
    DaemonSet(u8),
    /// A pod of nobody's comes, says something else, or goes.
    Pod(u8),
    /// Other rules of the user's.
    Rules,
    /// A command deletes something.
    Delete(Kind, ObjectKey),
}

/// A deed by chance.
pub fn deed(runner: &mut TestRunner) -> Deed {
    let deed = prop_oneof![
        1 => Just(Deed::Nothing),
        3 => (0..8_u8).prop_map(Deed::Node),
        4 => (0..8_u8, 0..3_u8).prop_map(|(node, label)| Deed::Label(node, label)),
        3 => (0..8_u8, any::<bool>()).prop_map(|(node, hard)| Deed::Taint(node, hard)),
        2 => Just(Deed::Image),
        2 => (0..3_u8).prop_map(Deed::DaemonSet),
        2 => (0..2_u8).prop_map(Deed::Pod),
        1 => Just(Deed::Rules),
        2 => (0..8_u8).prop_map(|node| Deed::Delete(Kind::Node, ObjectKey::new("", format!("n{node}")))),
        1 => (0..3_u8).prop_map(|it| Deed::Delete(Kind::DaemonSet, ObjectKey::new("default", format!("d{it}")))),
    ];
    deed.new_tree(runner).unwrap().current()
}

/// What the manifests say.
#[derive(Debug, Default)]
pub struct Cluster {
    /// Nodes that are away, and what others have.
    away: BTreeSet<u8>,
    labels: BTreeMap<u8, u8>,
    taints: BTreeMap<u8, bool>,
    image: u32,
    without: BTreeSet<u8>,
    pods: BTreeMap<u8, u32>,
    rules: u32,
}

impl Cluster {
    pub fn do_it(&mut self, deed: &Deed) {
        match deed {
            Deed::Nothing | Deed::Delete(..) => {}
            Deed::Node(node) => toggle(&mut self.away, *node),
            Deed::Label(node, label) => match self.labels.get(node) {
                Some(there) if there == label => _ = self.labels.remove(node),
                _ => _ = self.labels.insert(*node, *label),
            },
            Deed::Taint(node, hard) => match self.taints.get(node) {
                Some(there) if there == hard => _ = self.taints.remove(node),
                _ => _ = self.taints.insert(*node, *hard),
            },
            Deed::Image => self.image += 1,
            Deed::DaemonSet(it) => toggle(&mut self.without, *it),
            Deed::Pod(pod) => match self.pods.get(pod).copied() {
                Some(said) if said > 2 => _ = self.pods.remove(pod),
                said => _ = self.pods.insert(*pod, said.unwrap_or(0) + 1),
            },
            Deed::Rules => self.rules += 1,
        }
    }

    /// A command deleted it, and so the manifests lose it as well.
    pub fn lose(&mut self, kind: Kind, key: &ObjectKey) {
        let number = key.name[1..].parse().unwrap();
        _ = if kind == Kind::Node { self.away.insert(number) } else { self.without.insert(number) };
    }

    /// The user's rules, where there are any.
    pub fn rules(&self) -> Option<String> {
        let node = self.rules % 3;
        (node > 0).then(|| {
            format!(
                "/// {{Node}} is kept free.\nblocked(DaemonSet, Node) :- daemonset(DaemonSet), node(Node), Node = \"n{node}\".\n"
            )
        })
    }

    pub fn manifests(&self) -> String {
        let mut text = String::from("apiVersion: v1\nkind: Namespace\nmetadata: {name: default}\n");
        for node in (0..8).filter(|node| !self.away.contains(node)) {
            let label = self.labels.get(&node).map_or(String::new(), |it| format!(", disk: d{it}"));
            let taint = self.taints.get(&node).map_or(String::new(), |hard| {
                let effect = if *hard { "NoExecute" } else { "NoSchedule" };
                format!("spec: {{taints: [{{key: a, effect: {effect}}}]}}\n")
            });
            let meta = format!("{{name: n{node}, labels: {{of: n{node}{label}}}}}");
            _ = write!(text, "---\napiVersion: v1\nkind: Node\nmetadata: {meta}\n{taint}");
        }
        for it in (0..3).filter(|it| !self.without.contains(it)) {
            let selector = if it == 2 { ", nodeSelector: {disk: d1}" } else { "" };
            let image = if it == 0 { self.image } else { 0 };
            _ = write!(
                text,
                "---\napiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{name: d{it}, namespace: default}}\nspec:\n\
                 \x20 selector: {{matchLabels: {{app: d{it}}}}}\n  template:\n    metadata: {{labels: {{app: d{it}}}}}\n\
                 \x20   spec: {{containers: [{{name: c, image: \"x:{image}\"}}]{selector}}}\n"
            );
        }
        for (pod, said) in &self.pods {
            _ = write!(
                text,
                "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{pod}, namespace: default, annotations: {{a: \"{said}\"}}}}\n\
                 spec: {{nodeName: n1, containers: [{{name: c, image: \"y:1\"}}]}}\n"
            );
        }
        text
    }
}

fn toggle(set: &mut BTreeSet<u8>, it: u8) {
    if !set.remove(&it) {
        set.insert(it);
    }
}
