//! `dsrules get`: what the store holds, in kubectl's columns.

mod options;
mod stream;
mod tables;

use dsrules::app::Group;
use dsrules::app::resources::{Resource, Wanted, wanted_of};
use dsrules::diagnostic::Diagnostic;
use dsrules::report;
use serde_json::Value;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::output::Format;
use crate::cli::options::sort::sort;
use tables::tables;

pub use options::GetArgs;

/// Shows what was asked for.
pub fn run(args: &GetArgs, context: &mut Context) -> Result<Exit, Failure> {
    args.at.at.map_or(Ok(()), |at| context.look_back(at))?;
    let wanted = wanted_of(&args.resources, &context.database)?;
    if args.watch {
        return Err(Diagnostic::error("not-followed", "`get` shows what there is once, and does not wait")
            .help("`watch dsrules get pods` shows it over and over; `dsrules watch DIR` follows a folder")
            .into());
    }
    let lookups = args.lookup(&context.database, context.seconds()).open()?;
    if let Some(kinds) = stream::kinds(args, &wanted) {
        return stream::run(args, &kinds, &lookups, context);
    }
    let (mut groups, problems) = lookups.find(&wanted)?;
    if let Some(key) = &args.sort_by {
        groups.iter_mut().for_each(|(_, objects)| sort(objects, key));
    }
    let named_one = matches!(&wanted, Wanted::Named(names) if names.len() == 1);
    match args.output {
        Some(Format::Json | Format::Yaml) => document(args.output, groups, named_one, context)?,
        Some(Format::Name) => names(&groups, context)?,
        _ => tables(args, &groups, problems.is_empty(), &lookups, context)?,
    }
    if problems.is_empty() { Ok(Exit::Done) } else { Err(problems.into()) }
}

fn document(
    output: Option<Format>,
    groups: Vec<Group>,
    named_one: bool,
    context: &mut Context,
) -> Result<(), Failure> {
    let mut objects: Vec<Value> = groups.into_iter().flat_map(|(_, objects)| objects).collect();
    let document = match objects.len() {
        0 if named_one => return Ok(()),
        1 if named_one => objects.remove(0),
        _ => report::list(objects),
    };
    match output {
        Some(Format::Yaml) => report::write_yaml(&document, &mut context.out)?,
        _ => report::write_json(&document, &mut context.out)?,
    }
    Ok(())
}

fn names(groups: &[Group], context: &mut Context) -> Result<(), Failure> {
    for (resource, objects) in groups {
        let Resource::Kind(kind) = resource else { continue };
        for object in objects {
            let name = object["metadata"]["name"].as_str().unwrap_or("");
            writeln!(context.out, "{}/{name}", kind.resource())?;
        }
    }
    Ok(())
}
