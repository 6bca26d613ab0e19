//! Bits that a disk flipped: whatever they hit, what is read is right or an error, never
//! something else. And stores of former versions, which get their checksums.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use dsrules::app::rules::Policy;
use dsrules::app::{self, Silent, transaction};
use dsrules::diagnostic::Diagnostic;
use dsrules::kube::{Kind, ObjectKey};
use dsrules::manifest::{Input, Options, read};
use dsrules::state::{InputFile, Part};
use dsrules::target::sqlite::{Open, Store};
use rusqlite::Connection;
use tempfile::TempDir;

#[path = "reliability/figure.rs"]
#[allow(dead_code)]
mod figure;

const NOW: i64 = 1_790_000_000;

/// Nodes, a daemonset with a former revision, a pod of nobody, events, what was brought.
fn manifests(image: &str) -> String {
    let nodes: String = (0..12)
        .map(|n| {
            format!(
                "apiVersion: v1\nkind: Node\nmetadata: {{name: n{n}, labels: {{disk: d{}}}}}\n---\n",
                n % 3
            )
        })
        .collect();
    format!(
        "{nodes}apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{name: agent, namespace: kube-system}}\n\
         spec:\n  selector: {{matchLabels: {{app: agent}}}}\n  template:\n    metadata: {{labels: {{app: agent}}}}\n\
         \x20   spec: {{containers: [{{name: c, image: \"{image}\"}}]}}\n---\n\
         apiVersion: v1\nkind: Pod\nmetadata: {{name: alone, namespace: kube-system}}\n\
         spec: {{nodeName: n2, containers: [{{name: c, image: \"y:1\"}}]}}\nstatus: {{phase: Running}}\n---\n\
         apiVersion: v1\nkind: Namespace\nmetadata: {{name: kube-system}}\n"
    )
}

fn apply(store: &mut Store, image: &str) -> Result<(), Diagnostic> {
    let bytes = manifests(image).into_bytes().into();
    let reading = read(&[Input::Text { name: "a.yaml".into(), bytes }], &Options::default());
    assert!(!reading.has_errors());
    store.begin()?;
    let program = dsrules::policy::builtin::load(&[]).program.unwrap();
    let options = app::Options::at(NOW);
    let policy = Policy { own: Vec::new(), program };
    transaction::apply(store, "/in/a.yaml", reading, &policy, &options, None, &Silent).map(drop)
}

fn write(path: &Path) -> Result<Store, Diagnostic> {
    Store::open(path, &Open::write("dsrules apply"))
}

/// A store that was closed, or one whose writer was killed: then its last apply is in the log.
fn made(killed: bool) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dsrules.db");
    let mut store = write(&path).unwrap();
    apply(&mut store, "x:1").unwrap();
    if killed {
        drop(store);
        store = write(&path).unwrap();
    }
    apply(&mut store, "x:2").unwrap();
    let (other, copy) = (tempfile::tempdir().unwrap(), "dsrules.db");
    if killed {
        for name in ["dsrules.db", "dsrules.db-wal", "dsrules.db.lock"] {
            fs::copy(folder.path().join(name), other.path().join(name)).unwrap();
        }
    } else {
        drop(store);
        fs::copy(&path, other.path().join(copy)).unwrap();
    }
    let path = other.path().join(copy);
    (other, path)
}

/// Everything that a command may be told by a store.
fn everything(path: &Path) -> Result<String, Diagnostic> {
    let store = Store::open(path, &Open::read())?;
    let mut all = String::new();
    let kinds = [Kind::Namespace, Kind::Node, Kind::DaemonSet, Kind::ControllerRevision, Kind::Pod];
    for kind in kinds {
        let mut keys = Vec::new();
        store.objects(kind, None, &mut |key, value| {
            all.push_str(&format!("{kind} {key} {value}\n"));
            keys.push(key);
            Ok(())
        })?;
        for key in keys {
            // What is not found is an error of its own, and whoever plans reads the world too.
            let Some(object) = store.object(kind, &key)? else {
                return Err(Diagnostic::error("not-found", format!("there is no {kind} `{key}`")));
            };
            all.push_str(&format!("{object}\n"));
        }
    }
    let mut world = store.load()?;
    store.load_details(&mut world)?;
    let counters = (&world.resource_version, &world.incarnations, &world.deleted_owners, &world.backoff);
    let attempts: std::collections::BTreeMap<_, _> = world.attempts.iter().collect();
    all.push_str(&format!(
        "{:?} {:?} {:?} {:?}\n",
        world.nodes, world.pods, world.revisions, world.daemonsets
    ));
    all.push_str(&format!("{counters:?} {attempts:?}\n{:?}\n", store.events(None)?));
    let objects = world.nodes.keys().map(|key| (Kind::Node, key.clone())).collect();
    all.push_str(&format!("{:?} {:?}\n", store.files_of(&objects)?, store.input("/in/b.yaml")?));
    all.push_str(&format!("{:?} {:?}\n", store.input("/in/a.yaml")?, store.own_files(None)?));
    all.push_str(&format!("{:?} {:?}\n", store.statuses()?, store.bound_pods("DaemonSet")?));
    Ok(all)
}

/// Flips one bit after the other of a file, and says how many were noticed.
fn flips(path: &Path, of: &str, right: &[String], bits: impl Iterator<Item = usize>) -> (usize, usize) {
    let file = path.with_file_name(of);
    let whole = fs::read(&file).unwrap();
    let (mut noticed, mut tried) = (0, 0);
    let beside: Vec<(PathBuf, Vec<u8>)> = ["dsrules.db", "dsrules.db-wal"]
        .iter()
        .filter_map(|name| Some((path.with_file_name(name), fs::read(path.with_file_name(name)).ok()?)))
        .collect();
    for bit in bits.filter(|bit| bit / 8 < whole.len()) {
        for (path, bytes) in &beside {
            fs::write(path, bytes).unwrap();
        }
        let _ = fs::remove_file(path.with_file_name("dsrules.db-shm"));
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&file, bytes).unwrap();
        tried += 1;
        match everything(path) {
            Err(told) => {
                noticed += 1;
                assert!(!told.message.is_empty());
            }
            Ok(read) => {
                let other = read.lines().find(|line| !right.iter().any(|right| right.contains(line)));
                assert!(right.contains(&read), "bit {bit} of {of} is taken for what was written: {other:?}");
            }
        }
    }
    (noticed, tried)
}

/// Bits all over a file, the same every time; `step` is no multiple of a page.
fn spread(step: usize) -> impl Iterator<Item = usize> {
    (0..100_000_000).step_by(step)
}

#[test]
fn flipped_bits_of_a_store_are_noticed() {
    let (_folder, path) = made(false);
    let right = everything(&path).unwrap();
    let step = if figure::is_full() { 301 } else { 3_001 };
    let (noticed, tried) = flips(&path, "dsrules.db", std::slice::from_ref(&right), spread(step));
    assert!(tried > 300 && noticed > 30, "{noticed} of {tried}");
    let text = "errors; what the others hit is read by nobody";
    figure::figure("R11", format!("{tried} flipped bits of a database: {noticed} are {text}"));
}

/// Cuts a file off at places all over it: what is read then is right, or an error.
#[test]
fn a_file_that_was_cut_off_is_noticed() {
    let cuts = figure::times(60, 1_000);
    let (mut noticed, mut tried) = (0, 0);
    for (killed, of) in [(false, "dsrules.db"), (true, "dsrules.db"), (true, "dsrules.db-wal")] {
        let (_folder, path) = made(killed);
        let mut right = vec![everything(&path).unwrap()];
        let files = ["dsrules.db", "dsrules.db-wal"].map(|name| path.with_file_name(name));
        let whole: Vec<_> = files.iter().filter_map(|file| Some((file, fs::read(file).ok()?))).collect();
        if killed {
            // A log that ends early says what was committed before.
            let folder = tempfile::tempdir().unwrap();
            let earlier = folder.path().join("dsrules.db");
            apply(&mut write(&earlier).unwrap(), "x:1").unwrap();
            right.push(everything(&earlier).unwrap());
        }
        let length = whole.iter().find(|(file, _)| file.ends_with(of)).map_or(0, |(_, bytes)| bytes.len());
        for nth in 0..cuts / 3 {
            let _ = fs::remove_file(path.with_file_name("dsrules.db-shm"));
            let end = (length * nth / (cuts / 3)).wrapping_add(nth * 7) % length.max(1);
            for (file, bytes) in &whole {
                fs::write(file, if file.ends_with(of) { &bytes[..end] } else { bytes }).unwrap();
            }
            tried += 1;
            match everything(&path) {
                Err(told) => noticed += usize::from(!told.message.is_empty()),
                Ok(read) => assert!(right.contains(&read), "{of} cut off at {end} is taken for whole"),
            }
        }
    }
    figure::figure(
        "R11",
        format!("{tried} cuts of database and log: {noticed} are errors, the others the state before"),
    );
}

#[test]
fn flipped_bits_of_a_log_are_noticed() {
    let (_folder, path) = made(true);
    // A log that is damaged may end before the damage: that is what was committed before.
    let (_before, earlier) = {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dsrules.db");
        apply(&mut write(&path).unwrap(), "x:1").unwrap();
        (folder, path)
    };
    let right = [everything(&path).unwrap(), everything(&earlier).unwrap()];
    assert_ne!(right[0], right[1]);
    let (_, tried) = flips(&path, "dsrules.db-wal", &right, spread(4_001));
    assert!(tried > 100, "{tried}");
    flips(&path, "dsrules.db", &right, spread(9_001));
}

#[test]
fn a_log_that_lost_what_was_committed_is_not_written_to() {
    let (_folder, path) = made(true);
    let log = path.with_file_name("dsrules.db-wal");
    let whole = fs::read(&log).unwrap();
    let restored = |bytes: &[u8]| {
        let _ = fs::remove_file(path.with_file_name("dsrules.db-shm"));
        fs::write(&log, bytes).unwrap();
    };
    // In its header, in the first and last frame's, in a page.
    let last = whole.len() - 4096 - 24;
    for at in [1, 9, 18, 26, 32 + 3, 32 + 9, 32 + 17, 32 + 24 + 2000, last + 9, last + 17, last + 24 + 100] {
        let mut bytes = whole.clone();
        bytes[at] ^= 4;
        restored(&bytes);
        let told = write(&path).map(drop).unwrap_err();
        assert!(["corrupt-store", "foreign-file"].contains(&told.code), "byte {at}: {told}");
        assert_eq!(fs::read(&log).unwrap(), bytes, "byte {at}: it was written to");
    }
    // Cut off, as when the process is killed while it writes: that was never committed.
    restored(&whole[..last + 100]);
    drop(write(&path).unwrap());
}

/// Every bit: `cargo test --release --test store_damage -- --ignored`.
#[test]
#[ignore = "takes long"]
fn every_flipped_bit_is_noticed() {
    let (_folder, path) = made(false);
    let right = everything(&path).unwrap();
    let (noticed, tried) = flips(&path, "dsrules.db", std::slice::from_ref(&right), spread(1));
    println!("{noticed} of {tried} flips were noticed; all others changed nothing that is read");
}

#[test]
fn a_damaged_row_is_named_with_the_way_out() {
    for (harm, said) in [
        (
            "UPDATE daemonsets SET body = replace(body, 'x:2', 'y:2')",
            "the row `kube-system/agent` of the table `daemonsets`",
        ),
        (
            "UPDATE pod_bases SET body = replace(body, 'x:2', 'y:2')",
            "of the table `pod_bases` is not as it was written",
        ),
        ("UPDATE pods SET node = 'n1' WHERE node = 'n2'", "of the table `pods` is not as it was written"),
        ("UPDATE owners SET uid = 'x'", "of the table `owners` is not as it was written"),
        ("UPDATE attempts SET attempts = 7", "of the table `attempts` is not as it was written"),
        ("UPDATE brought SET file = NULL", "of the table `brought` is not as it was written"),
        ("DELETE FROM pods WHERE node = 'n3'", "the table `pods` has 12 rows, and 13 were written"),
        ("DELETE FROM node_bodies WHERE name = 'n3'", "the row `n3` of the table `node_bodies` is gone"),
    ] {
        let (_folder, path) = made(false);
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        assert!(connection.execute(harm, []).unwrap() > 0, "{harm}");
        drop(connection);
        let told = everything(&path).unwrap_err();
        assert_eq!(told.code, "corrupt-store", "{harm}");
        assert!(told.notes[0].contains(said), "{harm}: {told}");
        assert!(told.notes.iter().any(|note| note == "it was filled from `/in/a.yaml`"), "{told}");
        assert!(told.help.as_deref().unwrap_or("").contains("apply the manifests again"), "{told}");
    }
}

/// A row whose key changed is not found by it, and a row that is gone is not either: each
/// question that names a key notices, whatever other rows it would have been content with.
#[test]
fn a_key_that_leads_nowhere_is_noticed() {
    type Ask = fn(&Store) -> Result<(), Diagnostic>;
    let input: Ask = |store| store.input("/in/a.yaml").map(drop);
    let other_input: Ask = |store| store.input("/in/b.yaml").map(drop);
    let files_of: Ask = |store| {
        let node = (Kind::Node, ObjectKey::new("", "n3"));
        store.files_of(&std::iter::once(node).collect()).map(drop)
    };
    let events: Ask = |store| store.events(Some(&ObjectKey::new("kube-system", "agent"))).map(drop);
    let node: Ask = |store| store.object(Kind::Node, &ObjectKey::new("", "n3")).map(drop);
    let daemonset: Ask =
        |store| store.object(Kind::DaemonSet, &ObjectKey::new("kube-system", "agent")).map(drop);
    let pod: Ask = |store| store.object(Kind::Pod, &ObjectKey::new("kube-system", "alone")).map(drop);
    let read_pod: Ask = |store| store.pod_reader()?.read(&ObjectKey::new("kube-system", "alone")).map(drop);
    let pods: Ask = |store| store.objects(Kind::Pod, Some("kube-system"), &mut |_, _| Ok(()));
    let daemonsets: Ask = |store| store.objects(Kind::DaemonSet, Some("kube-system"), &mut |_, _| Ok(()));
    let world: Ask = |store| store.load().map(drop);
    let details: Ask = |store| store.load_details(&mut store.load()?);
    let part: Ask = |store| store.load_details(&mut store.load_part(&Part::of_nodes(["n3".into()].into()))?);
    for (harm, said, asks) in [
        (
            "UPDATE brought SET name = 'nn' WHERE name = 'n3'",
            "row `/in/a.yaml/Node//nn`",
            &[input, other_input, files_of][..],
        ),
        (
            "UPDATE brought SET input = '/in/b.yaml' WHERE name = 'n3'",
            "of the table `brought` is not as it",
            &[input, other_input, files_of],
        ),
        (
            "DELETE FROM brought WHERE name = 'n3'",
            "has 14 rows of the input `/in/a.yaml`, and 15 were written",
            &[input, other_input, files_of],
        ),
        (
            "DELETE FROM brought",
            "has 0 rows of the input `/in/a.yaml`, and 15 were written",
            &[input, other_input, files_of],
        ),
        (
            "UPDATE files SET input = '/in/b.yaml'",
            "of the table `files` is not as it was written",
            &[input, other_input, files_of],
        ),
        (
            "DELETE FROM files",
            "has 0 rows of the input `/in/a.yaml`, and 1 were written",
            &[input, other_input, files_of],
        ),
        (
            "UPDATE counts SET part = '/in/b.yaml' WHERE kind = 'brought'",
            "of the table `counts` is not as it",
            &[input, other_input, files_of],
        ),
        (
            "DELETE FROM counts WHERE kind = 'brought'",
            "has 15 rows of the input `/in/a.yaml`, and 0 were written",
            &[input],
        ),
        ("UPDATE events SET name = 'agenu'", "of the table `events` is not as it was written", &[events]),
        ("DELETE FROM events WHERE id = 1", "the table `events` has", &[events]),
        (
            "UPDATE nodes SET name = 'nn' WHERE name = 'n3'",
            "the row `nn` of the table `nodes` is not",
            &[node, world],
        ),
        (
            "DELETE FROM nodes WHERE name = 'n3'",
            "the table `nodes` has 11 rows, and 12 were written",
            &[node, world],
        ),
        ("DELETE FROM node_bodies WHERE name = 'n3'", "`node_bodies`", &[node, details, part]),
        ("UPDATE pods SET node = 'n3' WHERE node = 'n1'", "of the table `pods` is not as", &[part, pods]),
        ("UPDATE nodes SET ready = 'x' WHERE name = 'n3'", "row `n3` of the table `nodes`", &[part, world]),
        (
            "UPDATE daemonsets SET name = 'agenu'",
            "the row `kube-system/agenu`",
            &[daemonset, daemonsets, world],
        ),
        (
            "UPDATE daemonsets SET namespace = 'kube-systen'",
            "the row `kube-systen/agent`",
            &[daemonset, daemonsets, world],
        ),
        (
            "UPDATE pods SET namespace = 'kube-systen' WHERE name = 'alone'",
            "the row `kube-systen/alone`",
            &[pod, read_pod, pods, world],
        ),
        (
            "DELETE FROM pods WHERE name = 'alone'",
            "the table `pods` has 12 rows, and 13 were written",
            &[pod, read_pod, pods, world],
        ),
        (
            "UPDATE meta SET name = 'resource_versiom' WHERE name = 'resource_version'",
            "of the table `meta` is not",
            &[world],
        ),
        (
            "DELETE FROM attempts WHERE node = 'n3'",
            "the table `attempts` has 11 rows, and 12 were written",
            &[world],
        ),
        ("UPDATE owners SET id = id + 1", "a row names the id", &[world, pods]),
        ("UPDATE label_sets SET id = id + 100", "a row names the id", &[world, pods, part]),
        ("UPDATE pod_bases SET id = id + 100", "a row names the id", &[world, pods]),
    ] {
        let (_folder, path) = made(false);
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        assert!(connection.execute(harm, []).unwrap() > 0, "{harm}");
        drop(connection);
        for (nth, ask) in asks.iter().enumerate() {
            let told = ask(&Store::open(&path, &Open::read()).unwrap()).expect_err(&format!("{harm}: {nth}"));
            assert_eq!(told.code, "corrupt-store", "{harm}: {nth}");
            assert!(told.notes[0].contains(said), "{harm}: {nth}: {told}");
        }
    }
}

/// What a folder's files come to have and lose is counted as well as what is read anew.
#[test]
fn what_inputs_have_is_counted_as_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = write(&folder.path().join("dsrules.db")).unwrap();
    apply(&mut store, "x:1").unwrap();
    let file = |path: &str, names: &[&str]| InputFile {
        path: path.into(),
        sha256: path.into(),
        objects: names.iter().map(|name| (Kind::Node, ObjectKey::new("", *name), 1)).collect(),
        how: String::new(),
    };
    // `none` is not in the store, so it goes from the record when its file loses it.
    let (one, two) = (file("1.yaml", &["n1", "n2", "none"]), file("2.yaml", &["n3"]));
    store.change_input("/in/b", &[(None, Some(one.clone())), (None, Some(two.clone()))]).unwrap();
    assert_eq!(store.input("/in/b").unwrap().objects.len(), 4);
    let less = file("1.yaml", &["n1"]);
    store.change_input("/in/b", &[(Some(one), Some(less.clone())), (Some(two), None)]).unwrap();
    let input = store.input("/in/b").unwrap();
    assert_eq!((input.files.len(), input.objects.len()), (1, 3));
    let a = store.input("/in/a.yaml").unwrap();
    let elsewhere: Vec<String> =
        a.objects.iter().filter(|(_, it)| it.elsewhere).map(|((_, key), _)| key.to_string()).collect();
    assert_eq!(elsewhere, ["n1"]);
    // Back again, and then all of it at once.
    store.change_input("/in/b", &[(Some(less.clone()), Some(file("1.yaml", &["n1", "n2"])))]).unwrap();
    assert_eq!(store.input("/in/b").unwrap().objects.len(), 3);
    store.save_input("/in/b", &[less, file("3.yaml", &["n4", "none"])], &BTreeSet::new()).unwrap();
    let input = store.input("/in/b").unwrap();
    assert_eq!((input.files.len(), input.objects.len()), (2, 5));
    store.save_input("/in/b", &[], &BTreeSet::new()).unwrap();
    let input = store.input("/in/b").unwrap();
    assert_eq!((input.files.len(), input.objects.len()), (0, 4));
}

#[test]
fn a_store_that_nobody_closed_is_checked_before_it_is_written() {
    let (_folder, path) = made(false);
    // A page of a table that no command reads in full: only SQLite's own check finds it.
    let bytes = fs::read(&path).unwrap();
    let connection = Connection::open(&path).unwrap();
    let page: i64 = connection
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'event_series'", [], |row| row.get(0))
        .unwrap();
    drop(connection);
    let mut bytes_with_harm = bytes.clone();
    bytes_with_harm[(usize::try_from(page).unwrap() - 1) * 4096 + 4] ^= 1;
    fs::write(&path, &bytes_with_harm).unwrap();
    drop(write(&path).unwrap());
    // Its process was killed.
    fs::write(path.with_file_name("dsrules.db.lock"), "dsrules lock file\n4711 dsrules apply\n").unwrap();
    let told = write(&path).map(drop).unwrap_err();
    assert!(told.code == "corrupt-store" && told.notes[0].contains("quick_check"), "{told}");
    fs::write(&path, bytes).unwrap();
    fs::write(path.with_file_name("dsrules.db.lock"), "dsrules lock file\n4711 dsrules apply\n").unwrap();
    drop(write(&path).unwrap());
}

/// The binary, as someone would meet it: one flipped bit in every copy of an image.
#[test]
fn a_wrong_image_is_written_into_no_tree() {
    let folder = tempfile::tempdir().unwrap();
    let run = |line: &str| {
        let out = Command::new(env!("CARGO_BIN_EXE_dsrules"))
            .args(line.split_whitespace())
            .current_dir(folder.path())
            .env_clear()
            .env("DSRULES_NOW", "2026-11-01T00:00:00Z")
            .output()
            .unwrap();
        (out.status.code().unwrap(), String::from_utf8(out.stderr).unwrap())
    };
    fs::write(folder.path().join("a.yaml"), manifests("registry.example/agent:1")).unwrap();
    assert_eq!(run("apply a.yaml --tree t").0, 0);
    let path = folder.path().join("dsrules.db");
    let mut bytes = fs::read(&path).unwrap();
    let word = b"registry.example/agent:1";
    let places: Vec<usize> =
        (0..bytes.len() - word.len()).filter(|at| bytes[*at..].starts_with(word)).collect();
    assert!(places.len() >= 3, "{places:?}");
    for at in places {
        bytes[at] ^= 1;
    }
    fs::write(&path, bytes).unwrap();
    for line in [
        "get ds agent -n kube-system -o yaml",
        "get pods -A -o yaml",
        "describe ds agent -n kube-system",
        "plan a.yaml",
        "plan a.yaml --tree t",
        "apply a.yaml",
        "apply a.yaml --tree t",
        "delete node n3",
        "explain agent n1 -n kube-system",
    ] {
        let (code, said) = run(line);
        assert!(
            code == 1 && said.contains("error[corrupt-store]: the store `dsrules.db` is damaged"),
            "{line}: {code} {said}"
        );
        assert!(said.contains("is not as it was written"), "{line}: {said}");
    }
    let tree = walkdir::WalkDir::new(folder.path().join("t")).into_iter().filter_map(Result::ok);
    let texts: String = tree.filter_map(|it| fs::read_to_string(it.path()).ok()).collect();
    assert!(texts.contains("registry.example/agent:1") && !texts.contains("segistry"), "{texts}");
}

#[test]
fn a_store_of_version_1_gets_its_checksums() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let packed = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reliability/stores/v1.db.gz")).unwrap();
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(&*packed).read_to_end(&mut bytes).unwrap();
    fs::write(&path, bytes).unwrap();
    assert_eq!(everything(&path).unwrap_err().code, "older-store");
    let connection = Connection::open(&path).unwrap();
    let texts = |connection: &Connection| -> Vec<String> {
        let sql = "SELECT name || uid || labels || body FROM daemonsets UNION ALL SELECT name || uid || phase FROM pods
            UNION ALL SELECT name || labels || taints FROM nodes UNION ALL SELECT body || status FROM pod_bodies
            UNION ALL SELECT message || count FROM events UNION ALL SELECT node || attempts FROM attempts";
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    let before = texts(&connection);
    assert!(before.len() > 6, "{before:?}");
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('settled_for', 1)", []).unwrap();
    drop(connection);
    drop(write(&path).unwrap());
    let connection = Connection::open(&path).unwrap();
    assert_eq!(texts(&connection), before);
    let counters = "SELECT group_concat(name) FROM meta";
    let counters: String = connection.query_row(counters, [], |row| row.get(0)).unwrap();
    assert!(!counters.contains("settled"), "{counters}");
    drop(connection);
    assert!(everything(&path).unwrap().contains("agent"));
    // And from then on it is as any other.
    let connection = Connection::open(&path).unwrap();
    connection.execute("UPDATE daemonsets SET generation = generation + 1", []).unwrap();
    assert_eq!(everything(&path).unwrap_err().code, "corrupt-store");
}
