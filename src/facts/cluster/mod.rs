//! What a user's own rules may ask about the cluster, beside what placement needs.
//!
//! Each relation of `rules/cluster.dl` is filled only when it is asked for: a rule that
//! reads no capacity costs no parsing of quantities.

mod clock;
mod node;
mod template;

use crate::datalog::{Program, RelationId, Sym};
use crate::facts::encoder::Encoder;
use crate::kube::{Kind, Pod};

/// The relations of this folder whose rows begin with an object of `kind`.
pub(super) fn owned(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Node => node::OWNED,
        Kind::DaemonSet => template::OWNED,
        Kind::Pod => &["pod_name", "pod_namespace", "pod_label", "pod_phase"],
        _ => &[],
    }
}

/// The relations of this folder that are given anew each time.
pub(super) const REST: &[&str] = clock::OWNED;

/// Whether deriving `wanted` needs what only whole manifests of nodes say.
#[must_use]
pub fn wants_details(program: &Program, wanted: &[RelationId]) -> bool {
    let needed = program.needed(wanted);
    node::OF_DETAILS.iter().any(|name| program.relation(name).is_some_and(&needed))
}

impl Encoder {
    pub(super) fn pod_details(&mut self, pod: &Pod, it: Sym) {
        let key = &pod.meta.key;
        self.text_row("pod_name", it, &[&key.name]);
        self.text_row("pod_namespace", it, &[&key.namespace]);
        self.text_row("pod_phase", it, &[&pod.phase]);
        if self.uses("pod_label") {
            for (key, value) in pod.meta.labels.iter() {
                self.text_row("pod_label", it, &[key, value]);
            }
        }
    }
}
