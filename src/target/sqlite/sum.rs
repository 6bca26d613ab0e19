//! Checksums of rows: what a disk changed by itself is noticed where it is read.
//!
//! SQLite takes a flipped bit in a text for another text. So each row that dsrules reads
//! back ends in `sum`, the CRC-32 of all its other columns in the order of the table.
//! Writing, SQL computes it from the values that are bound (`row_sum`); reading, it is
//! compared before anything of the row is used.
//!
//! A row that vanished has no checksum, and one whose key changed is not found by it. Of
//! objects, events and a user's rules it is on record how many there are (`counts`), of what
//! inputs brought also by input, and reading all of them finds as many or says so. So what
//! is asked for by a key and not found is looked for once more, among all rows.

use std::cell::RefCell;
use std::collections::BTreeMap;

use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::fault::Fault;
use crate::state::World;

/// Gives a connection the function `row_sum`, of any values.
pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("row_sum", -1, flags, |arguments| {
        Ok(sum((0..arguments.len()).map(|nth| arguments.get_raw(nth))))
    })
}

thread_local! {
    /// Where the bytes of a row are put together: rows are short, and there are millions.
    static BYTES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// More room than this is given back.
const ROOM: usize = 1 << 16;

fn sum<'v>(values: impl Iterator<Item = ValueRef<'v>>) -> i64 {
    BYTES.with_borrow_mut(|bytes| {
        bytes.clear();
        for value in values {
            match value {
                ValueRef::Null => bytes.push(0),
                ValueRef::Integer(number) => {
                    bytes.push(1);
                    bytes.extend_from_slice(&number.to_le_bytes());
                }
                ValueRef::Real(number) => {
                    bytes.push(2);
                    bytes.extend_from_slice(&number.to_bits().to_le_bytes());
                }
                ValueRef::Text(text) | ValueRef::Blob(text) => {
                    bytes.push(3);
                    bytes.extend_from_slice(&text.len().to_le_bytes());
                    bytes.extend_from_slice(text);
                }
            }
        }
        let sum = crc32fast::hash(bytes).cast_signed();
        bytes.shrink_to(ROOM);
        i64::from(sum)
    })
}

/// Checks a row of `table`: `count` columns from `at` on, of which the first are its key,
/// and its sum behind them.
pub(super) fn check(row: &Row<'_>, table: &'static str, at: usize, count: usize) -> Result<(), Fault> {
    let mut values = Vec::with_capacity(count);
    for nth in at..at + count {
        values.push(row.get_ref(nth)?);
    }
    compare(&values, row.get_ref(at + count)?, table)
}

/// The values of a whole row of `table`, checked.
pub(super) fn checked<'r, const N: usize>(
    row: &'r Row<'_>,
    table: &'static str,
) -> Result<[ValueRef<'r>; N], Fault> {
    let mut values = [ValueRef::Null; N];
    for (nth, value) in values.iter_mut().enumerate() {
        *value = row.get_ref(nth)?;
    }
    compare(&values, row.get_ref(N)?, table)?;
    Ok(values)
}

fn compare(values: &[ValueRef<'_>], written: ValueRef<'_>, table: &'static str) -> Result<(), Fault> {
    if written == ValueRef::Integer(sum(values.iter().copied())) {
        return Ok(());
    }
    let keys = match table {
        "attempts" | "incarnations" | "objects" | "own_files" | "history" => 3,
        "owners" | "label_sets" | "pod_bases" | "nodes" | "node_bodies" | "meta" | "settled" | "rest"
        | "runs" => 1,
        "brought" => 4,
        _ => 2,
    };
    let key = |value: &ValueRef<'_>| match value {
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Integer(number) => number.to_string(),
        _ => "?".to_owned(),
    };
    let row = values.iter().take(keys).map(key).collect::<Vec<_>>().join("/");
    Err(Fault::Damaged(format!("the row `{row}` of the table `{table}` is not as it was written")))
}

/// A row that has to be there and is not.
pub(super) fn missing(table: &str, key: &str) -> Fault {
    Fault::Damaged(format!("the row `{key}` of the table `{table}` is gone"))
}

/// The part of a table that is all of it.
pub(super) const ALL: &str = "";

/// Puts on record how many objects of each kind the store has, where that is known.
pub(super) fn record(connection: &Connection, world: Option<&World>) -> Result<(), Fault> {
    let Some(world) = world else {
        // How many events and rules there are is counted where they are written.
        let sql = "DELETE FROM counts WHERE part = '' AND kind NOT IN ('events', 'own_files', 'runs')";
        connection.prepare_cached(sql)?.execute([])?;
        return Ok(());
    };
    for (table, count) in [
        ("backoff", world.backoff.len()),
        ("attempts", world.attempts.len()),
        ("incarnations", world.incarnations.len()),
        ("deleted_owners", world.deleted_owners.len()),
        ("refusals", world.refused.len()),
        ("objects", world.others.len()),
        ("nodes", world.nodes.len()),
        ("daemonsets", world.daemonsets.len()),
        ("controllerrevisions", world.revisions.len()),
        ("pods", world.pods.len()),
    ] {
        put(connection, table, ALL, count)?;
    }
    Ok(())
}

/// The same of a table that is small enough to be counted.
pub(super) fn count(connection: &Connection, table: &'static str) -> Result<(), Fault> {
    let mut statement = connection.prepare_cached(&format!("SELECT count(*) FROM {table}"))?;
    put(connection, table, ALL, number(statement.query_row([], |row| row.get(0))?))
}

/// Puts on record how many rows a part of a table has.
pub(super) fn put(
    connection: &Connection,
    table: &'static str,
    part: &str,
    count: usize,
) -> Result<(), Fault> {
    let mut put = connection.prepare_cached(
        "INSERT INTO counts (kind, part, count, sum) VALUES (?1, ?2, ?3, row_sum(?1, ?2, ?3))
         ON CONFLICT (kind, part)
         DO UPDATE SET count = excluded.count, sum = excluded.sum WHERE count <> excluded.count",
    )?;
    put.execute(rusqlite::params![table, part, i64::try_from(count).unwrap_or(i64::MAX)])?;
    Ok(())
}

/// A count as SQLite has it; a negative one is no count of anything.
fn number(count: i64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// How many rows a part of a table has, as far as that is on record.
pub(super) fn on_record(
    connection: &Connection,
    table: &'static str,
    part: &str,
) -> Result<Option<usize>, Fault> {
    let sql = "SELECT kind, part, count, sum FROM counts WHERE kind = ?1 AND part = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([table, part])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    check(row, "counts", 0, 3)?;
    Ok(Some(number(row.get(2)?)))
}

/// Puts on record that a table has so many more rows, where it is known how many it had.
pub(super) fn more(connection: &Connection, table: &'static str, more: isize) -> Result<(), Fault> {
    match on_record(connection, table, ALL)? {
        Some(count) if more != 0 => put(connection, table, ALL, count.saturating_add_signed(more)),
        _ => Ok(()),
    }
}

/// Compares how many rows of a table were found with what is on record.
pub(super) fn expect(connection: &Connection, table: &'static str, found: usize) -> Result<(), Fault> {
    match on_record(connection, table, ALL)? {
        Some(count) => compare_counts(table, found, count),
        None => Ok(()),
    }
}

/// Compares how many rows of a table were found with how many were written.
pub(super) fn compare_counts(table: &str, found: usize, written: usize) -> Result<(), Fault> {
    if found == written {
        return Ok(());
    }
    Err(Fault::Damaged(format!("the table `{table}` has {found} rows, and {written} were written")))
}

/// The same of what each input has in a table; what is on record of none has no rows.
pub(super) fn expect_of_inputs(
    connection: &Connection,
    table: &'static str,
    found: &BTreeMap<String, usize>,
) -> Result<(), Fault> {
    let mut statement = connection.prepare_cached("SELECT kind, part, count, sum FROM counts")?;
    let mut rows = statement.query([])?;
    let mut written: BTreeMap<String, usize> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        check(row, "counts", 0, 3)?;
        if row.get_ref(0)?.as_str() == Ok(table) {
            written.insert(row.get(1)?, number(row.get(2)?));
        }
    }
    for input in written.keys().chain(found.keys()) {
        let of = |counts: &BTreeMap<String, usize>| counts.get(input).copied().unwrap_or(0);
        let (found, written) = (of(found), of(&written));
        if found != written {
            let what = format!(
                "the table `{table}` has {found} rows of the input `{input}`, and {written} were written"
            );
            return Err(Fault::Damaged(what));
        }
    }
    Ok(())
}
