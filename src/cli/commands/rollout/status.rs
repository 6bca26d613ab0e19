//! `rollout status`: kubectl's sentence for how far it is, and below it what is waited for.

use std::io::Write as _;

use dsrules::app::rollout::{RolloutStatus, status};
use dsrules::diagnostic::{Diagnostic, visible};
use dsrules::kube::DaemonSet;
use dsrules::report;

use super::options::{Shown, Which};
use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::rules::RuleArgs;
use crate::cli::show;

/// Says how far each is. Nothing moves between two commands, so there is nothing to
/// watch: unfinished is what kubectl would time out on.
pub fn run(which: &Which, rules: &RuleArgs, shown: &Shown, context: &mut Context) -> Result<Exit, Failure> {
    let found = status(&context.database, &which.keys()?, &rules.asked(), context.seconds(), context)?;
    if let Some(other) = found.iter().find(|it| !it.daemonset.strategy.rolls()) {
        return Err(no_status(&other.daemonset).into());
    }
    let said: Vec<(String, bool)> = found.iter().map(|it| it.sentence()).collect();
    let all = found.iter().zip(&said);
    let document = report::rollout_status_document(all.map(|(it, (text, done))| (it, text.as_str(), *done)));
    if !shown.document(&document, context)? {
        for (RolloutStatus { waiting, .. }, (sentence, done)) in found.iter().zip(&said) {
            writeln!(context.fitted(), "{sentence}")?;
            if let (Some(waiting), false) = (waiting, done) {
                writeln!(context.fitted(), "  {}", visible(&waiting.reason))?;
                let detail = show::look(false, false, context).detail;
                report::awaited(waiting, detail, context.paint, &mut context.fitted())?;
            }
        }
    }
    Ok(if said.iter().all(|(_, done)| *done) { Exit::Done } else { Exit::Error })
}

fn no_status(daemonset: &DaemonSet) -> Diagnostic {
    let what = "rollout status is only available for RollingUpdate strategy type";
    Diagnostic::error("no-status", what).because(format!(
        "`{}` has {}: its pods are replaced when they are deleted",
        daemonset.meta.key, daemonset.strategy.kind
    ))
}
