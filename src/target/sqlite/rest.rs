//! What is known of the store in which nothing is left to do, as the last command that wrote
//! it found it. It is about the rows as they were then, and about one set of rules; of others
//! nothing is known, and where it is damaged neither.

use super::columns::text;
use super::settled::rows;
use super::store::Store;
use super::sum;
use crate::diagnostic::Diagnostic;

impl Store {
    /// What is known with the rules that `about` stands for, if the store has not changed since.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn rest(&self, about: &str) -> Result<Option<String>, Diagnostic> {
        self.run("look for changes", |connection| {
            let mut statement = connection.prepare_cached("SELECT about, known, rows, sum FROM rest")?;
            let mut found = statement.query([])?;
            let Some(row) = found.next()? else { return Ok(None) };
            // It can be found out anew.
            if sum::check(row, "rest", 0, 3).is_err()
                || text(row, 0)? != about
                || text(row, 2)? != rows(connection)?
            {
                return Ok(None);
            }
            Ok(Some(text(row, 1)?.to_owned()))
        })
    }

    /// Records what is known of the store as it is now, and with which rules.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn set_rest(&mut self, known: Option<(&str, &str)>) -> Result<(), Diagnostic> {
        self.write("record that nothing is left to do", |connection| {
            connection.execute("DELETE FROM rest WHERE about IS NOT ?1", [known.map(|(about, _)| about)])?;
            let Some((about, known)) = known else { return Ok(()) };
            let put = "INSERT INTO rest (about, known, rows, sum) VALUES (?1, ?2, ?3, row_sum(?1, ?2, ?3))
                ON CONFLICT DO UPDATE SET known = excluded.known, rows = excluded.rows, sum = excluded.sum
                WHERE sum <> excluded.sum";
            connection.execute(put, [about, known, &rows(connection)?])?;
            Ok(())
        })
    }
}
