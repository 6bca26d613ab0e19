//! A checked rule program: declarations, rules and the strata to evaluate them in.
//!
//! Everything a reader of the rules may want is kept (documentation, sentences, the
//! text of each rule and where it stands), so listings, generated docs and explanations
//! all come from here. A [`Program`] is a cheap handle: clones share one body, and an
//! evaluation can live beside its program for as long as a watcher runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::aggregate::Fold;
pub use super::expression::{Arithmetic, Comparison, Expression, Operator, Term, Variable};
use super::modules::{ModuleId, Modules, Named, Seen};
pub use super::parameter::{Parameter, Setting};
use super::source::{Span, Text, place};
pub use super::types::{NUMBER, Type};
use crate::diagnostic::Place;

/// One relation of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelationId(pub(super) u32);

impl RelationId {
    /// Its place among the declarations.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where the rows of a relation come from and go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Filled from outside; no rule may derive it.
    Input,
    /// Derived, and used by other rules.
    Internal,
    /// Derived, and read by the outside.
    Output,
}

/// What a row of a relation means to whoever asked for it to be derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Constraint {
    /// Each row is something that must not be (`violation`).
    Violation,
    /// Each row is something worth a warning (`warning`).
    Warning,
}

/// A row of an input that came with the program: a fact in a rule text, or a line of a
/// file of facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The input.
    pub relation: RelationId,
    /// A constant for each of its columns.
    pub values: Vec<Term>,
    /// The file it is from.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
}

/// A column of a relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, which is documentation.
    pub name: Arc<str>,
    /// Its type: a declared one or `number`.
    pub ty: Type,
}

/// A type, by its place among those of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TypeId(pub u32);

/// A declared type.
#[derive(Debug, Clone)]
pub(super) struct DeclaredType {
    /// As columns call it: with the module where another type has the name alone.
    pub ty: Type,
    pub span: Span,
}

/// A declared relation.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// How the program's functions name it.
    pub id: RelationId,
    /// Its name.
    pub name: Arc<str>,
    /// Its columns, at most [`super::MAX_COLUMNS`].
    pub columns: Vec<Column>,
    /// Input, internal or output.
    pub kind: Kind,
    /// Whether a user's rules may derive more of it.
    pub open: bool,
    /// Whether other modules know it by its name.
    pub exported: bool,
    /// Whether its rows are violations or warnings; then it is an output.
    pub constraint: Option<Constraint>,
    /// Columns, by their places, that no two rows may have alike.
    pub unique: Vec<Vec<usize>>,
    /// The `///` lines over it.
    pub doc: String,
    /// The text it is from.
    pub file: Arc<str>,
    /// The line it starts on, from 1.
    pub line: u32,
    /// Whether it is a part of the tool.
    pub builtin: bool,
    /// Of one that holds what an aggregate is about and that nobody declared, the relation in
    /// whose rule the aggregate stands. Its name is then the aggregate's text.
    pub within: Option<RelationId>,
    pub(super) module: ModuleId,
    pub(super) span: Span,
}

impl Declaration {
    /// What stands behind it as it would be written: `input`, `export`, `unique(node)`.
    #[must_use]
    pub fn qualifiers(&self) -> Vec<String> {
        let kind = match (self.constraint, self.kind) {
            (Some(Constraint::Violation), _) => "violation",
            (Some(Constraint::Warning), _) => "warning",
            (None, Kind::Input) => "input",
            (None, Kind::Output) if !self.open => "output",
            _ => "",
        };
        let open = if self.open { "open" } else { "" };
        let export = if self.exported && !self.open { "export" } else { "" };
        let words = [kind, open, export].into_iter().filter(|word| !word.is_empty()).map(str::to_owned);
        let unique = self.unique.iter().map(|columns| {
            let names: Vec<&str> = columns.iter().map(|at| &*self.columns[*at].name).collect();
            format!("unique({})", names.join(", "))
        });
        words.chain(unique).collect()
    }
}

impl std::fmt::Display for Declaration {
    /// As it would be written: `label(node: Node, key: Key)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}(", self.name)?;
        for (at, column) in self.columns.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{}: {}", column.name, column.ty)?;
        }
        f.write_str(")")
    }
}

/// A relation with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Atom {
    /// The relation.
    pub relation: RelationId,
    /// One term for each of its columns.
    pub terms: Vec<Term>,
    pub(super) span: Span,
    pub(super) spans: Vec<Span>,
}

impl Atom {
    /// The variables of the atom, in order, as often as they stand there.
    pub fn variables(&self) -> impl Iterator<Item = Variable> + '_ {
        self.terms.iter().filter_map(Term::variable)
    }
}

/// One part of a rule's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// There is such a row.
    Positive(Atom),
    /// There is no such row.
    Negative(Atom),
    /// The comparison holds.
    Comparison(Comparison),
}

impl Literal {
    /// Its atom, negated or not.
    #[must_use]
    pub fn atom(&self) -> Option<&Atom> {
        match self {
            Literal::Positive(atom) | Literal::Negative(atom) => Some(atom),
            Literal::Comparison(_) => None,
        }
    }

    /// Its atom, if such a row must be there.
    #[must_use]
    pub fn positive(&self) -> Option<&Atom> {
        if let Literal::Positive(atom) = self { Some(atom) } else { None }
    }
}

/// A rule has at most so many variables.
pub const MAX_VARIABLES: usize = 32;

/// A rule; one without a body is a fact.
#[derive(Debug, Clone)]
pub struct Rule {
    /// What it derives.
    pub head: Atom,
    /// When.
    pub body: Vec<Literal>,
    /// The names of its variables.
    pub variables: Vec<Arc<str>>,
    /// The `///` text over it, one line, with `{Variable}` to be filled in. May be empty.
    pub sentence: Arc<str>,
    /// The rule as it was written.
    pub text: Arc<str>,
    /// The text it is from.
    pub file: Arc<str>,
    /// The line it starts on, from 1.
    pub line: u32,
    /// Whether it is a part of the tool.
    pub builtin: bool,
    /// How its rows are folded, where it derives the value of an aggregate.
    pub(super) fold: Option<Fold>,
    pub(super) span: Span,
}

impl Rule {
    /// Whether it makes one row of many: more of what it looks at may well give less.
    #[must_use]
    pub fn folds(&self) -> bool {
        self.fold.is_some()
    }
}

/// The relations that a name stands for, by the type of their first column.
#[derive(Debug, Clone, Default)]
pub(super) struct Overload {
    pub members: BTreeMap<Arc<str>, RelationId>,
    /// The `///` lines over it.
    pub doc: String,
}

/// Relations to evaluate together.
#[derive(Debug, Clone)]
pub(super) struct Stratum {
    pub relations: Vec<RelationId>,
    /// The rules that derive them, by their place in the program.
    pub rules: Vec<usize>,
    /// Whether a rule of the stratum uses a relation of the stratum.
    pub recursive: bool,
    /// For each relation the rules of the stratum that use it, with the place in the body.
    pub uses: BTreeMap<RelationId, Vec<(usize, usize)>>,
}

impl Stratum {
    /// Whether it is where a relation is derived.
    pub fn has(&self, relation: RelationId) -> bool {
        self.relations.binary_search(&relation).is_ok()
    }

    /// The atoms of a body whose rows the stratum derives.
    pub fn own<'a>(&'a self, body: &'a [Literal]) -> impl Iterator<Item = &'a Atom> {
        body.iter().filter_map(Literal::positive).filter(|atom| self.has(atom.relation))
    }
}

/// A checked program.
#[derive(Debug, Clone)]
pub struct Program {
    pub(super) body: Arc<Body>,
    /// What it is asked for beside its outputs.
    pub(super) asked: Vec<RelationId>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Body {
    pub texts: Vec<Text>,
    pub modules: Modules,
    pub types: Vec<DeclaredType>,
    pub type_names: Named<TypeId>,
    pub parameters: Vec<Parameter>,
    /// The parameters by where they are used.
    pub uses: BTreeMap<Span, usize>,
    pub declarations: Vec<Declaration>,
    pub names: Named<RelationId>,
    pub overloads: Named<usize>,
    pub overloaded: Vec<Overload>,
    pub rules: Vec<Rule>,
    pub given: Vec<Given>,
    pub strata: Vec<Stratum>,
    /// By handle.
    pub handles: Vec<RelationId>,
}

impl Body {
    pub fn place(&self, span: Span) -> Place {
        place(&self.texts, span)
    }

    pub fn declaration(&self, id: RelationId) -> &Declaration {
        &self.declarations[id.index()]
    }

    pub fn ty(&self, id: TypeId) -> &DeclaredType {
        &self.types[id.0 as usize]
    }

    /// The module of the text that a span is in.
    pub fn module(&self, span: Span) -> Option<ModuleId> {
        self.texts.get(span.source as usize).and_then(|text| text.module)
    }
}

impl Program {
    /// The same program with more rows for its inputs. They must fit the declarations:
    /// an evaluation refuses others.
    #[must_use]
    pub fn with_given(self, rows: impl IntoIterator<Item = Given>) -> Program {
        let mut body = Arc::unwrap_or_clone(self.body);
        body.given.extend(rows);
        Program { body: Arc::new(body), asked: self.asked }
    }

    /// The program, asked for these relations as well.
    #[must_use]
    pub fn asking(&self, more: impl IntoIterator<Item = RelationId>) -> Program {
        let mut asked: Vec<RelationId> = self.asked.iter().copied().chain(more).collect();
        asked.sort_unstable();
        asked.dedup();
        Program { body: self.body.clone(), asked }
    }

    /// What it is asked for beside its outputs.
    #[must_use]
    pub fn asked(&self) -> &[RelationId] {
        &self.asked
    }

    /// The rows of inputs that come with the program.
    pub fn given(&self) -> impl Iterator<Item = &Given> {
        self.body.given.iter()
    }

    /// The relation of that name, perhaps with a module in front: a user's goes before one of
    /// the tool's.
    #[must_use]
    pub fn relation(&self, name: &str) -> Option<RelationId> {
        self.relations(name).first().copied()
    }

    /// All that a query may mean by a name: several where modules of the user share it.
    #[must_use]
    pub fn relations(&self, name: &str) -> Vec<RelationId> {
        match self.body.names.seen(&self.body.modules, None, name) {
            Seen::One(id) => vec![id],
            Seen::Several(found) => found.iter().map(|entry| entry.it).collect(),
            Seen::Hidden(_) | Seen::NoModule | Seen::Nothing => Vec::new(),
        }
    }

    /// The relation of the tool's own that has the name, whatever the user calls so.
    #[must_use]
    pub fn builtin(&self, name: &str) -> Option<RelationId> {
        self.body.names.of(ModuleId::BUILTIN, name).map(|entry| entry.it)
    }

    /// What rules call the module that a relation is of.
    #[must_use]
    pub fn module(&self, declaration: &Declaration) -> &str {
        self.body.modules.name(declaration.module)
    }

    /// The folder of that module.
    #[must_use]
    pub fn folder(&self, declaration: &Declaration) -> &str {
        self.body.modules.folder(declaration.module)
    }

    /// The names that stand for several relations.
    pub fn overloads(&self) -> impl Iterator<Item = &str> {
        self.body.overloads.known(&self.body.modules, None)
    }

    /// The relations that a name stands for by the type of their first column, and what is
    /// documented of it; none where it is not overloaded.
    #[must_use]
    pub fn overload(&self, name: &str) -> Option<(Vec<RelationId>, &str)> {
        let Seen::One(found) = self.body.overloads.seen(&self.body.modules, None, name) else { return None };
        let found = &self.body.overloaded[found];
        Some((found.members.values().copied().collect(), &found.doc))
    }

    /// What is known of a relation.
    #[must_use]
    pub fn declaration(&self, id: RelationId) -> &Declaration {
        self.body.declaration(id)
    }

    /// All relations that were declared, in that order.
    pub fn declarations(&self) -> impl Iterator<Item = &Declaration> {
        self.body.declarations.iter().filter(|declaration| declaration.within.is_none())
    }

    /// All declared types, in the order they were declared in.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        self.body.types.iter().map(|it| &*it.ty)
    }

    /// All parameters, in the order they were declared in.
    pub fn parameters(&self) -> impl Iterator<Item = &Parameter> {
        self.body.parameters.iter()
    }

    /// The rules in which a parameter is used, as they were written.
    pub fn rules_with<'a>(&'a self, parameter: &'a Parameter) -> impl Iterator<Item = &'a Rule> {
        let at = self.body.parameters.iter().position(|it| it.span == parameter.span);
        let is_used = move |rule: &&Rule| {
            let (mut first, mut last) = (rule.span, rule.span);
            (first.end, last.start) = (rule.span.start, rule.span.end);
            self.body.uses.range(first..=last).any(|(_, used)| Some(*used) == at)
        };
        let written = self.rules().filter(|rule| self.declaration(rule.head.relation).within.is_none());
        let mut last = None;
        written.filter(is_used).filter(move |rule| last.replace(rule.span) != Some(rule.span))
    }

    /// All rules, facts among them, in the order they were read in.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.body.rules.iter()
    }

    /// The rules that derive a relation.
    pub fn rules_for(&self, relation: RelationId) -> impl Iterator<Item = &Rule> {
        self.body.rules.iter().filter(move |rule| rule.head.relation == relation)
    }

    /// The rules that derive a relation as they were written: one with `;`, which is several,
    /// once.
    pub fn written_for(&self, relation: RelationId) -> impl Iterator<Item = &Rule> {
        let ways = self.body.rules.chunk_by(|one, other| one.span == other.span);
        ways.filter_map(<[Rule]>::first).filter(move |rule| rule.head.relation == relation)
    }

    /// The file, the `//!` documentation and the text of each source.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.body.texts.iter().map(|text| (&*text.file, text.doc.as_str(), &*text.text))
    }

    /// Where a rule stands.
    #[must_use]
    pub fn place(&self, rule: &Rule) -> Place {
        self.body.place(rule.span)
    }

    /// Where the head of a rule stands.
    #[must_use]
    pub fn place_of_head(&self, rule: &Rule) -> Place {
        self.body.place(rule.head.span)
    }

    /// Where a relation is declared.
    #[must_use]
    pub fn place_of(&self, declaration: &Declaration) -> Place {
        self.body.place(declaration.span)
    }

    /// Where a value of a comparison stands.
    #[must_use]
    pub fn place_of_value(&self, span: Span) -> Place {
        self.body.place(span)
    }

    /// Where the terms of an atom stand.
    pub fn places<'a>(&'a self, atom: &'a Atom) -> impl Iterator<Item = Place> + 'a {
        atom.spans.iter().map(|span| self.body.place(*span))
    }
}
