//! A name that stands in a text into what it means; or what is to say of one that means
//! nothing there, or several things.

use super::modules::{Entry, ModuleId, OWN_MODULE, Seen};
use super::program::{Body, Literal, NUMBER, RelationId, TypeId};
use super::source::Span;
use crate::diagnostic::{Diagnostic, nearest};

/// So many relations are named in place of one that is private.
const MAX_NAMED: usize = 2;

/// The relation that is meant.
pub(super) fn relation(body: &Body, name: &str, span: Span) -> Result<RelationId, Box<Diagnostic>> {
    let from = body.module(span);
    let error = match body.names.seen(&body.modules, from, name) {
        Seen::One(id) => return Ok(id),
        Seen::Several(found) => {
            let error = several(body, "relation", name, &found);
            found.iter().fold(error, |error, entry| {
                error.related(body.place(body.declaration(entry.it).span), "one is declared here")
            })
        }
        Seen::Hidden(found) => hidden_relation(body, name, &found),
        Seen::NoModule => no_module(body, name),
        Seen::Nothing => {
            let error = Diagnostic::error("unknown-relation", format!("unknown relation `{name}`"));
            if body.parameters.iter().any(|it| *it.name == *name) {
                let error =
                    error.because(format!("`{name}` is a parameter, which is one value and has no rows"));
                return Err(Box::new(
                    error
                        .help(format!(
                            "compare with it: `Count > {name}`; `dsrules rules show {name}` shows it"
                        ))
                        .at(body.place(span)),
                ));
            }
            match (nearest(name, body.names.known(&body.modules, from)), name.rsplit_once("::")) {
                (Some(near), _) => error.help(format!("did you mean `{near}`?")),
                (None, Some((module, _))) => error.help(format!("`{module}` declares no such relation")),
                (None, None) => error.help(format!("declare it: `.decl {name}(...)`")),
            }
        }
    };
    Err(Box::new(error.at(body.place(span))))
}

/// The type that is meant.
pub(super) fn ty(body: &Body, name: &str, span: Span) -> Result<TypeId, Box<Diagnostic>> {
    let from = body.module(span);
    let error = match body.type_names.seen(&body.modules, from, name) {
        Seen::One(id) => return Ok(id),
        Seen::Several(found) => several(body, "type", name, &found),
        Seen::Hidden(found) => {
            let error = Diagnostic::error("private-name", format!("the type `{name}` is not exported"));
            match found.first() {
                Some(entry) if entry.module != ModuleId::BUILTIN => error
                    .related(body.place(body.ty(entry.it).span), "declared here")
                    .help(format!("write `.type {} export` there", last(name))),
                _ => error
                    .because("it is a matter of the tool's own rules, which may change with any version")
                    .help(format!("declare one of your own: `.type {}`", last(name))),
            }
        }
        Seen::NoModule => no_module(body, name),
        Seen::Nothing => {
            let error = Diagnostic::error("unknown-type", format!("unknown type `{name}`"));
            match nearest(name, body.type_names.known(&body.modules, from).chain([NUMBER])) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help(format!("declare it: `.type {}`", last(name))),
            }
        }
    };
    Err(Box::new(error.at(body.place(span))))
}

fn last(name: &str) -> &str {
    name.rsplit("::").next().unwrap_or(name)
}

fn several<T: Copy>(body: &Body, what: &str, name: &str, found: &[Entry<T>]) -> Diagnostic {
    let mut ways: Vec<String> =
        found.iter().map(|entry| format!("`{}::{}`", body.modules.name(entry.module), last(name))).collect();
    ways.sort();
    let error = Diagnostic::error("ambiguous-name", format!("several folders have a {what} `{name}`"));
    if ways.windows(2).any(|pair| pair[0] == pair[1]) {
        let folders: Vec<String> =
            found.iter().map(|entry| format!("`{}`", body.modules.folder(entry.module))).collect();
        return error
            .because(format!("they are {}", folders.join(" and ")))
            .help("rename one of the folders, or take `export` away from one of the declarations");
    }
    error.help(format!("say which: {}", ways.join(" or ")))
}

fn no_module(body: &Body, name: &str) -> Diagnostic {
    let module = name.rsplit_once("::").map_or(name, |(module, _)| module);
    let error = Diagnostic::error("unknown-module", format!("unknown module `{module}`"));
    match nearest(module, body.modules.names()) {
        Some(near) => error.help(format!("did you mean `{near}::{}`?", last(name))),
        None => error.help(format!(
            "a module is a folder of rules, by its name; `{OWN_MODULE}` is that of the built-in relations"
        )),
    }
}

/// What is said of a relation that is not for this text.
fn hidden_relation(body: &Body, name: &str, found: &[Entry<RelationId>]) -> Diagnostic {
    let Some(entry) = found.iter().find(|it| it.module != ModuleId::BUILTIN).or(found.first()) else {
        return Diagnostic::error("unknown-relation", format!("unknown relation `{name}`"));
    };
    let declaration = body.declaration(entry.it);
    let place = body.place(declaration.span);
    if entry.module != ModuleId::BUILTIN {
        let module = body.modules.name(entry.module);
        let message = format!("`{}` of the folder `{module}` is not exported", last(name));
        return Diagnostic::error("private-name", message)
            .related(place, "declared here")
            .help("write `export` behind its declaration, or declare one of your own");
    }
    let error =
        Diagnostic::error("private-name", format!("`{}` is a matter of the tool's own rules", last(name)))
            .because("rules of your own read what the reference lists; the rest may change with any version")
            .related(place, "declared here");
    let made = made_of(body, entry.it);
    error.help(match made.as_slice() {
        [] => format!("declare one of your own: `.decl {}(...)`", last(name)),
        _ => format!("ask {}, which is made of it, or declare one of your own", made.join(" or ")),
    })
}

/// The relations for everybody that ask a private one, those that ask little else first.
fn made_of(body: &Body, private: RelationId) -> Vec<String> {
    let reads = |literal: &Literal| literal.atom().is_some_and(|atom| atom.relation == private);
    let rules = body.rules.iter().filter(|rule| rule.body.iter().any(reads));
    let mut heads: Vec<(usize, RelationId)> =
        rules.map(|rule| (rule.body.len(), rule.head.relation)).collect();
    heads.sort_unstable();
    let mut made = Vec::new();
    for (_, id) in heads {
        let head = body.declaration(id);
        let name = format!("`{}`", head.name);
        if head.builtin && head.exported && made.len() < MAX_NAMED && !made.contains(&name) {
            made.push(name);
        }
    }
    made
}
