//! Rows of input relations on their way into an evaluation.
//!
//! Rows of one relation lie packed in one allocation and become the relation without
//! being copied; handing them over sorted saves the sort.

use super::program::{Kind, Program, RelationId, Term};
use super::rows::{MAX_COLUMNS, Row, RowSet};
use super::symbols::{Sym, Symbols, Value};
use crate::diagnostic::Diagnostic;

/// Rows per relation.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// By [`RelationId`]: the number of columns and the rows.
    relations: Vec<Option<(usize, RowSet)>>,
    /// The first row that did not fit the ones before it.
    wrong: Option<(RelationId, usize)>,
}

impl Facts {
    /// No rows.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a row. It must have as many values as the relation has columns, else the
    /// evaluation that gets it is refused. Adding a row twice is adding it once.
    pub fn insert(&mut self, relation: RelationId, row: &[Sym]) {
        let at = relation.index();
        if self.relations.len() <= at {
            self.relations.resize_with(at + 1, || None);
        }
        let (columns, rows) = self.relations[at].get_or_insert_with(|| (row.len(), RowSet::new(row.len())));
        if *columns == row.len() && row.len() <= MAX_COLUMNS {
            rows.push(row.iter().copied());
        } else {
            self.wrong.get_or_insert((relation, row.len()));
        }
    }

    /// How many rows of a relation were inserted, repeated ones counted each time.
    #[must_use]
    pub fn len(&self, relation: RelationId) -> usize {
        self.relations.get(relation.index()).and_then(Option::as_ref).map_or(0, |(_, rows)| rows.len())
    }

    /// Whether there are no rows at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.relations.iter().flatten().all(|(_, rows)| rows.is_empty())
    }

    /// The rows of a relation, as they were inserted.
    pub fn rows(&self, relation: RelationId) -> impl Iterator<Item = Row> + '_ {
        let found = self.relations.get(relation.index()).and_then(Option::as_ref);
        found.into_iter().flat_map(|(columns, rows)| rows.iter(*columns))
    }

    /// These and the rows that come with the program.
    pub(super) fn with_given(mut self, program: &Program, symbols: &mut Symbols) -> Self {
        for given in program.given() {
            // Other terms were refused when the program was checked.
            let value = |term: &Term| symbols.intern(term.constant().unwrap_or(Value::Text("")));
            let values = given.values.iter().map(value);
            self.insert(given.relation, &values.collect::<Vec<_>>());
        }
        self
    }

    /// The rows of each relation, when all of them are rows of inputs of the program.
    pub(super) fn checked(self, program: &Program) -> Result<Vec<(RelationId, RowSet)>, Diagnostic> {
        let arity =
            |id: RelationId| program.body.declarations.get(id.index()).map(|found| found.columns.len());
        let wrong = self.wrong;
        let mut found = Vec::new();
        for (at, (columns, rows)) in
            self.relations.into_iter().enumerate().filter_map(|(at, set)| Some((at, set?)))
        {
            let id = RelationId(u32::try_from(at).unwrap_or(u32::MAX));
            if wrong.is_none_or(|(wrong, _)| wrong != id) && arity(id) != Some(columns) {
                return Err(wrong_row(program, id, columns));
            }
            let declaration = program.declaration(id);
            if declaration.kind != Kind::Input {
                return Err(Diagnostic::error(
                    "not-an-input",
                    format!("rows were given for `{}`, which is not an input", declaration.name),
                )
                .at(program.body.place(declaration.span))
                .help("declare it as `input`, or state the rows as facts in a rule file"));
            }
            found.push((id, rows));
        }
        match wrong {
            Some((id, columns)) => Err(wrong_row(program, id, columns)),
            None => Ok(found),
        }
    }
}

fn wrong_row(program: &Program, id: RelationId, columns: usize) -> Diagnostic {
    let error = |name: &str| {
        Diagnostic::error("wrong-arity", format!("a row of {columns} values was given for {name}"))
    };
    match program.body.declarations.get(id.index()) {
        Some(declaration) => error(&format!("`{declaration}`")).at(program.body.place(declaration.span)),
        None => error("a relation the program does not have"),
    }
}
