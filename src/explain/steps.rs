//! From the engine's tree to what a person reads.
//!
//! A rule that holds is its sentence with the facts under it. A part that must *not*
//! hold, and does not, is shown by what refutes it: of "selects nodes with the label
//! disk=ssd, and the node does not have it" that is the label. A rule that does not hold
//! is shown by the parts that fail, all of them.

use super::leaf::{is_trivial, key_of_requirement, label_of, phrase, source, values};
use super::{Mark, Step};
use crate::datalog::explain::{Goal, Part, Tried};
use crate::model::World;

/// Steps that say why a goal holds.
pub(super) fn why(goal: &Goal, world: &World) -> Vec<Step> {
    if is_trivial(&goal.relation) && goal.rules.first().is_none_or(built_in) {
        // Labels are what people look for, wherever they stand.
        let parts = goal.rules.first().into_iter().flat_map(|tried| &tried.parts);
        let labels = parts.filter(|part| matches!(part, Part::Row(goal) if goal.relation == "profile_label"));
        return labels.flat_map(|part| supporting(part, world)).collect();
    }
    if goal.input {
        return vec![fact(goal, world)];
    }
    let Some(tried) = goal.rules.first() else {
        return vec![Step::new(Mark::Fact, note(goal))];
    };
    let mut parts: Vec<Step> = tried.parts.iter().flat_map(|part| supporting(part, world)).collect();
    parts.dedup();
    // A sentence over a single other one says it twice.
    if let [only] = parts.as_slice()
        && only.rule.is_some()
        && built_in(tried)
    {
        return parts;
    }
    vec![sentence(Mark::Yes, goal, tried, parts)]
}

/// Steps that say why a goal does not hold: what fails in each rule that could derive it.
pub(super) fn why_not(goal: &Goal, world: &World) -> Vec<Step> {
    if goal.input {
        return vec![Step { parts: Vec::new(), ..missing(goal, world) }];
    }
    let mut steps = Vec::new();
    for tried in &goal.rules {
        for part in tried.parts.iter().filter(|part| !part.holds()) {
            match part {
                Part::Row(goal) => steps.extend(why_not(goal, world)),
                Part::Not(goal) => steps.extend(obstacle(goal, world)),
                Part::Comparison(text, _) => steps.push(Step::new(Mark::No, format!("{text} does not hold"))),
            }
        }
    }
    if steps.is_empty() {
        steps.push(Step::new(Mark::Missing, note(goal)));
    }
    steps.dedup();
    steps
}

/// What holds and must not: every way in which it does.
pub(super) fn obstacle(goal: &Goal, world: &World) -> Vec<Step> {
    if goal.input {
        return vec![Step { mark: Mark::No, ..fact(goal, world) }];
    }
    let way = |tried: &Tried| {
        let mut parts: Vec<Step> = Vec::new();
        for part in &tried.parts {
            match part {
                Part::Not(goal) => parts.extend(near_misses(goal, world)),
                _ => parts.extend(supporting(part, world)),
            }
        }
        parts.dedup();
        sentence(Mark::No, goal, tried, parts)
    };
    if goal.rules.is_empty() {
        return vec![Step::new(Mark::No, note(goal))];
    }
    goal.rules.iter().map(way).collect()
}

/// Steps for a part of a rule that holds.
fn supporting(part: &Part, world: &World) -> Vec<Step> {
    match part {
        Part::Row(goal) => why(goal, world),
        Part::Not(goal) => refutations(goal, world),
        Part::Comparison(text, _) => vec![Step::new(Mark::Fact, text.clone())],
    }
}

/// What keeps a goal from holding, where a rule for it applies but for that.
fn refutations(goal: &Goal, world: &World) -> Vec<Step> {
    let mut steps = Vec::new();
    for tried in &goal.rules {
        let (held, failing): (Vec<&Part>, Vec<&Part>) = tried.parts.iter().partition(|part| part.holds());
        let refuted: Vec<&Goal> = failing
            .iter()
            .filter_map(|part| match part {
                Part::Not(goal) => Some(goal),
                _ => None,
            })
            .collect();
        if refuted.is_empty() || refuted.len() < failing.len() {
            continue;
        }
        let because: Vec<Step> = refuted.into_iter().flat_map(|goal| why(goal, world)).collect();
        let mut asked = held.into_iter().filter_map(|part| match part {
            Part::Row(goal) if goal.input && !is_trivial(&goal.relation) => Some(goal),
            _ => None,
        });
        match asked.next() {
            // What has its own sentence says what it is about.
            Some(asked) if because.iter().all(|step| step.rule.is_none()) => {
                steps.push(Step { mark: Mark::Yes, parts: because, ..fact(asked, world) });
            }
            _ => steps.extend(because),
        }
    }
    steps
}

/// What comes near to a goal that does not hold, under an obstacle.
fn near_misses(goal: &Goal, world: &World) -> Vec<Step> {
    match (goal.relation.as_str(), values(goal).as_deref()) {
        ("satisfies", Some([requirement, node])) => {
            vec![Step::new(Mark::Fact, label_of(world, node, &key_of_requirement(requirement)))]
        }
        ("profile_label", Some([node, key, _])) => {
            vec![Step::new(Mark::Fact, label_of(world, node, key))]
        }
        ("tolerates", _) => goal.rules.iter().filter_map(|tried| toleration(tried, world)).collect(),
        ("affine", _) => goal
            .rules
            .iter()
            .filter_map(|tried| {
                let term = tried.parts.iter().find_map(|part| match part {
                    Part::Row(goal) if goal.relation == "class_term" && goal.holds => Some(goal),
                    _ => None,
                })?;
                let failing = tried.parts.iter().find_map(|part| match part {
                    Part::Row(goal) if goal.relation == "matches" => Some(goal),
                    _ => None,
                })?;
                Some(Step { mark: Mark::No, parts: why_not(failing, world), ..fact(term, world) })
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// A toleration that does not help, and what of it does not fit.
fn toleration(tried: &Tried, world: &World) -> Option<Step> {
    let mut has = None;
    let mut lacks = Vec::new();
    for part in &tried.parts {
        let Part::Row(goal) = part else { continue };
        match goal.relation.as_str() {
            "class_toleration" if goal.holds => has = Some(goal),
            "covers_key" if !goal.holds => lacks.push("key"),
            "covers_value" if !goal.holds => lacks.push("value"),
            "covers_effect" if !goal.holds => lacks.push("effect"),
            _ => {}
        }
    }
    let has = has?;
    let text = format!("{} is for another {}", phrase(has), lacks.join(" and "));
    Some(Step { text, ..fact(has, world) })
}

fn sentence(mark: Mark, goal: &Goal, tried: &Tried, parts: Vec<Step>) -> Step {
    let text = tried.sentence.as_deref().map_or_else(|| goal.fact.clone(), tidy);
    let rule = Some(format!("{}:{}", tried.rule.file, tried.rule.line));
    Step { rule, parts, ..Step::new(mark, text) }
}

fn fact(goal: &Goal, world: &World) -> Step {
    Step { source: source(goal, world), from: goal.stated.clone(), ..Step::new(Mark::Fact, phrase(goal)) }
}

fn missing(goal: &Goal, world: &World) -> Step {
    let text = match (goal.relation.as_str(), values(goal).as_deref()) {
        ("profile_label" | "node_label", Some([node, key, _])) => label_of(world, node, key),
        _ => format!("there is no {}", goal.fact),
    };
    Step::new(Mark::Missing, text)
}

fn note(goal: &Goal) -> String {
    match &goal.note {
        Some(note) => format!("{} ({note})", goal.fact),
        None if goal.holds => goal.fact.clone(),
        None => format!("nothing derives {}", goal.fact),
    }
}

fn built_in(tried: &Tried) -> bool {
    crate::rules::BUILTIN.iter().any(|(file, _)| *file == tried.rule.file)
}

/// A sentence as a line of a tree: without its full stop.
fn tidy(sentence: &str) -> String {
    sentence.trim_end_matches('.').to_owned()
}
