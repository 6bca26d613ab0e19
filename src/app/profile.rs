//! What the rules of a plan cost, one by one.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::listener::Listener;
use super::options::{MaxDelete, Options};
use super::planning;
use super::seen::Sight;
use crate::datalog::{Evaluation, Limits, Program, RelationId};
use crate::diagnostic::Diagnostic;
use crate::facts::{Encoder, Grouping, limited};
use crate::reason;
use crate::state::Gone;

pub use crate::datalog::{RuleCost, StepCost, thousands};

/// What is asked.
pub struct Profile {
    /// The rules and the cluster.
    pub sight: Sight,
    /// What rules may use.
    pub limits: Limits,
    /// The clock that rules are timed by.
    pub clock: fn() -> Instant,
    /// Of so many rules the join is told.
    pub top: usize,
}

/// What rules cost.
pub struct Profiled {
    /// The rules that ran, the dearest first.
    pub rules: Vec<RuleCost>,
    /// How long it took to make facts of the cluster, and how many there are.
    pub facts: (Duration, usize),
    /// How long all rules took.
    pub took: Duration,
    /// What ended it before its time.
    pub stopped: Option<Diagnostic>,
}

/// Derives all that a plan asks, once and from the start. Manifests are looked at as a plan
/// leaves them, with the pods of their daemonsets; a store as it is.
///
/// # Errors
/// When the rules, the manifests or the store are not sound.
pub fn profile(asked: &Profile, listener: &dyn Listener) -> Result<Profiled, Vec<Diagnostic>> {
    let now = asked.sight.now;
    let seen = asked.sight.load(listener)?;
    let (program, mut world) = (&seen.program, seen.world);
    if !asked.sight.manifests.is_empty() {
        let options = Options {
            limits: asked.limits,
            max_delete: Some(MaxDelete::Percent(100)),
            ignore_violations: true,
            ..Options::at(now)
        };
        let mut planned = world.clone();
        // Rules that take too long to plan with are what is to be seen.
        if planning::plan(&mut planned, Vec::new(), &Gone::default(), program, &options).is_ok() {
            world = planned;
        }
    }
    let wanted = wanted(program);
    let began = (asked.clock)();
    let mut encoder = Encoder::new(program.clone(), Grouping::On, &wanted);
    let facts = encoder.all(&world, now);
    let inputs = program.declarations().map(|it| facts.rows(it.id).count()).sum();
    let between = (asked.clock)();
    let limits = limited(&asked.limits, program, &world);
    let (done, rules) =
        Evaluation::profile(program, &mut encoder.symbols, facts, &wanted, &limits, asked.clock, asked.top);
    let took = rules.iter().map(|rule| rule.time).sum();
    let facts = (between.saturating_duration_since(began), inputs);
    Ok(Profiled { rules, facts, took, stopped: done.err() })
}

/// What a plan asks, and all that rules of one's own derive.
fn wanted(program: &Program) -> Vec<RelationId> {
    let own = program.rules().filter(|rule| !rule.builtin).map(|rule| rule.head.relation);
    let wanted: BTreeSet<RelationId> = reason::wanted(program).into_iter().chain(own).collect();
    wanted.into_iter().collect()
}
