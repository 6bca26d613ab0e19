//! The user's rules, facts and parameters, as each input's last apply used them.
//!
//! What is derived later (for a delete, an explanation, a query) is derived with them,
//! so they belong to what the store holds.

use rusqlite::params;

use super::fault::Fault;
use super::store::Store;
use super::sum;
use crate::diagnostic::Diagnostic;
use crate::kube::Name;
use crate::state::{OwnFile, OwnKind};

impl Store {
    /// Remembers the files that go with an input, instead of those it had before.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn save_own_files(&mut self, input: &str, files: &[OwnFile]) -> Result<(), Diagnostic> {
        self.write("write the rules", |connection| {
            connection.execute("DELETE FROM own_files WHERE input = ?1", [input])?;
            let sql =
                "INSERT OR REPLACE INTO own_files VALUES (?1, ?2, ?3, ?4, ?5, row_sum(?1, ?2, ?3, ?4, ?5))";
            let mut put = connection.prepare_cached(sql)?;
            for file in files {
                put.execute(params![input, &*file.path, &*file.relation, file.kind.number(), &*file.text])?;
            }
            sum::count(connection, "own_files")
        })
    }

    /// The files of all inputs, or of all but one, each once, in path order.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn own_files(&self, but: Option<&str>) -> Result<Vec<OwnFile>, Diagnostic> {
        self.run("read the rules", |connection| {
            let sql =
                "SELECT input, path, relation, kind, text, sum FROM own_files ORDER BY path, input, relation";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([])?;
            let (mut files, mut found): (Vec<OwnFile>, usize) = (Vec::new(), 0);
            while let Some(row) = rows.next()? {
                sum::check(row, "own_files", 0, 5)?;
                found += 1;
                let text = |column| row.get::<_, String>(column).map(Name::from);
                let kind = OwnKind::of_number(row.get(3)?)
                    .ok_or_else(|| Fault::Damaged("a file of rules is of no known kind".to_owned()))?;
                let file = OwnFile { path: text(1)?, kind, relation: text(2)?, text: text(4)? };
                let is_left_out =
                    but.is_some_and(|but| row.get_ref(0).is_ok_and(|it| it.as_str() == Ok(but)));
                if !is_left_out && !files.contains(&file) {
                    files.push(file);
                }
            }
            sum::expect(connection, "own_files", found)?;
            Ok(files)
        })
    }
}
