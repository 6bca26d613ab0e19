//! An etcd for a measurement, what is put into it, and controllers on it.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use dsrules::app::controller::{Drive, Request, Stop, Told, encode};
use dsrules::etcd::{Access, Etcd, Op, Range, Txn};
use dsrules::kube::Written;
use dsrules::policy;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

#[path = "../../tests/etcd/members.rs"]
#[allow(clippy::unwrap_used)]
mod members;

use members::Members;

/// What all keys begin with.
pub const BASE: &str = "bench/v1/";

/// Some members, and who asks them.
pub struct Store {
    members: Members,
    pub runtime: Runtime,
    pub etcd: Etcd,
}

impl Store {
    pub fn start(count: usize) -> Option<Store> {
        // As etcd has it by default: a busy machine is none that has lost its leader.
        let patience = ["--heartbeat-interval", "100", "--election-timeout", "1000"];
        let room = ["--quota-backend-bytes", "8589934592"];
        let members = Members::with(count, &[&patience[..], &room].concat())?;
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().expect("a runtime");
        let access = access(&members);
        let etcd = runtime.block_on(Etcd::connect(&access)).expect("etcd");
        let store = Store { members, runtime, etcd };
        // The prefix is a controller's before anything is put there.
        let first = store.controller("first");
        std::thread::sleep(Duration::from_millis(300));
        drop(first);
        while store.count("members/") > 0 {
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(store)
    }

    pub fn access(&self) -> Access {
        access(&self.members)
    }

    /// Puts keys that nobody has, or anybody, in transactions.
    pub fn put(&self, all: impl Iterator<Item = (String, Vec<u8>)>) {
        let ops: Vec<Op> = all.map(|(key, value)| Op::put(key, value)).collect();
        for some in ops.chunks(100) {
            let txn = Txn { then: some.to_vec(), ..Txn::default() };
            self.runtime.block_on(self.etcd.txn(&txn)).expect("a transaction");
        }
    }

    /// How many keys there are.
    pub fn count(&self, part: &str) -> i64 {
        self.runtime.block_on(self.etcd.count(&Range::prefix(format!("{BASE}{part}")))).expect("a count")
    }

    /// How much memory the members have, in bytes.
    pub fn memory(&self) -> usize {
        (0..self.members.count()).filter_map(|at| self.members.pid(at)).map(memory).sum()
    }

    /// A controller that is a member.
    pub fn controller(&self, name: &str) -> Controller {
        let program = policy::load(&[]).program.expect("the built-in rules");
        let (name, access) = (name.to_owned(), self.access());
        let request =
            Request { access, name: name.as_str().into(), seconds: 60, program, manifests: None, clock: now };
        let mut drive = Drive::new(request).expect("a controller");
        let (stop, (tell, told)) = (drive.stopper(), channel());
        std::thread::spawn(move || drive.run(&mut |_, it| note(it, &tell)));
        while self.count(&format!("members/{name}")) == 0 {
            std::thread::sleep(Duration::from_millis(10));
        }
        Controller { stop, created: told }
    }
}

/// How much memory a process has, in bytes.
pub fn memory(process: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|it| it.trim().trim_end_matches(" kB").parse::<usize>().ok()).unwrap_or(0) * 1024
}

fn access(members: &Members) -> Access {
    Access::parse(&members.store("bench")).expect("a store")
}

fn note(told: Told, tell: &Sender<usize>) {
    match told {
        Told::Round(round) => drop(tell.send(round.created)),
        Told::Trouble(trouble) => eprintln!("{}", trouble.render(false)),
        Told::Note(_) => {}
    }
}

/// A controller that runs until this goes.
pub struct Controller {
    stop: Stop,
    /// How many pods it made, as it says.
    created: Receiver<usize>,
}

impl Controller {
    /// Waits until it has made so many pods.
    pub fn wait(&self, mut pods: usize) {
        while pods > 0 {
            let made = self.created.recv_timeout(Duration::from_secs(120)).expect("a round");
            pods = pods.saturating_sub(made);
        }
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.stop.stop();
    }
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

pub fn node(name: &str, labels: Value) -> (String, Vec<u8>) {
    let metadata = json!({ "name": name, "uid": name, "labels": labels });
    let value = json!({ "apiVersion": "v1", "kind": "Node", "metadata": metadata });
    (format!("{BASE}nodes//{name}"), encode(value, Written::default()))
}

pub fn daemonset(name: &str, selector: Value, image: u32) -> (String, Vec<u8>) {
    let value = json!({
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": { "name": name, "namespace": "default", "uid": name, "generation": image },
        "spec": {
            "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": { "app": name } },
                "spec": {
                    "nodeSelector": selector,
                    "containers": [{ "name": "c", "image": format!("registry.example.com/{name}:{image}") }]
                }
            }
        }
    });
    (format!("{BASE}daemonsets/default/{name}"), encode(value, Written::default()))
}
