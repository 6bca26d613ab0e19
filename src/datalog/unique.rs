//! `unique(daemonset, node)`: no two rows may be alike in these columns.
//!
//! It is seen to whenever rows are derived, and after a change for those that came. Two rows
//! are an error that says how each of them came to be, as neither is more right than the other.

use super::evaluation::{Evaluation, Work};
use super::explain::said;
use super::expression::written;
use super::program::{Atom, Declaration, Literal, RelationId, Term, Variable};
use super::resolve::Resolver;
use super::rows::{Row, RowSet};
use super::source::Span;
use super::symbols::{Sym, Symbols};
use super::syntax::RawDeclaration;
use crate::diagnostic::{Diagnostic, Place, nearest};

/// If a change is more than this part of the rows, all of them are looked at.
const PART: usize = 8;

impl Resolver {
    /// The places of the columns that a `unique` names.
    pub(super) fn unique(&mut self, raw: &RawDeclaration, columns: &[(String, Span)]) -> Vec<usize> {
        let mut places = Vec::new();
        for (name, span) in columns {
            let Some(at) = raw.columns.iter().position(|column| column.name == *name) else {
                let error =
                    Diagnostic::error("unknown-column", format!("`{}` has no column `{name}`", raw.name));
                let known = raw.columns.iter().map(|column| column.name.as_str());
                self.report(
                    match nearest(name, known) {
                        Some(near) => error.help(format!("did you mean `{near}`?")),
                        None => error.help("name columns of the relation: `unique(node)`"),
                    },
                    *span,
                );
                continue;
            };
            if !places.contains(&at) {
                places.push(at);
            }
        }
        if let (true, Some((_, span))) = (places.len() == raw.columns.len(), columns.first()) {
            let error =
                Diagnostic::error("unique-of-all", "`unique` names all columns, and so forbids nothing")
                    .because("no two rows of a relation are equal in any case")
                    .help("name the columns that say the others: of `rack(node, rack)` it is `unique(node)`");
            self.report(error, *span);
        }
        places.sort_unstable();
        places
    }
}

impl Evaluation {
    /// Refuses two rows of a relation that may not both be there. After a change only rows that
    /// came with it can be such.
    pub(super) fn check_unique(
        &self,
        id: RelationId,
        added: Option<&RowSet>,
        work: Work<'_>,
    ) -> Result<(), Diagnostic> {
        let declaration = self.program.declaration(id);
        for columns in &declaration.unique {
            if let Some(pair) = self.alike(id, columns, added, work.symbols) {
                return Err(self.both(declaration, columns, &pair, work.symbols));
            }
        }
        Ok(())
    }

    /// Two rows that are alike in some columns: of all of them the first by their values.
    fn alike(
        &self,
        id: RelationId,
        columns: &[usize],
        added: Option<&RowSet>,
        symbols: &Symbols,
    ) -> Option<[Row; 2]> {
        let few = added.filter(|added| added.len() < self.len(id) / PART);
        let pairs: Box<dyn Iterator<Item = [Row; 2]>> = match few {
            Some(added) => {
                let rows = added.iter(self.columns(id));
                Box::new(rows.filter_map(|row| Some([row, self.other(id, columns, &row, symbols)?])))
            }
            None => {
                let key = |row: &Row| columns.iter().map(|at| row[*at]).collect::<Vec<Sym>>();
                let mut rows: Vec<Row> = self.rows(id).collect();
                // Rows are in the order of their columns.
                if columns.iter().enumerate().any(|(at, column)| at != *column) {
                    rows.sort_by_cached_key(key);
                }
                let is_alike = |pair: &[Row]| columns.iter().all(|at| pair[0][*at] == pair[1][*at]);
                let pairs: Vec<[Row; 2]> =
                    rows.windows(2).filter(|pair| is_alike(pair)).map(|pair| [pair[0], pair[1]]).collect();
                Box::new(pairs.into_iter())
            }
        };
        let values = |row: &Row| row.iter().map(|sym| symbols.value(*sym)).collect::<Vec<_>>();
        let sorted = pairs.map(
            |[one, other]| {
                if values(&one) <= values(&other) { [one, other] } else { [other, one] }
            },
        );
        sorted.min_by(|one, other| {
            let both = |pair: &[Row; 2]| pair.iter().map(values).collect::<Vec<_>>();
            both(one).cmp(&both(other))
        })
    }

    /// Another row that is alike in some columns.
    fn other(&self, id: RelationId, columns: &[usize], row: &Row, symbols: &Symbols) -> Option<Row> {
        let is_other = |found: &Row| **found != **row;
        if columns.iter().enumerate().all(|(at, column)| at == *column) {
            return self.rows_with_prefix(id, &row[..columns.len()]).find(is_other);
        }
        let term = |at: usize| match symbols.value(row[at]) {
            _ if !columns.contains(&at) => Term::Variable(Variable(at)),
            value => Term::of(value),
        };
        let span = Span { source: 0, start: 0, end: 0 };
        let (terms, spans) = ((0..row.len()).map(term).collect(), vec![span; row.len()]);
        let body = [Literal::Positive(Atom { relation: id, terms, span, spans })];
        let mut found = None;
        self.solve(&body, row.len(), symbols, &mut |slots| {
            let cell = |at: usize| if columns.contains(&at) { row[at] } else { slots[at] };
            let other = Row::new((0..row.len()).map(cell));
            found = Some(other).filter(is_other);
            found.is_none()
        });
        found
    }

    /// What is told of two such rows: how each of them came to be.
    fn both(
        &self,
        declaration: &Declaration,
        columns: &[usize],
        pair: &[Row; 2],
        symbols: &Symbols,
    ) -> Diagnostic {
        let shown = pair.map(|row| {
            let values = row.iter().map(|sym| written(symbols.value(*sym)));
            format!("{}({})", declaration.name, values.collect::<Vec<_>>().join(", "))
        });
        let names: Vec<String> =
            columns.iter().map(|at| format!("`{}`", declaration.columns[*at].name)).collect();
        let message = format!("`{}` and `{}` cannot both hold", shown[0], shown[1]);
        let because =
            format!("no two rows of `{}` may have the same {}", declaration.name, names.join(" and "));
        let mut error = Diagnostic::error("not-unique", message).because(because);
        let mut places: Vec<Option<Place>> = Vec::new();
        for (row, shown) in pair.iter().zip(&shown) {
            let (sentence, place) = self.source(declaration.id, row, symbols);
            places.push(place);
            if let Some(sentence) = sentence {
                error = error.because(format!("{shown}: {sentence}"));
            }
        }
        error = match &places[..] {
            [Some(one), Some(other)] if one != other => {
                error.at(one.clone()).related(other.clone(), format!("{} is from here", shown[1]))
            }
            [Some(place), _] | [None, Some(place)] => error.at(place.clone()),
            _ => error.at(self.program.place_of(declaration)),
        };
        error.help("let one rule leave out what another one says, or take one of the values: `N = min Number : { … }`")
    }

    /// The sentence of the rule that derived a row, and the place of the rule or of the fact.
    fn source(&self, id: RelationId, row: &Row, symbols: &Symbols) -> (Option<String>, Option<Place>) {
        if let Some((sentence, by)) = said(&self.program, symbols, self, id, row) {
            let mut rules = self.program.rules_for(id);
            let rule = rules.find(|rule| *rule.file == *by.file && rule.line == by.line);
            return (Some(sentence), rule.map(|rule| self.program.place_of_head(rule)));
        }
        let is_it = |values: &[Term]| {
            let mut both = values.iter().zip(row.iter());
            both.all(|(term, sym)| term.constant() == Some(symbols.value(*sym)))
        };
        let given = self.program.given().find(|given| given.relation == id && is_it(&given.values));
        let place = given.map(|it| Place { line: it.line, column: 1, ..Place::file(it.file.clone()) });
        (None, place)
    }
}
