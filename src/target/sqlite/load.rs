//! Rows to a world: the whole cluster in memory, without the bodies of nodes and pods.
//!
//! Tables are read in key order, so the maps are built without a sort, and names,
//! label sets, owners and bases that are equal are one allocation.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rusqlite::{Connection, Row, Rows};
use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_json::Value;

use super::columns::{self, SYSTEM, SYSTEM_COUNT, json_column, text};
use super::dictionary::Reader;
use super::fault::Fault;
use super::store::Store;
use super::tables::{kind, table};
use super::{pods, refusals, sum};
use crate::diagnostic::Diagnostic;
use crate::kube::{DaemonSet, Details, Kind, Name, Node, ObjectKey, Plain, Revision, Status, Taint};
use crate::state::{Backoff, Cascade, Pods, SomeNodes, World};

impl Store {
    /// Reads the world. Inside [`begin`](Store::begin) it is what this writer changes;
    /// else it is one committed state.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn load(&self) -> Result<World, Diagnostic> {
        self.run("read the objects", |connection| {
            // One state for all tables, whatever another process commits meanwhile.
            let snapshot =
                if connection.is_autocommit() { Some(connection.unchecked_transaction()?) } else { None };
            let mut reader = Reader::new(connection)?;
            let rest = rest(connection, &mut reader)?;
            let world = World {
                nodes: nodes(connection, &mut reader)?,
                pods: pods(connection, &mut reader)?,
                backoff: backoff(connection, &mut reader)?,
                attempts: attempts(connection, &mut reader)?,
                incarnations: all(connection, "incarnations", INCARNATIONS, |row| {
                    incarnation(row, &mut reader)
                })?,
                refused: all(connection, "refusals", &refusals::all_sql(), |row| {
                    refusals::with_pod(row, &mut reader)
                })?,
                ..rest
            };
            *self.unused.borrow_mut() = reader.unused(connection)?;
            self.is_whole.set(true);
            drop(reader);
            drop(snapshot);
            Ok(world)
        })
    }
}

/// What a world has, whatever of its nodes and pods is asked for.
pub(super) fn rest(connection: &Connection, reader: &mut Reader<'_>) -> Result<World, Fault> {
    let version = resource_version(connection)?;
    let deleted = deleted_owners(connection)?;
    Ok(World {
        daemonsets: daemonsets(connection, reader)?,
        revisions: revisions(connection, reader)?,
        others: others(connection, reader, false)?,
        deleted_owners: deleted.into_iter().map(|uid| (uid, Cascade::Background)).collect(),
        resource_version: version,
        stored: version,
        ..World::default()
    })
}

impl Store {
    /// The last resourceVersion that was given, and SQLite's number of others' commits.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn moment(&self) -> Result<(u64, i64), Diagnostic> {
        self.run("read its version", |connection| {
            let commits = connection.query_row("PRAGMA data_version", [], |row| row.get(0))?;
            Ok((resource_version(connection)?, commits))
        })
    }

    /// Reads what nodes say beside what every world keeps, for rules that ask for it.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn load_details(&self, world: &mut World) -> Result<(), Diagnostic> {
        world.detailed = true;
        self.run("read the nodes", |connection| {
            let (mut found, some) = (0, some_nodes(world));
            let stored = world.nodes.values().filter(|node| node.meta.stored != 0).count();
            node_bodies(connection, some.as_deref(), |row| {
                found += 1;
                if let Some(node) = world.nodes.get_mut(&ObjectKey::new("", text(row, 0)?)) {
                    let value = |column| Ok::<_, Fault>(json_column(row, column)?.unwrap_or(Value::Null));
                    node.set_details(Details::new(&value(1)?["metadata"]["annotations"], &value(2)?));
                }
                Ok(())
            })?;
            // Each node has one.
            if some.is_some() {
                return sum::compare_counts("node_bodies", found, stored);
            }
            match sum::on_record(connection, table(Kind::Node), sum::ALL)? {
                Some(count) => sum::compare_counts("node_bodies", found, count),
                None => Ok(()),
            }
        })
    }
}

impl Store {
    /// Whether some node says what it has for pods. Asked of every store before it is known
    /// what of it is needed, so no more is read than it takes to find one.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn has_allocatable(&self) -> Result<bool, Diagnostic> {
        self.run("read the nodes", |connection| {
            let sql = format!("SELECT name, body, status, sum FROM node_bodies WHERE {SAYING}");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                sum::check(row, "node_bodies", 0, 3)?;
                let status = json_column(row, 2)?.unwrap_or(Value::Null);
                if !Details::new(&Value::Null, &status).allocatable.is_empty() {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }
}

/// The names of the nodes of a world that does not have all of them.
pub(super) fn some_nodes(world: &World) -> Option<Vec<Name>> {
    let is_part = world.part.as_ref().is_some_and(|part| part.nodes != SomeNodes::All);
    is_part.then(|| world.nodes.keys().map(|key| key.name.clone()).collect())
}

/// Shows the rows of the bodies of all nodes, or of some (name, body, status, sum), each
/// checked.
pub(super) fn node_bodies(
    connection: &Connection,
    some: Option<&[Name]>,
    mut each: impl FnMut(&Row<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut show = |rows: &mut Rows<'_>| -> Result<(), Fault> {
        while let Some(row) = rows.next()? {
            sum::check(row, "node_bodies", 0, 3)?;
            each(row)?;
        }
        Ok(())
    };
    let all = "SELECT name, body, status, sum FROM node_bodies";
    let Some(some) = some else { return show(&mut connection.prepare_cached(all)?.query([])?) };
    let mut one = connection.prepare_cached(&format!("{all} WHERE name = ?1"))?;
    some.iter().try_for_each(|name| show(&mut one.query([&**name])?))
}

/// That a status has one of the fields that say what a node has for pods; there is an index of
/// just these nodes.
pub(super) const SAYING: &str = r#"instr(status, '"allocatable"') > 0 OR instr(status, '"capacity"') > 0"#;

fn pods(connection: &Connection, reader: &mut Reader<'_>) -> Result<Pods, Fault> {
    let sql = format!("SELECT {}, sum FROM pods ORDER BY namespace, name", pods::columns());
    let mut statement = connection.prepare_cached(&sql)?;
    let (mut rows, mut all) = (statement.query([])?, Pods::default());
    while let Some(row) = rows.next()? {
        let pod = pods::read(row, reader)?;
        all.insert(pod.meta.key.clone(), pod);
    }
    sum::expect(connection, table(Kind::Pod), all.len())?;
    Ok(all)
}

/// Every row of `sql`, which is sorted by key, as a map: as many as were written into the
/// table.
fn all<K: Ord, V>(
    connection: &Connection,
    table: &'static str,
    sql: &str,
    mut read: impl FnMut(&Row<'_>) -> Result<(K, V), Fault>,
) -> Result<BTreeMap<K, V>, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(read(row)?);
    }
    let all: BTreeMap<K, V> = entries.into_iter().collect();
    sum::expect(connection, table, all.len())?;
    Ok(all)
}

/// The value of the `body` column.
pub(super) fn body(row: &Row<'_>, column: usize) -> Result<Arc<Value>, Fault> {
    Ok(Arc::new(serde_json::from_str(text(row, column)?)?))
}

/// The objects without a table of their own. The bodies of those that are not managed are
/// null, unless they are `whole`: nothing but rules looks at them.
pub(super) fn others(
    connection: &Connection,
    reader: &mut Reader<'_>,
    whole: bool,
) -> Result<BTreeMap<(Kind, ObjectKey), Plain>, Fault> {
    let sql = format!(
        "SELECT kind, namespace, name, {SYSTEM}, body, sum FROM objects ORDER BY kind, namespace, name"
    );
    all(connection, "objects", &sql, |row| {
        sum::check(row, "objects", 0, SYSTEM_COUNT + 4)?;
        let key =
            ObjectKey { namespace: reader.names.name(text(row, 1)?), name: reader.names.name(text(row, 2)?) };
        let meta = columns::meta(row, 3, key.clone(), reader)?;
        let kind = kind(text(row, 0)?)?;
        let value =
            if whole || !kind.is_other() { body(row, SYSTEM_COUNT + 3)? } else { Arc::new(Value::Null) };
        Ok(((kind, key), Plain { meta, value }))
    })
}

/// A taint as the `taints` column holds it.
#[derive(Deserialize)]
struct TaintColumn<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    value: Cow<'a, str>,
    #[serde(borrow)]
    effect: Cow<'a, str>,
    since: Option<i64>,
}

/// The columns of a node, as [`node`] takes them.
pub(super) const NODE: &str =
    "name, uid, resource_version, generation, created, deleting, written, written_spec,
    owner, labels, taints, unschedulable, ready, version, sum";

fn nodes(connection: &Connection, reader: &mut Reader<'_>) -> Result<BTreeMap<ObjectKey, Node>, Fault> {
    let sql = format!("SELECT {NODE} FROM nodes ORDER BY name");
    all(connection, table(Kind::Node), &sql, |row| node(row, reader))
}

pub(super) fn node(row: &Row<'_>, reader: &mut Reader<'_>) -> Result<(ObjectKey, Node), Fault> {
    sum::check(row, "nodes", 0, SYSTEM_COUNT + 5)?;
    let key = ObjectKey { namespace: reader.names.name(""), name: reader.names.name(text(row, 0)?) };
    let taints: Vec<TaintColumn<'_>> = serde_json::from_str(text(row, SYSTEM_COUNT + 1)?)?;
    let taint = |taint: &TaintColumn<'_>, reader: &mut Reader<'_>| Taint {
        key: reader.names.name(&taint.key),
        value: reader.names.name(&taint.value),
        effect: reader.names.name(&taint.effect),
        since: taint.since,
    };
    let node = Node {
        meta: columns::meta(row, 1, key.clone(), reader)?,
        taints: taints.iter().map(|t| taint(t, reader)).collect(),
        unschedulable: row.get(SYSTEM_COUNT + 2)?,
        ready: reader.names.name(text(row, SYSTEM_COUNT + 3)?),
        version: reader.names.name(text(row, SYSTEM_COUNT + 4)?),
        has_allocatable: false,
        details: None,
    };
    Ok((key, node))
}

fn namespaced(row: &Row<'_>, reader: &mut Reader<'_>) -> Result<ObjectKey, Fault> {
    Ok(ObjectKey { namespace: reader.names.name(text(row, 0)?), name: reader.names.name(text(row, 1)?) })
}

fn daemonsets(
    connection: &Connection,
    reader: &mut Reader<'_>,
) -> Result<BTreeMap<ObjectKey, DaemonSet>, Fault> {
    let sql = format!(
        "SELECT namespace, name, {SYSTEM}, status, body, sum FROM daemonsets ORDER BY namespace, name"
    );
    all(connection, table(Kind::DaemonSet), &sql, |row| {
        sum::check(row, "daemonsets", 0, SYSTEM_COUNT + 4)?;
        let key = namespaced(row, reader)?;
        let mut daemonset = DaemonSet::from_value(key.clone(), body(row, SYSTEM_COUNT + 3)?);
        daemonset.meta = columns::meta(row, 2, key.clone(), reader)?;
        daemonset.status = serde_json::from_str::<Status>(text(row, SYSTEM_COUNT + 2)?)?;
        Ok((key, daemonset))
    })
}

fn revisions(
    connection: &Connection,
    reader: &mut Reader<'_>,
) -> Result<BTreeMap<ObjectKey, Revision>, Fault> {
    let sql = format!(
        "SELECT namespace, name, {SYSTEM}, revision, body, sum FROM controllerrevisions ORDER BY namespace, name"
    );
    all(connection, table(Kind::ControllerRevision), &sql, |row| {
        sum::check(row, "controllerrevisions", 0, SYSTEM_COUNT + 4)?;
        let key = namespaced(row, reader)?;
        let mut revision = Revision::from_value(key.clone(), body(row, SYSTEM_COUNT + 3)?);
        revision.meta = columns::meta(row, 2, key.clone(), reader)?;
        revision.revision = row.get(SYSTEM_COUNT + 2)?;
        Ok((key, revision))
    })
}

fn backoff(
    connection: &Connection,
    reader: &mut Reader<'_>,
) -> Result<BTreeMap<(Name, Name), Backoff>, Fault> {
    let sql = format!("SELECT {BACKOFF} FROM backoff ORDER BY daemonset_uid, node");
    all(connection, "backoff", &sql, |row| back_off(row, reader))
}

/// The columns of a back-off, as [`back_off`] takes them.
pub(super) const BACKOFF: &str = "daemonset_uid, node, seconds, since, sum";

pub(super) fn back_off(row: &Row<'_>, reader: &mut Reader<'_>) -> Result<((Name, Name), Backoff), Fault> {
    sum::check(row, "backoff", 0, 4)?;
    let key = (reader.names.name(text(row, 0)?), reader.names.name(text(row, 1)?));
    Ok((key, Backoff { seconds: row.get(2)?, since: row.get(3)? }))
}

fn attempts(
    connection: &Connection,
    reader: &mut Reader<'_>,
) -> Result<FxHashMap<(ObjectKey, Name), u32>, Fault> {
    let sql = format!("SELECT {ATTEMPTS} FROM attempts ORDER BY namespace");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([])?;
    let mut read = FxHashMap::default();
    while let Some(row) = rows.next()? {
        let (key, attempts) = attempt(row, reader)?;
        read.insert(key, attempts);
    }
    sum::expect(connection, "attempts", read.len())?;
    Ok(read)
}

/// The columns of a counter of attempts, as [`attempt`] takes them.
pub(super) const ATTEMPTS: &str = "namespace, daemonset, node, attempts, sum";

pub(super) fn attempt(row: &Row<'_>, reader: &mut Reader<'_>) -> Result<((ObjectKey, Name), u32), Fault> {
    sum::check(row, "attempts", 0, 4)?;
    let node = reader.names.name(text(row, 2)?);
    Ok(((namespaced(row, reader)?, node), row.get(3)?))
}

/// What asks for all counters of incarnations, as [`incarnation`] takes them.
pub(super) const INCARNATIONS: &str =
    "SELECT kind, namespace, name, made, sum FROM incarnations ORDER BY kind, namespace, name";

pub(super) fn incarnation(row: &Row<'_>, reader: &mut Reader<'_>) -> Result<((Kind, ObjectKey), u32), Fault> {
    sum::check(row, "incarnations", 0, 4)?;
    let key =
        ObjectKey { namespace: reader.names.name(text(row, 1)?), name: reader.names.name(text(row, 2)?) };
    Ok(((kind(text(row, 0)?)?, key), row.get(3)?))
}

pub(super) fn deleted_owners(connection: &Connection) -> Result<BTreeSet<Name>, Fault> {
    let mut statement = connection.prepare_cached("SELECT uid, sum FROM deleted_owners")?;
    let mut rows = statement.query([])?;
    let mut uids = BTreeSet::new();
    while let Some(row) = rows.next()? {
        sum::check(row, "deleted_owners", 0, 1)?;
        uids.insert(Name::from(text(row, 0)?));
    }
    sum::expect(connection, "deleted_owners", uids.len())?;
    Ok(uids)
}

fn resource_version(connection: &Connection) -> Result<u64, Fault> {
    // All of them, as one with another name now is not found by its name.
    let mut statement = connection.prepare_cached("SELECT name, value, sum FROM meta")?;
    let mut rows = statement.query([])?;
    let mut version = 0;
    while let Some(row) = rows.next()? {
        sum::check(row, "meta", 0, 2)?;
        if text(row, 0)? == "resource_version" {
            version = columns::unsigned(row.get(1)?);
        }
    }
    Ok(version)
}
