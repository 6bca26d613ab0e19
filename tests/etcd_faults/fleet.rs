//! A fleet of real processes: controllers and agents on a store of three members.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::clocks::Running;
use crate::history::{self, Recorder};
use crate::members::Members;
use crate::proxy::Wire;

pub const MEMBERS: usize = 3;
pub const CONTROLLERS: usize = 3;
pub const AGENTS: usize = 12;
pub const DAEMONSETS: usize = 6;
pub const MAX_UNAVAILABLE: usize = 2;
const PREFIX: &str = "fleet";

/// A process that can be killed, stopped and started again.
struct Process {
    args: Vec<String>,
    log: PathBuf,
    child: Option<Child>,
}

impl Process {
    fn start(&mut self) {
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_dsrules"))
            .args(&self.args)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        self.child = Some(child.unwrap());
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(child) = &self.child {
            kill_process(Pid::from_child(child), signal).unwrap();
        }
    }
}

pub struct Fleet {
    pub members: Members,
    folder: TempDir,
    pub recorder: Recorder,
    controllers: Vec<Process>,
    agents: Vec<Process>,
    /// The wires of each controller.
    wires: Vec<Vec<Wire>>,
    /// The wires on which each member of the store is reached by the others.
    between: Vec<Wire>,
    pub images: BTreeMap<String, String>,
    zones: Vec<u8>,
    version: usize,
    /// How long each took to converge.
    pub took: Vec<(String, Duration)>,
}

impl Fleet {
    /// Starts everything; nothing where there is no etcd.
    pub fn start() -> Option<Fleet> {
        // A small quota, so that it can be filled.
        let mut between: Vec<Wire> = Vec::new();
        let members = Members::through(MEMBERS, &["--quota-backend-bytes", "67108864"], |endpoint| {
            between.push(Wire::to(endpoint));
            between.last().unwrap().endpoint.clone()
        })?;
        let between = between.split_off(between.len() - MEMBERS);
        let folder = TempDir::with_prefix("dsrules-fleet-").unwrap();
        fs::create_dir(folder.path().join("manifests")).unwrap();
        let recorder = Recorder::start(&members.store(PREFIX));
        let mut fleet = Fleet {
            recorder,
            folder,
            controllers: Vec::new(),
            agents: Vec::new(),
            wires: Vec::new(),
            between,
            images: BTreeMap::new(),
            zones: (0..AGENTS).map(|at| b'a' + (at % 2) as u8).collect(),
            version: 0,
            took: Vec::new(),
            members,
        };
        (0..AGENTS).for_each(|at| fleet.write_node(at));
        (0..DAEMONSETS).for_each(|at| fleet.roll(at));
        (0..CONTROLLERS).for_each(|at| fleet.controller(at));
        (0..AGENTS).for_each(|at| fleet.agent(at));
        Some(fleet)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn controller(&mut self, at: usize) {
        let wires: Vec<Wire> =
            (0..self.members.count()).map(|member| Wire::to(&self.members.endpoint(member))).collect();
        let mut endpoints: Vec<&str> = wires.iter().map(|wire| wire.endpoint.as_str()).collect();
        let turn = at % endpoints.len();
        endpoints.rotate_left(turn);
        let store = format!("etcd://{}/{PREFIX}", endpoints.join(","));
        let folder = self.path("manifests");
        let args = [
            "controller",
            "--store",
            &store,
            "--id",
            &format!("c{at}"),
            "--lease",
            "2s",
            &folder.display().to_string(),
        ];
        let args = args.into_iter().map(str::to_owned).collect();
        let mut process = Process { args, log: self.path(&format!("c{at}.log")), child: None };
        process.start();
        self.controllers.push(process);
        self.wires.push(wires);
    }

    fn agent(&mut self, at: usize) {
        let (store, db) = (self.members.store(PREFIX), self.path(&format!("n{at}.db")));
        let name = format!("n{at}");
        let db = db.display().to_string();
        let args = [
            "agent",
            "--store",
            &store,
            "--node",
            &name,
            "--lease",
            "2s",
            "--run",
            "simulated",
            "--interval",
            "1s",
            "--db",
            &db,
        ];
        let args = args.into_iter().map(str::to_owned).collect();
        let mut process = Process { args, log: self.path(&format!("n{at}.log")), child: None };
        process.start();
        self.agents.push(process);
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path("manifests").join(name);
        let new = path.with_extension("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, path).unwrap();
    }

    fn write_node(&self, at: usize) {
        let zone = char::from(self.zones[at]);
        self.write(
            &format!("n{at}.yaml"),
            &format!(
                "---\n{{apiVersion: v1, kind: Node, metadata: {{name: n{at}, labels: {{zone: {zone}}}}}}}\n"
            ),
        );
    }

    /// A node moves to the other zone.
    pub fn relabel(&mut self, at: usize) {
        self.zones[at] = if self.zones[at] == b'a' { b'b' } else { b'a' };
        self.write_node(at);
    }

    /// A daemonset gets another image. The first half is for one zone, the others for all.
    pub fn roll(&mut self, at: usize) {
        self.version += 1;
        let (name, image) = (format!("d{at}"), format!("x:{}", self.version));
        let selector = if at < DAEMONSETS / 2 { "nodeSelector: {zone: a}, " } else { "" };
        let text = format!(
            "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{name: {name}, namespace: default}}\nspec:\n  \
             selector: {{matchLabels: {{app: {name}}}}}\n  \
             updateStrategy: {{rollingUpdate: {{maxUnavailable: {MAX_UNAVAILABLE}}}}}\n  template:\n    \
             metadata: {{labels: {{app: {name}}}}}\n    \
             spec: {{{selector}containers: [{{name: c, image: '{image}'}}]}}\n"
        );
        self.write(&format!("{name}.yaml"), &text);
        self.images.insert(name, image);
    }

    /// Waits until all is as the manifests say.
    pub fn converge(&mut self, after: &str) {
        let start = Instant::now();
        let mut wrong = None;
        while start.elapsed() < Duration::from_secs(60) {
            wrong = history::last(&self.recorder.events()).wrong(&self.images, AGENTS);
            if wrong.is_none() {
                self.took.push((after.to_owned(), start.elapsed()));
                println!("{after}: {:.1} s", start.elapsed().as_secs_f64());
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let logs = (0..CONTROLLERS).map(|at| format!("c{at}: {}", tail(&self.path(&format!("c{at}.log")))));
        panic!("after {after} it does not converge: {wrong:?}\n{}", logs.collect::<Vec<_>>().join("\n"));
    }

    /// Waits until something holds of what was recorded.
    pub fn wait_for(&self, what: &str, holds: impl Fn(&Fleet) -> bool) {
        let start = Instant::now();
        while !holds(self) {
            assert!(start.elapsed() < Duration::from_secs(30), "{what} does not come");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn kill_controller(&mut self, at: usize) {
        self.controllers[at].kill();
    }

    pub fn start_controller(&mut self, at: usize) {
        self.controllers[at].start();
    }

    pub fn stop_controller(&self, at: usize) {
        self.controllers[at].signal(Signal::STOP);
    }

    pub fn continue_controller(&self, at: usize) {
        self.controllers[at].signal(Signal::CONT);
    }

    /// Ends a controller as a person does.
    pub fn end_controller(&mut self, at: usize) {
        self.controllers[at].signal(Signal::TERM);
        if let Some(mut child) = self.controllers[at].child.take() {
            assert!(child.wait().unwrap().success());
        }
    }

    /// Cuts a controller off from all members, or no longer.
    pub fn cut(&self, at: usize, cut: bool) {
        self.wires[at].iter().for_each(|wire| wire.cut(cut));
    }

    /// Cuts a controller off from one member.
    pub fn cut_from(&self, at: usize, member: usize, cut: bool) {
        self.wires[at][member].cut(cut);
    }

    /// Cuts members of the store off from each other, or no longer.
    pub fn cut_between(&self, pairs: &[(usize, usize)]) {
        let cut_from = |at: usize| {
            let ends = pairs.iter().filter_map(move |&(one, other)| match at {
                _ if at == one => Some(other),
                _ if at == other => Some(one),
                _ => None,
            });
            ends.map(|it| self.members.number(it)).collect::<Vec<_>>()
        };
        // What numbers they have is asked for while they can answer.
        let all: Vec<Vec<String>> = (0..MEMBERS).map(cut_from).collect();
        self.between.iter().zip(all).for_each(|(wire, cut)| wire.cut_for(cut));
    }

    /// A controller and an agent whose clock can be set, in place of all controllers and of one agent.
    pub fn in_here(&mut self, agent: usize) -> [Running; 2] {
        (0..CONTROLLERS).for_each(|at| self.end_controller(at));
        self.kill_agent(agent);
        let store = self.members.store(PREFIX);
        let (node, db) = (format!("n{agent}"), self.path(&format!("n{agent}.db")));
        let controller = Running::controller(&store, "c9", &self.path("manifests"));
        [controller, Running::agent(&store, &node, &db)]
    }

    pub fn kill_agent(&mut self, at: usize) {
        self.agents[at].kill();
    }

    pub fn start_agent(&mut self, at: usize) {
        self.agents[at].start();
    }

    pub fn stop_agent(&self, at: usize) {
        self.agents[at].signal(Signal::STOP);
    }

    pub fn continue_agent(&self, at: usize) {
        self.agents[at].signal(Signal::CONT);
    }

    /// What a controller has said.
    pub fn said(&self, at: usize) -> String {
        fs::read_to_string(self.path(&format!("c{at}.log"))).unwrap_or_default()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for process in self.controllers.iter_mut().chain(&mut self.agents) {
            process.kill();
        }
    }
}

fn tail(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n    ")
}
