//! Objects in tables, one for each kind, and what is said where there are none.

use dsrules::app::resources::Resource;
use dsrules::app::{Group, Lookups};
use dsrules::report::{self, Columns, EventRow, Table};
use serde_json::Value;

use super::options::GetArgs;
use crate::cli::context::Context;
use crate::cli::exit::Failure;

/// Writes the tables; `complete` if nothing that was named is missing.
pub fn tables(
    args: &GetArgs,
    groups: &[Group],
    complete: bool,
    lookups: &Lookups,
    context: &mut Context,
) -> Result<(), Failure> {
    let columns = args.columns(groups.len() > 1, context.seconds());
    let mut first = true;
    for (resource, objects) in groups.iter().filter(|(_, objects)| !objects.is_empty()) {
        if !first {
            writeln!(context.out)?;
        }
        first = false;
        table(*resource, objects, columns).write(&mut context.fitted(), "", !args.no_headers)?;
    }
    if first && complete {
        let resources: Vec<Resource> = groups.iter().map(|(resource, _)| *resource).collect();
        none(args, &resources, lookups, context)?;
    }
    Ok(())
}

fn table(resource: Resource, objects: &[Value], columns: Columns) -> Table {
    match resource {
        Resource::Kind(kind) => {
            let mut table = report::columns(kind, columns);
            for object in objects {
                table.row(report::cells(kind, object, columns));
            }
            table
        }
        Resource::Event => {
            let rows: Vec<EventRow> = objects.iter().map(EventRow::from_object).collect();
            report::event_columns(&rows, columns)
        }
    }
}

/// Says that there is nothing, and where there is something.
pub fn none(
    args: &GetArgs,
    resources: &[Resource],
    lookups: &Lookups,
    context: &Context,
) -> Result<(), Failure> {
    let whole = |resource: &Resource| matches!(resource, Resource::Kind(kind) if !kind.namespaced());
    let in_one = !args.all_namespaces && !resources.iter().all(whole);
    if !in_one {
        context.note("No resources found");
        return Ok(());
    }
    context.note(&format!("No resources found in {} namespace.", args.namespace));
    if args.selector.is_none() && args.field_selector.is_none() {
        let kinds = resources.iter().filter_map(|resource| match resource {
            Resource::Kind(kind) => Some(*kind),
            Resource::Event => None,
        });
        context.note_elsewhere(lookups.elsewhere(&kinds.collect::<Vec<_>>())?);
    }
    Ok(())
}
