//! Pods in rows: there may be two million, so a row holds no more than is the pod's own.

use rusqlite::{CachedStatement, Connection, Row, params};

use super::columns::{self, SYSTEM, SYSTEM_COUNT};
use super::dictionary::{Reader, Writer};
use super::fault::Fault;
use crate::model::{Body, ObjectKey, Pod};

/// The pod's own columns, before the system's; `base` comes last.
const OWN: &str = "namespace, name, node, pinned, phase, ready, ready_since";
const OWN_COUNT: usize = 7;

/// How many columns [`columns`] are.
pub(super) const COUNT: usize = OWN_COUNT + SYSTEM_COUNT + 1;

/// All columns, in the order in which [`read`] takes them.
pub(super) fn columns() -> String {
    format!("{OWN}, {SYSTEM}, base")
}

/// A pod from a row of [`columns`].
pub(super) fn read(row: &Row<'_>, reader: &mut Reader<'_>) -> Result<Pod, Fault> {
    let key = ObjectKey {
        namespace: reader.names.name(columns::text(row, 0)?),
        name: columns::text(row, 1)?.into(),
    };
    let labels = reader.label_set(row.get(OWN_COUNT + SYSTEM_COUNT - 1)?)?;
    let base: Option<i64> = row.get(OWN_COUNT + SYSTEM_COUNT)?;
    Ok(Pod {
        node: columns::name(row, 2, reader)?,
        pinned: columns::name(row, 3, reader)?,
        phase: reader.names.name(columns::text(row, 4)?),
        ready: row.get(5)?,
        ready_since: row.get(6)?,
        meta: columns::meta_with(row, OWN_COUNT, key, labels, reader)?,
        body: match base {
            Some(id) => Body::Made(reader.pod_base(id)?),
            None => Body::Stored,
        },
    })
}

/// Writes and removes pods; sorted keys make it fast.
pub(super) struct PodWriter<'c> {
    upsert: CachedStatement<'c>,
    delete: CachedStatement<'c>,
    body: CachedStatement<'c>,
    bodiless: CachedStatement<'c>,
    /// Whether any pod in the store has a body of its own.
    bodies: bool,
}

impl<'c> PodWriter<'c> {
    pub(super) fn new(connection: &'c Connection) -> Result<Self, Fault> {
        let all = columns();
        let values = columns::marks(OWN_COUNT + SYSTEM_COUNT + 1);
        let update = columns::overwrite(&all);
        let upsert = format!(
            "INSERT INTO pods ({all}) VALUES ({values}) ON CONFLICT (namespace, name) DO UPDATE SET {update}"
        );
        Ok(PodWriter {
            upsert: connection.prepare_cached(&upsert)?,
            delete: connection.prepare_cached("DELETE FROM pods WHERE namespace = ?1 AND name = ?2")?,
            body: connection.prepare_cached(
                "INSERT INTO pod_bodies (namespace, name, body, status) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (namespace, name) DO UPDATE
                 SET body = excluded.body, status = coalesce(excluded.status, status)",
            )?,
            bodiless: connection
                .prepare_cached("DELETE FROM pod_bodies WHERE namespace = ?1 AND name = ?2")?,
            bodies: connection.query_row("SELECT EXISTS (SELECT 1 FROM pod_bodies)", [], |row| row.get(0))?,
        })
    }

    pub(super) fn delete(&mut self, key: &ObjectKey) -> Result<(), Fault> {
        self.delete.execute([&*key.namespace, &*key.name])?;
        Ok(())
    }

    pub(super) fn write(&mut self, pod: &Pod, writer: &mut Writer<'_>) -> Result<(), Fault> {
        let (namespace, name) = (&*pod.meta.key.namespace, &*pod.meta.key.name);
        let base = match &pod.body {
            Body::Made(base) => Some(writer.pod_base(base)?),
            Body::Written(_) | Body::Stored => None,
        };
        let upsert = &mut self.upsert;
        upsert.raw_bind_parameter(1, namespace)?;
        upsert.raw_bind_parameter(2, name)?;
        upsert.raw_bind_parameter(3, pod.node.as_deref())?;
        upsert.raw_bind_parameter(4, pod.pinned.as_deref())?;
        upsert.raw_bind_parameter(5, &*pod.phase)?;
        upsert.raw_bind_parameter(6, pod.ready)?;
        upsert.raw_bind_parameter(7, pod.ready_since)?;
        columns::bind_meta_but_labels(upsert, OWN_COUNT + 1, &pod.meta, writer)?;
        upsert.raw_bind_parameter(OWN_COUNT + SYSTEM_COUNT, writer.label_set(&pod.meta.labels)?)?;
        upsert.raw_bind_parameter(OWN_COUNT + SYSTEM_COUNT + 1, base)?;
        upsert.raw_execute()?;
        match &pod.body {
            Body::Written(value) => {
                let status = value.get("status").filter(|status| !status.is_null());
                self.body.execute(params![
                    namespace,
                    name,
                    value.to_string(),
                    status.map(ToString::to_string)
                ])?;
                self.bodies = true;
            }
            Body::Made(_) if self.bodies => {
                self.bodiless.execute([namespace, name])?;
            }
            Body::Made(_) | Body::Stored => {}
        }
        Ok(())
    }
}
