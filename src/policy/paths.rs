//! Paths of fields in rules and queries: what is no path is an error, and what no object of
//! the type can have a warning.

use crate::datalog::{Atom, Literal, Program, RelationId, Term};
use crate::diagnostic::{Diagnostic, nearest};
use crate::kube::Kind;
use crate::kube::path::Path;
use crate::policy::relations;

/// Checks the rules of the user.
pub(super) fn check(program: &Program, found: &mut Vec<Diagnostic>) {
    for rule in program.rules().filter(|rule| !rule.builtin) {
        for atom in rule.body.iter().filter_map(Literal::atom) {
            if let Some(wrong) = wrong(program, atom) {
                let place = program.places(atom).nth(1);
                found.push(match place {
                    Some(place) => wrong.at(place),
                    None => wrong,
                });
            }
        }
    }
}

/// What is wrong with the path that an atom asks for.
#[must_use]
pub fn wrong(program: &Program, atom: &Atom) -> Option<Diagnostic> {
    let is = |handle: &&crate::datalog::Handle| program.id(**handle) == atom.relation;
    relations::FIELDS.iter().find(is)?;
    let Some(Term::Text(text)) = atom.terms.get(1) else { return None };
    let path = match Path::parse(text) {
        Ok(path) => path,
        Err(wrong) => {
            let error = Diagnostic::error("bad-path", format!("`{text}` is no path of a field"));
            return Some(error.because(wrong.message).help(wrong.help));
        }
    };
    let unknown = path.unknown_in(kind_of(program, atom.relation)?)?;
    let message = format!("a {} has no field `{}`", unknown.of, unknown.field);
    let warning = Diagnostic::warning("unknown-field", message).because("so there is no such row");
    Some(match nearest(&unknown.field, unknown.known.iter().copied()) {
        Some(near) => warning.help(format!("did you mean `{near}`?")),
        None => warning.help(format!("it has {}", unknown.known.join(", "))),
    })
}

/// The kind of the objects that a relation is about, where it is one.
fn kind_of(program: &Program, relation: RelationId) -> Option<Kind> {
    let first = program.declaration(relation).columns.first()?;
    Kind::ALL.into_iter().find(|kind| relations::type_of(*kind) == &*first.ty)
}
