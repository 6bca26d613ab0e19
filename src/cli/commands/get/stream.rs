//! All objects of some kinds, shown as they are read: two million pods in the memory of
//! a few thousand.

use std::io;

use dsrules::app::resources::{Resource, Wanted};
use dsrules::app::{Lookups, Unvisited};
use dsrules::kube::Kind;
use dsrules::report::{self, ListWriter};

use super::options::GetArgs;
use super::tables::none;
use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::output::Format;

/// A table is written when it has so many rows, and goes on after them.
const PART: usize = 10_000;

/// The kinds, where all of their objects are asked for in a form that can be shown so.
pub fn kinds(args: &GetArgs, wanted: &Wanted) -> Option<Vec<Kind>> {
    let Wanted::All(resources) = wanted else { return None };
    if args.sort_by.is_some() || args.output == Some(Format::Yaml) {
        return None;
    }
    let kind = |resource: &Resource| match resource {
        Resource::Kind(kind) => Some(*kind),
        Resource::Event => None,
    };
    resources.iter().map(kind).collect()
}

/// Shows all objects of the kinds.
pub fn run(
    args: &GetArgs,
    kinds: &[Kind],
    lookups: &Lookups,
    context: &mut Context,
) -> Result<Exit, Failure> {
    let shown = match args.output {
        Some(Format::Json) => {
            let mut writer = ListWriter::default();
            for kind in kinds {
                each(lookups, *kind, &mut |object| writer.item(object, &mut context.out))?;
            }
            writer.end(&mut context.out)?;
            return Ok(Exit::Done);
        }
        Some(Format::Name) => {
            for kind in kinds {
                each(lookups, *kind, &mut |object| {
                    let name = object["metadata"]["name"].as_str().unwrap_or("");
                    writeln!(context.out, "{}/{name}", kind.resource())
                })?;
            }
            return Ok(Exit::Done);
        }
        _ => tables(args, kinds, lookups, context)?,
    };
    if shown == 0 {
        let resources: Vec<Resource> = kinds.iter().map(|kind| Resource::Kind(*kind)).collect();
        none(args, &resources, lookups, context)?;
    }
    Ok(Exit::Done)
}

/// Writes a table for each kind that has objects, part by part; gives how many there are.
fn tables(
    args: &GetArgs,
    kinds: &[Kind],
    lookups: &Lookups,
    context: &mut Context,
) -> Result<usize, Failure> {
    let columns = args.columns(kinds.len() > 1, context.seconds());
    let mut shown = 0;
    for kind in kinds {
        let mut table = report::columns(*kind, columns);
        let (mut first, before) = (true, shown);
        let mut write = |table: &mut report::Table, context: &mut Context| -> io::Result<()> {
            if first && before > 0 {
                writeln!(context.out)?;
            }
            table.write_part(&mut context.fitted(), std::mem::take(&mut first) && !args.no_headers)
        };
        each(lookups, *kind, &mut |object| {
            table.row(report::cells(*kind, object, columns));
            shown += 1;
            if table.len() >= PART { write(&mut table, context) } else { Ok(()) }
        })?;
        if !table.is_empty() {
            write(&mut table, context)?;
        }
    }
    Ok(shown)
}

/// Visits the objects of a kind. A failure to write ends the visit.
fn each(
    lookups: &Lookups,
    kind: Kind,
    visit: &mut dyn FnMut(&serde_json::Value) -> io::Result<()>,
) -> Result<(), Failure> {
    lookups.each(kind, visit).map_err(|ended| match ended {
        Unvisited::Store(error) => error.into(),
        Unvisited::Output(error) => error.into(),
    })
}
