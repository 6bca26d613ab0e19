//! What fills the relations of kinds without a view of their own, as the list of kinds says.

use crate::datalog::{Program, RelationId};
use crate::kube::{Kind, Rows};

/// A relation that is asked for, and what fills it.
pub(super) type Filled = (RelationId, &'static Rows);

/// Those of the relations of a kind that are asked for.
pub(super) fn filled(program: &Program, needed: impl Fn(RelationId) -> bool, kind: Kind) -> Vec<Filled> {
    let known =
        kind.info().facts.iter().filter_map(|fact| Some((program.builtin(fact.relation)?, &fact.rows)));
    known.filter(|(id, _)| needed(*id)).collect()
}
