//! A plan of a change to few nodes and pods, made of what the change touches.
//!
//! ```text
//!  changed objects -> their nodes -> that part of the store -> rules as they were, as they are
//!  what is on record of a store at rest  ────────────────────> numbers of all of it
//! ```
//! That is enough where the rules say nothing of one node for what is on another
//! (`policy::parts`), and where nothing was left to do before. Where it is not, or turns out
//! on the way not to be, there is no such plan, and all of the store is looked at.

use std::collections::{BTreeMap, BTreeSet};

use super::bound::{Before, TOO_MUCH};
use super::load::{wants_details, wants_whole};
use super::options::{Options, Schedule};
use super::planning::{Planned, judge};
use super::put::put_all;
use super::restart::with_restart;
use super::settled;
use super::standing::STANDING;
use super::unlisted;
use crate::datalog::locality::{Lies, Locality};
use crate::datalog::{Program, RelationId};
use crate::diagnostic::Diagnostic;
use crate::hash::sha256;
use crate::kube::{self, Kind, Name, Node, Object, ObjectKey, Pod};
use crate::plan::{BEYOND, Plan, Reconciler, Rest};
use crate::policy::builtin::BUILTIN;
use crate::policy::{constraints, parts, relations};
use crate::reason::{Reasoner, wanted};
use crate::state::{Changed, Gone, OwnFile, Part, SomeNodes, SomePods, World};
use crate::target::Memory;

/// Of more nodes than this all of the store is looked at.
const FEW: usize = 256;

/// A plan that was made of a part of the store.
pub(super) struct Parted {
    pub(super) planned: Planned,
    /// The part of the world as the plan leaves it.
    pub(super) world: World,
    /// The fingerprints of the manifests that say nothing new, whose objects it may not have.
    pub(super) written: Written,
    /// What is on record of all of the store when the plan was carried out.
    pub(super) rest: Option<Rest>,
}

/// Fingerprints of manifests.
pub(super) type Written = BTreeMap<(Kind, ObjectKey), u64>;

/// What is to be planned.
pub(super) struct Asked<'a> {
    pub(super) objects: &'a [Object],
    pub(super) gone: &'a Gone,
    pub(super) program: &'a Program,
    /// What the rest of the store is to be about.
    pub(super) about: &'a str,
    pub(super) options: &'a Options,
}

/// What the rest of a store is about: the rules, and how it is planned with them.
pub(super) fn about(own: &[OwnFile], options: &Options) -> String {
    let asked = (env!("CARGO_PKG_VERSION"), BUILTIN, own, options.readiness, options.schedule);
    sha256(format!("{asked:?}"))
}

/// What is on record of a store that a plan leaves, if nothing is left to do, now or later.
pub(super) fn rest_of(planned: &Planned, world: &World) -> Option<Rest> {
    let Planned { plan, reasoner, .. } = planned;
    is_at_rest(plan, world, reasoner.program()).then(|| Rest::of(reasoner, world))
}

/// Whether nothing is left to do until an object changes.
fn is_at_rest(plan: &Plan, world: &World, program: &Program) -> bool {
    settled::is_done(plan, world) && world.refused.is_empty() && !parts::ask_the_time(program)
}

/// The plan, if it can be made of a part of the store.
///
/// # Errors
/// As a plan of all of it.
pub(super) fn plan(store: &dyn Memory, asked: &Asked<'_>) -> Result<Option<Parted>, Diagnostic> {
    match parted(store, asked) {
        Ok(Ok(parted)) => {
            tracing::debug!(nodes = parted.world.nodes.len(), "planned with a part of the store");
            Ok(Some(parted))
        }
        Ok(Err(why)) => {
            tracing::debug!("all of the store is looked at: {why}");
            Ok(None)
        }
        // What may not be is said of all there is.
        Err(error) if error.code == BEYOND || error.code == TOO_MUCH => {
            tracing::debug!("all of the store is looked at: {}", error.message);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The plan, or why it has to be made of all of the store.
type OrWhy<T> = Result<T, &'static str>;

fn parted(store: &dyn Memory, asked: &Asked<'_>) -> Result<OrWhy<Parted>, Diagnostic> {
    let Asked { objects, gone, options, .. } = asked;
    if options.whole || options.turns.is_some() {
        return Ok(Err("that was asked for"));
    }
    if !gone.given.is_empty() || !gone.objects.iter().all(|(kind, _)| is_placed(*kind)) {
        return Ok(Err("what goes is of all nodes"));
    }
    let known = store.rest(asked.about)?;
    let Some(rest) = known.and_then(|known| serde_json::from_str::<Rest>(&known).ok()) else {
        return Ok(Err("the store is not known to be at rest"));
    };
    let probe = store.load_part(&named(objects, gone))?;
    let (changed, mut unchanged) = split(objects, &probe);
    if !changed.iter().all(|object| is_placed(object.kind)) {
        return Ok(Err("what changes is of all nodes"));
    }
    if !schedules_alike(&rest, &changed, gone, &probe, options) {
        return Ok(Err("the scheduler may have a say that it had not, or no more"));
    }
    let nodes = touched(&changed, gone, &probe);
    if nodes.len().max(changed.len()) > FEW {
        return Ok(Err("many nodes change"));
    }
    let mut parted = planned(store, asked, &rest, changed, nodes)?;
    if let Ok(parted) = &mut parted {
        unlisted::insert(&mut parted.planned.plan, unchanged.keys().cloned());
        // What the plan took away is not brought any more.
        unchanged.retain(|object, _| !parted.world.dirty.removed.contains_key(object));
        parted.written = unchanged;
    }
    Ok(parted)
}

fn is_placed(kind: Kind) -> bool {
    matches!(kind, Kind::Node | Kind::Pod)
}

/// What the store has under the names of some objects.
fn named(objects: &[Object], gone: &Gone) -> Part {
    let keys = || {
        objects.iter().map(|it| (it.kind, &it.key)).chain(gone.objects.iter().map(|(kind, key)| (*kind, key)))
    };
    let of = |kind: Kind| keys().filter(move |(it, _)| *it == kind).map(|(_, key)| key);
    let named = of(Kind::Pod).cloned().collect();
    Part {
        nodes: SomeNodes::These(of(Kind::Node).map(|key| key.name.clone()).collect()),
        pods: SomePods::named(named),
    }
}

/// The objects that say something new, and those that do not.
fn split(objects: &[Object], probe: &World) -> (Vec<Object>, Written) {
    let (mut changed, mut unchanged) = (Vec::new(), Written::new());
    for object in objects {
        let (kind, key) = (object.kind, object.key.clone());
        let stored = probe.meta(kind, &key).map(|meta| meta.written.object);
        let object = with_restart(object.clone(), probe);
        let written = kube::Written::of(kind, &object.value).object;
        if stored == Some(written) {
            unchanged.insert((kind, key), written);
        } else {
            changed.push(object);
        }
    }
    (changed, unchanged)
}

/// Whether the scheduler is asked after the change if it was asked before.
fn schedules_alike(rest: &Rest, changed: &[Object], gone: &Gone, probe: &World, options: &Options) -> bool {
    match options.schedule {
        Some(schedule) => rest.schedules == (schedule == Schedule::Simulate),
        None => {
            let nodes = || changed.iter().filter(|object| object.kind == Kind::Node);
            let comes = nodes().any(|it| Node::from_value(it.key.clone(), &it.value).has_allocatable);
            let most = nodes().count() + gone.objects.len();
            // Where nodes that say what they have may all be gone, all of them are looked at.
            if rest.schedules {
                rest.sized > most || comes
            } else {
                !comes && !probe.nodes.values().any(|it| it.has_allocatable)
            }
        }
    }
}

/// The nodes that a change is about: those that change, and those that pods are on or meant
/// for, before and after.
fn touched(changed: &[Object], gone: &Gone, probe: &World) -> BTreeSet<Name> {
    let node = |kind: Kind, key: &ObjectKey| (kind == Kind::Node).then(|| key.name.clone());
    let mut nodes: BTreeSet<Name> = probe.pods.values().filter_map(Pod::target).cloned().collect();
    nodes.extend(gone.objects.iter().filter_map(|(kind, key)| node(*kind, key)));
    for object in changed {
        nodes.extend(node(object.kind, &object.key));
        if object.kind == Kind::Pod {
            nodes.extend(Pod::from_value(object.key.clone(), object.value.clone().into()).target().cloned());
        }
    }
    nodes
}

fn planned(
    store: &dyn Memory,
    asked: &Asked<'_>,
    rest: &Rest,
    changed: Vec<Object>,
    nodes: BTreeSet<Name>,
) -> Result<OrWhy<Parted>, Diagnostic> {
    let Asked { gone, options, .. } = asked;
    let program = if rest.schedules {
        relations::scheduling(asked.program)
    } else {
        relations::assuming(asked.program)
    };
    let needed = wanted(&program);
    let locality = parts::locality(&program, &needed, |id| rest.is_empty(id));
    if let Err(why) = is_enough(&program, &needed, &locality, rest) {
        return Ok(Err(why));
    }
    let mut world = load(store, &program, rest, nodes, options)?;
    let mut reasoner = Reasoner::new(&program, options.grouping).limited(options.limits);
    reasoner.derive(&world, &Changed::default(), options.now)?;
    world.changed.clear();
    let before = Rest::of(&reasoner, &world);
    let mut reconciler = Reconciler::resting(&world, &reasoner, rest, &before, &locality);
    let bound = Before::applying(&world).of(rest.pods);
    let objects = put_all(&mut world, changed, gone, options);
    let planned = judge(&mut world, objects, &bound, reasoner, &mut reconciler, options)?;
    let rest = is_at_rest(&planned.plan, &world, &program)
        .then(|| rest.clone().after(&before, &Rest::of(&planned.reasoner, &world)));
    Ok(Ok(Parted { planned, world, written: Written::new(), rest }))
}

/// Whether what a plan reads is known of a part as of all there is.
fn is_enough(program: &Program, wanted: &[RelationId], locality: &Locality, rest: &Rest) -> OrWhy<()> {
    let inexact = |id: &&RelationId| !locality.is_exact(**id);
    if let Some(id) = wanted.iter().find(inexact) {
        tracing::debug!(relation = %program.declaration(*id).name, "not known of a part");
        return Err("rules join what is on several nodes");
    }
    if !locality.gathering().all(|id| rest.is_empty(id)) {
        return Err("other nodes have a say in what is common");
    }
    // What is told of all nodes there are, and not just of what changed.
    let lists = [program.id(relations::kept_off), program.id(relations::barred)].into_iter();
    let mut lists =
        lists.chain(constraints(program)).chain(STANDING.iter().map(|handle| program.id(*handle)));
    let is_common = |id: RelationId| {
        program.declaration(id).columns.iter().all(|column| parts::lies(&column.ty) == Lies::Common)
    };
    if !lists.all(|id| rest.is_empty(id) || (is_common(id) && locality.is_exact(id))) {
        return Err("something is to be told of other nodes");
    }
    // Names in facts are compared with all there are.
    if program.given().next().is_some() { Err("facts may name any node") } else { Ok(()) }
}

/// The part of the store that some nodes are, with what rules need of it.
fn load(
    store: &dyn Memory,
    program: &Program,
    rest: &Rest,
    nodes: BTreeSet<Name>,
    options: &Options,
) -> Result<World, Diagnostic> {
    let mut world = store.load_part(&Part::of_nodes(nodes))?;
    world.see_taints(options.now);
    if wants_details(program) || rest.schedules {
        store.load_details(&mut world)?;
    }
    store.load_whole(&mut world, wants_whole(program))?;
    Ok(world)
}
