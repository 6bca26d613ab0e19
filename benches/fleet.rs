//! Fleets on etcd, a real process: from a node's label to the last pod that its agent says is
//! running, at 100, 1,000 and 10,000 agents, each a task that follows its own node; and one
//! controller beside two on a change that touches 1,000 daemonsets.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use dsrules::app::controller::{Drive, Request, Stop, decode, encode};
use dsrules::etcd::{Access, Etcd, Op, Range, Trouble, Txn};
use dsrules::kube::Written;
use dsrules::policy;
use serde_json::json;

use crate::timing::show;

/// So many nodes change their label, one after the other.
const ROUNDS: usize = 60;

pub fn run(sizes: &[usize]) {
    println!("\n### fleet\n");
    println!("| agents | pods made at first | a label to the agent's word, p50 | p99 |\n|---|---|---|---|");
    let sizes = if sizes.is_empty() { &[100, 1_000, 10_000] } else { sizes };
    for size in sizes {
        let Some(store) = Store::start() else { return };
        let (first, times) = labels(&store, *size);
        println!(
            "| {size} | {} | {} | {} |",
            show(first),
            show(times[times.len() / 2]),
            show(times[times.len() * 99 / 100])
        );
    }
    println!("\n| a node comes, 1,000 daemonsets run on it | time |\n|---|---|");
    for controllers in [1, 2] {
        let Some(store) = Store::start() else { return };
        println!("| {controllers} controllers | {} |", show(thousand(&store, controllers)));
    }
}

/// A member of etcd, with its own folder.
struct Store {
    child: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Store {
    fn start() -> Option<Store> {
        let folder = tempfile::tempdir().expect("a place for files");
        let free = || {
            std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port").port()
        };
        let (client, peer) = (format!("http://127.0.0.1:{}", free()), format!("http://127.0.0.1:{}", free()));
        let child = Command::new("etcd")
            .arg("--data-dir")
            .arg(folder.path())
            .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
            .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
            .args(["--initial-cluster", &format!("default={peer}"), "--quota-backend-bytes", "4294967296"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(child) = child else {
            println!("there is no etcd here");
            return None;
        };
        std::thread::sleep(Duration::from_secs(3));
        let url = format!("etcd://{}/bench", client.trim_start_matches("http://"));
        Some(Store { child, url, _folder: folder })
    }

    fn access(&self) -> Access {
        Access::parse(&self.url).expect("a store")
    }

    fn controller(&self, name: &str) -> Stop {
        let program = policy::load(&[]).program.expect("the built-in rules");
        let request = Request {
            access: self.access(),
            name: name.into(),
            seconds: 60,
            program,
            manifests: None,
            clock: now,
        };
        let mut drive = Drive::new(request).expect("a controller");
        let stop = drive.stopper();
        std::thread::spawn(move || drive.run(&mut |_, _| {}));
        stop
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

fn node(name: &str, canary: bool) -> (String, Vec<u8>) {
    let labels = if canary { json!({ "canary": "yes" }) } else { json!({}) };
    let value = json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": name, "uid": name, "labels": labels } });
    (format!("bench/v1/nodes//{name}"), encode(value, Written::default()))
}

fn daemonset(name: &str, canary: bool) -> (String, Vec<u8>) {
    let mut value = json!({ "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": { "name": name, "namespace": "default", "uid": name, "generation": 1 },
        "spec": { "selector": { "matchLabels": { "app": name } }, "template": {
            "metadata": { "labels": { "app": name } },
            "spec": { "containers": [{ "name": "c", "image": "x:1" }] } } } });
    if canary {
        value["spec"]["template"]["spec"]["nodeSelector"] = json!({ "canary": "yes" });
    }
    (format!("bench/v1/daemonsets/default/{name}"), encode(value, Written::default()))
}

async fn put_all(etcd: &Etcd, all: impl Iterator<Item = (String, Vec<u8>)>) -> Result<(), Trouble> {
    let ops: Vec<Op> = all.map(|(key, value)| Op::put(key, value)).collect();
    for some in ops.chunks(100) {
        etcd.txn(&Txn { then: some.to_vec(), ..Txn::default() }).await?;
    }
    Ok(())
}

/// An agent: it says of each pod of its node that it runs, as soon as it hears of it.
async fn agent(etcd: Etcd, name: String, running: Arc<AtomicI64>) {
    let range = Range::prefix(format!("bench/v1/pods/{name}/"));
    let mut watch = etcd.watch(range, 1);
    loop {
        let Ok(heard) = watch.next().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        for key in heard.events.into_iter().filter_map(|event| event.kv) {
            let Ok((mut pod, written)) = decode(&key.value) else { continue };
            if pod["status"]["phase"] == "Running" {
                continue;
            }
            pod["status"] =
                json!({ "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }] });
            let (at, value) = (key.key.clone(), encode(pod, written));
            let compares = vec![dsrules::etcd::Compare::unchanged(at.clone(), key.mod_revision)];
            let txn = Txn { compares, then: vec![Op::put(at, value)], ..Txn::default() };
            if etcd.txn(&txn).await.is_ok_and(|done| done.succeeded) {
                running.fetch_add(1, Ordering::SeqCst);
            }
        }
    }
}

fn wait(running: &AtomicI64, for_: i64) {
    while running.load(Ordering::SeqCst) < for_ {
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// How long the first pods took, and each label, in order.
fn labels(store: &Store, size: usize) -> (Duration, Vec<Duration>) {
    let runtime = runtime();
    let access = store.access();
    let etcd = runtime.block_on(Etcd::connect(&access)).expect("etcd");
    let running = Arc::<AtomicI64>::default();
    let name = |nth: usize| format!("node-{nth:05}");
    let nodes = (0..size).map(|nth| node(&name(nth), false));
    let daemonsets = [daemonset("base", false), daemonset("canary", true)];
    runtime.block_on(put_all(&etcd, nodes.chain(daemonsets))).expect("manifests");
    for nth in 0..size {
        runtime.spawn(agent(etcd.clone(), name(nth), running.clone()));
    }
    std::thread::sleep(Duration::from_secs(2 + size as u64 / 2_000));
    let start = Instant::now();
    let stop = store.controller("one");
    wait(&running, size as i64);
    let first = start.elapsed();
    std::thread::sleep(Duration::from_secs(2));
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let before = running.load(Ordering::SeqCst);
        let start = Instant::now();
        let (key, value) = node(&name(round * size / ROUNDS), true);
        runtime.block_on(etcd.put(key, value, 0)).expect("a label");
        wait(&running, before + 1);
        times.push(start.elapsed());
        std::thread::sleep(Duration::from_millis(50));
    }
    stop.stop();
    runtime.shutdown_background();
    times.sort();
    (first, times)
}

/// How long a node that 1,000 daemonsets run on takes to have all of its pods.
fn thousand(store: &Store, controllers: usize) -> Duration {
    let runtime = runtime();
    let etcd = runtime.block_on(Etcd::connect(&store.access())).expect("etcd");
    let nodes = (0..5).map(|nth| node(&format!("node-{nth}"), false));
    let daemonsets = (0..1_000).map(|nth| daemonset(&format!("d{nth}"), false));
    runtime.block_on(put_all(&etcd, nodes.chain(daemonsets))).expect("manifests");
    let stops: Vec<Stop> = (0..controllers).map(|nth| store.controller(&format!("c{nth}"))).collect();
    let count = |prefix: &str| runtime.block_on(etcd.count(&Range::prefix(prefix))).expect("a count");
    while count("bench/v1/pods/") < 5_000 {
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_secs(5));
    let start = Instant::now();
    let (key, value) = node("new", false);
    runtime.block_on(etcd.put(key, value, 0)).expect("a node");
    while count("bench/v1/pods/new/") < 1_000 {
        std::thread::sleep(Duration::from_millis(2));
    }
    let took = start.elapsed();
    stops.iter().for_each(Stop::stop);
    took
}
