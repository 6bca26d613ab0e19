//! Passes until nothing is left to do: what the controller comes to, wave by wave.
//!
//! ```text
//!   world -> derive -> pass -> carry out -> world -> derive -> …   until a pass is idle
//! ```
//! With readiness assumed a rollout is played to its end; observed, it stops where the
//! controller would wait, and the plan says for what.

use std::collections::{BTreeMap, BTreeSet};

use super::circles::Circles;
use super::context::Context;
use super::rest::Rest;
use super::scheduler::ask_again;
use super::share::Share;
use super::{Pass, Readiness, Simulation, Tally, Touched, Verb, Waiting, Wave, pass_over};
use crate::datalog::locality::Locality;
use crate::datalog::{Handle, RelationId, Sym};
use crate::diagnostic::Diagnostic;
use crate::kube::{Name, ObjectKey, Status};
use crate::meter;
use crate::policy::relations;
use crate::reason::{Derived, Reasoner};
use crate::state::World;

/// So many passes are made at the most. A rollout of 100,000 nodes one by one takes two
/// for each; what takes more goes in circles.
const MAX_PASSES: usize = 250_000;

/// How a world is reconciled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Who says that created pods are ready.
    pub readiness: Readiness,
    /// The time of all passes, in seconds of Unix time.
    pub now: i64,
}

/// What reconciling came to.
#[derive(Debug, Clone, Default)]
pub struct Reconciled {
    /// The passes that changed something.
    pub waves: Vec<Wave>,
    /// Each daemonset's status at the end, in key order.
    pub statuses: Vec<(ObjectKey, Status)>,
    /// Daemonsets that wait for something outside, each with for what.
    pub waiting: Vec<Waiting>,
    /// Pods deleted or evicted because they may not be where they are, not to be replaced there.
    pub lost: usize,
    /// What changed about classes, profiles and what fits.
    pub placed: Placed,
}

/// Pods that were evicted and not replaced.
#[derive(Default)]
struct Evicted {
    /// Where a daemonset makes no other.
    places: BTreeSet<(ObjectKey, Name)>,
    /// Of no daemonset.
    others: usize,
}

impl Evicted {
    fn follow(&mut self, wave: &Wave) {
        for action in &wave.actions {
            let place = action.daemonset.clone().zip(action.node.clone());
            match (action.verb, place) {
                (Verb::Evict, Some(place)) => drop(self.places.insert(place)),
                (Verb::Evict, None) => self.others += 1,
                (Verb::Create, Some(place)) => drop(self.places.remove(&place)),
                _ => {}
            }
        }
    }

    fn lost(&self) -> usize {
        self.places.len() + self.others
    }
}

/// Which parts of the placement may differ from what they were before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    /// All of it.
    All,
    /// What is known by these symbols.
    Only {
        /// Daemonsets that changed their class.
        daemonsets: BTreeSet<Sym>,
        /// Nodes that changed their profile.
        nodes: BTreeSet<Sym>,
        /// Classes and profiles that fit or no longer do.
        fits: BTreeSet<(Sym, Sym)>,
    },
}

impl Default for Placed {
    fn default() -> Self {
        Placed::Only { daemonsets: BTreeSet::new(), nodes: BTreeSet::new(), fits: BTreeSet::new() }
    }
}

/// Makes passes over the world and carries them out until one has nothing to do.
///
/// # Errors
/// When a rule derives too much, or the passes never come to an end.
pub fn reconcile(
    world: &mut World,
    reasoner: &mut Reasoner,
    settings: Settings,
) -> Result<Reconciled, Diagnostic> {
    Reconciler::default().reconcile(world, reasoner, settings)
}

/// What is known of a reconciled world: the next time only what changed is looked at.
#[derive(Debug, Default)]
pub struct Reconciler {
    tally: Tally,
    statuses: BTreeMap<ObjectKey, Status>,
    waiting: BTreeMap<ObjectKey, Waiting>,
    /// Of a part of a world: what must not happen, as then the rest of it would have a say.
    bounds: Option<Bounds>,
    /// Those that are planned for, where that is not all.
    share: Option<Share>,
    /// Whether all of them are looked at the next time, touched or not.
    anew: bool,
}

/// The code of the error that a plan goes beyond the part of the world that it looks at.
pub const BEYOND: &str = "beyond-the-part";

/// How far a part of a world is enough.
#[derive(Debug, Clone, Default)]
struct Bounds {
    /// Relations whose rows must stay as they are.
    felt: Vec<RelationId>,
    /// Relations that must have no rows.
    relied: Vec<RelationId>,
}

impl Bounds {
    fn check(&self, reasoner: &Reasoner, derived: &Derived) -> Result<(), Diagnostic> {
        let beyond = |why: &str| Err(Diagnostic::error(BEYOND, why));
        let Derived::Changed(changes) = derived else { return beyond("all was derived anew") };
        let moved = |id: &RelationId| changes.added(*id).chain(changes.removed(*id)).next().is_some();
        if let Some(id) = self.felt.iter().copied().find(moved) {
            return beyond(&format!("`{}` changed", reasoner.program().declaration(id).name));
        }
        let has_rows = |id: &RelationId| reasoner.evaluation().is_none_or(|it| !it.is_empty(*id));
        match self.relied.iter().copied().find(has_rows) {
            Some(id) => beyond(&format!("`{}` has rows", reasoner.program().declaration(id).name)),
            None => Ok(()),
        }
    }
}

impl Reconciler {
    /// One that knows a world at rest by a part of it, `part`, of which all was derived, and by
    /// what is on record of all of it. What goes beyond it is an error with the code [`BEYOND`].
    #[must_use]
    pub fn resting(
        world: &World,
        reasoner: &Reasoner,
        rest: &Rest,
        part: &Rest,
        locality: &Locality,
    ) -> Reconciler {
        let mut tally = Tally::of(reasoner);
        rest.complete(&mut tally, reasoner, part);
        let managed = |key: &ObjectKey| {
            let it = reasoner.symbols().find_text(&key.to_string());
            it.is_some_and(|it| !reasoner.contains(relations::unmanaged, &[it]))
        };
        let statuses = world.daemonsets.iter().filter(|(key, _)| managed(key));
        let statuses = statuses.map(|(key, it)| (key.clone(), it.status.clone())).collect();
        let bounds = Bounds { felt: locality.felt().collect(), relied: locality.relied().to_vec() };
        Reconciler { tally, statuses, bounds: Some(bounds), ..Reconciler::default() }
    }

    /// Plans from now on for these daemonsets alone, and looks at all of them the next time.
    pub fn plan_for(&mut self, share: Share) {
        self.share = Some(share);
        self.anew = true;
        self.statuses.clear();
        self.waiting.clear();
    }

    /// Makes passes over the world and carries them out until one has nothing to do.
    ///
    /// # Errors
    /// When a rule derives too much, or the passes never come to an end. The world is
    /// then in the middle of it.
    pub fn reconcile(
        &mut self,
        world: &mut World,
        reasoner: &mut Reasoner,
        settings: Settings,
    ) -> Result<Reconciled, Diagnostic> {
        let mut reconciled = Reconciled::default();
        let schedules = relations::schedules(reasoner.program());
        let mut simulation = Simulation::new(schedules);
        let mut made = BTreeSet::new();
        world.tried.clear();
        let mut evicted = Evicted::default();
        let mut circles = Circles::default();
        let mut seen = Touched::Only(BTreeSet::new());
        meter::begin(0);
        let mut most = 0;
        for _ in 0..MAX_PASSES {
            let changed = std::mem::take(&mut world.changed);
            let derived = reasoner.derive(world, &changed, settings.now)?;
            // Pods of former templates are replaced a few a pass.
            let left = reasoner.len(relations::outdated);
            most = most.max(left);
            meter::set(most - left, most);
            if let Some(bounds) = &self.bounds {
                bounds.check(reasoner, &derived)?;
            }
            let mut touched = self.tally.follow(reasoner, &derived, world, &changed);
            if std::mem::take(&mut self.anew) {
                touched = Touched::All;
            }
            if let Some(share) = &self.share {
                touched = share.of(touched, world);
            }
            reconciled.placed.follow(reasoner, &derived);
            simulation.known.follow(reasoner, &derived, &changed);
            let mut pass = pass_over(reasoner, world, &self.tally, &touched);
            self.share.iter().for_each(|share| share.keep(&mut pass));
            self.remember(&touched, &pass);
            seen.extend([touched]);
            let collected = pass.collected.iter().filter(|action| action.verb == Verb::Delete).count();
            circles.look(&pass, world, reasoner)?;
            reconciled.lost += reasoner.len(relations::misplaced) + collected;
            let is_idle = pass.is_idle();
            let wave = simulation.carry_out(world, reasoner, pass, settings.readiness, settings.now);
            evicted.follow(&wave);
            if is_idle {
                // The controller is done for now; the scheduler sees what it made.
                let step = simulation.schedule(world, reasoner, &made, settings.readiness, settings.now);
                if let Some(step) = step {
                    reconciled.waves.extend(Some(step).filter(|step| !step.actions.is_empty()));
                    continue;
                }
            }
            if is_idle {
                simulation.keep_refused(world, settings.now);
                self.wait(&seen, reasoner, world);
                reconciled.statuses =
                    self.statuses.iter().map(|(key, it)| (key.clone(), it.clone())).collect();
                reconciled.waiting = self.waiting.values().cloned().collect();
                reconciled.lost += evicted.lost();
                world.forget_deleted();
                return Ok(reconciled);
            }
            if schedules {
                let created = wave.actions.iter().filter(|action| action.verb == Verb::Create);
                made.extend(created.map(|action| action.object.clone()));
                ask_again(world, &wave.actions);
            }
            if !wave.actions.is_empty() {
                reconciled.waves.push(wave);
            }
        }
        Err(Diagnostic::error(
            "endless-plan",
            format!("the plan does not come to an end within {MAX_PASSES} passes"),
        )
        .because("each pass undoes what another one did")
        .help("look for rules of your own that change their mind when a pod comes or goes"))
    }

    fn remember(&mut self, touched: &Touched, pass: &Pass) {
        match touched {
            Touched::All => self.statuses.clone_from(&pass.statuses),
            Touched::Only(keys) => {
                for key in keys {
                    match pass.statuses.get(key) {
                        Some(status) => self.statuses.insert(key.clone(), status.clone()),
                        None => self.statuses.remove(key),
                    };
                }
            }
        }
    }

    /// Finds out what the daemonsets that were looked at wait for.
    fn wait(&mut self, seen: &Touched, reasoner: &Reasoner, world: &World) {
        let all: BTreeSet<ObjectKey>;
        let keys = match seen {
            Touched::All => {
                self.waiting.clear();
                all = self.statuses.keys().cloned().collect();
                &all
            }
            Touched::Only(keys) => keys,
        };
        let context = Context::new(reasoner, world, &self.tally);
        for key in keys {
            let it = world.daemonsets.get(key).zip(self.statuses.get(key));
            match it.and_then(|(daemonset, status)| context.waiting(daemonset, status)) {
                Some(what) => self.waiting.insert(key.clone(), what),
                None => self.waiting.remove(key),
            };
        }
    }
}

impl Extend<Touched> for Touched {
    fn extend<T: IntoIterator<Item = Touched>>(&mut self, more: T) {
        for other in more {
            match (&mut *self, other) {
                (Touched::All, _) => {}
                (_, Touched::All) => *self = Touched::All,
                (Touched::Only(keys), Touched::Only(more)) => keys.extend(more),
            }
        }
    }
}

impl Placed {
    fn follow(&mut self, reasoner: &Reasoner, derived: &Derived) {
        let Derived::Changed(changes) = derived else {
            *self = Placed::All;
            return;
        };
        let Placed::Only { daemonsets, nodes, fits } = self else { return };
        let program = reasoner.program();
        let rows = |relation: Handle| {
            let id = program.id(relation);
            changes.added(id).chain(changes.removed(id))
        };
        daemonsets.extend(rows(relations::in_class).map(|row| row[0]));
        nodes.extend(rows(relations::in_profile).map(|row| row[0]));
        fits.extend(rows(relations::may_stay).chain(rows(relations::may_start)).map(|row| (row[0], row[1])));
    }
}
