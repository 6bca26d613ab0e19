//! `dsrules get`: what the store holds, in kubectl's columns.

mod stream;

use clap::{Args, ValueEnum};
use dsrules::diagnostic::Diagnostic;
use dsrules::kube::{Kind, ObjectKey};
use dsrules::report::{self, Columns, EventRow};
use dsrules::target::sqlite::{Store, StoredEvent};
use serde_json::Value;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::resources::{Resource, Wanted, missing, wanted};
use crate::cli::options::selector::LabelSelector;
use crate::cli::options::sort::{SortKey, sort};

/// Arguments of `get`.
#[derive(Debug, Args)]
pub struct GetArgs {
    /// What to show: `pods`, `nodes,daemonsets`, `all`, `events`; names may follow, or TYPE/NAME
    #[arg(value_name = "TYPE [NAME...] | TYPE/NAME", required = true, num_args = 1..)]
    resources: Vec<String>,
    /// Not here: what would change it is another command
    #[arg(long, short = 'w', hide = true)]
    watch: bool,
    /// The namespace to look in
    #[arg(long, short = 'n', value_name = "NAMESPACE", default_value = "default")]
    namespace: String,
    /// Look in all namespaces
    #[arg(long, short = 'A')]
    all_namespaces: bool,
    /// Only objects with these labels, as `app=web,tier in (a,b),!old`
    #[arg(long, short = 'l', value_name = "LABELS")]
    selector: Option<LabelSelector>,
    /// How to show it
    #[arg(long, short = 'o', value_name = "FORMAT", value_enum)]
    output: Option<Format>,
    /// Leave the heads of tables away
    #[arg(long)]
    no_headers: bool,
    /// Sort by a field, as `.metadata.creationTimestamp`
    #[arg(long, value_name = "FIELD")]
    sort_by: Option<SortKey>,
}

/// `-o` of `get`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    // JSON
    Json,
    // YAML
    Yaml,
    // More columns
    Wide,
    // Names only, as `pod/a`
    Name,
}

/// Shows what was asked for.
pub fn run(args: &GetArgs, context: &mut Context) -> Result<Exit, Failure> {
    let wanted = wanted(&args.resources)?;
    if args.watch {
        return Err(Diagnostic::error("not-followed", "`get` shows what there is once, and does not wait")
            .help("`watch dsrules get pods` shows it over and over; `dsrules watch DIR` follows a folder")
            .into());
    }
    let store = context.read()?;
    if let (Wanted::All(resources), None) = (&wanted, &args.sort_by)
        && args.output != Some(Format::Yaml)
        && !resources.contains(&Resource::Event)
    {
        return stream::run(args, resources, &store, context);
    }
    let (groups, problems) = find(args, &wanted, &store)?;
    let named_one = matches!(&wanted, Wanted::Named(names) if names.len() == 1);
    match args.output {
        Some(Format::Json | Format::Yaml) => document(args, groups, named_one, context)?,
        Some(Format::Name) => names(&groups, context)?,
        _ => tables(args, &groups, problems.is_empty(), &store, context)?,
    }
    if problems.is_empty() { Ok(Exit::Done) } else { Err(problems.into()) }
}

/// What was found of one resource.
type Group = (Resource, Vec<Value>);

fn find(args: &GetArgs, wanted: &Wanted, store: &Store) -> Result<(Vec<Group>, Vec<Diagnostic>), Diagnostic> {
    let namespace = (!args.all_namespaces).then_some(args.namespace.as_str());
    let (mut groups, mut problems): (Vec<Group>, Vec<_>) = (Vec::new(), Vec::new());
    match wanted {
        Wanted::All(resources) => {
            for resource in resources {
                groups.push((*resource, all(*resource, namespace, store)?));
            }
        }
        Wanted::Named(_) if args.all_namespaces => {
            return Err(Diagnostic::error("name-in-all-namespaces", "a name was given together with `-A`")
                .help("a name is looked up in one namespace: leave `-A` away and name it with `-n`"));
        }
        Wanted::Named(names) => {
            for (resource, name) in names {
                let Resource::Kind(kind) = *resource else {
                    return Err(Diagnostic::error("event-name", "events have no names here").help(
                        "show them all with `dsrules get events`, or `dsrules describe daemonset NAME`",
                    ));
                };
                let key =
                    ObjectKey::new(if kind.namespaced() { &*args.namespace } else { "" }, name.as_str());
                let Some(object) = store.object(kind, &key)? else {
                    problems.push(missing(kind, &key, store)?);
                    continue;
                };
                match groups.last_mut() {
                    Some((last, objects)) if last == resource => objects.push(object),
                    _ => groups.push((*resource, vec![object])),
                }
            }
        }
    }
    for (_, objects) in &mut groups {
        if let Some(selector) = &args.selector {
            objects.retain(|object| selector.matches(object));
        }
        if let Some(key) = &args.sort_by {
            sort(objects, key);
        }
    }
    Ok((groups, problems))
}

fn all(resource: Resource, namespace: Option<&str>, store: &Store) -> Result<Vec<Value>, Diagnostic> {
    match resource {
        Resource::Kind(kind) => {
            let mut objects = Vec::new();
            store.objects(kind, namespace, &mut |_, object| {
                objects.push(object);
                Ok(())
            })?;
            Ok(objects)
        }
        Resource::Event => Ok(store
            .events(None)?
            .iter()
            .filter(|event| namespace.is_none_or(|namespace| *namespace == *event.about.namespace))
            .map(StoredEvent::object)
            .collect()),
    }
}

fn document(
    args: &GetArgs,
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
    match args.output {
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

fn tables(
    args: &GetArgs,
    groups: &[Group],
    complete: bool,
    store: &Store,
    context: &mut Context,
) -> Result<(), Failure> {
    let columns = Columns {
        namespace: args.all_namespaces,
        wide: args.output == Some(Format::Wide),
        kind: groups.len() > 1,
        now: context.seconds(),
    };
    let mut first = true;
    for (resource, objects) in groups.iter().filter(|(_, objects)| !objects.is_empty()) {
        if !first {
            writeln!(context.out)?;
        }
        first = false;
        let table = match resource {
            Resource::Kind(kind) => {
                let mut table = report::columns(*kind, columns);
                for object in objects {
                    table.row(report::cells(*kind, object, columns));
                }
                table
            }
            Resource::Event => {
                let rows: Vec<EventRow> = objects.iter().map(EventRow::from_object).collect();
                report::event_columns(&rows, columns)
            }
        };
        table.write(&mut context.fitted(), "", !args.no_headers)?;
    }
    if first && complete {
        let namespaced = groups
            .iter()
            .any(|(resource, _)| !matches!(resource, Resource::Kind(kind) if !kind.namespaced()));
        let place = if namespaced && !args.all_namespaces {
            format!(" in {} namespace.", args.namespace)
        } else {
            String::new()
        };
        context.note(&format!("No resources found{place}"));
        if namespaced && !args.all_namespaces && args.selector.is_none() {
            let kinds = groups.iter().filter_map(|(resource, _)| match resource {
                Resource::Kind(kind) => Some(*kind),
                Resource::Event => None,
            });
            tell_elsewhere(&kinds.collect::<Vec<_>>(), store, context)?;
        }
    }
    Ok(())
}

/// Says so if another namespace has what this one has not.
pub fn tell_elsewhere(kinds: &[Kind], store: &Store, context: &Context) -> Result<(), Diagnostic> {
    let mut found = None;
    for kind in kinds.iter().filter(|kind| kind.namespaced()) {
        let read = store.objects(*kind, None, &mut |key, _| {
            found = Some(key.namespace);
            // One is enough.
            Err(Diagnostic::note("found", "there is one"))
        });
        match (&found, read) {
            (Some(_), _) => break,
            (None, read) => read?,
        }
    }
    if let Some(namespace) = found {
        context
            .note(&format!("There are some in {namespace}: `-n {namespace}`, or `-A` for all namespaces."));
    }
    Ok(())
}
