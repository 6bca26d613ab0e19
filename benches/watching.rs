//! `watch`: from the rename of one node's file, of 10,000, to the change that another
//! process sees in the store; and the same with a warning of a user's own, which must not
//! make every step look at every node.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use crate::generate;
use crate::timing::show;

const NODES: usize = 10_000;
const DAEMONSETS: usize = 20;
const ROUNDS: usize = 100;
/// How long the folder must be at rest: part of each figure.
const DEBOUNCE: Duration = Duration::from_millis(5);

/// A warning that is asked of every node, and says nothing.
const WARNING: &str =
    ".decl odd(node: Node) warning\n/// {Node} is odd.\nodd(Node) :- node_label(Node, \"odd\", \"yes\").\n";

pub fn run() {
    println!("\n### watch\n");
    println!(
        "| 1 node of {NODES} x {DAEMONSETS} daemonsets, less the {} of rest | p50 | p99 |",
        show(DEBOUNCE)
    );
    println!("|---|---|---|");
    for (what, rules) in
        [("rename to commit", None), ("the same, with a warning of one's own", Some(WARNING))]
    {
        let times = steps(rules);
        println!(
            "| {what} | {} | {} |",
            show(times[ROUNDS / 2].saturating_sub(DEBOUNCE)),
            show(times[ROUNDS * 99 / 100].saturating_sub(DEBOUNCE)),
        );
    }
}

/// How long the steps take, in order.
fn steps(rules: Option<&str>) -> Vec<Duration> {
    let folder = tempfile::tempdir().expect("a place for files");
    let dir = folder.path().join("manifests");
    std::fs::create_dir(&dir).expect("a folder");
    for nth in 0..NODES {
        write(&dir.join(format!("node-{nth:06}.json")), &generate::node(nth));
    }
    for nth in 0..DAEMONSETS {
        write(&dir.join(format!("ds-{nth:04}.json")), &generate::daemonset(nth));
    }
    let db = folder.path().join("bench.db");
    let own = folder.path().join("own.dl");
    if let Some(rules) = rules {
        write(&own, rules);
    }
    let mut watcher = start(&dir, &db, rules.map(|_| own.as_path()));
    let reader = Connection::open_with_flags(&db, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a store");
    let mut times: Vec<Duration> = (0..ROUNDS).map(|round| once(&dir, &reader, round)).collect();
    times.sort();
    watcher.kill().expect("it runs");
    watcher.wait().expect("it ends");
    times
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("the file can be written");
}

fn start(dir: &Path, db: &Path, rules: Option<&Path>) -> Child {
    let debounce = format!("{}ms", DEBOUNCE.as_millis());
    let mut child = Command::new(env!("CARGO_BIN_EXE_dsrules"))
        .arg("--db")
        .arg(db)
        .args(["watch", "--debounce", &debounce])
        .args(rules.into_iter().flat_map(|rules| [Path::new("--rules"), rules]))
        .arg(dir)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut lines = BufReader::new(child.stdout.take().expect("its output"));
    let mut line = String::new();
    lines.read_line(&mut line).expect("a line");
    // What it says later is read too, so that it never waits for a reader.
    std::thread::spawn(move || lines.lines().count());
    child
}

/// Relabels a node and waits until the store has it.
fn once(dir: &Path, reader: &Connection, round: usize) -> Duration {
    let nth = round * 97 % NODES;
    let (name, mark) = (format!("node-{nth:06}"), format!("m{round}"));
    let text =
        generate::node(nth).replace("\"linux\"", &format!("\"linux\",\"mark\":\"{mark}\",\"pool2\":\"x\""));
    let temporary = dir.join(".next");
    write(&temporary, &text);
    let start = Instant::now();
    std::fs::rename(&temporary, dir.join(format!("{name}.json"))).expect("renamed");
    let sql = "SELECT labels ->> 'mark' FROM nodes WHERE name = ?1";
    let mut statement = reader.prepare_cached(sql).expect("a statement");
    loop {
        let seen: Option<String> = statement.query_row([&name], |row| row.get(0)).expect("the node");
        if seen.as_deref() == Some(&mark) {
            return start.elapsed();
        }
        assert!(start.elapsed() < Duration::from_secs(60), "it never comes");
        std::thread::sleep(Duration::from_micros(200));
    }
}
