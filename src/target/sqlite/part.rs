//! Rows to a world that has a part of the nodes and pods, at the cost of that part.
//!
//! What is asked for by many keys is read in one go all the same, where the rows that are read
//! in vain are not many more.

use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::{Connection, Params, Row};

use super::columns::text;
use super::dictionary::{Reader, Unused};
use super::fault::Fault;
use super::load::{self, ATTEMPTS, BACKOFF, INCARNATIONS, NODE};
use super::store::Store;
use super::tables::table;
use super::{pods, refusals, sum};
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, Name, ObjectKey, Pod};
use crate::state::{Part, Pods, SomeNodes, SomePods, World};

/// As many rows are read in order in the time that one takes to be found.
const FOUND: usize = 4;

/// The daemonset with attempts that comes behind another one. A comparison of both columns at
/// once would go through all rows of the one.
pub(super) const NEXT_ATTEMPTS: [&str; 2] = [
    "SELECT namespace, daemonset FROM attempts WHERE namespace = ?1 AND daemonset > ?2
        ORDER BY daemonset LIMIT 1",
    "SELECT namespace, daemonset FROM attempts WHERE namespace > ?1 AND ?2 IS NOT NULL
        ORDER BY namespace, daemonset LIMIT 1",
];

/// The uid with a back-off that comes behind another one.
const NEXT_BACKOFF: &str = "SELECT daemonset_uid, '' FROM backoff WHERE daemonset_uid > ?1 AND ?2 = ''
    ORDER BY daemonset_uid LIMIT 1";

impl Store {
    /// Reads a part of the world, and of it the same as [`load`](Store::load).
    ///
    /// # Errors
    /// When what is read of the store is damaged, or it cannot be read.
    pub fn load_part(&self, part: &Part) -> Result<World, Diagnostic> {
        if part.is_all() {
            return self.load();
        }
        self.run("read the objects", |connection| {
            let snapshot =
                if connection.is_autocommit() { Some(connection.unchecked_transaction()?) } else { None };
            let mut from = From { connection, reader: Reader::new(connection)? };
            let mut world = load::rest(connection, &mut from.reader)?;
            world.part = Some(Arc::new(part.clone()));
            from.nodes(&mut world, &part.nodes)?;
            from.pods(&mut world, &part.pods)?;
            let places = places(&world, part);
            from.attempts(&mut world, &places)?;
            from.backoff(&mut world, &places)?;
            from.incarnations(&mut world, &part.nodes)?;
            from.refused(&mut world, &part.pods)?;
            // What only rows name that were not read is not unused.
            *self.unused.borrow_mut() = Unused::default();
            drop(from);
            drop(snapshot);
            Ok(world)
        })
    }
}

/// The nodes on which something may be counted because of what a part has; `None`: all.
fn places(world: &World, part: &Part) -> Option<BTreeSet<Name>> {
    let SomeNodes::These(nodes) = &part.nodes else { return None };
    let on = match &part.pods {
        SomePods::All => return None,
        SomePods::None => None,
        SomePods::These { on, .. } => Some(on),
    };
    let targets = world.pods.values().filter_map(Pod::target);
    Some(nodes.iter().chain(on.into_iter().flatten()).chain(targets).cloned().collect())
}

/// Where it is read from.
struct From<'c> {
    connection: &'c Connection,
    reader: Reader<'c>,
}

impl From<'_> {
    /// The rows that `sql` asks for with these values.
    fn each(
        &mut self,
        sql: &str,
        values: impl Params,
        mut read: impl FnMut(&Row<'_>, &mut Reader<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(values)?;
        while let Some(row) = rows.next()? {
            read(row, &mut self.reader)?;
        }
        Ok(())
    }

    /// Whether so many searches in a table cost less than reading all of it.
    fn is_few(&self, table: &'static str, searches: usize) -> Result<bool, Fault> {
        let count = sum::on_record(self.connection, table, sum::ALL)?;
        Ok(count.is_none_or(|count| searches.saturating_mul(FOUND) <= count.max(1000)))
    }

    fn nodes(&mut self, world: &mut World, some: &SomeNodes) -> Result<(), Fault> {
        let nodes = &mut world.nodes;
        if let SomeNodes::These(names) = some
            && self.is_few(table(Kind::Node), names.len())?
        {
            let sql = format!("SELECT {NODE} FROM nodes WHERE name = ?1");
            for name in names {
                self.each(&sql, [&**name], |row, reader| {
                    nodes.extend([load::node(row, reader)?]);
                    Ok(())
                })?;
            }
            return Ok(());
        }
        let mut found = 0;
        self.each(&format!("SELECT {NODE} FROM nodes ORDER BY name"), [], |row, reader| {
            found += 1;
            let (key, node) = load::node(row, reader)?;
            if is_among(some, &key.name) {
                nodes.insert(key, node);
            }
            Ok(())
        })?;
        sum::expect(self.connection, table(Kind::Node), found)
    }

    fn pods(&mut self, world: &mut World, some: &SomePods) -> Result<(), Fault> {
        let mut read = Pods::default();
        match some {
            SomePods::All => self.sought(&mut read, |_| true)?,
            SomePods::None => {}
            // A pod takes longer to be found by its node than by its key.
            SomePods::These { on, of, named } => {
                let count = sum::on_record(self.connection, table(Kind::Node), sum::ALL)?;
                if count.is_some_and(|count| on.len().saturating_mul(FOUND) > count.max(100)) {
                    self.sought(&mut read, |pod| {
                        let is_of = pod.meta.controller.as_ref().is_some_and(|it| of.contains(&it.uid));
                        is_of
                            || pod.target().is_none_or(|it| on.contains(it))
                            || named.contains(&pod.meta.key)
                    })?;
                } else {
                    self.found(&mut read, on, of, named)?;
                }
            }
        }
        world.pods = read;
        Ok(())
    }

    /// All pods that are wanted, of all that there are.
    fn sought(&mut self, into: &mut Pods, is_wanted: impl Fn(&Pod) -> bool) -> Result<(), Fault> {
        let mut found = 0;
        let sql = format!("SELECT {}, sum FROM pods ORDER BY namespace, name", pods::columns());
        self.each(&sql, [], |row, reader| {
            found += 1;
            let pod = pods::read(row, reader)?;
            if is_wanted(&pod) {
                into.insert(pod.meta.key.clone(), pod);
            }
            Ok(())
        })?;
        sum::expect(self.connection, table(Kind::Pod), found)
    }

    /// The pods that indexes lead to. What one leads to has to be what was asked for.
    fn found(
        &mut self,
        into: &mut Pods,
        on: &BTreeSet<Name>,
        of: &BTreeSet<Name>,
        named: &BTreeSet<ObjectKey>,
    ) -> Result<(), Fault> {
        let select = format!("SELECT {}, sum FROM pods WHERE", pods::columns());
        let mut add = |pod: Pod, is_right: bool| {
            if !is_right {
                return Err(pods::led_astray(&pod.meta.key));
            }
            into.insert(pod.meta.key.clone(), pod);
            Ok(())
        };
        let target = format!("{select} {} IS ?1", pods::TARGET);
        for node in on.iter().map(|node| Some(&**node)).chain([None]) {
            self.each(&target, [node], |row, reader| {
                let pod = pods::read(row, reader)?;
                let is_right = pod.target().map(|it| &**it) == node;
                add(pod, is_right)
            })?;
        }
        let owned = format!("{select} owner = ?1");
        for uid in of {
            let mut ids: Vec<i64> = Vec::new();
            self.each("SELECT id FROM owners WHERE uid = ?1", [&**uid], |row, _| {
                ids.push(row.get(0)?);
                Ok(())
            })?;
            for id in ids {
                self.each(&owned, [id], |row, reader| {
                    let pod = pods::read(row, reader)?;
                    let is_right = pod.meta.controller.as_ref().is_some_and(|it| it.uid == *uid);
                    add(pod, is_right)
                })?;
            }
        }
        let one = format!("{select} namespace = ?1 AND name = ?2");
        for key in named {
            self.each(&one, [&*key.namespace, &*key.name], |row, reader| {
                let pod = pods::read(row, reader)?;
                let is_right = pod.meta.key == *key;
                add(pod, is_right)
            })?;
        }
        Ok(())
    }

    fn attempts(&mut self, world: &mut World, places: &Option<BTreeSet<Name>>) -> Result<(), Fault> {
        let daemonsets = self.distinct(&NEXT_ATTEMPTS)?;
        let attempts = &mut world.attempts;
        if let Some(places) = places
            && self.is_few("attempts", daemonsets.len().saturating_mul(places.len()))?
        {
            let sql = format!(
                "SELECT {ATTEMPTS} FROM attempts WHERE namespace = ?1 AND daemonset = ?2 AND node = ?3"
            );
            for (namespace, daemonset) in &daemonsets {
                for node in places {
                    self.each(&sql, [namespace, daemonset, &**node], |row, reader| {
                        attempts.extend([load::attempt(row, reader)?]);
                        Ok(())
                    })?;
                }
            }
            return Ok(());
        }
        self.each(&format!("SELECT {ATTEMPTS} FROM attempts"), [], |row, reader| {
            let (key, count) = load::attempt(row, reader)?;
            if places.as_ref().is_none_or(|places| places.contains(&key.1)) {
                attempts.insert(key, count);
            }
            Ok(())
        })
    }

    fn backoff(&mut self, world: &mut World, places: &Option<BTreeSet<Name>>) -> Result<(), Fault> {
        let uids = self.distinct(&[NEXT_BACKOFF])?;
        let backoff = &mut world.backoff;
        if let Some(places) = places
            && self.is_few("backoff", uids.len().saturating_mul(places.len()))?
        {
            let sql = format!("SELECT {BACKOFF} FROM backoff WHERE daemonset_uid = ?1 AND node = ?2");
            for (uid, _) in &uids {
                for node in places {
                    self.each(&sql, [uid, &**node], |row, reader| {
                        backoff.extend([load::back_off(row, reader)?]);
                        Ok(())
                    })?;
                }
            }
            return Ok(());
        }
        self.each(&format!("SELECT {BACKOFF} FROM backoff"), [], |row, reader| {
            let (key, entry) = load::back_off(row, reader)?;
            if places.as_ref().is_none_or(|places| places.contains(&key.1)) {
                backoff.insert(key, entry);
            }
            Ok(())
        })
    }

    /// What a key begins with, each once: the first of `ways` that finds anything gives the next
    /// one behind one.
    fn distinct(&mut self, ways: &[&str]) -> Result<Vec<(String, String)>, Fault> {
        let mut all: Vec<(String, String)> = Vec::new();
        loop {
            let mut next = None;
            let last = all.last().cloned().unwrap_or_default();
            for sql in ways {
                if next.is_none() {
                    self.each(sql, [&last.0, &last.1], |row, _| {
                        next = Some((text(row, 0)?.to_owned(), text(row, 1)?.to_owned()));
                        Ok(())
                    })?;
                }
            }
            match next {
                Some(next) => all.push(next),
                None => return Ok(all),
            }
        }
    }

    /// How often what may come to be was made before. Of pods only those that a manifest wrote
    /// are counted, so these are few.
    fn incarnations(&mut self, world: &mut World, nodes: &SomeNodes) -> Result<(), Fault> {
        let made = &mut world.incarnations;
        let mut add = |row: &Row<'_>, reader: &mut Reader<'_>| {
            made.extend([load::incarnation(row, reader)?]);
            Ok(())
        };
        let SomeNodes::These(names) = nodes else { return self.each(INCARNATIONS, [], add) };
        let select = "SELECT kind, namespace, name, made, sum FROM incarnations WHERE";
        let node = Kind::Node.name();
        for side in ["<", ">"] {
            self.each(&format!("{select} kind {side} ?1"), [node], &mut add)?;
        }
        let one = format!("{select} kind = ?1 AND namespace = '' AND name = ?2");
        names.iter().try_for_each(|name| self.each(&one, [node, name], &mut add))
    }

    fn refused(&mut self, world: &mut World, some: &SomePods) -> Result<(), Fault> {
        let World { refused, pods, .. } = world;
        let mut add = |row: &Row<'_>, reader: &mut Reader<'_>| {
            let (key, refusal) = refusals::with_pod(row, reader)?;
            if *some == SomePods::All || pods.contains_key(&key) {
                refused.insert(key, refusal);
            }
            Ok(())
        };
        if *some == SomePods::All || !self.is_few("refusals", pods.len())? {
            return self.each(&refusals::all_sql(), [], add);
        }
        let one = refusals::one_sql();
        pods.keys().try_for_each(|key| self.each(&one, [&*key.namespace, &*key.name], &mut add))
    }
}

fn is_among(some: &SomeNodes, name: &Name) -> bool {
    match some {
        SomeNodes::All => true,
        SomeNodes::These(names) => names.contains(name),
    }
}
