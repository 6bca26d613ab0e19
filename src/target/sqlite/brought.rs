//! What is on record of inputs, as it is read: their files, and the objects that these brought.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::columns::{self, unsigned};
use super::dictionary::Names;
use super::fault::Fault;
use super::sum;
use super::tables::kind;
use crate::kube::{Kind, Name, ObjectKey};
use crate::state::{Brought, Input};

/// One object of an input.
pub(super) const OBJECT: &str = "WHERE input = ?1 AND kind = ?2 AND namespace = ?3 AND name = ?4";

/// The files of all inputs, each with its hash.
pub(super) fn files(connection: &Connection) -> Result<BTreeMap<String, BTreeMap<Name, String>>, Fault> {
    let mut files: BTreeMap<String, BTreeMap<Name, String>> = BTreeMap::new();
    let mut statement = connection.prepare_cached("SELECT input, path, sha256, sum FROM files")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        sum::check(row, "files", 0, 3)?;
        let input = columns::text(row, 0)?;
        if !files.contains_key(input) {
            files.insert(input.to_owned(), BTreeMap::new());
        }
        files
            .get_mut(input)
            .map(|files| files.insert(Name::from(columns::text(row, 1).ok()?), row.get(2).ok()?));
    }
    let found = files.iter().map(|(input, files)| (input.clone(), files.len())).collect();
    sum::expect_of_inputs(connection, "files", &found)?;
    Ok(files)
}

/// Visits what all inputs brought: the input, the object, its file and its fingerprint.
///
/// All of it, whatever is asked for: a row whose key a disk has changed is found by no
/// key, and an object that another input has would be pruned.
pub(super) fn brought(
    connection: &Connection,
    mut visit: impl FnMut(&str, (Kind, ObjectKey), Option<&str>, u64),
) -> Result<(), Fault> {
    let sql = "SELECT input, kind, namespace, name, file, written, sum FROM brought";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    let mut names = Names::default();
    while let Some(row) = rows.next()? {
        sum::check(row, "brought", 0, 6)?;
        let input = columns::text(row, 0)?;
        match found.get_mut(input) {
            Some(count) => *count += 1,
            None => drop(found.insert(input.to_owned(), 1)),
        }
        let namespace = names.name(columns::text(row, 2)?);
        let object =
            (kind(columns::text(row, 1)?)?, ObjectKey { namespace, name: columns::text(row, 3)?.into() });
        let file = row.get_ref(4)?.as_str_or_null().map_err(rusqlite::Error::from)?;
        visit(input, object, file, unsigned(row.get(5)?));
    }
    sum::expect_of_inputs(connection, "brought", &found)
}

/// The file of an object in an input, if it is on record as brought by it.
pub(super) fn file_in(
    connection: &Connection,
    input: &str,
    (kind, key): &(Kind, ObjectKey),
) -> Result<Option<Option<String>>, Fault> {
    let sql = format!("SELECT input, kind, namespace, name, file, written, sum FROM brought {OBJECT}");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([input, kind.name(), &key.namespace, &key.name])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    sum::check(row, "brought", 0, 6)?;
    Ok(Some(row.get(4)?))
}

/// What is on record of an input.
pub(super) fn read(connection: &Connection, id: &str) -> Result<Input, Fault> {
    let mut input = Input { files: files(connection)?.remove(id).unwrap_or_default(), ..Input::default() };
    let mut elsewhere: BTreeSet<(Kind, ObjectKey)> = BTreeSet::new();
    brought(connection, |of, object, file, written| {
        if of != id {
            elsewhere.extend(file.map(|_| object));
            return;
        }
        // The name of a file is there already, and few are not.
        let known =
            |file| input.files.get_key_value(file).map_or_else(|| Name::from(file), |(name, _)| name.clone());
        input.objects.insert(object, Brought { file: file.map(known), written, elsewhere: false });
    })?;
    for object in elsewhere {
        if let Some(brought) = input.objects.get_mut(&object) {
            brought.elsewhere = true;
        }
    }
    Ok(input)
}
