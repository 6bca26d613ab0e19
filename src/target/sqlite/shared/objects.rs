//! Objects that others wrote, as rows: some at once, each as it was written last.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

use super::taken::{Taken, damaged};
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, Object, ObjectKey, Origin, Pod, Written};
use crate::state::{Whole, World};
use crate::target::contract::Target;
use crate::target::etcd::wire;
use crate::target::object::Item;
use crate::target::sqlite::columns::unsigned;
use crate::target::sqlite::fault::Fault;
use crate::target::sqlite::store::Store;
use crate::target::sqlite::{sum, tables};
use crate::target::write::{Version, Write};

/// Objects that are to be taken in.
#[derive(Default)]
pub(super) struct Objects(BTreeMap<(Kind, ObjectKey), Pending>);

/// One of them.
#[derive(Default)]
struct Pending {
    /// The version of its row, where there is one.
    had: Option<i64>,
    /// The uid that a daemonset had.
    uid: Option<String>,
    /// The key that it stands at: a pod may come to another node.
    at: Option<String>,
    /// What it is now, where that is new.
    now: Option<(Value, Written)>,
    /// The revision of what it is.
    revision: i64,
    changed: bool,
}

impl Objects {
    /// Takes one in; says whether that is new.
    pub(super) fn take(
        &mut self,
        store: &Store,
        (kind, key): (Kind, ObjectKey),
        taken: &Taken,
    ) -> Result<bool, Fault> {
        use std::collections::btree_map::Entry;
        let pending = match self.0.entry((kind, key)) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let (kind, key) = entry.key();
                let pending = Pending::of(&store.connection, *kind, key)?;
                entry.insert(pending)
            }
        };
        match &taken.value {
            Some(value) if taken.revision > pending.revision => {
                let now =
                    wire::decode(value).map_err(|why| Fault::Told(Box::new(damaged(&taken.key, &why))))?;
                (pending.now, pending.at) = (Some(now), Some(taken.key.clone()));
                pending.revision = taken.revision;
            }
            // What went from a place may have come to another one with the same revision.
            None if taken.revision > pending.revision && pending.at.as_ref() == Some(&taken.key) => {
                (pending.now, pending.at) = (None, None);
            }
            _ => return Ok(false),
        }
        pending.changed = true;
        Ok(true)
    }

    /// Writes them.
    pub(super) fn write(self, store: &mut Store) -> Result<(), Diagnostic> {
        let mut all = self.0;
        all.retain(|_, pending| pending.changed);
        let mut world = World { whole: Whole::ALL, detailed: true, ..World::default() };
        for ((kind, key), pending) in &mut all {
            if let Some(now) = pending.now.take() {
                see(&mut world, *kind, key, now, unsigned(pending.revision));
            }
        }
        let mut batch = Vec::with_capacity(all.len());
        for ((kind, key), pending) in &all {
            let item = pending.at.as_ref().and_then(|_| Item::of(&world, *kind, key));
            let had = pending.had.map(|had| Version::number(unsigned(had)));
            match (had, item) {
                // A status that is not said stays as it was, unless the row is a new one.
                (Some(had), Some(item)) if is_silent(&world, &item) => {
                    batch.extend([Write::Delete(*kind, key, had), Write::Create(item)]);
                }
                (Some(had), Some(item)) => batch.push(Write::Replace(item, had)),
                (None, Some(item)) => batch.push(Write::Create(item)),
                (Some(had), None) => batch.push(Write::Delete(*kind, key, had)),
                (None, None) => {}
            }
        }
        Target::write(store, &batch).map_err(Diagnostic::from)?;
        let gone = all.iter().filter_map(|((kind, key), pending)| {
            let before = pending.uid.as_ref()?;
            let now = (*kind == Kind::DaemonSet).then(|| world.daemonsets.get(key)).flatten();
            now.is_none_or(|now| now.meta.uid != **before).then_some(before)
        });
        let gone: Vec<&String> = gone.collect();
        store.write("take in what others wrote", |connection| leave(connection, &gone))
    }
}

impl Pending {
    /// What the store has.
    fn of(connection: &Connection, kind: Kind, key: &ObjectKey) -> Result<Self, Fault> {
        let keys = tables::keys(kind, key);
        let (table, is) = (tables::table(kind), tables::is(&keys));
        let target = if kind == Kind::Pod { "coalesce(node, pinned)" } else { "NULL" };
        let sql = format!("SELECT resource_version, uid, {target} FROM {table} WHERE {is}");
        let values = rusqlite::params_from_iter(keys.iter().map(|(_, value)| value));
        let read = |row: &rusqlite::Row<'_>| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<String>>(2)?))
        };
        let found = connection.prepare_cached(&sql)?.query_row(values, read).optional()?;
        let Some((version, uid, target)) = found else { return Ok(Pending::default()) };
        let at = if kind == Kind::Pod { wire::pod(target.as_deref(), key) } else { wire::object(kind, key) };
        let uid = (kind == Kind::DaemonSet).then_some(uid);
        Ok(Pending { had: Some(version), uid, at: Some(at), revision: version, ..Pending::default() })
    }
}

/// Takes an object into a world, as it is.
fn see(world: &mut World, kind: Kind, key: &ObjectKey, (value, written): (Value, Written), version: u64) {
    if kind == Kind::Pod {
        world.see_pod(Pod::from_value(key.clone(), Arc::new(value)));
    } else {
        let origin = Origin { file: "the store".into(), document: 0, path: String::new() };
        world.see(Object { kind, key: key.clone(), value, origin }, 0);
    }
    if let Some(meta) = world.meta_mut(kind, key) {
        (meta.resource_version, meta.stored) = (version, version);
        if meta.written != written {
            meta.written = written;
        }
    }
}

/// Whether it says nothing of a status that stands beside its row.
fn is_silent(world: &World, item: &Item<'_>) -> bool {
    match item {
        Item::Pod(pod) => pod.whole().is_none_or(|value| value.get("status").is_none_or(Value::is_null)),
        Item::Node(node, _) => {
            let body = world.dirty.bodies.get(&(Kind::Node, node.meta.key.clone()));
            body.is_none_or(|body| body.status().is_none())
        }
        _ => false,
    }
}

/// What is left of daemonsets that others deleted is nobody's: whoever plans next has it go.
fn leave(connection: &Connection, uids: &[&String]) -> Result<(), Fault> {
    let mut more = 0;
    for uid in uids {
        let sql = "INSERT OR IGNORE INTO deleted_owners SELECT ?1, row_sum(?1)
            WHERE EXISTS (SELECT 1 FROM owners o JOIN pods p ON p.owner = o.id WHERE o.uid = ?1)";
        more += connection.prepare_cached(sql)?.execute(params![uid])?;
    }
    sum::more(connection, "deleted_owners", isize::try_from(more).unwrap_or(0))
}
