//! The use case: the fleet as it is, and as a plan leaves it.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::{Cells, Drawn};
use super::groups::{Group, groups};
use super::whys::{Case, cases, rule_texts};
use crate::app::capacity::{Room, Usage};
use crate::app::listener::Listener;
use crate::app::options::Options;
use crate::app::request::Request;
use crate::app::whatif::{Edited, Edits};
use crate::datalog::Program;
use crate::diagnostic::Diagnostic;
use crate::kube::{Labels, Name, ObjectKey};
use crate::plan::{Judged, Plan, Verb};
use crate::policy::relations;
use crate::state::World;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Where to look, and what is planned.
    pub request: Request,
    /// What is changed beside that.
    pub edits: Edits,
}

/// A node, and what is taken of it.
#[derive(Debug, Clone, Default)]
pub struct Seat {
    /// Its name.
    pub name: Name,
    /// Its labels.
    pub labels: Labels,
    /// Its taints, as they are written.
    pub taints: Vec<String>,
    /// What is taken of it now.
    pub now: Option<Room>,
    /// What is taken of it after the plan.
    pub after: Option<Room>,
}

/// Something that a plan does to a daemonset's pod on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The place of the node.
    pub node: usize,
    /// The place of the daemonset.
    pub daemonset: usize,
    /// What is done.
    pub verb: Verb,
    /// The pod.
    pub pod: Name,
    /// Why.
    pub reason: String,
    /// The rule, as `rules/pods.dl:120`.
    pub rule: String,
}

/// The fleet: what there is, how it stands, and what a plan makes of it.
#[derive(Debug, Clone, Default)]
pub struct Picture {
    /// The time, in seconds of Unix time.
    pub at: i64,
    /// The words for how a daemonset stands on a node, the one to be looked at first at the
    /// beginning; the last one is that of what is not wanted and not there.
    pub words: Vec<Name>,
    /// The daemonsets, in order.
    pub daemonsets: Vec<ObjectKey>,
    /// The nodes, those of a group together.
    pub nodes: Vec<Seat>,
    /// The nodes that no rule tells apart, in the order of the nodes.
    pub groups: Vec<Group>,
    /// How things stand, with what the input says and before anything is done about it.
    pub now: Cells,
    /// How things stand after the plan.
    pub after: Cells,
    /// What the plan does, by node and daemonset.
    pub changes: Vec<Change>,
    /// Why things stand as they do now.
    pub cases: Vec<Case>,
    /// The texts of the rules that are named, by their places.
    pub rules: BTreeMap<String, String>,
    /// What constraints say of the plan.
    pub judged: Vec<Judged>,
    /// How many errors of the input were told and gone past.
    pub errors: usize,
}

/// Draws a picture of the fleet.
///
/// # Errors
/// When the store, the rules or the manifests are not sound.
pub fn picture(asked: &Asked, listener: &dyn Listener) -> Result<Picture, Vec<Diagnostic>> {
    // A picture shows what is refused as well.
    let options = Options { ignore_violations: true, ..asked.request.options.clone() };
    let request = Request { options, ..asked.request.clone() };
    if request.manifests.is_empty() && !request.database.is_there() {
        // A picture of nothing helps nobody.
        request.database.read()?;
    }
    let edited = Edited::of(&request, None, &asked.edits, listener)?;
    let program = relations::picture(edited.program());
    let now = edited.given(&program)?;
    listener.stage("planning");
    let (after, planned) = edited.with(&program)?;
    listener.tell(planned.said);
    listener.stage("drawing");
    let mut picture = drawn(&program, [&now, &after], &request)?;
    picture.changes = picture.changed(&planned.plan);
    let of_changes = picture.changes.iter().map(|it| it.rule.clone()).collect();
    picture.rules = rule_texts(&program, &picture.cases, of_changes);
    (picture.judged, picture.errors) = (planned.judged, edited.errors());
    Ok(picture)
}

/// What there is in the worlds before and after, and how it stands.
fn drawn(program: &Program, [before, after]: [&World; 2], request: &Request) -> Result<Picture, Diagnostic> {
    let (at, limits) = (request.options.now, &request.options.limits);
    let [was, comes] = [before, after].map(|world| Drawn::of(program, world, at, limits));
    let (was, comes) = (was?, comes?);
    let all: BTreeSet<&ObjectKey> = before.nodes.keys().chain(after.nodes.keys()).collect();
    let names = all.into_iter().map(|key| key.name.clone());
    let (nodes, groups) = groups(names, &was.apart(), &comes.apart());
    let daemonsets: BTreeSet<&ObjectKey> = before.daemonsets.keys().chain(after.daemonsets.keys()).collect();
    let daemonsets: Vec<ObjectKey> = daemonsets.into_iter().cloned().collect();
    let words = was.words();
    let now = was.cells(before, &nodes, &daemonsets, &words);
    let chosen: BTreeSet<Name> = nodes.iter().cloned().collect();
    let mut taken = Usage::of(before, &chosen, program, at, limits)?;
    let mut will = Usage::of(after, &chosen, program, at, limits)?;
    let seat = |name: &Name| {
        let key = ObjectKey::new("", name.clone());
        let node = after.nodes.get(&key).or_else(|| before.nodes.get(&key));
        let room = |world: &World, usage: &mut Usage| {
            usage.nodes.remove(name).filter(|_| world.nodes.contains_key(&key))
        };
        Seat {
            name: name.clone(),
            labels: node.map(|node| node.meta.labels.clone()).unwrap_or_default(),
            taints: node.iter().flat_map(|node| &node.taints).map(ToString::to_string).collect(),
            now: room(before, &mut taken),
            after: room(after, &mut will),
        }
    };
    Ok(Picture {
        at,
        cases: cases(program, before, at, (&nodes, &groups, &daemonsets), &now)?,
        nodes: nodes.iter().map(seat).collect(),
        after: comes.cells(after, &nodes, &daemonsets, &words),
        now,
        words,
        daemonsets,
        groups,
        ..Picture::default()
    })
}

impl Picture {
    /// What a plan does to daemonsets' pods on these nodes, by node and daemonset.
    fn changed(&self, plan: &Plan) -> Vec<Change> {
        let nodes: BTreeMap<&Name, usize> = self.nodes.iter().map(|node| &node.name).zip(0..).collect();
        let daemonsets: BTreeMap<&ObjectKey, usize> = self.daemonsets.iter().zip(0..).collect();
        let actions = plan.waves.iter().flat_map(|wave| &wave.actions);
        let changes = actions.filter_map(|action| {
            let (key, on) = (action.daemonset.as_ref()?, action.node.as_ref()?);
            let cause = plan.causes.get(&(key.clone(), on.clone())).filter(|_| action.verb == Verb::Delete);
            Some(Change {
                node: *nodes.get(on)?,
                daemonset: *daemonsets.get(key)?,
                verb: action.verb,
                pod: action.object.name.clone(),
                reason: match cause {
                    Some(cause) => format!("{} {cause}", action.reason()),
                    None => action.reason(),
                },
                rule: action.because.rule.clone(),
            })
        });
        let mut changes: Vec<Change> = changes.collect();
        changes.sort_by_key(|it| (it.node, it.daemonset));
        changes
    }

    /// How many pairs have each word, now or after the plan.
    #[must_use]
    pub fn counts(&self, cells: &Cells) -> Vec<usize> {
        let mut counts = vec![0; self.words.len()];
        for word in (0..self.nodes.len()).flat_map(|node| cells.of_node(node)).flatten() {
            if let Some(count) = counts.get_mut(word) {
                *count += 1;
            }
        }
        counts
    }
}
