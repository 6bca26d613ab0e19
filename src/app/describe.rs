//! Describe: objects with all that belongs to them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::get::elsewhere;
use super::open::Database;
use super::resources::{Resource, Wanted, key_of, missing};
use super::slices;
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, Name, ObjectKey, controlling, has_ended};
use crate::reach::SERVICE_NAME;
use crate::target::sqlite::StoredEvent;
use crate::target::{Memory, Selected};

/// An object with what belongs to it.
pub struct Described {
    /// Its kind.
    pub kind: Kind,
    /// The object.
    pub object: Value,
    /// The pods of a node, with those that wait for it.
    pub pods: Vec<Value>,
    /// How many pods of a daemonset are in which phase.
    pub phases: BTreeMap<Name, usize>,
    /// Its endpoint slices, if it has some.
    pub slices: Vec<Value>,
    /// The events about it.
    pub events: Vec<Value>,
}

/// What is to be described.
pub struct Description {
    /// The objects.
    pub found: Vec<Described>,
    /// What is wrong with names that nothing has.
    pub problems: Vec<Diagnostic>,
    /// A namespace that has what the one that was asked for has not.
    pub elsewhere: Option<String>,
}

/// Looks up what is wanted in a namespace.
///
/// # Errors
/// When it has no page, and when the store is not sound.
pub fn describe(
    database: &Database,
    wanted: &Wanted,
    namespace: &str,
    now: i64,
) -> Result<Description, Vec<Diagnostic>> {
    let store = database.read()?;
    let (mut objects, mut kinds, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    match wanted {
        Wanted::All(resources) => {
            for resource in resources {
                let kind = describable(*resource)?;
                kinds.push(kind);
                store.objects(kind, Some(namespace), &mut |_, object| {
                    objects.push((kind, object));
                    Ok(())
                })?;
            }
        }
        Wanted::Named(names) => {
            for (resource, name) in names {
                let kind = describable(*resource)?;
                let key = key_of(kind, namespace, name);
                match store.object(kind, &key)? {
                    Some(object) => objects.push((kind, object)),
                    None => problems.push(missing(kind, &key, &*store)?),
                }
            }
        }
    }
    let elsewhere = if objects.is_empty() { elsewhere(&kinds, &*store)? } else { None };
    let any_service = objects.iter().any(|(kind, _)| *kind == Kind::Service);
    let slices = if any_service { slices::derived(&*store, Some(namespace), now)? } else { Vec::new() };
    let found = objects.into_iter().map(|(kind, object)| described(kind, object, &slices, &*store));
    Ok(Description { found: found.collect::<Result<_, _>>()?, problems, elsewhere })
}

fn describable(resource: Resource) -> Result<Kind, Diagnostic> {
    match resource {
        Resource::Kind(kind @ (Kind::Node | Kind::DaemonSet | Kind::Pod | Kind::Service)) => Ok(kind),
        _ => Err(Diagnostic::error("not-described", "only nodes, daemonsets, pods and services have a page")
            .help("`dsrules get ... -o yaml` shows everything of any object")),
    }
}

fn described(
    kind: Kind,
    object: Value,
    slices: &[Value],
    store: &dyn Memory,
) -> Result<Described, Diagnostic> {
    let name = object["metadata"]["name"].as_str().unwrap_or("");
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or("");
    let mut phases = BTreeMap::new();
    let (pods, events) = match kind {
        Kind::Node => {
            let pods = pods_on(store, name)?;
            let names: BTreeSet<&str> =
                pods.iter().filter_map(|pod| pod["metadata"]["name"].as_str()).collect();
            let events = events(store, None, None, |word| word == name || names.contains(word))?;
            (pods, events)
        }
        Kind::DaemonSet => {
            phases = store.phases(object["metadata"]["uid"].as_str().unwrap_or(""))?;
            (Vec::new(), events(store, Some(&ObjectKey::new(namespace, name)), None, |_| true)?)
        }
        Kind::Service => (Vec::new(), Vec::new()),
        _ => {
            let owner = controlling(&object).and_then(|owner| owner["name"].as_str());
            let about = owner.map(|owner| ObjectKey::new(namespace, owner));
            let pod = ObjectKey::new(namespace, name);
            (Vec::new(), events(store, about.as_ref(), Some(&pod), |word| owner.is_some() && word == name)?)
        }
    };
    let is_its = |slice: &&Value| {
        kind == Kind::Service && slice["metadata"]["labels"][SERVICE_NAME] == object["metadata"]["name"]
    };
    let slices = slices.iter().filter(is_its).cloned().collect();
    Ok(Described { kind, object, pods, phases, slices, events })
}

/// The events about a daemonset and its pods, or about all of them: of those about pods the
/// ones about `pod`, if one is asked for; of the others those whose message has one of the
/// words, as the name of a pod, with or without its namespace, or of a node.
fn events(
    store: &dyn Memory,
    about: Option<&ObjectKey>,
    pod: Option<&ObjectKey>,
    names: impl Fn(&str) -> bool,
) -> Result<Vec<Value>, Diagnostic> {
    let is_about = |event: &&StoredEvent| {
        match pod {
            Some(pod) if event.of == Kind::Pod.name() => return event.about == *pod,
            None if names(&event.about.name) => return true,
            _ => {}
        }
        let words = event.message.split([' ', ',']);
        words.map(|word| word.rsplit('/').next().unwrap_or(word)).any(&names)
    };
    Ok(store.events(about)?.iter().filter(is_about).map(StoredEvent::object).collect())
}

/// The pods on a node, or else meant for it, that have not ended.
fn pods_on(store: &dyn Memory, node: &str) -> Result<Vec<Value>, Diagnostic> {
    let mut pods = Vec::new();
    store.pods(&Selected::On(node), None, &mut |_, pod| {
        if !pod["status"]["phase"].as_str().is_some_and(has_ended) {
            pods.push(pod);
        }
        Ok(())
    })?;
    Ok(pods)
}
