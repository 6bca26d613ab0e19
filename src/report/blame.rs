//! Since when a daemonset stands on a node as it does, and by whose change.

use std::collections::BTreeSet;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::data::API_VERSION;
use super::explain::{explanation_document, steps_text};
use super::log::{LogLook, run_document, run_text};
use crate::app::history::{Blamed, RunLog, Since};
use crate::diagnostic::visible;
use crate::kube::timestamp;

/// All of it for a person: the verdict, what keeps a pod off, the pods, and the rules' reasons.
///
/// # Errors
/// Where writing fails.
pub fn blame_text(blamed: &Blamed, look: LogLook<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (paint, it) = (look.paint, &blamed.explanation);
    writeln!(out, "{}", paint.strong(&it.headline))?;
    let mut told = Told { look, shown: BTreeSet::new() };
    let verdict = if it.eligible { "A pod should be there" } else { "No pod should be there" };
    told.since(verdict, blamed.verdict.as_ref(), out)?;
    for (cause, since) in it.causes.iter().zip(&blamed.causes) {
        if since.as_ref().map(|since| since.log.run.run) != blamed.verdict.as_ref().map(|it| it.log.run.run) {
            told.since(&format!("{} {}", it.node, cause.says), since.as_ref(), out)?;
        }
    }
    for (pod, log) in it.pods.iter().zip(&blamed.pods) {
        told.run(&format!("Its pod {} is there", pod.name), log.as_ref(), out)?;
    }
    if let Some(log) = &blamed.gone {
        told.run("It has no pod there", Some(log), out)?;
    }
    writeln!(out, "\n{}", paint.strong("Because"))?;
    steps_text(&it.steps, paint, out)
}

/// What was shown so far, so that no run is told twice.
struct Told<'a> {
    look: LogLook<'a>,
    shown: BTreeSet<u64>,
}

impl Told<'_> {
    fn since(&mut self, what: &str, since: Option<&Since>, out: &mut dyn Write) -> io::Result<()> {
        self.run(what, since.map(|since| &since.log), out)?;
        match since {
            Some(since) => writeln!(out, "  before: {}", visible(&since.before)),
            None => Ok(()),
        }
    }

    fn run(&mut self, what: &str, log: Option<&RunLog>, out: &mut dyn Write) -> io::Result<()> {
        let (paint, what) = (self.look.paint, visible(what));
        let Some(log) = log else {
            return writeln!(out, "\n{what} for longer than is remembered");
        };
        if !self.shown.insert(log.run.run) {
            let run = paint.strong(format!("@{} {}", log.run.run, timestamp(log.run.time)));
            return writeln!(out, "\n{what} since {run}, told above");
        }
        writeln!(out, "\n{what} since")?;
        run_text(log, self.look, out)
    }
}

/// All of it for programs. A run that is null is not remembered.
#[must_use]
pub fn blame_document(blamed: &Blamed) -> Value {
    let it = &blamed.explanation;
    let since = |since: &Option<Since>| {
        let document = since.as_ref().map(|it| (run_document(&it.log), &it.before));
        document.map(|(run, before)| json!({ "run": run, "before": before }))
    };
    let causes = it.causes.iter().zip(&blamed.causes);
    let causes = causes.map(|(told, found)| json!({ "says": told.says, "since": since(found) }));
    let pods = it.pods.iter().zip(&blamed.pods);
    let pods = pods.map(|(pod, log)| json!({ "name": pod.name, "run": log.as_ref().map(run_document) }));
    json!({
        "apiVersion": API_VERSION, "kind": "Blame", "daemonset": it.daemonset.to_string(), "node": it.node,
        "eligible": it.eligible, "since": since(&blamed.verdict), "causes": causes.collect::<Vec<_>>(),
        "pods": pods.collect::<Vec<_>>(), "gone": blamed.gone.as_ref().map(run_document),
        "explanation": serde_json::to_value(explanation_document(it)).unwrap_or_default(),
    })
}
