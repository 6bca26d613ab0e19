//! A world's changes to rows: just what `world.dirty` names, in key order.
//!
//! A key that is dirty and no longer in the world is deleted. An object that was removed
//! and made again takes nothing over from its row.

use rusqlite::{CachedStatement, Connection, params};
use serde_json::{Value, json};

use super::columns::{self, SYSTEM, SYSTEM_COUNT};
use super::dictionary::Writer;
use super::fault::Fault;
use super::load::deleted_owners;
use super::pods::PodWriter;
use super::store::Store;
use super::tables::{keys, table};
use super::{events, sum};
use crate::diagnostic::Diagnostic;
use crate::kube::{Body, Kind, Meta, Node, ObjectKey, Plain};
use crate::state::{Dirty, World};

impl Store {
    /// Writes what is dirty, and then nothing is. Bodies of pods are in the store
    /// afterwards, and no longer in memory.
    ///
    /// # Errors
    /// When it cannot be written; the whole transaction is rolled back then, and the
    /// world must be loaded again.
    pub fn save(&mut self, world: &mut World) -> Result<(), Diagnostic> {
        let (unused, whole) = (self.unused.take(), self.whole.get());
        self.write("write the objects", |connection| {
            unused.drop(connection)?;
            objects(connection, world)?;
            counters(connection, world)?;
            sum::record(connection, whole.then_some(&*world))?;
            events::record(connection, &world.dirty.events)
        })?;
        let dirty = std::mem::take(&mut world.dirty);
        for (kind, key) in &dirty.objects {
            if *kind == Kind::Pod
                && let Some(pod) = world.pods.get_mut(key)
                && matches!(pod.body, Body::Written(_))
            {
                pod.body = Body::Stored;
            }
        }
        Ok(())
    }
}

fn objects(connection: &Connection, world: &World) -> Result<(), Fault> {
    let mut writer = Writer::new(connection);
    let mut pods = PodWriter::new(connection)?;
    for object in &world.dirty.objects {
        let (kind, key) = object;
        if world.dirty.removed.contains(object) && world.meta(*kind, key).is_some() {
            delete(connection, *kind, key)?;
        }
        let written = match kind {
            Kind::Node => match world.nodes.get(key) {
                Some(found) => node(connection, found, &world.dirty, &mut writer)?,
                None => false,
            },
            Kind::DaemonSet => daemonset(connection, world, key, &mut writer)?,
            Kind::ControllerRevision => revision(connection, world, key, &mut writer)?,
            Kind::Pod => match world.pods.get(key) {
                Some(pod) => pods.write(pod, &mut writer).map(|()| true)?,
                None => pods.delete(key).map(|()| true)?,
            },
            _ => match world.others.get(object) {
                Some(found) => plain(connection, *kind, found, &mut writer).map(|()| true)?,
                None => false,
            },
        };
        if !written {
            delete(connection, *kind, key)?;
        }
    }
    Ok(())
}

fn delete(connection: &Connection, kind: Kind, key: &ObjectKey) -> Result<(), Fault> {
    let keys = keys(kind, key);
    let is: Vec<String> = keys.iter().zip(1..).map(|((name, _), at)| format!("{name} = ?{at}")).collect();
    let sql = format!("DELETE FROM {} WHERE {}", table(kind), is.join(" AND "));
    connection
        .prepare_cached(&sql)?
        .execute(rusqlite::params_from_iter(keys.iter().map(|(_, value)| value)))?;
    Ok(())
}

/// An upsert of key columns, the system's columns and `more`, with key and metadata bound.
fn upsert<'c>(
    connection: &'c Connection,
    kind: Kind,
    meta: &Meta,
    more: &str,
    writer: &mut Writer<'_>,
) -> Result<(CachedStatement<'c>, usize), Fault> {
    let (table, keys) = (table(kind), keys(kind, &meta.key));
    let key = keys.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let rest = format!("{SYSTEM}, {more}");
    let marks = columns::marks(keys.len() + rest.split(',').count());
    let update = columns::overwrite(&rest);
    let mut statement = connection.prepare_cached(&format!(
        "INSERT INTO {table} ({key}, {rest}, sum) VALUES ({marks}, row_sum({marks}))
         ON CONFLICT ({key}) DO UPDATE SET {update}, sum = excluded.sum"
    ))?;
    for ((_, value), at) in keys.iter().zip(1..) {
        statement.raw_bind_parameter(at, value)?;
    }
    columns::bind_meta(&mut statement, keys.len() + 1, meta, writer)?;
    Ok((statement, keys.len() + SYSTEM_COUNT + 1))
}

fn plain(connection: &Connection, kind: Kind, object: &Plain, writer: &mut Writer<'_>) -> Result<(), Fault> {
    let (mut row, at) = upsert(connection, kind, &object.meta, "body", writer)?;
    row.raw_bind_parameter(at, object.value.to_string())?;
    row.raw_execute()?;
    Ok(())
}

fn daemonset(
    connection: &Connection,
    world: &World,
    key: &ObjectKey,
    writer: &mut Writer<'_>,
) -> Result<bool, Fault> {
    let Some(found) = world.daemonsets.get(key) else { return Ok(false) };
    let (mut row, at) = upsert(connection, Kind::DaemonSet, &found.meta, "status, body", writer)?;
    row.raw_bind_parameter(at, serde_json::to_string(&found.status)?)?;
    row.raw_bind_parameter(at + 1, found.value.to_string())?;
    row.raw_execute()?;
    Ok(true)
}

fn revision(
    connection: &Connection,
    world: &World,
    key: &ObjectKey,
    writer: &mut Writer<'_>,
) -> Result<bool, Fault> {
    let Some(found) = world.revisions.get(key) else { return Ok(false) };
    let (mut row, at) = upsert(connection, Kind::ControllerRevision, &found.meta, "revision, body", writer)?;
    row.raw_bind_parameter(at, found.revision)?;
    row.raw_bind_parameter(at + 1, found.value.to_string())?;
    row.raw_execute()?;
    Ok(true)
}

fn node(connection: &Connection, node: &Node, dirty: &Dirty, writer: &mut Writer<'_>) -> Result<bool, Fault> {
    let name = &*node.meta.key.name;
    let body = dirty.bodies.get(&(Kind::Node, node.meta.key.clone()));
    let more = "taints, unschedulable, ready, version";
    let (mut row, at) = upsert(connection, Kind::Node, &node.meta, more, writer)?;
    let taints: Vec<Value> = node
        .taints
        .iter()
        .map(|t| json!({ "key": &*t.key, "value": &*t.value, "effect": &*t.effect }))
        .collect();
    row.raw_bind_parameter(at, serde_json::to_string(&taints)?)?;
    row.raw_bind_parameter(at + 1, node.unschedulable)?;
    row.raw_bind_parameter(at + 2, &*node.ready)?;
    row.raw_bind_parameter(at + 3, &*node.version)?;
    row.raw_execute()?;
    if let Some(body) = body {
        let sql = "INSERT INTO node_bodies (name, body, status, sum) VALUES (?1, ?2, ?3, row_sum(?1, ?2, ?3))
            ON CONFLICT (name) DO UPDATE SET body = excluded.body, status = coalesce(excluded.status, status),
            sum = row_sum(name, excluded.body, coalesce(excluded.status, status))";
        let status = body.get("status").filter(|status| !status.is_null()).map(ToString::to_string);
        connection.prepare_cached(sql)?.execute(params![name, body.to_string(), status])?;
    }
    Ok(true)
}

/// Back-off, attempts, incarnations, deleted owners and the last resourceVersion.
fn counters(connection: &Connection, world: &World) -> Result<(), Fault> {
    let dirty = &world.dirty;
    let mut write = connection
        .prepare_cached("INSERT OR REPLACE INTO backoff VALUES (?1, ?2, ?3, ?4, row_sum(?1, ?2, ?3, ?4))")?;
    let mut forget =
        connection.prepare_cached("DELETE FROM backoff WHERE daemonset_uid = ?1 AND node = ?2")?;
    for entry in &dirty.backoff {
        let (uid, node) = (&*entry.0, &*entry.1);
        match world.backoff.get(entry) {
            Some(backoff) => write.execute(params![uid, node, backoff.seconds, backoff.since])?,
            None => forget.execute([uid, node])?,
        };
    }
    let mut write = connection
        .prepare_cached("INSERT OR REPLACE INTO attempts VALUES (?1, ?2, ?3, ?4, row_sum(?1, ?2, ?3, ?4))")?;
    let mut forget = connection
        .prepare_cached("DELETE FROM attempts WHERE namespace = ?1 AND daemonset = ?2 AND node = ?3")?;
    for entry in &dirty.attempts {
        let (namespace, name, node) = (&*entry.0.namespace, &*entry.0.name, &*entry.1);
        match world.attempts.get(entry) {
            Some(attempts) => write.execute(params![namespace, name, node, attempts])?,
            None => forget.execute([namespace, name, node])?,
        };
    }
    let mut write = connection.prepare_cached(
        "INSERT OR REPLACE INTO incarnations VALUES (?1, ?2, ?3, ?4, row_sum(?1, ?2, ?3, ?4))",
    )?;
    let mut forget = connection
        .prepare_cached("DELETE FROM incarnations WHERE kind = ?1 AND namespace = ?2 AND name = ?3")?;
    for entry in &dirty.incarnations {
        let (kind, namespace, name) = (entry.0.name(), &*entry.1.namespace, &*entry.1.name);
        match world.incarnations.get(entry) {
            Some(made) => write.execute(params![kind, namespace, name, made])?,
            None => forget.execute([kind, namespace, name])?,
        };
    }
    let before = deleted_owners(connection)?;
    let mut write = connection.prepare_cached("INSERT INTO deleted_owners VALUES (?1, row_sum(?1))")?;
    for uid in world.deleted_owners.difference(&before) {
        write.execute([&**uid])?;
    }
    let mut forget = connection.prepare_cached("DELETE FROM deleted_owners WHERE uid = ?1")?;
    for uid in before.difference(&world.deleted_owners) {
        forget.execute([&**uid])?;
    }
    let sql = "INSERT INTO meta (name, value, sum)
        VALUES ('resource_version', ?1, row_sum('resource_version', ?1)) ON CONFLICT (name)
        DO UPDATE SET value = excluded.value, sum = excluded.sum WHERE value <> excluded.value";
    connection.prepare_cached(sql)?.execute([columns::signed(world.resource_version)])?;
    Ok(())
}
