//! Relations that nothing uses or nothing fills.

use super::program::{Body, Kind, Literal};
use super::source::MAX_DIAGNOSTICS;
use crate::diagnostic::Diagnostic;

/// Warnings about relations that nothing uses or nothing fills.
pub(super) fn check_unused(body: &Body, found: &mut Vec<Diagnostic>) {
    let mut used = vec![false; body.declarations.len()];
    let mut derived = vec![false; body.declarations.len()];
    for rule in &body.rules {
        derived[rule.head.relation.index()] = true;
        for literal in &rule.body {
            if let Literal::Positive(atom) | Literal::Negative(atom) = literal
                && atom.relation != rule.head.relation
            {
                used[atom.relation.index()] = true;
            }
        }
    }
    unused_parameters(body, found);
    for declaration in &body.declarations {
        let at = declaration.id.index();
        let name = &declaration.name;
        // What is typed is asked by the query behind it.
        let typed = body.modules.is_query(declaration.module);
        let seen = used[at] || declaration.open || declaration.exported || typed;
        let warning = if declaration.kind == Kind::Internal && !seen {
            Diagnostic::warning("unused-relation", format!("no rule uses the relation `{name}`"))
                .help("declare it as `output` if it is a result, or take it out")
        } else if declaration.kind != Kind::Input && !declaration.open && !derived[at] {
            Diagnostic::warning("empty-relation", format!("no rule derives the relation `{name}`"))
                .help("add a rule or a fact, or declare it as `input`")
        } else if declaration.kind == Kind::Input && !declaration.builtin && !seen {
            Diagnostic::warning("unused-relation", format!("no rule uses the input `{name}`"))
                .help("take it out if it is not needed")
        } else {
            continue;
        };
        if found.len() < MAX_DIAGNOSTICS {
            found.push(warning.at(body.place(declaration.span)));
        }
    }
}

fn unused_parameters(body: &Body, found: &mut Vec<Diagnostic>) {
    for (at, parameter) in body.parameters.iter().enumerate() {
        let typed = body.module(parameter.span).is_some_and(|it| body.modules.is_query(it));
        if found.len() < MAX_DIAGNOSTICS && !typed && body.uses.values().all(|used| *used != at) {
            let message = format!("no rule uses the parameter `{}`", parameter.name);
            let warning = Diagnostic::warning("unused-parameter", message)
                .help("write its name where a constant may stand, or take it out");
            found.push(warning.at(body.place(parameter.span)));
        }
    }
}
