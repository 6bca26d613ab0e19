//! What a user's own rules may ask about the cluster, beside what placement needs.

use super::Grounding;
use crate::datalog::Sym;
use crate::model::{DaemonSet, Kind, Node, Pod};

/// The relations of this file whose rows begin with an object of `kind`.
pub(super) fn owned(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Node => &["node_label", "node_number", "node_taint"],
        Kind::DaemonSet => &["daemonset_name", "daemonset_label", "template_label"],
        _ => &[],
    }
}

impl Grounding {
    pub(super) fn node_details(&mut self, node: &Node, it: Sym) {
        if self.asks_for(Kind::Node) {
            self.node_rows(node, it);
        }
    }

    fn node_rows(&mut self, node: &Node, it: Sym) {
        for (key, value) in node.meta.labels.iter() {
            let number = value.parse::<i64>().ok();
            let (key, value) = (self.text(key), self.text(value));
            self.row("node_label", &[it, key, value]);
            if let Some(number) = number {
                let number = self.symbols.number(number);
                self.row("node_number", &[it, key, number]);
            }
        }
        for taint in &node.taints {
            let row = [it, self.text(&taint.key), self.text(&taint.value), self.text(&taint.effect)];
            self.row("node_taint", &row);
        }
    }

    /// Whether anyone asks for details of objects of `kind`; few do.
    fn asks_for(&mut self, kind: Kind) -> bool {
        owned(kind).iter().any(|name| self.relation(name).is_some())
    }

    pub(super) fn daemonset_details(&mut self, daemonset: &DaemonSet, it: Sym) {
        if !self.asks_for(Kind::DaemonSet) {
            return;
        }
        let name = self.text(&daemonset.meta.key.name);
        self.row("daemonset_name", &[it, name]);
        for (key, value) in daemonset.meta.labels.iter() {
            let (key, value) = (self.text(key), self.text(value));
            self.row("daemonset_label", &[it, key, value]);
        }
        for (key, value) in daemonset.template.labels.iter() {
            let (key, value) = (self.text(key), self.text(value));
            self.row("template_label", &[it, key, value]);
        }
    }

    pub(super) fn pod_details(&mut self, _pod: &Pod, _it: Sym) {}
}
