//! The same question about an unchanged store is answered from memory, and only then.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tempfile::TempDir;

const MANIFESTS: &str = r"
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {disk: ssd}}
---
apiVersion: v1
kind: Node
metadata: {name: n2}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: kube-system}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      containers: [{name: c, image: x:1}]
";

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Place(tempfile::tempdir().unwrap());
        fs::write(place.file(), MANIFESTS).unwrap();
        place
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("cluster.yaml")
    }

    fn run(&self, command: &str, args: &[&str]) -> String {
        let (done, said) = self.try_run(command, args);
        assert!(done, "{said}");
        said
    }

    /// Whether it went well; what it came to, or what is wrong.
    fn try_run(&self, command: &str, args: &[&str]) -> (bool, String) {
        let out = Command::new(env!("CARGO_BIN_EXE_dsrules"))
            .arg("--db")
            .arg(self.0.path().join("x.db"))
            .arg(command)
            .args(args)
            .arg(self.file())
            .env_remove("DSRULES_RULES")
            .output()
            .unwrap();
        let done = out.status.success();
        (done, String::from_utf8(if done { out.stdout } else { out.stderr }).unwrap())
    }

    fn sql(&self, sql: &str) {
        Connection::open(self.0.path().join("x.db")).unwrap().execute_batch(sql).unwrap();
    }

    /// Whether the store knows that nothing is left to do for the file as it is.
    fn is_remembered(&self) -> bool {
        let connection = Connection::open(self.0.path().join("x.db")).unwrap();
        let sql = "SELECT count(*) = 1 FROM settled";
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

fn words(text: &str, word: &str) -> usize {
    text.split_whitespace().filter(|it| *it == word).count()
}

#[test]
fn the_answer_is_the_same_with_and_without_memory() {
    let place = Place::new();
    assert!(place.run("apply", &[]).contains("node/n1 created"));
    assert!(place.is_remembered());
    let remembered = [place.run("apply", &[]), place.run("plan", &[]), place.run("plan", &["-o", "json"])];
    place.sql("DELETE FROM settled");
    let planned = [place.run("plan", &[]), place.run("plan", &["-o", "json"])];
    let derived = [place.run("apply", &[]), planned[0].clone(), planned[1].clone()];
    assert_eq!(remembered, derived);
    assert_eq!(words(&remembered[0], "unchanged"), 3);
}

#[test]
fn what_was_done_to_the_store_by_hand_is_noticed() {
    for harm in [
        "DELETE FROM pods WHERE node = 'n1'",
        "DELETE FROM nodes WHERE name = 'n1'",
        "UPDATE pods SET ready = 0 WHERE node = 'n2'",
        "UPDATE pods SET phase = 'Failed' WHERE node = 'n2'",
        "UPDATE label_sets SET labels = '{}'",
    ] {
        let place = Place::new();
        place.run("apply", &[]);
        assert!(place.is_remembered(), "before {harm}");
        place.sql(harm);
        for command in ["plan", "apply"] {
            let (done, said) = place.try_run(command, &[]);
            assert!(!done && said.contains("the store `") && said.contains("is damaged"), "{harm}: {said}");
        }
    }
}

#[test]
fn another_question_is_not_answered_from_memory() {
    let place = Place::new();
    place.run("apply", &[]);
    let other = |text: &str| fs::write(place.file(), text).unwrap();
    other(&MANIFESTS.replace("x:1", "x:2"));
    assert_eq!(words(&place.run("plan", &[]), "configured"), 1);
    place.run("apply", &[]);
    other(MANIFESTS);
    assert_eq!(words(&place.run("plan", &[]), "configured"), 1);
    place.run("apply", &[]);
    let rules = place.0.path().join("own.dl");
    fs::write(
        &rules,
        "/// {Node} is closed.\nblocked(DaemonSet, Node) :- daemonset(DaemonSet), node(Node).\n",
    )
    .unwrap();
    let planned = place.run("plan", &["--max-delete", "100%", "--rules", rules.to_str().unwrap()]);
    assert!(planned.contains("delete"), "{planned}");
}

#[test]
fn what_waits_for_time_is_not_remembered() {
    let place = Place::new();
    place.run("apply", &["--readiness", "observe"]);
    assert!(!place.is_remembered(), "its pods are not ready yet");
}

#[test]
fn from_another_folder_it_is_the_same_question() {
    let place = Place::new();
    place.run("apply", &[]);
    // What is done behind the back of the store's triggers is the one thing that memory does
    // not notice, so it tells whether the answer is from there.
    let connection = Connection::open(place.0.path().join("x.db")).unwrap();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).unwrap();
    connection.execute_batch("UPDATE controllerrevisions SET revision = 7").unwrap();
    drop(connection);
    let creates = |dir: &Path, path: &str| {
        let out = Command::new(env!("CARGO_BIN_EXE_dsrules"))
            .arg("--db")
            .arg(place.0.path().join("x.db"))
            .args(["plan", "-o", "json", path])
            .current_dir(dir)
            .output()
            .unwrap();
        let plan: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap_or_default();
        plan["summary"]["create"].as_u64()
    };
    assert_eq!(creates(place.0.path(), "cluster.yaml"), Some(0));
    assert_eq!(creates(&std::env::temp_dir(), place.file().to_str().unwrap()), Some(0));
    fs::copy(place.file(), place.0.path().join("other.yaml")).unwrap();
    // Another question is answered from the rows, and those are not as they were written.
    assert_eq!(creates(place.0.path(), "other.yaml"), None);
}

#[test]
fn all_of_the_store_is_looked_at_where_that_is_asked_for() {
    let place = Place::new();
    place.run("apply", &[]);
    let text = fs::read_to_string(place.file()).unwrap();
    fs::write(place.file(), text.replace("disk: ssd", "disk: hdd")).unwrap();
    let told = |whole: Option<&str>| {
        let mut plan = Command::new(env!("CARGO_BIN_EXE_dsrules"));
        plan.arg("--db").arg(place.0.path().join("x.db")).args(["-vv", "plan"]).arg(place.file());
        plan.env_remove("DSRULES_RULES")
            .env_remove("DSRULES_WHOLE")
            .envs(whole.map(|it| ("DSRULES_WHOLE", it)));
        let out = plan.output().unwrap();
        let said = String::from_utf8(out.stderr).unwrap();
        assert!(out.status.success(), "{said}");
        (said.contains("planned with a part of the store"), String::from_utf8(out.stdout).unwrap())
    };
    let (part, shown) = told(None);
    assert!(part);
    for (given, in_part) in [("1", false), ("true", false), ("0", true), ("false", true)] {
        assert_eq!(told(Some(given)), (in_part, shown.clone()), "DSRULES_WHOLE={given}");
    }
}
