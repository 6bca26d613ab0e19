//! Rows of a table whose number is on record, written by a world that may not have all of them.

use rusqlite::{CachedStatement, Connection, Params, ToSql};

use super::fault::Fault;
use super::sum;
use crate::state::World;

/// Writes and forgets rows of a table. Where the world has a part of them, it keeps count of
/// what that changes; a whole world knows how many there are.
pub(super) struct Counted<'c> {
    connection: &'c Connection,
    table: &'static str,
    write: CachedStatement<'c>,
    forget: CachedStatement<'c>,
    counts: bool,
    more: isize,
}

impl<'c> Counted<'c> {
    /// Of a table, what writes a row in place of the one with its key, and what forgets one.
    pub(super) fn new(
        (connection, world): (&'c Connection, &World),
        table: &'static str,
        write: &str,
        forget: &str,
    ) -> Result<Self, Fault> {
        let (write, forget) = (connection.prepare_cached(write)?, connection.prepare_cached(forget)?);
        Ok(Counted { connection, table, write, forget, counts: world.part.is_some(), more: 0 })
    }

    /// Writes the row with this key, of these values.
    pub(super) fn write<const N: usize>(&mut self, key: [&str; N], values: &[&dyn ToSql]) -> Result<(), Fault>
    where
        for<'a> [&'a str; N]: Params,
    {
        if self.counts {
            self.forget(key)?;
        }
        self.write.execute(values)?;
        self.more += 1;
        Ok(())
    }

    /// Forgets the row with this key, if there is one.
    pub(super) fn forget<const N: usize>(&mut self, key: [&str; N]) -> Result<(), Fault>
    where
        for<'a> [&'a str; N]: Params,
    {
        self.more -= self.forget.execute(key)?.cast_signed();
        Ok(())
    }

    /// Puts on record how many rows there are now, where that was known.
    pub(super) fn record(self) -> Result<(), Fault> {
        if self.counts { sum::more(self.connection, self.table, self.more) } else { Ok(()) }
    }
}
