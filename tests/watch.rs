//! `dsrules watch` on a real folder: however a change comes about, the store comes to
//! what a fresh apply of the folder comes to.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

#[path = "watch/watcher.rs"]
mod watcher;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::process::Command;

use serde_json::{Value, json};
use watcher::{Place, Watcher, command, daemonset, node};

fn broken(line: &Value, file: &str) -> bool {
    line["broken"].as_array().unwrap().iter().any(|it| it == file)
}

#[test]
fn what_is_changed_added_renamed_and_removed_is_followed() {
    let place = Place::new();
    let mut watcher = Watcher::start(&place, &[]);
    watcher.converges();
    assert_eq!(place.state().unwrap().pods.len(), 3);
    place.write("n2.yaml", &node("n2", "ssd"));
    watcher.converges();
    place.write("n3.yml", &node("n3", "ssd"));
    watcher.converges();
    fs::rename(place.file("n3.yml"), place.file("renamed.yaml")).unwrap();
    let line = watcher.until("the rename is seen", |line| line["files"].to_string().contains("renamed.yaml"));
    assert_eq!(line["actions"], json!({}), "the pods of a renamed file stay");
    watcher.converges();
    place.remove("fast.yaml");
    watcher.converges();
    assert_eq!(place.state().unwrap().pods.len(), 3);
    let line = watcher.read().last().unwrap().clone();
    assert_eq!(line["objects"], json!({ "pruned": 1 }));
    assert_eq!(line["actions"]["pods deleted"], 3);
}

#[test]
fn a_namespace_that_goes_takes_along_what_another_input_has_in_it() {
    let place = Place::new();
    let other = place.base().join("other.yaml");
    fs::write(&other, daemonset("all", "").replace("kube-system", "team")).unwrap();
    place.write("space.yaml", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: team\n");
    let mut watcher = Watcher::start(&place, &[]);
    watcher.converges();
    drop(watcher);
    assert!(command(&place).arg("apply").arg(&other).output().unwrap().status.success());
    assert_eq!(place.state().unwrap().pods.len(), 5);
    let mut watcher = Watcher::start(&place, &[]);
    place.remove("space.yaml");
    watcher.converges();
    let line = watcher.until("the pods go", |line| line["objects"] == json!({ "pruned": 1 }));
    let gone = json!({ "pods deleted": 2, "revisions deleted": 1, "daemonsets deleted": 1 });
    assert_eq!(line["actions"], gone);
}

#[test]
fn editors_save_in_their_own_ways() {
    let place = Place::new();
    let mut watcher = Watcher::start(&place, &[]);
    // A temporary file that is renamed over the old one.
    place.write(".n1.yaml.tmp", &node("n1", "hdd"));
    fs::rename(place.file(".n1.yaml.tmp"), place.file("n1.yaml")).unwrap();
    watcher.converges();
    // The old one kept as a backup, a new one written, the backup removed.
    fs::rename(place.file("n1.yaml"), place.file("n1.yaml~")).unwrap();
    place.write("n1.yaml", &node("n1", "ssd"));
    place.remove("n1.yaml~");
    watcher.converges();
    // Truncated and written in pieces.
    let text = node("n1", "nvme");
    let mut file = fs::File::create(place.file("n1.yaml")).unwrap();
    for part in text.as_bytes().chunks(7) {
        file.write_all(part).unwrap();
        file.sync_all().unwrap();
    }
    drop(file);
    watcher.converges();
    // Copied with the times of another file.
    place.write("n1.yaml", &node("n1", "ssd"));
    let copied =
        Command::new("cp").arg("-p").arg(place.file("n2.yaml")).arg(place.file("other.yaml")).status();
    assert!(copied.unwrap().success());
    place.write("other.yaml", &node("n4", "ssd"));
    watcher.converges();
}

#[test]
fn a_checkout_of_a_thousand_files_is_one_change_or_a_few() {
    let place = Place::new();
    let git = |args: &[&str]| {
        let done = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=one"])
            .args(args)
            .current_dir(place.dir())
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    git(&["init", "-q"]);
    let all = |disk: &str, from: usize| {
        for nth in from..from + 1000 {
            place.write(&format!("many-{nth}.yaml"), &node(&format!("many-{nth}"), disk));
        }
    };
    all("ssd", 0);
    git(&["add", "."]);
    git(&["commit", "-qm", "one"]);
    git(&["checkout", "-qb", "two"]);
    (0..1000).for_each(|nth| place.remove(&format!("many-{nth}.yaml")));
    all("hdd", 300);
    git(&["add", "-A"]);
    git(&["commit", "-qm", "two"]);
    let mut watcher = Watcher::start(&place, &["--max-delete", "100%"]);
    watcher.converges();
    git(&["checkout", "-q", "one"]);
    watcher.converges();
    git(&["checkout", "-q", "two"]);
    watcher.converges();
    assert!(watcher.read().len() < 100, "a thousand files are not a thousand changes");
}

#[test]
fn a_file_that_is_not_understood_keeps_what_it_brought() {
    let place = Place::new();
    let mut watcher = Watcher::start(&place, &[]);
    let before = place.state();
    let text = fs::read_to_string(place.file("fast.yaml")).unwrap();
    place.write("fast.yaml", &text[..text.len() - 20]);
    watcher.until("it is told", |line| broken(line, "fast.yaml"));
    assert_eq!(place.state(), before);
    // It is still told when something else changes.
    place.write("n2.yaml", &node("n2", "nvme"));
    let line = watcher.until("the other change is applied", |line| line["objects"]["configured"] == 1);
    assert!(broken(&line, "fast.yaml"));
    place.write("fast.yaml", &text.replace("ssd", "nvme"));
    let line = watcher.until("it is mended", |line| line["mended"] == json!(["fast.yaml"]));
    assert!(!broken(&line, "fast.yaml"));
    watcher.converges();
    let (code, said) = watcher.end("TERM");
    assert_eq!(code, Some(0));
    assert!(said.contains("fast.yaml"), "{said}");
}

#[test]
fn a_file_removed_and_made_again_at_once_is_the_same_file() {
    let place = Place::new();
    let mut watcher = Watcher::start(&place, &["--debounce", "400ms"]);
    let text = fs::read_to_string(place.file("ds.yaml")).unwrap();
    for _ in 0..20 {
        place.remove("ds.yaml");
        place.write("ds.yaml", &text);
    }
    place.write("n3.yaml", &node("n3", "hdd"));
    watcher.converges();
    let deleted = watcher.read().iter().any(|line| line["actions"].get("pods deleted").is_some());
    assert!(!deleted, "no pod goes for a file that is there: {:#?}", watcher.seen);
}

#[test]
fn a_folder_moved_away_is_unknown_and_not_empty() {
    let place = Place::new();
    let mut watcher = Watcher::start(&place, &[]);
    watcher.converges();
    let before = place.state();
    let away = place.base().join("away");
    fs::rename(place.dir(), &away).unwrap();
    watcher.until("it is told", |line| line["event"] == "failed");
    assert_eq!(place.state(), before);
    fs::write(away.join("n1.yaml"), node("n1", "hdd")).unwrap();
    fs::rename(&away, place.dir()).unwrap();
    watcher.converges();
    // Another folder under the same name.
    fs::rename(place.dir(), &away).unwrap();
    fs::create_dir(place.dir()).unwrap();
    for file in ["n1.yaml", "n2.yaml", "ds.yaml"] {
        fs::copy(away.join(file), place.file(file)).unwrap();
    }
    watcher.converges();
    place.write("n2.yaml", &node("n2", "nvme"));
    watcher.converges();
}

#[test]
fn a_folder_of_links_is_swapped_at_once() {
    let place = Place::new();
    for name in ["n1.yaml", "n2.yaml", "ds.yaml", "fast.yaml"] {
        place.remove(name);
    }
    let version = |name: &str, disk: &str| {
        let dir = place.file(name);
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("nodes.yaml"), [node("n1", disk), node("n2", disk)].join("---\n")).unwrap();
        fs::write(dir.join("ds.yaml"), daemonset("all", "ssd")).unwrap();
    };
    version("..2026_01", "ssd");
    symlink("..2026_01", place.file("..data")).unwrap();
    symlink("..data/nodes.yaml", place.file("nodes.yaml")).unwrap();
    symlink("..data/ds.yaml", place.file("ds.yaml")).unwrap();
    let mut watcher = Watcher::start(&place, &["--max-delete", "100%"]);
    watcher.converges();
    assert_eq!(place.state().unwrap().pods.len(), 2);
    for (name, disk, pods) in [("..2026_02", "hdd", 0), ("..2026_03", "ssd", 2)] {
        version(name, disk);
        symlink(name, place.file("..data_tmp")).unwrap();
        fs::rename(place.file("..data_tmp"), place.file("..data")).unwrap();
        watcher.converges();
        assert_eq!(place.state().unwrap().pods.len(), pods);
    }
}

#[test]
fn a_queue_that_ran_over_is_made_good_by_looking_at_everything() {
    let place = Place::new();
    let mut watcher = Watcher::start(&place, &[]);
    watcher.signal("STOP");
    // More events than the kernel keeps: those about the last file are lost.
    let (one, other) = (node("n1", "hdd"), node("n2", "nvme"));
    for _ in 0..6000 {
        place.write("n1.yaml", &one);
        place.write("n2.yaml", &other);
    }
    place.write("last.yaml", &node("n3", "ssd"));
    place.remove("fast.yaml");
    watcher.signal("CONT");
    watcher.converges();
}

#[test]
fn folders_in_the_folder_come_and_go() {
    let place = Place::new();
    let mut watcher = Watcher::start(&place, &["-R"]);
    fs::create_dir_all(place.file("a/b.c")).unwrap();
    place.write("a/b.c/n3.yaml", &node("n3", "ssd"));
    watcher.converges();
    place.write("a/b.c/n4.yaml", &node("n4", "ssd"));
    watcher.converges();
    let outside = place.base().join("outside");
    fs::rename(place.file("a"), &outside).unwrap();
    watcher.converges();
    fs::rename(&outside, place.file("z")).unwrap();
    watcher.converges();
    place.write("z/b.c/n3.yaml", &node("n3", "hdd"));
    watcher.converges();
}

#[test]
fn an_object_in_two_files_must_be_one_and_the_same() {
    let place = Place::new();
    let mut watcher = Watcher::start(&place, &[]);
    let before = place.state();
    place.write("twin.yaml", &node("n1", "hdd"));
    watcher.until("it is told", |line| broken(line, "twin.yaml"));
    assert_eq!(place.state(), before);
    place.remove("n1.yaml");
    watcher.converges();
    place.write("n1.yaml", &node("n1", "hdd"));
    watcher.converges();
    place.remove("twin.yaml");
    watcher.converges();
}

#[test]
fn an_empty_folder_needs_to_be_meant() {
    let place = Place::new();
    let mut watcher = Watcher::start(&place, &["--max-delete", "100%"]);
    let before = place.state();
    for name in ["n1.yaml", "n2.yaml", "ds.yaml", "fast.yaml"] {
        place.remove(name);
    }
    watcher.until("it is refused", |line| line["event"] == "failed");
    assert_eq!(place.state(), before);
    assert_eq!(watcher.end("INT").0, Some(0));
    let mut watcher = Watcher::start(&place, &["--max-delete", "100%", "--allow-empty"]);
    assert_eq!(watcher.read()[0]["event"], "watching");
    assert_eq!(place.state().unwrap().pods, Vec::<String>::new());
}

#[test]
fn what_changed_while_nobody_watched_is_found() {
    let place = Place::new();
    for signal in ["TERM", "INT", "KILL"] {
        let mut watcher = Watcher::start(&place, &["--max-delete", "100%"]);
        watcher.converges();
        let (code, _) = watcher.end(signal);
        assert_eq!(code, if signal == "KILL" { None } else { Some(0) });
        place.write(&format!("{signal}.yaml"), &node(&signal.to_lowercase(), "ssd"));
        let _ = fs::remove_file(place.file("fast.yaml"));
    }
    let mut watcher = Watcher::start(&place, &["--max-delete", "100%"]);
    watcher.converges();
}

#[test]
fn killed_in_the_middle_of_a_change_nothing_is_half_done() {
    let place = Place::new();
    for round in 0..5 {
        let mut watcher = Watcher::start(&place, &["--max-delete", "100%", "--debounce", "1ms"]);
        for nth in 0..50 {
            place
                .write(&format!("k{nth}.yaml"), &node(&format!("k{nth}"), ["ssd", "hdd"][(round + nth) % 2]));
        }
        watcher.until("it is at work", |line| line["event"] == "applied");
        watcher.end("KILL");
    }
    let mut watcher = Watcher::start(&place, &["--max-delete", "100%"]);
    watcher.converges();
}

#[test]
fn looking_once_ends_with_what_it_came_to() {
    let place = Place::new();
    let once = |args: &[&str]| {
        command(&place).args(["watch", "--once"]).args(args).arg(place.dir()).output().unwrap()
    };
    let out = once(&[]);
    assert!(out.status.success());
    assert_eq!(place.state(), Some(place.fresh()));
    let said = String::from_utf8(out.stdout).unwrap();
    assert!(said.contains("watching 4 files with 4 objects: objects 4 created"), "{said}");
    place.write("n1.yaml", "kind: [");
    let out = once(&[]);
    assert_eq!(out.status.code(), Some(1));
    assert!(String::from_utf8(out.stderr).unwrap().contains("n1.yaml:"));
}

#[test]
fn without_events_it_looks_every_so_often() {
    let place = Place::new();
    let mut watcher = Watcher::start(&place, &["--poll=50ms"]);
    place.write("n1.yaml", &node("n1", "hdd"));
    watcher.converges();
    place.remove("fast.yaml");
    watcher.converges();
}

#[test]
fn a_second_writer_is_told_who_holds_the_store() {
    let place = Place::new();
    let watcher = Watcher::start(&place, &[]);
    let out = command(&place).args(["--lock-timeout", "0s", "apply"]).arg(place.dir()).output().unwrap();
    assert_eq!(out.status.code(), Some(1));
    let said = String::from_utf8(out.stderr).unwrap();
    assert!(said.contains("dsrules watch"), "{said}");
    let out = command(&place).args(["get", "pods", "-A", "-o", "name"]).output().unwrap();
    assert_eq!(String::from_utf8(out.stdout).unwrap().lines().count(), 3);
    drop(watcher);
}

#[test]
fn its_numbers_are_served() {
    let place = Place::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let watcher = Watcher::start(&place, &["--listen", &free.to_string()]);
    let ask = |path: &str| {
        let mut stream = TcpStream::connect(free).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let metrics = ask("/metrics");
    assert!(metrics.starts_with("HTTP/1.1 200 OK\r\n"), "{metrics}");
    for line in [
        "dsrules_pods 3",
        "dsrules_files 4",
        "dsrules_files_in_error 0",
        "dsrules_actions_total{action=\"pods created\"} 3",
        "# TYPE dsrules_reconciles counter",
        "# EOF",
    ] {
        assert!(metrics.lines().any(|it| it == line), "{line} in {metrics}");
    }
    assert!(ask("/healthz").ends_with("\r\n\r\nok\n"));
    assert!(ask("/else").starts_with("HTTP/1.1 404"));
    drop(watcher);
}

#[test]
fn the_tree_follows() {
    let place = Place::new();
    let tree = place.base().join("tree");
    let mut watcher = Watcher::start(&place, &["--tree", tree.to_str().unwrap()]);
    let files = |node: &str| {
        let listed =
            fs::read_dir(tree.join(node)).map(|it| it.flatten().map(|it| it.file_name()).collect::<Vec<_>>());
        listed.unwrap_or_default().iter().filter(|name| name.to_string_lossy().ends_with(".yaml")).count()
    };
    assert_eq!((files("n1"), files("n2")), (2, 1));
    place.write("n2.yaml", &node("n2", "ssd"));
    watcher.until("it is written", |line| line["tree"] == 1);
    assert_eq!((files("n1"), files("n2")), (2, 2));
    place.remove("n2.yaml");
    watcher.until("it is removed", |line| line["tree"] == 2);
    assert_eq!((files("n1"), files("n2")), (2, 0));
}
