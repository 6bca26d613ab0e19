//! The list of what rules declare: as text, as a table, as a document.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::data::API_VERSION;
use super::paint::Paint;
use super::table::Table;
use crate::app::listed::{Listed, Relation, Setting, Whose};
use crate::diagnostic::visible;

/// The list as one reads it: each declaration with what it says below, under whose it is.
///
/// # Errors
/// Where writing fails.
pub fn listed_text(listed: &Listed, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let mut over = String::new();
    let mut head = |title: String, out: &mut dyn Write| {
        if over == title {
            return Ok(());
        }
        let blank = if over.is_empty() { "" } else { "\n" };
        over.clone_from(&title);
        writeln!(out, "{blank}{}", paint.strong(title))
    };
    let own = listed.relations.iter().take_while(|it| it.whose == Whose::Own).count();
    for (at, it) in listed.relations.iter().enumerate() {
        if at == own {
            parameters(&listed.parameters, &mut head, paint, out)?;
        }
        head(title(it, listed.list_version), out)?;
        item(&declared(it), &behind(it), &it.doc, paint, out)?;
    }
    Ok(())
}

/// Writes the line over a group.
type Head<'a> = dyn FnMut(String, &mut dyn Write) -> io::Result<()> + 'a;

fn parameters(all: &[Setting], head: &mut Head<'_>, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    for it in all {
        head("Parameters".to_owned(), out)?;
        let what = format!("{}::{}: {} = {}", it.module, it.name, it.r#type, it.value);
        item(&what, &origin(it), &it.doc, paint, out)?;
    }
    Ok(())
}

fn title(it: &Relation, version: u32) -> String {
    match it.whose {
        Whose::Own => {
            let folder = Path::new(&it.file).parent().filter(|folder| *folder != Path::new(""));
            let folder = folder.unwrap_or(Path::new("."));
            format!("Your own, in the module {} ({})", it.module, visible(&folder.to_string_lossy()))
        }
        Whose::Open => "Built in, for you to add rules to".to_owned(),
        Whose::Exported => format!("Built in, for your rules to read (version {version} of the list)"),
        Whose::Private => "The engine's own, which may change at any time".to_owned(),
    }
}

fn item(what: &str, behind: &str, doc: &str, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let space = if behind.is_empty() { "" } else { " " };
    writeln!(out, "  {}{space}{}", visible(what), paint.dim(visible(behind)))?;
    let doc = sentence(doc);
    if doc.is_empty() { Ok(()) } else { writeln!(out, "      {}", paint.dim(visible(&doc))) }
}

/// The first sentence of what something says.
fn sentence(doc: &str) -> String {
    let doc = doc.replace('\n', " ");
    doc.split_once(". ").map_or(doc.clone(), |(first, _)| format!("{first}."))
}

fn declared(it: &Relation) -> String {
    let columns = it.columns.iter().map(|it| format!("{}: {}", it.name, it.r#type));
    format!("{}({})", it.name, columns.collect::<Vec<_>>().join(", "))
}

/// What stands behind a declaration; whose the built-in ones are is said over them.
fn behind(it: &Relation) -> String {
    let is_said = |word: &&String| it.whose == Whose::Own || !["export", "open"].contains(&word.as_str());
    it.qualifiers.iter().filter(is_said).cloned().collect::<Vec<_>>().join(" ")
}

/// Where a parameter has its value from.
fn origin(it: &Setting) -> String {
    match (&it.set, &it.default) {
        (Some(set), Some(default)) => format!("({set}; default {default})"),
        (Some(set), None) => format!("({set})"),
        (None, _) => "(default)".to_owned(),
    }
}

/// The list as a table, with all that is known on one line each.
///
/// # Errors
/// Where writing fails.
pub fn listed_table(listed: &Listed, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new(["MODULE", "RELATION", "KIND", "RULES", "WHERE", "SAYS"]);
    for it in &listed.relations {
        table.row([
            it.module.clone(),
            declared(it),
            it.qualifiers.join(" "),
            it.rules.to_string(),
            format!("{}:{}", it.file, it.line),
            sentence(&it.doc),
        ]);
    }
    for it in &listed.parameters {
        table.row([
            it.module.clone(),
            format!("{}: {} = {}", it.name, it.r#type, it.value),
            format!("param {}", origin(it)),
            it.rules.to_string(),
            format!("{}:{}", it.file, it.line),
            sentence(&it.doc),
        ]);
    }
    table.write(out, "", true)
}

/// The list as a `kind: Rules` of `apiVersion: dsrules.dev/v1`.
#[must_use]
pub fn listed_document(listed: &Listed) -> impl Serialize + '_ {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Document<'a> {
        api_version: &'static str,
        kind: &'static str,
        #[serde(flatten)]
        listed: &'a Listed,
    }
    Document { api_version: API_VERSION, kind: "Rules", listed }
}
