//! All objects of some kinds, shown as they are read: two million pods in the memory of
//! a few thousand.

use std::io;

use dsrules::diagnostic::Diagnostic;
use dsrules::report::{self, Columns, ListWriter};
use dsrules::target::sqlite::Store;
use serde_json::Value;

use super::{Format, GetArgs, tables};
use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::resources::Resource;

/// A table is written when it has so many rows, and goes on after them.
const PART: usize = 10_000;

/// Shows all objects of the resources.
pub fn run(
    args: &GetArgs,
    resources: &[Resource],
    store: &Store,
    context: &mut Context,
) -> Result<Exit, Failure> {
    let mut writer = ListWriter::default();
    let mut shown = 0;
    for resource in resources {
        let Resource::Kind(kind) = *resource else { continue };
        let columns = Columns {
            namespace: args.all_namespaces,
            wide: args.output == Some(Format::Wide),
            kind: resources.len() > 1,
            now: context.seconds(),
        };
        let mut table = report::columns(kind, columns);
        let (mut first, before) = (true, shown);
        each(args, *resource, store, &mut |object| {
            let out = &mut context.out;
            match args.output {
                Some(Format::Json) => writer.item(object, out)?,
                Some(Format::Name) => {
                    let name = object["metadata"]["name"].as_str().unwrap_or("");
                    writeln!(out, "{}/{name}", kind.resource())?;
                }
                _ => {
                    table.row(report::cells(kind, object, columns));
                    if table.len() >= PART {
                        if first && before > 0 {
                            writeln!(out)?;
                        }
                        table.write_part(&mut context.fitted(), first && !args.no_headers)?;
                        first = false;
                    }
                }
            }
            shown += 1;
            Ok(())
        })?;
        if !table.is_empty() {
            if first && before > 0 {
                writeln!(context.out)?;
            }
            table.write_part(&mut context.fitted(), first && !args.no_headers)?;
        }
    }
    match args.output {
        Some(Format::Json) => writer.end(&mut context.out)?,
        Some(Format::Name) => {}
        _ if shown == 0 => {
            let none: Vec<_> = resources.iter().map(|resource| (*resource, Vec::new())).collect();
            tables(args, &none, true, store, context)?;
        }
        _ => {}
    }
    Ok(Exit::Done)
}

/// Visits the objects that are asked for. A failure to write ends the visit.
fn each(
    args: &GetArgs,
    resource: Resource,
    store: &Store,
    visit: &mut dyn FnMut(&Value) -> io::Result<()>,
) -> Result<(), Failure> {
    let Resource::Kind(kind) = resource else { return Ok(()) };
    let namespace = (!args.all_namespaces).then_some(args.namespace.as_str());
    let mut failed = None;
    let read = store.objects(kind, namespace, &mut |_, object| {
        if args.selector.as_ref().is_none_or(|selector| selector.matches(&object)) {
            visit(&object).map_err(|error| {
                failed = Some(error);
                Diagnostic::error("output", "the output cannot be written")
            })?;
        }
        Ok(())
    });
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(read?),
    }
}
