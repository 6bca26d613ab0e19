//! What a person may read in rules: relations with their columns, and parameters.
//!
//! A user's own come first, then what the tool offers: what is open, what is exported, and
//! last what it keeps to itself.

use serde::Serialize;

use crate::datalog::{Declaration, Parameter, Program};
use crate::policy::builtin::LIST_VERSION;

/// All that a program declares.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// The version of the list of built-in relations that are exported.
    pub list_version: u32,
    /// Relations, ordered by whose they are.
    pub relations: Vec<Relation>,
    /// Parameters with their values.
    pub parameters: Vec<Setting>,
}

/// For whom a relation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Whose {
    /// A user's rules declare it.
    Own,
    /// Built in, and rules of a user's may add to it.
    Open,
    /// Built in, and rules of a user's may read it.
    Exported,
    /// The tool's own matter, which may change at any time.
    Private,
}

/// A column of a relation.
#[derive(Debug, Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, which says its unit where it is a number of something.
    pub r#type: String,
}

/// One relation.
#[derive(Debug, Serialize)]
pub struct Relation {
    /// Its name.
    pub name: String,
    /// What rules call the module it is of.
    pub module: String,
    /// The folder of that module; none for the tool's own.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub folder: String,
    /// For whom it is.
    pub whose: Whose,
    /// Its columns.
    pub columns: Vec<Column>,
    /// What stands behind it: `input`, `export`, `unique(node)`.
    pub qualifiers: Vec<String>,
    /// How many rules derive it.
    pub rules: usize,
    /// The file it is declared in.
    pub file: String,
    /// The line.
    pub line: u32,
    /// What it says; of a violation or a warning without such words what its rule says.
    pub doc: String,
}

/// A parameter with its value.
#[derive(Debug, Serialize)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// The module whose rules know it.
    pub module: String,
    /// Its type.
    pub r#type: String,
    /// The value, as it was written.
    pub value: String,
    /// The default, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Where it was set, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// How many rules use it.
    pub rules: usize,
    /// The file it is declared in.
    pub file: String,
    /// The line.
    pub line: u32,
    /// What it is for.
    pub doc: String,
}

/// What to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// What a user's rules may add to.
    Open,
    /// What a user's rules may read, with their own.
    Readable,
    /// All there is.
    All,
}

/// Lists a program.
#[must_use]
pub fn listed(program: &Program, which: Which) -> Listed {
    let declared = program.declarations().map(|it| relation(program, it));
    let mut relations: Vec<Relation> = declared
        .chain(program.overloads().filter_map(|name| overload(program, name)))
        .filter(|it| match which {
            Which::Open => it.qualifiers.iter().any(|word| word == "open"),
            Which::Readable => it.whose != Whose::Private,
            Which::All => true,
        })
        .collect();
    // A user's own stand as they are declared, the many built-in ones as one looks for them.
    relations.sort_by(|a, b| place(a).cmp(&place(b)));
    let parameters = program.parameters().filter(|_| which != Which::Open);
    let parameters = parameters.map(|it| setting(program, it)).collect();
    Listed { list_version: LIST_VERSION, relations, parameters }
}

/// What a relation is ordered by.
fn place(it: &Relation) -> (Whose, &str, &str) {
    (it.whose, &it.folder, if it.whose == Whose::Own { "" } else { &it.name })
}

fn relation(program: &Program, it: &Declaration) -> Relation {
    let whose = match (it.builtin, it.open, it.exported) {
        (false, ..) => Whose::Own,
        (true, true, _) => Whose::Open,
        (true, false, true) => Whose::Exported,
        (true, false, false) => Whose::Private,
    };
    let columns = it.columns.iter();
    let said = program.rules_for(it.id).next().filter(|_| it.constraint.is_some() && it.doc.is_empty());
    Relation {
        name: it.name.to_string(),
        module: program.module(it).to_owned(),
        folder: program.folder(it).to_owned(),
        whose,
        columns: columns.map(|it| Column { name: it.name.to_string(), r#type: it.ty.to_string() }).collect(),
        qualifiers: it.qualifiers(),
        rules: program.written_for(it.id).count(),
        file: it.file.to_string(),
        line: it.line,
        doc: said.map_or_else(|| it.doc.clone(), |rule| rule.sentence.to_string()),
    }
}

/// The one name of several relations, whose first column is of a type of any of them.
fn overload(program: &Program, name: &str) -> Option<Relation> {
    let (members, doc) = program.overload(name)?;
    let mut found = members.into_iter().map(|id| relation(program, program.declaration(id)));
    let mut one = found.next()?;
    if let Some(first) = one.columns.first_mut() {
        first.name = "object".to_owned();
        let others = found.filter_map(|it| it.columns.into_iter().next());
        others.for_each(|it| first.r#type.push_str(&format!(" | {}", it.r#type)));
    }
    Some(Relation { name: name.to_owned(), rules: 0, doc: doc.to_owned(), ..one })
}

fn setting(program: &Program, it: &Parameter) -> Setting {
    Setting {
        name: it.name.to_string(),
        module: it.module.to_string(),
        r#type: it.ty.to_string(),
        value: it.written.to_string(),
        default: it.default.as_ref().map(ToString::to_string),
        set: it.set.as_ref().map(ToString::to_string),
        rules: program.rules_with(it).count(),
        file: it.file.to_string(),
        line: it.line,
        doc: it.doc.clone(),
    }
}
