//! Which constraints of a program can have rows at all: those of the tool's own that no rule
//! of a user's has filled are not worth deriving.

use std::collections::BTreeSet;

use crate::datalog::{Kind, Literal, Program, RelationId};

/// The constraints (violations and warnings) that may have rows.
#[must_use]
pub fn constraints(program: &Program) -> Vec<RelationId> {
    let possible = possible(program);
    let constraints = program.declarations().filter(|it| it.constraint.is_some());
    constraints.map(|it| it.id).filter(|id| possible.contains(id)).collect()
}

/// The relations that are not empty for want of rules: an open relation that nobody adds
/// to is, and so is what needs it.
fn possible(program: &Program) -> BTreeSet<RelationId> {
    let inputs = program.declarations().filter(|it| it.kind == Kind::Input);
    let mut possible: BTreeSet<RelationId> = inputs.map(|it| it.id).collect();
    loop {
        let before = possible.len();
        for rule in program.rules() {
            let fires = rule.body.iter().all(|literal| match literal {
                Literal::Positive(atom) => possible.contains(&atom.relation),
                _ => true,
            });
            if fires {
                possible.insert(rule.head.relation);
            }
        }
        if possible.len() == before {
            return possible;
        }
    }
}
