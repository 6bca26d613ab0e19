//! A change to few nodes, planned and applied with just what it touches of the store, comes to
//! what looking at all of the store comes to: random clusters, rules and edits, in two stores
//! side by side, compared row by row after each.
//!
//! `DSRULES_TIMES` says how many times as much is tried as usual.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "parts/cluster.rs"]
mod cluster;
#[path = "naive/generate.rs"]
#[allow(dead_code)]
mod generate;

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cluster::{Cluster, RULES};
use dsrules::app::{Database, Listener, Manifests, Options, Outcome, Request, apply, plan};
use dsrules::diagnostic::Diagnostic;
use dsrules::manifest::{self, Input};
use dsrules::plan::Readiness;
use dsrules::policy::Asked;
use generate::Dice;
use rusqlite::Connection;

struct Silent;

impl Listener for Silent {
    fn tell(&self, _: Vec<Diagnostic>) {}
    fn note(&self, _: &str) {}
    fn stage(&self, _: &'static str) {}
}

/// What the program logs.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

fn request(folder: &Path, store: &str, cluster: &Cluster, whole: bool) -> Request {
    let rules = cluster.rules.map(|_| folder.join("rules")).into_iter().collect();
    Request {
        database: Database {
            path: folder.join(store),
            wait: Duration::from_secs(5),
            cluster: None,
            at: None,
            shared: None,
        },
        manifests: Manifests {
            inputs: vec![Input::Path(folder.join("in"))],
            options: manifest::Options::default(),
        },
        id: "input".to_owned(),
        takes_over: false,
        keep_going: false,
        remind: false,
        rules: Asked { rules, ..Asked::default() },
        tree: None,
        exports: Vec::new(),
        options: Options {
            readiness: if cluster.observed { Readiness::Observe } else { Readiness::Assume },
            prune: true,
            whole,
            ..Options::at(cluster.now)
        },
    }
}

/// All of an outcome that is shown, or what is wrong.
fn shown(outcome: Result<Outcome, Vec<Diagnostic>>) -> String {
    match outcome {
        Ok(outcome) => {
            let too_much = outcome.too_much.map(|it| it.message);
            format!("{:#?}\n{:#?}\n{:#?}\n{too_much:?}", outcome.plan, outcome.judged, outcome.said)
        }
        Err(errors) => errors.iter().map(|error| error.render(false)).collect(),
    }
}

/// All rows that somebody may read, without the numbers by which dictionaries are known.
const ROWS: &[&str] = &[
    "SELECT * FROM nodes ORDER BY name",
    "SELECT * FROM node_bodies ORDER BY name",
    "SELECT p.namespace, p.name, node, pinned, phase, ready, ready_since, p.uid, resource_version, generation, created,
        deleting, written, written_spec, o.uid, l.labels, b.fingerprint FROM pods p LEFT JOIN owners o ON o.id = p.owner
        LEFT JOIN label_sets l ON l.id = p.labels LEFT JOIN pod_bases b ON b.id = p.base ORDER BY 1, 2",
    "SELECT * FROM pod_bodies ORDER BY namespace, name",
    "SELECT namespace, name, uid, resource_version, generation, status, body FROM daemonsets ORDER BY 1, 2",
    "SELECT namespace, name, uid, resource_version, revision, body FROM controllerrevisions ORDER BY 1, 2",
    "SELECT kind, namespace, name, resource_version, body FROM objects ORDER BY 1, 2, 3",
    "SELECT * FROM attempts ORDER BY 1, 2, 3",
    "SELECT * FROM incarnations ORDER BY 1, 2, 3",
    "SELECT * FROM backoff ORDER BY 1, 2",
    "SELECT * FROM refusals ORDER BY 1, 2",
    "SELECT * FROM counts ORDER BY kind, part",
    "SELECT * FROM placement ORDER BY 1, 2, 3",
    "SELECT namespace, name, type, reason, message, count FROM events ORDER BY 1, 2, 3, 4, 5",
    "SELECT name, value FROM meta ORDER BY 1",
    "SELECT input, kind, namespace, name, file, written FROM brought ORDER BY 1, 2, 3, 4",
];

fn rows(folder: &Path, store: &str) -> String {
    let connection = Connection::open(folder.join(store)).unwrap();
    let mut text = String::new();
    for sql in ROWS {
        let mut statement = connection.prepare(sql).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        let _ = writeln!(text, "{sql}");
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<_> = (0..columns).map(|at| format!("{:?}", row.get_ref(at).unwrap())).collect();
            let _ = writeln!(text, "  {}", values.join(" "));
        }
    }
    text
}

fn same(one: &str, other: &str, tell: impl Fn() -> String) {
    if one != other {
        let diff = similar::TextDiff::from_lines(one, other);
        panic!("{}\n{}", tell(), diff.unified_diff().context_radius(2));
    }
}

#[test]
fn a_part_comes_to_what_the_whole_comes_to() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let times: u64 = std::env::var("DSRULES_TIMES").map_or(1, |it| it.parse().unwrap());
    let first: u64 = std::env::var("DSRULES_SEED").map_or(0, |it| it.parse().unwrap());
    let (mut parts, mut acted, mut edits) = (0, 0, 0);
    let mut whys = std::collections::BTreeMap::new();
    for seed in first..first + 12 * times {
        let mut dice = Dice::new(seed);
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        for it in ["in", "rules"] {
            fs::create_dir(folder.join(it)).unwrap();
        }
        let mut cluster = Cluster::new(&mut dice);
        if let Some(nth) = cluster.rules {
            fs::write(folder.join("rules/own.dl"), RULES[nth]).unwrap();
        }
        let mut said = vec!["start".to_owned()];
        for step in 0..10 {
            if step > 0 {
                said.push(cluster.edit(&mut dice));
            }
            cluster.write(&folder.join("in"));
            let tell = || format!("seed {seed}, step {step}: differ after\n  {}", said.join("\n  "));
            let planned = |whole| shown(plan(&request(folder, "one.db", &cluster, whole), None, &Silent));
            if step > 0 {
                same(&planned(true), &planned(false), tell);
            }
            log.take();
            let one = shown(apply(&request(folder, "one.db", &cluster, false), &Silent));
            let told = log.take();
            let other = shown(apply(&request(folder, "other.db", &cluster, true), &Silent));
            same(&other, &one, tell);
            assert!(step > 0 || one.contains("Plan {"), "seed {seed}: {one}");
            same(&rows(folder, "other.db"), &rows(folder, "one.db"), tell);
            if step > 0 {
                edits += 1;
                let part = told.contains("planned with a part");
                parts += u64::from(part);
                acted += u64::from(part && one.contains("Action {"));
                if let Some((_, why)) = told.lines().find_map(|line| line.split_once("looked at: ")) {
                    *whys.entry(why.to_owned()).or_insert(0) += 1;
                }
            }
        }
    }
    println!("{parts} of {edits} with a part, {acted} of them with actions");
    whys.iter().for_each(|(why, count)| println!("{count:6} {why}"));
    assert!(acted * 10 > edits, "{acted} of {edits}");
}
