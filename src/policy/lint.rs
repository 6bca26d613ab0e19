//! What looks right to the engine and is a mistake about Kubernetes all the same.

use std::sync::Arc;

use crate::datalog::{Literal, Program, Rule, Term};
use crate::diagnostic::{Diagnostic, Place};

/// Types whose symbols are `namespace/name`, and what one of them is called.
const NAMESPACED: [(&str, &str); 3] =
    [("DaemonSet", "daemonset"), ("Pod", "pod"), ("Revision", "controllerrevision")];

/// Adds to what the engine says what it cannot know: which relation is meant for that.
pub(super) fn hints(found: &mut [Diagnostic]) {
    for error in found {
        let words = [error.message.as_str()].into_iter().chain(error.notes.iter().map(String::as_str));
        let text = words.chain(error.place.iter().map(|place| &*place.text)).collect::<Vec<_>>().join(" ");
        let hint = match error.code {
            "negation-in-recursion" if text.contains("`eligible`") && text.contains("`blocked`") => {
                "in rules for `blocked` ask `fits`, which is `eligible` without `blocked`"
            }
            "type-mismatch" if text.contains("compared") && text.contains("node_label(") => {
                "a label's value is a text; `node_number` has those that are whole numbers"
            }
            _ => continue,
        };
        error.help = Some(hint.to_owned());
    }
}

/// Warns about names of namespaced objects that are written without their namespace.
pub(super) fn names(program: &Program, found: &mut Vec<Diagnostic>) {
    for rule in program.rules().filter(|rule| !rule.builtin) {
        in_rule(program, rule, found);
    }
    for given in program.given() {
        let columns = &program.declaration(given.relation).columns;
        for (column, value) in columns.iter().zip(&given.values) {
            if let Some(warning) = bare_name(&column.ty, value) {
                let place = Place { line: given.line, column: 1, ..Place::file(given.file.clone()) };
                found.push(warning.at(place));
            }
        }
    }
}

fn in_rule(program: &Program, rule: &Rule, found: &mut Vec<Diagnostic>) {
    let atoms = rule.body.iter().filter_map(|literal| match literal {
        Literal::Positive(atom) | Literal::Negative(atom) => Some(atom),
        Literal::Comparison(_) => None,
    });
    for atom in atoms.chain([&rule.head]) {
        let columns = &program.declaration(atom.relation).columns;
        for ((column, term), place) in columns.iter().zip(&atom.terms).zip(program.places(atom)) {
            if let Some(warning) = bare_name(&column.ty, term) {
                found.push(warning.at(place));
            }
        }
    }
}

fn bare_name(ty: &Arc<str>, term: &Term) -> Option<Diagnostic> {
    let (_, what) = NAMESPACED.iter().find(|(name, _)| *name == &**ty)?;
    let Term::Text(text) = term else { return None };
    (!text.contains('/')).then(|| {
        Diagnostic::warning("no-namespace", format!("no {what} is ever named `{text}`, without a namespace"))
            .help(format!("write `namespace/{text}`, as `kube-system/{text}`"))
    })
}
