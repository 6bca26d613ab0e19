//! Every target keeps the same promises: one set of checks, run on each of them.
#![allow(clippy::unwrap_used)]

#[path = "target/contract.rs"]
mod contract;
#[path = "target/memory.rs"]
mod memory;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use contract::{Follower, Owned, Place, key};
use dsrules::diagnostic::Diagnostic;
use dsrules::kube::{Body, Kind, Object, ObjectKey, Origin, Pod};
use dsrules::state::World;
use dsrules::target::sqlite::{Open, Store};
use dsrules::target::tree::Tree;
use dsrules::target::{Batch, Item, Refused, Target, Write};
use memory::Memory;
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

impl Place for Memory {
    fn open(&self) -> Box<dyn Target> {
        Box::new(self.clone())
    }

    fn hinder(&self, pod: &ObjectKey, is_hindered: bool) {
        Memory::hinder(self, pod, is_hindered);
    }
}

/// A store's file. One handle writes at a time, the others wait for it.
struct File(TempDir);

impl File {
    fn new() -> Self {
        File(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("dsrules.db")
    }

    fn store(&self) -> Store {
        Store::open(&self.path(), &Open::write("dsrules test").wait(Duration::from_secs(60))).unwrap()
    }
}

impl Place for File {
    fn open(&self) -> Box<dyn Target> {
        Box::new(self.store())
    }

    fn hinder(&self, pod: &ObjectKey, is_hindered: bool) {
        let sql = if is_hindered {
            format!(
                "CREATE TRIGGER hinder BEFORE INSERT ON pods WHEN new.name = '{}'
                 BEGIN SELECT raise(ABORT, 'hindered'); END",
                pod.name
            )
        } else {
            "DROP TRIGGER hinder".to_owned()
        };
        Connection::open(self.path()).unwrap().execute_batch(&sql).unwrap();
    }
}

/// A tree's folder.
struct Folder(TempDir);

impl Place for Folder {
    fn open(&self) -> Box<dyn Target> {
        Box::new(Tree::new(&self.0.path().join("tree")))
    }

    fn hinder(&self, pod: &ObjectKey, is_hindered: bool) {
        let file = self.0.path().join(format!("tree/n1/{}_{}.yaml", pod.namespace, pod.name));
        if is_hindered {
            fs::write(file, "somebody's\n").unwrap();
        } else {
            fs::remove_file(file).unwrap();
        }
    }
}

/// Runs a check on a new one of each kind of place.
fn on_each(check: impl Fn(&dyn Place)) {
    check(&Memory::new(Batch::Whole));
    check(&Memory::new(Batch::Sequence));
    check(&File::new());
    check(&Folder(tempfile::tempdir().unwrap()));
}

#[test]
fn what_is_made_must_not_be_there() {
    on_each(contract::creates_if_absent);
}

#[test]
fn what_is_replaced_must_be_there_as_it_was_read() {
    on_each(contract::replaces_if_version);
}

#[test]
fn what_is_deleted_must_be_there_as_it_was_read() {
    on_each(contract::deletes_if_version);
}

#[test]
fn what_was_written_is_there_later() {
    on_each(contract::keeps_what_was_written);
}

#[test]
fn a_batch_that_fails_leaves_what_is_promised() {
    on_each(contract::leaves_what_it_promises);
}

#[test]
fn random_writes_do_what_they_do_to_a_map() {
    for seed in 0..8 {
        on_each(|place| contract::does_as_a_map_does(place, seed));
    }
}

#[test]
fn changes_are_told_once_and_in_order() {
    on_each(contract::tells_changes_in_order);
}

#[test]
fn of_two_writers_one_wins() {
    on_each(contract::lets_one_of_two_writers_win);
}

#[test]
fn a_watch_that_is_cut_goes_on_where_it_was() {
    let mut memory = Memory::new(Batch::Whole);
    let mut follower = Follower::new(&memory, Kind::Pod);
    for name in ["a", "b", "c"] {
        memory.write(&[Write::Create(Owned::new(Kind::Pod, name, "one").item())]).unwrap();
    }
    memory.cut(2);
    let start = memory.list(Kind::Node, &mut |_, _| Ok(())).unwrap();
    let mut told = 0;
    let mut count = |_: ObjectKey, _| {
        told += 1;
        Ok(())
    };
    let nothing = dsrules::target::Cursor("0".to_owned());
    assert_eq!(memory.changes(Kind::Pod, &nothing, &mut count).unwrap_err().code, "cut");
    assert_eq!(told, 2);
    assert_eq!(memory.changes(Kind::Pod, &start, &mut |_, _| Ok(())).unwrap(), Some(start));
    assert_eq!(follower.follow(&memory), ["a", "b", "c"]);
}

#[test]
fn who_comes_after_a_compaction_lists_again() {
    let mut memory = Memory::new(Batch::Whole);
    let mut follower = Follower::new(&memory, Kind::Pod);
    memory.write(&[Write::Create(Owned::new(Kind::Pod, "a", "one").item())]).unwrap();
    memory.compact();
    assert_eq!(follower.follow(&memory), Vec::<String>::new());
    assert_eq!((follower.listed, follower.known().len()), (2, 1));
    memory.write(&[Write::Create(Owned::new(Kind::Pod, "b", "one").item())]).unwrap();
    assert_eq!(follower.follow(&memory), ["b"]);
}

#[test]
fn a_writer_that_is_overtaken_hears_of_it() {
    let mut memory = Memory::new(Batch::Whole);
    memory.write(&[Write::Create(Owned::new(Kind::Pod, "a", "one").item())]).unwrap();
    let version = memory.get(Kind::Pod, &key(Kind::Pod, "a")).unwrap().unwrap().version;
    memory.overtake();
    let refused = memory.write(&[Write::Delete(Kind::Pod, &key(Kind::Pod, "a"), version)]).unwrap_err();
    assert!(matches!(refused, Refused::Conflict(_)));
    let told = Diagnostic::from(refused);
    assert_eq!(told.message, "`pod/default/a` in `memory` was changed by somebody else");
    assert_eq!(told.notes, ["version 1 was expected, and 2 is there"]);
}

fn put(world: &mut World, name: &str, image: &str) {
    let origin = Origin { file: "a.yaml".into(), document: 0, path: String::new() };
    let value = json!({ "metadata": { "name": name, "labels": { "image": image } }, "spec": {} });
    world.put(Object { kind: Kind::DaemonSet, key: key(Kind::DaemonSet, name), value, origin }, 0);
}

#[test]
fn a_world_that_is_behind_the_store_is_not_saved() {
    let mut store = Store::in_memory().unwrap();
    let mut world = World::default();
    put(&mut world, "a", "one");
    put(&mut world, "b", "one");
    store.save(&mut world).unwrap();
    let (mut first, mut second) = (store.load().unwrap(), store.load().unwrap());
    put(&mut first, "a", "two");
    store.save(&mut first).unwrap();
    put(&mut second, "b", "three");
    put(&mut second, "a", "three");
    assert_eq!(store.save(&mut second).unwrap_err().code, "conflict");
    let image = |store: &Store, name: &str| {
        store.object(Kind::DaemonSet, &key(Kind::DaemonSet, name)).unwrap().unwrap()["metadata"]["labels"]["image"].clone()
    };
    assert_eq!((image(&store, "a"), image(&store, "b")), (json!("two"), json!("one")));
    // Saved again and again it stays in step, and after a load it may write too.
    put(&mut first, "a", "four");
    store.save(&mut first).unwrap();
    let mut third = store.load().unwrap();
    put(&mut third, "b", "five");
    store.save(&mut third).unwrap();
    assert_eq!((image(&store, "a"), image(&store, "b")), (json!("four"), json!("five")));
}

#[test]
fn a_row_that_another_program_wrote_is_not_overwritten() {
    let file = File::new();
    let mut store = file.store();
    let mut world = World::default();
    for name in ["a", "b", "c"] {
        put(&mut world, name, "one");
    }
    store.save(&mut world).unwrap();
    let tries: [(&str, &str, &str, &str); 3] = [
        (
            "replace",
            "a",
            "UPDATE daemonsets SET resource_version = 77 WHERE name = 'a'",
            "version 1 was expected, and 77 is there",
        ),
        ("delete", "b", "DELETE FROM daemonsets WHERE name = 'b'", "version 2 was expected, and it is gone"),
        (
            "create",
            "d",
            "INSERT INTO daemonsets SELECT namespace, 'd', uid, 88, generation, created, deleting, written,
            written_spec, owner, labels, status, body, sum FROM daemonsets WHERE name = 'c'",
            "it was to be made, and is there in version 88",
        ),
    ];
    for (way, name, sql, why) in tries {
        let mut behind = world.clone();
        if way == "delete" {
            behind.remove(Kind::DaemonSet, &key(Kind::DaemonSet, name));
        } else {
            put(&mut behind, name, "two");
        }
        put(&mut behind, "c", "two");
        Connection::open(file.path()).unwrap().execute_batch(sql).unwrap();
        let told = store.save(&mut behind).unwrap_err();
        assert_eq!((told.code, &*told.notes[0]), ("conflict", why), "{way}");
        assert_eq!(
            told.message,
            format!(
                "`daemonset.apps/default/{name}` in `{}` was changed by somebody else",
                file.path().display()
            )
        );
        let version: i64 = Connection::open(file.path())
            .unwrap()
            .query_row("SELECT resource_version FROM daemonsets WHERE name = 'c'", [], |row| row.get(0))
            .unwrap();
        assert_eq!(version, 3, "{way}: rolled back");
    }
}

#[test]
fn a_pod_that_a_tree_cannot_hold_is_refused() {
    let folder = Folder(tempfile::tempdir().unwrap());
    let mut tree = folder.open();
    let refused = |done: Result<(), Refused>| match done {
        Err(Refused::Told(told)) => told.notes[0].clone(),
        other => panic!("{other:?}"),
    };
    let node = Owned::new(Kind::Node, "n1", "one");
    assert_eq!(refused(tree.write(&[Write::Create(node.item())])), "a tree holds pods");
    let mut pod = Pod::from_value(key(Kind::Pod, "a"), Arc::new(json!({ "spec": {} })));
    assert_eq!(refused(tree.write(&[Write::Create(Item::Pod(&pod))])), "it is on no node");
    pod.node = Some("n1".into());
    tree.write(&[Write::Create(Item::Pod(&pod))]).unwrap();
    let version = tree.get(Kind::Pod, &pod.meta.key).unwrap().unwrap().version;
    pod.body = Body::Stored;
    let unknown = tree.write(&[Write::Replace(Item::Pod(&pod), version.clone())]);
    assert_eq!(refused(unknown), "its manifest is not in memory");
    pod.node = Some("n2".into());
    let moved = tree.write(&[Write::Replace(Item::Pod(&pod), version.clone())]);
    assert_eq!(refused(moved), "it is on another node: a pod does not move");
    // The last one takes the folder with it that was made for it.
    tree.write(&[Write::Delete(Kind::Pod, &pod.meta.key, version)]).unwrap();
    assert_eq!(fs::read_dir(folder.0.path().join("tree")).unwrap().count(), 0);
}

#[test]
fn what_a_hand_changed_in_a_tree_is_a_conflict() {
    let folder = Folder(tempfile::tempdir().unwrap());
    let mut tree = folder.open();
    let made = Owned::new(Kind::Pod, "a", "one");
    tree.write(&[Write::Create(made.item())]).unwrap();
    let there = tree.get(Kind::Pod, &key(Kind::Pod, "a")).unwrap().unwrap().version;
    let file = folder.0.path().join("tree/n1/default_a.yaml");
    fs::write(&file, format!("{}# a note\n", fs::read_to_string(&file).unwrap())).unwrap();
    let new = Owned::new(Kind::Pod, "a", "two");
    let refused = tree.write(&[Write::Replace(new.item(), there)]).unwrap_err();
    assert!(matches!(refused, Refused::Conflict(_)), "{refused:?}");
    assert!(fs::read_to_string(&file).unwrap().ends_with("# a note\n"));
}
