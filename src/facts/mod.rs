//! Facts: the world as rows of the rules' input relations.
//!
//! This is the only translator between objects and relations. It reads and groups and
//! decides nothing: daemonsets with equal constraints become one *class*, nodes that no
//! rule can tell apart one *profile*, equal labels in one namespace one *label set*, so
//! that rules compare kinds of things and not every thing with every other. With
//! [`Grouping::Off`] each object is its own group, and every answer is the same.
//!
//! ```text
//!   Node ──────── in_profile ──> profile: labels some daemonset asks for, taints, name
//!   DaemonSet ─── in_class ────> class: nodeName, selector, affinity, tolerations
//!   Pod, Revision ── pod ──────> label set
//! ```
//! The rows of an object begin with its symbol, so what changed is found by comparing
//! the object's rows with those the evaluation has under that symbol. Groups are never
//! taken back: one without members derives nothing that anyone asks for.

mod alone;
mod cluster;
mod placement;
mod plain;
mod pods;

use std::collections::{BTreeSet, HashMap};

use rustc_hash::{FxHashMap, FxHashSet};

pub use alone::Alone;
pub use cluster::wants_details;

use crate::datalog::{Evaluation, Facts, Program, RelationId, Row, Sym, Symbols};
use crate::kube::{Kind, Labels, Name, ObjectKey, Requirement};
use crate::state::World;

/// Whether objects that no rule can tell apart are compared once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Grouping {
    /// They are: the cost follows the kinds of objects.
    #[default]
    On,
    /// Each object stands for itself: for explanations about one pair, and to prove
    /// that grouping decides nothing.
    Off,
}

/// The state of the translation: symbols, and which shared rows were given already.
pub struct Encoder {
    /// The program whose input relations are filled.
    program: Program,
    /// The relations that are filled: those that are asked for, directly or not.
    needed: BTreeSet<RelationId>,
    /// Names to symbols.
    pub symbols: Symbols,
    grouping: Grouping,
    /// What stands for itself, because it is asked about.
    alone: Alone,
    /// Label keys that some daemonset's placement asks for.
    keys: BTreeSet<Name>,
    /// Node names that some daemonset's placement names.
    named: BTreeSet<Name>,
    /// Groups whose own rows were given.
    known: FxHashSet<(&'static str, Sym)>,
    /// Profiles by their labels and taints.
    profiles: FxHashMap<(Sym, Sym), Sym>,
    /// Label sets by the address of their shared map, so that each is read once.
    sets: FxHashMap<(usize, usize), (Sym, Labels, Name)>,
    /// Names that many objects share, by their address, so that each is looked up once.
    names: FxHashMap<usize, (Sym, Name)>,
    /// Where a key's text is put together.
    buffer: String,
    ids: FxHashMap<&'static str, Option<RelationId>>,
    out: Facts,
}

impl Encoder {
    /// A translation for `program` that has given nothing yet. It fills what the
    /// `wanted` relations depend on.
    #[must_use]
    pub fn new(program: Program, grouping: Grouping, wanted: &[RelationId]) -> Self {
        let needed = program.needed(wanted);
        let needed = program.declarations().map(|it| it.id).filter(|id| needed(*id)).collect();
        Encoder {
            program,
            needed,
            symbols: Symbols::new(),
            grouping,
            alone: Alone::default(),
            keys: BTreeSet::new(),
            named: BTreeSet::new(),
            known: FxHashSet::default(),
            profiles: FxHashMap::default(),
            sets: FxHashMap::default(),
            names: FxHashMap::default(),
            buffer: String::new(),
            ids: FxHashMap::default(),
            out: Facts::new(),
        }
    }

    /// Lets objects be groups of their own, by their names, so that what is derived of
    /// them can be told.
    pub fn single_out(&mut self, alone: Alone) {
        self.alone = alone;
    }

    /// Whether a node is grouped with others.
    fn groups_node(&self, name: &Name) -> bool {
        self.grouping == Grouping::On && !self.alone.nodes.contains(name)
    }

    /// Whether a daemonset is grouped with others.
    fn groups_daemonset(&self, key: &ObjectKey) -> bool {
        self.grouping == Grouping::On && !self.alone.daemonsets.contains(key)
    }

    /// Whether a pod or revision is grouped with others of equal labels.
    fn groups_labels(&self, kind: Kind, key: &ObjectKey) -> bool {
        self.grouping == Grouping::On && !self.alone.has_labels_of(kind, key)
    }

    /// How it groups.
    #[must_use]
    pub fn grouping(&self) -> Grouping {
        self.grouping
    }

    /// All facts of the world at the time `now` (seconds of Unix time).
    pub fn all(&mut self, world: &World, now: i64) -> Facts {
        self.learn_constraints(world);
        for ((kind, _), object) in &world.others {
            self.plain(*kind, object);
        }
        for daemonset in world.daemonsets.values() {
            self.daemonset(daemonset);
        }
        for node in world.nodes.values() {
            self.node(node);
        }
        for revision in world.revisions.values() {
            self.revision(revision);
        }
        for pod in world.pods.values() {
            self.pod(pod);
        }
        self.rest(world, now);
        std::mem::take(&mut self.out)
    }

    /// The facts that came and went since `evaluation` was brought up to date, when the
    /// objects `changed` differ (or are gone) and the time is `now`: (added, removed).
    pub fn changes<'a>(
        &mut self,
        world: &World,
        evaluation: &Evaluation,
        changed: impl IntoIterator<Item = &'a (Kind, ObjectKey)>,
        now: i64,
    ) -> (Facts, Facts) {
        let mut changed: BTreeSet<(Kind, ObjectKey)> = changed.into_iter().cloned().collect();
        if changed.iter().any(|(kind, _)| *kind == Kind::DaemonSet) && self.learn_constraints(world) {
            // A label or name nobody asked for before may tell nodes apart now.
            changed.extend(world.nodes.keys().map(|key| (Kind::Node, key.clone())));
        }
        for (kind, key) in &changed {
            match kind {
                Kind::Node => world.nodes.get(key).into_iter().for_each(|node| self.node(node)),
                Kind::DaemonSet => world.daemonsets.get(key).into_iter().for_each(|it| self.daemonset(it)),
                Kind::ControllerRevision => {
                    world.revisions.get(key).into_iter().for_each(|it| self.revision(it))
                }
                Kind::Pod => world.pods.get(key).into_iter().for_each(|pod| self.pod(pod)),
                _ => {
                    let object = world.others.get(&(*kind, key.clone()));
                    object.into_iter().for_each(|it| self.plain(*kind, it));
                }
            }
        }
        self.rest(world, now);
        let given = std::mem::take(&mut self.out);
        let inputs = self.program.declarations().map(|declaration| declaration.id);
        let fresh: BTreeSet<(RelationId, Row)> =
            inputs.flat_map(|id| given.rows(id).map(move |row| (id, row))).collect();
        let mut removed = Facts::new();
        for (kind, key) in &changed {
            let subject = self.subject(*kind, key);
            for relation in self.owned_relations(*kind) {
                for row in evaluation.rows_with_prefix(relation, &[subject]) {
                    if !fresh.contains(&(relation, row)) {
                        removed.insert(relation, &row);
                    }
                }
            }
        }
        for name in REST.iter().chain(cluster::REST) {
            let Some(relation) = self.relation(name) else { continue };
            for row in evaluation.rows(relation) {
                if !fresh.contains(&(relation, row)) {
                    removed.insert(relation, &row);
                }
            }
        }
        let mut added = Facts::new();
        for (relation, row) in fresh {
            if !evaluation.contains(relation, &row) {
                added.insert(relation, &row);
            }
        }
        (added, removed)
    }

    /// The symbol an object is known by.
    pub fn subject(&mut self, kind: Kind, key: &ObjectKey) -> Sym {
        match kind {
            Kind::Node => self.symbols.text(&key.name),
            _ => {
                self.buffer.clear();
                if !key.namespace.is_empty() {
                    self.buffer.push_str(&key.namespace);
                    self.buffer.push('/');
                }
                self.buffer.push_str(&key.name);
                self.symbols.text(&self.buffer)
            }
        }
    }

    /// The symbol of a name that many objects share.
    fn shared(&mut self, name: &Name) -> Sym {
        if let Some((symbol, _)) = self.names.get(&address(name)) {
            return *symbol;
        }
        let symbol = self.symbols.text(name);
        // Keeping the name alive keeps its address its own.
        self.names.insert(address(name), (symbol, name.clone()));
        symbol
    }

    fn owned_relations(&mut self, kind: Kind) -> Vec<RelationId> {
        let names: &[&'static str] = match kind {
            Kind::Node => placement::OF_NODE,
            Kind::DaemonSet => placement::OF_DAEMONSET,
            Kind::ControllerRevision => pods::OF_REVISION,
            Kind::Pod => pods::OF_POD,
            _ => &[],
        };
        let plain = kind.info().facts.iter().map(|fact| &fact.relation);
        let cluster = cluster::owned(kind).iter().chain(plain);
        names.iter().chain(cluster).filter_map(|name| self.relation(name)).collect()
    }

    /// The relation of this name, if anyone asks for it.
    fn relation(&mut self, name: &'static str) -> Option<RelationId> {
        let find = || self.program.relation(name).filter(|id| self.needed.contains(id));
        *self.ids.entry(name).or_insert_with(find)
    }

    /// Whether anyone asks for the rows of this relation.
    fn uses(&mut self, name: &'static str) -> bool {
        self.relation(name).is_some()
    }

    /// One row; a relation that nobody asks for is not filled.
    fn row(&mut self, relation: &'static str, row: &[Sym]) {
        if let Some(id) = self.relation(relation) {
            self.out.insert(id, row);
        }
    }

    fn text(&mut self, text: &str) -> Sym {
        self.symbols.text(text)
    }

    /// Whether this is the first time that the rows of a shared thing are asked for.
    fn first(&mut self, what: &'static str, thing: Sym) -> bool {
        self.known.insert((what, thing))
    }

    /// The facts that belong to no single object, all of them each time.
    fn rest(&mut self, world: &World, seconds: i64) {
        let now = self.symbols.number(seconds);
        self.row("now", &[now]);
        self.clock(seconds);
        let by_uid: HashMap<&Name, &ObjectKey> = if world.backoff.is_empty() {
            HashMap::new()
        } else {
            world.daemonsets.iter().map(|(key, it)| (&it.meta.uid, key)).collect()
        };
        for ((uid, node), backoff) in &world.backoff {
            let Some(daemonset) = by_uid.get(uid) else { continue };
            let daemonset = self.subject(Kind::DaemonSet, daemonset);
            let node = self.text(node);
            let until = self.symbols.number(backoff.since.saturating_add(backoff.seconds));
            self.row("backoff_until", &[daemonset, node, until]);
        }
        for uid in &world.deleted_owners {
            let uid = self.text(uid);
            self.row("deleted_owner", &[uid]);
        }
    }

    /// A requirement with what it says; its symbol is its text.
    fn requirement(&mut self, requirement: &Requirement) -> Sym {
        let symbol = self.text(&requirement.to_string());
        if !self.first("requirement", symbol) {
            return symbol;
        }
        let key = self.key(&requirement.key);
        let operator = self.text(&requirement.operator);
        self.row("requirement", &[symbol, key, operator]);
        for value in &requirement.values {
            let value = self.value(value);
            self.row("requirement_value", &[symbol, value]);
        }
        if let [value] = requirement.values.as_slice()
            && let Ok(number) = value.parse::<i64>()
        {
            let number = self.symbols.number(number);
            self.row("requirement_number", &[symbol, number]);
        }
        let size = self.symbols.number(i64::try_from(requirement.values.len()).unwrap_or(i64::MAX));
        self.row("requirement_size", &[symbol, size]);
        symbol
    }

    fn key(&mut self, key: &str) -> Sym {
        let symbol = self.text(key);
        if self.first("key", symbol) && !crate::kube::is_label_key(key) {
            self.row("bad_key", &[symbol]);
        }
        symbol
    }

    fn value(&mut self, value: &str) -> Sym {
        let symbol = self.text(value);
        if self.first("value", symbol) && !crate::kube::is_label_value(value) {
            self.row("bad_value", &[symbol]);
        }
        symbol
    }
}

/// Where a name lies.
fn address(name: &Name) -> usize {
    name.as_ptr() as usize
}

/// Relations whose rows belong to no object and are given anew each time.
const REST: &[&str] = &["now", "backoff_until", "deleted_owner"];
