//! R16: a store of every former version of the schema opens, is brought up to date, and comes to
//! the same plan; what interrupts that leaves the store as it was.
//!
//! `stores/vN.db.gz` is a store as version N left it; `DSRULES_UPDATE=1` adds the one of the
//! present version, which is a former one from the next on.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use rusqlite::Connection;
use serde_json::Value;

use crate::base::{Place, ended, figure, has, integrity, is_full, pods};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reliability/stores")
}

fn version(store: &Path) -> usize {
    let connection = Connection::open(store).unwrap();
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    usize::try_from(version).unwrap()
}

/// A place with the manifests that each store was filled from, and that store.
fn with(version: usize) -> Place {
    let place = Place::light();
    place.write("in/all.yaml", fs::read(folder().join("in.yaml")).unwrap());
    let path = folder().join(format!("v{version}.db.gz"));
    let packed = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut bytes = Vec::new();
    GzDecoder::new(&*packed).read_to_end(&mut bytes).unwrap();
    place.write("dsrules.db", bytes);
    place
}

/// The version of today, and a store of it with the same content.
fn today() -> (usize, Place) {
    let place = Place::light();
    // What the others were filled with, in the same two steps.
    let text = fs::read_to_string(folder().join("in.yaml")).unwrap();
    place.write("in/all.yaml", text.replace("x:2", "x:1"));
    place.ok("apply in -q");
    place.write("in/all.yaml", text);
    place.ok("apply in -q");
    let version = version(&place.path("dsrules.db"));
    (version, place)
}

/// What the store has of objects, but for what says how it came there.
fn objects(place: &Place) -> String {
    let mut all = String::new();
    for kind in ["nodes", "ds -A", "pods -A"] {
        let out = place.ok(&format!("get {kind} -o json"));
        let mut value: Value = serde_json::from_str(&out).unwrap();
        for item in value["items"].as_array_mut().unwrap() {
            item["metadata"]["resourceVersion"] = Value::Null;
            // A spec that was written by another dsrules counts as a new one where that filled in
            // other defaults; what is asked for is the same.
            item["metadata"]["generation"] = Value::Null;
            item["status"]["observedGeneration"] = Value::Null;
        }
        all += &value.to_string();
    }
    all
}

/// A change to the manifests, and the plan of it.
fn plan(place: &Place) -> String {
    let text = fs::read_to_string(place.path("in/all.yaml")).unwrap();
    place.write("changed/all.yaml", text.replace("x:2", "x:3").replace("disk: ssd", "disk: hdd"));
    let said = place.run("plan changed -o json");
    assert_eq!(said.code, Some(0), "{said:?}");
    // As with objects: how often a spec was written anew is not what is planned.
    said.out.lines().filter(|line| !line.contains("\"observedGeneration\"")).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_former_store_comes_to_the_same() {
    let (now, fresh) = today();
    let path = folder().join(format!("v{now}.db.gz"));
    if std::env::var_os("DSRULES_UPDATE").is_some() && !path.exists() {
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(&fs::read(fresh.path("dsrules.db")).unwrap()).unwrap();
        fs::write(path, packed.finish().unwrap()).unwrap();
    }
    let mut plans = BTreeMap::<String, Vec<usize>>::new();
    for former in 1..now {
        let place = with(former);
        let store = place.path("dsrules.db");
        assert_eq!(version(&store), former);
        // A reader changes nothing, and says what to do.
        let before = fs::read(&store).unwrap();
        let said = place.run("get pods -A");
        assert!(said.code == Some(1) && said.err.contains("older-store"), "v{former}: {said:?}");
        assert!(fs::read(&store).unwrap() == before, "v{former}: a reader wrote");
        place.ok("apply in -q");
        assert_eq!((version(&store), integrity(&store)), (now, "ok".to_owned()), "v{former}");
        assert_eq!(pods(&store), pods(&fresh.path("dsrules.db")), "v{former}");
        assert_eq!(objects(&place), objects(&fresh), "v{former}");
        place.ok("plan in --detailed-exitcode");
        plans.entry(plan(&place)).or_default().push(former);
    }
    plans.entry(plan(&fresh)).or_default().push(now);
    let apart: Vec<_> = plans.values().collect();
    assert_eq!(plans.len(), 1, "{apart:?} differ");
    figure(
        "R16",
        format!("stores of versions 1 to {}: opened, migrated to {now}, same objects and same plan", now - 1),
    );
}

#[test]
fn an_interrupted_upgrade_starts_again() {
    if !has("strace", "R16") {
        return;
    }
    let (now, fresh) = today();
    let expected = pods(&fresh.path("dsrules.db"));
    let calls = "pwrite64,write,fsync,fdatasync,ftruncate,unlink";
    let mut killed = 0;
    for former in 1..now {
        let mut nth = 1 + former % 3;
        loop {
            let place = with(former);
            let inject = format!("inject={calls}:signal=KILL:when={nth}");
            let by = [
                "/usr/bin/strace",
                "-f",
                "-qq",
                "-o",
                "calls",
                "-e",
                &format!("trace={calls}"),
                "-e",
                &inject,
            ];
            let said = ended(place.through(&by, "apply in -q").spawn().unwrap(), "apply");
            if said.code == Some(0) {
                break;
            }
            killed += 1;
            let store = place.path("dsrules.db");
            assert!([former, now].contains(&version(&store)), "v{former}, call {nth}");
            assert_eq!(integrity(&store), "ok", "v{former}, call {nth}");
            let said = place.run("apply in -q");
            assert_eq!(said.code, Some(0), "v{former}, call {nth}: {said:?}");
            assert_eq!((version(&store), pods(&store)), (now, expected.clone()), "v{former}, call {nth}");
            nth += if is_full() { 1 } else { 67 };
        }
    }
    assert!(killed > 8, "{killed}");
    figure("R16", format!("{killed} upgrades killed at a write, sync or removal: the next run upgrades"));
}
