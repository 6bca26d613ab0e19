//! What keeps a daemonset's pod off a node, as data: each cause by itself, with what
//! would mend it. Read off the engine's tree; nothing is decided here.

use std::collections::BTreeSet;

use serde::Serialize;

use super::leaf::values;
use super::sentences::{denies, says};
use super::values::{comparison, times, total};
use crate::datalog::explain::{Goal, Part, Tried};

/// One thing that keeps a pod off.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Cause {
    /// The template's nodeName names another node.
    NodeName {
        /// The name.
        name: String,
    },
    /// The template's nodeSelector asks for a label that the node does not have.
    NodeSelector {
        /// The label's key.
        key: String,
        /// The value it must have.
        value: String,
    },
    /// The node matches no term of the required node affinity.
    Affinity {
        /// What fails in each term; empty if there are no terms.
        terms: Vec<TermCause>,
    },
    /// The node has a taint that is not tolerated.
    Taint {
        /// The taint, as `key=value:effect`.
        taint: String,
    },
    /// A rule of the user's blocks it.
    Blocked {
        /// The rule's sentence.
        sentence: String,
        /// The rule, as `policy.dl:7`.
        rule: String,
    },
    /// Something else does, as the rules have it.
    Other {
        /// What.
        what: String,
    },
}

/// What fails in one term of a node affinity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TermCause {
    /// The term.
    pub term: String,
    /// The requirements that the node does not satisfy or that cannot be read.
    pub requirements: Vec<String>,
    /// Of those, the ones that no label of the node can satisfy: they cannot be read, or
    /// are about its name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hopeless: Vec<String>,
}

/// All causes for which a goal does not hold, in the order of the rules.
pub(super) fn causes(goal: &Goal) -> Vec<Cause> {
    let mut found = Vec::new();
    collect(goal, &mut found);
    let mut seen = BTreeSet::new();
    found.retain(|cause| seen.insert(cause.clone()));
    found
}

fn collect(goal: &Goal, found: &mut Vec<Cause>) {
    if goal.input {
        let what = denies(goal).unwrap_or_else(|| format!("there is no {}", goal.fact));
        found.push(Cause::Other { what });
        return;
    }
    for tried in &goal.rules {
        for part in tried.parts.iter().filter(|part| !part.holds()) {
            match part {
                Part::Row(missing) => collect(missing, found),
                Part::Not(there) => found.extend(there.rules.iter().map(|tried| cause(there, tried))),
                Part::Aggregate(it) => found.push(Cause::Other { what: total(it) }),
                Part::Comparison(it) => {
                    let said = comparison(it, false, &times(tried));
                    found.extend(said.map(|what| Cause::Other { what }));
                }
            }
        }
    }
}

/// What a relation that speaks against a pod says.
fn cause(goal: &Goal, tried: &Tried) -> Cause {
    let row = |relation: &str| {
        tried.parts.iter().find_map(|part| match part {
            Part::Row(goal) if goal.relation == relation => values(goal),
            _ => None,
        })
    };
    let text = |value: &str| value.to_owned();
    let said = || {
        let sentence = tried.sentence.clone().or_else(|| says(goal));
        sentence.unwrap_or_else(|| goal.fact.clone()).trim_end_matches('.').to_owned()
    };
    match goal.relation.as_str() {
        "unmatched" => return Cause::Affinity { terms: terms(tried) },
        "unselected" => {
            if let Some([_, name]) = row("class_node_name").as_deref() {
                return Cause::NodeName { name: text(name) };
            }
            if let Some([_, key, value]) = row("class_node_selector").as_deref() {
                return Cause::NodeSelector { key: text(key), value: text(value) };
            }
        }
        "repelled" | "evicted" => {
            if let Some([_, taint]) = row("profile_taint").as_deref() {
                return Cause::Taint { taint: text(taint) };
            }
        }
        "blocked" => {
            let rule = format!("{}:{}", tried.rule.file, tried.rule.line);
            return Cause::Blocked { sentence: said(), rule };
        }
        _ => {}
    }
    Cause::Other { what: said() }
}

/// What fails in each term, from the part that says that none matches.
fn terms(tried: &Tried) -> Vec<TermCause> {
    let affine = tried.parts.iter().find_map(|part| match part {
        Part::Not(goal) if goal.relation == "affine" => Some(goal),
        _ => None,
    });
    let mut terms = Vec::new();
    for tried in affine.iter().flat_map(|goal| &goal.rules) {
        let mut term = None;
        let (mut requirements, mut hopeless) = (Vec::new(), Vec::new());
        for part in &tried.parts {
            match part {
                Part::Row(goal) if goal.relation == "class_term" => {
                    term = values(goal).and_then(|values| values.get(1).map(|term| (*term).to_owned()));
                }
                Part::Row(goal) if goal.relation == "term_matches" => {
                    failing(goal, &mut requirements, &mut hopeless);
                }
                _ => {}
            }
        }
        if let Some(term) = term {
            requirements.dedup();
            terms.push(TermCause { term, requirements, hopeless });
        }
    }
    terms
}

/// The requirements because of which a term does not match.
fn failing(matches: &Goal, out: &mut Vec<String>, hopeless: &mut Vec<String>) {
    for part in matches.rules.iter().flat_map(|tried| &tried.parts) {
        let Part::Not(goal) = part else { continue };
        if !goal.holds || !matches!(goal.relation.as_str(), "fails" | "broken") {
            continue;
        }
        let goal_is_broken = goal.relation == "broken";
        for part in goal.rules.iter().flat_map(|tried| &tried.parts) {
            if let Part::Row(goal) = part
                && matches!(goal.relation.as_str(), "term_expression" | "term_field")
                && let Some([_, requirement]) = values(goal).as_deref()
            {
                let requirement = (*requirement).to_owned();
                if (goal_is_broken || goal.relation == "term_field") && !hopeless.contains(&requirement) {
                    hopeless.push(requirement.clone());
                }
                if !out.contains(&requirement) {
                    out.push(requirement);
                }
            }
        }
    }
}

impl Cause {
    /// What is wrong, said of a node without naming it, so that nodes can be grouped.
    #[must_use]
    pub fn says(&self) -> String {
        match self {
            Cause::NodeName { name } => format!("is not {name}, which nodeName names"),
            Cause::NodeSelector { key, value } => {
                format!("lacks the label {key}={value} of the nodeSelector")
            }
            Cause::Affinity { terms } if terms.is_empty() => {
                "matches no node affinity: it has no terms".to_owned()
            }
            Cause::Affinity { terms } => {
                let terms: Vec<String> = terms.iter().map(TermCause::says).collect();
                format!("does not match the node affinity: {}", terms.join("; nor "))
            }
            Cause::Taint { taint } => format!("has the taint {taint}, which is not tolerated"),
            Cause::Blocked { rule, sentence } => format!("is blocked by the rule {rule}: {sentence}"),
            Cause::Other { what } => what.clone(),
        }
    }

    /// What would mend it, if anything is known to.
    #[must_use]
    pub fn mend(&self, node: &str) -> Option<String> {
        Some(match self {
            Cause::NodeName { .. } => format!("make nodeName {node}, or take it out of the template"),
            Cause::NodeSelector { key, value } => {
                format!("label {node} with {key}={value}, or take {key} out of the nodeSelector")
            }
            Cause::Affinity { terms } if terms.is_empty() => {
                "add a term to the required node affinity, or take it out".to_owned()
            }
            Cause::Affinity { terms } => {
                let one = |term: &TermCause| match (term.requirements.as_slice(), term.hopeless.as_slice()) {
                    ([], _) => format!("give the term \"{}\" a requirement", term.term),
                    (some, []) => {
                        let some = quoted(some);
                        format!("make {node} satisfy {some}, or take that out of the node affinity")
                    }
                    (_, some) => {
                        let some = quoted(some);
                        format!("change {some} in the node affinity, which no label of {node} can satisfy")
                    }
                };
                terms.iter().map(one).collect::<Vec<_>>().join("; or ")
            }
            Cause::Taint { taint } => format!("tolerate {taint}, or remove that taint from {node}"),
            Cause::Blocked { rule, .. } => format!("change the rule {rule}"),
            Cause::Other { .. } => return None,
        })
    }
}

fn quoted(requirements: &[String]) -> String {
    requirements.iter().map(|it| format!("\"{it}\"")).collect::<Vec<_>>().join(" and ")
}

impl TermCause {
    fn says(&self) -> String {
        match self.requirements.as_slice() {
            [] => format!("\"{}\" asks for nothing", self.term),
            some => quoted(some),
        }
    }
}
