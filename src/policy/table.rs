//! A file of facts: comma-separated values into rows of the input it is named after.
//!
//! Blank lines and lines that start with `#` say nothing; a value with a comma is quoted.
//! If the first line names a column of the input it is a header: it names all of them,
//! and their order is free. Else the values are in the order of the declaration.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::datalog::{Declaration, Given, Kind, Program, Term};
use crate::diagnostic::{Diagnostic, Place, counted, nearest};
use crate::policy::builtin::folder_of;
use crate::policy::csv::{Broken, Record, Records};
use crate::state::OwnFile;

/// So many problems of one file are told.
const MAX_PROBLEMS: usize = 10;

/// Reads a file of facts.
pub(super) fn read(program: &Program, file: &OwnFile, out: &mut Vec<Given>, found: &mut Vec<Diagnostic>) {
    let declaration = match input_of(program, file) {
        Ok(declaration) => declaration,
        Err(error) => return found.push(*error),
    };
    let columns = declaration.columns.len();
    let mut order: Option<Vec<usize>> = None;
    let (mut records, mut problems) = (Records::new(&file.text), 0);
    let file_name: Arc<str> = file.path.clone();
    loop {
        let record = match records.next() {
            Ok(Some(record)) => record,
            Ok(None) => return,
            Err(error) => return found.push(broken(file, error)),
        };
        let line = record.line;
        let order = match &order {
            Some(order) => order,
            None => {
                let header = header(declaration, &record, file, found);
                let Ok(header) = header else { return };
                let is_header = header.is_some();
                let named = order.insert(header.unwrap_or_else(|| (0..columns).collect()));
                if is_header {
                    continue;
                }
                named
            }
        };
        match row(declaration, &record, order, file) {
            Ok(values) => {
                let relation = declaration.id;
                out.push(Given { relation, values, file: file_name.clone(), line });
            }
            Err(error) => {
                found.push(*error);
                problems += 1;
                if problems >= MAX_PROBLEMS {
                    return;
                }
            }
        }
    }
}

/// The input that the file is named after.
pub(super) fn input_of<'a>(program: &'a Program, file: &OwnFile) -> Result<&'a Declaration, Box<Diagnostic>> {
    let path = Path::new(&*file.path);
    let stem = match &*file.relation {
        "" => path.file_stem().and_then(|stem| stem.to_str()).unwrap_or(""),
        relation => relation,
    };
    let place = Place::file(file.path.clone());
    let own: Vec<&Declaration> =
        program.declarations().filter(|it| !it.builtin && &*it.name == stem).collect();
    let declaration = match nearest_to(&own, program, file).as_slice() {
        [] => program.builtin(stem).map(|id| program.declaration(id)).filter(|it| it.exported),
        [one] => Some(*one),
        several => {
            let error =
                Diagnostic::error("ambiguous-name", format!("several folders have an input `{stem}`"))
                    .at(place)
                    .help(
                        "put the file beside the rules that it is meant for, into the folder `facts` there",
                    );
            let declared = |error: Diagnostic, it: &&Declaration| {
                error.related(program.place_of(it), "one is declared here")
            };
            return Err(Box::new(several.iter().fold(error, declared)));
        }
    };
    let Some(declaration) = declaration else {
        let error = Diagnostic::error(
            "unknown-relation",
            format!("a file of facts is named after an input, and there is no relation `{stem}`"),
        )
        .at(place);
        let own = program.declarations().filter(|it| !it.builtin).map(|it| &*it.name);
        return Err(Box::new(match nearest(stem, own) {
            Some(near) if file.relation.is_empty() => {
                let extension = path.extension().and_then(|it| it.to_str()).unwrap_or("csv");
                error.help(format!("did you mean `{near}.{extension}`?"))
            }
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(format!("declare it in a rule file: `.decl {stem}(node: Node, ...) input`")),
        }));
    };
    if declaration.kind == Kind::Input && !declaration.builtin {
        return Ok(declaration);
    }
    let error = Diagnostic::error("not-an-input", format!("`{stem}` is no input of yours"))
        .at(place)
        .related(program.place_of(declaration), "declared here");
    Err(Box::new(if declaration.builtin {
        error.help("the built-in relations are filled from the cluster; declare one of your own")
    } else {
        error.help(format!("write `.decl {declaration} input`"))
    }))
}

/// Of relations in several folders those whose folder shares most of its path with a file.
fn nearest_to<'a>(own: &[&'a Declaration], program: &Program, file: &OwnFile) -> Vec<&'a Declaration> {
    if own.len() < 2 {
        return own.to_vec();
    }
    let folder = folder_of(&file.path);
    let shared = |it: &Declaration| {
        let (one, other) = (Path::new(&folder).components(), Path::new(program.folder(it)).components());
        one.zip(other).take_while(|(one, other)| one == other).count()
    };
    let most = own.iter().map(|it| shared(it)).max();
    own.iter().filter(|it| Some(shared(it)) == most).copied().collect()
}

/// A place in a file of facts.
fn place(file: &OwnFile, span: &Range<usize>) -> Place {
    Place::of_span(file.path.clone(), &file.text, span.start, span.end)
}

/// The place of a value of a record.
fn place_of(file: &OwnFile, record: &Record<'_>, column: usize) -> Place {
    place(file, record.fields.get(column).map_or(&record.span, |field| &field.span))
}

/// For each column its place in the records, if the record is a header.
fn header(
    declaration: &Declaration,
    record: &Record<'_>,
    file: &OwnFile,
    found: &mut Vec<Diagnostic>,
) -> Result<Option<Vec<usize>>, ()> {
    let names: Vec<&str> = declaration.columns.iter().map(|column| &*column.name).collect();
    if !record.fields.iter().any(|field| names.contains(&&*field.text)) {
        found.extend(almost_header(&names, record, file));
        return Ok(None);
    }
    let mut fields = record.fields.iter().map(|field| &*field.text).enumerate();
    if let Some((at, unknown)) = fields.find(|(_, field)| !names.contains(field)) {
        let error =
            Diagnostic::error("unknown-column", format!("`{}` has no column `{unknown}`", declaration.name))
                .at(place_of(file, record, at));
        found.push(match nearest(unknown, names.iter().copied()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(format!("it is declared as `{declaration}`")),
        });
        return Err(());
    }
    let order: Vec<Option<usize>> =
        names.iter().map(|name| record.fields.iter().position(|field| field.text == *name)).collect();
    if record.fields.len() != names.len() || order.contains(&None) {
        let error = Diagnostic::error("wrong-arity", "the header does not name every column once")
            .at(place(file, &record.span))
            .help(format!("write `{}`, in any order", names.join(",")));
        found.push(error);
        return Err(());
    }
    Ok(Some(order.into_iter().flatten().collect()))
}

/// A warning where every value of the first line is nearly a column's name: it is taken as
/// a row, and was meant as a header.
fn almost_header(names: &[&str], record: &Record<'_>, file: &OwnFile) -> Option<Diagnostic> {
    // What is short is near to much.
    let near = |field: &str| {
        let found = nearest(field, names.iter().copied())?;
        (found.len() > 3 || found.eq_ignore_ascii_case(field)).then_some(found)
    };
    let meant: Vec<&str> = record.fields.iter().map(|field| near(&field.text)).collect::<Option<_>>()?;
    let each_once = names.iter().all(|name| meant.iter().filter(|it| *it == name).count() == 1);
    each_once.then(|| {
        Diagnostic::warning("no-header", "this line is taken as a row of facts, and looks like a header")
            .at(place(file, &record.span))
            .help(format!("for a header write `{}`", meant.join(",")))
    })
}

fn row(
    declaration: &Declaration,
    record: &Record<'_>,
    order: &[usize],
    file: &OwnFile,
) -> Result<Vec<Term>, Box<Diagnostic>> {
    if record.fields.len() != declaration.columns.len() {
        let (wanted, are) = (declaration.columns.len(), record.fields.len());
        let what = format!(
            "`{}` has {}, here {} {}",
            declaration.name,
            counted(wanted, "column"),
            if are == 1 { "is" } else { "are" },
            counted(are, "value")
        );
        return Err(Box::new(
            Diagnostic::error("wrong-arity", what)
                .at(place(file, &record.span))
                .help(format!("it is declared as `{declaration}`; put a value with a comma in quotes")),
        ));
    }
    let value = |(column, at): (&crate::datalog::Column, &usize)| {
        let field = record.fields.get(*at).map_or("", |field| &*field.text);
        if !column.ty.is_number() {
            return Ok(Term::Text(field.into()));
        }
        column.ty.read(field).map(Term::Number).ok_or_else(|| {
            if is_too_large(field) {
                return Box::new(too_large(field).at(place_of(file, record, *at)));
            }
            let what = format!(
                "the column `{}` of `{}` takes `{}`, not `{field}`",
                column.name, declaration.name, column.ty
            );
            Box::new(
                Diagnostic::error("type-mismatch", what)
                    .at(place_of(file, record, *at))
                    .help(format!("{}, or declare the column with a text type", column.ty.example())),
            )
        })
    };
    declaration.columns.iter().zip(order).map(value).collect()
}

fn broken(file: &OwnFile, error: Broken) -> Diagnostic {
    let told = |what: &str| Diagnostic::error("bad-csv", what);
    match error {
        Broken::Open(at) => told("a quote is opened here and never closed")
            .at(place(file, &(at..at + 1)))
            .because("all that stands behind it would be one value")
            .help("close it; a quote that is part of a quoted value is written twice: `\"a \"\"b\"\"\"`"),
        Broken::Behind(span) => told("something stands behind a closing quote")
            .at(place(file, &(span.end..span.end + 1)))
            .related(place(file, &(span.start..span.start + 1)), "the quote is opened here")
            .help("put the whole value into quotes; a quote that is part of it is written twice: `\"a \"\"b\"\"\"`"),
    }
}

/// Whether a text is a whole number that is out of the range of numbers.
pub(super) fn is_too_large(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit()) && text.parse::<i64>().is_err()
}

/// What is said of such a number.
pub(super) fn too_large(text: &str) -> Diagnostic {
    Diagnostic::error("number-too-large", format!("the number `{text}` is too large")).help(format!(
        "numbers go from {} to {}; a longer one is a text",
        i64::MIN,
        i64::MAX
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::datalog::Source;

    const RULES: &str = ".type N\n.decl rack(node: N, rack: N, slot: number) input\n.decl own(a: N)\n\
        .decl used(a: N) output\nused(A) :- rack(A, _, _), own(A).\n";

    fn facts(name: &str, text: &str) -> (Vec<String>, Vec<Diagnostic>) {
        let source = Source { file: "t.dl", text: RULES, builtin: false, folder: "" };
        let program = Program::load(&[source]).program.unwrap();
        let (mut given, mut found) = (Vec::new(), Vec::new());
        let file = OwnFile::new(name, crate::state::OwnKind::Csv, text);
        read(&program, &file, &mut given, &mut found);
        let shown = |value: &Term| match value {
            Term::Number(number) => number.to_string(),
            Term::Text(text) => text.to_string(),
            _ => "?".to_owned(),
        };
        let rows = given.iter().map(|row| {
            format!("{}:{}", row.line, row.values.iter().map(shown).collect::<Vec<_>>().join("|"))
        });
        (rows.collect(), found)
    }

    #[test]
    fn rows_come_with_or_without_a_header() {
        let (rows, found) = facts("facts/rack.csv", "# racks\n\na, r1, 1\n\"b,c\",r2,-2\n");
        assert_eq!((rows, found), (vec!["3:a|r1|1".to_owned(), "4:b,c|r2|-2".to_owned()], vec![]));
        let (rows, found) = facts("rack.csv", "slot,rack,node\r\n7,r,n\r\n# end\r\n8,r,m");
        assert_eq!((rows, found), (vec!["2:n|r|7".to_owned(), "4:m|r|8".to_owned()], vec![]));
        assert_eq!(facts("rack.csv", "").0.len(), 0);
        assert_eq!(facts("rack.csv", "\" a\", \"r\" ,1").0, ["1: a|r|1"]);
    }

    #[test]
    fn a_header_that_is_none_is_warned_of() {
        let (rows, found) = facts("rack.csv", "Node,racks,slots\na,r1,1\n");
        assert_eq!(rows, ["2:a|r1|1"]);
        assert_eq!(found[0].code, "no-header");
        assert_eq!(found[0].help.as_deref(), Some("for a header write `node,rack,slot`"));
        assert!(facts("rack.csv", "n1,r1,1\n").1.is_empty());
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        let at = |name: &str, text: &str| {
            let error = facts(name, text).1.remove(0);
            let place = error.place.clone().unwrap();
            format!("{} {}:{}:{}", error.code, place.line, place.column, place.width)
        };
        assert_eq!(at("rack.csv", "a,r1,1\nb,r1,two\n"), "type-mismatch 2:6:3");
        assert_eq!(at("rack.csv", "# x\nnode,rak,slot\n"), "unknown-column 2:6:3");
        assert_eq!(at("rack.csv", "node,rack\n"), "wrong-arity 1:1:9");
        assert_eq!(at("rack.csv", "a,b,1\na,b\n"), "wrong-arity 2:1:3");
        assert_eq!(at("rack.csv", "a,b,1\na,\"b,2\nc,d,3\n"), "bad-csv 2:3:1");
        assert_eq!(at("rack.csv", "a,b,1\n\"a\"b,b,2\n"), "bad-csv 2:4:1");
        assert_eq!(at("rack.csv", "a,b,9223372036854775808\n"), "number-too-large 1:5:19");
        assert_eq!(at("rak.csv", ""), "unknown-relation 0:0:0");
        assert_eq!(at("own.csv", ""), "not-an-input 0:0:0");
    }
}
