//! Many agents, each a task: one that has a lease, follows its own node's pods, and says of each
//! that it runs.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use dsrules::app::controller::{decode, encode};
use dsrules::etcd::{Compare, Etcd, KeyValue, Op, Range, Txn};
use serde_json::json;

use super::store::{BASE, Store, daemonset, node};

/// So many nodes change their label, one after the other.
const ROUNDS: usize = 200;
/// So many agents share a connection.
const SHARED: usize = 100;
/// A lease lasts so long, and is kept four times in it.
const LEASE: i64 = 40;

pub struct Reactions {
    /// Of each agent, to a daemonset for all nodes; in order.
    pub all: Vec<Duration>,
    /// Of the one agent whose node changes its label; in order.
    pub labels: Vec<Duration>,
    /// What etcd takes with all of them.
    pub memory: usize,
}

pub fn measure(store: &Store, size: usize) -> Reactions {
    let name = |nth: usize| format!("node-{nth:05}");
    store.put((0..size).map(|nth| node(&name(nth), json!({}))));
    store.put(std::iter::once(daemonset("canary", json!({ "canary": "yes" }), 1)));
    let (tell, told) = channel();
    let mut etcd = store.etcd.clone();
    for nth in 0..size {
        if nth % SHARED == 0 {
            etcd = store.runtime.block_on(Etcd::connect(&store.access())).expect("etcd");
        }
        store.runtime.spawn(agent(etcd.clone(), name(nth), tell.clone()));
        // They do not all come in the same moment.
        if (nth + 1) % SHARED == 0 || nth + 1 == size {
            while store.count("beats/") <= nth as i64 {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
    let _controller = store.controller("one");
    std::thread::sleep(Duration::from_secs(3));
    let start = Instant::now();
    store.put(std::iter::once(daemonset("base", json!({}), 1)));
    let mut all: Vec<Duration> = (0..size).map(|_| next(&told) - start).collect();
    std::thread::sleep(Duration::from_secs(2));
    let round = |round: usize| {
        let is_canary = (round / size).is_multiple_of(2);
        let labels = if is_canary { json!({ "canary": "yes" }) } else { json!({}) };
        let nth = if size > ROUNDS { round * size / ROUNDS } else { round % size };
        let start = Instant::now();
        store.put(std::iter::once(node(&name(nth), labels)));
        let took = next(&told) - start;
        std::thread::sleep(Duration::from_millis(30));
        took
    };
    let mut labels: Vec<Duration> = (0..ROUNDS).map(round).collect();
    all.sort();
    labels.sort();
    Reactions { all, labels, memory: store.memory() }
}

fn next(told: &Receiver<Instant>) -> Instant {
    told.recv_timeout(Duration::from_secs(120)).expect("a reaction")
}

/// Tells when it has reacted to a pod that came, by a status that is in the store, or that went.
async fn agent(etcd: Etcd, node: String, tell: Sender<Instant>) {
    let lease = etcd.grant(LEASE).await.expect("a lease").id;
    let range = Range::prefix(format!("{BASE}pods/{node}/"));
    let mut watch = etcd.watch(range, 1);
    etcd.put(format!("{BASE}agents/{node}"), "{}", 0).await.expect("an agent's key");
    etcd.put(format!("{BASE}beats/{node}"), "{}", lease).await.expect("an agent's key");
    let mut beats = tokio::time::interval(Duration::from_secs(u64::try_from(LEASE).unwrap_or(0) / 4));
    loop {
        let heard = tokio::select! {
            heard = watch.next() => heard,
            _ = beats.tick() => {
                // It is kept four times in its time: one may fail.
                let _ = etcd.keep_alive(lease).await;
                continue;
            }
        };
        let Ok(heard) = heard else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        for key in heard.events.into_iter().filter_map(|event| event.kv) {
            if react(&etcd, key).await {
                let _ = tell.send(Instant::now());
            }
        }
    }
}

/// Says of a pod that it runs; gives whether that, or that it is gone, was news.
async fn react(etcd: &Etcd, kv: KeyValue) -> bool {
    if kv.value.is_empty() {
        return true;
    }
    let Ok((mut pod, written)) = decode(&kv.value) else { return false };
    if pod["status"]["phase"] == "Running" {
        return false;
    }
    pod["status"] = json!({ "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }] });
    let txn = Txn {
        compares: vec![Compare::unchanged(kv.key.clone(), kv.mod_revision)],
        then: vec![Op::put(kv.key, encode(pod, written))],
        ..Txn::default()
    };
    etcd.txn(&txn).await.is_ok_and(|done| done.succeeded)
}
