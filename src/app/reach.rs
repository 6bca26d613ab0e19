//! Reach: where clients find the daemonsets and services of a store.

use super::open::Database;
use super::resources::{Resource, Wanted, key_of, missing};
use super::slices::Found;
use crate::diagnostic::{Diagnostic, nearest};
use crate::kube::{Kind, ObjectKey};
use crate::reach::{DOMAIN, Form, Listing, Only, Zone};

/// What was found.
pub struct Reachable {
    found: Found,
    /// What is reached.
    pub listing: Listing,
}

impl Reachable {
    /// The text of a form; a zone has the number that the time gives it.
    #[must_use]
    pub fn text(&self, form: Form, domain: Option<&str>, now: i64) -> String {
        let zone = Zone { name: domain.unwrap_or(DOMAIN), serial: serial(now) };
        self.listing.text(form, &self.found.world, self.found.derived(), &zone)
    }
}

/// The number of a zone that is made at a time: the time, as far as it fits.
pub(super) fn serial(now: i64) -> u32 {
    u32::try_from(now.rem_euclid(1 << 32)).unwrap_or(0)
}

/// Looks up how what is wanted in a namespace is reached.
///
/// # Errors
/// When it is of another kind or not there, when no part of it is what is meant, and when the
/// store is not sound.
pub fn reach(
    database: &Database,
    wanted: &Wanted,
    namespace: &str,
    only: Only,
    now: i64,
) -> Result<Reachable, Vec<Diagnostic>> {
    let store = database.read()?;
    let mut objects = Vec::new();
    match wanted {
        Wanted::All(resources) => {
            for resource in resources {
                let kind = reachable(*resource)?;
                store.objects(kind, Some(namespace), &mut |key, _| {
                    objects.push((kind, key));
                    Ok(())
                })?;
            }
        }
        Wanted::Named(names) => {
            for (resource, name) in names {
                let kind = reachable(*resource)?;
                objects.push((kind, key_of(kind, namespace, name)));
            }
        }
    }
    let mut problems = Vec::new();
    for (kind, key) in &objects {
        if store.object(*kind, key)?.is_none() {
            problems.push(missing(*kind, key, &*store)?);
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let found = Found::of_store(&*store, now)?;
    let objects: Vec<(Kind, &ObjectKey)> = objects.iter().map(|(kind, key)| (*kind, key)).collect();
    let all = Listing::of(&objects, Only::default(), &found.world, found.derived());
    check(&all, &only, &found).map_or(Ok(()), Err)?;
    let listing = Listing::of(&objects, only, &found.world, found.derived());
    Ok(Reachable { found, listing })
}

fn reachable(resource: Resource) -> Result<Kind, Diagnostic> {
    match resource {
        Resource::Kind(kind @ (Kind::DaemonSet | Kind::Service)) => Ok(kind),
        _ => Err(Diagnostic::error("not-reached", "only daemonsets and services are reached")
            .help("write it as `dsrules reach daemonset/NAME` or `dsrules reach service/NAME`")),
    }
}

/// What is wrong with a part that is meant: a node that is not there, a port that nothing has.
fn check(all: &Listing, only: &Only, found: &Found) -> Option<Diagnostic> {
    let nodes = &found.world.nodes;
    let gone = |node: &&String| !nodes.contains_key(&ObjectKey::new("", node.as_str()));
    if let Some(node) = only.nodes.iter().find(gone) {
        let error = Diagnostic::error("not-found", format!("there is no node `{node}`"));
        return Some(match nearest(node, nodes.keys().map(|key| &*key.name)) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help("`dsrules get nodes` shows them"),
        });
    }
    let wanted = only.port.as_ref()?;
    let targets = all.reached.iter().flat_map(|it| &it.targets).filter(|it| it.port.is_some());
    let mut ports: Vec<String> = Vec::new();
    for target in targets {
        let number = target.port.map(|port| port.to_string()).unwrap_or_default();
        if *wanted == *target.name || *wanted == number {
            return None;
        }
        ports.push(if target.name.is_empty() { number } else { format!("{} ({number})", target.name) });
    }
    ports.sort();
    ports.dedup();
    let error = Diagnostic::error("not-found", format!("there is no port `{wanted}`"));
    Some(match ports.is_empty() {
        true => error.help("its pods declare no ports; leave `--port` away"),
        false => error.help(format!("there is {}", ports.join(", "))),
    })
}
