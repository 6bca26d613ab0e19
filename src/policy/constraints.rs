//! Which constraints of a program can have rows at all: those of the tool's own that no rule
//! of a user's has filled are not worth deriving.

use crate::datalog::{Kind, Literal, Program, RelationId, Rule};

/// The constraints (violations and warnings) that may have rows.
#[must_use]
pub fn constraints(program: &Program) -> Vec<RelationId> {
    let possible = possible(program);
    let constraints = program.declarations().filter(|it| it.constraint.is_some());
    constraints.map(|it| it.id).filter(|id| possible.has(*id)).collect()
}

/// Relations, by their places.
struct Relations(Vec<bool>);

impl Relations {
    fn has(&self, id: RelationId) -> bool {
        self.0.get(id.index()).copied().unwrap_or(false)
    }

    fn add(&mut self, id: RelationId) {
        if self.0.len() <= id.index() {
            self.0.resize(id.index() + 1, false);
        }
        self.0[id.index()] = true;
    }
}

/// The relations that are not empty for want of rules: an open relation that nobody adds
/// to is, and so is what needs it.
fn possible(program: &Program) -> Relations {
    let mut possible = Relations(Vec::new());
    program.declarations().filter(|it| it.kind == Kind::Input).for_each(|it| possible.add(it.id));
    let mut waiting: Vec<&Rule> = program.rules().collect();
    loop {
        let before = waiting.len();
        waiting.retain(|rule| {
            let fires = rule.body.iter().all(|literal| match literal {
                Literal::Positive(atom) => possible.has(atom.relation),
                _ => true,
            });
            if fires {
                possible.add(rule.head.relation);
            }
            !fires
        });
        if waiting.len() == before {
            return possible;
        }
    }
}
