//! What a user's own rules may ask about the cluster, beside what placement needs.
//!
//! Each relation of `rules/cluster.dl` is filled only when it is asked for: a rule that
//! reads no capacity costs no parsing of quantities.

mod clock;
mod node;
mod template;

use serde_json::Value;

use crate::datalog::{Program, RelationId, Sym};
use crate::facts::encoder::{Asked, Encoder};
use crate::kube::requests::{self, Side};
use crate::kube::{Body, Pod};
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
        self.pod_fields(pod, it);
        if self.uses(relations::pod_request) {
            for (resource, amount) in &*self.asked_by(pod) {
                self.row(relations::pod_request, &[it, *resource, *amount]);
            }
        }
    }

    /// What a pod asks for; of pods made from one template it is found once.
    fn asked_by(&mut self, pod: &Pod) -> Asked {
        match &pod.body {
            Body::Made(base) => {
                if let Some(known) = self.requests.get(&base.id) {
                    return known.clone();
                }
                let asked = self.asked_of(&base.value);
                self.requests.insert(base.id.clone(), asked.clone());
                asked
            }
            Body::Written(value) | Body::Read(value) => self.asked_of(value),
            Body::Stored => Asked::default(),
        }
    }

    /// What a pod or what is made from a template asks for.
    fn asked_of(&mut self, pod: &Value) -> Asked {
        let asked = requests::of_pod(pod, Side::Requests);
        let symbols = &mut self.symbols;
        asked.iter().map(|(name, it)| (symbols.text(name), symbols.number(it.value))).collect()
    }
}
