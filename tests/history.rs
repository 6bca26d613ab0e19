//! What a store remembers: every moment of a random history is read as it was, whatever was done
//! since, whoever was killed meanwhile, and however much of it is forgotten.
#![allow(clippy::unwrap_used)]

#[path = "history/blamed.rs"]
mod blamed;
#[path = "history/naive.rs"]
mod naive;
#[path = "history/words.rs"]
mod words;

use std::collections::BTreeMap;
use std::path::Path;

use dsrules::app::rules::Policy;
use dsrules::app::{self, Silent, transaction};
use dsrules::diagnostic::Diagnostic;
use dsrules::kube::Kind;
use dsrules::manifest::{Input, Options, read};
use dsrules::policy::builtin::{self, UserRules};
use dsrules::state::{By, Cascade, Moment, OwnFile, OwnKind};
use dsrules::target::sqlite::{Open, Store};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tempfile::TempDir;

use naive::{Cluster, Deed};

const NOW: i64 = 1_790_000_000;

/// A store with a cluster that is applied to it.
struct Kept {
    folder: TempDir,
    cluster: Cluster,
    /// What was there after each run, by its number.
    after: BTreeMap<u64, String>,
    now: i64,
    keep: Option<i64>,
}

impl Kept {
    fn new() -> Self {
        Kept {
            folder: tempfile::tempdir().unwrap(),
            cluster: Cluster::default(),
            after: BTreeMap::new(),
            now: NOW,
            keep: None,
        }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("dsrules.db")
    }

    fn options(&self) -> app::Options {
        let by = By { command: "apply".into(), user: "ana".into(), host: "laptop".into(), keep: self.keep };
        app::Options {
            prune: true,
            allow_empty: true,
            max_delete: Some(app::MaxDelete::Percent(100)),
            by,
            ..app::Options::at(self.now)
        }
    }

    /// Does something, and notes what is there then; gives the last run.
    fn run(&mut self, deed: &Deed) -> Option<u64> {
        self.now += 3_600;
        let options = self.options();
        let mut store = Store::open(&self.path(), &Open::write("dsrules apply")).unwrap();
        store.begin().unwrap();
        let text = self.cluster.rules();
        let own = text.iter().map(|text| OwnFile::new("own.dl", OwnKind::Rules, text.as_str())).collect();
        let rules = text.map(|text| UserRules { file: "own.dl".into(), text });
        let program = builtin::load(rules.as_slice()).program.unwrap();
        match deed {
            Deed::Delete(kind, key) => {
                let there = store.object(*kind, key).unwrap().is_some();
                if !there {
                    return None;
                }
                let targets = [(*kind, key.clone())];
                transaction::delete(
                    &mut store,
                    &targets,
                    Cascade::Background,
                    &program,
                    &options,
                    None,
                    &Silent,
                )
                .unwrap();
                self.cluster.lose(*kind, key);
            }
            _ => {
                self.cluster.do_it(deed);
                let bytes = self.cluster.manifests().into_bytes().into();
                let reading = read(&[Input::Text { name: "a.yaml".into(), bytes }], &Options::default());
                assert!(!reading.has_errors(), "{:?}", reading.diagnostics);
                let policy = Policy { own, program };
                transaction::apply(&mut store, "/in/a.yaml", reading, &policy, &options, None, &Silent)
                    .unwrap();
            }
        }
        let run = store.runs().unwrap().first().map(|run| run.run);
        drop(store);
        if let Some(run) = run {
            self.after.insert(run, everything(&self.path(), None).unwrap());
        }
        run
    }

    /// Compares all that is remembered with what was there; gives how many moments that are.
    fn check(&self) -> usize {
        let mut checked = 0;
        for (run, right) in &self.after {
            match everything(&self.path(), Some(Moment::Run(*run))) {
                Ok(read) => {
                    assert_eq!(&read, right, "@{run} is not as it was");
                    checked += 1;
                }
                Err(told) => {
                    assert_eq!(told.code, "not-remembered", "{told}");
                    assert!(told.notes[0].starts_with("what is remembered goes back to "), "{told}");
                    assert_eq!(checked, 0, "@{run} is forgotten, and one before it is not");
                }
            }
        }
        checked
    }
}

/// Everything that a command may be told of a store, now or as it was.
fn everything(path: &Path, at: Option<Moment>) -> Result<String, Diagnostic> {
    let mut store = Store::open(path, &Open::read())?;
    if let Some(at) = at {
        store.go_back(at)?;
    }
    let mut all = String::new();
    for kind in Kind::ALL {
        let mut keys = Vec::new();
        store.objects(kind, None, &mut |key, value| {
            all.push_str(&format!("{kind} {key} {value}\n"));
            keys.push(key);
            Ok(())
        })?;
        for key in keys {
            all.push_str(&format!("{:?}\n", store.object(kind, &key)?));
        }
    }
    let mut world = store.load()?;
    store.load_details(&mut world)?;
    let attempts: BTreeMap<_, _> = world.attempts.iter().collect();
    all.push_str(&format!(
        "{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n",
        world.nodes, world.pods, world.revisions, world.daemonsets, world.others
    ));
    let counters = (&world.incarnations, &world.deleted_owners, &world.backoff, &world.refused, attempts);
    all.push_str(&format!("{counters:?} {}\n{:?}\n", world.resource_version, store.events(None)?));
    let objects = world.nodes.keys().map(|key| (Kind::Node, key.clone())).collect();
    // Not the hash of a file: it may change where no object does, which is no run of its own.
    let files: BTreeMap<_, _> =
        store.files_of(&objects)?.into_iter().map(|(key, (file, _))| (key, file)).collect();
    all.push_str(&format!("{files:?} {:?}\n", store.own_files(None)?));
    all.push_str(&format!("{:?} {:?}\n", store.statuses()?, store.bound_pods("DaemonSet")?));
    Ok(all)
}

fn runner(seed: u8) -> TestRunner {
    TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]))
}

#[test]
fn every_moment_is_read_as_it_was() {
    let mut moments = 0;
    for seed in 0..6 {
        let (mut kept, mut runner) = (Kept::new(), runner(seed));
        for _ in 0..14 {
            let deed = naive::deed(&mut runner);
            kept.run(&deed);
        }
        moments += kept.check();
    }
    assert!(moments > 40, "{moments}");
}

#[test]
fn what_a_plan_does_not_change_writes_no_history() {
    let mut kept = Kept::new();
    let first = kept.run(&Deed::Nothing);
    for _ in 0..3 {
        assert_eq!(kept.run(&Deed::Nothing), first);
    }
    assert_eq!(first, Some(1));
}

#[test]
fn what_is_too_old_is_forgotten_and_the_rest_is_as_it_was() {
    let (mut kept, mut runner) = (Kept::new(), runner(9));
    kept.keep = Some(4 * 3_600);
    for _ in 0..16 {
        let deed = naive::deed(&mut runner);
        kept.run(&deed);
    }
    let known = kept.check();
    assert!((2..=6).contains(&known), "{known} of {}", kept.after.len());
    let store = Store::open(&kept.path(), &Open::read()).unwrap();
    assert!(store.runs().unwrap().iter().all(|run| run.time >= kept.now - 4 * 3_600));
}

#[test]
fn a_former_row_that_a_disk_changed_is_noticed() {
    let mut kept = Kept::new();
    kept.run(&Deed::Nothing);
    kept.run(&Deed::Image);
    let connection = rusqlite::Connection::open(kept.path()).unwrap();
    for harm in [
        "UPDATE history SET data = zeroblob(length(data)) WHERE about = 'pods'",
        "DELETE FROM history WHERE about = 'daemonsets'",
        "UPDATE runs SET version = version + 1 WHERE run = 1",
        "DELETE FROM runs WHERE run = 1",
    ] {
        connection.execute_batch("BEGIN").unwrap();
        assert!(connection.execute(harm, []).unwrap() > 0, "{harm}");
        connection.execute_batch("COMMIT").unwrap();
        let told = everything(&kept.path(), Some(Moment::Run(1))).unwrap_err();
        assert_eq!(told.code, "corrupt-store", "{harm}: {told}");
        // What there is now is as sound as before.
        assert_eq!(everything(&kept.path(), None).unwrap(), kept.after[&2]);
    }
}

#[test]
fn a_moment_before_what_is_remembered_says_how_far_it_goes() {
    let mut kept = Kept::new();
    kept.run(&Deed::Nothing);
    let told = everything(&kept.path(), Some(Moment::Time(NOW))).unwrap_err();
    assert_eq!(told.code, "not-remembered");
    assert!(told.notes[0].contains("goes back to 2026-09-21T15:13:20Z (@1)"), "{told}");
    everything(&kept.path(), Some(Moment::Time(NOW + 3_600))).unwrap();
    assert!(everything(&kept.path(), Some(Moment::Run(2))).is_err());
}
