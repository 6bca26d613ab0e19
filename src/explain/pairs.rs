//! Many pairs of a daemonset and a node at once: the rules are asked about all of them together.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::ask::{Answers, ask};
use super::cause::causes;
use super::pair::{Asked, explained, rest};
use super::{Explanation, Told};
use crate::datalog::Program;
use crate::datalog::explain::Goal;
use crate::diagnostic::Diagnostic;
use crate::facts::Alone;
use crate::kube::{DaemonSet, Name, Node, ObjectKey};
use crate::state::World;

/// Explains each of these pairs, in their order. What would mend a rule of a user's own is not
/// looked for.
///
/// # Errors
/// When a rule derives more than the limits allow.
pub fn pairs(
    program: &Program,
    world: &World,
    pairs: &[(&DaemonSet, &Node)],
    now: i64,
) -> Result<Vec<Explanation>, Diagnostic> {
    let nodes: BTreeSet<Name> = pairs.iter().map(|(_, node)| node.meta.key.name.clone()).collect();
    let daemonsets: BTreeSet<ObjectKey> = pairs.iter().map(|(it, _)| it.meta.key.clone()).collect();
    let seen = &*seen(program, world, &nodes);
    let alone = Alone { daemonsets, nodes, ..Alone::default() };
    let tell = &mut |answers: &mut Answers<'_>| -> Vec<Asked> {
        let ask = |(it, node): &(&DaemonSet, &Node)| {
            Asked::new(answers, world, &it.meta.key.to_string(), &node.meta.key.name)
        };
        pairs.iter().map(ask).collect()
    };
    let (mut answers, asked) = ask(program, seen, alone, now, tell, &|asked| goals_of(asked))?;
    let told = asked.into_iter().zip(pairs).map(|(asked, pair)| {
        let found = asked.eligible.as_ref().filter(|goal| !goal.holds).map(causes);
        let causes = found.into_iter().flatten().map(|cause| Told {
            says: cause.says(),
            mend: cause.mend(&pair.1.meta.key.name),
            cause,
        });
        let causes = causes.collect();
        Explanation { causes, ..explained(&mut answers, asked, *pair, seen, world) }
    });
    Ok(told.collect())
}

/// What of it is told.
fn goals_of(asked: &[Asked]) -> Vec<&Goal> {
    asked.iter().flat_map(Asked::goals).collect()
}

/// What can have a say on these nodes: of the built-in rules what is there; a user's rules may
/// ask about anything.
fn seen<'a>(program: &Program, world: &'a World, nodes: &BTreeSet<Name>) -> Cow<'a, World> {
    if program.rules().any(|rule| !rule.builtin) {
        return Cow::Borrowed(world);
    }
    let pods = world.pods.iter().filter(|(_, pod)| pod.target().is_some_and(|on| nodes.contains(on)));
    let pods = pods.map(|(key, pod)| (key.clone(), pod.clone())).collect();
    let there = world.nodes.iter().filter(|(key, _)| nodes.contains(&key.name));
    let backoff = world.backoff.iter().filter(|((_, on), _)| nodes.contains(on));
    Cow::Owned(World {
        nodes: there.map(|(key, node)| (key.clone(), node.clone())).collect(),
        daemonsets: world.daemonsets.clone(),
        revisions: world.revisions.clone(),
        pods,
        backoff: backoff.map(|(key, it)| (key.clone(), *it)).collect(),
        ..rest(world)
    })
}
