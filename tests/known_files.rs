//! What is read anew of an input that was applied before follows what changed, and nothing
//! else does: whatever happens to folder and store, what comes of a plan or an apply is the
//! same as when every file is read.
#![allow(clippy::unwrap_used)]

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dsrules::app::rollout::{Goal, Rollout, roll_out};
use dsrules::app::{self, Deletion, Listener, Manifests, Options, Outcome, Request, Reread, resources};
use dsrules::diagnostic::Diagnostic;
use dsrules::kube::ObjectKey;
use dsrules::manifest::{FieldValidation, Input};
use dsrules::plan::Readiness;
use dsrules::policy::Asked;
use dsrules::report::{self, Detail, Look, Paint};
use proptest::prelude::*;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use tempfile::TempDir;

const NOW: i64 = 1_790_000_000;

/// What is said on the way.
#[derive(Default)]
struct Heard(RefCell<Vec<String>>);

impl Listener for Heard {
    fn tell(&self, found: Vec<Diagnostic>) {
        self.0.borrow_mut().extend(found.iter().map(|it| format!("{it:?}")));
    }

    fn note(&self, note: &str) {
        self.0.borrow_mut().push(note.to_owned());
    }

    fn stage(&self, _: &'static str) {}
}

/// Two stores that the same happens to: of one all files are always read.
struct Two {
    folder: TempDir,
    /// How many files were passed over.
    passed: usize,
    now: i64,
}

impl Two {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["in", "other", "in/deeper"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        Two { folder, passed: 0, now: NOW }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn database(&self, reread: Reread) -> app::Database {
        let name = if reread == Reread::All { "all.db" } else { "some.db" };
        app::Database { path: self.path(name), wait: Duration::ZERO, cluster: None, at: None, shared: None }
    }

    fn request(&self, how: &How, reread: Reread, lists: bool) -> Request {
        let path = Input::Path(self.path(how.folder));
        let mut manifests = Manifests { inputs: vec![path], ..Manifests::default() };
        manifests.options.validate = how.validate;
        manifests.options.recursive = how.recursive;
        how.namespace.clone_into(&mut manifests.options.default_namespace);
        let readiness = if how.observe { Readiness::Observe } else { Readiness::Assume };
        Request {
            database: self.database(reread),
            manifests,
            id: how.id.to_owned(),
            takes_over: false,
            keep_going: how.keep_going,
            remind: true,
            rules: Asked::default(),
            tree: None,
            exports: Vec::new(),
            options: Options {
                prune: how.prune,
                allow_empty: how.prune && how.allow_empty,
                readiness,
                reread,
                lists,
                told: usize::MAX,
                ..Options::at(self.now)
            },
        }
    }

    /// What comes of a plan or an apply, and what it tells.
    fn outcome(&self, how: &How, reread: Reread, applies: bool, lists: bool) -> (String, usize) {
        let request = self.request(how, reread, lists);
        let heard = Heard::default();
        let outcome = if applies { app::apply(&request, &heard) } else { app::plan(&request, None, &heard) };
        let passed = outcome.as_ref().map_or(0, |outcome| outcome.passed);
        let told = format!("{}\n{}", heard.0.into_inner().join("\n"), shown(outcome, lists));
        (told.replace("all.db", "some.db"), passed)
    }

    /// Plans and applies with both stores.
    fn go(&mut self, how: &How) {
        self.now += 60;
        for (applies, lists) in [(false, false), (true, true)] {
            let (some, passed) = self.outcome(how, Reread::Changed, applies, lists);
            // Only how it is shown may differ where not all is listed.
            let (all, none) = self.outcome(how, Reread::All, applies, lists);
            assert_eq!(some, all, "{how:?}, applies: {applies}, lists: {lists}");
            assert_eq!(none, 0);
            self.passed += passed;
        }
        // What is remembered is the same as well.
        assert_eq!(self.dump("some.db"), self.dump("all.db"));
    }

    fn each(&self, mut act: impl FnMut(app::Database) -> String) {
        let [some, all] =
            [Reread::Changed, Reread::All].map(|it| act(self.database(it)).replace("all.db", "some.db"));
        assert_eq!(some, all);
    }

    fn delete(&mut self, name: &str) {
        self.now += 60;
        let now = self.now;
        self.each(|database| {
            let (kind, name) = name.split_once('/').unwrap();
            let wanted = match resources::wanted_of(&[kind.to_owned(), name.to_owned()], &database) {
                Ok(wanted) => wanted,
                Err(error) => return format!("{error:?}"),
            };
            let deletion = Deletion {
                database,
                wanted,
                namespace: "default".to_owned(),
                selector: None,
                all: false,
                cascade: app::Cascade::default(),
                ignore_missing: true,
                dry: false,
                rules: Asked::default(),
                tree: None,
                options: Options::at(now),
            };
            match app::delete(&deletion, &app::Silent) {
                Ok(outcome) => outcome.map_or(String::new(), |outcome| shown(Ok(outcome), true)),
                Err(errors) => format!("{errors:?}"),
            }
        });
    }

    fn roll_out(&mut self, to: Goal) {
        self.now += 60;
        let now = self.now;
        self.each(|database| {
            let rollout = Rollout {
                database,
                daemonsets: vec![ObjectKey::new("default", "d0")],
                to,
                dry: false,
                rules: Asked::default(),
                tree: None,
                options: Options::at(now),
            };
            match roll_out(&rollout, &app::Silent) {
                Ok(done) => format!("{:?} {}", done.daemonsets, shown(Ok(done.outcome), true)),
                Err(errors) => format!("{errors:?}"),
            }
        });
    }

    /// Changes both stores by hand.
    fn sql(&self, sql: &str) {
        for name in ["some.db", "all.db"].iter().filter(|name| self.path(name).exists()) {
            Connection::open(self.path(name)).unwrap().execute_batch(sql).unwrap();
        }
    }

    /// All that a store has.
    fn dump(&self, name: &str) -> Vec<String> {
        if !self.path(name).exists() {
            return Vec::new();
        }
        let connection = Connection::open(self.path(name)).unwrap();
        let names =
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name";
        let mut tables = connection.prepare(names).unwrap();
        let tables: Vec<String> =
            tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let mut all = Vec::new();
        for table in tables {
            let mut rows = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
            let columns = rows.column_count();
            let mut rows = rows.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let value = |at| match row.get_ref(at).unwrap() {
                    ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                    other => format!("{other:?}"),
                };
                all.push(format!("{table}: {}", (0..columns).map(value).collect::<Vec<_>>().join(" | ")));
            }
        }
        all.sort();
        all
    }
}

/// All of an outcome that anybody may see.
fn shown(outcome: Result<Outcome, Vec<Diagnostic>>, lists: bool) -> String {
    let mut outcome = match outcome {
        Ok(outcome) => outcome,
        Err(errors) => return format!("{errors:?}"),
    };
    outcome.locate(true);
    let changed = outcome.is_changed();
    let Outcome { plan, done, judged, said, too_much, errors, .. } = outcome;
    let mut out = Vec::new();
    let detail = if lists { Detail::Wide } else { Detail::Short };
    for done in [false, true] {
        let look = Look { detail, paint: Paint(false), done };
        report::applied(&plan.objects, &plan.unlisted, look, &mut out).unwrap();
        report::plan_text(&plan, look, &mut out).unwrap();
    }
    report::statuses(&plan.statuses, &mut out).unwrap();
    if lists {
        report::write_json(&report::plan_document(&plan, &judged, &said, None), &mut out).unwrap();
        assert!(plan.unlisted.is_empty());
    }
    let out = String::from_utf8(out).unwrap();
    format!("{out}\n{done} {changed} {errors} {judged:?} {said:?} {too_much:?}")
}

/// How something is applied.
#[derive(Debug, Clone)]
struct How {
    folder: &'static str,
    id: &'static str,
    validate: FieldValidation,
    recursive: bool,
    namespace: &'static str,
    keep_going: bool,
    prune: bool,
    allow_empty: bool,
    observe: bool,
}

impl How {
    fn usual() -> Self {
        How {
            folder: "in",
            id: "in",
            validate: FieldValidation::Strict,
            recursive: false,
            namespace: "default",
            keep_going: false,
            prune: false,
            allow_empty: false,
            observe: false,
        }
    }
}

/// An object of some file, as it is written: `what` says which, `as_it` how.
fn document(what: u8, as_it: u8) -> String {
    let label = as_it % 3;
    match what % 16 {
        n @ 0..=4 => {
            let spec = match as_it % 8 {
                6 => "metadata: {name: NAME, generation: 1, labels: {a: b}}\n",
                7 => "metadata: {name: NAME}\nspec: {unknown: 1}\n",
                5 => {
                    "metadata: {name: NAME}\nstatus: {addresses: [{type: InternalIP, address: 1.1.1.1}, {type: InternalIP, address: 1.1.1.1}]}\n"
                }
                4 => "metadata: {name: NAME}\nstatus: {allocatable: {cpu: '2', memory: 1Gi, pods: '3'}}\n",
                _ => "metadata: {name: NAME, labels: {a: LABEL}}\n",
            };
            let spec = spec.replace("NAME", &format!("n{n}")).replace("LABEL", &format!("l{label}"));
            format!("apiVersion: v1\nkind: Node\n{spec}")
        }
        n @ 5..=8 => {
            let name = n % 2;
            let port = if n > 6 { ", ports: [{containerPort: 80, hostPort: 80}]" } else { "" };
            let generation = if as_it % 7 == 6 { ", generation: 1" } else { "" };
            let priority = if as_it % 5 == 4 { "priorityClassName: gone, " } else { "" };
            format!(
                "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{name: d{name}{generation}}}\nspec:\n  selector: {{matchLabels: {{app: d{name}}}}}\n  \
                 template:\n    metadata: {{labels: {{app: d{name}}}}}\n    spec: {{{priority}containers: [{{name: c, image: 'x:{label}'{port}}}]}}\n"
            )
        }
        9 => format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata: {{a: '{label}'}}\n"),
        10 => format!("apiVersion: example.com/v1\nkind: Widget\nmetadata: {{name: w{label}}}\n"),
        11 => format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: alone, labels: {{a: l{label}}}}}\nspec: {{nodeName: n0, containers: [{{name: c, image: y}}]}}\n"
        ),
        12 => "apiVersion: v1\nkind: Namespace\nmetadata: {name: default}\n".to_owned(),
        13 => format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec: {{selector: {{app: d{label}}}, ports: [{{port: 80}}]}}\n"
        ),
        14 if as_it % 4 == 3 => "kind: Node\n  broken: [\n".to_owned(),
        _ => String::new(),
    }
}

fn text(documents: &[(u8, u8)]) -> String {
    documents.iter().map(|(what, as_it)| document(*what, *as_it)).collect::<Vec<_>>().join("---\n")
}

/// One thing that happens.
#[derive(Debug, Clone)]
enum Step {
    Write(u8, Vec<(u8, u8)>),
    Remove(u8),
    Rename(u8, u8),
    Copy(u8, u8),
    Go(How),
    Delete(&'static str),
    Restart,
    Undo,
    Forget,
}

fn how() -> impl Strategy<Value = How> {
    let rare = || prop::bool::weighted(0.15);
    let validate = prop_oneof![
        4 => Just(FieldValidation::Strict),
        1 => Just(FieldValidation::Warn),
        1 => Just(FieldValidation::Ignore),
    ];
    let input =
        prop_oneof![6 => Just(("in", "in")), 2 => Just(("other", "other")), 1 => Just(("in", "third"))];
    let namespace = prop_oneof![8 => Just("default"), 1 => Just("apart")];
    (input, validate, namespace, [rare(), rare(), rare(), rare()], any::<bool>()).prop_map(
        |((folder, id), validate, namespace, [recursive, keep_going, allow_empty, observe], prune)| How {
            folder,
            id,
            validate,
            recursive,
            namespace,
            keep_going,
            prune,
            allow_empty,
            observe,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let documents = prop::collection::vec((0..16_u8, 0..24_u8), 0..5);
    prop_oneof![
        6 => (0..6_u8, documents).prop_map(|(file, documents)| Step::Write(file, documents)),
        1 => (0..6_u8).prop_map(Step::Remove),
        1 => (0..6_u8, 0..6_u8).prop_map(|(from, to)| Step::Rename(from, to)),
        1 => (0..6_u8, 0..6_u8).prop_map(|(from, to)| Step::Copy(from, to)),
        5 => Just(Step::Go(How::usual())),
        4 => how().prop_map(Step::Go),
        1 => prop_oneof![Just("node/n0"), Just("daemonset/d0"), Just("configmap/c"), Just("pod/alone"), Just("namespace/default")]
            .prop_map(Step::Delete),
        1 => Just(Step::Restart),
        1 => Just(Step::Undo),
        1 => Just(Step::Forget),
    ]
}

const FILES: [&str; 6] =
    ["in/a.yaml", "in/b.yaml", "in/c.yaml", "in/d.yaml", "other/a.yaml", "in/deeper/a.yaml"];

fn take(two: &mut Two, step: Step) {
    let path = |two: &Two, file: u8| two.path(FILES[usize::from(file)]);
    match step {
        Step::Write(file, documents) => two.write(FILES[usize::from(file)], &text(&documents)),
        Step::Remove(file) => drop(fs::remove_file(path(two, file))),
        Step::Rename(from, to) => drop(fs::rename(path(two, from), path(two, to))),
        Step::Copy(from, to) => drop(fs::copy(path(two, from), path(two, to))),
        Step::Go(how) => two.go(&how),
        Step::Delete(what) if two.path("all.db").exists() => two.delete(what),
        Step::Restart if two.path("all.db").exists() => two.roll_out(Goal::Again),
        Step::Undo if two.path("all.db").exists() => two.roll_out(Goal::Revision(0)),
        Step::Forget if two.path("all.db").exists() => {
            two.sql("DELETE FROM known_files WHERE path LIKE '%b.yaml'");
        }
        _ => {}
    }
}

/// So that most runs begin with something that is applied.
fn filled() -> Two {
    let two = Two::new();
    two.write(FILES[0], &text(&[(0, 0), (1, 1)]));
    two.write(FILES[1], &text(&[(2, 0)]));
    two.write(FILES[2], &text(&[(5, 0), (6, 0)]));
    two.write(FILES[4], &text(&[(3, 0), (4, 0)]));
    two
}

#[test]
fn what_is_passed_over_makes_no_difference() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|it| it.parse().ok()).unwrap_or(8);
    // The same runs each time: how much they pass over is looked at in the end.
    let rng_seed = proptest::test_runner::RngSeed::Fixed(5);
    let config = ProptestConfig { failure_persistence: None, cases, rng_seed, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let passed = RefCell::new(0);
    let steps = prop::collection::vec(step(), 4..20);
    let done = runner.run(&steps, |steps| {
        let mut two = filled();
        two.go(&How::usual());
        steps.into_iter().for_each(|step| take(&mut two, step));
        *passed.borrow_mut() += two.passed;
        Ok(())
    });
    if let Err(error) = done {
        panic!("{error}");
    }
    let passed = passed.into_inner();
    assert!(passed > cases as usize, "{passed} files were passed over in {cases} runs");
}

/// How many files the next plan passes over.
fn passes(two: &mut Two) -> usize {
    two.now += 60;
    let (some, passed) = two.outcome(&How::usual(), Reread::Changed, false, true);
    assert_eq!(some, two.outcome(&How::usual(), Reread::All, false, true).0);
    passed
}

#[test]
fn a_file_is_read_again_when_it_may_say_something_else() {
    let two = &mut filled();
    two.write(FILES[3], &text(&[(9, 0)]));
    two.go(&How::usual());
    let touch = |two: &Two, as_it| two.write(FILES[1], &text(&[(2, as_it)]));
    touch(two, 1);
    assert_eq!(passes(two), 3);
    // An object that is deleted takes its file along; so does one that is changed elsewhere.
    two.delete("node/n0");
    assert_eq!(passes(two), 2);
    two.go(&How::usual());
    two.roll_out(Goal::Again);
    touch(two, 2);
    assert_eq!(passes(two), 2);
    two.go(&How::usual());
    touch(two, 0);
    assert_eq!(passes(two), 3);
    two.write(FILES[4], &text(&[(9, 1), (3, 0)]));
    two.go(&How { folder: "other", id: "other", ..How::usual() });
    assert_eq!(passes(two), 2);
    two.go(&How::usual());
    // One that moves into a file, beside one that has it already.
    two.write(FILES[1], &text(&[(2, 0), (0, 0)]));
    assert_eq!(passes(two), 2);
    // A file with a warning, and one with something that is left alone.
    two.write(FILES[1], &text(&[(2, 0), (10, 0)]));
    two.go(&How::usual());
    touch(two, 1);
    two.go(&How::usual());
    assert_eq!(
        two.outcome(&How { validate: FieldValidation::Warn, ..How::usual() }, Reread::Changed, false, true).1,
        0
    );
}

#[test]
fn what_was_done_by_hand_is_an_error_all_the_same() {
    for harm in [
        "DELETE FROM brought WHERE name = 'n0'",
        "UPDATE brought SET written = written + 1 WHERE name = 'n0'",
        "UPDATE brought SET file = NULL WHERE name = 'n0'",
        "DELETE FROM files WHERE path LIKE '%a.yaml'",
        "UPDATE files SET sha256 = 'x'",
        "UPDATE nodes SET written = 1 WHERE name = 'n0'",
        "DELETE FROM nodes WHERE name = 'n0'",
        "UPDATE daemonsets SET written = 1",
        "DELETE FROM counts WHERE kind = 'brought'",
    ] {
        let mut two = filled();
        two.go(&How::usual());
        two.write(FILES[1], &text(&[(2, 1)]));
        two.sql(harm);
        for (applies, reread) in
            [(false, Reread::Changed), (false, Reread::All), (true, Reread::Changed), (true, Reread::All)]
        {
            let told = two.outcome(&How::usual(), reread, applies, true).0;
            assert!(told.contains("corrupt-store"), "{harm}, applies: {applies}, {reread:?}: {told}");
        }
    }
}

#[test]
fn of_very_many_unchanged_objects_only_the_number_is_told() {
    let two = &mut filled();
    let nodes: String =
        (0..40).map(|n| format!("apiVersion: v1\nkind: Node\nmetadata: {{name: m{n:02}}}\n---\n")).collect();
    two.write(FILES[0], &nodes);
    two.go(&How::usual());
    two.write(FILES[1], &text(&[(2, 1)]));
    let (told, passed) = two.outcome(&How::usual(), Reread::Changed, true, false);
    assert_eq!(passed, 2);
    assert!(told.contains("node/m09 unchanged\nnode/n2 configured\nnode: 30 more unchanged\n"), "{told}");
    assert!(Path::new(&two.path("some.db")).exists());
}
