//! What a user's own rules may ask about the cluster, beside what placement needs.
//!
//! Each relation of `rules/cluster.dl` is filled only when it is asked for: a rule that
//! reads no capacity costs no parsing of quantities.

mod clock;
mod node;
mod template;

use crate::datalog::{Program, RelationId, Sym};
use crate::facts::encoder::Encoder;
use crate::kube::Pod;
use crate::policy::relations;

/// Whether deriving `wanted` needs what only whole manifests of nodes say.
#[must_use]
pub fn wants_details(program: &Program, wanted: &[RelationId]) -> bool {
    let needed = program.needed(wanted);
    relations::DETAILS.iter().any(|handle| needed(program.id(*handle)))
}

impl Encoder {
    pub(super) fn pod_details(&mut self, pod: &Pod, it: Sym) {
        let key = &pod.meta.key;
        self.text_row(relations::pod_name, it, &[&key.name]);
        self.text_row(relations::pod_namespace, it, &[&key.namespace]);
        self.text_row(relations::pod_phase, it, &[&pod.phase]);
        if self.uses(relations::pod_label) {
            for (key, value) in pod.meta.labels.iter() {
                self.text_row(relations::pod_label, it, &[key, value]);
            }
        }
    }
}
