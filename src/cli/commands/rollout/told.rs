//! What `rollout run` says: a line for each thing that happens, and how it ends.

use std::io;

use dsrules::app::rollout::live::{Answer, How, Preview, Progress, Replace, Told};
use dsrules::diagnostic::{Diagnostic, counted, visible};
use dsrules::kube::ObjectKey;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};

/// So many pods of a step are shown; more are counted.
const SHOWN: usize = 20;

/// Writes lines as things happen.
pub struct Lines<'c> {
    name: String,
    how: How,
    context: &'c mut Context,
    failed: Option<io::Error>,
}

impl<'c> Lines<'c> {
    pub fn new(daemonset: &ObjectKey, how: How, context: &'c mut Context) -> Self {
        Lines { name: daemonset.name.to_string(), how, context, failed: None }
    }

    /// Tells what happened.
    pub fn tell(&mut self, told: Told<'_>) {
        let line = match told {
            Told::Stands(progress, waits) => stands(progress, waits),
            Told::Asked(pod, answer) => asked(pod, answer, self.how),
            Told::Leader(None) => "we hold the lease".to_owned(),
            Told::Leader(Some(why)) => format!("waiting for the lease: {why}"),
            Told::Said(_) => return,
            Told::Trouble(trouble) => return self.context.tell(vec![trouble]),
        };
        if self.context.quiet || self.failed.is_some() {
            return;
        }
        let line = format!("daemonset.apps/{} {}", self.name, visible(&line));
        let written = writeln!(self.context.out, "{line}").and_then(|()| self.context.out.flush());
        self.failed = written.err();
    }

    /// Gives what kept a line from being written.
    pub fn end(self) -> io::Result<()> {
        self.failed.map_or(Ok(()), Err)
    }
}

fn stands(progress: &Progress, waits: &[String]) -> String {
    let Progress { desired, updated, available, outdated, held, wave } = progress;
    let mut line = format!("{updated} of {desired} updated, {available} available");
    if let Some(wave) = wave.filter(|wave| *outdated > 0 && *wave != i64::MAX) {
        line.push_str(&format!(", wave {wave}"));
    }
    if *held > 0 {
        line.push_str(&format!(", {held} held"));
    }
    if !waits.is_empty() {
        line.push_str(&format!("; waiting: {}", waits.join("; ")));
    }
    line
}

fn asked(pod: &Replace, answer: &Answer, how: How) -> String {
    let Replace { pod, node, reason, .. } = pod;
    let name = &pod.name;
    let verb = if how == How::Evict { "evicted" } else { "deleted" };
    match answer {
        Answer::Granted => format!("{name} on {node} {verb}: {}", reason.trim_end_matches('.')),
        Answer::Moved => format!("{name} on {node} has changed meanwhile, and stays until that is seen"),
        Answer::Refused(why) => format!("{name} on {node} stays for now: {why}"),
        Answer::Failed(why) => format!("{name} on {node} cannot be {verb}: {why}"),
        Answer::Unknown(why) => format!("{name} on {node} may be {verb} or not: {why}"),
    }
}

/// That all is done.
pub fn complete(daemonset: &ObjectKey, progress: &Progress, context: &mut Context) -> Result<Exit, Failure> {
    let pods = counted(usize::try_from(progress.desired).unwrap_or(0), "pod");
    let name = &daemonset.name;
    writeln!(context.out, "daemonset.apps/{name} rolled out: {pods} of the current template, all available")?;
    Ok(Exit::Done)
}

/// That it was interrupted, and how to go on.
pub fn interrupted(
    daemonset: &ObjectKey,
    progress: &Progress,
    context: &mut Context,
) -> Result<Exit, Failure> {
    let Progress { updated, desired, .. } = progress;
    context.out.flush()?;
    let told = Diagnostic::error("interrupted", format!("the rollout of `{daemonset}` was interrupted"))
        .because(format!(
            "{updated} of {desired} nodes have a pod of the current template; nothing is half done"
        ))
        .help("run the same command again: it goes on from there");
    context.tell(vec![told]);
    Ok(Exit::Error)
}

/// What would be done.
pub fn preview(
    daemonset: &ObjectKey,
    preview: &Preview,
    alongside: bool,
    context: &mut Context,
) -> Result<(), Failure> {
    let Preview { decision, steps, waiting } = preview;
    let name = &daemonset.name;
    if let Some(why) = decision.contended.as_ref().filter(|_| !alongside) {
        context.note(&format!("it would be refused: {why}"));
    }
    decision.halts.iter().for_each(|why| context.note(&format!("it would stop at once: {why}")));
    let outdated = counted(decision.progress.outdated, "pod");
    writeln!(context.out, "daemonset.apps/{name} has {outdated} of a former template (dry run)")?;
    for (step, at) in steps.iter().zip(1..) {
        writeln!(context.out, "step {at}: {} would go", counted(step.len(), "pod"))?;
        for action in step.iter().take(SHOWN) {
            let node = action.node.as_deref().unwrap_or("?");
            let (pod, reason) = (&action.object.name, action.reason());
            writeln!(context.out, "  {node}  {pod}: {}", visible(reason.trim_end_matches('.')))?;
        }
        if step.len() > SHOWN {
            writeln!(context.out, "  and {} more", step.len() - SHOWN)?;
        }
    }
    if let Some(waiting) = waiting.as_ref().filter(|it| it.outdated > 0) {
        let left = counted(waiting.outdated, "pod");
        writeln!(context.out, "then {left} would wait: {}", visible(&waiting.reason))?;
    }
    Ok(())
}
