//! Watching while others do their worst: no file descriptors, clients that say nothing,
//! folders swapped under it, files cut off, and very many pods over a long time.
#![allow(clippy::unwrap_used)]
#![cfg(target_os = "linux")]

#[path = "watch/watcher.rs"]
#[allow(dead_code)]
mod watcher;

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use watcher::{Place, Watcher, daemonset, node};

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn ask(address: SocketAddr, path: &str) -> String {
    ask_as(address, path, &address.to_string())
}

/// The answer to a request for a host of that name.
fn ask_as(address: SocketAddr, path: &str, host: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Until it holds, which must not take long.
fn soon(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_file_that_could_not_be_read_is_read_again() {
    let place = Place::new();
    let address = free();
    let mut watcher = Watcher::start(&place, &["--listen", &address.to_string()]);
    // As with file descriptors, only that it lasts as long as the test wants it to: what
    // makes it readable again is no event about the file.
    let unreadable = place.base().join("elsewhere");
    fs::create_dir(&unreadable).unwrap();
    std::os::unix::fs::symlink(&unreadable, place.base().join("link")).unwrap();
    place.remove("n1.yaml");
    std::os::unix::fs::symlink(place.base().join("link/n1.yaml"), place.file("n1.yaml")).unwrap();
    let line = watcher.until("it is in error", |line| line["broken"].to_string().contains("n1.yaml"));
    assert_eq!(line["actions"], serde_json::json!({}), "{line}");
    fs::write(unreadable.join("n1.yaml"), node("n1", "hdd")).unwrap();
    soon("it is not read again", || {
        watcher.read().iter().any(|line| line["mended"].to_string().contains("n1.yaml"))
    });
    watcher.converges();
    assert!(ask(address, "/healthz").ends_with("\r\n\r\nok\n"));
}

#[test]
fn without_file_descriptors_it_says_so_and_recovers() {
    let place = Place::new();
    let address = free();
    let mut watcher = Watcher::start(&place, &["--listen", &address.to_string()]);
    let limit = |most: &str| {
        let done = std::process::Command::new("prlimit")
            .args(["--pid", &watcher.id().to_string(), &format!("--nofile={most}:4096")])
            .status();
        done.is_ok_and(|status| status.success())
    };
    // The lowest free descriptor is over this limit: nothing more can be opened.
    if !limit("3") {
        eprintln!("no prlimit: not tried");
        return;
    }
    place.write("n1.yaml", &node("n1", "hdd"));
    std::thread::sleep(Duration::from_millis(500));
    assert!(limit("1024"));
    // No event comes any more: the file is as it was when it could not be read.
    soon("it does not recover", || ask(address, "/healthz").ends_with("\r\n\r\nok\n"));
    watcher.converges();
}

#[test]
fn only_requests_for_this_host_are_answered() {
    let place = Place::new();
    let address = free();
    let listen = format!("localhost:{}", address.port());
    let _watcher = Watcher::start(&place, &["--listen", &listen, "--listen-host", "metrics.example"]);
    for host in ["localhost", &listen, "127.0.0.1", "metrics.example:9090"] {
        assert!(ask_as(address, "/healthz", host).ends_with("\r\n\r\nok\n"), "{host}");
    }
    for host in ["evil.example", "localhost.evil.example", ""] {
        let answer = ask_as(address, "/metrics", host);
        assert!(answer.starts_with("HTTP/1.1 421 "), "{host}: {answer}");
        assert!(!answer.contains("dsrules_"), "{host}: {answer}");
    }
}

#[test]
fn clients_that_say_nothing_keep_nobody_waiting() {
    let place = Place::new();
    let address = free();
    let watcher = Watcher::start(&place, &["--listen", &address.to_string()]);
    let descriptors = || fs::read_dir(format!("/proc/{}/fd", watcher.id())).unwrap().count();
    let before = descriptors();
    let silent: Vec<TcpStream> = (0..600)
        .map(|_| {
            let mut stream = TcpStream::connect(address).unwrap();
            let _ = stream.write_all(b"GET /me");
            stream
        })
        .collect();
    let start = Instant::now();
    assert!(ask(address, "/healthz").ends_with("\r\n\r\nok\n"));
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert!(descriptors() <= before + 260, "{before} became {}", descriptors());
    drop(silent);
}

#[test]
fn a_folder_removed_and_made_again_is_watched_at_once() {
    let place = Place::new();
    fs::create_dir(place.file("sub")).unwrap();
    fs::rename(place.file("ds.yaml"), place.file("sub/ds.yaml")).unwrap();
    let mut watcher = Watcher::start(&place, &["-R"]);
    let copy = place.base().join("copy");
    let again = |folder: std::path::PathBuf| {
        // A new folder mostly gets the inode of the one that was just removed.
        let _ = fs::remove_dir_all(&copy);
        assert!(
            std::process::Command::new("cp").arg("-r").args([&folder, &copy]).status().unwrap().success()
        );
        fs::remove_dir_all(&folder).unwrap();
        assert!(
            std::process::Command::new("cp").arg("-r").args([&copy, &folder]).status().unwrap().success()
        );
    };
    for turn in 0..6 {
        again(if turn % 2 == 0 { place.dir() } else { place.file("sub") });
        // Looked at and at rest: from here on there is nothing but the next event.
        std::thread::sleep(Duration::from_millis(700));
        for file in ["n2.yaml", "sub/ds.yaml"] {
            let text = if file == "n2.yaml" {
                node("n2", &format!("disk-{turn}"))
            } else {
                daemonset("all", "").replace("x:1", &format!("x:turn-{turn}"))
            };
            let start = Instant::now();
            place.write(file, &text);
            watcher.converges();
            assert!(start.elapsed() < Duration::from_secs(10), "turn {turn}, {file}: {:?}", start.elapsed());
        }
    }
}

#[test]
fn a_file_cut_to_nothing_keeps_its_objects() {
    let place = Place::new();
    let mut watcher = Watcher::start(&place, &["--max-delete", "100%"]);
    watcher.converges();
    let before = place.state();
    place.write("ds.yaml", "");
    let line = watcher.until("it is told", |line| line["broken"] == serde_json::json!(["ds.yaml"]));
    assert_eq!(line["actions"], serde_json::json!({}), "{line}");
    assert_eq!(place.state(), before);
    // Whoever looks anew knows no better.
    let (_, said) = watcher.end("TERM");
    assert!(said.contains("the file is empty and has lost the one object"), "{said}");
    let mut watcher = Watcher::start(&place, &["--max-delete", "100%"]);
    assert_eq!(place.state(), before);
    place.write("ds.yaml", &daemonset("all", "").replace("x:1", "x:2"));
    watcher.until("it is mended", |line| line["mended"] == serde_json::json!(["ds.yaml"]));
    watcher.converges();
    // What is removed is gone.
    place.write("ds.yaml", "");
    watcher.until("it is told", |line| line["broken"] == serde_json::json!(["ds.yaml"]));
    place.remove("ds.yaml");
    watcher.converges();
}

/// Resident memory in kB.
fn memory(watcher: &Watcher<'_>) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", watcher.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// A daemonset with another image, all of whose pods are replaced at once.
fn at_once(image: usize) -> String {
    let strategy = "spec:\n  updateStrategy: {rollingUpdate: {maxUnavailable: 100%}}\n";
    daemonset("all", "").replace("x:1", &format!("x:{image}")).replacen("spec:\n", strategy, 1)
}

/// Makes the pods of all nodes anew so many times, and gives the memory after a first
/// part of them and at the end.
fn grown(edits: usize, first: usize, edit: impl Fn(usize) -> String) -> (u64, u64) {
    let place = Place::new();
    let nodes: Vec<String> = (0..50).map(|nth| node(&format!("n-{nth}"), "ssd")).collect();
    place.write("nodes.yaml", &nodes.join("---\n"));
    let mut watcher = Watcher::start(&place, &["--max-delete", "100%", "--debounce", "1ms"]);
    let mut early = 0;
    for nth in 0..edits {
        place.write("ds.yaml", &edit(nth));
        watcher.until("it is applied", |line| line["event"] == "applied");
        watcher.seen.clear();
        if nth == first {
            early = memory(&watcher);
        }
    }
    (early, memory(&watcher))
}

#[test]
fn memory_does_not_grow_with_the_pods_ever_made() {
    let (early, late) = grown(900, 300, |nth| at_once(nth % 2));
    assert!(late < early + 4096, "{early} kB became {late} kB");
}

/// Hours long: `cargo test --release --test watch_hostile -- --ignored`.
#[test]
#[ignore = "takes long"]
fn memory_is_flat_over_very_many_edits() {
    let (early, late) = grown(100_000, 5_000, at_once);
    assert!(late < early + 16_384, "{early} kB became {late} kB");
}
