//! A fleet in a folder, with an agent for any of its nodes, and a central run to compare with.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A test that waits longer than this hangs.
pub const HANGS: Duration = Duration::from_secs(120);

/// Text by the name of its file.
pub type Files = BTreeMap<String, String>;

/// A source folder, and a place for all else.
pub struct Fleet {
    base: TempDir,
}

impl Fleet {
    pub fn new() -> Self {
        let fleet = Fleet { base: tempfile::tempdir().unwrap() };
        fs::create_dir(fleet.source()).unwrap();
        fleet
    }

    /// A fleet of these files.
    pub fn of(files: &[(&str, &str)]) -> Self {
        let fleet = Fleet::new();
        files.iter().for_each(|(name, text)| fleet.write(name, text));
        fleet
    }

    /// A copy of a folder.
    pub fn copy(folder: &Path) -> Self {
        let fleet = Fleet::new();
        let from = format!("{}/.", folder.display());
        assert!(Command::new("cp").arg("-r").arg(from).arg(fleet.source()).status().unwrap().success());
        fleet
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.base.path().join(name)
    }

    pub fn source(&self) -> PathBuf {
        self.path("source")
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.source().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.source().join(name)).unwrap();
    }

    /// An agent of a node, with a store of its own, that looks once and takes `args` as well.
    pub fn agent(&self, node: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dsrules"));
        command.env_remove("DSRULES_DB").env_remove("DSRULES_TREE").env("NO_COLOR", "1");
        command.args(["agent", "--node", node, "--source"]).arg(self.source());
        command.arg("--db").arg(self.path(&format!("{node}.db"))).arg("--tree").arg(self.path("tree"));
        command
    }

    /// Lets the agent of a node look once.
    pub fn once(&self, node: &str) -> Said {
        Said::of(self.agent(node).arg("--once").output().unwrap())
    }

    /// What stands in the tree for a node.
    pub fn tree(&self, node: &str) -> Files {
        files(&self.path("tree").join(node))
    }

    /// The files that a central run would write for each node, by their names.
    pub fn central_names(&self) -> BTreeMap<String, Vec<String>> {
        let db = self.path("central.db");
        let mut command = Command::new(env!("CARGO_BIN_EXE_dsrules"));
        let said = Said::of(
            command.arg("--db").arg(&db).args(["apply", "-q", "-R"]).arg(self.source()).output().unwrap(),
        );
        assert!(said.succeeded, "{}", said.err);
        let store = rusqlite::Connection::open(db).unwrap();
        let mut rows = store
            .prepare("SELECT node, namespace || '_' || name || '.yaml' FROM pods ORDER BY 1, 2")
            .unwrap();
        let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap() {
            let (node, name): (String, String) = row.unwrap();
            names.entry(node).or_default().push(name);
        }
        names
    }

    /// What a central run of the same manifests puts into its tree.
    pub fn central(&self) -> BTreeMap<String, Files> {
        let (db, tree) = (self.path("central.db"), self.path("central"));
        let _ = fs::remove_file(&db);
        let _ = fs::remove_dir_all(&tree);
        let mut command = Command::new(env!("CARGO_BIN_EXE_dsrules"));
        command.arg("--db").arg(db).args(["apply", "-q", "-R"]).arg(self.source()).arg("--tree").arg(&tree);
        let said = Said::of(command.output().unwrap());
        assert!(said.succeeded, "{}", said.err);
        let nodes = fs::read_dir(&tree).unwrap().map(|it| it.unwrap());
        let nodes = nodes.filter(|it| it.file_type().unwrap().is_dir());
        nodes.map(|it| (it.file_name().into_string().unwrap(), files(&it.path()))).collect()
    }
}

/// The manifests in a folder.
pub fn files(folder: &Path) -> Files {
    let Ok(entries) = fs::read_dir(folder) else { return Files::new() };
    let names = entries.map(|it| it.unwrap().file_name().into_string().unwrap());
    let shown = names.filter(|name| !name.starts_with('.'));
    shown.map(|name| (name.clone(), fs::read_to_string(folder.join(&name)).unwrap())).collect()
}

/// What a command came to.
#[derive(Debug)]
pub struct Said {
    pub succeeded: bool,
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    pub fn of(output: Output) -> Said {
        Said {
            succeeded: output.status.success(),
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// An agent that runs until it is dropped.
pub struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    pub fn start(mut command: Command, log: PathBuf) -> Self {
        let file = fs::File::options().create(true).append(true).open(&log).unwrap();
        command.stdout(file.try_clone().unwrap()).stderr(file).stdin(Stdio::null());
        Running { child: command.spawn().unwrap(), log }
    }

    /// All that it said.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Waits until something holds.
    pub fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let end = Instant::now() + HANGS;
        while !holds() {
            assert!(Instant::now() < end, "waiting until {what}; it said:\n{}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, name: &str) {
        let done = Command::new("kill").arg(format!("-{name}")).arg(self.id().to_string()).status();
        assert!(done.unwrap().success());
    }

    /// Sends a signal and waits for the end.
    pub fn end(mut self, name: &str) -> Option<i32> {
        self.signal(name);
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn node(name: &str, disk: &str) -> String {
    format!("apiVersion: v1\nkind: Node\nmetadata:\n  name: {name}\n  labels: {{disk: {disk}}}\n")
}

pub fn daemonset(name: &str, image: &str, rest: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{name: {name}, namespace: default}}\n\
         spec:\n{rest}  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n\
         \x20   spec:\n      containers: [{{name: c, image: \"{image}\"}}]\n"
    )
}
