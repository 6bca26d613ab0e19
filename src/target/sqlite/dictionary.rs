//! Owners, label sets and pod bases: what many rows have in common, kept once.
//!
//! Reading, a row names an id and gets the one shared value. Writing, a value gets the
//! id of its row, which is made when there is none. Rows that nothing names any longer
//! are found by a full load and dropped by the next save.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{CachedStatement, Connection, OptionalExtension, params, params_from_iter};
use rustc_hash::{FxHashMap, FxHashSet};

use super::fault::Fault;
use super::sum;
use crate::kube::{Base, Common, Labels, Name, Owner, Stand};

/// Names that were met before, so that equal ones are one allocation.
#[derive(Debug, Default)]
pub(super) struct Names(FxHashSet<Name>);

impl Names {
    pub(super) fn name(&mut self, text: &str) -> Name {
        if let Some(name) = self.0.get(text) {
            return name.clone();
        }
        let name = Name::from(text);
        self.0.insert(name.clone());
        name
    }

    /// Labels as a column holds them: a JSON object of strings.
    pub(super) fn labels(&mut self, json: &str) -> Result<Labels, Fault> {
        let read: BTreeMap<std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>> =
            serde_json::from_str(json)?;
        Ok(Arc::new(read.iter().map(|(key, value)| (self.name(key), self.name(value))).collect()))
    }
}

/// What pods in key order have alike, so that it is one allocation: with the one before, mostly.
#[derive(Debug, Default)]
pub(super) struct Alike {
    commons: Vec<Arc<Common>>,
    stands: Vec<Arc<Stand>>,
}

/// So many of the last are looked at.
const LAST: usize = 4;

impl Alike {
    pub(super) fn common(&mut self, common: Common) -> Arc<Common> {
        last(&mut self.commons, common)
    }

    pub(super) fn stand(&mut self, stand: Stand) -> Arc<Stand> {
        last(&mut self.stands, stand)
    }
}

fn last<T: PartialEq>(last: &mut Vec<Arc<T>>, it: T) -> Arc<T> {
    if let Some(known) = last.iter().find(|known| ***known == it) {
        return known.clone();
    }
    let it = Arc::new(it);
    last.truncate(LAST - 1);
    last.insert(0, it.clone());
    it
}

/// Ids of dictionary rows that nothing names.
#[derive(Debug, Default)]
pub(super) struct Unused {
    owners: Vec<i64>,
    label_sets: Vec<i64>,
    pod_bases: Vec<i64>,
}

/// The dictionaries, read as rows name them.
pub(super) struct Reader<'c> {
    pub(super) names: Names,
    pub(super) alike: Alike,
    owners: FxHashMap<i64, Arc<Owner>>,
    label_sets: FxHashMap<i64, Labels>,
    pod_bases: FxHashMap<i64, Arc<Base>>,
    owner: CachedStatement<'c>,
    label_set: CachedStatement<'c>,
    pod_base: CachedStatement<'c>,
}

impl<'c> Reader<'c> {
    pub(super) fn new(connection: &'c Connection) -> Result<Self, Fault> {
        Ok(Reader {
            names: Names::default(),
            alike: Alike::default(),
            owners: FxHashMap::default(),
            label_sets: FxHashMap::default(),
            pod_bases: FxHashMap::default(),
            owner: connection.prepare_cached("SELECT id, kind, name, uid, sum FROM owners WHERE id = ?1")?,
            label_set: connection.prepare_cached("SELECT id, labels, sum FROM label_sets WHERE id = ?1")?,
            pod_base: connection
                .prepare_cached("SELECT id, fingerprint, body, sum FROM pod_bases WHERE id = ?1")?,
        })
    }

    pub(super) fn owner(&mut self, id: Option<i64>) -> Result<Option<Arc<Owner>>, Fault> {
        let Some(id) = id else { return Ok(None) };
        if let Some(owner) = self.owners.get(&id) {
            return Ok(Some(owner.clone()));
        }
        let names = &mut self.names;
        let mut rows = self.owner.query([id])?;
        let row = rows.next()?.ok_or_else(|| dangling("owners", id))?;
        sum::check(row, "owners", 0, 4)?;
        let mut text = |column| row.get_ref(column).and_then(|t| Ok(names.name(t.as_str()?)));
        let owner = Arc::new(Owner { kind: text(1)?, name: text(2)?, uid: text(3)? });
        self.owners.insert(id, owner.clone());
        Ok(Some(owner))
    }

    pub(super) fn label_set(&mut self, id: i64) -> Result<Labels, Fault> {
        if let Some(labels) = self.label_sets.get(&id) {
            return Ok(labels.clone());
        }
        let mut rows = self.label_set.query([id])?;
        let row = rows.next()?.ok_or_else(|| dangling("label_sets", id))?;
        sum::check(row, "label_sets", 0, 2)?;
        let labels = self.names.labels(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?)?;
        self.label_sets.insert(id, labels.clone());
        Ok(labels)
    }

    pub(super) fn pod_base(&mut self, id: i64) -> Result<Arc<Base>, Fault> {
        if let Some(base) = self.pod_bases.get(&id) {
            return Ok(base.clone());
        }
        let mut rows = self.pod_base.query([id])?;
        let row = rows.next()?.ok_or_else(|| dangling("pod_bases", id))?;
        sum::check(row, "pod_bases", 0, 3)?;
        let body = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
        let base = Arc::new(Base { id: row.get::<_, String>(1)?.into(), value: serde_json::from_str(body)? });
        self.pod_bases.insert(id, base.clone());
        Ok(base)
    }

    /// After a full load: the rows that were never named.
    pub(super) fn unused(&self, connection: &Connection) -> Result<Unused, Fault> {
        let rest = |table: &str, named: &dyn Fn(i64) -> bool| -> Result<Vec<i64>, Fault> {
            let mut statement = connection.prepare(&format!("SELECT id FROM {table} ORDER BY id"))?;
            let ids = statement.query_map([], |row| row.get::<_, i64>(0))?;
            Ok(ids.filter(|id| !matches!(id, Ok(id) if named(*id))).collect::<Result<_, _>>()?)
        };
        Ok(Unused {
            owners: rest("owners", &|id| self.owners.contains_key(&id))?,
            label_sets: rest("label_sets", &|id| self.label_sets.contains_key(&id))?,
            pod_bases: rest("pod_bases", &|id| self.pod_bases.contains_key(&id))?,
        })
    }
}

fn dangling(table: &str, id: i64) -> Fault {
    Fault::Content(format!("a row names the id {id}, which `{table}` has not"))
}

impl Unused {
    pub(super) fn drop(self, connection: &Connection) -> Result<(), Fault> {
        let tables =
            [("owners", self.owners), ("label_sets", self.label_sets), ("pod_bases", self.pod_bases)];
        for (table, ids) in tables {
            // The last one stays, so that no number is ever given twice: former rows name them too.
            let last = format!("(SELECT max(id) FROM {table})");
            let mut statement =
                connection.prepare(&format!("DELETE FROM {table} WHERE id = ?1 AND id < {last}"))?;
            for id in ids {
                statement.execute([id])?;
            }
        }
        Ok(())
    }
}

/// The ids of values that are written.
pub(super) struct Writer<'c> {
    connection: &'c Connection,
    owners: FxHashMap<Arc<Owner>, i64>,
    label_sets: FxHashMap<Labels, i64>,
    pod_bases: FxHashMap<Name, i64>,
    /// The last ones, which the next pod in key order has mostly as well.
    last_labels: Option<(Labels, i64)>,
}

impl<'c> Writer<'c> {
    pub(super) fn new(connection: &'c Connection) -> Self {
        Writer {
            connection,
            owners: FxHashMap::default(),
            label_sets: FxHashMap::default(),
            pod_bases: FxHashMap::default(),
            last_labels: None,
        }
    }

    pub(super) fn owner(&mut self, owner: Option<&Arc<Owner>>) -> Result<Option<i64>, Fault> {
        let Some(owner) = owner else { return Ok(None) };
        if let Some(id) = self.owners.get(owner) {
            return Ok(Some(*id));
        }
        let id = self.id(
            "owners",
            "kind = ?1 AND name = ?2 AND uid = ?3",
            "INSERT INTO owners (id, kind, name, uid, sum) SELECT n, ?1, ?2, ?3, row_sum(n, ?1, ?2, ?3)
             FROM (SELECT coalesce(max(id), 0) + 1 AS n FROM owners)",
            &[&owner.kind, &owner.name, &owner.uid],
        )?;
        self.owners.insert(owner.clone(), id);
        Ok(Some(id))
    }

    pub(super) fn label_set(&mut self, labels: &Labels) -> Result<i64, Fault> {
        if let Some((last, id)) = &self.last_labels
            && Arc::ptr_eq(last, labels)
        {
            return Ok(*id);
        }
        let id = if let Some(id) = self.label_sets.get(labels) {
            *id
        } else {
            let json = serde_json::to_string(labels)?;
            let id = self.id(
                "label_sets",
                "labels = ?1",
                "INSERT INTO label_sets (id, labels, sum) SELECT n, ?1, row_sum(n, ?1)
                 FROM (SELECT coalesce(max(id), 0) + 1 AS n FROM label_sets)",
                &[&json],
            )?;
            self.label_sets.insert(labels.clone(), id);
            id
        };
        self.last_labels = Some((labels.clone(), id));
        Ok(id)
    }

    pub(super) fn pod_base(&mut self, base: &Base) -> Result<i64, Fault> {
        if let Some(id) = self.pod_bases.get(&base.id) {
            return Ok(*id);
        }
        let id = match self.find("pod_bases", "fingerprint = ?1", &[&base.id])? {
            Some(id) => id,
            None => {
                let insert = "INSERT INTO pod_bases (id, fingerprint, body, sum)
                    SELECT n, ?1, ?2, row_sum(n, ?1, ?2) FROM (SELECT coalesce(max(id), 0) + 1 AS n FROM pod_bases)";
                let body = serde_json::to_string(&base.value)?;
                self.connection.prepare_cached(insert)?.insert(params![&*base.id, body])?
            }
        };
        self.pod_bases.insert(base.id.clone(), id);
        Ok(id)
    }

    fn id(&self, table: &'static str, is: &str, insert: &str, values: &[&str]) -> Result<i64, Fault> {
        match self.find(table, is, values)? {
            Some(id) => Ok(id),
            None => Ok(self.connection.prepare_cached(insert)?.insert(params_from_iter(values))?),
        }
    }

    /// The id of the row that has these values, which are its first ones. An index that
    /// leads to another row would give all that is written with it the wrong labels, so
    /// the row itself is looked at.
    fn find(&self, table: &'static str, is: &str, values: &[&str]) -> Result<Option<i64>, Fault> {
        let mut find = self.connection.prepare_cached(&format!("SELECT id FROM {table} WHERE {is}"))?;
        let found = find.query_row(params_from_iter(values), |row| row.get(0)).optional()?;
        let Some(id) = found else { return Ok(None) };
        let mut row = self.connection.prepare_cached(&format!("SELECT * FROM {table} WHERE id = ?1"))?;
        let columns = row.column_count() - 1;
        let mut rows = row.query([id])?;
        let row = rows.next()?.ok_or_else(|| dangling(table, id))?;
        sum::check(row, table, 0, columns)?;
        for (nth, value) in values.iter().enumerate() {
            if row.get_ref(nth + 1)?.as_str() != Ok(*value) {
                let what = format!("the index of the table `{table}` leads to the wrong row, {id}");
                return Err(Fault::Damaged(what));
            }
        }
        Ok(Some(id))
    }
}
