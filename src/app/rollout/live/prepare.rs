//! The rules of a rollout in a cluster, and what is looked at before anything is done.

use tokio::time::{Instant, timeout_at};

use super::clock::Clock;
use super::decision::{Decider, Decision};
use super::seen::Drive;
use super::watches::{Scope, Watches};
use crate::app::listener::Listener;
use crate::app::rules;
use crate::cluster::{Cluster, Heard};
use crate::datalog::Program;
use crate::diagnostic::Diagnostic;
use crate::plan::{Action, Reconciled, Verb, Waiting};
use crate::policy::Asked;

/// The built-in rules with a user's own, and how much of the cluster they may ask about.
///
/// # Errors
/// Everything that is wrong with the rules.
pub fn program(asked: &Asked, listener: &dyn Listener) -> Result<(Program, Scope), Vec<Diagnostic>> {
    let found = rules::find(asked, &[]);
    let scope = if rules::are_none(&found) { Scope::Namespace } else { Scope::Everything };
    Ok((rules::with(found, None, None, listener)?.program, scope))
}

/// How a rollout would go.
pub struct Preview {
    /// How it stands now.
    pub decision: Decision,
    /// The pods that go, step by step, if each new one becomes ready.
    pub steps: Vec<Vec<Action>>,
    /// What is waited for at the end.
    pub waiting: Option<Waiting>,
}

/// Looks at a cluster, and says how a rollout would go in it. Nothing is changed.
///
/// # Errors
/// When the cluster does not answer, something may not be read, or the daemonset is not there.
pub async fn preview(
    cluster: &Cluster,
    (program, scope): (Program, Scope),
    drive: Drive,
    clock: Clock,
    until: Instant,
) -> Result<Preview, Diagnostic> {
    let daemonset = drive.daemonset.clone();
    let mut watches = Watches::new(cluster, &daemonset, scope);
    let mut decider = Decider::new(&program, drive);
    while !watches.is_whole() {
        let silent =
            || Diagnostic::error("unreachable", format!("the cluster `{}` does not answer", cluster.name));
        match timeout_at(until, watches.next()).await.map_err(|_| silent())? {
            Some((kind, Heard::All(objects))) => decider.seen.replace(kind, objects, clock.seconds()),
            Some((_, Heard::Refused(error) | Heard::Broken(error))) => return Err(error),
            Some(_) => {}
            None => return Err(silent()),
        }
    }
    let gone =
        || Diagnostic::error("no-daemonset", format!("there is no daemonset `{daemonset}` in the cluster"));
    let decision = decider.decide(clock.seconds())?.ok_or_else(gone)?;
    let Reconciled { waves, waiting, .. } = decider.ahead(clock.seconds())?;
    let goes = |action: &Action| action.verb == Verb::Delete && action.daemonset.as_ref() == Some(&daemonset);
    let steps = waves.into_iter().map(|wave| wave.actions.into_iter().filter(goes).collect::<Vec<_>>());
    let steps = steps.filter(|step| !step.is_empty()).collect();
    let waiting = waiting.into_iter().find(|it| it.daemonset == daemonset);
    Ok(Preview { decision, steps, waiting })
}
