//! Many nodes, or many daemonsets, by what keeps pods off: few groups, told by cause.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::ask::Answers;
use super::cause::causes;
use crate::datalog::explain::{Goal, Tried};
use crate::kube::Name;
use crate::policy::relations;

/// Those with one reason in common: nodes of a daemonset, or daemonsets of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// What keeps pods off; none if no rule says why.
    pub because: Vec<String>,
    /// Their names, in order.
    #[serde(flatten)]
    pub names: Named,
    /// Further reasons that some of them have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Also>,
    /// Of those, the ones where there is a pod all the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub with_pod: Vec<Name>,
}

/// Names of things of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Named {
    /// Nodes.
    Nodes(Vec<Name>),
    /// Daemonsets, as `namespace/name`.
    Daemonsets(Vec<Name>),
}

impl Named {
    /// The names, in order.
    #[must_use]
    pub fn names(&self) -> &[Name] {
        let (Named::Nodes(names) | Named::Daemonsets(names)) = self;
        names
    }
}

/// A further reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Also {
    /// What.
    pub because: String,
    /// Who has it, in order.
    pub names: Vec<Name>,
}

/// What keeps pods off, gathered for one after another.
#[derive(Debug, Default)]
pub(super) struct Reasons {
    /// By the groups that the rules compare, which have equal reasons.
    known: BTreeMap<(String, String), Vec<String>>,
    /// The sentences of a rule of a user's own, by its place.
    sentences: BTreeMap<String, BTreeSet<String>>,
    /// Each with its reasons; a rule of a user's own by its place.
    all: Vec<(Name, Vec<String>)>,
}

/// So many different sentences of one rule are told.
const SENTENCES_SHOWN: usize = 3;

impl Reasons {
    /// Takes in a daemonset that may not start on a node, by their groups; `blocked` is
    /// the goal that a rule of a user's own blocks it, if one does.
    pub fn add(
        &mut self,
        answers: &mut Answers<'_>,
        name: &Name,
        (class, profile): (&str, &str),
        blocked: Option<&Goal>,
        node: &str,
    ) {
        let pair = (class.to_owned(), profile.to_owned());
        let mut because = match self.known.get(&pair) {
            Some(known) => known.clone(),
            None => {
                let goal = answers.goal(relations::may_start, &[class, profile]).filter(|goal| !goal.holds);
                let found: Vec<String> = goal.iter().flat_map(causes).map(|cause| cause.says()).collect();
                self.known.insert(pair, found.clone());
                found
            }
        };
        for tried in blocked.iter().flat_map(|goal| &goal.rules) {
            let place = format!("{}:{}", tried.rule.file, tried.rule.line);
            self.sentences.entry(place.clone()).or_default().insert(said(tried, node));
            if !because.contains(&place) {
                because.push(place);
            }
        }
        self.all.push((name.clone(), because));
    }

    /// Few groups: each by the reason that most have of those that are left.
    pub fn groups(self, occupied: &BTreeSet<Name>, named: fn(Vec<Name>) -> Named) -> Vec<Group> {
        let mut left = self.all;
        let mut groups = Vec::new();
        while !left.is_empty() {
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            for reason in left.iter().flat_map(|(_, because)| because) {
                *counts.entry(reason).or_default() += 1;
            }
            let most = counts.iter().max_by(|(a, n), (b, m)| n.cmp(m).then(b.cmp(a)));
            let most = most.map(|(reason, _)| (*reason).to_owned());
            let (group, others): (Vec<_>, Vec<_>) = left
                .into_iter()
                .partition(|(_, because)| most.as_ref().is_none_or(|it| because.contains(it)));
            left = others;
            let mut also: BTreeMap<String, Vec<Name>> = BTreeMap::new();
            for (name, because) in &group {
                for reason in because.iter().filter(|reason| Some(*reason) != most.as_ref()) {
                    also.entry(reason.clone()).or_default().push(name.clone());
                }
            }
            let mut also: Vec<Also> =
                also.into_iter().map(|(because, names)| Also { because, names }).collect();
            also.sort_by(|a, b| (b.names.len(), &a.because).cmp(&(a.names.len(), &b.because)));
            for also in &mut also {
                also.because = text(&self.sentences, &also.because);
            }
            let names: Vec<Name> = group.into_iter().map(|(name, _)| name).collect();
            let with_pod = names.iter().filter(|name| occupied.contains(*name)).cloned().collect();
            let because = most.iter().map(|most| text(&self.sentences, most)).collect();
            groups.push(Group { because, names: named(names), also, with_pod });
        }
        groups
    }
}

/// A reason in words: the sentences of a rule of a user's own, else what it is already.
fn text(sentences: &BTreeMap<String, BTreeSet<String>>, reason: &str) -> String {
    let Some(said) = sentences.get(reason) else { return reason.to_owned() };
    if said.contains("") {
        return format!("is blocked by the rule {reason}");
    }
    let shown: Vec<&str> = said.iter().take(SENTENCES_SHOWN).map(String::as_str).collect();
    let more = said.len() - shown.len();
    let more = if more == 0 { String::new() } else { format!("; and {more} more like it") };
    format!("is blocked by the rule {reason}: {}{more}", shown.join("; "))
}

/// The sentence over a rule, with `the node` for the node's name.
fn said(tried: &Tried, node: &str) -> String {
    let value = |name: &str| {
        let (_, value) = tried.bound.iter().find(|(variable, _)| **variable == *name)?;
        Some(if value == node { "the node".to_owned() } else { value.clone() })
    };
    let mut out = String::new();
    let mut rest: &str = &tried.template;
    while let Some((before, behind)) = rest.split_once('{') {
        out.push_str(before);
        match behind.split_once('}').and_then(|(name, after)| Some((value(name)?, after))) {
            Some((value, after)) => {
                out.push_str(&value);
                rest = after;
            }
            None => {
                out.push('{');
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    out.trim_end_matches('.').to_owned()
}
