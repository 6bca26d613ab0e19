//! Query: any question in the language of the rules; and one after the other about one state
//! of one world, where what was derived for one is there for the next, as are rules that are
//! typed on the way.

use std::collections::BTreeSet;
use std::path::Path;

use super::derived::{State, Wanted, derive_wanted};
use super::listener::{Listener, Silent};
use super::planning;
use super::question;
use super::seen::{Seen, Sight};
use super::why::{Looked, Why, asks_planned, explain_rows};
use crate::datalog::{
    Answers, Atom, Kind, Limits, Program, QUERY, Query, RelationId, Sym, Symbols, Typed, Value,
};
use crate::diagnostic::Diagnostic;
use crate::explain::Rows;
use crate::facts::Grouping;
use crate::plan::Plan;
use crate::policy::{self, relations};
use crate::state::{Part, SomePods, World};

/// What was found.
pub struct Answered<'a> {
    /// The variables that were asked for.
    pub names: Vec<String>,
    symbols: &'a Symbols,
    answers: Answers,
}

impl Answered<'_> {
    /// How many answers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// The values, row by row, in order.
    pub fn rows(&self) -> impl Iterator<Item = impl Iterator<Item = Value<'_>> + '_> + '_ {
        self.answers.rows().map(|row| row.map(|sym| self.symbols.value(sym)))
    }

    /// For each variable the most that a measure has for one of its values in the first rows.
    pub fn widest(&self, rows: usize, measure: impl Fn(Value<'_>) -> usize) -> Vec<usize> {
        self.answers.widest(rows, |sym: Sym| measure(self.symbols.value(sym)))
    }
}

/// What is said where `planned` is asked for and cannot have a row.
const BEFORE: &str = "asked of the state before the plan, in which nothing is planned yet; `--planned` (at the prompt \
    `:planned on`) asks of the state that the plan leads to";

/// Questions about one world.
pub struct Questions {
    sight: Sight,
    seen: Seen,
    limits: Limits,
    /// The world as a plan leaves it, with that plan, where that is what is asked about.
    after: Option<(World, Plan)>,
    planned: bool,
    state: Option<State>,
    /// All that was asked for until now.
    relations: BTreeSet<RelationId>,
    atoms: Vec<Atom>,
}

impl Questions {
    /// Questions about what is to be seen; if `planned`, about what a plan makes of it.
    ///
    /// # Errors
    /// When the manifests, the rules or the store are not sound.
    pub fn open(
        sight: Sight,
        planned: bool,
        limits: Limits,
        listener: &dyn Listener,
    ) -> Result<Self, Vec<Diagnostic>> {
        // What is asked about is looked at when it is asked.
        let none = Part::without_nodes(SomePods::None);
        let seen = match planned {
            true => sight.load(listener)?,
            false => sight.load_part(listener, &|_, _| Ok(none.clone()))?,
        };
        let (relations, atoms) = (BTreeSet::new(), Vec::new());
        Ok(Questions { sight, seen, limits, after: None, planned, state: None, relations, atoms })
    }

    /// The rules.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.seen.program
    }

    /// Whether they are about what a plan makes of the world.
    #[must_use]
    pub fn is_planned(&self) -> bool {
        self.planned
    }

    /// Asks about what a plan makes of the world from here on, or about the world as it is.
    pub fn plan_ahead(&mut self, planned: bool) {
        self.planned = planned;
        self.begin();
    }

    /// Looks again at the manifests or the store, and at the files of rules.
    ///
    /// # Errors
    /// When they are not sound: then all is as it was.
    pub fn reload(&mut self, listener: &dyn Listener) -> Result<(), Vec<Diagnostic>> {
        self.seen = self.sight.load(listener)?;
        self.begin();
        Ok(())
    }

    /// Takes rules in that are typed, for all questions from here on.
    ///
    /// # Errors
    /// When they, or a query behind them, are wrong: then all is as it was.
    pub fn define(&mut self, text: &str, listener: &dyn Listener) -> Result<(), Vec<Diagnostic>> {
        self.sight.rules.typed.push(text.to_owned());
        let program = self.sight.rules_for(&self.seen, &OfTyped(listener)).and_then(|program| {
            if Typed::of(text).query {
                Query::compile(&program, text)?;
            }
            Ok(program)
        });
        if program.is_err() {
            self.sight.rules.typed.pop();
        }
        self.seen.adopt(program?)?;
        self.begin();
        Ok(())
    }

    /// Takes all rules out again that were typed.
    ///
    /// # Errors
    /// When the files of rules are not sound any more.
    pub fn forget(&mut self, listener: &dyn Listener) -> Result<(), Vec<Diagnostic>> {
        self.sight.rules.typed.clear();
        let program = self.sight.rules_for(&self.seen, &OfTyped(listener))?;
        self.seen.adopt(program)?;
        self.begin();
        Ok(())
    }

    /// Forgets what was derived.
    fn begin(&mut self) {
        (self.after, self.state) = (None, None);
        self.relations.clear();
        self.atoms.clear();
    }

    /// Why up to `most` rows that an atom fits are there, in the state that is asked about;
    /// files below `here` are named from there on.
    ///
    /// # Errors
    /// When it is no atom, and when the rules derive too much.
    pub fn why(&mut self, atom: &str, most: usize, here: Option<&Path>) -> Result<Rows, Vec<Diagnostic>> {
        let about = Why { words: vec![atom.to_owned()], planned: self.planned, ..Why::default() };
        let part = self.seen.part_of(&|program, store| about.part(program, store))?;
        if self.seen.look_at(&part)? {
            self.begin();
        }
        let looked = Looked { here, now: self.sight.now, planned: self.planned };
        explain_rows(atom, &self.seen, most, &looked)
    }

    /// The values that may stand in a column of a relation, where some of those before it are
    /// given: those of its rows if it is filled from outside, else what there is of the type.
    #[must_use]
    pub fn values(&mut self, relation: &str, given: &[Option<String>]) -> Vec<String> {
        let program = &self.seen.program;
        let Some(id) = program.relation(relation) else { return Vec::new() };
        let Some((name, columns, at)) = source(program, id, given.len()) else { return Vec::new() };
        let is_same = program.relation(&name) == Some(id);
        let term = |column: usize| match given.get(column).cloned().flatten() {
            _ if column == at => "It".to_owned(),
            Some(text) if is_same && column < at => text,
            _ => "_".to_owned(),
        };
        let terms: Vec<String> = (0..columns).map(term).collect();
        let Ok(found) = self.ask(&format!("{name}({})", terms.join(", ")), &Silent) else {
            return Vec::new();
        };
        let quoted = |value: Value<'_>| match value {
            Value::Text(text) => crate::datalog::quoted(text),
            Value::Number(number) => number.to_string(),
        };
        found.rows().map(|row| row.map(quoted).collect()).collect()
    }

    /// Answers a rule's body.
    ///
    /// # Errors
    /// When it cannot be read, and when the rules derive more than the limits allow.
    pub fn ask(&mut self, text: &str, listener: &dyn Listener) -> Result<Answered<'_>, Vec<Diagnostic>> {
        let query = Query::compile(&self.seen.program, text)?;
        check(&self.seen.program, &query, listener)?;
        if !self.planned && asks_planned(&self.seen.program, &query.relations()) {
            listener.note(BEFORE);
        }
        let part = match self.planned {
            true => Part::default(),
            false => self.seen.part_of(&|program, store| question::of_query(program, &query, store))?,
        };
        if self.seen.look_at(&part)? {
            self.begin();
        }
        if self.seen.widen(&query)? {
            (self.after, self.state) = (None, None);
        }
        let state = match self.state.take().filter(|state| self.has_all(state, &query)) {
            Some(state) => state,
            None => self.derived(&query)?,
        };
        let State { symbols, evaluation } = self.state.insert(state);
        let answers = query.run(evaluation, symbols)?;
        let names = query.variables().map(ToOwned::to_owned).collect();
        Ok(Answered { names, symbols, answers })
    }

    /// Whether what a query asks for was derived already.
    fn has_all(&self, state: &State, query: &Query) -> bool {
        query.relations().into_iter().all(|id| state.evaluation.has(id))
            && fields(&self.seen.program, query).all(|atom| self.atoms.contains(atom))
    }

    /// Derives what all queries until now ask for.
    fn derived(&mut self, query: &Query) -> Result<State, Diagnostic> {
        self.relations.extend(query.relations());
        self.atoms.extend(fields(&self.seen.program, query).cloned());
        if self.planned && self.after.is_none() {
            let now = self.sight.now;
            let world = self.seen.to_plan(self.seen.world.clone(), now)?;
            self.after = Some(planning::ahead(world, &self.seen.program, now, self.limits)?);
        }
        let (world, plan) = match &self.after {
            Some((world, plan)) => (world, Some(plan)),
            None => (&self.seen.world, None),
        };
        let relations: Vec<RelationId> = self.relations.iter().copied().collect();
        let wanted = Wanted { relations: &relations, atoms: &self.atoms, grouping: Grouping::On };
        derive_wanted(&self.seen.program, world, self.sight.now, plan, &wanted, &self.limits)
    }
}

/// The relation, how many columns it has, and the one of them, whose values may stand in a
/// column of a relation.
fn source(program: &Program, id: RelationId, column: usize) -> Option<(String, usize, usize)> {
    let wanted = program.declaration(id);
    let ty = &wanted.columns.get(column)?.ty;
    if wanted.kind == Kind::Input {
        return Some((qualified(program, id), wanted.columns.len(), column));
    }
    let inputs = program.declarations().filter(|it| it.kind == Kind::Input && it.exported);
    let having = inputs.filter_map(|it| Some((it, it.columns.iter().position(|column| column.ty == *ty)?)));
    let (found, at) = having.min_by_key(|(it, at)| (it.columns.len(), *at))?;
    Some((qualified(program, found.id), found.columns.len(), at))
}

/// The name of a relation with its module.
fn qualified(program: &Program, id: RelationId) -> String {
    let declaration = program.declaration(id);
    let name = format!("{}::{}", program.module(declaration), declaration.name);
    if program.relation(&name) == Some(id) { name } else { declaration.name.to_string() }
}

/// Hears what is said of rules that are typed: the rest was said before, and a relation that
/// has no rules may get them with what is typed next.
struct OfTyped<'a>(&'a dyn Listener);

impl Listener for OfTyped<'_> {
    fn tell(&self, mut found: Vec<Diagnostic>) {
        let is_typed = |found: &Diagnostic| found.place.as_ref().is_some_and(|place| *place.file == *QUERY);
        found.retain(|found| is_typed(found) && found.code != "empty-relation");
        self.0.tell(found);
    }

    fn note(&self, note: &str) {
        self.0.note(note);
    }

    fn stage(&self, name: &'static str) {
        self.0.stage(name);
    }
}

/// Refuses paths that no object has.
fn check(program: &Program, query: &Query, listener: &dyn Listener) -> Result<(), Vec<Diagnostic>> {
    let wrong = query.atoms().filter_map(|atom| {
        let place = query.places(atom).nth(1)?;
        Some(policy::wrong_path(program, atom)?.at(place))
    });
    let (errors, warnings): (Vec<_>, Vec<_>) = wrong.partition(Diagnostic::is_error);
    if !errors.is_empty() {
        return Err(errors);
    }
    listener.tell(warnings);
    Ok(())
}

/// The atoms that ask for fields, or for objects of any kind, of which not all are derived.
fn fields<'a>(program: &Program, query: &'a Query) -> impl Iterator<Item = &'a Atom> {
    let asked = relations::FIELDS.iter().chain([&relations::object]);
    let ids: Vec<RelationId> = asked.map(|handle| program.id(*handle)).collect();
    query.atoms().filter(move |atom| ids.contains(&atom.relation))
}
