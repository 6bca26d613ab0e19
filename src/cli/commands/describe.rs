//! `dsrules describe`: one object after the other, each as a page.

use std::collections::BTreeSet;
use std::io::Write;

use clap::Args;
use dsrules::diagnostic::Diagnostic;
use dsrules::kube::{Kind, ObjectKey, has_ended};
use dsrules::report::{self, EventRow};
use dsrules::target::sqlite::{Store, StoredEvent};
use serde_json::Value;

use super::get::tell_elsewhere;
use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::resources::{Resource, Wanted, missing, wanted};

/// Arguments of `describe`.
#[derive(Debug, Args)]
pub struct DescribeArgs {
    /// What to describe: `daemonset NAME`, `node/NAME`, `pods`
    #[arg(value_name = "TYPE [NAME...] | TYPE/NAME", required = true, num_args = 1..)]
    resources: Vec<String>,
    /// The namespace to look in
    #[arg(long, short = 'n', value_name = "NAMESPACE", default_value = "default")]
    namespace: String,
}

/// Writes the pages.
pub fn run(args: &DescribeArgs, context: &mut Context) -> Result<Exit, Failure> {
    let wanted = wanted(&args.resources)?;
    let store = context.read()?;
    let mut problems = Vec::new();
    let (mut objects, mut kinds) = (Vec::new(), Vec::new());
    match wanted {
        Wanted::All(resources) => {
            for resource in resources {
                let kind = describable(resource)?;
                kinds.push(kind);
                store.objects(kind, Some(&args.namespace), &mut |_, object| {
                    objects.push((kind, object));
                    Ok(())
                })?;
            }
        }
        Wanted::Named(names) => {
            for (resource, name) in names {
                let kind = describable(resource)?;
                let key = ObjectKey::new(if kind.namespaced() { &*args.namespace } else { "" }, name);
                match store.object(kind, &key)? {
                    Some(object) => objects.push((kind, object)),
                    None => problems.push(missing(kind, &key, &store)?),
                }
            }
        }
    }
    for (at, (kind, object)) in objects.iter().enumerate() {
        let gap = if at == 0 { "" } else { "\n\n" };
        let page = page(*kind, object, &store, context.seconds())?;
        write!(context.fitted(), "{gap}{page}")?;
    }
    if !problems.is_empty() {
        return Err(problems.into());
    }
    if objects.is_empty() {
        context.note(&format!("No resources found in {} namespace.", args.namespace));
        tell_elsewhere(&kinds, &store, context)?;
    }
    Ok(Exit::Done)
}

fn describable(resource: Resource) -> Result<Kind, Diagnostic> {
    match resource {
        Resource::Kind(kind @ (Kind::Node | Kind::DaemonSet | Kind::Pod)) => Ok(kind),
        _ => Err(Diagnostic::error("not-described", "only nodes, daemonsets and pods have a page")
            .help("`dsrules get ... -o yaml` shows everything of any object")),
    }
}

fn page(kind: Kind, object: &Value, store: &Store, now: i64) -> Result<String, Diagnostic> {
    let name = object["metadata"]["name"].as_str().unwrap_or("");
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or("");
    Ok(match kind {
        Kind::Node => {
            let pods = pods(store, None, |pod| {
                pod["spec"]["nodeName"] == name && !pod["status"]["phase"].as_str().is_some_and(has_ended)
            })?;
            let names: BTreeSet<&str> =
                pods.iter().filter_map(|pod| pod["metadata"]["name"].as_str()).collect();
            let events = events(store, None, |word| word == name || names.contains(word))?;
            report::describe_node(object, &pods, &events, now)
        }
        Kind::DaemonSet => {
            let uid = &object["metadata"]["uid"];
            let pods = pods(store, Some(namespace), |pod| {
                let owners = pod["metadata"]["ownerReferences"].as_array();
                owners.into_iter().flatten().any(|owner| owner["controller"] == true && &owner["uid"] == uid)
            })?;
            let events = events(store, Some(&ObjectKey::new(namespace, name)), |_| true)?;
            report::describe_daemonset(object, &pods, &events, now)
        }
        _ => {
            let owners = object["metadata"]["ownerReferences"].as_array();
            let owner = owners.into_iter().flatten().find(|owner| owner["controller"] == true);
            let owner = owner.and_then(|owner| owner["name"].as_str()).unwrap_or("");
            let events = events(store, Some(&ObjectKey::new(namespace, owner)), |word| word == name)?;
            report::describe_pod(object, &events, now)
        }
    })
}

/// The events about a daemonset, or about all of them, whose message has one of the words:
/// the name of a pod, with or without its namespace, or of a node.
fn events(
    store: &Store,
    about: Option<&ObjectKey>,
    names: impl Fn(&str) -> bool,
) -> Result<Vec<EventRow>, Diagnostic> {
    let is_about = |event: &StoredEvent| {
        let words = event.message.split([' ', ',']);
        words.map(|word| word.rsplit('/').next().unwrap_or(word)).any(&names)
    };
    let found = store.events(about)?;
    let found = found.iter().filter(|event| is_about(event));
    Ok(found.map(|event| EventRow::from_object(&event.object())).collect())
}

fn pods(
    store: &Store,
    namespace: Option<&str>,
    keep: impl Fn(&Value) -> bool,
) -> Result<Vec<Value>, Diagnostic> {
    let mut pods = Vec::new();
    store.objects(Kind::Pod, namespace, &mut |_, pod| {
        if keep(&pod) {
            pods.push(pod);
        }
        Ok(())
    })?;
    Ok(pods)
}
