//! Query: any question in the language of the rules; and one after the other about one state
//! of one world, where what was derived for one is there for the next.

use std::collections::BTreeSet;

use super::derived::{State, Wanted, derive_wanted};
use super::listener::Listener;
use super::options::{MaxDelete, Options};
use super::planning;
use super::seen::Seen;
use crate::datalog::{Answers, Atom, Limits, Program, Query, RelationId, Sym, Symbols, Value};
use crate::diagnostic::Diagnostic;
use crate::facts::Grouping;
use crate::plan::Plan;
use crate::policy::{self, relations};
use crate::state::{Gone, World};

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

/// Questions about one world.
pub struct Questions {
    seen: Seen,
    limits: Limits,
    /// The time, in seconds of Unix time.
    now: i64,
    /// The world as a plan leaves it, with that plan, where that is what is asked about.
    after: Option<(World, Plan)>,
    planned: bool,
    state: Option<State>,
    /// All that was asked for until now.
    relations: BTreeSet<RelationId>,
    atoms: Vec<Atom>,
}

impl Questions {
    /// Questions about what is seen at the time `now`; if `planned`, about what a plan makes
    /// of it.
    #[must_use]
    pub fn new(seen: Seen, planned: bool, limits: Limits, now: i64) -> Self {
        let (relations, atoms) = (BTreeSet::new(), Vec::new());
        Questions { seen, limits, now, after: None, planned, state: None, relations, atoms }
    }

    /// What is looked at.
    #[must_use]
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Answers a rule's body.
    ///
    /// # Errors
    /// When it cannot be read, and when the rules derive more than the limits allow.
    pub fn ask(&mut self, text: &str, listener: &dyn Listener) -> Result<Answered<'_>, Vec<Diagnostic>> {
        let query = Query::compile(&self.seen.program, text)?;
        check(&self.seen.program, &query, listener)?;
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
            self.after = Some(self.plan()?);
        }
        let (world, plan) = match &self.after {
            Some((world, plan)) => (world, Some(plan)),
            None => (&self.seen.world, None),
        };
        let relations: Vec<RelationId> = self.relations.iter().copied().collect();
        let wanted = Wanted { relations: &relations, atoms: &self.atoms, grouping: Grouping::On };
        derive_wanted(&self.seen.program, world, self.now, plan, &wanted, &self.limits)
    }

    /// The plan for the world as it is, whatever it deletes and whatever constraints say of it.
    fn plan(&self) -> Result<(World, Plan), Diagnostic> {
        let mut world = self.seen.world.clone();
        let options = Options {
            max_delete: Some(MaxDelete::Percent(100)),
            limits: self.limits,
            ..Options::at(self.now)
        };
        let planned = planning::plan(&mut world, Vec::new(), &Gone::default(), &self.seen.program, &options)?;
        Ok((world, planned.plan))
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
