//! Passes until nothing is left to do: what the controller comes to, wave by wave.
//!
//! ```text
//!   world -> derive -> pass -> carry out -> world -> derive -> …   until a pass is idle
//! ```
//! With readiness assumed a rollout is played to its end; observed, it stops where the
//! controller would wait, and the plan says for what.

use super::{Carrier, Pass, Readiness, Wave, pass};
use crate::datalog::Sym;
use crate::diagnostic::Diagnostic;
use crate::model::{ObjectKey, Status, World};
use crate::reason::Reasoner;

/// So many passes are made at the most. A rollout of 100,000 nodes one by one takes two
/// for each; what takes more goes in circles.
const MOST_PASSES: usize = 250_000;

/// How a world is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Who says that created pods are ready.
    pub readiness: Readiness,
    /// The time of all passes, in seconds of Unix time.
    pub now: i64,
}

/// What settling came to.
#[derive(Debug, Clone, Default)]
pub struct Settled {
    /// The passes that changed something.
    pub waves: Vec<Wave>,
    /// Each daemonset's status at the end, in key order.
    pub statuses: Vec<(ObjectKey, Status)>,
    /// Daemonsets that wait for something outside, each with for what.
    pub waiting: Vec<(ObjectKey, String)>,
    /// Pods deleted because they may not be where they are, not to be replaced there.
    pub lost: usize,
}

/// Makes passes over the world and carries them out until one has nothing to do.
///
/// # Errors
/// When a rule derives too much, or the passes never come to an end.
pub fn settle(world: &mut World, reasoner: &mut Reasoner, settings: Settings) -> Result<Settled, Diagnostic> {
    let mut settled = Settled::default();
    let mut carrier = Carrier::default();
    for _ in 0..MOST_PASSES {
        let changed = std::mem::take(&mut world.changed);
        reasoner.derive(world, &changed, settings.now)?;
        let pass = pass(reasoner, world);
        settled.lost += reasoner.rows("misplaced").count() + pass.collected.len();
        let wave = carrier.carry_out(world, reasoner, &pass, settings.readiness, settings.now);
        if pass.is_idle() {
            settled.waiting = waiting(reasoner, world, &pass);
            settled.statuses = pass.statuses.into_iter().collect();
            // The owners' pods are gone by now.
            world.deleted_owners.clear();
            return Ok(settled);
        }
        settled.waves.push(wave);
    }
    Err(Diagnostic::error(
        "endless-plan",
        format!("the plan does not come to an end within {MOST_PASSES} passes"),
    )
    .because("each pass undoes what another one did")
    .help("look for rules of your own that change their mind when a pod comes or goes"))
}

/// What each daemonset that is not done waits for.
fn waiting(reasoner: &Reasoner, world: &World, pass: &Pass) -> Vec<(ObjectKey, String)> {
    let mut waiting = Vec::new();
    for (key, status) in &pass.statuses {
        let Some(it) = reasoner.symbols().find_text(&key.to_string()) else { continue };
        let on_delete = world.daemonsets.get(key).is_some_and(|it| !it.strategy.rolls());
        let old: Vec<_> = reasoner.rows_of("outdated", &[it]).map(|row| row[2]).collect();
        let is_held = |node: &&Sym| reasoner.rows_of("hold", &[it, **node]).next().is_some();
        let (held, old) = (old.iter().filter(is_held).count(), old.len());
        let unavailable = status.number_unavailable;
        let why = match (old, unavailable) {
            (0, 0) => continue,
            (0, _) => format!(
                "{unavailable} of {} nodes have no available pod yet",
                status.desired_number_scheduled
            ),
            _ if held == old => format!("{old} pods of a former template are held by a rule"),
            _ if on_delete => {
                format!("{old} pods of a former template stay until they are deleted (OnDelete)")
            }
            _ => format!(
                "{old} pods of a former template wait for {unavailable} nodes without an available pod"
            ),
        };
        waiting.push((key.clone(), why));
    }
    waiting
}
