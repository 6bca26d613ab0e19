//! Plans without an end, noticed: the same pods come and go, or pods pile up.
//!
//! While a world is reconciled only pods and revisions change, and the time stands still. So
//! where they are as they were before, the passes only repeat. Nothing is looked at in
//! the first passes, which are all that most plans make; a long rollout makes many, but
//! never comes back to where it was.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use rustc_hash::FxHashMap;

use super::{Action, Pass, Verb};
use crate::datalog::explain::why;
use crate::diagnostic::{Diagnostic, Place};
use crate::kube::{HASH_LABEL, Name, ObjectKey};
use crate::policy::relations;
use crate::reason::Reasoner;
use crate::state::World;

/// So many passes are made before anything is looked at.
const USUAL_PASSES: usize = 8;
/// Who is so often in the same state goes in circles.
const REPEATS_OF_A_CIRCLE: u32 = 3;
/// No place gets so many more pods than it loses, and no revision so many numbers.
const PODS_OF_A_PILE: i32 = 8;
/// So many of the rules that alternate are named.
const REASONS_SHOWN: usize = 6;

/// What was seen of the passes so far.
#[derive(Debug, Default)]
pub(super) struct Circles {
    passes: usize,
    /// What differs from when the first pass was looked at, as one number.
    state: u128,
    seen: FxHashMap<u128, u32>,
    /// How many more pods each place got than it lost.
    piled: FxHashMap<(ObjectKey, Option<Name>), i32>,
    turns: Turns,
}

/// What the passes do by turns: by verb and rule, how the first of its actions reads.
#[derive(Debug, Default)]
struct Turns {
    said: BTreeMap<(Verb, String), String>,
    /// Where the user's rule stands that had a part in it.
    place: Option<Place>,
}

impl Circles {
    /// Looks at a pass that is about to be carried out.
    ///
    /// # Errors
    /// When the passes go in circles.
    pub(super) fn look(&mut self, pass: &Pass, world: &World, reasoner: &Reasoner) -> Result<(), Diagnostic> {
        self.passes += 1;
        if self.passes <= USUAL_PASSES || pass.is_idle() {
            return Ok(());
        }
        let mut piles = false;
        for action in pass.actions.iter().chain(&pass.collected) {
            self.state = self.state.wrapping_add(effect(action, pass, world));
            let step = match action.verb {
                Verb::Create | Verb::RenumberRevision => 1,
                Verb::Delete => -1,
                _ => continue,
            };
            let of = action.daemonset.as_ref().unwrap_or(&action.object).clone();
            let piled = self.piled.entry((of, action.node.clone())).or_default();
            *piled += step;
            piles |= *piled > PODS_OF_A_PILE;
        }
        let seen = self.seen.entry(self.state).or_default();
        *seen += 1;
        let seen = *seen;
        if seen > 1 || piles {
            self.turns.note(pass, reasoner);
        }
        if seen >= REPEATS_OF_A_CIRCLE || piles { Err(self.turns.told(piles)) } else { Ok(()) }
    }
}

impl Turns {
    fn note(&mut self, pass: &Pass, reasoner: &Reasoner) {
        for action in pass.actions.iter().chain(&pass.collected) {
            let turn = (action.verb, action.because.rule.clone());
            if self.said.len() < REASONS_SHOWN && !self.said.contains_key(&turn) {
                let own = self.blocked(action, reasoner);
                let sentence = action.reason();
                let text = format!("{}  [{}]{own}", sentence.trim_end_matches('.'), action.because.rule);
                self.said.insert(turn, text);
            }
        }
    }

    /// The rule of the user's that keeps the pod off, if one does.
    fn blocked(&mut self, action: &Action, reasoner: &Reasoner) -> String {
        let program = reasoner.program();
        let found = || {
            let blocked = program.id(relations::blocked);
            let (daemonset, node) = (action.daemonset.as_ref()?, action.node.as_ref()?);
            let symbols = reasoner.symbols();
            let row = [symbols.find_text(&daemonset.to_string())?, symbols.find_text(node)?];
            let evaluation = reasoner.evaluation()?;
            let row = evaluation.rows_with_prefix(blocked, &row).next()?;
            why(program, symbols, evaluation, blocked, &row)
        };
        if action.verb != Verb::Delete {
            return String::new();
        }
        let Some(derivation) = found() else { return String::new() };
        let Some(rule) = derivation.rule else { return String::new() };
        let own = program.rules().find(|it| *it.file == *rule.file && it.line == rule.line);
        self.place = self.place.take().or_else(|| own.map(|own| program.place_of_head(own)));
        let sentence = derivation.sentence.unwrap_or_else(|| "`blocked` holds".to_owned());
        format!(", as {}  [{}:{}]", sentence.trim_end_matches('.'), rule.file, rule.line)
    }

    fn told(&self, piles: bool) -> Diagnostic {
        let what = if piles { "pods pile up" } else { "the same pods come and go" };
        let mut error = Diagnostic::error(
            "endless-plan",
            format!("the plan does not come to an end: {what}, pass after pass"),
        );
        for ((verb, _), said) in &self.said {
            error = error.because(format!("{} {said}", doing(*verb)));
        }
        let error = match &self.place {
            Some(place) => error.at(place.clone()),
            None => error,
        };
        error.help(
            "nothing was changed; a rule for `blocked` must not come and go with the pods that it takes away: \
             ask `fits`, or keep pods as they are with `hold`",
        )
    }
}

/// What comes before the reason of an action.
fn doing(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "one pass creates:",
        Verb::Delete => "another deletes:",
        Verb::Adopt => "one pass adopts:",
        Verb::Release => "another releases:",
        Verb::Relabel => "a pass relabels:",
        Verb::CreateRevision => "a pass makes a revision:",
        Verb::RenumberRevision => "a pass renumbers a revision:",
        Verb::AdoptRevision => "a pass adopts a revision:",
        Verb::ReleaseRevision => "a pass releases a revision:",
        Verb::DeleteRevision => "a pass deletes a revision:",
        Verb::DeleteDaemonset => "a pass deletes a daemonset:",
        Verb::Evict => "taints evict:",
        Verb::Preempt => "the scheduler preempts:",
        Verb::Bind => "the scheduler binds:",
    }
}

/// What an action does to the state: what one does and another undoes adds up to nothing.
/// A pod is what it is, where it is, not how it is called.
fn effect(action: &Action, pass: &Pass, world: &World) -> u128 {
    let pod = |hash: Option<&Name>| number(&("pod", &action.daemonset, &action.node, hash));
    let labelled = world.pods.get(&action.object).and_then(|pod| pod.meta.labels.get(HASH_LABEL));
    let new = action.daemonset.as_ref().and_then(|daemonset| pass.hashes.get(daemonset));
    let owned = number(&("owned", &action.daemonset, &action.object));
    let revision = number(&("revision", &action.object));
    match action.verb {
        Verb::Create => pod(new),
        Verb::Delete | Verb::Evict => pod(labelled).wrapping_neg(),
        Verb::Relabel => pod(new).wrapping_sub(pod(labelled)),
        Verb::Adopt | Verb::AdoptRevision => owned,
        Verb::Release | Verb::ReleaseRevision => owned.wrapping_neg(),
        Verb::CreateRevision => revision,
        Verb::DeleteRevision => revision.wrapping_neg(),
        Verb::DeleteDaemonset => number(&("daemonset", &action.object)).wrapping_neg(),
        // The scheduler's step is no pass.
        Verb::Preempt | Verb::Bind => 0,
        Verb::RenumberRevision => number(&(&action.object, pass.numbers.get(&action.object))),
    }
}

fn number(of: &impl Hash) -> u128 {
    let half = |seed: u8| {
        let mut hasher = DefaultHasher::new();
        seed.hash(&mut hasher);
        of.hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}
