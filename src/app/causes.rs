//! Why pods may not stay where a plan deletes them.
//!
//! The rules tell daemonsets apart by their class and nodes by their profile, so the
//! sentence about one pair is, but for the two names, the sentence about all pairs of the
//! same groups: it is asked for once, of a daemonset and a node with names that nobody
//! has, and the names are filled in. What a `blocked` rule of the user's says is its own.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::datalog::{Program, Sym};
use crate::diagnostic::Diagnostic;
use crate::explain::blocker;
use crate::kube::{Name, ObjectKey};
use crate::plan::{Plan, Verb};
use crate::policy::relations;
use crate::reason::Reasoner;
use crate::state::World;

/// So many times the rules are asked for one plan: each time takes some milliseconds.
const PAIRS_EXPLAINED: usize = 200;

/// Stand for the names; a name of an object has no such characters.
const DAEMONSET: &str = "\u{e000}";
const NODE: &str = "\u{e001}";

/// What is known of pairs of the same groups.
enum Shared {
    /// The sentence about all of them, with the names to be filled in.
    Sentence(String),
    /// Each pair has its own.
    None,
}

/// Puts into the plan why pods may not stay where they are deleted. Of pairs of more
/// groups than can be asked about, the first; the others are counted.
pub(super) fn find(world: &World, reasoner: &Reasoner, plan: &mut Plan, now: i64) -> Result<(), Diagnostic> {
    let pairs: BTreeSet<(&ObjectKey, &Name)> = plan
        .waves
        .iter()
        .flat_map(|wave| &wave.actions)
        .filter(|action| action.verb == Verb::Delete)
        .filter_map(|action| Some((action.daemonset.as_ref()?, action.node.as_ref()?)))
        .collect();
    let (fits, unfit): (BTreeSet<_>, BTreeSet<_>) =
        pairs.into_iter().partition(|(daemonset, node)| reasoner.may_start(daemonset, node));
    let program = reasoner.program();
    // A rule of the user's may know names, and then says something of its own.
    let names_are_alike = program.rules().all(|rule| rule.builtin);
    let (mut asked, mut omitted) = (0, 0);
    let mut known: HashMap<(Sym, Sym), Shared> = HashMap::new();
    let mut causes = BTreeMap::new();
    for (daemonset, node) in unfit {
        let groups = reasoner.groups(daemonset, node);
        let shared = groups.and_then(|groups| known.get(&groups));
        let cause = match shared {
            Some(Shared::Sentence(sentence)) => Some(filled(sentence, daemonset, node)),
            _ if asked >= PAIRS_EXPLAINED => {
                omitted += 1;
                continue;
            }
            Some(Shared::None) => {
                asked += 1;
                blocker(world, program, daemonset, node, now)?
            }
            None => {
                asked += 1;
                let sentence = nameless(world, program, daemonset, node, now)?;
                let alike = sentence.as_ref().map(|sentence| filled(sentence, daemonset, node));
                let own = if names_are_alike && alike.is_some() {
                    alike.clone()
                } else {
                    asked += 1;
                    blocker(world, program, daemonset, node, now)?
                };
                let shared = match sentence {
                    Some(sentence) if alike == own => Shared::Sentence(sentence),
                    _ => Shared::None,
                };
                if let Some(groups) = groups {
                    known.insert(groups, shared);
                }
                own
            }
        };
        if let Some(cause) = cause {
            causes.insert((daemonset.clone(), node.clone()), cause);
        }
    }
    for (daemonset, node) in fits {
        let symbol = |text: &str| reasoner.symbols().find_text(text);
        let row = symbol(&daemonset.to_string()).zip(symbol(node));
        if let Some((sentence, rule)) = row.and_then(|(it, on)| reasoner.told(relations::blocked, &[it, on]))
        {
            causes.insert((daemonset.clone(), node.clone()), format!("{sentence} [{rule}]"));
        }
    }
    (plan.causes, plan.causes_omitted) = (causes, omitted);
    Ok(())
}

/// The sentence about a pair under names that nobody has.
fn nameless(
    world: &World,
    program: &Program,
    daemonset: &ObjectKey,
    node: &Name,
    now: i64,
) -> Result<Option<String>, Diagnostic> {
    let of = world.daemonsets.get(daemonset);
    let Some((of, on)) = of.zip(world.nodes.get(&ObjectKey::new("", node.clone()))) else {
        return Ok(None);
    };
    let (mut of, mut on) = (of.clone(), on.clone());
    of.meta.key = ObjectKey::new(daemonset.namespace.clone(), DAEMONSET);
    on.meta.key = ObjectKey::new("", NODE);
    let key = of.meta.key.clone();
    let mut small = World { detailed: world.detailed, ..World::default() };
    small.daemonsets.insert(key.clone(), of);
    small.nodes.insert(on.meta.key.clone(), on);
    let sentence = blocker(&small, program, &key, NODE, now)?;
    // The namespace may be another one's.
    Ok(sentence.map(|sentence| sentence.replace(&key.to_string(), DAEMONSET)))
}

fn filled(sentence: &str, daemonset: &ObjectKey, node: &str) -> String {
    sentence.replace(DAEMONSET, &daemonset.to_string()).replace(NODE, node)
}
