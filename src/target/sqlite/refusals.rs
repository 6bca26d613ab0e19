//! Why pods are left pending, in rows of their own: few pods are, so those that run have none.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params};

use super::columns::text;
use super::counted::Counted;
use super::dictionary::Reader;
use super::fault::Fault;
use super::sum;
use crate::kube::ObjectKey;
use crate::state::{Refusal, World};

/// All columns with their sum, as [`read`] takes them.
pub(super) const COLUMNS: &str =
    "r.namespace, r.name, r.meant, r.filter, r.said, r.reasons, r.preemption, r.nodes, r.since, r.sum";
const COUNT: usize = 9;

/// The refusal in the columns from `at` on, if there is one.
pub(super) fn read(row: &Row<'_>, at: usize, reader: &mut Reader<'_>) -> Result<Option<Refusal>, Fault> {
    if row.get_ref(at)? == ValueRef::Null {
        return Ok(None);
    }
    sum::check(row, "refusals", at, COUNT)?;
    Ok(Some(Refusal {
        node: reader.names.name(text(row, at + 2)?),
        filter: reader.names.name(text(row, at + 3)?),
        said: row.get(at + 4)?,
        reasons: serde_json::from_str(text(row, at + 5)?)?,
        preemption: reader.names.name(text(row, at + 6)?),
        nodes: row.get::<_, i64>(at + 7)?.try_into().unwrap_or(0),
        since: row.get(at + 8)?,
    }))
}

/// What asks for all of them, in the order of their pods.
pub(super) fn all_sql() -> String {
    format!("SELECT {COLUMNS} FROM refusals r ORDER BY namespace, name")
}

/// What asks for that of one pod.
pub(super) fn one_sql() -> String {
    format!("SELECT {COLUMNS} FROM refusals r WHERE namespace = ?1 AND name = ?2")
}

/// A pod with its refusal, from a row of [`all_sql`].
pub(super) fn with_pod(row: &Row<'_>, reader: &mut Reader<'_>) -> Result<(ObjectKey, Refusal), Fault> {
    let key = ObjectKey::new(text(row, 0)?, text(row, 1)?);
    Ok((key, read(row, 0, reader)?.unwrap_or_default()))
}

/// Writes those that changed.
pub(super) fn write(connection: &Connection, world: &World) -> Result<(), Fault> {
    let mut rows = Counted::new(
        (connection, world),
        "refusals",
        "INSERT OR REPLACE INTO refusals VALUES
            (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, row_sum(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9))",
        "DELETE FROM refusals WHERE namespace = ?1 AND name = ?2",
    )?;
    for key in &world.dirty.refused {
        let (namespace, name) = (&*key.namespace, &*key.name);
        match world.refused.get(key) {
            Some(it) => rows.write(
                [namespace, name],
                params![
                    namespace,
                    name,
                    &*it.node,
                    &*it.filter,
                    it.said,
                    serde_json::to_string(&it.reasons)?,
                    &*it.preemption,
                    i64::try_from(it.nodes).unwrap_or(i64::MAX),
                    it.since,
                ],
            )?,
            None => rows.forget([namespace, name])?,
        }
    }
    rows.record()
}
