//! Facts of a user's own about nodes and daemonsets that are not there: a typing mistake
//! in a table of facts is silent else, as a rule just finds nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::datalog::{Program, Term};
use crate::diagnostic::{Diagnostic, Place, nearest};
use crate::kube::ObjectKey;
use crate::state::World;

/// So many names of one kind in one file are written out.
const NAMES_SHOWN: usize = 5;

/// Names, each with the first line that has it.
type Names<'p> = BTreeMap<&'p str, u32>;

/// A warning for each file and kind, that names what is not there.
pub(super) fn named(program: &Program, world: &World) -> Vec<Diagnostic> {
    let mut found: BTreeMap<(Arc<str>, &str), Names<'_>> = BTreeMap::new();
    for given in program.given() {
        let columns = &program.declaration(given.relation).columns;
        for (column, value) in columns.iter().zip(&given.values) {
            let Term::Text(name) = value else { continue };
            let what = match &*column.ty {
                "Node" if !world.nodes.contains_key(&ObjectKey::new("", &**name)) => "node",
                "DaemonSet" if is_no_daemonset(name, world) => "daemonset",
                _ => continue,
            };
            found.entry((given.file.clone(), what)).or_default().entry(name).or_insert(given.line);
        }
    }
    found.into_iter().map(|((file, what), names)| warning(file, what, &names, world)).collect()
}

/// A name without a namespace is warned of where the facts are read.
fn is_no_daemonset(name: &str, world: &World) -> bool {
    let key = name.split_once('/').map(|(namespace, name)| ObjectKey::new(namespace, name));
    key.is_some_and(|key| !world.daemonsets.contains_key(&key))
}

fn warning(file: Arc<str>, what: &str, names: &Names<'_>, world: &World) -> Diagnostic {
    let shown: Vec<String> = names.keys().take(NAMES_SHOWN).map(|name| format!("`{name}`")).collect();
    let more = names.len() - shown.len();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let lines: Vec<String> = names.values().take(NAMES_SHOWN).map(u32::to_string).collect();
    // An entry is made with its first name.
    let (first, line) = names.first_key_value().map_or(("", 0), |(name, line)| (*name, *line));
    let place = Place { line, column: 1, ..Place::file(file) };
    let there: Vec<String> = match what {
        "node" => world.nodes.keys().map(|key| key.name.to_string()).collect(),
        _ => world.daemonsets.keys().map(ToString::to_string).collect(),
    };
    let found = Diagnostic::warning("unknown-name", format!("there is no {what} {}{more}", shown.join(", ")));
    let found =
        if names.len() > 1 { found.because(format!("on the lines {}", lines.join(", "))) } else { found };
    found.at(place).help(match nearest(first, there.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "such a row says nothing; take it out, or mend the name".to_owned(),
    })
}
