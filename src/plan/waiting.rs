//! What daemonsets that are not done wait for, and where rules keep them off.
//!
//! Which pods and nodes are waited for, and why, are relations of `rules/waiting.dl`; the
//! bounds of a rollout are counted here, as they are in its steps, and said beside them.

use std::collections::BTreeMap;

use super::context::Context;
use super::rollout::bounds;
use super::tally::Tally;
use crate::datalog::{Row, Sym};
use crate::diagnostic::counted;
use crate::kube::{DaemonSet, Name, ObjectKey, Status};
use crate::policy::relations;
use crate::reason::Reasoner;
use crate::state::World;

/// A daemonset that is not done, and what it waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The daemonset.
    pub daemonset: ObjectKey,
    /// What it waits for, in one sentence without a full stop.
    pub reason: String,
    /// The rule that says so, where one does: `rules/waiting.dl:99`.
    pub rule: Option<String>,
    /// How many pods of a former template there are.
    pub outdated: usize,
    /// The bound that keeps the rollout from going on.
    pub limit: Option<Limit>,
    /// The nodes that are waited for, in name order, each with why.
    pub nodes: Vec<Awaited>,
}

/// A node that is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awaited {
    /// The node.
    pub node: Name,
    /// The pod on it because of which.
    pub pod: Option<Name>,
    /// Why.
    pub reason: String,
    /// The rule that says so.
    pub rule: String,
    /// When it is over by itself, in seconds of Unix time.
    pub until: Option<i64>,
    /// Whether a rule of the user's holds the pod.
    pub held: bool,
}

/// A bound of a rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// `maxUnavailable` or `maxSurge`.
    pub field: &'static str,
    /// As it is written, or its default.
    pub written: String,
    /// How many nodes that is.
    pub nodes: usize,
    /// Of so many.
    pub desired: usize,
    /// How many count against it now.
    pub used: usize,
}

/// Nodes that a daemonset fits and that a rule of the user's keeps it off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptOff {
    /// The daemonset.
    pub daemonset: ObjectKey,
    /// The sentence of the rule, about the first of the nodes.
    pub reason: String,
    /// The rule, as `policy.dl:7`.
    pub rule: String,
    /// The nodes of which the rule says the same.
    pub nodes: Vec<Name>,
}

/// So many nodes are asked about one by one; of more all are asked about at once.
const ROWS_EXPLAINED: usize = 1000;

/// What each daemonset of a world that was derived from waits for.
#[must_use]
pub fn waiting(reasoner: &Reasoner, world: &World) -> Vec<Waiting> {
    let tally = Tally::of(reasoner);
    let context = Context::new(reasoner, world, &tally);
    let waiting = |daemonset: &DaemonSet| {
        let it = reasoner.symbols().find_text(&daemonset.meta.key.to_string())?;
        let found = context.waiting(daemonset, &context.status(daemonset, it));
        // What has no pod yet does not wait: there is something to do.
        found.filter(|it| it.outdated > 0 || !it.nodes.is_empty())
    };
    world.daemonsets.values().filter_map(waiting).collect()
}

/// Where rules of the user's keep daemonsets off nodes that they fit.
#[must_use]
pub fn kept_off(reasoner: &Reasoner) -> Vec<KeptOff> {
    let mut rows: Vec<(ObjectKey, Name, Row)> = reasoner
        .rows(relations::kept_off)
        .map(|row| (reasoner.key(row[0]), reasoner.name(row[1]), row))
        .collect();
    rows.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    let all = if rows.len() > ROWS_EXPLAINED { reasoner.told_of_all(relations::blocked) } else { None };
    let mut found: Vec<KeptOff> = Vec::new();
    let mut groups: BTreeMap<(ObjectKey, String, String), usize> = BTreeMap::new();
    for (at, (daemonset, node, row)) in rows.into_iter().enumerate() {
        let pair = [row[0], row[1]];
        let known = all.as_ref().and_then(|all| all.get(&pair[..]).cloned());
        let asked = || (at < ROWS_EXPLAINED).then(|| reasoner.told(relations::blocked, &pair)).flatten();
        let (reason, rule) = known
            .or_else(asked)
            .unwrap_or_else(|| ("a rule of your own blocks it there".to_owned(), String::new()));
        let group = (daemonset.clone(), rule.clone(), alike(&reason, &node));
        if let Some(at) = groups.get(&group) {
            found[*at].nodes.push(node);
            continue;
        }
        groups.insert(group, found.len());
        found.push(KeptOff { daemonset, reason, rule, nodes: vec![node] });
    }
    found
}

/// A sentence without the name of the node that it is about, so that what is said of
/// many nodes is told once.
#[must_use]
pub fn alike(sentence: &str, node: &str) -> String {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '-' || c == '_');
    let mut text = String::new();
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once(node).filter(|_| !node.is_empty()) {
        text.push_str(before);
        let inside = is_part(text.chars().next_back()) || is_part(after.chars().next());
        text.push_str(if inside { node } else { "the node" });
        rest = after;
    }
    text.push_str(rest);
    text
}

impl Context<'_> {
    /// What a daemonset with this status waits for; nothing where it is done.
    pub(super) fn waiting(&self, daemonset: &DaemonSet, status: &Status) -> Option<Waiting> {
        let key = &daemonset.meta.key;
        let it = self.reasoner.symbols().find_text(&key.to_string())?;
        let outdated = self.tally.count(relations::outdated, it);
        let desired = status.desired_number_scheduled;
        let behind = desired - status.updated_number_scheduled;
        if outdated == 0 && status.number_unavailable <= 0 && behind <= 0 {
            return None;
        }
        let mut nodes = self.awaited(it);
        nodes.extend(self.held(it));
        nodes.sort_by(|a, b| (&a.node, &a.pod).cmp(&(&b.node, &b.pod)));
        nodes.dedup();
        let (reason, rule, limit) = if outdated > 0 {
            self.kept(daemonset, it, outdated)
        } else if status.number_unavailable > 0 {
            let unavailable = status.number_unavailable;
            (format!("{} no available pod yet", have(unavailable, desired)), None, None)
        } else {
            (format!("{} no pod of the current template yet", have(behind, desired)), None, None)
        };
        Some(Waiting { daemonset: key.clone(), reason, rule, outdated, limit, nodes })
    }

    /// The nodes that are waited for, each with the pods because of which.
    fn awaited(&self, it: Sym) -> Vec<Awaited> {
        let mut found = Vec::new();
        for row in self.reasoner.rows_of(relations::awaited_node, &[it]) {
            let node = row[1];
            let before = found.len();
            found.extend(self.pods_awaited(it, node));
            if found.len() > before {
                continue;
            }
            let counts = [relations::unavailable_node, relations::surging];
            let told = counts.iter().find_map(|relation| self.reasoner.told(*relation, &[it, node]));
            if let Some((reason, rule)) = told {
                let node = self.reasoner.name(node);
                found.push(Awaited {
                    node,
                    pod: None,
                    reason: bare(&reason),
                    rule,
                    until: None,
                    held: false,
                });
            }
        }
        found
    }

    fn pods_awaited(&self, it: Sym, node: Sym) -> Vec<Awaited> {
        let Some(evaluation) = self.reasoner.evaluation() else { return Vec::new() };
        let mut found = Vec::new();
        for cause in self.causes(relations::awaited) {
            for row in evaluation.rows_with_prefix(cause.relation, &[it, node]) {
                let number = |name| cause.value(name, &row).map(|sym| self.reasoner.number(sym));
                // Ready for longer than minReadySeconds is a second later.
                let until = match (number("Time"), number("Seconds")) {
                    (Some(since), Some(seconds)) => Some(since.saturating_add(seconds).saturating_add(1)),
                    (until, _) => until,
                };
                let pod = cause.value("Pod", &row).map(|pod| self.reasoner.key(pod));
                let refused = pod.as_ref().and_then(|pod| self.world.refused.get(pod).zip(Some(&pod.name)));
                found.push(Awaited {
                    node: self.reasoner.name(node),
                    reason: match refused {
                        Some((refusal, pod)) => format!("{pod} is pending, {}", refusal.said),
                        None => bare(&cause.sentence(self.reasoner, &row)),
                    },
                    pod: pod.map(|pod| pod.name),
                    rule: cause.rule().to_owned(),
                    until,
                    held: false,
                });
            }
        }
        found
    }

    /// Pods of a former template that rules hold, each in the words of its rule.
    fn held(&self, it: Sym) -> Vec<Awaited> {
        let prefix = [it];
        let many = self.reasoner.len(relations::held) > ROWS_EXPLAINED;
        let all =
            self.holds.get_or_init(|| if many { self.reasoner.told_of_all(relations::hold) } else { None });
        let most = if all.is_some() { usize::MAX } else { ROWS_EXPLAINED };
        let held = self.reasoner.rows_of(relations::held, &prefix).take(most).filter_map(|row| {
            let pair = [it, row[2]];
            let known = all.as_ref().and_then(|all| all.get(&pair[..]).cloned());
            let (reason, rule) = known.or_else(|| self.reasoner.told(relations::hold, &pair))?;
            Some(Awaited {
                node: self.reasoner.name(row[2]),
                pod: Some(self.reasoner.key(row[1]).name),
                reason: bare(&reason),
                rule,
                until: None,
                held: true,
            })
        });
        held.collect()
    }

    /// What keeps pods of a former template: in one sentence, the rule, the bound.
    fn kept(
        &self,
        daemonset: &DaemonSet,
        it: Sym,
        outdated: usize,
    ) -> (String, Option<String>, Option<Limit>) {
        let pods = format!("{} of a former template", counted(outdated, "pod"));
        let verb = if outdated == 1 { "waits" } else { "wait" };
        let limit = self.limit(daemonset, it);
        let free = limit.as_ref().is_some_and(|limit| limit.used < limit.nodes);
        let below = if free { self.reasoner.told(relations::below_bounds, &[it]) } else { None };
        let limit = limit.filter(|_| below.is_none());
        // Only of a world that is not reconciled: there the next pass takes some.
        let why = if free { relations::goes_on } else { relations::waits };
        let Some((why, rule)) = below.or_else(|| self.reasoner.told(why, &[it])) else {
            return (format!("{pods} {verb}"), None, None);
        };
        let mut reason = format!("{pods} {verb}: {}", bare(&why));
        if let Some(limit) = &limit {
            reason.push_str("; ");
            reason.push_str(&limit.says());
        }
        (reason, Some(rule), limit)
    }

    /// The bound of a rollout that is under way, and how much of it is used.
    fn limit(&self, daemonset: &DaemonSet, it: Sym) -> Option<Limit> {
        let desired = self.desired(it);
        let (unavailable, surge) = bounds(self, daemonset, it, desired);
        let strategy = &daemonset.strategy;
        let (field, written, nodes, counts) = if self.has(relations::at_max_surge, it) {
            ("maxSurge", strategy.max_surge, surge, relations::surging)
        } else if self.has(relations::at_max_unavailable, it) {
            ("maxUnavailable", strategy.max_unavailable, unavailable, relations::unavailable_node)
        } else {
            return None;
        };
        let used = self.tally.count(counts, it);
        Some(Limit { field, written: written.to_string(), nodes, desired, used })
    }
}

impl Limit {
    /// What it is and how much of it is used.
    fn says(&self) -> String {
        let Limit { written, nodes, desired, used, .. } = self;
        let count = if *used == 1 { "counts" } else { "count" };
        let of = counted(*desired, "node");
        if written.ends_with('%') {
            format!("it is {written}, {nodes} of {of}, and {used} {count} against it")
        } else {
            format!("it is {written}, and {used} of {of} {count} against it")
        }
    }
}

/// A sentence as a part of another one.
fn bare(sentence: &str) -> String {
    sentence.trim_end_matches('.').to_owned()
}

/// `3 of 5 nodes have`, `1 of 1 node has`: what so many of them do.
fn have(some: i64, all: i64) -> String {
    let nodes = counted(usize::try_from(all).unwrap_or(0), "node");
    format!("{some} of {nodes} {}", if some == 1 { "has" } else { "have" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_about_nodes_are_alike_but_for_the_whole_name() {
        assert_eq!(
            alike("a is small and a-1 is not, a.", "a"),
            "the node is small and a-1 is not, the node."
        );
        assert_eq!(alike("nothing", ""), "nothing");
        assert_eq!(alike("ab ba a", "a"), "ab ba the node");
    }

    #[test]
    fn a_bound_is_told_as_written_and_as_computed() {
        let limit = |written: &str, nodes, used| {
            Limit { field: "maxUnavailable", written: written.to_owned(), nodes, desired: 10, used }.says()
        };
        assert_eq!(limit("20%", 2, 1), "it is 20%, 2 of 10 nodes, and 1 counts against it");
        assert_eq!(limit("1", 1, 3), "it is 1, and 3 of 10 nodes count against it");
    }
}
