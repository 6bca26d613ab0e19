//! What happened, the last run first.

use crate::app::open::Database;
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, Name, ObjectKey};
use crate::state::{Done, Group, Led, Move, Run};

/// What is asked of what happened.
#[derive(Debug, Clone)]
pub struct Lookback {
    /// The store.
    pub database: Database,
    /// What it is about.
    pub about: Subject,
    /// Only runs since then, in seconds of Unix time.
    pub since: Option<i64>,
    /// At most so many runs.
    pub most: usize,
    /// So many of what came or went are named of each group.
    pub named: usize,
}

/// What a log is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Everything.
    All,
    /// One object, with what came and went because of it.
    Object(Kind, ObjectKey),
    /// A daemonset on a node.
    Pair(ObjectKey, Name),
}

impl Subject {
    /// Whether something that came or went is a part of it.
    #[must_use]
    pub fn has(&self, group: &Group, node: Option<&str>, object: &ObjectKey) -> bool {
        match self {
            Subject::All => true,
            Subject::Object(Kind::DaemonSet, key) => group.daemonset.as_ref() == Some(key),
            Subject::Object(Kind::Node, key) => node == Some(&*key.name),
            Subject::Object(Kind::Pod, key) => group.pod && object == key,
            Subject::Object(..) => !group.pod && self.is(object),
            Subject::Pair(daemonset, on) => {
                group.pod && group.daemonset.as_ref() == Some(daemonset) && node == Some(&**on)
            }
        }
    }

    fn is(&self, object: &ObjectKey) -> bool {
        matches!(self, Subject::Object(_, key) if key == object)
    }

    /// Whether an object that a run was told to change is it.
    #[must_use]
    pub fn is_led(&self, led: &Led) -> bool {
        match self {
            Subject::All => true,
            Subject::Object(kind, key) => led.kind == *kind && led.key == *key,
            Subject::Pair(daemonset, node) => is_of(led, Some(daemonset), Some(node)),
        }
    }
}

/// Whether an object that a run was told to change is this daemonset or this node.
fn is_of(led: &Led, daemonset: Option<&ObjectKey>, node: Option<&str>) -> bool {
    match led.kind {
        Kind::DaemonSet => daemonset == Some(&led.key),
        Kind::Node => node == Some(&*led.key.name),
        _ => false,
    }
}

/// A run, with what is asked about.
#[derive(Debug, Clone)]
pub struct RunLog {
    /// The run.
    pub run: Run,
    /// What it was told to change, as far as that has to do with what is asked.
    pub led: Vec<Led>,
    /// The user's rules that were other ones than before.
    pub rules: Vec<Name>,
    /// What came and went, together with what it has alike.
    pub groups: Vec<Moved>,
}

/// Things that came or went for one reason.
#[derive(Debug, Clone)]
pub struct Moved {
    /// How many they are.
    pub count: usize,
    /// The first of them.
    pub first: Vec<Move>,
}

/// What happened, the last run first.
#[derive(Debug, Clone)]
pub struct Logged {
    /// The runs.
    pub runs: Vec<RunLog>,
    /// How many more there are that are about it, or may be.
    pub more: bool,
}

/// Looks back.
///
/// # Errors
/// When the store is not there, or is not sound.
pub fn log(request: &Lookback) -> Result<Logged, Diagnostic> {
    let store = request.database.read()?;
    let (mut runs, mut more) = (Vec::new(), false);
    for run in store.runs()? {
        if request.since.is_some_and(|since| run.time < since) {
            break;
        }
        if runs.len() == request.most {
            more = true;
            break;
        }
        let mut counts = Vec::new();
        let done = store.done(run.run, &mut counting(&request.about, request.named, &mut counts))?;
        runs.extend(about(&request.about, run, done, counts));
    }
    Ok(Logged { runs, more })
}

/// Says what is wanted of what came and went: of each group the first few that are about a
/// subject, and how many of it are.
pub(super) fn counting<'a>(
    subject: &'a Subject,
    named: usize,
    counts: &'a mut Vec<(Group, usize)>,
) -> impl FnMut(&Group, Option<&str>, &ObjectKey) -> bool + 'a {
    move |group, node, object| {
        if !subject.has(group, node, object) {
            return false;
        }
        match counts.last_mut() {
            Some((last, count)) if last == group => *count += 1,
            _ => counts.push((group.clone(), 1)),
        }
        counts.last().is_some_and(|(_, count)| *count <= named)
    }
}

/// A run, if it has to do with what is asked.
pub(super) fn about(subject: &Subject, run: Run, done: Done, counts: Vec<(Group, usize)>) -> Option<RunLog> {
    let Done { led, rules, moves } = done;
    let mut moves = moves.into_iter().peekable();
    let mut groups = Vec::new();
    for (group, count) in counts {
        let mut first = Vec::new();
        while let Some(it) = moves.next_if(|it| *it.group == group && first.len() < count) {
            first.push(it);
        }
        groups.push(Moved { count, first });
    }
    if *subject == Subject::All {
        return Some(RunLog { run, led, rules, groups });
    }
    // What led to it is what was changed of the daemonset or of the node; else all that was.
    let near = |led: &&Led| {
        let has = |it: &Move| is_of(led, it.group.daemonset.as_ref(), it.node.as_deref());
        subject.is_led(led) || groups.iter().any(|group| group.first.iter().any(has))
    };
    let mut near: Vec<Led> = led.iter().filter(near).cloned().collect();
    if near.is_empty() && groups.is_empty() {
        return None;
    }
    if near.is_empty() {
        near = led;
    }
    Some(RunLog { run, led: near, rules, groups })
}
