//! Files that are not what their names say: another program's, links, pipes, and files
//! that an editor has cut off. Nothing of others is written, nothing is waited for, and
//! what is not known is not taken for gone.
#![allow(clippy::unwrap_used)]
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A command that takes longer waits for something that never comes.
const HANGS: Duration = Duration::from_secs(60);

const NODES: &str = "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n---\n\
    apiVersion: v1\nkind: Node\nmetadata: {name: n2}\n";
const DAEMONSET: &str = "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: agent}\n\
    spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, \
    spec: {containers: [{name: c, image: x:1}]}}}\n";

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Place(tempfile::tempdir().unwrap());
        fs::create_dir(place.path("in")).unwrap();
        fs::write(place.path("in/nodes.yaml"), NODES).unwrap();
        fs::write(place.path("in/agent.yaml"), DAEMONSET).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn start(&self, line: &str) -> Child {
        Command::new(env!("CARGO_BIN_EXE_dsrules"))
            .args(line.split_whitespace())
            .current_dir(self.0.path())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Runs to the end, which has to come.
    fn run(&self, line: &str) -> (i32, String) {
        let mut child = self.start(line);
        let end = Instant::now() + HANGS;
        while child.try_wait().unwrap().is_none() {
            if Instant::now() > end {
                child.kill().unwrap();
                panic!("`{line}` hangs");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        let said = String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap();
        (status.code().unwrap(), said)
    }

    fn ok(&self, line: &str) -> String {
        let (code, said) = self.run(line);
        assert_eq!(code, 0, "{line}: {said}");
        said
    }

    fn refused(&self, line: &str, words: &str) {
        let (code, said) = self.run(line);
        assert!(code == 1 && said.contains(words), "{line}: {code} {said}");
    }
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn the_lock_file_of_another_program_is_left_alone() {
    let place = Place::new();
    fs::write(place.path("Cargo.lock"), "precious\n").unwrap();
    let said = "Cargo.lock` is a file of another program, not a lock file of dsrules";
    place.refused("apply in --db Cargo", said);
    assert_eq!(fs::read_to_string(place.path("Cargo.lock")).unwrap(), "precious\n");
    assert!(!place.path("Cargo").exists(), "a store was made all the same");
    // Through a link, whether it leads to something or not, and through another name.
    fs::write(place.path("precious"), "12 monkeys\n").unwrap();
    fs::write(place.path("empty"), "").unwrap();
    for (target, db) in [("precious", "a.db"), ("empty", "b.db"), ("nowhere", "c.db")] {
        symlink(target, place.path(&format!("{db}.lock"))).unwrap();
        place.refused(&format!("apply in --db {db}"), "is a link, and links are not followed");
    }
    fs::hard_link(place.path("precious"), place.path("d.db.lock")).unwrap();
    place.refused("apply in --db d.db", "is a file of another program");
    assert_eq!(fs::read_to_string(place.path("precious")).unwrap(), "12 monkeys\n");
    assert!(!place.path("nowhere").exists());
    // What is no file is not waited for.
    pipe(&place.path("e.db.lock"));
    place.refused("apply in --db e.db --lock-timeout 1s", "e.db.lock` is not a file");
    fs::create_dir(place.path("f.db.lock")).unwrap();
    place.refused("apply in --db f.db", "f.db.lock` is a folder");
    // Those of ours are taken: empty, of former versions, of a process that was killed.
    for (nth, ours) in
        ["", "4711 dsrules apply\n", "dsrules lock file\n4711 dsrules watch\n"].iter().enumerate()
    {
        fs::write(place.path(&format!("{nth}.db.lock")), ours).unwrap();
        place.ok(&format!("apply in --db {nth}.db"));
        assert_eq!(fs::read_to_string(place.path(&format!("{nth}.db.lock"))).unwrap(), "dsrules lock file\n");
    }
}

#[test]
fn what_sqlite_would_write_over_is_left_alone() {
    for suffix in ["-wal", "-shm", "-journal"] {
        let place = Place::new();
        let theirs = place.path(&format!("x.db{suffix}"));
        fs::write(&theirs, "precious\n").unwrap();
        place.refused("apply in --db x.db", "is a file of another program, or damaged");
        assert_eq!(fs::read_to_string(&theirs).unwrap(), "precious\n");
        fs::rename(&theirs, place.path("precious")).unwrap();
        symlink("precious", &theirs).unwrap();
        place.refused("apply in --db x.db", "is a link, and links are not followed");
        assert_eq!(fs::read_to_string(place.path("precious")).unwrap(), "precious\n");
        fs::remove_file(&theirs).unwrap();
        pipe(&theirs);
        place.refused("apply in --db x.db", "is not a file");
        fs::remove_file(&theirs).unwrap();
        place.ok("apply in --db x.db");
    }
}

#[test]
fn a_store_that_is_a_link_to_nowhere_is_said() {
    let place = Place::new();
    symlink("nowhere", place.path("x.db")).unwrap();
    place.refused("apply in --db x.db", "is a link that leads nowhere");
    assert!(!place.path("nowhere").exists() && !place.path("x.db.lock").exists());
    // A link to a store is one more name of it, and it is locked under its own.
    place.ok("apply in --db real.db");
    symlink("real.db", place.path("y.db")).unwrap();
    assert!(place.ok("apply in --db y.db").contains("unchanged"));
    assert!(!place.path("y.db.lock").exists());
}

#[test]
fn no_pipe_in_the_tree_is_waited_for() {
    let place = Place::new();
    place.ok("apply in --tree t");
    let index = place.path("t/n1/.dsrules");
    fs::remove_file(&index).unwrap();
    pipe(&index);
    let said = "`n1/.dsrules` in the tree is not a file";
    for command in ["plan", "apply"] {
        let (code, told) = place.run(&format!("{command} in --tree t"));
        assert!(code != 0 && told.contains(said), "{command}: {code} {told}");
    }
    assert!(!fs::symlink_metadata(&index).unwrap().is_file(), "it was written over");
    // A folder is no index either; and the other nodes are done.
    fs::remove_file(&index).unwrap();
    fs::create_dir(&index).unwrap();
    fs::write(place.path("in/agent.yaml"), DAEMONSET.replace("x:1", "x:2")).unwrap();
    let (code, told) = place.run("apply in --tree t");
    assert!(code != 0 && told.contains(said), "{code} {told}");
    let written = walkdir::WalkDir::new(place.path("t/n2")).into_iter().filter_map(Result::ok);
    let texts: String = written.filter_map(|it| fs::read_to_string(it.path()).ok()).collect();
    assert!(texts.contains("x:2") && !texts.contains("x:1"), "{texts}");
    // A pipe where a pod's file is to be is a foreign one.
    fs::remove_dir(&index).unwrap();
    for entry in fs::read_dir(place.path("t/n1")).unwrap() {
        let path = entry.unwrap().path();
        fs::remove_file(&path).unwrap();
    }
    place.ok("apply in --tree t");
    let pod = fs::read_dir(place.path("t/n1")).unwrap().map(|it| it.unwrap().path());
    let pod = pod.into_iter().find(|path| path.extension().is_some_and(|it| it == "yaml")).unwrap();
    fs::remove_file(&pod).unwrap();
    pipe(&pod);
    let (code, told) = place.run("apply in --tree t");
    assert!(code != 0 && told.contains("was not written by dsrules"), "{code} {told}");
}

#[test]
fn no_pipe_in_a_folder_that_is_read_is_waited_for() {
    let place = Place::new();
    pipe(&place.path("in/pipe.yaml"));
    place.ok("apply in");
    pipe(&place.path("in/dsrules.yaml"));
    place.refused("plan in", "it is a pipe, a device or a socket, not a file");
    fs::remove_file(place.path("in/dsrules.yaml")).unwrap();
    fs::create_dir(place.path("own")).unwrap();
    pipe(&place.path("own/x.dl"));
    place.refused("plan in --rules own", "it is a pipe, a device or a socket, not a file");
    fs::create_dir(place.path("case")).unwrap();
    pipe(&place.path("case/expected.txt"));
    pipe(&place.path("case/nodes.yaml"));
    assert_ne!(place.run("test case").0, 101);
}

#[test]
fn a_file_cut_to_nothing_is_unknown_not_gone() {
    let place = Place::new();
    place.ok("apply in --prune");
    let nodes = || place.ok("get nodes -o name");
    for nothing in ["", "\n", "  \n\n"] {
        fs::write(place.path("in/nodes.yaml"), nothing).unwrap();
        for command in ["apply", "plan"] {
            place.refused(
                &format!("{command} in --prune"),
                "the file is empty and has lost all of its 2 objects",
            );
        }
        // An apply that takes nothing away does not make it forget what is unknown.
        place.ok("apply in");
        place.refused("apply in --prune", "error[emptied-file]");
        assert_eq!(nodes(), "node/n1\nnode/n2\n");
    }
    // The same of a file that is not understood.
    fs::write(place.path("in/nodes.yaml"), "a: [").unwrap();
    for _ in 0..2 {
        assert_eq!(place.run("apply in --prune --keep-going").0, 1);
        assert_eq!(nodes(), "node/n1\nnode/n2\n");
    }
    // One that says something else says that they are gone, and so does who says so.
    fs::write(place.path("in/nodes.yaml"), NODES.split("---").next().unwrap()).unwrap();
    place.ok("apply in --prune --max-delete 100%");
    assert_eq!(nodes(), "node/n1\n");
    fs::write(place.path("in/nodes.yaml"), "").unwrap();
    place.refused("apply in --prune", "the file is empty and has lost the one object");
    place.ok("apply in --prune --allow-empty --max-delete 100%");
    assert_eq!(nodes(), "");
}
