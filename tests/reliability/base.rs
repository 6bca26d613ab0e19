//! What the rows share: the program in a folder of its own, what is in a store, and the line
//! that a row has in the table.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

pub use crate::figure::{figure, is_full, times};

/// A command that takes longer waits for something that never comes.
const HANGS: Duration = Duration::from_secs(300);

/// Whether a program is on this machine; where it is not, says what is skipped.
pub fn has(program: &str, test: &str) -> bool {
    let is_there =
        Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let is_there = is_there.is_ok_and(|status| status.success());
    if !is_there {
        let _ = writeln!(std::io::stderr(), "skipped: {test}: {program} is not on this machine");
    }
    is_there
}

/// The program: another build of it where `DSRULES_PROGRAM` names one.
pub fn program() -> PathBuf {
    std::env::var_os("DSRULES_PROGRAM").map_or_else(|| env!("CARGO_BIN_EXE_dsrules").into(), PathBuf::from)
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    pub out: String,
    pub err: String,
    /// None where a signal ended it.
    pub code: Option<i32>,
}

impl Said {
    /// Nothing panicked, and what went wrong was said once.
    pub fn is_orderly(&self) -> bool {
        let errors = self.err.lines().filter(|line| line.starts_with("error")).count();
        let panicked = self.err.contains("panicked at") || self.code == Some(101);
        !panicked && (self.code == Some(0) || errors >= 1)
    }
}

/// A folder of its own.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        Place(tempfile::tempdir().unwrap())
    }

    /// The same in memory, where that can be: for what a disk need not be asked for.
    pub fn light() -> Self {
        Place(tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A command with nothing of the environment but a clock that stands still.
    pub fn command(&self, line: &str) -> Command {
        self.through(&[], line)
    }

    /// The same, run by another program: `strace`, `taskset`.
    pub fn through(&self, by: &[&str], line: &str) -> Command {
        let mut words: Vec<PathBuf> = by.iter().map(PathBuf::from).collect();
        words.push(program());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).args(line.split_whitespace()).current_dir(self.0.path());
        command.env_clear().env("PATH", "/usr/bin:/bin").env("DSRULES_NOW", "2026-11-01T00:00:00Z");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs to the end, which has to come.
    pub fn run(&self, line: &str) -> Said {
        ended(self.command(line).spawn().unwrap(), line)
    }

    pub fn ok(&self, line: &str) -> String {
        let said = self.run(line);
        assert_eq!(said.code, Some(0), "{line}\n{}{}", said.out, said.err);
        said.out
    }

    /// Removes all that is in it.
    pub fn clear(&self) {
        for entry in fs::read_dir(self.0.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
        }
    }

    /// Everything below a folder: text of files, and where links lead.
    pub fn look(&self, name: &str) -> BTreeMap<String, String> {
        look(&self.path(name))
    }
}

pub fn look(dir: &Path) -> BTreeMap<String, String> {
    let mut seen = BTreeMap::new();
    for entry in walkdir::WalkDir::new(dir).min_depth(1).into_iter().filter_map(Result::ok) {
        let path = entry.path().strip_prefix(dir).unwrap().display().to_string();
        let what = match entry.file_type() {
            it if it.is_dir() => "folder".to_owned(),
            it if it.is_symlink() => format!("-> {}", fs::read_link(entry.path()).unwrap().display()),
            _ => String::from_utf8_lossy(&fs::read(entry.path()).unwrap_or_default()).into_owned(),
        };
        seen.insert(path, what);
    }
    seen
}

/// Waits for the end of a process and takes in what it says.
pub fn ended(child: Child, line: &str) -> Said {
    let id = child.id();
    let (send, done) = std::sync::mpsc::channel();
    let line = line.to_owned();
    std::thread::spawn(move || {
        if done.recv_timeout(HANGS).is_err() {
            let _ = writeln!(std::io::stderr(), "`{line}` hangs and is killed");
            let _ = Command::new("kill").args(["-9", &id.to_string()]).status();
        }
    });
    let output = child.wait_with_output().unwrap();
    let _ = send.send(());
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Said { out: text(output.stdout), err: text(output.stderr), code: output.status.code() }
}

/// What SQLite says of all pages of a store.
pub fn integrity(store: &Path) -> String {
    let connection = Connection::open(store).unwrap();
    connection.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap()
}

/// The pods of a store: of which daemonset, and where.
pub fn pods(store: &Path) -> Vec<String> {
    try_pods(store).unwrap()
}

/// The same, where the store may not have been written yet.
pub fn try_pods(store: &Path) -> rusqlite::Result<Vec<String>> {
    // As `sqlite3` opens it: what a killed process left in a journal is rolled back.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let connection = Connection::open_with_flags(store, flags)?;
    let sql = "SELECT coalesce(owner, 'nobody') || ' on ' || coalesce(node, 'none') FROM pod_list ORDER BY 1";
    let mut statement = connection.prepare(sql)?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// A Node with a label `disk`.
pub fn node(name: &str, disk: &str) -> String {
    format!("---\napiVersion: v1\nkind: Node\nmetadata: {{name: {name}, labels: {{disk: {disk}}}}}\n")
}

/// A DaemonSet for the nodes with that disk, or for all; all of its pods are replaced at once.
pub fn daemonset(name: &str, image: &str, disk: &str) -> String {
    let mut text = format!(
        "---\napiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{name: {name}}}\nspec:\n  \
         updateStrategy: {{rollingUpdate: {{maxUnavailable: 100%}}}}\n  selector: {{matchLabels: {{app: {name}}}}}\n  \
         template:\n    metadata: {{labels: {{app: {name}}}}}\n    spec:\n      \
         containers: [{{name: main, image: '{image}'}}]\n"
    );
    if !disk.is_empty() {
        writeln!(text, "      nodeSelector: {{disk: {disk}}}").unwrap();
    }
    text
}

/// How long something takes.
pub fn timed<T>(act: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    (act(), start.elapsed())
}

/// Resident memory of a process in KiB.
pub fn memory(id: u32) -> u64 {
    status(id, "VmRSS")
}

/// A line of `/proc/ID/status`, as a number.
pub fn status(id: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|it| it.parse().ok()).unwrap_or(0)
}
