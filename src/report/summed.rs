//! A large plan, summed up: by daemonset, by cause and by zone. `-o wide` tells it in full.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::{Paint, Table};
use crate::plan::{Action, Plan, Verb, alike};

/// With more actions than this a plan is large.
const LARGE: usize = 150;
/// So many rows of each table are shown.
const SHOWN: usize = 20;

/// How often something is created, deleted, and otherwise changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    created: usize,
    deleted: usize,
    other: usize,
}

impl Counts {
    fn add(&mut self, verb: Verb) {
        match verb {
            Verb::Create => self.created += 1,
            Verb::Delete | Verb::Evict | Verb::Preempt => self.deleted += 1,
            _ => self.other += 1,
        }
    }

    fn all(self) -> usize {
        self.created + self.deleted + self.other
    }

    fn cells(self) -> [String; 3] {
        [self.created, self.deleted, self.other].map(|count| match count {
            0 => "-".to_owned(),
            count => count.to_string(),
        })
    }
}

/// Whether a plan is too large to be read line by line.
pub(super) fn is_large(plan: &Plan) -> bool {
    plan.waves.iter().map(|wave| wave.actions.len()).sum::<usize>() > LARGE
}

/// Writes the sums.
///
/// # Errors
/// Where writing fails.
pub(super) fn summed(plan: &Plan, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let actions = || plan.waves.iter().flat_map(|wave| &wave.actions);
    let mut daemonsets: BTreeMap<String, (Counts, BTreeSet<usize>)> = BTreeMap::new();
    for (number, action) in
        plan.waves.iter().enumerate().flat_map(|(at, wave)| wave.actions.iter().map(move |it| (at, it)))
    {
        let name = action.daemonset.as_ref().map_or_else(|| "(no daemonset)".to_owned(), ToString::to_string);
        let (counts, waves) = daemonsets.entry(name).or_default();
        counts.add(action.verb);
        waves.insert(number);
    }
    let rows = daemonsets.into_iter().map(|(name, (counts, waves))| (name, counts, Some(waves.len())));
    table("DAEMONSET", rows.collect(), out)?;
    let mut causes: BTreeMap<String, Counts> = BTreeMap::new();
    actions().for_each(|action| causes.entry(cause(plan, action)).or_default().add(action.verb));
    table("CAUSE", causes.into_iter().map(|(cause, counts)| (cause, counts, None)).collect(), out)?;
    if !plan.zones.is_empty() {
        let mut zones: BTreeMap<String, Counts> = BTreeMap::new();
        for action in actions() {
            let Some(node) = &action.node else { continue };
            let zone = plan.zones.get(node).map_or("(no zone)", |zone| zone);
            zones.entry(zone.to_owned()).or_default().add(action.verb);
        }
        table("ZONE", zones.into_iter().map(|(zone, counts)| (zone, counts, None)).collect(), out)?;
    }
    writeln!(out, "{}\n", paint.dim("This is a large plan, summed up; -o wide tells all of it."))
}

/// One table, the largest first.
fn table(head: &str, mut rows: Vec<(String, Counts, Option<usize>)>, out: &mut dyn Write) -> io::Result<()> {
    rows.sort_by(|a, b| b.1.all().cmp(&a.1.all()).then_with(|| a.0.cmp(&b.0)));
    let with_waves = rows.iter().any(|(.., waves)| waves.is_some());
    let mut heads = vec!["CREATE", "DELETE", "OTHER"];
    if with_waves {
        heads.push("WAVES");
    }
    heads.push(head);
    let more = rows.len().saturating_sub(SHOWN);
    let mut table = Table::new(heads);
    for (name, counts, waves) in rows.into_iter().take(SHOWN) {
        let waves = waves.map(|waves| waves.to_string());
        table.row(counts.cells().into_iter().chain(waves).chain([name]));
    }
    table.write(out, "", true)?;
    if more > 0 {
        writeln!(out, "… and {more} more")?;
    }
    writeln!(out)
}

/// Why, said of no one in particular: what the rule says, or what keeps the pod off.
fn cause(plan: &Plan, action: &Action) -> String {
    let pair = action.daemonset.clone().zip(action.node.clone()).filter(|_| action.verb == Verb::Delete);
    if let Some((key, cause)) = pair.and_then(|pair| Some((pair.clone(), plan.causes.get(&pair)?))) {
        return alike(cause, &key.1).replace(&key.0.to_string(), "the daemonset");
    }
    [
        ("{DaemonSet}", "the daemonset"),
        ("{Node}", "the node"),
        ("{Pod}", "the pod"),
        ("{Revision}", "the revision"),
    ]
    .into_iter()
    .fold(action.because.sentence.to_string(), |text, (variable, name)| text.replace(variable, name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use super::*;
    use crate::kube::ObjectKey;
    use crate::plan::{Because, Wave};

    #[test]
    fn a_large_plan_is_summed_up_by_daemonset_cause_and_zone() {
        let because =
            Arc::new(Because { sentence: "{Node} should run {DaemonSet}.".into(), rule: String::new() });
        let action = |nth: usize| Action {
            daemonset: Some(ObjectKey::new("ns", format!("ds-{}", nth % 2))),
            verb: if nth < 120 { Verb::Create } else { Verb::Delete },
            node: Some(format!("n{nth}").into()),
            object: ObjectKey::new("ns", format!("pod-{nth}")),
            because: because.clone(),
        };
        let mut plan = Plan {
            waves: (0..4)
                .map(|at| Wave { time: 0, actions: (at * 50..at * 50 + 50).map(action).collect() })
                .collect(),
            ..Plan::default()
        };
        plan.zones = (0..100).map(|nth| (format!("n{nth}").into(), "a".into())).collect();
        assert!(is_large(&plan));
        let mut out = Vec::new();
        summed(&plan, Paint(false), &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "CREATE   DELETE   OTHER   WAVES   DAEMONSET\n\
             60       40       -       4       ns/ds-0\n\
             60       40       -       4       ns/ds-1\n\n\
             CREATE   DELETE   OTHER   CAUSE\n\
             120      80       -       the node should run the daemonset.\n\n\
             CREATE   DELETE   OTHER   ZONE\n\
             20       80       -       (no zone)\n\
             100      -        -       a\n\n\
             This is a large plan, summed up; -o wide tells all of it.\n\n"
        );
    }
}
