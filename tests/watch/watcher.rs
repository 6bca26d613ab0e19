//! The real binary, watching a real folder.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tempfile::TempDir;

/// A test that waits longer than this hangs.
const HANGS: Duration = Duration::from_secs(300);

/// A folder with manifests, and a place for stores beside it.
pub struct Place {
    base: TempDir,
}

impl Place {
    /// Two nodes, one with a label, and a daemonset for each and one for the labelled.
    pub fn new() -> Self {
        let place = Place { base: tempfile::tempdir().unwrap() };
        fs::create_dir(place.dir()).unwrap();
        place.write("n1.yaml", &node("n1", "ssd"));
        place.write("n2.yaml", &node("n2", "hdd"));
        place.write("ds.yaml", &daemonset("all", ""));
        place.write("fast.yaml", &daemonset("fast", "ssd"));
        place
    }

    pub fn base(&self) -> &Path {
        self.base.path()
    }

    pub fn dir(&self) -> PathBuf {
        self.base.path().join("manifests")
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.file(name), text).unwrap();
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.file(name)).unwrap();
    }

    fn db(&self) -> PathBuf {
        self.base.path().join("watched.db")
    }

    /// What a fresh apply of the folder, as it is now, comes to.
    pub fn fresh(&self) -> State {
        let db = self.base.path().join("fresh.db");
        for part in ["fresh.db", "fresh.db-wal", "fresh.db-shm"] {
            let _ = fs::remove_file(self.base.path().join(part));
        }
        let out = dsrules(&db).args(["apply", "-R"]).arg(self.dir()).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        State::of(&db).unwrap()
    }

    pub fn state(&self) -> Option<State> {
        State::of(&self.db())
    }

    /// The pods that there are, by namespace and name.
    #[allow(dead_code)] // not every test looks at single pods
    pub fn pods(&self) -> Vec<String> {
        let connection = Connection::open_with_flags(self.db(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let sql = "SELECT namespace || '/' || name FROM pods ORDER BY 1";
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    /// Since when a node has its first taint, in seconds of Unix time.
    #[allow(dead_code)]
    pub fn tainted_since(&self, node: &str) -> i64 {
        let connection = Connection::open_with_flags(self.db(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let sql = "SELECT taints ->> '$[0].since' FROM nodes WHERE name = ?1";
        connection.query_row(sql, [node], |row| row.get(0)).unwrap()
    }
}

/// Everything in a store that does not depend on the way it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    pub pods: Vec<String>,
    nodes: Vec<String>,
    daemonsets: Vec<String>,
    eligible: Vec<String>,
}

impl State {
    fn of(db: &Path) -> Option<State> {
        let connection = Connection::open_with_flags(db, OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
        let rows = |sql: &str| -> Option<Vec<String>> {
            let mut statement = connection.prepare(sql).ok()?;
            let rows = statement.query_map([], |row| row.get(0)).ok()?;
            rows.collect::<Result<_, _>>().ok()
        };
        Some(State {
            pods: rows(
                "SELECT owner || ' on ' || coalesce(node, 'none') || ' ' || phase || ' ' || labels FROM pod_list ORDER BY 1",
            )?,
            nodes: rows("SELECT name || labels || taints FROM nodes ORDER BY 1")?,
            daemonsets: rows(
                "SELECT name || (body ->> 'spec') || coalesce(status ->> 'numberReady', '') FROM daemonsets ORDER BY 1",
            )?,
            eligible: rows("SELECT daemonset || ' on ' || node FROM eligible ORDER BY 1")?,
        })
    }
}

/// A running `dsrules watch`.
pub struct Watcher<'p> {
    place: &'p Place,
    child: Child,
    lines: Receiver<String>,
    pub seen: Vec<Value>,
}

fn dsrules(db: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dsrules"));
    command.arg("--db").arg(db).env_remove("DSRULES_DB").env("NO_COLOR", "1");
    command
}

pub fn command(place: &Place) -> Command {
    dsrules(&place.db())
}

impl<'p> Watcher<'p> {
    pub fn start(place: &'p Place, args: &[&str]) -> Self {
        let mut child = command(place)
            .args(["watch", "--log-format", "json"])
            .args(if args.contains(&"--debounce") { &[][..] } else { &["--debounce", "30ms"] })
            .args(args)
            .arg(place.dir())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (send, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        let mut watcher = Watcher { place, child, lines, seen: Vec::new() };
        watcher.until("it watches", |line| line["event"] == "watching" || line["event"] == "failed");
        watcher
    }

    /// The process, which not every test looks into.
    #[allow(dead_code)]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line.
    pub fn until(&mut self, what: &str, found: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + HANGS;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    let line: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{line}: {e}"));
                    self.seen.push(line.clone());
                    if found(&line) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("waiting until {what}; seen: {:#?}", self.seen),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("it ended before {what}; seen: {:#?}", self.seen)
                }
            }
        }
    }

    /// Waits until the store is what a fresh apply of the folder comes to.
    pub fn converges(&mut self) {
        let expected = self.place.fresh();
        let end = Instant::now() + HANGS;
        while self.place.state().as_ref() != Some(&expected) {
            assert!(
                Instant::now() < end,
                "expected {expected:#?}\ngot {:#?}\nseen {:#?}",
                self.place.state(),
                self.read()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// All lines so far.
    pub fn read(&mut self) -> &[Value] {
        while let Ok(line) = self.lines.try_recv() {
            self.seen.push(serde_json::from_str(&line).unwrap());
        }
        &self.seen
    }

    pub fn signal(&self, name: &str) {
        let done = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(done.unwrap().success());
    }

    /// Sends a signal and waits for the end: the exit code, and what was said on stderr.
    pub fn end(mut self, name: &str) -> (Option<i32>, String) {
        self.signal(name);
        let mut said = String::new();
        std::io::Read::read_to_string(&mut self.child.stderr.take().unwrap(), &mut said).unwrap();
        (self.child.wait().unwrap().code(), said)
    }
}

impl Drop for Watcher<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn node(name: &str, disk: &str) -> String {
    format!("apiVersion: v1\nkind: Node\nmetadata:\n  name: {name}\n  labels: {{disk: {disk}}}\n")
}

pub fn daemonset(name: &str, disk: &str) -> String {
    let selector =
        if disk.is_empty() { String::new() } else { format!("      nodeSelector: {{disk: {disk}}}\n") };
    format!(
        "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{name: {name}, namespace: kube-system}}\n\
         spec:\n  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n\
         \x20   spec:\n{selector}      containers: [{{name: c, image: x:1}}]\n"
    )
}
