//! Which part of a store a question is about, by what its rules say of parts.

use std::collections::BTreeSet;

use crate::datalog::{Program, Query, RelationId};
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, Name, ObjectKey, Pod};
use crate::policy::{parts, relations};
use crate::state::{Part, SomeNodes, SomePods};
use crate::target::Memory;

/// What a question names.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    pub(super) nodes: BTreeSet<Name>,
    pub(super) pods: BTreeSet<ObjectKey>,
}

impl Names {
    /// The part of a store that what is named is of.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub(super) fn part(mut self, store: &dyn Memory) -> Result<Part, Diagnostic> {
        if !self.pods.is_empty() {
            let found = store.load_part(&Part::without_nodes(SomePods::named(self.pods)))?;
            self.nodes.extend(found.pods.values().filter_map(Pod::target).cloned());
        }
        Ok(Part::of_nodes(self.nodes))
    }
}

/// Whether what is known of these relations on some nodes is what all nodes would say.
pub(super) fn is_local(program: &Program, asked: &[RelationId]) -> bool {
    let locality = parts::locality(program, asked, |_| false);
    locality.gathering().next().is_none() && asked.iter().all(|id| locality.is_exact(*id))
}

/// The part of a store that a query is about.
///
/// # Errors
/// When the store is damaged or cannot be read.
pub(super) fn of_query(program: &Program, query: &Query, store: &dyn Memory) -> Result<Part, Diagnostic> {
    let asked = query.relations();
    let locality = parts::locality(program, &asked, |_| false);
    if locality.gathering().next().is_none()
        && let Some(named) = locality.named(program, query)
    {
        let mut names = Names::default();
        for (ty, name) in named {
            match ty {
                _ if ty == relations::type_of(Kind::Node) => _ = names.nodes.insert(name.into()),
                _ => names.pods.extend(name.split_once('/').map(|(space, name)| ObjectKey::new(space, name))),
            }
        }
        return names.part(store);
    }
    let pods = if parts::rests_on_pods(program, &asked) { SomePods::All } else { SomePods::None };
    Ok(Part { nodes: SomeNodes::All, pods })
}
