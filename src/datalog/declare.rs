//! Declarations: types and relations into what is known of them, and whether their names are
//! still to be had.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::modules::{Entry, ModuleId, OWN_MODULE};
use super::naming;
use super::program::{Column, Constraint, Declaration, DeclaredType, Kind, NUMBER, RelationId, Type, TypeId};
use super::resolve::Resolver;
use super::rows::MAX_COLUMNS;
use super::source::Span;
use super::syntax::{RawDeclaration, RawType};
use crate::diagnostic::{Diagnostic, nearest};

/// What may stand behind a declaration.
pub(super) const QUALIFIERS: [&str; 7] =
    ["input", "output", "open", "violation", "warning", "unique", EXPORT];

/// That other modules know the name.
const EXPORT: &str = "export";

impl Resolver {
    /// Declares types. What stands behind `<:` may be declared later, and elsewhere.
    pub(super) fn types(&mut self, raw: Vec<(ModuleId, RawType)>) {
        let mut open = Vec::new();
        for (module, mut raw) in raw {
            let base = raw.base.take();
            open.extend(self.ty(module, raw).zip(base));
        }
        let mut resolved = Vec::new();
        for (it, (name, span)) in open {
            let base = (name != NUMBER).then(|| naming::ty(&self.body, &name, span)).transpose();
            resolved.extend(self.noted(base).map(|base| (it, base, span)));
        }
        // Each is known once its base is; what is left goes in a circle.
        while let Some(at) = resolved.iter().position(|(_, base, _)| {
            base.is_none_or(|base| resolved.iter().all(|(other, ..)| *other != base))
        }) {
            let (it, base, span) = resolved.remove(at);
            let base = base.map_or_else(Type::number, |base| self.body.ty(base).ty.clone());
            let name = self.body.ty(it).ty.name().clone();
            match Type::below(name, &base) {
                Some(ty) => self.body.types[it.0 as usize].ty = ty,
                None => {
                    let error = Diagnostic::error("type-mismatch", format!("`{base}` is a type of texts"))
                        .because("a unit is made of `number`, or of another unit")
                        .help("take `<:` out: a type of texts stands by itself, and `as(X, Type)` makes one of the other");
                    self.report(error, span);
                }
            }
        }
        for (_, _, span) in resolved {
            let error = Diagnostic::error("type-circle", "this type is made of itself")
                .help("begin with `number`: `.type Seconds <: number`");
            self.report(error, span);
        }
    }

    /// The type that a text calls so.
    pub(super) fn known_type(&mut self, name: &str, span: Span) -> Option<Type> {
        if name == NUMBER {
            return Some(Type::number());
        }
        let known = naming::ty(&self.body, name, span);
        self.noted(known).map(|it| self.body.ty(it).ty.clone())
    }

    fn ty(&mut self, module: ModuleId, raw: RawType) -> Option<TypeId> {
        let first = self.body.type_names.of(module, &raw.name).map(|it| self.body.ty(it.it).span);
        if first.is_some() || raw.name == NUMBER {
            let mut error =
                Diagnostic::error("redefinition", format!("the type `{}` is declared twice", raw.name))
                    .help("take this line out; a type is known in all files of its folder");
            if let Some(first) = first {
                error = error.related(self.body.place(first), "first declared here");
            }
            self.report(error, raw.span);
            return None;
        }
        let others = self.body.type_names.all(&raw.name);
        let hides = others.iter().any(|it| it.exported && it.module == ModuleId::BUILTIN);
        let name: Arc<str> =
            if others.is_empty() { raw.name.as_str().into() } else { self.type_name(module, &raw.name) };
        if hides {
            self.shadows("type", &raw.name, raw.span);
        }
        let it = TypeId(u32::try_from(self.body.types.len()).unwrap_or(u32::MAX));
        self.body.types.push(DeclaredType { ty: Type::texts(name), span: raw.span });
        let entry = Entry { module, exported: raw.exported, it };
        self.body.type_names.add(raw.name.into(), entry);
        Some(it)
    }

    /// What columns call a type whose name another one has: by as much of its module as tells
    /// them apart.
    fn type_name(&self, module: ModuleId, name: &str) -> Arc<str> {
        let modules = &self.body.modules;
        let short = format!("{}::{name}", modules.name(module));
        let long = format!("{}::{name}", modules.folder(module));
        let is_free = self.body.types.iter().all(|it| *it.ty != *short);
        if is_free { short.into() } else { long.into() }
    }

    fn shadows(&mut self, what: &str, name: &str, span: Span) {
        let warning =
            Diagnostic::warning("shadowed-name", format!("`{name}` hides the built-in {what} of that name"))
                .because("in the files of this folder the name means what is declared here")
                .help(format!(
                    "give it another name, or write `{OWN_MODULE}::{name}` where the built-in one is meant"
                ));
        self.report(warning, span);
    }

    pub(super) fn declaration(&mut self, raw: RawDeclaration) {
        let Some(module) = self.body.module(raw.span) else { return };
        if self.is_taken(module, &raw) {
            return;
        }
        let before = self.found.len();
        if let Some(extra) = raw.columns.get(MAX_COLUMNS) {
            let error = Diagnostic::error(
                "too-many-columns",
                format!("`{}` has {} columns, the limit is {MAX_COLUMNS}", raw.name, raw.columns.len()),
            )
            .help("split the relation, or leave out what is not compared");
            self.report(error, extra.name_span);
        }
        let columns = self.columns(&raw);
        let (kind, open, constraint) = self.qualifiers(&raw);
        let unique = raw.unique.iter().map(|columns| self.unique(&raw, columns)).collect();
        let exported = raw.qualifiers.iter().any(|(word, _)| word == EXPORT) || open;
        if self.found.len() > before || columns.len() != raw.columns.len() {
            self.broken.insert((raw.name, module));
            return;
        }
        let tools = self.body.names.of(ModuleId::BUILTIN, &raw.name);
        if module != ModuleId::BUILTIN && tools.is_some_and(|it| it.exported) {
            self.shadows("relation", &raw.name, raw.name_span);
        }
        let text = &self.body.texts[raw.span.source as usize];
        let id = RelationId(u32::try_from(self.body.declarations.len()).unwrap_or(u32::MAX));
        let name: Arc<str> = raw.name.as_str().into();
        let declaration = Declaration {
            id,
            name: name.clone(),
            columns,
            kind,
            open,
            exported,
            constraint,
            unique,
            doc: raw.doc.join("\n").trim().to_owned(),
            file: text.file.clone(),
            line: text.line(raw.span.start),
            builtin: text.builtin,
            within: None,
            module,
            span: raw.span,
        };
        self.body.declarations.push(declaration);
        self.body.names.add(name, Entry { module, exported, it: id });
    }

    /// Whether a relation may not be declared, as its name has a meaning here already.
    fn is_taken(&mut self, module: ModuleId, raw: &RawDeclaration) -> bool {
        let own = self.body.names.of(module, &raw.name);
        let tools = self.body.names.of(ModuleId::BUILTIN, &raw.name);
        let open = tools.filter(|it| self.body.declaration(it.it).open);
        let Some(first) = own.or(open) else { return false };
        let first = self.body.declaration(first.it);
        let (message, help) = if first.module == module {
            (format!("the relation `{}` is declared twice", raw.name), "give one of them another name")
        } else {
            (
                format!("`{}` is built in, and rules of your own add to it", raw.name),
                "take this line out to add rules to it, or give yours another name",
            )
        };
        let error = Diagnostic::error("redefinition", message)
            .related(self.body.place(first.span), "first declared here")
            .help(help);
        self.report(error, raw.name_span);
        true
    }

    fn columns(&mut self, raw: &RawDeclaration) -> Vec<Column> {
        let mut names = BTreeSet::new();
        let mut columns = Vec::new();
        for column in raw.columns.iter().take(MAX_COLUMNS) {
            if !names.insert(&column.name) {
                let error =
                    Diagnostic::error("redefinition", format!("two columns are named `{}`", column.name))
                        .help("give one of them another name");
                self.report(error, column.name_span);
            }
            let Some(ty) = self.known_type(&column.ty, column.ty_span) else { continue };
            columns.push(Column { name: column.name.as_str().into(), ty });
        }
        columns
    }

    fn qualifiers(&mut self, raw: &RawDeclaration) -> (Kind, bool, Option<Constraint>) {
        let (mut kind, mut open, mut constraint) = (Kind::Internal, false, None);
        for (word, span) in raw.qualifiers.iter().filter(|(word, _)| word != EXPORT) {
            if word == "unique" {
                let error = Diagnostic::error("unknown-qualifier", "`unique` names no columns")
                    .help("name those that no two rows may have alike: `unique(node)`");
                self.report(error, *span);
                continue;
            }
            let before = (kind, open, constraint);
            match word.as_str() {
                "input" => kind = Kind::Input,
                "output" if kind != Kind::Input => kind = Kind::Output,
                "open" => open = true,
                "violation" => (kind, constraint) = (Kind::Output, Some(Constraint::Violation)),
                "warning" => (kind, constraint) = (Kind::Output, Some(Constraint::Warning)),
                _ => {}
            }
            let mixed = before != (Kind::Internal, false, None)
                && !matches!((kind, open, constraint), (Kind::Output, true, None));
            if before == (kind, open, constraint) || mixed {
                let error = if QUALIFIERS.contains(&word.as_str()) {
                    Diagnostic::error(
                        "unknown-qualifier",
                        format!("`{word}` does not go with what stands before it"),
                    )
                } else {
                    Diagnostic::error("unknown-qualifier", format!("unknown qualifier `{word}`"))
                };
                let error = match nearest(word, QUALIFIERS) {
                    Some(near) if near != word => error.help(format!("did you mean `{near}`?")),
                    _ => error.help(
                        "a relation is `input`, `output`, `open`, `open output`, `violation`, `warning` or none of them",
                    ),
                };
                self.report(error, *span);
            }
        }
        (kind, open, constraint)
    }
}
