//! One line for each step: what changed, what was done, how long it took.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use dsrules::app::Warnings;
use dsrules::app::watch::{Keeper, Step};
use dsrules::diagnostic::{Diagnostic, counted};
use dsrules::kube::timestamp;
use dsrules::plan::{FINDINGS_TOLD, Verb};
use dsrules::report::{self, FindingLine};
use dsrules::serve::Numbers;
use dsrules::state::Change;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::exit::Failure;

/// So many files are named in a line; more are counted.
const NAMED: usize = 3;

/// A line, as data.
#[derive(Debug, Serialize)]
pub struct Line {
    time: String,
    /// `watching` in the first line, `applied`, `waiting` or `failed` in others.
    event: &'static str,
    files: Vec<String>,
    mended: Vec<String>,
    /// Objects of the manifests by what became of them.
    objects: BTreeMap<&'static str, usize>,
    /// What was done, by verb.
    actions: BTreeMap<&'static str, usize>,
    waves: usize,
    tree: usize,
    waiting: usize,
    /// The files for other programs that were written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exported: Vec<String>,
    /// The files that are in error.
    broken: Vec<String>,
    error: Option<String>,
    /// The violations that refused it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    violations: Vec<FindingLine>,
    /// What rules warn of that is new.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<FindingLine>,
    /// What they warned of and do no longer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    over: Vec<String>,
    milliseconds: f64,
    #[serde(skip)]
    took: Duration,
    #[serde(skip)]
    known: Option<(usize, usize)>,
    #[serde(skip)]
    told: bool,
    #[serde(skip)]
    first: bool,
}

impl Line {
    /// The line about a step.
    pub fn new(step: &Step, keeper: &Keeper, first: bool, took: Duration, now: i64) -> Self {
        let changed = step.plan.objects.iter().filter(|object| object.change != Change::Unchanged);
        let actions = step.plan.waves.iter().flat_map(|wave| &wave.actions);
        Line {
            time: timestamp(now),
            event: match (&step.error, first) {
                (Some(_), _) => "failed",
                (None, true) => "watching",
                (None, false) => "applied",
            },
            files: step.files.clone(),
            mended: step.mended.clone(),
            objects: tally(changed.map(|object| object.change.word())),
            actions: tally(actions.map(|action| verb_name(action.verb)).chain(step.ran.iter().copied())),
            waves: step.plan.waves.len(),
            tree: step.tree.as_ref().map_or(0, |tree| tree.changes.len()),
            waiting: step.plan.waiting.len(),
            exported: step.exported.iter().map(|path| path.display().to_string()).collect(),
            broken: keeper.broken(),
            error: step.error.as_ref().map(|error| error.message.clone()),
            violations: report::finding_lines(&step.refused, true),
            warnings: warnings(step),
            over: step.warnings.over.clone(),
            milliseconds: (took.as_secs_f64() * 1e5).round() / 1e2,
            took,
            known: keeper.folder().map(|folder| (folder.len(), folder.objects())),
            told: !step.told.is_empty(),
            first,
        }
    }

    /// Whether it is the one that says what is watched.
    pub fn is_first(&self) -> bool {
        self.first
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
            && self.mended.is_empty()
            && self.actions.is_empty()
            && self.tree == 0
            && self.exported.is_empty()
            && self.error.is_none()
            && self.warnings.is_empty()
            && self.over.is_empty()
            && !self.told
    }

    /// What it comes to for those who count.
    pub fn numbers(&self, keeper: &Keeper) -> Numbers {
        Numbers {
            took: self.took,
            actions: self.actions.iter().map(|(what, count)| (*what, *count)).collect(),
            failure: keeper.failure().map(|failure| failure.message.clone()),
            unread: keeper.unread().next().map(|unread| unread.message.clone()),
            files: self.known.map_or(0, |(files, _)| files),
            files_in_error: self.broken.len(),
        }
    }

    /// Writes it, at once.
    pub fn write(&self, context: &mut Context) -> Result<(), Failure> {
        if context.json {
            report::write_json_line(self, &mut context.out)?;
        } else {
            writeln!(context.out, "{}", dsrules::diagnostic::visible(&self.text()))?;
        }
        context.out.flush()?;
        Ok(())
    }

    fn text(&self) -> String {
        let what = self.subject();
        let what = if what.is_empty() { what } else { format!("{what}: ") };
        format!("{} {what}{} ({:.1} ms)", self.time, self.parts().join("; "), self.milliseconds)
    }

    /// What was done, and what is not done.
    fn parts(&self) -> Vec<String> {
        let mut parts = Vec::new();
        if !self.mended.is_empty() {
            parts.push(format!("mended {}", some(&self.mended)));
        }
        let objects: Vec<String> =
            self.objects.iter().map(|(what, count)| format!("{count} {what}")).collect();
        if !objects.is_empty() {
            parts.push(format!("objects {}", objects.join(", ")));
        }
        let actions: Vec<String> = self.actions.iter().map(action).collect();
        if !actions.is_empty() {
            parts.push(actions.join(", "));
        }
        parts.extend(self.written());
        if let Some(error) = &self.error {
            parts.push(format!("nothing was changed: {error}"));
        } else if self.objects.is_empty() && self.actions.is_empty() {
            parts.push("nothing to do".to_owned());
        }
        if self.waiting > 0 {
            let wait = if self.waiting == 1 { "waits" } else { "wait" };
            parts.push(format!("{} {wait}", counted(self.waiting, "daemonset")));
        }
        if !self.broken.is_empty() {
            parts.push(format!("in error: {}", some(&self.broken)));
        }
        parts
    }

    /// The files that were written.
    fn written(&self) -> impl Iterator<Item = String> {
        let tree = (self.tree > 0).then(|| format!("{} of the tree written", counted(self.tree, "file")));
        let exported = (!self.exported.is_empty()).then(|| format!("wrote {}", some(&self.exported)));
        tree.into_iter().chain(exported)
    }

    /// What the line is about.
    fn subject(&self) -> String {
        match (self.event, self.known) {
            ("watching", Some((files, objects))) => {
                format!("watching {} with {}", counted(files, "file"), counted(objects, "object"))
            }
            _ if !self.files.is_empty() => some(&self.files),
            _ if self.error.is_some() => String::new(),
            _ => "no file changed".to_owned(),
        }
    }
}

/// What rules warn of that is new, be it a violation that is gone past.
fn warnings(step: &Step) -> Vec<FindingLine> {
    let came = &step.warnings.came;
    [true, false].into_iter().flat_map(|errors| report::finding_lines(came, errors)).collect()
}

/// `1 pod created`.
fn action((what, count): (&&'static str, &usize)) -> String {
    match what.split_once("s ") {
        Some((noun, done)) => format!("{} {done}", counted(*count, noun)),
        None => format!("{count} {what}"),
    }
}

/// How often each name is there.
fn tally(names: impl Iterator<Item = &'static str>) -> BTreeMap<&'static str, usize> {
    let mut tally = BTreeMap::new();
    for name in names {
        *tally.entry(name).or_default() += 1;
    }
    tally
}

/// Tells of a step what is more than a line: what is wrong, what rules say that is new, and
/// what they say no longer. A line of JSON has all but the first.
pub fn tell_all(step: &Step, context: &mut Context) {
    for broken in &step.told {
        tell(broken, context);
    }
    if context.json {
        return;
    }
    // Of what is refused the line says how much, and not what.
    let refused = |error: &&Diagnostic| !step.refused.is_empty() || error.code == "tree-refused";
    context.tell(step.error.iter().filter(refused).cloned().collect());
    tell_warnings(&step.warnings, context);
}

/// Tells what rules warn of that is new, and what they say no longer.
pub fn tell_warnings(warnings: &Warnings, context: &Context) {
    context.tell(warnings.came.iter().flat_map(|it| it.told(FINDINGS_TOLD)).collect());
    for over in &warnings.over {
        context.note(&format!("over: {over}"));
    }
    if warnings.more_over > 0 {
        context.note(&format!("over: {} more", warnings.more_over));
    }
}

/// Tells an error as it comes: with its place, or as a line of JSON.
pub fn tell(error: &Diagnostic, context: &mut Context) {
    if context.json {
        tracing::error!(code = error.code, "{}", error.render(false));
    } else {
        context.tell(vec![error.clone()]);
    }
}

fn some(files: &[String]) -> String {
    match files.len() {
        0..=NAMED => files.join(", "),
        count => format!("{} and {} more", files[..NAMED].join(", "), count - NAMED),
    }
}

fn verb_name(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "pods created",
        Verb::Delete => "pods deleted",
        Verb::Adopt => "pods adopted",
        Verb::Release => "pods released",
        Verb::Relabel => "pods relabelled",
        Verb::CreateRevision => "revisions created",
        Verb::RenumberRevision => "revisions renumbered",
        Verb::AdoptRevision => "revisions adopted",
        Verb::ReleaseRevision => "revisions released",
        Verb::DeleteRevision => "revisions deleted",
        Verb::DeleteDaemonset => "daemonsets deleted",
        Verb::Evict => "pods evicted",
        Verb::Preempt => "pods preempted",
        Verb::Bind => "pods bound",
    }
}
