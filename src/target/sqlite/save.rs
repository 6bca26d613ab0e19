//! A world's changes to rows: just what `world.dirty` names, in key order.
//!
//! Objects go through the store as a [`Target`]: each write names the version that the
//! world was loaded with. What has no version of its own (counters, events) is written
//! only when the store as a whole is at the version that the world was loaded with.

use rusqlite::{Connection, params};

use super::bulk::Aside;
use super::counted::Counted;
use super::fault::Fault;
use super::load::deleted_owners;
use super::store::Store;
use super::{columns, events, refusals, sum};
use crate::diagnostic::{Diagnostic, Place};
use crate::kube::{Body, Kind, ObjectKey, Pod};
use crate::meter;
use crate::state::World;
use crate::target::contract::Target;
use crate::target::dirty::{self, batches};

/// Fewer pods than there are divided by this are few.
const FEW: usize = 8;

impl Store {
    /// Writes what is dirty, and then nothing is. Bodies of pods are in the store
    /// afterwards, and no longer in memory, unless some rule asks for them.
    ///
    /// # Errors
    /// When it cannot be written, or somebody else wrote since the world was loaded; the
    /// whole transaction is rolled back then, and the world must be loaded again.
    pub fn save(&mut self, world: &mut World) -> Result<(), Diagnostic> {
        self.whole(|store| {
            let (unused, path) = (store.unused.take(), store.path.clone());
            let aside = store.write("write the objects", |connection| {
                // With a run that changes something, and so is on record.
                if world.resource_version != world.stored {
                    unused.drop(connection)?;
                }
                claim(connection, world, &path)?;
                Aside::of(connection, world)
            })?;
            let most = store.promises().most;
            meter::begin(dirty::count(world));
            for batch in batches(world, most) {
                Target::write(store, &batch)?;
                meter::add(batch.len());
            }
            let whole = store.is_whole.get();
            store.write("write the objects", |connection| {
                aside.bring_back(connection)?;
                counters(connection, world)?;
                refusals::write(connection, world)?;
                // What a part lacks is there all the same, so what it changes was counted.
                if world.part.is_none() {
                    sum::record(connection, whole.then_some(&*world))?;
                }
                events::record(connection, &world.dirty.events)
            })
        })?;
        let dirty = std::mem::take(&mut world.dirty);
        for (kind, key) in dirty.objects.iter().filter(|(kind, _)| *kind != Kind::Pod) {
            if let Some(meta) = world.meta_mut(*kind, key) {
                meta.stored = meta.resource_version;
            }
        }
        let pods = dirty.objects.range((Kind::Pod, ObjectKey::default())..);
        saved(world, dirty.made, pods.map_while(|(kind, key)| (*kind == Kind::Pod).then_some(key)));
        world.stored = world.resource_version;
        Ok(())
    }
}

/// Says of pods, in key order, that the store has them. Of many it costs less to look at all
/// that there are, one after the other, than to look each of them up.
fn saved<'k>(world: &mut World, made: bool, keys: impl Iterator<Item = &'k ObjectKey> + Clone) {
    let whole = world.whole.pods;
    let save = |pod: &mut Pod| {
        pod.meta.stored = pod.meta.resource_version;
        if let Body::Written(value) = &pod.body {
            let body = if whole { Body::Read(value.clone()) } else { Body::Stored };
            pod.body = body;
        }
    };
    if !made && keys.clone().nth(world.pods.len() / FEW).is_none() {
        keys.for_each(|key| world.pods.get_mut(key).into_iter().for_each(save));
        return;
    }
    let mut keys = keys.peekable();
    for pod in world.pods.values_mut() {
        while keys.next_if(|next| **next < pod.meta.key).is_some() {}
        let is_named = keys.next_if(|next| **next == pod.meta.key).is_some();
        if is_named || made && pod.meta.stored == 0 {
            save(pod);
        }
    }
}

/// Takes the store from the version that the world was loaded with to the world's.
fn claim(connection: &Connection, world: &World, path: &str) -> Result<(), Fault> {
    let (expected, new) = (columns::signed(world.stored), columns::signed(world.resource_version));
    let sql = "UPDATE meta SET value = ?1, sum = row_sum(name, ?1)
        WHERE name = 'resource_version' AND value = ?2";
    if connection.prepare_cached(sql)?.execute([new, expected])? == 1 {
        return Ok(());
    }
    if world.stored == 0 {
        let sql = "INSERT INTO meta (name, value, sum)
            VALUES ('resource_version', ?1, row_sum('resource_version', ?1)) ON CONFLICT DO NOTHING";
        if connection.prepare_cached(sql)?.execute([new])? == 1 {
            return Ok(());
        }
    }
    let told = format!("the store `{path}` was written to by somebody else");
    let told = Diagnostic::error("conflict", told)
        .at(Place::file(path))
        .because(format!("version {} was expected, and it has another one", world.stored))
        .help("run the command again: it begins with what is there now");
    Err(Fault::Told(Box::new(told)))
}

/// Back-off, attempts, incarnations and deleted owners.
fn counters(connection: &Connection, world: &World) -> Result<(), Fault> {
    let dirty = &world.dirty;
    let mut rows = Counted::new(
        (connection, world),
        "backoff",
        "INSERT OR REPLACE INTO backoff VALUES (?1, ?2, ?3, ?4, row_sum(?1, ?2, ?3, ?4))",
        "DELETE FROM backoff WHERE daemonset_uid = ?1 AND node = ?2",
    )?;
    for entry in &dirty.backoff {
        let (uid, node) = (&*entry.0, &*entry.1);
        match world.backoff.get(entry) {
            Some(it) => rows.write([uid, node], params![uid, node, it.seconds, it.since])?,
            None => rows.forget([uid, node])?,
        }
    }
    rows.record()?;
    let mut rows = Counted::new(
        (connection, world),
        "attempts",
        "INSERT OR REPLACE INTO attempts VALUES (?1, ?2, ?3, ?4, row_sum(?1, ?2, ?3, ?4))",
        "DELETE FROM attempts WHERE namespace = ?1 AND daemonset = ?2 AND node = ?3",
    )?;
    for entry in &dirty.attempts {
        let (namespace, name, node) = (&*entry.0.namespace, &*entry.0.name, &*entry.1);
        let key = [namespace, name, node];
        match world.attempts.get(entry) {
            Some(attempts) => rows.write(key, params![namespace, name, node, attempts])?,
            None => rows.forget(key)?,
        }
    }
    rows.record()?;
    let mut rows = Counted::new(
        (connection, world),
        "incarnations",
        "INSERT OR REPLACE INTO incarnations VALUES (?1, ?2, ?3, ?4, row_sum(?1, ?2, ?3, ?4))",
        "DELETE FROM incarnations WHERE kind = ?1 AND namespace = ?2 AND name = ?3",
    )?;
    for entry in &dirty.incarnations {
        let (kind, namespace, name) = (entry.0.name(), &*entry.1.namespace, &*entry.1.name);
        let key = [kind, namespace, name];
        match world.incarnations.get(entry) {
            Some(made) => rows.write(key, params![kind, namespace, name, made])?,
            None => rows.forget(key)?,
        }
    }
    rows.record()?;
    let before = deleted_owners(connection)?;
    let mut rows = Counted::new(
        (connection, world),
        "deleted_owners",
        "INSERT INTO deleted_owners VALUES (?1, row_sum(?1))",
        "DELETE FROM deleted_owners WHERE uid = ?1",
    )?;
    for uid in world.deleted_owners.keys().filter(|uid| !before.contains(*uid)) {
        rows.write([&**uid], params![&**uid])?;
    }
    for uid in before.iter().filter(|uid| !world.deleted_owners.contains_key(*uid)) {
        rows.forget([&**uid])?;
    }
    rows.record()
}
