//! Nodes and daemonsets as facts: classes, profiles, and what they consist of.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::encoder::Encoder;
use crate::datalog::{Sym, Value};
use crate::kube::{DaemonSet, Kind, Name, Node, Taint, Template, Term, Toleration};
use crate::policy::relations;
use crate::state::World;

impl Encoder {
    /// Learns which labels and names the daemonsets ask for; true if there is a new one.
    pub(super) fn learn_constraints(&mut self, world: &World) -> bool {
        let mut learned = false;
        let mut learn = |known: &mut BTreeSet<Name>, name: &Name| {
            if !known.contains(name) {
                learned = known.insert(name.clone());
            }
        };
        for daemonset in world.daemonsets.values() {
            let template = &daemonset.template;
            template.node_name.iter().for_each(|name| learn(&mut self.named, name));
            template.node_selector.keys().for_each(|key| learn(&mut self.keys, key));
            for term in template.affinity.iter().flatten() {
                term.expressions.iter().for_each(|requirement| learn(&mut self.keys, &requirement.key));
                let names = term.fields.iter().flat_map(|requirement| &requirement.values);
                names.for_each(|name| learn(&mut self.named, name));
            }
        }
        learned
    }

    pub(super) fn node(&mut self, node: &Node) {
        let name = self.text(&node.meta.key.name);
        self.row(relations::node, &[name]);
        let profile = self.profile(node);
        self.row(relations::in_profile, &[name, profile]);
        self.node_details(node, name);
        self.scheduled_node(node, name);
        self.tainted_node(node, name);
    }

    /// The profile a node is in; the profile's own rows are given with its first node.
    fn profile(&mut self, node: &Node) -> Sym {
        let (labels, taints) = (self.labelled(node), self.tainted(node));
        if let Some(profile) = self.profiles.get(&(labels, taints)) {
            return *profile;
        }
        let name = &node.meta.key.name;
        let profile = if self.groups_node(name) { self.whole(&[labels, taints]) } else { self.text(name) };
        self.profiles.insert((labels, taints), profile);
        self.row(relations::profile, &[profile, labels, taints]);
        profile
    }

    /// All nodes with equal labels, of those that are asked for.
    fn labelled(&mut self, node: &Node) -> Sym {
        let name = &node.meta.key.name;
        let grouped = self.groups_node(name);
        let is_named = !grouped || self.named.contains(name);
        let asked = |keys: &BTreeSet<Name>, key: &Name| !grouped || keys.contains(key);
        let it = if grouped {
            let mut text = String::with_capacity(128);
            for (key, value) in node.meta.labels.iter().filter(|(key, _)| asked(&self.keys, key)) {
                for part in [key, "=", value, ","] {
                    text.push_str(part);
                }
            }
            if is_named {
                let _ = write!(text, "name={name}");
            }
            self.text(&text)
        } else {
            self.text(name)
        };
        if !self.first("labelled", it) {
            return it;
        }
        self.row(relations::labelled, &[it]);
        if is_named {
            let name = self.value(name);
            self.row(relations::profile_name, &[it, name]);
        }
        for (key, value) in node.meta.labels.iter() {
            if !asked(&self.keys, key) {
                continue;
            }
            let number = value.parse::<i64>().ok();
            let (key, value) = (self.key(key), self.value(value));
            self.row(relations::profile_label, &[it, key, value]);
            if let Some(number) = number {
                let number = self.symbols.number(number);
                self.row(relations::profile_number, &[it, key, number]);
            }
        }
        it
    }

    /// All nodes with equal taints.
    fn tainted(&mut self, node: &Node) -> Sym {
        let it = if self.groups_node(&node.meta.key.name) {
            let mut text = String::new();
            for taint in &node.taints {
                let _ = write!(text, "{taint},");
            }
            self.text(&text)
        } else {
            self.text(&node.meta.key.name)
        };
        if self.first("tainted", it) {
            for taint in &node.taints {
                let taint = self.taint(taint);
                self.row(relations::profile_taint, &[it, taint]);
            }
        }
        it
    }

    /// The group of what is equal in all of its parts.
    fn whole(&mut self, parts: &[Sym]) -> Sym {
        let mut text = String::with_capacity(256);
        for part in parts {
            if let Value::Text(part) = self.symbols.value(*part) {
                text.push_str(part);
            }
            text.push(' ');
        }
        self.text(&text)
    }

    pub(super) fn taint(&mut self, taint: &Taint) -> Sym {
        let symbol = self.text(&taint.to_string());
        if self.first("taint", symbol) {
            let row = [symbol, self.text(&taint.key), self.text(&taint.value), self.text(&taint.effect)];
            self.row(relations::taint, &row);
        }
        symbol
    }

    pub(super) fn daemonset(&mut self, daemonset: &DaemonSet) {
        let meta = &daemonset.meta;
        let it = self.subject(Kind::DaemonSet, &meta.key);
        self.row(relations::daemonset, &[it]);
        let namespace = self.text(&meta.key.namespace);
        self.row(relations::daemonset_namespace, &[it, namespace]);
        let uid = self.text(&meta.uid.text());
        self.row(relations::daemonset_uid, &[it, uid]);
        if meta.deleting.is_some() {
            self.row(relations::daemonset_deleting, &[it]);
        }
        for requirement in &daemonset.selector.requirements {
            let requirement = self.requirement(requirement);
            self.row(relations::selector_requirement, &[it, requirement]);
        }
        let class = self.class(daemonset, it);
        self.row(relations::in_class, &[it, class]);
        let template = self.text(&daemonset.template.fingerprint);
        self.row(relations::template, &[it, template]);
        let seconds = self.symbols.number(daemonset.min_ready_seconds);
        self.row(relations::min_ready_seconds, &[it, seconds]);
        let strategy = self.text(&daemonset.strategy.kind);
        self.row(relations::update_strategy, &[it, strategy]);
        let strategy = &daemonset.strategy;
        for (relation, amount) in [
            (relations::surge_of_one, strategy.max_surge),
            (relations::unavailable_of_one, strategy.max_unavailable),
        ] {
            let pods = self.symbols.number(i64::try_from(amount.of(1)).unwrap_or(i64::MAX));
            self.row(relation, &[it, pods]);
        }
        let hash = daemonset.new_hash();
        let name = self.text(&format!("{}/{}-{hash}", meta.key.namespace, meta.key.name));
        self.row(relations::new_revision, &[it, name]);
        let hash = self.text(&hash);
        self.row(relations::new_hash, &[it, hash]);
        if let Some(generation) = daemonset.template_generation() {
            let generation = self.text(&generation.to_string());
            self.row(relations::template_generation, &[it, generation]);
        }
        self.daemonset_details(daemonset, it);
    }

    /// The class a daemonset is in; the class's own rows are given with its first member.
    fn class(&mut self, daemonset: &DaemonSet, it: Sym) -> Sym {
        let template = &daemonset.template;
        let own = (!self.groups_daemonset(&daemonset.meta.key)).then_some(it);
        let parts =
            [self.selector(template, own), self.affinity(template, own), self.tolerant(template, own)];
        let class = own.unwrap_or_else(|| self.whole(&parts));
        if self.first("class", class) {
            self.row(relations::class, &[class, parts[0], parts[1], parts[2]]);
        }
        class
    }

    /// All daemonsets with an equal node name and an equal node selector.
    fn selector(&mut self, template: &Template, own: Option<Sym>) -> Sym {
        let it = if let Some(own) = own {
            own
        } else {
            let text = format!("{:?} {:?}", template.node_name, template.node_selector);
            self.text(&text)
        };
        if !self.first("selector", it) {
            return it;
        }
        if let Some(name) = &template.node_name {
            let name = self.value(name);
            self.row(relations::class_node_name, &[it, name]);
        }
        for (key, value) in template.node_selector.iter() {
            let (key, value) = (self.key(key), self.value(value));
            self.row(relations::class_node_selector, &[it, key, value]);
        }
        it
    }

    /// All daemonsets with equal required node affinity.
    fn affinity(&mut self, template: &Template, own: Option<Sym>) -> Sym {
        let it = if let Some(own) = own {
            own
        } else {
            let mut text = String::from(if template.affinity.is_some() { "affinity " } else { "" });
            for term in template.affinity.iter().flatten() {
                let _ = write!(text, "{term};");
            }
            self.text(&text)
        };
        if let (true, Some(terms)) = (self.first("affinity", it), &template.affinity) {
            self.row(relations::class_affinity, &[it]);
            for term in terms {
                let term = self.term(term);
                self.row(relations::class_term, &[it, term]);
            }
        }
        it
    }

    /// All daemonsets with equal tolerations.
    fn tolerant(&mut self, template: &Template, own: Option<Sym>) -> Sym {
        let it = if let Some(own) = own {
            own
        } else {
            let mut text = String::from(if template.host_network { "hostNetwork" } else { "" });
            for toleration in &template.tolerations {
                let _ = write!(text, ",{toleration}");
            }
            self.text(&text)
        };
        if !self.first("tolerant", it) {
            return it;
        }
        self.row(relations::tolerant, &[it]);
        for toleration in &template.tolerations {
            let toleration = self.toleration(toleration);
            self.row(relations::class_toleration, &[it, toleration]);
        }
        if template.host_network {
            self.row(relations::class_host_network, &[it]);
        }
        it
    }

    pub(super) fn term(&mut self, term: &Term) -> Sym {
        let symbol = self.text(&term.to_string());
        if self.first("term", symbol) {
            for requirement in &term.expressions {
                let requirement = self.requirement(requirement);
                self.row(relations::term_expression, &[symbol, requirement]);
            }
            for requirement in &term.fields {
                let requirement = self.requirement(requirement);
                self.row(relations::term_field, &[symbol, requirement]);
            }
        }
        symbol
    }

    pub(super) fn toleration(&mut self, toleration: &Toleration) -> Sym {
        let symbol = self.text(&toleration.to_string());
        if self.first("toleration", symbol) {
            let row = [
                symbol,
                self.text(&toleration.key),
                self.text(&toleration.operator),
                self.text(&toleration.value),
                self.text(&toleration.effect),
            ];
            self.row(relations::toleration, &row);
        }
        symbol
    }
}
