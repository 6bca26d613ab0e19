//! Nodes and daemonsets as facts: classes, profiles, and what they consist of.

use std::fmt::Write as _;

use super::{Grounding, Grouping};
use crate::datalog::Sym;
use crate::model::{DaemonSet, Kind, Node, Taint, Term, Toleration, World};

/// The relations whose rows begin with a node.
pub(super) const OF_NODE: &[&str] = &["node", "in_profile"];

/// The relations whose rows begin with a daemonset.
pub(super) const OF_DAEMONSET: &[&str] = &[
    "daemonset",
    "daemonset_namespace",
    "daemonset_uid",
    "daemonset_deleting",
    "selector_requirement",
    "in_class",
    "template",
    "new_hash",
    "min_ready_seconds",
    "update_strategy",
    "surge_of_one",
];

impl Grounding {
    /// Learns which labels and names the daemonsets ask for; true if there is a new one.
    pub(super) fn learn_constraints(&mut self, world: &World) -> bool {
        let before = (self.keys.len(), self.named.len());
        for daemonset in world.daemonsets.values() {
            let template = &daemonset.template;
            self.named.extend(template.node_name.clone());
            self.keys.extend(template.node_selector.keys().cloned());
            for term in template.affinity.iter().flatten() {
                self.keys.extend(term.expressions.iter().map(|requirement| requirement.key.clone()));
                self.named
                    .extend(term.fields.iter().flat_map(|requirement| requirement.values.iter().cloned()));
            }
        }
        before != (self.keys.len(), self.named.len())
    }

    pub(super) fn node(&mut self, node: &Node) {
        let name = self.text(&node.meta.key.name);
        self.row("node", &[name]);
        let profile = self.profile(node);
        self.row("in_profile", &[name, profile]);
        self.node_details(node, name);
    }

    /// The profile a node is in; the profile's own rows are given with its first node.
    fn profile(&mut self, node: &Node) -> Sym {
        let name = &node.meta.key.name;
        let grouped = self.grouping == Grouping::On;
        let is_named = !grouped || self.named.contains(name);
        let labels: Vec<_> = node
            .meta
            .labels
            .iter()
            .filter(|(key, _)| !grouped || self.keys.contains(*key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let profile = if grouped {
            let mut text = String::with_capacity(64);
            for (key, value) in &labels {
                let _ = write!(text, "{key}={value},");
            }
            for taint in &node.taints {
                let _ = write!(text, "{taint},");
            }
            if is_named {
                let _ = write!(text, "name={name}");
            }
            self.text(&text)
        } else {
            self.text(name)
        };
        if !self.first("profile", profile) {
            return profile;
        }
        self.row("profile", &[profile]);
        if is_named {
            let name = self.value(name);
            self.row("profile_name", &[profile, name]);
        }
        for (key, value) in labels {
            let number = value.parse::<i64>().ok();
            let (key, value) = (self.key(&key), self.value(&value));
            self.row("profile_label", &[profile, key, value]);
            if let Some(number) = number {
                let number = self.symbols.number(number);
                self.row("profile_number", &[profile, key, number]);
            }
        }
        for taint in &node.taints {
            let taint = self.taint(taint);
            self.row("profile_taint", &[profile, taint]);
        }
        profile
    }

    fn taint(&mut self, taint: &Taint) -> Sym {
        let symbol = self.text(&taint.to_string());
        if self.first("taint", symbol) {
            let row = [symbol, self.text(&taint.key), self.text(&taint.value), self.text(&taint.effect)];
            self.row("taint", &row);
        }
        symbol
    }

    pub(super) fn daemonset(&mut self, daemonset: &DaemonSet) {
        let meta = &daemonset.meta;
        let it = self.subject(Kind::DaemonSet, &meta.key);
        self.row("daemonset", &[it]);
        let namespace = self.text(&meta.key.namespace);
        self.row("daemonset_namespace", &[it, namespace]);
        let uid = self.text(&meta.uid);
        self.row("daemonset_uid", &[it, uid]);
        if meta.deleting.is_some() {
            self.row("daemonset_deleting", &[it]);
        }
        for requirement in &daemonset.selector.requirements {
            let requirement = self.requirement(requirement);
            self.row("selector_requirement", &[it, requirement]);
        }
        let class = self.class(daemonset, it);
        self.row("in_class", &[it, class]);
        let template = self.text(&daemonset.template.fingerprint);
        self.row("template", &[it, template]);
        let seconds = self.symbols.number(daemonset.min_ready_seconds);
        self.row("min_ready_seconds", &[it, seconds]);
        let strategy = self.text(&daemonset.strategy.kind);
        self.row("update_strategy", &[it, strategy]);
        let surge = daemonset.strategy.max_surge.of(1);
        let surge = self.symbols.number(i64::try_from(surge).unwrap_or(i64::MAX));
        self.row("surge_of_one", &[it, surge]);
        let hash = self.text(&daemonset.template.new_hash());
        self.row("new_hash", &[it, hash]);
        self.daemonset_details(daemonset, it);
    }

    /// The class a daemonset is in; the class's own rows are given with its first member.
    fn class(&mut self, daemonset: &DaemonSet, it: Sym) -> Sym {
        let template = &daemonset.template;
        let class = if self.grouping == Grouping::On {
            let mut text =
                format!("{:?} {:?} {} ", template.node_name, template.node_selector, template.host_network);
            for term in template.affinity.iter().flatten() {
                let _ = write!(text, "{term};");
            }
            let _ = write!(text, " {}", template.affinity.is_some());
            for toleration in &template.tolerations {
                let _ = write!(text, ",{toleration}");
            }
            self.text(&text)
        } else {
            it
        };
        if !self.first("class", class) {
            return class;
        }
        self.row("class", &[class]);
        if let Some(name) = &template.node_name {
            let name = self.value(name);
            self.row("class_node_name", &[class, name]);
        }
        for (key, value) in template.node_selector.iter() {
            let (key, value) = (self.key(key), self.value(value));
            self.row("class_node_selector", &[class, key, value]);
        }
        if let Some(terms) = &template.affinity {
            self.row("class_affinity", &[class]);
            for term in terms {
                let term = self.term(term);
                self.row("class_term", &[class, term]);
            }
        }
        for toleration in &template.tolerations {
            let toleration = self.toleration(toleration);
            self.row("class_toleration", &[class, toleration]);
        }
        if template.host_network {
            self.row("class_host_network", &[class]);
        }
        class
    }

    fn term(&mut self, term: &Term) -> Sym {
        let symbol = self.text(&term.to_string());
        if self.first("term", symbol) {
            for requirement in &term.expressions {
                let requirement = self.requirement(requirement);
                self.row("term_expression", &[symbol, requirement]);
            }
            for requirement in &term.fields {
                let requirement = self.requirement(requirement);
                self.row("term_field", &[symbol, requirement]);
            }
        }
        symbol
    }

    fn toleration(&mut self, toleration: &Toleration) -> Sym {
        let symbol = self.text(&toleration.to_string());
        if self.first("toleration", symbol) {
            let row = [
                symbol,
                self.text(&toleration.key),
                self.text(&toleration.operator),
                self.text(&toleration.value),
                self.text(&toleration.effect),
            ];
            self.row("toleration", &row);
        }
        symbol
    }
}
