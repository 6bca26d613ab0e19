//! What can be wrong with a store file: each thing is said, and nothing is changed.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use dsrules::diagnostic::Diagnostic;
use dsrules::kube::{Kind, Object, ObjectKey, Origin};
use dsrules::state::World;
use dsrules::target::sqlite::{Open, Store};
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

fn node(name: &str, version: &str) -> Object {
    let value = json!({ "metadata": { "name": name, "labels": { "v": version } }, "spec": {},
        "status": { "nodeInfo": { "kubeletVersion": version } } });
    let origin = Origin { file: "a.yaml".into(), document: 0, path: String::new() };
    Object { kind: Kind::Node, key: ObjectKey::new("", name), value, origin }
}

fn open(path: &Path) -> Result<Store, Diagnostic> {
    Store::open(path, &Open::write("dsrules apply"))
}

fn read(path: &Path) -> Result<World, Diagnostic> {
    Store::open(path, &Open::read())?.load()
}

/// A store with one node, closed.
fn made() -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dsrules.db");
    let mut store = open(&path).unwrap();
    let mut world = World::default();
    world.put(node("n1", "one"), 0);
    store.save(&mut world).unwrap();
    (folder, path)
}

/// Changes the database behind dsrules' back.
fn meddle(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

/// Both a writer and a reader say `code`, and the file stays as it was.
fn refused(path: &Path, code: &str) {
    let before = fs::read(path).unwrap();
    assert_eq!(open(path).map(|_| ()).unwrap_err().code, code);
    assert_eq!(read(path).map(|_| ()).unwrap_err().code, code);
    assert!(fs::read(path).unwrap() == before, "{code} changed the file");
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dsrules.db");
    fs::write(&path, "apiVersion: v1\n".repeat(1000)).unwrap();
    refused(&path, "not-a-store");
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    meddle(&path, "CREATE TABLE theirs (a)");
    refused(&path, "not-a-store");
    meddle(&path, "DROP TABLE theirs; PRAGMA application_id = 7");
    refused(&path, "not-a-store");
}

#[test]
fn a_newer_store_is_left_alone() {
    let (_folder, path) = made();
    meddle(&path, "PRAGMA user_version = 99");
    refused(&path, "newer-store");
}

#[test]
fn an_empty_file_is_a_store_that_was_not_written_yet() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dsrules.db");
    fs::write(&path, "").unwrap();
    assert_eq!(read(&path).map(|_| ()).unwrap_err().code, "no-store");
    open(&path).unwrap();
    assert!(read(&path).unwrap().nodes.is_empty());
}

#[test]
fn a_folder_and_a_missing_folder_are_said() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(open(folder.path()).unwrap_err().code, "not-a-store");
    let told = open(&folder.path().join("no/such/dsrules.db")).unwrap_err();
    assert_eq!(told.code, "cannot-open-store");
    assert!(fs::read_dir(folder.path()).unwrap().next().is_none(), "something was left behind");
}

#[test]
fn a_read_only_file_is_read_and_not_written() {
    let (_folder, path) = made();
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();
    assert_eq!(open(&path).unwrap_err().code, "read-only-store");
    assert_eq!(read(&path).unwrap().nodes.len(), 1);
}

#[test]
fn damaged_pages_are_said() {
    let (_folder, path) = made();
    let mut bytes = fs::read(&path).unwrap();
    let start = bytes.len() / 4;
    bytes[start..].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    assert_eq!(read(&path).map(|_| ()).unwrap_err().code, "corrupt-store");
    // Cut off in the middle of a page.
    let (_folder, path) = made();
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2 + 100]).unwrap();
    assert_eq!(read(&path).map(|_| ()).unwrap_err().code, "corrupt-store");
}

#[test]
fn damaged_content_is_said() {
    let damages = [
        "UPDATE nodes SET labels = '{'",
        "UPDATE nodes SET taints = '[1]'",
        "UPDATE nodes SET owner = 77",
        "INSERT INTO incarnations VALUES ('Nonsense', '', 'a', 1, 0)",
        "DROP TABLE pods",
    ];
    for damage in damages {
        let (_folder, path) = made();
        meddle(&path, &format!("PRAGMA foreign_keys = OFF; {damage}"));
        let told = read(&path).map(|_| ()).unwrap_err();
        assert!(["corrupt-store", "store-failed"].contains(&told.code), "{damage}: {told}");
    }
}

#[test]
fn a_program_that_is_not_dsrules_holds_sqlites_lock() {
    let (_folder, path) = made();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut store = open(&path).unwrap();
    store.busy_for(std::time::Duration::ZERO).unwrap();
    assert_eq!(store.begin().unwrap_err().code, "store-locked");
    other.execute_batch("ROLLBACK").unwrap();
    store.begin().unwrap();
}

/// Not a test by itself: what the next ones run as a process of its own. It commits
/// pairs of nodes that always have the same version, and says each one.
#[test]
#[ignore = "run by the tests below"]
fn writer_process() {
    let Some(path) = std::env::var_os("STORE_UNDER_TEST") else { return };
    let mut store = open(Path::new(&path)).unwrap();
    let mut world = store.load().unwrap();
    for turn in 0_u64.. {
        store.begin().unwrap();
        for name in ["left", "right"] {
            world.put(node(name, &format!("v{turn}")), 0);
            store.save(&mut world).unwrap();
        }
        for filler in 0..50 {
            world.put(node(&format!("filler-{filler}"), &format!("v{turn}")), 0);
        }
        store.save(&mut world).unwrap();
        println!("\nsaved {turn}");
        store.commit().unwrap();
        println!("\ncommitted {turn}");
        std::io::stdout().flush().unwrap();
    }
}

/// Runs [`writer_process`] until it says `word`, and kills it there.
fn kill_after(path: &Path, word: &str) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writer_process", "--ignored", "--nocapture"])
        .env("STORE_UNDER_TEST", path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stdout.take().unwrap()).lines().any(|line| line.unwrap() == word);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(said, "the writer ended by itself");
}

#[test]
fn a_killed_writer_leaves_whole_transactions_and_no_lock() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dsrules.db");
    for word in ["saved 0", "committed 3", "saved 7", "saved 11", "committed 12"] {
        kill_after(&path, word);
        // A reader first: it has to bear what the dead process left beside the file.
        for _ in 0..2 {
            let world = read(&path).unwrap();
            let version = |name: &str| world.nodes.get(&ObjectKey::new("", name)).map(|n| n.version.clone());
            assert_eq!(version("left"), version("right"), "after {word}");
            assert_eq!(version("left"), version("filler-49"), "after {word}");
            drop(open(&path).unwrap());
        }
    }
    let world = read(&path).unwrap();
    assert!(world.nodes.len() == 52 && world.resource_version > 0);
    assert_eq!(integrity(&path), "ok");
}

fn integrity(path: &Path) -> String {
    let connection = Connection::open(path).unwrap();
    connection.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap()
}
