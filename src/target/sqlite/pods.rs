//! Pods in rows: there may be two million, so a row holds no more than is the pod's own.

use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, Row, params};

use super::columns::{self, SYSTEM, SYSTEM_COUNT, unsigned};
use super::dictionary::{Names, Reader, Writer};
use super::fault::Fault;
use super::sum;
use super::tables::{insert_or_update, keys};
use crate::kube::{Body, Common, Kind, Meta, Name, ObjectKey, Pod, Stand, Written};

/// The pod's own columns, before the system's; `base` comes last.
const OWN: &str = "namespace, name, node, pinned, phase, ready, ready_since";
const OWN_COUNT: usize = 7;

/// Where in [`columns`] the node is; the one that a pod is meant for stands behind it.
pub(super) const NODE: usize = 2;

/// Where the owner is; the labels stand behind it.
pub(super) const OWNER: usize = OWN_COUNT + 7;

/// The node that a pod is on or else meant for, as an index has it ([`Pod::target`]).
pub(super) const TARGET: &str = "coalesce(node, pinned)";

/// A pod that an index led to, and that is not what was asked for.
pub(super) fn led_astray(pod: &ObjectKey) -> Fault {
    Fault::Damaged(format!("an index of the table `pods` leads to the wrong row, `{pod}`"))
}

/// How many columns [`columns`] are; the sum stands behind them.
pub(super) const COUNT: usize = OWN_COUNT + SYSTEM_COUNT + 1;

/// All columns, in the order in which [`read`] takes them.
pub(super) fn columns() -> String {
    format!("{OWN}, {SYSTEM}, base")
}

/// A pod from a row of [`columns`] and `sum`. Each value is asked for once: there are
/// millions.
pub(super) fn read(row: &Row<'_>, reader: &mut Reader<'_>) -> Result<Pod, Fault> {
    let values: [ValueRef<'_>; COUNT] = sum::checked(row, "pods")?;
    let text = |nth: usize| values[nth].as_str().map_err(rusqlite::Error::from);
    let number = |nth: usize| values[nth].as_i64().map_err(rusqlite::Error::from);
    let perhaps = |nth: usize| values[nth].as_i64_or_null().map_err(rusqlite::Error::from);
    let name = |nth: usize, names: &mut Names| -> Result<Option<Name>, Fault> {
        let text = values[nth].as_str_or_null().map_err(rusqlite::Error::from)?;
        Ok(text.map(|text| names.name(text)))
    };
    let at = OWN_COUNT;
    let version = unsigned(number(at + 1)?);
    let common = Common {
        generation: number(at + 2)?,
        created: number(at + 3)?,
        deleting: perhaps(at + 4)?,
        written: Written { object: unsigned(number(at + 5)?), spec: unsigned(number(at + 6)?) },
        controller: reader.owner(perhaps(at + 7)?)?,
        labels: reader.label_set(number(at + 8)?)?,
    };
    let stand = Stand {
        phase: reader.names.name(text(4)?),
        ready: number(5)? != 0,
        ready_since: perhaps(6)?,
        body: match perhaps(at + SYSTEM_COUNT)? {
            Some(id) => Body::Made(reader.pod_base(id)?),
            None => Body::Stored,
        },
    };
    let meta = Meta {
        key: ObjectKey { namespace: reader.names.name(text(0)?), name: text(1)?.into() },
        uid: text(at)?.into(),
        resource_version: version,
        stored: version,
        common: reader.alike.common(common),
    };
    Ok(Pod {
        node: name(2, &mut reader.names)?,
        pinned: name(3, &mut reader.names)?,
        stand: reader.alike.stand(stand),
        meta,
    })
}

/// Writes and removes pods; sorted keys make it fast.
pub(super) struct PodWriter<'c> {
    create: CachedStatement<'c>,
    replace: CachedStatement<'c>,
    delete: CachedStatement<'c>,
    body: CachedStatement<'c>,
    bodiless: CachedStatement<'c>,
    /// Whether any pod in the store has a body of its own.
    bodies: bool,
}

impl<'c> PodWriter<'c> {
    pub(super) fn new(connection: &'c Connection) -> Result<Self, Fault> {
        // No pod's key: only the names of its columns are asked for.
        let none = ObjectKey::default();
        let keys = keys(Kind::Pod, &none);
        let own: Vec<&str> = OWN.split(", ").skip(keys.len()).collect();
        let rest = format!("{}, {SYSTEM}, base", own.join(", "));
        let write = |replaces| insert_or_update("pods", &keys, &rest, replaces);
        let delete = "DELETE FROM pods WHERE namespace = ?1 AND name = ?2 AND resource_version = ?3";
        Ok(PodWriter {
            create: connection.prepare_cached(&write(false))?,
            replace: connection.prepare_cached(&write(true))?,
            delete: connection.prepare_cached(delete)?,
            body: connection.prepare_cached(
                "INSERT INTO pod_bodies (namespace, name, body, status, sum)
                 VALUES (?1, ?2, ?3, ?4, row_sum(?1, ?2, ?3, ?4)) ON CONFLICT (namespace, name) DO UPDATE
                 SET body = excluded.body, status = coalesce(excluded.status, status),
                 sum = row_sum(namespace, name, excluded.body, coalesce(excluded.status, status))",
            )?,
            bodiless: connection
                .prepare_cached("DELETE FROM pod_bodies WHERE namespace = ?1 AND name = ?2")?,
            bodies: connection.query_row("SELECT EXISTS (SELECT 1 FROM pod_bodies)", [], |row| row.get(0))?,
        })
    }

    /// Deletes a pod; false where it is not there in this version.
    pub(super) fn delete(&mut self, key: &ObjectKey, expected: i64) -> Result<bool, Fault> {
        Ok(self.delete.execute(params![&*key.namespace, &*key.name, expected])? == 1)
    }

    /// Writes a pod; false where it is not there in the version `expected`.
    pub(super) fn write(
        &mut self,
        pod: &Pod,
        expected: Option<i64>,
        writer: &mut Writer<'_>,
    ) -> Result<bool, Fault> {
        let (namespace, name) = (&*pod.meta.key.namespace, &*pod.meta.key.name);
        let base = match &pod.body {
            Body::Made(base) => Some(writer.pod_base(base)?),
            Body::Written(_) | Body::Stored | Body::Read(_) => None,
        };
        let row = if expected.is_some() { &mut self.replace } else { &mut self.create };
        row.raw_bind_parameter(1, namespace)?;
        row.raw_bind_parameter(2, name)?;
        row.raw_bind_parameter(3, pod.node.as_deref())?;
        row.raw_bind_parameter(4, pod.pinned.as_deref())?;
        row.raw_bind_parameter(5, &*pod.phase)?;
        row.raw_bind_parameter(6, pod.ready)?;
        row.raw_bind_parameter(7, pod.ready_since)?;
        columns::bind_meta_but_labels(row, OWN_COUNT + 1, &pod.meta, writer)?;
        row.raw_bind_parameter(OWN_COUNT + SYSTEM_COUNT, writer.label_set(&pod.meta.labels)?)?;
        row.raw_bind_parameter(OWN_COUNT + SYSTEM_COUNT + 1, base)?;
        if let Some(expected) = expected {
            row.raw_bind_parameter(COUNT + 1, expected)?;
        }
        if row.raw_execute()? != 1 {
            return Ok(false);
        }
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
            Body::Made(_) | Body::Stored | Body::Read(_) => {}
        }
        Ok(true)
    }
}
