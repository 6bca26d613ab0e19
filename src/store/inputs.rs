//! What each input brought: to skip files that did not change, and for `--prune`.
//!
//! An input is what was named on the command line; a caller gives it a stable id. Its
//! files are known by content hash. Each object that one of its applies brought stays
//! on record, also when no file has it any longer, until it is gone from the store:
//! that is what `--prune` removes. An object that a file of another input has is
//! never pruned.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params};

use super::columns::{signed, unsigned};
use super::fault::Fault;
use super::load::kind;
use super::save::table;
use super::{Store, columns, sum};
use crate::diagnostic::Diagnostic;
use crate::model::{Kind, Name, ObjectKey};

const PUT_FILE: &str = "INSERT OR REPLACE INTO files VALUES (?1, ?2, ?3, row_sum(?1, ?2, ?3))";
const PUT_BROUGHT: &str = "INSERT OR REPLACE INTO brought
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, row_sum(?1, ?2, ?3, ?4, ?5, ?6))";

/// One file of an input, as it is when it is saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFile {
    /// The path within the input.
    pub path: Name,
    /// SHA-256 of its content, in hexadecimal.
    pub sha256: String,
    /// The objects in it, each with the fingerprint of its manifest
    /// ([`Written::object`](crate::model::Written)): where the world still has the same,
    /// a file with the same hash need not be parsed.
    pub objects: Vec<(Kind, ObjectKey, u64)>,
}

/// What is on record of an input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Input {
    /// The files, by path, each with its hash.
    pub files: BTreeMap<Name, String>,
    /// All objects its applies brought that may still be there.
    pub objects: BTreeMap<(Kind, ObjectKey), Brought>,
}

/// What is on record of an object that an input brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    /// The file that has it; `None` when none of the input's has it any longer.
    pub file: Option<Name>,
    /// The fingerprint of its manifest.
    pub written: u64,
    /// Whether a file of another input has it too: then it is not pruned.
    pub elsewhere: bool,
}

impl Store {
    /// What is on record of the input `id`; nothing of an input that is new.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn input(&self, id: &str) -> Result<Input, Diagnostic> {
        self.run("read what an input brought", |connection| read(connection, id))
    }

    /// The inputs that are on record, each with how many objects its applies brought.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn inputs(&self) -> Result<Vec<(String, usize)>, Diagnostic> {
        self.run("read what inputs there are", |connection| {
            let sql = "SELECT input, (SELECT count(*) FROM brought b WHERE b.input = i.input)
                FROM (SELECT input FROM files UNION SELECT input FROM brought) i ORDER BY input";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([])?;
            let mut inputs = Vec::new();
            while let Some(row) = rows.next()? {
                let count: i64 = row.get(1)?;
                inputs.push((columns::text(row, 0)?.to_owned(), usize::try_from(count).unwrap_or(0)));
            }
            Ok(inputs)
        })
    }

    /// The file that has an object, of whatever input, with its hash.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn file_of(&self, kind: Kind, key: &ObjectKey) -> Result<Option<(Name, String)>, Diagnostic> {
        self.run("read what an input brought", |connection| {
            let sql = "SELECT f.input, f.path, f.sha256, f.sum FROM brought b
                JOIN files f ON f.input = b.input AND f.path = b.file
                WHERE b.kind = ?1 AND b.namespace = ?2 AND b.name = ?3 ORDER BY f.path LIMIT 1";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([kind.name(), &key.namespace, &key.name])?;
            Ok(match rows.next()? {
                Some(row) => {
                    sum::check(row, "files", 0, 3)?;
                    Some((columns::text(row, 1)?.into(), row.get(2)?))
                }
                None => None,
            })
        })
    }

    /// Records what the input `id` is now. Call it after [`save`](Store::save), in the
    /// same transaction: objects that are in no file of it any longer stay on record
    /// while they are in the store.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save_input(&mut self, id: &str, files: &[InputFile]) -> Result<(), Diagnostic> {
        self.write("record what an input brought", |connection| save(connection, id, files))
    }
}

impl Store {
    /// Records what changed about some files of the input `id`: each as it is on record
    /// and as it is now. Call it after [`save`](Store::save), in the same transaction.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn change_input(
        &mut self,
        id: &str,
        files: &[(Option<InputFile>, Option<InputFile>)],
    ) -> Result<(), Diagnostic> {
        self.write("record what an input brought", |connection| change(connection, id, files))
    }
}

/// The inputs that are on record, as they were named.
pub(super) fn known(connection: &Connection) -> Result<String, Fault> {
    let mut statement = connection.prepare("SELECT DISTINCT input FROM files ORDER BY input")?;
    let inputs = statement.query_map([], |row| row.get::<_, String>(0))?;
    let inputs: Vec<String> = inputs.collect::<Result<_, _>>()?;
    let named = inputs.iter().flat_map(|input| input.lines()).map(|path| format!("`{path}`"));
    Ok(named.collect::<Vec<_>>().join(", "))
}

fn change(
    connection: &Connection,
    id: &str,
    files: &[(Option<InputFile>, Option<InputFile>)],
) -> Result<(), Fault> {
    let mut kept: BTreeSet<(Kind, &ObjectKey)> = BTreeSet::new();
    for file in files.iter().filter_map(|(_, now)| now.as_ref()) {
        connection.prepare_cached(PUT_FILE)?.execute([id, &file.path, &file.sha256])?;
        let mut put = connection.prepare_cached(PUT_BROUGHT)?;
        for (kind, key, written) in &file.objects {
            kept.insert((*kind, key));
            let (namespace, name) = (&*key.namespace, &*key.name);
            put.execute(params![id, kind.name(), namespace, name, &*file.path, signed(*written)])?;
        }
    }
    for (before, now) in files {
        let Some(before) = before else { continue };
        if now.as_ref().is_none_or(|now| now.path != before.path) {
            connection
                .prepare_cached("DELETE FROM files WHERE input = ?1 AND path = ?2")?
                .execute([id, &before.path])?;
        }
        for (kind, key, written) in &before.objects {
            if !kept.contains(&(*kind, key)) {
                let brought =
                    Brought { file: Some(before.path.clone()), written: *written, elsewhere: false };
                left(connection, id, *kind, key, &brought)?;
            }
        }
    }
    Ok(())
}

fn read(connection: &Connection, id: &str) -> Result<Input, Fault> {
    let mut input = Input::default();
    let mut statement =
        connection.prepare_cached("SELECT input, path, sha256, sum FROM files WHERE input = ?1")?;
    let mut rows = statement.query([id])?;
    while let Some(row) = rows.next()? {
        sum::check(row, "files", 0, 3)?;
        input.files.insert(columns::text(row, 1)?.into(), row.get(2)?);
    }
    let sql = "SELECT input, kind, namespace, name, file, written, sum, EXISTS (
            SELECT 1 FROM brought o WHERE o.kind = b.kind AND o.namespace = b.namespace
            AND o.name = b.name AND o.input <> b.input AND o.file IS NOT NULL)
        FROM brought b WHERE input = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([id])?;
    while let Some(row) = rows.next()? {
        sum::check(row, "brought", 0, 6)?;
        let key = ObjectKey::new(columns::text(row, 2)?, columns::text(row, 3)?);
        let brought = Brought {
            file: row.get::<_, Option<String>>(4)?.map(Name::from),
            written: unsigned(row.get(5)?),
            elsewhere: row.get(7)?,
        };
        input.objects.insert((kind(columns::text(row, 1)?)?, key), brought);
    }
    Ok(input)
}

fn save(connection: &Connection, id: &str, files: &[InputFile]) -> Result<(), Fault> {
    let before = read(connection, id)?;
    let now: BTreeMap<&Name, &InputFile> = files.iter().map(|file| (&file.path, file)).collect();
    let mut drop = connection.prepare_cached("DELETE FROM files WHERE input = ?1 AND path = ?2")?;
    for path in before.files.keys().filter(|path| !now.contains_key(path)) {
        drop.execute([id, path])?;
    }
    let mut put = connection.prepare_cached(PUT_FILE)?;
    for (path, file) in &now {
        if before.files.get(*path) != Some(&file.sha256) {
            put.execute([id, path, &file.sha256])?;
        }
    }
    let mut kept: BTreeSet<(Kind, &ObjectKey)> = BTreeSet::new();
    let mut put = connection.prepare_cached(PUT_BROUGHT)?;
    for file in now.values() {
        for (kind, key, written) in &file.objects {
            kept.insert((*kind, key));
            let same = before.objects.get(&(*kind, key.clone())).is_some_and(|brought| {
                brought.file.as_ref() == Some(&file.path) && brought.written == *written
            });
            if !same {
                let (namespace, name) = (&*key.namespace, &*key.name);
                put.execute(params![id, kind.name(), namespace, name, &*file.path, signed(*written)])?;
            }
        }
    }
    for ((kind, key), brought) in &before.objects {
        if !kept.contains(&(*kind, key)) {
            left(connection, id, *kind, key, brought)?;
        }
    }
    Ok(())
}

/// An object that no file of the input has any longer.
fn left(
    connection: &Connection,
    id: &str,
    kind: Kind,
    key: &ObjectKey,
    brought: &Brought,
) -> Result<(), Fault> {
    let table = table(kind);
    let place = if kind.namespaced() { "namespace = ?1 AND name = ?2" } else { "?1 = '' AND name = ?2" };
    let there: bool = connection
        .prepare_cached(&format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE {place})"))?
        .query_row([&*key.namespace, &*key.name], |row| row.get(0))?;
    let object = "WHERE input = ?1 AND kind = ?2 AND namespace = ?3 AND name = ?4";
    let values = [id, kind.name(), &key.namespace, &key.name];
    if !there {
        connection.prepare_cached(&format!("DELETE FROM brought {object}"))?.execute(values)?;
    } else if brought.file.is_some() {
        let sum = "row_sum(input, kind, namespace, name, NULL, written)";
        let sql = format!("UPDATE brought SET file = NULL, sum = {sum} {object}");
        connection.prepare_cached(&sql)?.execute(values)?;
    }
    Ok(())
}
