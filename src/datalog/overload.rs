//! One name for relations that differ in the type of their first column:
//! `.overload field(node_field, pod_field)`.
//!
//! Which of them is meant follows from the types that the rest of the rule gives the first
//! argument, before names are looked up: everything behind this knows only the relations.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::modules::{ModuleId, Seen};
use super::program::{Body, Overload, RelationId};
use super::syntax::{RawAtom, RawExpression, RawLiteral, RawOverload, RawTerm};
use crate::diagnostic::Diagnostic;

/// What an `.overload` says.
pub(super) fn declare(body: &Body, module: ModuleId, raw: &RawOverload) -> Result<Overload, Box<Diagnostic>> {
    let error = |message: String, span, help: &'static str| {
        Box::new(Diagnostic::error("bad-overload", message).at(body.place(span)).help(help))
    };
    if body.names.of(module, &raw.name).is_some() {
        let message = format!("`{}` is a relation already", raw.name);
        return Err(error(message, raw.name_span, "give one of them another name"));
    }
    let mut overload = Overload { doc: raw.doc.join("\n").trim().to_owned(), ..Overload::default() };
    for (name, span) in &raw.members {
        let Seen::One(id) = body.names.seen(&body.modules, Some(module), name) else {
            let message = format!("unknown relation `{name}`");
            return Err(error(message, *span, "an overloaded name stands for declared relations"));
        };
        let Some(first) = body.declaration(id).columns.first() else {
            let message = format!("`{name}` has no columns");
            return Err(error(message, *span, "the type of the first column says which one is meant"));
        };
        if overload.members.insert(first.ty.name().clone(), id).is_some() {
            let message = format!("two relations of `{}` begin with a `{}`", raw.name, first.ty);
            return Err(error(message, *span, "the type of the first column says which one is meant"));
        }
    }
    Ok(overload)
}

/// Puts the relation that is meant in place of each overloaded name in the parts of a rule.
/// The types are those that `others` (its head) and its parts give.
pub(super) fn choose(body: &Body, others: &[&RawAtom], ways: &mut [Vec<RawLiteral>]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let is_overloaded = |atom: &RawAtom| overload(body, atom).is_some();
    let mut any = false;
    each(ways, &mut |atom| any |= is_overloaded(atom));
    if !any {
        return found;
    }
    let mut types: BTreeMap<String, Arc<str>> = BTreeMap::new();
    let mut learn = |atom: &RawAtom| {
        let Seen::One(id) = seen(body, atom) else { return };
        for ((term, _), column) in atom.terms.iter().zip(&body.declaration(id).columns) {
            if let RawTerm::Variable(name) = term {
                types.entry(name.clone()).or_insert_with(|| column.ty.name().clone());
            }
        }
    };
    others.iter().for_each(|atom| learn(atom));
    each(ways, &mut |atom| learn(atom));
    each(ways, &mut |atom| {
        let Some(overload) = overload(body, atom) else { return };
        match meant(body, overload, atom, &types) {
            // With its module, as the name may be one of the user's as well.
            Ok(id) => {
                let declaration = body.declaration(id);
                let module = body.modules.name(declaration.module);
                atom.name = if body.module(atom.span) == Some(declaration.module) {
                    declaration.name.to_string()
                } else {
                    format!("{module}::{}", declaration.name)
                };
            }
            Err(error) => found.push(*error),
        }
    });
    found
}

/// What an atom's name is overloaded with; a relation of that name comes first.
fn overload<'b>(body: &'b Body, atom: &RawAtom) -> Option<&'b Overload> {
    let from = body.module(atom.span);
    let Seen::One(found) = body.overloads.seen(&body.modules, from, &atom.name) else { return None };
    let is_relation = matches!(seen(body, atom), Seen::One(_) | Seen::Several(_));
    (!is_relation).then(|| &body.overloaded[found])
}

fn seen(body: &Body, atom: &RawAtom) -> Seen<RelationId> {
    body.names.seen(&body.modules, body.module(atom.span), &atom.name)
}

/// The relation that an atom means.
fn meant(
    body: &Body,
    overload: &Overload,
    atom: &RawAtom,
    types: &BTreeMap<String, Arc<str>>,
) -> Result<RelationId, Box<Diagnostic>> {
    let (name, first) = (&atom.name, atom.terms.first());
    let known = match first {
        Some((RawTerm::Variable(name), _)) => types.get(name),
        _ => None,
    };
    if let Some(id) = known.and_then(|ty| overload.members.get(ty)) {
        return Ok(*id);
    }
    let span = first.map_or(atom.span, |(_, span)| *span);
    let names: Vec<String> =
        overload.members.values().map(|id| format!("`{}`", body.declaration(*id).name)).collect();
    let error = match known {
        Some(ty) => Diagnostic::error("type-mismatch", format!("there is no `{name}` of a `{ty}`"))
            .help(format!("there are {}", names.join(", "))),
        None => {
            Diagnostic::error("ambiguous-relation", format!("nothing says of what `{name}` is asked here"))
                .because("it stands for several relations, and the type of its first argument says which")
                .help(format!(
                    "write the relation itself, {}, or name what has the type beside it",
                    names.join(", ")
                ))
        }
    };
    Err(Box::new(error.at(body.place(span))))
}

/// All atoms, also those in aggregates.
fn each(ways: &mut [Vec<RawLiteral>], visit: &mut dyn FnMut(&mut RawAtom)) {
    for literal in ways.iter_mut().flatten() {
        match literal {
            RawLiteral::Positive(atom) | RawLiteral::Negative(atom) => visit(atom),
            RawLiteral::First(first) => each(&mut first.ways, visit),
            RawLiteral::Comparison { left, right, .. } => {
                each_in(left, visit);
                each_in(right, visit);
            }
        }
    }
}

fn each_in(expression: &mut RawExpression, visit: &mut dyn FnMut(&mut RawAtom)) {
    match expression {
        RawExpression::Aggregate(aggregate) => each(&mut aggregate.ways, visit),
        RawExpression::Negate(inner) => each_in(inner, visit),
        RawExpression::Binary(left, _, right) => {
            each_in(left, visit);
            each_in(right, visit);
        }
        RawExpression::Call(_, items, _) | RawExpression::List(items) => {
            items.iter_mut().for_each(|item| each_in(item, visit));
        }
        RawExpression::Term(..) | RawExpression::Written(..) | RawExpression::Pattern(_) => {}
    }
}
