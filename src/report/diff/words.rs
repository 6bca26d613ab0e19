//! What text and markdown say alike.

use serde_json::Value;

use crate::app::diff::{Diff, Move, Rollout};
use crate::diagnostic::counted;
use crate::plan::Change;

/// A value of a field is told up to here.
const VALUE_SHOWN: usize = 160;

/// How many pods come, go and are replaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) gained: usize,
    pub(super) lost: usize,
    pub(super) replaced: usize,
    pub(super) before: usize,
    pub(super) after: usize,
}

impl Counts {
    pub(super) fn of(diff: &Diff) -> Counts {
        let moved =
            |gained: bool| diff.moves.iter().filter(|it| it.gained == gained).map(|it| it.nodes.len()).sum();
        Counts {
            gained: moved(true),
            lost: moved(false),
            replaced: diff.rollouts.iter().map(Rollout::replaced).sum(),
            before: diff.pods.values().map(|(before, _)| before).sum(),
            after: diff.pods.values().map(|(_, after)| after).sum(),
        }
    }
}

/// The one line that says all.
pub(super) fn summary(diff: &Diff) -> String {
    let Counts { gained, lost, replaced, before, after } = Counts::of(diff);
    let mut parts = Vec::new();
    for (count, what) in [(gained, "comes"), (lost, "goes"), (replaced, "is replaced")] {
        match count {
            0 => {}
            1 => parts.push(format!("1 pod {what}")),
            many => parts.push(format!("{many} pods {}", plural(what))),
        }
    }
    let pods = match before == after {
        true => format!("{} before and after", counted(before, "pod")),
        false => format!("{} before, {after} after", counted(before, "pod")),
    };
    match (parts.is_empty(), diff.is_changed()) {
        (true, false) => format!("Nothing changes: {pods}."),
        (true, true) => format!("No pod comes, goes or is replaced: {pods}."),
        (false, _) => format!("{}: {pods}.", parts.join(", ")),
    }
}

fn plural(what: &str) -> &str {
    match what {
        "comes" => "come",
        "goes" => "go",
        _ => "are replaced",
    }
}

/// Why pods come or go.
pub(super) fn because(it: &Move) -> String {
    let because = it.because.join(", and ");
    let is_plain = because.is_empty() || ["the ", "it "].iter().any(|lead| because.starts_with(lead));
    match (is_plain, it.gained) {
        (true, _) => because,
        (false, true) => format!("kept off before, the node {because}"),
        (false, false) => format!("kept off now, the node {because}"),
    }
}

/// How pods are replaced.
pub(super) fn rollout(it: &Rollout) -> String {
    let sizes: Vec<String> = it.waves.iter().map(|wave| wave.len().to_string()).collect();
    let why = if it.template { "another template" } else { "no other template" };
    let waves = match it.waves.len() {
        0 => String::new(),
        1 => format!(", {} replaced at once", counted(it.replaced(), "pod")),
        // Most waves are of one size.
        waves => {
            let most = it.waves.iter().map(Vec::len).max().unwrap_or_default();
            let each = if sizes.iter().all(|size| *size == sizes[0]) { "each" } else { "at most" };
            format!(", {} replaced in {waves} waves of {each} {most}", counted(it.replaced(), "pod"))
        }
    };
    let left = match it.left {
        0 => String::new(),
        left => format!(", {} left with a former one ({})", counted(left, "pod"), it.strategy),
    };
    format!("{why}{waves}{left}")
}

/// A value of a field, shortened.
pub(super) fn value(value: Option<&Value>) -> String {
    let text = match value {
        None => return "(none)".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    shortened(&text, VALUE_SHOWN)
}

/// A text up to so many letters.
pub(super) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// The sign of what became of an object.
pub(super) fn sign(change: Change) -> &'static str {
    match change {
        Change::Created => "+",
        Change::Pruned | Change::Deleted => "-",
        Change::Configured | Change::Unchanged => "~",
    }
}
