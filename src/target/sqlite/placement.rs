//! What the rules derived about placement, for people with `sqlite3` at hand.
//!
//! dsrules itself never reads it back: it derives again. Kept as classes, profiles and
//! the pairs that fit; the views `eligible` and `placement` join them. Only rows that
//! differ are written, so a relabelled node costs one row.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Row, ToSql, params};

use super::fault::Fault;
use super::store::Store;
use crate::diagnostic::Diagnostic;
use crate::kube::{Name, ObjectKey};

/// Which daemonset may run on which node, without writing out every pair.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placement {
    /// The class of each daemonset.
    pub classes: BTreeMap<ObjectKey, u32>,
    /// The profile of each node.
    pub profiles: BTreeMap<Name, u32>,
    /// What holds for a class on a profile; nothing does where there is no entry.
    pub fits: BTreeMap<(u32, u32), Fit>,
    /// Daemonsets and nodes that fit and that a rule keeps apart.
    pub barred: BTreeSet<(ObjectKey, Name)>,
}

/// What is kept of the placement of some nodes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlacementOf {
    /// All classes, the profiles of the nodes, and what fits these.
    pub placement: Placement,
    /// The profiles of theirs that other nodes are in too.
    pub shared: BTreeSet<u32>,
    /// The highest number of a profile.
    pub most: u32,
}

/// What holds for a class of daemonsets on a profile of nodes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fit {
    /// A pod is to be there.
    pub may_start: bool,
    /// A pod that is there is left there.
    pub may_stay: bool,
}

impl Store {
    /// Writes what differs from `before`, which must be what was saved last; without it
    /// that is read from the store.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save_placement(
        &mut self,
        before: Option<&Placement>,
        after: &Placement,
    ) -> Result<(), Diagnostic> {
        self.write("write the placement", |connection| {
            let stored;
            let before = if let Some(before) = before {
                before
            } else {
                stored = read(connection)?;
                &stored
            };
            save(connection, before, after)
        })
    }

    /// Reads back what was saved.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn placement(&self) -> Result<Placement, Diagnostic> {
        self.run("read the placement", read)
    }
}

impl Store {
    /// Reads back what was saved of some nodes.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn placement_of(&self, nodes: &BTreeSet<Name>) -> Result<PlacementOf, Diagnostic> {
        self.run("read the placement", |connection| read_of(connection, nodes))
    }
}

fn read_of(connection: &Connection, nodes: &BTreeSet<Name>) -> Result<PlacementOf, Fault> {
    let mut found = PlacementOf::default();
    found.placement.classes = classes(connection)?;
    found.most =
        connection.query_row("SELECT coalesce(max(profile), 0) FROM profiles", [], |row| row.get(0))?;
    let mut profile = connection.prepare_cached("SELECT profile FROM profiles WHERE node = ?1")?;
    for node in nodes {
        for number in profile.query_map([&**node], |row| row.get(0))? {
            found.placement.profiles.insert(node.clone(), number?);
        }
    }
    let numbers: BTreeSet<u32> = found.placement.profiles.values().copied().collect();
    let mut members = connection.prepare_cached("SELECT node FROM profiles WHERE profile = ?1")?;
    let mut fits =
        connection.prepare_cached("SELECT class, may_start, may_stay FROM fits WHERE profile = ?1")?;
    for number in numbers {
        let mut others = members.query_map([number], |row| row.get::<_, String>(0))?;
        if others.any(|node| node.is_ok_and(|node| !nodes.contains(&*node))) {
            found.shared.insert(number);
        }
        for fit in fits.query_map([number], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))? {
            let (class, may_start, may_stay) = fit?;
            found.placement.fits.insert((class, number), Fit { may_start, may_stay });
        }
    }
    Ok(found)
}

fn classes(connection: &Connection) -> Result<BTreeMap<ObjectKey, u32>, Fault> {
    let text = |row: &Row<'_>, column| row.get::<_, String>(column).map(Name::from);
    rows(connection, "SELECT namespace, daemonset, class FROM classes", |row| {
        Ok((ObjectKey { namespace: text(row, 0)?, name: text(row, 1)? }, row.get(2)?))
    })
}

fn read(connection: &Connection) -> Result<Placement, Fault> {
    let text = |row: &Row<'_>, column| row.get::<_, String>(column).map(Name::from);
    Ok(Placement {
        classes: classes(connection)?,
        profiles: rows(connection, "SELECT node, profile FROM profiles", |row| {
            Ok((text(row, 0)?, row.get(1)?))
        })?,
        fits: rows(connection, "SELECT class, profile, may_start, may_stay FROM fits", |row| {
            let fit = Fit { may_start: row.get(2)?, may_stay: row.get(3)? };
            Ok(((row.get(0)?, row.get(1)?), fit))
        })?,
        barred: rows(connection, "SELECT namespace, daemonset, node FROM barred", |row| {
            Ok(((ObjectKey { namespace: text(row, 0)?, name: text(row, 1)? }, text(row, 2)?), ()))
        })?
        .into_keys()
        .collect(),
    })
}

fn rows<K: Ord, V>(
    connection: &Connection,
    sql: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<(K, V)>,
) -> Result<BTreeMap<K, V>, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn save(connection: &Connection, before: &Placement, after: &Placement) -> Result<(), Fault> {
    let mut put = connection.prepare_cached("INSERT OR REPLACE INTO classes VALUES (?1, ?2, ?3)")?;
    let mut drop =
        connection.prepare_cached("DELETE FROM classes WHERE namespace = ?1 AND daemonset = ?2")?;
    differences(&before.classes, &after.classes, |key, class| {
        let (namespace, name) = (&*key.namespace, &*key.name);
        match class {
            Some(class) => put.execute(params![namespace, name, class]),
            None => drop.execute([namespace, name]),
        }
    })?;
    let mut put = connection.prepare_cached("INSERT OR REPLACE INTO profiles VALUES (?1, ?2)")?;
    let mut drop = connection.prepare_cached("DELETE FROM profiles WHERE node = ?1")?;
    differences(&before.profiles, &after.profiles, |node, profile| match profile {
        Some(profile) => put.execute(params![&**node, profile]),
        None => drop.execute([&**node]),
    })?;
    let mut put = connection.prepare_cached("INSERT OR REPLACE INTO fits VALUES (?1, ?2, ?3, ?4)")?;
    let mut drop = connection.prepare_cached("DELETE FROM fits WHERE class = ?1 AND profile = ?2")?;
    let mut bar = connection.prepare_cached("INSERT INTO barred VALUES (?1, ?2, ?3)")?;
    for (key, node) in after.barred.difference(&before.barred) {
        bar.execute([&*key.namespace, &*key.name, &**node])?;
    }
    let mut unbar = connection
        .prepare_cached("DELETE FROM barred WHERE namespace = ?1 AND daemonset = ?2 AND node = ?3")?;
    for (key, node) in before.barred.difference(&after.barred) {
        unbar.execute([&*key.namespace, &*key.name, &**node])?;
    }
    differences(&before.fits, &after.fits, |(class, profile), fit| {
        let key: [&dyn ToSql; 2] = [class, profile];
        match fit {
            Some(fit) => put.execute([key[0], key[1], &fit.may_start, &fit.may_stay]),
            None => drop.execute(key),
        }
    })
}

/// Calls `write` for each key that differs, with what it is now.
fn differences<K: Ord, V: PartialEq>(
    before: &BTreeMap<K, V>,
    after: &BTreeMap<K, V>,
    mut write: impl FnMut(&K, Option<&V>) -> rusqlite::Result<usize>,
) -> Result<(), Fault> {
    for key in before.keys().filter(|key| !after.contains_key(key)) {
        write(key, None)?;
    }
    for (key, value) in after {
        if before.get(key) != Some(value) {
            write(key, Some(value))?;
        }
    }
    Ok(())
}
