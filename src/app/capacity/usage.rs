//! What is taken of each node of a world, read off the rules.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use crate::app::derived::{State, Wanted, derive_wanted};
use crate::datalog::{Handle, Limits, Program, RelationId, Row, Sym};
use crate::diagnostic::Diagnostic;
use crate::facts::Grouping;
use crate::kube::{Labels, Name, ObjectKey};
use crate::policy::relations;
use crate::state::World;

/// What is known of one resource of a node: thousandths of a CPU, bytes, pieces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// What daemon pods request.
    pub daemons: i64,
    /// What all other pods request.
    pub others: i64,
    /// What nobody requests; nothing of a node that does not say what it has.
    pub free: Option<i64>,
    /// What the daemonsets that should run there request.
    pub overhead: i64,
}

impl Taken {
    /// How much the node has; nothing where it does not say so.
    #[must_use]
    pub fn has(&self) -> Option<i64> {
        self.free.map(|free| free.saturating_add(self.daemons.saturating_add(self.others)))
    }
}

/// What is known of a node.
#[derive(Debug, Clone, Default)]
pub struct Room {
    /// Its labels.
    pub labels: Labels,
    /// By resource.
    pub resources: BTreeMap<Name, Taken>,
    /// How many pods wait for it and take nothing yet.
    pub waiting: usize,
    /// Whether no pod can be bound there, whatever it requests.
    pub full: bool,
}

/// Amounts by resource.
pub type Amounts = BTreeMap<Name, i128>;

/// What is taken in a world.
#[derive(Debug, Clone, Default)]
pub struct Usage {
    /// Each node that was asked for.
    pub nodes: BTreeMap<Name, Room>,
    /// What the pods of each daemonset request of these nodes together, by resource.
    pub daemonsets: BTreeMap<ObjectKey, Amounts>,
    /// How many pods are bound to nodes that are not known.
    pub astray: usize,
}

impl Usage {
    /// Reads it off a world that was loaded for a program that is asked for it, of some nodes.
    ///
    /// # Errors
    /// When a rule derives more than the limits allow.
    pub(in crate::app) fn of(
        world: &World,
        chosen: &BTreeSet<Name>,
        program: &Program,
        now: i64,
        limits: &Limits,
    ) -> Result<Usage, Diagnostic> {
        let ids: Vec<RelationId> = relations::CAPACITY.iter().map(|it| program.id(*it)).collect();
        let wanted = Wanted { relations: &ids, atoms: &[], grouping: Grouping::On };
        let state = derive_wanted(program, world, now, None, &wanted, limits)?;
        let read = Read { state, program };
        let mut usage = Usage::default();
        for node in world.nodes.values().filter(|node| chosen.contains(&node.meta.key.name)) {
            let room = Room { labels: node.meta.labels.clone(), ..Room::default() };
            usage.nodes.insert(node.meta.key.name.clone(), room);
        }
        read.amounts(relations::requested, &mut usage, |taken, all| taken.others = all);
        read.amounts(relations::daemon_requested, &mut usage, |taken, part| {
            taken.daemons = part;
            taken.others = taken.others.saturating_sub(part);
        });
        read.amounts(relations::free, &mut usage, |taken, free| taken.free = Some(free));
        read.amounts(relations::daemonset_overhead, &mut usage, |taken, all| taken.overhead = all);
        for row in read.rows(relations::full) {
            if let Some(room) = usage.nodes.get_mut(read.text(row[0])) {
                room.full = true;
            }
        }
        for row in read.rows(relations::waits_for_room) {
            if let Some(room) = usage.nodes.get_mut(read.text(row[0])) {
                room.waiting += 1;
            }
        }
        usage.daemonsets = read.daemonsets(chosen);
        usage.astray = read.rows(relations::astray).count();
        usage.complete();
        Ok(usage)
    }

    /// A node that says what it has has nothing of what it does not name, also where only a
    /// daemonset asks for it.
    fn complete(&mut self) {
        for room in self.nodes.values_mut() {
            if room.resources.values().any(|taken| taken.free.is_some()) {
                room.resources.values_mut().for_each(|taken| taken.free = taken.free.or(Some(0)));
            }
        }
    }
}

/// What was derived, by the names of its values.
struct Read<'p> {
    state: State,
    program: &'p Program,
}

impl Read<'_> {
    fn rows(&self, relation: Handle) -> impl Iterator<Item = Row> + '_ {
        self.state.evaluation.rows(self.program.id(relation))
    }

    /// Takes in each row of a relation of a node, a resource and an amount.
    fn amounts(&self, relation: Handle, usage: &mut Usage, mut take: impl FnMut(&mut Taken, i64)) {
        let mut names: BTreeMap<Sym, Name> = BTreeMap::new();
        for row in self.rows(relation) {
            let Some(room) = usage.nodes.get_mut(self.text(row[0])) else { continue };
            let resource = names.entry(row[1]).or_insert_with(|| self.text(row[1]).into()).clone();
            take(room.resources.entry(resource).or_default(), self.number(row[2]));
        }
    }

    /// What the pods of each daemonset take of the nodes: a pod takes what its shape does.
    fn daemonsets(&self, chosen: &BTreeSet<Name>) -> BTreeMap<ObjectKey, Amounts> {
        let shapes: FxHashMap<Sym, Sym> =
            self.rows(relations::pod_shape).map(|row| (row[0], row[1])).collect();
        let mut pods: BTreeMap<(Sym, Sym), i128> = BTreeMap::new();
        for row in self.rows(relations::carries_daemon).filter(|row| chosen.contains(self.text(row[0]))) {
            if let Some(shape) = shapes.get(&row[2]) {
                *pods.entry((row[1], *shape)).or_default() += 1;
            }
        }
        let mut found: BTreeMap<ObjectKey, Amounts> = BTreeMap::new();
        let takes: Vec<Row> = self.rows(relations::takes).collect();
        for ((daemonset, shape), count) in pods {
            let (namespace, name) = self.text(daemonset).split_once('/').unwrap_or_default();
            let amounts = found.entry(ObjectKey::new(namespace, name)).or_default();
            for row in takes.iter().filter(|row| row[0] == shape) {
                *amounts.entry(self.text(row[1]).into()).or_default() +=
                    count * i128::from(self.number(row[2]));
            }
        }
        found
    }

    fn text(&self, sym: Sym) -> &str {
        self.state.symbols.text_of(sym)
    }

    fn number(&self, sym: Sym) -> i64 {
        self.state.symbols.number_of(sym)
    }
}
