//! Which row a key of the shared store is, and which key a row is.
//!
//! A row's path is its table and the parts of its key, as triggers write it down. Most rows stand in
//! the store by that path; objects and attempts by keys that controllers and agents know too.

use super::path;
use super::tables::{Table, of};
use crate::kube::{Kind, ObjectKey};
use crate::target::etcd::wire;
use crate::target::sqlite::fault::Fault;
use crate::target::sqlite::tables;

/// The table of counts that controllers keep too.
pub(super) const ATTEMPTS: &str = "attempts";

/// The parts of a path as texts, without the table.
pub(super) fn parts(path: &str) -> Result<Vec<String>, Fault> {
    let parts: Option<Vec<String>> = path.split('/').skip(1).map(path::text).collect();
    let wrong = || Fault::Content(format!("`{path}` is no key of a row"));
    let parts = parts.ok_or_else(wrong)?;
    let table = of(path).ok_or_else(wrong)?;
    if parts.len() == table.parts() { Ok(parts) } else { Err(wrong()) }
}

/// The key of the row of a path.
pub(super) fn key(table: &Table, path: &str) -> Result<String, Fault> {
    let parts = parts(path)?;
    Ok(match (object(table.name, &parts), &*parts) {
        (Some((Kind::Pod, key)), [node, ..]) => {
            wire::pod(Some(&**node).filter(|node| !node.is_empty()), &key)
        }
        (Some((kind, key)), _) => wire::object(kind, &key),
        (None, [namespace, name, node]) if table.name == ATTEMPTS => {
            wire::attempts(&ObjectKey::new(&**namespace, &**name), node)
        }
        (None, _) => wire::row(path),
    })
}

/// The path of a number of attempts.
pub(super) fn attempts(daemonset: &ObjectKey, node: &str) -> String {
    let part = path::part;
    format!("{ATTEMPTS}/{}/{}/{}", part(&daemonset.namespace), part(&daemonset.name), part(node))
}

/// The object that a row is.
pub(super) fn object(table: &str, parts: &[String]) -> Option<(Kind, ObjectKey)> {
    let part = |at: usize| parts.get(at).map_or("", |part| part.as_str());
    Some(match table {
        "objects" => (tables::kind(part(0)).ok()?, ObjectKey::new(part(1), part(2))),
        "nodes" => (Kind::Node, ObjectKey::new("", part(0))),
        "daemonsets" => (Kind::DaemonSet, ObjectKey::new(part(0), part(1))),
        "controllerrevisions" => (Kind::ControllerRevision, ObjectKey::new(part(0), part(1))),
        "pods" => (Kind::Pod, ObjectKey::new(part(1), part(2))),
        _ => return None,
    })
}
