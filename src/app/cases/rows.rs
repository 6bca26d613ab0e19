//! The rows that a case expects of relations: unit tests of rules.
//!
//! ```yaml
//! expect:
//!   blocked: [[pay/ledger, spot-1], {daemonset: pay/ledger, node: spot-2}]   # these, and no others
//!   crowded: [n1, n2]                # of a relation of one column
//!   too_full: []                     # none
//!   open_now: true                   # of one without columns
//!   wave: {contains: [{node: a1, number: 1}], not: [{node: b1}]}             # columns left out: any value
//! ```

use std::collections::BTreeSet;
use std::fmt::Write;

use serde::Serialize;
use serde_yaml::{Mapping, Value as Yaml};

use super::cell::Cell;
use super::derived::Derived;
use crate::datalog::{Declaration, Program, RelationId};
use crate::diagnostic::{Diagnostic, Place, counted, nearest};
use crate::manifest::{FieldPath, place_of};

/// So many rows of a relation are given a reason.
const EXPLAINED: usize = 20;

/// A row of which not every value may be said.
type Pattern = Vec<Option<Cell>>;

/// What is expected of one relation.
#[derive(Debug)]
pub(super) struct Expectation {
    pub relation: RelationId,
    /// As it is named in the file, and its columns.
    name: String,
    columns: Vec<String>,
    place: Option<Place>,
    says: Says,
}

#[derive(Debug)]
enum Says {
    /// These rows and no others; written by columns, or as lists.
    Exactly { rows: Vec<Vec<Cell>>, by_column: bool },
    /// These are among the rows, and these are not. As it is written, as it is never written anew.
    About { contains: Vec<Pattern>, not: Vec<Pattern>, written: Yaml },
}

/// Where a relation is not as expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The relation.
    pub relation: String,
    /// The line of the file that names it; 0 where it is not known.
    pub line: u32,
    /// The rows that are expected and are not there.
    pub missing: Vec<Differing>,
    /// The rows that are there and are not expected.
    pub unexpected: Vec<Differing>,
}

/// A row that is not as expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Differing {
    /// Its values; none where any would do.
    pub row: Vec<Option<Cell>>,
    /// As one writes it in a rule, or asks for it.
    pub fact: String,
    /// Why it is there, or is not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<String>,
}

/// Reads what is expected of relations.
pub(super) fn read(
    program: &Program,
    file: &str,
    text: &str,
    expect: &Mapping,
) -> Result<Vec<Expectation>, Vec<Diagnostic>> {
    let (mut read, mut wrong) = (Vec::new(), Vec::new());
    for (key, value) in expect {
        let name = key.as_str().unwrap_or_default();
        let path = FieldPath::default().field("expect").field(name);
        let place = |path: &FieldPath| place_of(file, text, path).unwrap_or_else(|| Place::file(file));
        let Some(id) = program.relation(name) else {
            wrong.push(unknown(program, name).at(place(&path)));
            continue;
        };
        let reader = Reader { declaration: program.declaration(id), place: &place };
        match reader.says(value, &path) {
            Ok(says) => read.push(Expectation {
                relation: id,
                name: name.to_owned(),
                columns: reader.declaration.columns.iter().map(|it| it.name.to_string()).collect(),
                place: place_of(file, text, &path),
                says,
            }),
            Err(error) => wrong.push(*error),
        }
    }
    if wrong.is_empty() { Ok(read) } else { Err(wrong) }
}

fn unknown(program: &Program, name: &str) -> Diagnostic {
    let error = Diagnostic::error("unknown-relation", format!("there is no relation `{name}`"));
    match nearest(name, program.declarations().map(|it| &*it.name)) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("`dsrules rules list` shows all relations"),
    }
}

/// What reads the rows of one relation.
struct Reader<'a> {
    declaration: &'a Declaration,
    place: &'a dyn Fn(&FieldPath) -> Place,
}

impl Reader<'_> {
    fn says(&self, value: &Yaml, path: &FieldPath) -> Result<Says, Box<Diagnostic>> {
        match value {
            Yaml::Bool(holds) if self.declaration.columns.is_empty() => {
                let rows = if *holds { vec![Vec::new()] } else { Vec::new() };
                Ok(Says::Exactly { rows, by_column: false })
            }
            Yaml::Sequence(rows) => {
                let whole = |row: Pattern, path: &FieldPath| {
                    let left_out = row.iter().position(Option::is_none);
                    let column =
                        |at: usize| format!("the column `{}` is left out", self.declaration.columns[at].name);
                    left_out.map_or(Ok(()), |at| {
                        Err(self.wrong(
                            column(at),
                            "only rows of `contains` and `not` may leave columns out",
                            path,
                        ))
                    })?;
                    Ok(row.into_iter().flatten().collect())
                };
                let at = |(nth, row): (usize, &Yaml)| {
                    let path = path.clone().index(nth);
                    whole(self.row(row, &path)?, &path)
                };
                let by_column = rows.iter().any(Yaml::is_mapping);
                let rows = rows.iter().enumerate().map(at).collect::<Result<_, Box<Diagnostic>>>()?;
                Ok(Says::Exactly { rows, by_column })
            }
            Yaml::Mapping(parts) => self.about(value, parts, path),
            _ => Err(self.wrong(
                format!("`{}` takes a list of rows", self.declaration.name),
                "write `[]` where none is expected",
                path,
            )),
        }
    }

    fn about(&self, value: &Yaml, parts: &Mapping, path: &FieldPath) -> Result<Says, Box<Diagnostic>> {
        let (mut contains, mut not) = (Vec::new(), Vec::new());
        for (key, rows) in parts {
            let key = key.as_str().unwrap_or_default();
            let path = path.clone().field(key);
            let into = match key {
                "contains" => &mut contains,
                "not" => &mut not,
                _ => {
                    let what = format!("`{key}` is neither `contains` nor `not`");
                    return Err(self.wrong(what, "a list of rows says exactly which rows there are", &path));
                }
            };
            let Yaml::Sequence(rows) = rows else {
                return Err(self.wrong(format!("`{key}` takes a list of rows"), "write `[[...]]`", &path));
            };
            for (nth, row) in rows.iter().enumerate() {
                into.push(self.row(row, &path.clone().index(nth))?);
            }
        }
        Ok(Says::About { contains, not, written: value.clone() })
    }

    fn row(&self, row: &Yaml, path: &FieldPath) -> Result<Pattern, Box<Diagnostic>> {
        let columns = &self.declaration.columns;
        let cell = |value: &Yaml, at: usize, path: &FieldPath| {
            Cell::read(value, &columns[at]).map_err(|(what, help)| self.wrong(what, help, path))
        };
        match row {
            Yaml::Sequence(values) if values.len() == columns.len() => {
                let each = values.iter().enumerate();
                each.map(|(at, value)| cell(value, at, &path.clone().index(at)).map(Some)).collect()
            }
            Yaml::Sequence(values) => {
                let wanted = counted(columns.len(), "column");
                let what = format!("`{}` has {wanted}, not {}", self.declaration.name, values.len());
                Err(self.wrong(what, &format!("it is declared as `{}`", self.declaration), path))
            }
            Yaml::Mapping(values) => {
                let mut pattern: Pattern = vec![None; columns.len()];
                for (key, value) in values {
                    let key = key.as_str().unwrap_or_default();
                    let path = path.clone().field(key);
                    let Some(at) = columns.iter().position(|column| &*column.name == key) else {
                        let what = format!("`{}` has no column `{key}`", self.declaration.name);
                        let near = nearest(key, columns.iter().map(|column| &*column.name));
                        let help = near.map_or_else(
                            || format!("it is declared as `{}`", self.declaration),
                            |near| format!("did you mean `{near}`?"),
                        );
                        return Err(self.wrong(what, &help, &path));
                    };
                    pattern[at] = Some(cell(value, at, &path)?);
                }
                Ok(pattern)
            }
            value if columns.len() == 1 => Ok(vec![Some(cell(value, 0, path)?)]),
            _ => Err(self.wrong(
                "a row is a list of values, or a map by column".to_owned(),
                &format!("it is declared as `{}`", self.declaration),
                path,
            )),
        }
    }

    fn wrong(&self, what: String, help: &str, path: &FieldPath) -> Box<Diagnostic> {
        Box::new(Diagnostic::error("bad-case", what).at((self.place)(path)).help(help))
    }
}

impl Expectation {
    /// Whether it says which rows there are, so that it can be written anew.
    pub fn is_exact(&self) -> bool {
        matches!(self.says, Says::Exactly { .. })
    }

    /// Where the rows are not as expected; none if they are.
    pub fn compare(&self, derived: &mut Derived<'_>) -> Option<Difference> {
        let there = derived.rows(self.relation);
        let whole = |row: &Vec<Cell>| row.iter().cloned().map(Some).collect::<Pattern>();
        let (missing, unexpected): (Vec<Pattern>, Vec<Pattern>) = match &self.says {
            Says::Exactly { rows, .. } => {
                let wanted: BTreeSet<Vec<Cell>> = rows.iter().cloned().collect();
                let only = |one: &BTreeSet<Vec<Cell>>, other| one.difference(other).map(whole).collect();
                (only(&wanted, &there), only(&there, &wanted))
            }
            Says::About { contains, not, .. } => {
                let is_there = |pattern: &&Pattern| there.iter().any(|row| fits(pattern, row));
                let missing = contains.iter().filter(|it| !is_there(it)).cloned().collect();
                let unwanted = there.iter().filter(|row| not.iter().any(|pattern| fits(pattern, row)));
                (missing, unwanted.map(whole).collect())
            }
        };
        if missing.is_empty() && unexpected.is_empty() {
            return None;
        }
        let missing = missing.into_iter().enumerate();
        let unexpected = unexpected.into_iter().enumerate();
        Some(Difference {
            relation: self.name.clone(),
            line: self.place.as_ref().map_or(0, |place| place.line),
            missing: missing.map(|(nth, row)| self.differing(nth, row, false, derived)).collect(),
            unexpected: unexpected.map(|(nth, row)| self.differing(nth, row, true, derived)).collect(),
        })
    }

    fn differing(&self, nth: usize, row: Pattern, is_there: bool, derived: &mut Derived<'_>) -> Differing {
        let values: Vec<String> =
            row.iter().map(|cell| cell.as_ref().map_or("_".to_owned(), shown)).collect();
        let fact = format!("{}({})", self.name, values.join(", "));
        let whole: Option<Vec<Cell>> = row.iter().cloned().collect();
        let because = match whole.filter(|_| nth < EXPLAINED) {
            Some(whole) if is_there => derived.why(self.relation, &whole),
            Some(whole) => derived.why_not(self.relation, &whole),
            None => Vec::new(),
        };
        Differing { row, fact, because }
    }

    /// As it stands in the file when the rows are as they are; what is said about them stays.
    fn text(&self, derived: &Derived<'_>, out: &mut String) {
        let name = Cell::Text(self.name.clone());
        let _ = match &self.says {
            Says::About { written, .. } => {
                writeln!(out, "  {name}: {}", flow(written))
            }
            Says::Exactly { .. } if self.columns.is_empty() => {
                writeln!(out, "  {name}: {}", !derived.rows(self.relation).is_empty())
            }
            Says::Exactly { by_column, .. } => {
                let rows = derived.rows(self.relation);
                let lines: Vec<String> = rows.iter().map(|row| self.row_text(row, *by_column)).collect();
                match lines[..] {
                    [] => writeln!(out, "  {name}: []"),
                    _ => writeln!(out, "  {name}:\n  - {}", lines.join("\n  - ")),
                }
            }
        };
    }

    fn row_text(&self, row: &[Cell], by_column: bool) -> String {
        if by_column {
            let cells: Vec<String> =
                self.columns.iter().zip(row).map(|(column, cell)| format!("{column}: {cell}")).collect();
            return format!("{{{}}}", cells.join(", "));
        }
        let cells: Vec<String> = row.iter().map(ToString::to_string).collect();
        format!("[{}]", cells.join(", "))
    }
}

/// All of them, as they stand in the file when the rows are as they are.
pub(super) fn text(expectations: &[Expectation], derived: &Derived<'_>) -> String {
    let mut out = String::new();
    for expectation in expectations {
        expectation.text(derived, &mut out);
    }
    if out.is_empty() { "expect: {}\n".to_owned() } else { format!("expect:\n{out}") }
}

/// A value of YAML on one line.
fn flow(value: &Yaml) -> String {
    let text = |value: &Yaml| value.as_str().map(|text| Cell::Text(text.to_owned()).to_string());
    match value {
        Yaml::Sequence(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Yaml::Mapping(fields) => {
            let fields = fields.iter().map(|(key, value)| format!("{}: {}", flow(key), flow(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        value => text(value).unwrap_or_else(|| serde_json::to_string(value).unwrap_or_default()),
    }
}

fn fits(pattern: &Pattern, row: &[Cell]) -> bool {
    pattern.iter().zip(row).all(|(wanted, cell)| wanted.as_ref().is_none_or(|wanted| wanted == cell))
}

/// A value as it is written in a rule.
fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Number(number) => number.to_string(),
        Cell::Text(text) => crate::datalog::quoted(text),
    }
}
