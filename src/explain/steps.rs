//! From the engine's tree to what a person reads.
//!
//! A rule that holds is its sentence with the facts under it. A part that must *not*
//! hold, and does not, is shown by what refutes it: of "selects nodes with the label
//! disk=ssd, and the node does not have it" that is the label. A rule that does not hold
//! is shown by the parts that fail, all of them.

use super::context::Context;
use super::leaf::{is_trivial, key, key_of_requirement, label_of, phrase, source, values};
use super::sentences::{denies, goes_on, says};
use super::step::{Mark, Step};
use super::values::{comparison, times, total, value_of};
use crate::datalog::explain::{Compared, Goal, Part, Total, Tried};

/// Steps that say why a goal holds.
pub(super) fn why(goal: &Goal, told: &Context<'_>) -> Vec<Step> {
    if is_trivial(&goal.relation) && goal.rules.first().is_none_or(|tried| tried.builtin) {
        // Labels are what people look for, wherever they stand.
        let parts = goal.rules.first().into_iter().flat_map(|tried| &tried.parts);
        let labels = parts.filter(|part| matches!(part, Part::Row(goal) if goal.relation == "profile_label"));
        return labels.flat_map(|part| supporting(part, told)).collect();
    }
    if goal.input {
        return vec![fact(goal, told)];
    }
    let Some(tried) = telling(goal) else {
        return if goal.builtin { Vec::new() } else { vec![Step::new(Mark::Fact, note(goal))] };
    };
    // What the tool's rules take for given is no reason.
    if tried.builtin && tried.parts.is_empty() {
        return Vec::new();
    }
    if tried.is_fact {
        return vec![sentence(Mark::Fact, goal, tried, Vec::new())];
    }
    let mut parts = reasons(tried, told);
    parts.extend(replaced(goal, tried, told));
    if tried.builtin {
        // A sentence over a single other one says it twice.
        match parts.as_slice() {
            _ if tried.sentence.is_none() => return parts,
            [only] if only.rule.is_some() => return parts,
            _ => {}
        }
    }
    vec![sentence(Mark::Yes, goal, tried, parts)]
}

/// Of the ways in which a goal holds the one to tell: of a toleration that every daemon
/// pod gets that one, as it takes the place of the template's own.
fn telling(goal: &Goal) -> Option<&Tried> {
    let is_added = |tried: &&Tried| {
        tried.parts.iter().any(|part| matches!(part, Part::Row(goal) if goal.relation == "added_toleration"))
    };
    goal.rules.iter().find(is_added).or(goal.rules.first())
}

/// The template's own toleration whose place an added one takes.
fn replaced(goal: &Goal, tried: &Tried, told: &Context<'_>) -> Option<Step> {
    let added = tried.parts.iter().find_map(|part| match part {
        Part::Row(goal) if goal.relation == "added_toleration" => values(goal),
        _ => None,
    })?;
    let ([it, _, name, effect], "tolerates") = (&added[..], goal.relation.as_str()) else {
        return None;
    };
    let template = &told.world.daemonsets.get(&key(it))?.template;
    let own = template.tolerations.iter().find(|own| {
        *own.key == **name && *own.effect == **effect && &*own.operator == "Exists" && own.value.is_empty()
    })?;
    let seconds = own.seconds?;
    Some(Step::new(
        Mark::Fact,
        format!(
            "it takes the place of the template's own toleration {own}, with tolerationSeconds {seconds}"
        ),
    ))
}

/// Steps for the parts of a rule that holds.
fn reasons(tried: &Tried, told: &Context<'_>) -> Vec<Step> {
    let times = times(tried);
    let mut parts: Vec<Step> = Vec::new();
    for part in &tried.parts {
        match part {
            Part::Not(goal) if !tried.builtin => parts.extend(absent(goal, told)),
            Part::Comparison(it) => parts.extend(of_comparison(Mark::Fact, it, tried.builtin, &times)),
            _ => parts.extend(supporting(part, told)),
        }
    }
    dedup(&mut parts);
    parts
}

fn of_comparison(mark: Mark, compared: &Compared, builtin: bool, times: &[&str]) -> Option<Step> {
    Some(Step::new(mark, comparison(compared, builtin, times)?))
}

/// Why there is no such row, for a rule of a user's own that asks for it or for there being none.
pub(super) fn absent(goal: &Goal, told: &Context<'_>) -> Vec<Step> {
    if goal.input {
        return vec![missing(goal, told)];
    }
    let parts = if goes_on(goal) { lacks(goal, told) } else { Vec::new() };
    let text = denied(goal);
    let nothing_more = |step: &Step| step.parts.is_empty() && (step.text == note(goal) || step.text == text);
    let parts = if parts.iter().all(nothing_more) { Vec::new() } else { parts };
    let note = goal.note.as_ref().map_or_else(String::new, |note| format!(" ({note})"));
    // The only rule that could say so stands beside it.
    let only = match goal.rules.as_slice() {
        [only] if !only.builtin => Some(place(only)),
        _ => None,
    };
    vec![Step { parts, rule: only, ..Step::new(Mark::Missing, format!("{text}{note}")) }]
}

/// That there is no such row.
fn denied(goal: &Goal) -> String {
    let by_rule = || {
        let said = goal.rules.iter().find_map(|tried| tried.sentence.as_deref())?;
        Some(format!("it is not so that {}", tidy(said)))
    };
    let said = if goal.builtin { denies(goal).or_else(by_rule) } else { None };
    said.unwrap_or_else(|| format!("there is no {}", goal.fact))
}

/// What each rule lacks, one of a user's own under its sentence where there are several.
fn lacks(goal: &Goal, told: &Context<'_>) -> Vec<Step> {
    match goal.rules.as_slice() {
        [only] if !only.builtin => failing(only, told),
        _ => why_not(goal, told),
    }
}

/// Steps that say why a goal does not hold: what fails in each rule that could derive it.
pub(super) fn why_not(goal: &Goal, told: &Context<'_>) -> Vec<Step> {
    if goal.input {
        return vec![Step { parts: Vec::new(), ..missing(goal, told) }];
    }
    let mut steps = Vec::new();
    for tried in &goal.rules {
        let parts = failing(tried, told);
        if tried.builtin {
            steps.extend(parts);
        } else {
            steps.push(not_so(tried, parts));
        }
    }
    if goal.cut {
        steps.push(Step::new(Mark::Missing, "and in more ways it does not"));
    }
    if steps.is_empty() {
        let said = match goal.rules.as_slice() {
            _ if !goal.builtin => Some(note(goal)),
            // What was told above, of what has no words but its rules'.
            [] => denies(goal),
            _ => Some(denied(goal)),
        };
        steps.extend(said.map(|text| Step::new(Mark::Missing, text)));
    }
    dedup(&mut steps);
    steps
}

/// A rule that does not hold, with what it lacks.
fn not_so(tried: &Tried, parts: Vec<Step>) -> Step {
    let said = tried.sentence.as_deref().map(|said| format!("not so: {}", tidy(said)));
    let text = said.unwrap_or_else(|| "this rule does not hold".to_owned());
    Step { rule: Some(place(tried)), parts, ..Step::new(Mark::No, text) }
}

/// The parts of a rule that fail; of a user's own, where one is about values, also what they are.
fn failing(tried: &Tried, told: &Context<'_>) -> Vec<Step> {
    let times = times(tried);
    let is_about_values =
        |part: &Part| matches!(part, Part::Comparison(_) | Part::Aggregate(_)) && !part.holds();
    let with_values = !tried.builtin && tried.parts.iter().any(is_about_values);
    let mut steps = Vec::new();
    for part in &tried.parts {
        match part {
            Part::Row(goal) if part.holds() && with_values => steps.extend(given(goal, told)),
            Part::Aggregate(total) if part.holds() && with_values => {
                steps.push(of_total(Mark::Fact, total, told));
            }
            Part::Comparison(it) if part.holds() && with_values => {
                steps.extend(of_comparison(Mark::Fact, it, false, &times));
            }
            _ if part.holds() => {}
            Part::Row(goal) if goal.builtin || goal.input => steps.extend(why_not(goal, told)),
            Part::Row(goal) => steps.extend(absent(goal, told)),
            Part::Not(goal) => {
                steps.extend(obstacle(goal, told));
                steps.extend(others(goal));
            }
            Part::Aggregate(total) => steps.push(of_total(Mark::No, total, told)),
            Part::Comparison(it) => {
                let step = of_comparison(Mark::No, it, false, &times);
                // Without the rule, which is the tool's, a value alone says nothing.
                let name = it.of().filter(|_| tried.builtin);
                steps.extend(step.map(|step| match name {
                    Some(name) => Step { text: format!("{name}: {}", step.text), ..step },
                    None => step,
                }));
            }
        }
    }
    dedup(&mut steps);
    steps
}

/// A row that is there, in a line, if it says something.
fn given(goal: &Goal, told: &Context<'_>) -> Option<Step> {
    if goal.input {
        return (!is_trivial(&goal.relation)).then(|| fact(goal, told));
    }
    (!goal.builtin).then(|| Step::new(Mark::Fact, goal.fact.clone()))
}

/// Further rows that stand in the way.
fn others(goal: &Goal) -> Vec<Step> {
    let (named, more) = match goal.builtin {
        true => (&[][..], goal.others.len() + goal.more),
        false => (goal.others.as_slice(), goal.more),
    };
    let mut steps: Vec<Step> = named.iter().map(|fact| Step::new(Mark::No, format!("{fact} too"))).collect();
    if more > 0 {
        steps.push(Step::new(Mark::No, format!("and {more} more like it")));
    }
    steps
}

/// What holds and must not: every way in which it does.
pub(super) fn obstacle(goal: &Goal, told: &Context<'_>) -> Vec<Step> {
    if goal.input {
        return vec![Step { mark: Mark::No, ..fact(goal, told) }];
    }
    let way = |tried: &Tried| {
        let mut parts = Vec::new();
        if tried.builtin {
            for part in &tried.parts {
                match part {
                    Part::Not(goal) => parts.extend(near_misses(goal, told)),
                    _ => parts.extend(supporting(part, told)),
                }
            }
        } else {
            parts = reasons(tried, told);
        }
        dedup(&mut parts);
        if tried.builtin && tried.sentence.is_none() {
            return parts.into_iter().map(|step| Step { mark: Mark::No, ..step }).collect();
        }
        vec![sentence(Mark::No, goal, tried, parts)]
    };
    if goal.rules.is_empty() {
        return if goal.builtin { Vec::new() } else { vec![Step::new(Mark::No, note(goal))] };
    }
    goal.rules.iter().flat_map(way).collect()
}

/// Steps for a part of a rule of the tool that holds.
fn supporting(part: &Part, told: &Context<'_>) -> Vec<Step> {
    match part {
        Part::Row(goal) => why(goal, told),
        Part::Not(goal) => refutations(goal, told),
        Part::Comparison(it) => of_comparison(Mark::Fact, it, true, &[]).into_iter().collect(),
        Part::Aggregate(total) => vec![of_total(Mark::Fact, total, told)],
    }
}

/// The value of an aggregate, with the first of what makes it.
fn of_total(mark: Mark, it: &Total, told: &Context<'_>) -> Step {
    let mut parts = Vec::new();
    for counted in &it.first {
        let rows = counted.parts.iter().filter_map(|part| match part {
            Part::Row(goal) => Some(goal),
            _ => None,
        });
        let mut of_it: Vec<Step> = rows.flat_map(|goal| shown(goal, told)).collect();
        dedup(&mut of_it);
        match (of_it.len(), value_of(counted, it)) {
            (0 | 1, _) => parts.append(&mut of_it),
            (_, Some(value)) => parts.push(Step { parts: of_it, ..Step::new(Mark::Fact, value) }),
            _ => parts.push(Step { parts: of_it.split_off(1), ..of_it.swap_remove(0) }),
        }
    }
    let more = it.ways.saturating_sub(it.first.len());
    if more > 0 {
        parts.push(Step::new(Mark::Fact, format!("and {more} more")));
    }
    Step { parts, ..Step::new(mark, total(it)) }
}

/// A row that is asked for by itself, also one that only ties things together.
pub(super) fn shown(goal: &Goal, told: &Context<'_>) -> Vec<Step> {
    let several = goal.rules.windows(2).any(|two| place(&two[0]) != place(&two[1]));
    if !goal.holds && !goal.input && several {
        let of_rule = |tried| not_so(tried, failing(tried, told));
        return goal.rules.iter().map(of_rule).filter(|step| !step.parts.is_empty()).collect();
    }
    if !goal.holds {
        return why_not(goal, told);
    }
    if goal.input {
        return vec![fact(goal, told)];
    }
    match goal.rules.first() {
        Some(tried) if tried.is_fact || is_trivial(&goal.relation) => {
            let mark = if tried.is_fact { Mark::Fact } else { Mark::Yes };
            vec![sentence(mark, goal, tried, reasons(tried, told))]
        }
        _ => {
            let steps = why(goal, told);
            let plain = || says(goal).unwrap_or_else(|| goal.fact.clone());
            if steps.is_empty() { vec![Step::new(Mark::Yes, plain())] } else { steps }
        }
    }
}

/// Takes out what is said twice.
fn dedup(steps: &mut Vec<Step>) {
    let mut seen: Vec<Step> = Vec::new();
    steps.retain(|step| {
        let is_new = !seen.contains(step);
        if is_new {
            seen.push(step.clone());
        }
        is_new
    });
}

/// What keeps a goal from holding, where a rule for it applies but for that.
fn refutations(goal: &Goal, told: &Context<'_>) -> Vec<Step> {
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
        let because: Vec<Step> = refuted.into_iter().flat_map(|goal| why(goal, told)).collect();
        let mut asked = held.into_iter().filter_map(|part| match part {
            Part::Row(goal) if goal.input && !is_trivial(&goal.relation) => Some(goal),
            _ => None,
        });
        match asked.next() {
            // What has its own sentence says what it is about.
            Some(asked) if because.iter().all(|step| step.rule.is_none()) => {
                steps.push(Step { mark: Mark::Yes, parts: because, ..fact(asked, told) });
            }
            _ => steps.extend(because),
        }
    }
    steps
}

/// What comes near to a goal that does not hold, under an obstacle.
fn near_misses(goal: &Goal, told: &Context<'_>) -> Vec<Step> {
    match (goal.relation.as_str(), values(goal).as_deref()) {
        ("satisfies", Some([requirement, node])) => {
            vec![Step::new(Mark::Fact, label_of(told.world, node, &key_of_requirement(requirement)))]
        }
        ("profile_label", Some([node, key, _])) => {
            vec![Step::new(Mark::Fact, label_of(told.world, node, key))]
        }
        ("tolerates", Some([_, taint])) => {
            let own = goal.rules.iter().filter_map(|tried| toleration(tried, told));
            own.chain(added(taint, told)).collect()
        }
        ("affine", _) => goal
            .rules
            .iter()
            .filter_map(|tried| {
                let term = tried.parts.iter().find_map(|part| match part {
                    Part::Row(goal) if goal.relation == "class_term" && goal.holds => Some(goal),
                    _ => None,
                })?;
                let failing = tried.parts.iter().find_map(|part| match part {
                    Part::Row(goal) if goal.relation == "term_matches" => Some(goal),
                    _ => None,
                })?;
                Some(Step { mark: Mark::No, parts: why_not(failing, told), ..fact(term, told) })
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// A toleration that does not help, and what of it does not fit.
fn toleration(tried: &Tried, told: &Context<'_>) -> Option<Step> {
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
    let [_, toleration] = values(has)?[..] else { return None };
    let text = format!("toleration {toleration} is for another {}", lacks.join(" and "));
    Some(Step { text, ..fact(has, told) })
}

/// The toleration that every daemon pod gets for a taint of this key, but another effect.
fn added(taint: &str, told: &Context<'_>) -> Option<Step> {
    let name = taint.split(['=', ':']).next()?;
    let (name, effect) = told.added.iter().find(|(key, _)| key == name)?;
    let text = format!(
        "every daemon pod tolerates {name}:{effect}, without a limit of time; this is another effect"
    );
    Some(Step::new(Mark::Fact, text))
}

fn sentence(mark: Mark, goal: &Goal, tried: &Tried, parts: Vec<Step>) -> Step {
    let plain = || says(goal).unwrap_or_else(|| goal.fact.clone());
    let text = tried.sentence.as_deref().map_or_else(plain, tidy);
    Step { rule: Some(place(tried)), parts, ..Step::new(mark, text) }
}

fn place(tried: &Tried) -> String {
    format!("{}:{}", tried.rule.file, tried.rule.line)
}

fn fact(goal: &Goal, told: &Context<'_>) -> Step {
    Step {
        source: source(goal, told.world),
        from: goal.stated.clone(),
        ..Step::new(Mark::Fact, phrase(goal, told))
    }
}

fn missing(goal: &Goal, told: &Context<'_>) -> Step {
    let text = match (goal.relation.as_str(), values(goal).as_deref()) {
        ("profile_label" | "node_label", Some([node, key, _])) => label_of(told.world, node, key),
        _ => denies(goal).unwrap_or_else(|| format!("there is no {}", goal.fact)),
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

/// A sentence as a line of a tree: without its full stop.
fn tidy(sentence: &str) -> String {
    sentence.trim_end_matches('.').to_owned()
}
