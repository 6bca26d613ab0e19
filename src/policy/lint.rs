//! What looks right to the engine and is a mistake about Kubernetes all the same.

use crate::datalog::{Literal, Program, Rule, Term};
use crate::diagnostic::{Diagnostic, Place};
use crate::policy::builtin::UserRules;

/// Types whose symbols are `namespace/name`, and what one of them is called.
const NAMESPACED: [(&str, &str); 3] =
    [("DaemonSet", "daemonset"), ("Pod", "pod"), ("Revision", "controllerrevision")];

/// Adds to what the engine says what it cannot know: which relation is meant for that.
pub(super) fn hints(found: &mut [Diagnostic], own: &[UserRules]) {
    for error in found {
        if let Some(help) = own_type(error, own) {
            error.help = Some(help);
            continue;
        }
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

/// A column of a type of one's own that is to be filled with what the cluster says: a label
/// is a `Value` and stays one, so the column has to take that.
fn own_type(error: &Diagnostic, own: &[UserRules]) -> Option<String> {
    let (_, ty) = error.message.strip_suffix("`, not what stands here")?.rsplit_once('`')?;
    let (_, what) = error.label.strip_suffix('`')?.rsplit_once('`')?;
    let last = ty.rsplit("::").next();
    let declares = |rules: &UserRules| {
        let mut lines = rules.text.lines().filter_map(|line| line.trim().strip_prefix(".type "));
        lines.any(|rest| rest.split_whitespace().next() == last && !rest.contains("<:"))
    };
    own.iter().any(declares).then(|| {
        format!("declare the column as `{what}`: a `{ty}` is what only facts of your own say, and what the cluster says keeps its type")
    })
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

fn bare_name(ty: &str, term: &Term) -> Option<Diagnostic> {
    let (_, what) = NAMESPACED.iter().find(|(name, _)| *name == ty)?;
    let Term::Text(text) = term else { return None };
    (!text.contains('/')).then(|| {
        Diagnostic::warning("no-namespace", format!("no {what} is ever named `{text}`, without a namespace"))
            .help(format!("write `namespace/{text}`, as `kube-system/{text}`"))
    })
}
