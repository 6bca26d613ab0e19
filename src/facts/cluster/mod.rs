//! What a user's own rules may ask about the cluster, beside what placement needs.
//!
//! Each relation of `rules/cluster.dl` is filled only when it is asked for: a rule that
//! reads no capacity costs no parsing of quantities.

mod clock;
mod node;
mod template;

use super::Encoder;
use crate::datalog::{Program, RelationId, Sym};
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

    /// A row of an object and texts.
    fn text_row(&mut self, relation: &'static str, it: Sym, texts: &[&str]) {
        if self.uses(relation) {
            let mut row = vec![it];
            row.extend(texts.iter().map(|text| self.symbols.text(text)));
            self.row(relation, &row);
        }
    }

    /// A row of an object, texts and numbers.
    fn number_row(&mut self, relation: &'static str, it: Sym, texts: &[&str], numbers: &[i64]) {
        if self.uses(relation) {
            let mut row = vec![it];
            row.extend(texts.iter().map(|text| self.symbols.text(text)));
            row.extend(numbers.iter().map(|number| self.symbols.number(*number)));
            self.row(relation, &row);
        }
    }

    /// A row for each entry of a map of texts, as annotations are.
    pub(super) fn pairs(&mut self, relation: &'static str, it: Sym, map: &serde_json::Value) {
        if self.uses(relation) {
            for (key, value) in crate::kube::labels_of(map) {
                self.text_row(relation, it, &[&key, &value]);
            }
        }
    }
}
