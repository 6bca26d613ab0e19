//! What eviction by taints asks: what pods tolerate and for how long, and since when a
//! node has its taints.
//!
//! Pods that were made from one template tolerate the same, so a list of tolerations is
//! given once for all that have it.

use std::fmt::Write as _;

use serde_json::Value;

use super::encoder::Encoder;
use crate::datalog::Sym;
use crate::kube::{Body, Node, Pod, Toleration, list};
use crate::policy::relations;

impl Encoder {
    /// What eviction asks of a pod.
    pub(super) fn tolerant_pod(&mut self, pod: &Pod, it: Sym) {
        if !self.uses(relations::pod_tolerance) {
            return;
        }
        let tolerance = match &pod.body {
            Body::Made(base) => match self.tolerances.get(&base.id) {
                Some(known) => *known,
                None => {
                    let tolerance = self.tolerance(&base.value);
                    self.tolerances.insert(base.id.clone(), tolerance);
                    tolerance
                }
            },
            Body::Written(value) | Body::Read(value) => self.tolerance(value),
            Body::Stored => return,
        };
        self.row(relations::pod_tolerance, &[it, tolerance]);
    }

    /// The tolerations of a pod; their rows are given with the first that has them. The
    /// symbol says all that they say, so that others are another.
    fn tolerance(&mut self, pod: &Value) -> Sym {
        let tolerations: Vec<Toleration> =
            list(&pod["spec"], "tolerations").map(Toleration::from_value).collect();
        let mut text = String::from("what tolerates");
        for toleration in &tolerations {
            let _ = write!(text, " {toleration}");
            if let Some(seconds) = toleration.seconds {
                let _ = write!(text, " for {seconds}s");
            }
        }
        let it = self.text(&text);
        if !self.first("tolerance", it) {
            return it;
        }
        for (toleration, order) in tolerations.iter().zip(0..) {
            let order = self.symbols.number(order);
            let row = [it, order, self.toleration(toleration)];
            self.row(relations::listed_toleration, &row);
            if let Some(seconds) = toleration.seconds {
                let row = [it, order, self.symbols.number(seconds)];
                self.row(relations::toleration_seconds, &row);
            }
        }
        it
    }

    /// What eviction asks of a node.
    pub(super) fn tainted_node(&mut self, node: &Node, it: Sym) {
        for taint in &node.taints {
            // A store of before this was kept does not say it: then the node came with it.
            let since = taint.since.unwrap_or(node.meta.created);
            let row = [it, self.taint(taint), self.symbols.number(since)];
            self.row(relations::taint_since, &row);
        }
    }
}
