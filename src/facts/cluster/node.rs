//! What a user's rules may ask about a node.

use crate::datalog::Sym;
use crate::facts::encoder::Encoder;
use crate::kube::{Details, Node, amount, version};
use crate::policy::relations;

const ROLE: &str = "node-role.kubernetes.io/";

impl Encoder {
    pub(in crate::facts) fn node_details(&mut self, node: &Node, it: Sym) {
        self.node_fields(node, it);
        let of_labels = [
            relations::node_label,
            relations::node_number,
            relations::node_label_version,
            relations::node_role,
        ];
        if of_labels.iter().any(|relation| self.uses(*relation)) {
            for (key, value) in node.meta.labels.iter() {
                self.text_row(relations::node_label, it, &[key, value]);
                if let Ok(number) = value.parse() {
                    self.number_row(relations::node_number, it, &[key], &[number]);
                }
                if let Some(version) = version(value) {
                    self.number_row(relations::node_label_version, it, &[key], &version);
                }
                if let Some(role) = key.strip_prefix(ROLE) {
                    self.text_row(relations::node_role, it, &[role]);
                }
            }
        }
        for taint in &node.taints {
            self.text_row(relations::node_taint, it, &[&taint.key, &taint.value, &taint.effect]);
        }
        if node.unschedulable {
            self.row(relations::node_unschedulable, &[it]);
        }
        self.number_row(relations::node_created, it, &[], &[node.meta.created]);
        if let Some(details) = node.details.clone() {
            self.rest_of_node(&details, it);
        }
    }

    fn rest_of_node(&mut self, details: &Details, it: Sym) {
        for (key, value) in details.annotations.iter() {
            self.text_row(relations::node_annotation, it, &[key, value]);
        }
        for condition in &details.conditions {
            self.text_row(relations::node_condition, it, &[&condition.kind, &condition.status]);
            if let Some(since) = condition.since {
                self.number_row(relations::node_condition_since, it, &[&condition.kind], &[since]);
            }
        }
        for (relation, amounts) in [
            (relations::node_capacity, &details.capacity),
            (relations::node_allocatable, &details.allocatable),
        ] {
            for (resource, quantity) in amounts {
                if let Some(amount) = amount(resource, quantity) {
                    self.number_row(relation, it, &[resource], &[amount]);
                }
            }
        }
        for (field, value) in &details.info {
            self.text_row(relations::node_info, it, &[field, value]);
            if let Some(version) = version(value) {
                self.number_row(relations::node_info_version, it, &[field], &version);
            }
        }
        for (kind, address) in &details.addresses {
            self.text_row(relations::node_address, it, &[kind, address]);
        }
        self.node_network(details, it);
    }
}
