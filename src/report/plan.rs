//! A plan as a person reads it: by daemonset, wave by wave, each line with its reason.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::Table;
use super::eviction::evictions_text;
use super::look::{Detail, Look};
use super::summed::{is_large, summed};
use super::waiting::{kept_off_text, waiting_text};
use crate::diagnostic::visible;
use crate::kube::{Kind, ObjectKey};
use crate::plan::{Action, BURST, Burst, Change, Plan, Verb};

/// Actions of one daemonset that [`Detail::Short`] shows.
const SHOWN: usize = 8;

/// What is done to pods, in the order in which it is counted.
const POD_VERBS: [Verb; 8] = [
    Verb::Create,
    Verb::Delete,
    Verb::Adopt,
    Verb::Release,
    Verb::Relabel,
    Verb::Evict,
    Verb::Preempt,
    Verb::Bind,
];

/// Writes a plan: what changes for each daemonset, then one summary line.
///
/// # Errors
/// Where writing fails.
pub fn plan_text(plan: &Plan, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let paint = look.paint;
    if plan.objects.iter().any(|object| look.done || object.change != Change::Unchanged) {
        writeln!(out)?;
    }
    if look.detail == Detail::Short && is_large(plan) {
        summed(plan, paint, out)?;
    } else {
        in_full(plan, look, out)?;
    }
    for waiting in &plan.waiting {
        waiting_text(waiting, look, out)?;
    }
    for (daemonset, why) in &plan.left_alone {
        let why = format!("{}, so nothing is done for it", visible(why));
        writeln!(out, "{} {daemonset}: {why}", paint.changed("left alone"))?;
    }
    kept_off_text(&plan.kept_off, look, out)?;
    evictions_text(&plan.evictions, look, out)?;
    if !plan.waiting.is_empty()
        || !plan.evictions.is_empty()
        || !plan.left_alone.is_empty()
        || !plan.kept_off.is_empty()
    {
        writeln!(out)?;
    }
    if plan.causes_omitted > 0 {
        let pods = plan.causes_omitted;
        let more =
            format!("why {pods} more of these pods may not stay, `dsrules explain DAEMONSET NODE` says");
        writeln!(out, "{}\n", paint.dim(more))?;
    }
    writeln!(out, "{}", paint.strong(summary(plan, look.done)))
}

/// Each daemonset with what is done to its pods, and why.
fn in_full(plan: &Plan, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let paint = look.paint;
    for (daemonset, steps) in by_daemonset(plan) {
        let name = daemonset.map_or_else(|| "pods of no daemonset".to_owned(), ToString::to_string);
        writeln!(out, "{}", paint.strong(name))?;
        write_steps(plan, &steps, look, out)?;
        writeln!(out)?;
    }
    Ok(())
}

/// One name a line, behind what is done to it: `create pod/kube-system/fluentd-x`.
///
/// # Errors
/// Where writing fails.
pub fn plan_names(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    for action in plan.waves.iter().flat_map(|wave| &wave.actions) {
        let kind = action.verb.kind().resource();
        writeln!(out, "{} {kind}/{}", action.verb.name(), action.object)?;
    }
    Ok(())
}

/// Each daemonset's actions with the number of their wave, from 1, in time order.
type Steps<'a> = Vec<(usize, &'a Action)>;

fn by_daemonset(plan: &Plan) -> BTreeMap<Option<&ObjectKey>, Steps<'_>> {
    let mut all: BTreeMap<_, Steps> = BTreeMap::new();
    for (wave, number) in plan.waves.iter().zip(1..) {
        for action in &wave.actions {
            all.entry(action.daemonset.as_ref()).or_default().push((number, action));
        }
    }
    for steps in all.values_mut() {
        steps.sort_by_key(|(wave, action)| (*wave, action.verb, &action.node, &action.object));
    }
    all
}

fn write_steps(plan: &Plan, steps: &Steps, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let paint = look.paint;
    let shown = if look.detail == Detail::Wide || steps.len() <= SHOWN + 1 { steps.len() } else { SHOWN };
    let (first, rest) = steps.split_at(shown);
    let mut waves: Vec<usize> = steps.iter().map(|(wave, _)| *wave).collect();
    waves.dedup();
    for wave in first.chunk_by(|a, b| a.0 == b.0) {
        let indent = if waves.len() > 1 {
            let number = waves.iter().position(|number| *number == wave[0].0).unwrap_or(0) + 1;
            writeln!(out, "  {}", paint.dim(format!("wave {number} of {}", waves.len())))?;
            "    "
        } else {
            "  "
        };
        write_wave(plan, wave, indent, look, out)?;
        if look.detail == Detail::Wide {
            write_burst(&Burst::of(wave.iter().map(|(_, action)| *action)), indent, look, out)?;
        }
    }
    if !rest.is_empty() {
        let more = format!("… and {} more ({}); -o wide shows them", rest.len(), counted(rest, look.done));
        writeln!(out, "  {}", paint.dim(more))?;
    }
    Ok(())
}

/// How Kubernetes' controller would send a wave, where that is not all at once.
fn write_burst(burst: &Burst, indent: &str, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut parts = Vec::new();
    if burst.syncs > 1 {
        parts.push(format!("{} syncs of at most {BURST} creates and {BURST} deletes", burst.syncs));
    }
    if burst.slow_start.len() > 1 {
        let sizes: Vec<String> = burst.slow_start.iter().map(ToString::to_string).collect();
        parts.push(format!("creates in batches of {}", sizes.join(", ")));
    }
    if parts.is_empty() {
        return Ok(());
    }
    writeln!(out, "{indent}{}", look.paint.dim(format!("as the controller sends it: {}", parts.join(", "))))
}

/// One line an action: sign, verb, node, pod, reason, in columns.
fn write_wave(
    plan: &Plan,
    wave: &[(usize, &Action)],
    indent: &str,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let paint = look.paint;
    let tense = |verb| {
        let said = if look.done { done(verb) } else { verb.name() };
        said.split('-').next().unwrap_or(said)
    };
    let mut table = Table::default();
    for (_, action) in wave {
        table.row([
            format!("{} {}", sign(action.verb), tense(action.verb)),
            action.node.as_deref().unwrap_or("-").to_owned(),
            match action.verb.kind() {
                Kind::ControllerRevision => format!("revision {}", action.object.name),
                Kind::DaemonSet => format!("daemonset {}", action.object.name),
                _ => action.object.name.to_string(),
            },
            reason(plan, action),
        ]);
    }
    let mut plain = Vec::new();
    table.write(&mut plain, indent, false)?;
    // A line's cells are laid out first and coloured afterwards, by its sign.
    for (line, (_, action)) in String::from_utf8_lossy(&plain).lines().zip(wave) {
        let (head, tail) = line.split_at(indent.len() + 2 + tense(action.verb).len());
        let head = match sign(action.verb) {
            '+' => paint.good(head),
            '-' => paint.bad(head),
            _ => paint.changed(head),
        };
        writeln!(out, "{head}{tail}")?;
    }
    Ok(())
}

/// Why: the rule that asks for it, and where a pod may not be, the rule that says so.
fn reason(plan: &Plan, action: &Action) -> String {
    let reason = action.reason();
    let pair = action.daemonset.clone().zip(action.node.clone());
    match pair.and_then(|pair| plan.causes.get(&pair)) {
        Some(cause) if action.verb == Verb::Delete => {
            format!("{}: {cause}", reason.trim_end_matches('.'))
        }
        _ => reason,
    }
}

/// `3 to create, 1 to delete`, or `3 created, 1 deleted`, in the verbs' order.
fn counted(steps: &[(usize, &Action)], is_done: bool) -> String {
    let mut counts: BTreeMap<Verb, usize> = BTreeMap::new();
    for (_, action) in steps {
        *counts.entry(action.verb).or_default() += 1;
    }
    let parts: Vec<String> = counts.iter().map(|(verb, n)| count_of(*n, *verb, is_done)).collect();
    parts.join(", ")
}

fn count_of(count: usize, verb: Verb, is_done: bool) -> String {
    let what = if is_done { done(verb).to_owned() } else { format!("to {}", verb.name()) };
    format!("{count} {}", what.replace('-', " "))
}

/// The last line: what the plan does to pods, and to objects where that is all.
fn summary(plan: &Plan, is_done: bool) -> String {
    let actions = || plan.waves.iter().flat_map(|wave| &wave.actions);
    let count = |verb| actions().filter(|action| action.verb == verb).count();
    let pods = POD_VERBS
        .into_iter()
        .map(|verb| (verb, count(verb)))
        .filter(|(verb, count)| *count > 0 || matches!(verb, Verb::Create | Verb::Delete))
        .map(|(verb, count)| count_of(count, verb, is_done))
        .collect::<Vec<_>>()
        .join(", ");
    let waves = match plan.waves.len() {
        0 | 1 => String::new(),
        n => format!(", in {n} waves"),
    };
    let head = if is_done { "Applied" } else { "Plan" };
    let changed = plan.objects.iter().any(|object| object.change != Change::Unchanged);
    let rest = standing(plan);
    match (actions().next().is_some(), changed) {
        (true, _) => format!("{head}: {pods}{waves}."),
        (false, true) => format!("{head}: no pod changes; {rest}."),
        (false, false) => format!("No changes: {rest}."),
    }
}

/// How things stand where no pod changes; nothing is claimed of daemonsets that there are not.
fn standing(plan: &Plan) -> &'static str {
    if !plan.waiting.is_empty() {
        return "what is missing waits, see above";
    }
    match (plan.statuses.is_empty(), plan.left_alone.is_empty()) {
        (true, true) => "there is no daemonset",
        (true, false) => "nothing is done for what is left alone, see above",
        (false, false) => "every node runs what the rules ask for, but for what is left alone, see above",
        (false, true) if plan.statuses.iter().all(|(_, status)| status.desired_number_scheduled == 0) => {
            "no daemonset has a node to run on"
        }
        (false, true) => "every node runs what the rules ask for",
    }
}

fn sign(verb: Verb) -> char {
    match verb {
        Verb::Create | Verb::CreateRevision => '+',
        Verb::Delete | Verb::DeleteRevision | Verb::DeleteDaemonset | Verb::Evict | Verb::Preempt => '-',
        _ => '~',
    }
}

/// The verb as something that was done.
fn done(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "created",
        Verb::Delete => "deleted",
        Verb::Adopt => "adopted",
        Verb::Release => "released",
        Verb::Relabel => "relabelled",
        Verb::CreateRevision => "created-revision",
        Verb::RenumberRevision => "renumbered-revision",
        Verb::AdoptRevision => "adopted-revision",
        Verb::ReleaseRevision => "released-revision",
        Verb::DeleteRevision => "deleted-revision",
        Verb::DeleteDaemonset => "deleted-daemonset",
        Verb::Evict => "evicted",
        Verb::Preempt => "preempted",
        Verb::Bind => "bound",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::plan::{Applied, Wave};
    use crate::report::Paint;

    fn action(verb: Verb, node: &str, pod: &str) -> Action {
        Action {
            daemonset: Some(ObjectKey::new("kube-system", "fluentd")),
            verb,
            node: Some(node.into()),
            object: ObjectKey::new("kube-system", pod),
            because: std::sync::Arc::new(crate::plan::Because {
                sentence: "{Node} has to run a pod of kube-system/fluentd".into(),
                rule: String::new(),
            }),
        }
    }

    fn text(plan: &Plan, detail: Detail, paint: bool) -> String {
        let mut out = Vec::new();
        plan_text(plan, Look { detail, paint: Paint(paint), done: false }, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_plan_of_one_wave_is_one_list() {
        let actions =
            vec![action(Verb::Create, "a", "fluentd-1"), action(Verb::Delete, "node-b", "fluentd-22")];
        let plan = Plan { waves: vec![Wave { time: 0, actions }], ..Plan::default() };
        assert_eq!(
            text(&plan, Detail::Short, false),
            "kube-system/fluentd\n  \
             + create   a        fluentd-1    a has to run a pod of kube-system/fluentd\n  \
             - delete   node-b   fluentd-22   node-b has to run a pod of kube-system/fluentd\n\n\
             Plan: 1 to create, 1 to delete.\n"
        );
        assert!(text(&plan, Detail::Short, true).contains("\u{1b}[32m  + create\u{1b}[0m   a"));
    }

    #[test]
    fn waves_are_numbered_and_a_long_rollout_is_counted() {
        let wave = |n: usize| {
            let verb = if n.is_multiple_of(2) { Verb::Delete } else { Verb::Create };
            Wave { time: n as i64, actions: vec![action(verb, &format!("n{n:02}"), "fluentd-1")] }
        };
        let plan = Plan { waves: (0..20).map(wave).collect(), ..Plan::default() };
        let short = text(&plan, Detail::Short, false);
        assert!(short.contains("  wave 2 of 20\n    + create   n01"), "{short}");
        assert!(short.contains("… and 12 more (6 to create, 6 to delete); -o wide shows them"), "{short}");
        assert!(short.ends_with("Plan: 10 to create, 10 to delete, in 20 waves.\n"), "{short}");
        assert!(text(&plan, Detail::Wide, false).contains("wave 20 of 20"));
    }

    #[test]
    fn a_wide_plan_tells_the_controllers_bursts() {
        let actions =
            |count: usize| (0..count).map(|at| action(Verb::Create, "a", &at.to_string())).collect();
        let plan = |count| Plan { waves: vec![Wave { time: 0, actions: actions(count) }], ..Plan::default() };
        assert!(!text(&plan(1), Detail::Wide, false).contains("controller"));
        assert!(!text(&plan(300), Detail::Short, false).contains("controller"));
        let few = text(&plan(5), Detail::Wide, false);
        assert!(few.contains("  as the controller sends it: creates in batches of 1, 2, 2\n"), "{few}");
        let many = text(&plan(300), Detail::Wide, false);
        let told = "  as the controller sends it: 2 syncs of at most 250 creates and 250 deletes, \
                    creates in batches of 1, 2, 4, 8, 16, 32, 64, 123\n";
        assert!(many.contains(told), "{many}");
    }

    #[test]
    fn nothing_to_do_says_so_and_new_objects_without_pods_too() {
        assert!(
            text(&Plan::default(), Detail::Short, false).starts_with("No changes: there is no daemonset")
        );
        let objects =
            vec![Applied { kind: Kind::Node, key: ObjectKey::new("", "a"), change: Change::Created }];
        let plan = Plan { objects, ..Plan::default() };
        assert_eq!(text(&plan, Detail::Short, false), "\nPlan: no pod changes; there is no daemonset.\n");
    }
}
