//! Whole objects, as `kubectl get -o json` shows them, one at a time.
//!
//! Two million of them do not fit into memory, so a listing is a visit.

use std::collections::BTreeMap;

use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, Row};
use serde_json::{Value, json};

use super::columns::{self, SYSTEM, SYSTEM_COUNT, json_column, text};
use super::dictionary::Reader;
use super::fault::Fault;
use super::store::Store;
use super::tables::{keys, kind, table};
use super::{pods, refusals, sum};
use crate::diagnostic::Diagnostic;
use crate::kube::whole::{bind, complete, compute, field, give_status};
use crate::kube::{Body, Kind, Name, ObjectKey};

impl Store {
    /// One whole object: the user's fields and what the system says of it.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn object(&self, kind: Kind, key: &ObjectKey) -> Result<Option<Value>, Diagnostic> {
        if self.empty_kinds.borrow().contains(&kind) {
            return Ok(None);
        }
        let mut found = None;
        self.run("read an object", |connection| {
            each(connection, kind, Which::One(key), &mut |_, value| {
                found = Some(value);
                Ok(())
            })
        })?;
        if found.is_none() {
            self.surely_none(kind)?;
        }
        Ok(found)
    }

    /// Visits all objects of a kind in key order, or those of one namespace. A failure
    /// of the visitor ends the visit.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read, and what the visitor fails with.
    pub fn objects(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        visit: &mut dyn FnMut(ObjectKey, Value) -> Result<(), Diagnostic>,
    ) -> Result<(), Diagnostic> {
        let which = namespace.filter(|_| kind.namespaced()).map_or(Which::All, Which::Of);
        self.run("read the objects", |connection| each(connection, kind, which, visit))
    }

    /// The kinds of the objects that share a table.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn kinds(&self) -> Result<Vec<Kind>, Diagnostic> {
        self.run("read the objects", |connection| {
            let mut statement =
                connection.prepare_cached("SELECT DISTINCT kind FROM objects ORDER BY kind")?;
            let mut rows = statement.query([])?;
            let mut kinds = Vec::new();
            while let Some(row) = rows.next()? {
                kinds.push(kind(text(row, 0)?)?);
            }
            Ok(kinds)
        })
    }

    /// The keys of all objects of a kind, in order; their rows are checked.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn keys(&self, kind: Kind) -> Result<Vec<ObjectKey>, Diagnostic> {
        let mut found = Vec::new();
        self.run("read the objects", |connection| {
            each(connection, kind, Which::Keys, &mut |key, _| {
                found.push(key);
                Ok(())
            })
        })?;
        self.whole_kinds.borrow_mut().insert(kind);
        Ok(found)
    }

    /// An object was not found: there is none, unless the row of one is damaged. A key
    /// that a disk has changed leads nowhere, so all rows of the kind are looked at; once,
    /// as a manifest of new objects asks for each of them.
    fn surely_none(&self, kind: Kind) -> Result<(), Diagnostic> {
        if self.whole_kinds.borrow().contains(&kind) {
            return Ok(());
        }
        let mut is_empty = false;
        self.run("read the objects", |connection| {
            each(connection, kind, Which::None, &mut |_, _| Ok(()))?;
            let any = format!("SELECT EXISTS (SELECT 1 FROM {})", table(kind));
            is_empty = !connection.query_row(&any, [], |row| row.get::<_, bool>(0))?;
            Ok(())
        })?;
        if is_empty && self.is_only_writer() {
            self.empty_kinds.borrow_mut().insert(kind);
        }
        self.whole_kinds.borrow_mut().insert(kind);
        Ok(())
    }
}

/// Which objects of a kind.
#[derive(Clone, Copy)]
pub(super) enum Which<'k> {
    All,
    /// Those of a namespace. All rows are read: its name may be what is damaged.
    Of(&'k str),
    One(&'k ObjectKey),
    /// Their rows are checked, and their keys alone are shown.
    Keys,
    /// Their rows are checked, and that is all.
    None,
}

/// What asks for whole pods under a condition, in key order, as [`pod`] takes them.
pub(super) fn pods_sql(condition: &str) -> String {
    format!(
        "SELECT {}, t.sum, {POD_BODY}, {} FROM {POD_PARTS} {condition} ORDER BY t.namespace, t.name",
        pods::columns(),
        refusals::COLUMNS
    )
}

/// A row that does not come behind the one before.
pub(super) fn out_of_order(table: &str, key: &ObjectKey) -> Fault {
    Fault::Damaged(format!("the row `{key}` of the table `{table}` is out of order"))
}

/// The columns of a pod's body, with their sum.
const POD_BODY: &str = "b.namespace, b.name, b.body, b.status, b.sum";

const POD_BODY_COUNT: usize = 5;

/// Where those of a pod are, beside what it is refused for.
const POD_PARTS: &str = "pods t LEFT JOIN pod_bodies b USING (namespace, name)
    LEFT JOIN refusals r USING (namespace, name)";

/// Reads pods one by one, in any order, without reading shared bodies again.
pub struct PodReader<'s> {
    store: &'s Store,
    reader: Reader<'s>,
    statement: CachedStatement<'s>,
}

impl Store {
    /// A reader of single pods.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn pod_reader(&self) -> Result<PodReader<'_>, Diagnostic> {
        let sql = pods_sql("WHERE t.namespace = ?1 AND t.name = ?2");
        let prepare = |fault: Fault| self.tell(fault, "read the pods");
        Ok(PodReader {
            store: self,
            reader: Reader::new(&self.connection).map_err(prepare)?,
            statement: self.connection.prepare_cached(&sql).map_err(|error| prepare(error.into()))?,
        })
    }

    /// The pods that are bound to a node and not being deleted, by node; only
    /// those whose controlling owner is of the kind `owner`, and those without one.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn bound_pods(&self, owner: &str) -> Result<BTreeMap<Name, Vec<ObjectKey>>, Diagnostic> {
        self.run("read the pods", |connection| {
            let sql = format!("SELECT {}, sum FROM pods ORDER BY namespace, name", pods::columns());
            let mut reader = Reader::new(connection)?;
            let mut bound: BTreeMap<Name, Vec<ObjectKey>> = BTreeMap::new();
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query([])?;
            let mut found = 0;
            while let Some(row) = rows.next()? {
                let pod = pods::read(row, &mut reader)?;
                found += 1;
                if let Some(node) = pod.node.filter(|_| pod.meta.deleting.is_none())
                    && pod.meta.controller.as_ref().is_none_or(|controller| &*controller.kind == owner)
                {
                    bound.entry(node).or_default().push(pod.meta.key);
                }
            }
            sum::expect(connection, table(Kind::Pod), found)?;
            Ok(bound)
        })
    }
}

impl PodReader<'_> {
    /// One whole pod; `None` when there is none.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn read(&mut self, key: &ObjectKey) -> Result<Option<Value>, Diagnostic> {
        let PodReader { store, reader, statement } = self;
        let mut read = || -> Result<Option<Value>, Fault> {
            let mut rows = statement.query([&*key.namespace, &*key.name])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            Ok(Some(pod(row, reader)?.1))
        };
        let found = read().map_err(|fault| store.tell(fault, "read a pod"))?;
        if found.is_none() {
            store.surely_none(Kind::Pod)?;
        }
        Ok(found)
    }
}

pub(super) fn each(
    connection: &Connection,
    kind: Kind,
    which: Which<'_>,
    visit: &mut dyn FnMut(ObjectKey, Value) -> Result<(), Diagnostic>,
) -> Result<(), Fault> {
    let table = table(kind);
    let none = ObjectKey::default();
    let (one, key) = if let Which::One(key) = which { (true, key) } else { (false, &none) };
    let key = keys(kind, key);
    let is: Vec<String> = key.iter().zip(1..).map(|((name, _), at)| format!("t.{name} = ?{at}")).collect();
    let filter = if one { format!("WHERE {}", is.join(" AND ")) } else { String::new() };
    let values: Vec<&str> = key.iter().filter(|_| one).map(|(_, value)| *value).collect();
    let keys = key.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let order = key.iter().map(|(name, _)| format!("t.{name}")).collect::<Vec<_>>().join(", ");
    let more = match kind {
        Kind::Node => "taints, unschedulable, ready, version, t.sum, b.name, b.body, b.status, b.sum",
        Kind::DaemonSet => "status, body, sum",
        Kind::ControllerRevision => "revision, body, sum",
        Kind::Pod => "",
        _ => "body, sum",
    };
    let sql = match kind {
        Kind::Node => format!(
            "SELECT {keys}, {SYSTEM}, {more}
             FROM nodes t LEFT JOIN node_bodies b USING (name) {filter} ORDER BY {order}"
        ),
        Kind::Pod => pods_sql(&filter),
        _ => format!("SELECT {keys}, {SYSTEM}, {more} FROM {table} t {filter} ORDER BY {order}"),
    };
    let mut reader = Reader::new(connection)?;
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(values))?;
    let mut found = 0;
    let mut last: Option<ObjectKey> = None;
    while let Some(row) = rows.next()? {
        found += 1;
        // Where kinds share a table, the kind is the first column. All rows are read, as what
        // is damaged may be the kind.
        let shared = key.len() > 2;
        let is_wanted = match which {
            _ if shared && text(row, 0)? != kind.name() => false,
            Which::Of(namespace) => text(row, usize::from(shared))? == namespace,
            Which::All | Which::One(_) => true,
            Which::Keys | Which::None => false,
        };
        if !is_wanted {
            sum::check(row, table, 0, columns_of(kind))?;
            if matches!(which, Which::Keys) && (!shared || text(row, 0)? == kind.name()) {
                visit(key_of(kind, row)?, Value::Null).map_err(|told| Fault::Told(Box::new(told)))?;
            }
            continue;
        }
        let (key, value) = match kind {
            Kind::Pod => pod(row, &mut reader)?,
            _ => other(kind, row, &mut reader)?,
        };
        // An index that leads to one row twice hides another one.
        if last.as_ref().is_some_and(|last| *last >= key) {
            return Err(out_of_order(table, &key));
        }
        last = Some(key.clone());
        visit(key, value).map_err(|told| Fault::Told(Box::new(told)))?;
    }
    if matches!(which, Which::One(_)) { Ok(()) } else { sum::expect(connection, table, found) }
}

/// How many columns the table of a kind has, before the sum.
fn columns_of(kind: Kind) -> usize {
    match kind {
        Kind::Node => 1 + SYSTEM_COUNT + 4,
        Kind::DaemonSet | Kind::ControllerRevision => 2 + SYSTEM_COUNT + 2,
        Kind::Pod => pods::COUNT,
        _ => 3 + SYSTEM_COUNT + 1,
    }
}

fn key_of(kind: Kind, row: &Row<'_>) -> Result<ObjectKey, Fault> {
    Ok(match table(kind) {
        "objects" => ObjectKey::new(text(row, 1)?, text(row, 2)?),
        _ if kind.namespaced() => ObjectKey::new(text(row, 0)?, text(row, 1)?),
        _ => ObjectKey::new("", text(row, 0)?),
    })
}

fn other(kind: Kind, row: &Row<'_>, reader: &mut Reader<'_>) -> Result<(ObjectKey, Value), Fault> {
    let key = key_of(kind, row)?;
    let at = keys(kind, &key).len();
    let own = at + SYSTEM_COUNT;
    // The columns of the body, and of what else is told of such an object.
    let (body, last) = match kind {
        Kind::Node => {
            sum::check(row, "nodes", 0, columns_of(kind))?;
            let body = own + 5;
            if row.get_ref(body)? == ValueRef::Null {
                return Err(sum::missing("node_bodies", &key.name));
            }
            sum::check(row, "node_bodies", body, 3)?;
            (body + 1, body + 2)
        }
        Kind::DaemonSet | Kind::ControllerRevision => {
            sum::check(row, table(kind), 0, columns_of(kind))?;
            (own + 1, own)
        }
        _ => {
            sum::check(row, table(kind), 0, columns_of(kind))?;
            (own, own)
        }
    };
    let meta = columns::meta(row, at, key.clone(), reader)?;
    let mut value = json_column(row, body)?.unwrap_or_else(|| json!({}));
    match kind {
        Kind::Node => {
            if let Some(status) = json_column(row, last)? {
                field(&mut value, "status", status);
            }
        }
        Kind::DaemonSet => {
            compute(&mut value, &json_column(row, last)?.unwrap_or_default());
        }
        Kind::ControllerRevision => field(&mut value, "revision", json!(row.get::<_, i64>(last)?)),
        _ => {
            give_status(kind, &mut value);
        }
    }
    complete(kind, &mut value, &meta);
    Ok((key, value))
}

pub(super) fn pod(row: &Row<'_>, reader: &mut Reader<'_>) -> Result<(ObjectKey, Value), Fault> {
    let pod = pods::read(row, reader)?;
    let key = pod.meta.key.clone();
    let mut value = match &pod.body {
        Body::Made(base) => pod.object(base),
        Body::Written(_) | Body::Stored | Body::Read(_) => {
            let at = pods::COUNT + 1;
            if row.get_ref(at)? == ValueRef::Null {
                return Err(sum::missing("pod_bodies", &key.to_string()));
            }
            sum::check(row, "pod_bodies", at, 4)?;
            let mut value = json_column(row, at + 2)?.unwrap_or_else(|| json!({}));
            if let Some(status) = json_column(row, at + 3)? {
                field(&mut value, "status", status);
            }
            bind(&mut value, &pod);
            value
        }
    };
    if let Some(refusal) = refusals::read(row, pods::COUNT + 1 + POD_BODY_COUNT, reader)? {
        refusal.tell(&mut value);
    }
    complete(Kind::Pod, &mut value, &pod.meta);
    Ok((key, value))
}
