//! The store: one SQLite file that holds the cluster between commands.
//!
//! A command opens it, begins, loads a [`World`](crate::state::World), changes it,
//! saves what changed and commits: the whole is one transaction. Only this module holds
//! SQL. It decides nothing, reads no clock and prints nothing.
//!
//! ```text
//!  open -> begin -> load ------> world --(manifests, plan)--> world -> save -> commit
//!   |        |                                                          |
//!  lock   BEGIN IMMEDIATE             only what `world.dirty` says -----+
//! ```
//!
//! Lock order: the lock file beside the database (`lock`), then `BEGIN IMMEDIATE`;
//! `busy_timeout` is set before anything touches the file. Readers take no lock: WAL
//! gives them the last committed state. Each write names the version that it expects to
//! find, so what another program wrote while a world of ours was in memory is not undone
//! unseen. Not promised: that this program's change is heard where it left the versions.

mod back;
mod beside;
mod brought;
mod bulk;
mod columns;
mod counted;
mod dictionary;
mod events;
mod fault;
mod inputs;
mod known;
mod load;
mod lock;
mod log;
mod memory;
mod migrate;
mod objects;
mod open;
mod own;
mod packed;
mod part;
mod past;
mod placement;
mod pods;
mod refusals;
mod private;
mod save;
mod rest;
mod selected;
mod settled;
mod shared;
mod store;
mod sum;
mod tables;
mod whole;
mod write;

pub use events::StoredEvent;
pub use migrate::{OLDER, SCHEMA_VERSION};
pub use objects::PodReader;
pub use open::{Missing, Open};
pub use placement::{Fit, Placement, PlacementOf};
pub use private::make_folder;
pub use shared::{Change, Replica, Taken, Upstream};
pub use store::Store;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::kube::{Kind, Object, ObjectKey, Origin};
    use crate::state::World;

    fn put(world: &mut World, name: &str, filler: usize) {
        let value = json!({ "metadata": {}, "spec": { "filler": "x".repeat(filler) } });
        let origin = Origin { file: "a.yaml".into(), document: 0, path: String::new() };
        world.put(Object { kind: Kind::Node, key: ObjectKey::new("", name), value, origin }, 0);
    }

    #[test]
    fn a_full_disk_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dsrules.db");
        let mut store = Store::open(&path, &Open::write("dsrules apply")).unwrap();
        let mut world = World::default();
        put(&mut world, "small", 10);
        store.save(&mut world).unwrap();
        let pages: i64 = store.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        // SQLite's own bound stands in for the disk's.
        store.connection.pragma_update_and_check(None, "max_page_count", pages + 2, |_| Ok(())).unwrap();
        put(&mut world, "large", 1_000_000);
        store.begin().unwrap();
        let told = store.save(&mut world).unwrap_err();
        assert_eq!(told.code, "disk-full", "{told}");
        let names: Vec<_> = store.load().unwrap().nodes.into_keys().map(|key| key.name).collect();
        assert_eq!(names, ["small".into()]);
        // And there is no transaction left half open.
        store.begin().unwrap();
        store.rollback();
    }

    #[test]
    fn unused_dictionary_rows_go_with_the_save_after_a_load() {
        let mut store = Store::in_memory().unwrap();
        store.connection.execute_batch("INSERT INTO label_sets (labels) VALUES ('{}'), ('[]')").unwrap();
        let count = |store: &Store| -> i64 {
            store.connection.query_row("SELECT count(*) FROM label_sets", [], |row| row.get(0)).unwrap()
        };
        let mut world = store.load().unwrap();
        assert_eq!(count(&store), 2);
        put(&mut world, "n1", 0);
        store.save(&mut world).unwrap();
        assert_eq!(count(&store), 1, "the last number is not given twice");
    }

    #[test]
    fn few_pods_are_found_by_indexes() {
        let store = Store::in_memory().unwrap();
        let plan = |sql: &str| -> String {
            let mut statement = store.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let steps = statement.raw_query().mapped(|row| row.get::<_, String>(3));
            steps.collect::<Result<Vec<_>, _>>().unwrap().join("; ")
        };
        let target = format!("SELECT * FROM pods WHERE {} IS ?1", pods::TARGET);
        for (sql, index) in [
            (target.as_str(), "pods_by_target"),
            ("SELECT * FROM pods WHERE owner = ?1", "pods_by_owner"),
            (&objects::pods_sql("WHERE coalesce(node, pinned) = ?1 AND t.namespace = ?2"), "pods_by_target"),
            (&objects::pods_sql("WHERE t.owner IS ?1 AND t.labels = ?2"), "pods_by_owner"),
            (
                "SELECT owner, labels FROM pods WHERE owner = 1 AND labels > 2 ORDER BY 1, 2 LIMIT 1",
                "pods_by_owner",
            ),
            (&format!("SELECT * FROM node_bodies WHERE {}", load::SAYING), "node_bodies_saying"),
            (part::NEXT_ATTEMPTS[0], "PRIMARY KEY"),
            (part::NEXT_ATTEMPTS[1], "PRIMARY KEY"),
        ] {
            let steps = plan(sql);
            assert!(steps.contains(index) && !steps.contains("TEMP B-TREE"), "{sql}: {steps}");
        }
    }

    #[test]
    fn the_views_read_the_tables() {
        let mut store = Store::in_memory().unwrap();
        let mut world = World::default();
        put(&mut world, "n1", 0);
        store.save(&mut world).unwrap();
        let views = "SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name";
        let mut statement = store.connection.prepare(views).unwrap();
        let names: Vec<String> =
            statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        assert!(names.len() >= 6, "{names:?}");
        for name in names {
            let sql = format!("SELECT count(*) FROM {name}");
            store.connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap();
        }
    }
}
