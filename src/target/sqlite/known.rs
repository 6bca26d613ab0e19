//! What is known of the files of an input: which of them need not be read again, and what
//! is on record of the others. What this costs follows those others.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Row, params};

use super::columns::{text, unsigned};
use super::dictionary::Names;
use super::fault::Fault;
use super::store::Store;
use super::sum;
use super::tables::kind;
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, Name, ObjectKey};
use crate::state::{Brought, Input, KnownFile};

/// The columns of `brought`, with its sum.
const BROUGHT: &str = "SELECT input, kind, namespace, name, file, written, sum FROM brought";

impl Store {
    /// The files of the input `id` of which all objects are stored as the file wrote them, by
    /// path.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn known_files(&self, id: &str) -> Result<BTreeMap<Name, KnownFile>, Diagnostic> {
        self.run("read what files are known", |connection| known(connection, id))
    }

    /// What is on record of the input `id` but for these files, which are known.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn input_but(&self, id: &str, passed: &BTreeSet<Name>) -> Result<Input, Diagnostic> {
        self.run("read what an input brought", |connection| but(connection, id, passed))
    }

    /// Whether anything is on record of the input `id`.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn has_input(&self, id: &str) -> Result<bool, Diagnostic> {
        self.run("read what inputs there are", |connection| {
            let rows = |table| Ok::<_, Fault>(sum::on_record(connection, table, id)?.unwrap_or(0));
            Ok(rows("files")? + rows("brought")? > 0)
        })
    }

    /// The files of the input `id` that have these objects.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn files_having(
        &self,
        id: &str,
        objects: &BTreeSet<(Kind, &ObjectKey)>,
    ) -> Result<BTreeMap<(Kind, ObjectKey), Name>, Diagnostic> {
        self.run("read what an input brought", |connection| {
            let mut one = connection.prepare_cached(&format!("{BROUGHT} {}", super::brought::OBJECT))?;
            let mut found = BTreeMap::new();
            for (kind, key) in objects {
                let mut rows = one.query([id, kind.name(), &key.namespace, &key.name])?;
                let Some(row) = rows.next()? else { continue };
                sum::check(row, "brought", 0, 6)?;
                if let Some(file) = file(row)? {
                    found.insert((*kind, (*key).clone()), file.into());
                }
            }
            Ok(found)
        })
    }

    /// The objects of these files of the input `id`, by kind and key; of each kind as many as
    /// are asked for.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn objects_of(
        &self,
        id: &str,
        passed: &BTreeSet<Name>,
        kinds: &BTreeMap<Kind, usize>,
        most: usize,
    ) -> Result<Vec<(Kind, ObjectKey)>, Diagnostic> {
        self.run("read what an input brought", |connection| {
            let sql = format!("{BROUGHT} WHERE input = ?1 AND kind = ?2 ORDER BY namespace, name");
            let mut of_kind = connection.prepare_cached(&sql)?;
            let (mut objects, mut names) = (Vec::new(), Names::default());
            for (kind, count) in kinds {
                let mut wanted = most.min(*count);
                let mut rows = of_kind.query([id, kind.name()])?;
                while wanted > 0
                    && let Some(row) = rows.next()?
                {
                    sum::check(row, "brought", 0, 6)?;
                    if file(row)?.is_some_and(|file| passed.contains(file)) {
                        objects.push((*kind, key(row, &mut names)?));
                        wanted -= 1;
                    }
                }
                if wanted > 0 {
                    sum::compare_counts("brought", count - wanted, *count)?;
                }
            }
            Ok(objects)
        })
    }
}

/// The file that a row of `brought` names.
fn file<'r>(row: &'r Row<'_>) -> Result<Option<&'r str>, Fault> {
    Ok(row.get_ref(4)?.as_str_or_null().map_err(rusqlite::Error::from)?)
}

/// The key in a row of `brought`.
fn key(row: &Row<'_>, names: &mut Names) -> Result<ObjectKey, Fault> {
    Ok(ObjectKey { namespace: names.name(text(row, 2)?), name: text(row, 3)?.into() })
}

fn known(connection: &Connection, id: &str) -> Result<BTreeMap<Name, KnownFile>, Fault> {
    let sql = "SELECT input, path, sha256, how, kinds, sum FROM known_files WHERE input = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([id])?;
    let mut files = BTreeMap::new();
    while let Some(row) = rows.next()? {
        sum::check(row, "known_files", 0, 5)?;
        let counts: BTreeMap<String, usize> = serde_json::from_str(text(row, 4)?)?;
        let kinds = counts.into_iter().map(|(name, count)| Ok::<_, Fault>((kind(&name)?, count)));
        let file =
            KnownFile { sha256: row.get(2)?, how: row.get(3)?, kinds: kinds.collect::<Result<_, _>>()? };
        files.insert(Name::from(text(row, 1)?), file);
    }
    Ok(files)
}

/// Remembers what a file has that was just recorded.
pub(super) fn remember(connection: &Connection, id: &str, path: &str, file: &KnownFile) -> Result<(), Fault> {
    let kinds: BTreeMap<&str, usize> = file.kinds.iter().map(|(kind, count)| (kind.name(), *count)).collect();
    let sql = "INSERT OR REPLACE INTO known_files VALUES (?1, ?2, ?3, ?4, ?5, row_sum(?1, ?2, ?3, ?4, ?5))";
    let kinds = serde_json::to_string(&kinds)?;
    connection.prepare_cached(sql)?.execute(params![id, path, file.sha256, file.how, kinds])?;
    Ok(())
}

/// Forgets a file.
pub(super) fn forget(connection: &Connection, id: &str, path: &str) -> Result<(), Fault> {
    let sql = "DELETE FROM known_files WHERE input = ?1 AND path = ?2";
    connection.prepare_cached(sql)?.execute([id, path])?;
    Ok(())
}

/// How many objects these files have, which are known.
pub(super) fn count(connection: &Connection, id: &str, passed: &BTreeSet<Name>) -> Result<usize, Fault> {
    if passed.is_empty() {
        return Ok(0);
    }
    let known = known(connection, id)?;
    let count = |path: &Name| match known.get(path) {
        Some(file) => Ok(file.kinds.values().sum::<usize>()),
        None => Err(sum::missing("known_files", path)),
    };
    passed.iter().map(count).sum()
}

/// What is on record but for these files.
pub(super) fn but(connection: &Connection, id: &str, passed: &BTreeSet<Name>) -> Result<Input, Fault> {
    let files: BTreeMap<Name, String> = super::brought::files(connection)?.remove(id).unwrap_or_default();
    let known = known(connection, id)?;
    let is_counted = sum::on_record(connection, "brought", id)?.is_some();
    if passed.is_empty() || !is_counted || files.keys().any(|path| !known.contains_key(path)) {
        let mut input = super::brought::read(connection, id)?;
        let is_passed = |file: &Option<Name>| file.as_ref().is_some_and(|file| passed.contains(file));
        input.objects.retain(|_, brought| !is_passed(&brought.file));
        input.files.retain(|path, _| !passed.contains(path));
        return Ok(input);
    }
    let mut input = Input::default();
    let mut names = Names::default();
    let sql = format!("{BROUGHT} INDEXED BY brought_of_file WHERE input = ?1 AND file IS ?2");
    let mut of_file = connection.prepare_cached(&sql)?;
    let others = files.iter().filter(|(path, _)| !passed.contains(*path)).map(Some);
    for named in others.chain([None]) {
        let path = named.map(|(path, _)| path);
        let mut rows = of_file.query(params![id, path.map(|path| &**path)])?;
        let mut found = 0;
        while let Some(row) = rows.next()? {
            sum::check(row, "brought", 0, 6)?;
            found += 1;
            let object = (kind(text(row, 1)?)?, key(row, &mut names)?);
            let elsewhere = is_elsewhere(connection, id, &object)?;
            let written = unsigned(row.get(5)?);
            input.objects.insert(object, Brought { file: path.cloned(), written, elsewhere });
        }
        if let Some((path, sha256)) = named {
            sum::compare_counts("brought", found, known[path].kinds.values().sum())?;
            input.files.insert(path.clone(), sha256.clone());
        }
    }
    Ok(input)
}

/// Whether a file of another input has an object too.
fn is_elsewhere(connection: &Connection, id: &str, (kind, key): &(Kind, ObjectKey)) -> Result<bool, Fault> {
    let sql = "SELECT b.input, b.kind, b.namespace, b.name, b.file, b.written, b.sum
        FROM counts c CROSS JOIN brought b ON b.input = c.part AND b.kind = ?2 AND b.namespace = ?3 AND b.name = ?4
        WHERE c.kind = 'brought' AND c.part <> ?1 AND b.file IS NOT NULL";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([id, kind.name(), &key.namespace, &key.name])?;
    let Some(row) = rows.next()? else { return Ok(false) };
    sum::check(row, "brought", 0, 6)?;
    Ok(true)
}
