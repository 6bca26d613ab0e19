//! What each input brought: to skip files that did not change, and for `--prune`.
//!
//! An input is what was named on the command line; a caller gives it a stable id. Its
//! files are known by content hash. Each object that one of its applies brought stays
//! on record, also when no file has it any longer, until it is gone from the store:
//! that is what `--prune` removes. An object that a file of another input has is
//! never pruned.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params};

use super::brought::{OBJECT, brought, file_in, files, read};
use super::columns::signed;
use super::fault::Fault;
use super::store::Store;
use super::tables::table;
use super::{known, sum};
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, Name, ObjectKey};
use crate::state::{FilesOf, Input, InputFile, KnownFile};

const PUT_FILE: &str = "INSERT OR REPLACE INTO files VALUES (?1, ?2, ?3, row_sum(?1, ?2, ?3))";
const PUT_BROUGHT: &str = "INSERT OR REPLACE INTO brought
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, row_sum(?1, ?2, ?3, ?4, ?5, ?6))";

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
            let mut inputs: BTreeMap<String, usize> =
                files(connection)?.into_keys().map(|input| (input, 0)).collect();
            brought(connection, |input, _, _, _| match inputs.get_mut(input) {
                Some(count) => *count += 1,
                None => drop(inputs.insert(input.to_owned(), 1)),
            })?;
            Ok(inputs.into_iter().collect())
        })
    }

    /// The files that have objects, of whatever input, each with its hash.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn files_of(&self, objects: &BTreeSet<(Kind, ObjectKey)>) -> Result<FilesOf, Diagnostic> {
        self.run("read what an input brought", |connection| {
            let files = files(connection)?;
            let mut found = FilesOf::new();
            let mut note = |input: &str, object: &(Kind, ObjectKey), file: Option<&str>| {
                if let Some((path, sha256)) = file.and_then(|file| files.get(input)?.get_key_value(file))
                    && found.get(object).is_none_or(|(first, _)| path < first)
                {
                    found.insert(object.clone(), (path.clone(), sha256.clone()));
                }
            };
            for (object, input) in objects.iter().flat_map(|object| files.keys().map(move |it| (object, it)))
            {
                let Some(file) = file_in(connection, input, object)? else {
                    // The input does not have it, or has it under a key that a disk has changed.
                    brought(connection, |input, object, file, _| {
                        if objects.contains(&object) {
                            note(input, &object, file);
                        }
                    })?;
                    break;
                };
                note(input, object, file.as_deref());
            }
            Ok(found)
        })
    }

    /// Records what the input `id` is now. Call it after [`save`](Store::save), in the
    /// same transaction: objects that are in no file of it any longer stay on record
    /// while they are in the store. Of files that were passed over it stays what it was.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save_input(
        &mut self,
        id: &str,
        files: &[InputFile],
        passed: &BTreeSet<Name>,
    ) -> Result<(), Diagnostic> {
        self.write("record what an input brought", |connection| save(connection, id, files, passed))
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

fn change(
    connection: &Connection,
    id: &str,
    files: &[(Option<InputFile>, Option<InputFile>)],
) -> Result<(), Fault> {
    // What is not on record is not known to be whole, and reading it says so.
    let mut count_files = sum::on_record(connection, "files", id)?.unwrap_or(0);
    let mut count = sum::on_record(connection, "brought", id)?.unwrap_or(0);
    let mut kept: BTreeSet<(Kind, &ObjectKey)> = BTreeSet::new();
    let mut has = connection.prepare_cached(&format!("SELECT 1 FROM brought {OBJECT}"))?;
    let mut has_file = connection.prepare_cached("SELECT 1 FROM files WHERE input = ?1 AND path = ?2")?;
    // What is not saved as a whole has to be read again.
    for file in files.iter().flat_map(|(before, now)| [before, now]).flatten() {
        known::forget(connection, id, &file.path)?;
    }
    let mut forget = connection.prepare_cached(&format!("{FORGET} {OBJECT})"))?;
    for file in files.iter().filter_map(|(_, now)| now.as_ref()) {
        count_files += usize::from(!has_file.exists([id, &file.path])?);
        connection.prepare_cached(PUT_FILE)?.execute([id, &file.path, &file.sha256])?;
        let mut put = connection.prepare_cached(PUT_BROUGHT)?;
        for (kind, key, written) in &file.objects {
            kept.insert((*kind, key));
            let (namespace, name) = (&*key.namespace, &*key.name);
            forget.execute([id, kind.name(), namespace, name])?;
            count += usize::from(!has.exists([id, kind.name(), namespace, name])?);
            put.execute(params![id, kind.name(), namespace, name, &*file.path, signed(*written)])?;
        }
    }
    for (before, now) in files {
        let Some(before) = before else { continue };
        if now.as_ref().is_none_or(|now| now.path != before.path) {
            let sql = "DELETE FROM files WHERE input = ?1 AND path = ?2";
            count_files -= connection.prepare_cached(sql)?.execute([id, &before.path])?.min(count_files);
        }
        for (kind, key, _) in &before.objects {
            if !kept.contains(&(*kind, key)) {
                let had = has.exists([id, kind.name(), &key.namespace, &key.name])?;
                if !left(connection, id, *kind, key, true)? && had {
                    count = count.saturating_sub(1);
                }
            }
        }
    }
    sum::put(connection, "files", id, count_files)?;
    sum::put(connection, "brought", id, count)
}

fn save(
    connection: &Connection,
    id: &str,
    files: &[InputFile],
    passed: &BTreeSet<Name>,
) -> Result<(), Fault> {
    let before = known::but(connection, id, passed)?;
    let now: BTreeMap<&Name, &InputFile> = files.iter().map(|file| (&file.path, file)).collect();
    let mut drop = connection.prepare_cached("DELETE FROM files WHERE input = ?1 AND path = ?2")?;
    for path in before.files.keys().filter(|path| !now.contains_key(path)) {
        drop.execute([id, path])?;
        known::forget(connection, id, path)?;
    }
    let mut put = connection.prepare_cached(PUT_FILE)?;
    for (path, file) in &now {
        if before.files.get(*path) != Some(&file.sha256) {
            put.execute([id, path, &file.sha256])?;
        }
    }
    sum::put(connection, "files", id, now.len() + passed.len())?;
    // The last file that has an object is the one on record, and the only one that is written.
    let mut kept: BTreeMap<(Kind, &ObjectKey), (&Name, u64)> = BTreeMap::new();
    for file in now.values() {
        kept.extend(file.objects.iter().map(|(kind, key, written)| ((*kind, key), (&file.path, *written))));
    }
    let mut put = connection.prepare_cached(PUT_BROUGHT)?;
    for ((kind, key), (path, written)) in &kept {
        let before = before.objects.get(&(*kind, (*key).clone()));
        let same = before.is_some_and(|it| it.file.as_ref() == Some(path) && it.written == *written);
        if !same {
            put.execute(params![id, kind.name(), &*key.namespace, &*key.name, &***path, signed(*written)])?;
        }
    }
    let mut count = kept.len() + known::count(connection, id, passed)?;
    for ((kind, key), brought) in &before.objects {
        if !kept.contains_key(&(*kind, key)) && left(connection, id, *kind, key, brought.file.is_some())? {
            count += 1;
        }
    }
    sum::put(connection, "brought", id, count)?;
    let mut kinds: BTreeMap<&Name, BTreeMap<Kind, usize>> = BTreeMap::new();
    for ((kind, _), (path, _)) in kept {
        *kinds.entry(path).or_default().entry(kind).or_default() += 1;
    }
    for (path, file) in now {
        let kinds = kinds.remove(path).unwrap_or_default();
        let file = KnownFile { sha256: file.sha256.clone(), how: file.how.clone(), kinds };
        known::remember(connection, id, path, &file)?;
    }
    Ok(())
}

/// Forgets the file that an object was in.
const FORGET: &str = "DELETE FROM known_files WHERE input = ?1 AND path = (SELECT file FROM brought";

/// An object that no file of the input has any longer. Says whether it stays on record.
fn left(
    connection: &Connection,
    id: &str,
    kind: Kind,
    key: &ObjectKey,
    had_file: bool,
) -> Result<bool, Fault> {
    let table = table(kind);
    let place = if kind.namespaced() { "namespace = ?1 AND name = ?2" } else { "?1 = '' AND name = ?2" };
    let there: bool = connection
        .prepare_cached(&format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE {place})"))?
        .query_row([&*key.namespace, &*key.name], |row| row.get(0))?;
    let values = [id, kind.name(), &key.namespace, &key.name];
    if !there {
        connection.prepare_cached(&format!("DELETE FROM brought {OBJECT}"))?.execute(values)?;
    } else if had_file {
        let sum = "row_sum(input, kind, namespace, name, NULL, written)";
        let sql = format!("UPDATE brought SET file = NULL, sum = {sum} {OBJECT}");
        connection.prepare_cached(&sql)?.execute(values)?;
    }
    Ok(there)
}
