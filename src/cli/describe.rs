//! `dsrules describe`: one object after the other, each as a page.

use clap::Args;
use dsrules::diagnostic::Diagnostic;
use dsrules::model::{Kind, ObjectKey};
use dsrules::report::{self, EventRow};
use dsrules::store::{Store, StoredEvent};
use serde_json::Value;

use super::context::Context;
use super::exit::{Exit, Failure};
use super::resources::{Resource, Wanted, missing, wanted};

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
    let mut objects = Vec::new();
    match wanted {
        Wanted::All(resources) => {
            for resource in resources {
                let kind = describable(resource)?;
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
        write!(context.out, "{gap}{}", page(*kind, object, &store, context.seconds())?)?;
    }
    if !problems.is_empty() {
        return Err(problems.into());
    }
    if objects.is_empty() {
        context.note(&format!("No resources found in {} namespace.", args.namespace));
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
                pod["spec"]["nodeName"] == name
                    && pod["status"]["phase"] != "Succeeded"
                    && pod["status"]["phase"] != "Failed"
            })?;
            report::describe_node(object, &pods, &[], now)
        }
        Kind::DaemonSet => {
            let uid = &object["metadata"]["uid"];
            let pods = pods(store, Some(namespace), |pod| {
                let owners = pod["metadata"]["ownerReferences"].as_array();
                owners.into_iter().flatten().any(|owner| owner["controller"] == true && &owner["uid"] == uid)
            })?;
            let events = store.events(Some(&ObjectKey::new(namespace, name)))?;
            let events: Vec<EventRow> =
                events.iter().map(StoredEvent::object).map(|event| EventRow::from_object(&event)).collect();
            report::describe_daemonset(object, &pods, &events, now)
        }
        _ => report::describe_pod(object, &[], now),
    })
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
