//! Which fields and which kinds of objects rules ask for, found in the rules themselves.
//!
//! Paths and kinds that stand there as constants are looked up and no others; where a rule
//! asks with a variable, all of them are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::datalog::{Atom, Kind::Input, Literal, Program, RelationId, Term};
use crate::kube::Kind;
use crate::kube::path::Path;
use crate::policy::relations;
use crate::state::Whole;

/// The paths that are asked for, of objects of one type.
#[derive(Debug, Default)]
pub(super) struct Paths {
    /// Those that are written out, each as it is written.
    pub named: BTreeMap<Arc<str>, Path>,
    /// Whether all others are asked for too.
    pub all: bool,
}

/// What is asked of objects.
#[derive(Debug, Default)]
pub(super) struct Demand {
    /// By relation.
    pub paths: BTreeMap<RelationId, Paths>,
    /// The kinds that are asked for as objects; `None` for all.
    pub kinds: Option<BTreeSet<Arc<str>>>,
}

impl Demand {
    /// What the rules that derive something needed ask for, and the `atoms` of a query.
    pub fn of<'a>(
        program: &'a Program,
        needed: impl Fn(RelationId) -> bool,
        atoms: impl Iterator<Item = &'a Atom>,
    ) -> Demand {
        let mut demand = Demand::default();
        let (object, of_object) = (program.id(relations::object), program.id(relations::object_field));
        let fields: Vec<RelationId> = relations::FIELDS.iter().map(|handle| program.id(*handle)).collect();
        if !needed(object) && !fields.iter().any(|id| needed(*id)) {
            return demand;
        }
        let (mut kinds, mut any_kind, mut asks) = (BTreeSet::new(), false, false);
        let rules = program.rules().filter(|rule| needed(rule.head.relation));
        for atom in rules.flat_map(|rule| rule.body.iter().filter_map(Literal::atom)).chain(atoms) {
            if fields.contains(&atom.relation) {
                let paths = demand.paths.entry(atom.relation).or_default();
                match &atom.terms[1] {
                    Term::Text(text) => {
                        // What is no path is refused when the rules are loaded.
                        paths.named.extend(Path::parse(text).ok().map(|path| (text.clone(), path)));
                    }
                    _ => paths.all = true,
                }
                any_kind |= atom.relation == of_object && atom.terms[0].variable().is_none();
            } else if atom.relation == object {
                asks = true;
                match &atom.terms[1] {
                    Term::Text(kind) => drop(kinds.insert(kind.clone())),
                    _ => any_kind = true,
                }
            }
        }
        // Objects may be named in facts of one's own.
        let named = program.declarations().filter(|it| !it.builtin && it.kind == Input);
        any_kind |= named.flat_map(|it| &it.columns).any(|column| &*column.ty == relations::OBJECT);
        demand.kinds = (asks && !any_kind).then_some(kinds);
        demand
    }

    /// Whether objects of a kind are asked for as such.
    pub fn asks_for(&self, kind: &str) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.contains(kind))
    }
}

/// Of which kinds deriving `wanted`, and answering a query of these `atoms`, needs whole
/// objects.
#[must_use]
pub fn wants_whole<'a>(
    program: &'a Program,
    wanted: &[RelationId],
    atoms: impl Iterator<Item = &'a Atom>,
) -> Whole {
    let needed = program.needed(wanted);
    let demand = Demand::of(program, &needed, atoms);
    let needs = |handle| needed(program.id(handle));
    let as_object = |kind: Kind| needs(relations::object_field) && demand.asks_for(kind.written());
    Whole {
        nodes: needs(relations::node_field) || as_object(Kind::Node),
        others: needs(relations::object_field) || needs(relations::budget_selector),
        pods: needs(relations::pod_field)
            || needs(relations::pod_request)
            || needs(relations::pod_shape)
            || needs(relations::pod_net)
            || needs(relations::pod_ip)
            || needs(relations::pod_tolerance)
            || as_object(Kind::Pod),
    }
}
