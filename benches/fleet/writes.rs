//! Pods that a controller makes, beside puts of the same size that know of nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use dsrules::etcd::{Etcd, Op, Range, Txn};
use serde_json::json;

use super::store::{BASE, Store, daemonset, node};

const NODES: usize = 1_000;
const DAEMONSETS: usize = 20;
pub const PODS: usize = NODES * DAEMONSETS;
/// So much is asked at once.
const AT_ONCE: usize = 64;

/// A second, but for bytes a pod.
pub struct Wrote {
    pub alone: f64,
    pub together: f64,
    pub pods: f64,
    pub bytes: usize,
    /// What etcd's database grows by.
    pub stored: i64,
    pub kept: f64,
}

pub fn measure(store: &Store) -> Wrote {
    store.put((0..NODES).map(|nth| node(&format!("node-{nth:04}"), json!({}))));
    let pods = {
        let controller = store.controller("one");
        std::thread::sleep(Duration::from_secs(1));
        let start = Instant::now();
        store.put((0..DAEMONSETS).map(|nth| daemonset(&format!("d{nth}"), json!({}), 1)));
        controller.wait(PODS);
        a_second(PODS, start)
    };
    assert_eq!(store.count("pods/"), PODS as i64);
    let range = Range::prefix(format!("{BASE}pods/"));
    let page = store.runtime.block_on(store.etcd.page(&range, 1, 0)).expect("a pod");
    let (key, value) = (page.keys[0].key.clone(), page.keys[0].value.clone());
    let bytes = key.len() + value.len();
    let before = size(store);
    let together = transactions(store, &value);
    let stored = (size(store) - before) / PODS as i64;
    let alone = puts(store, &value);
    Wrote { alone, together, pods, bytes, stored, kept: leases(store) }
}

fn a_second(done: usize, since: Instant) -> f64 {
    done as f64 / since.elapsed().as_secs_f64()
}

fn size(store: &Store) -> i64 {
    store.runtime.block_on(store.etcd.about()).expect("a word of etcd").size
}

/// A key as long as a pod's.
fn key(of: &str, nth: usize) -> String {
    format!("raw/{of}/pods/node-{:04}/default/d{}-{nth:05}", nth / DAEMONSETS, nth % DAEMONSETS)
}

/// A hundred in each transaction, one after the other, as a controller writes.
fn transactions(store: &Store, value: &[u8]) -> f64 {
    let start = Instant::now();
    let all: Vec<usize> = (0..PODS).collect();
    for some in all.chunks(100) {
        let then = some.iter().map(|nth| Op::put(key("together", *nth), value)).collect();
        let txn = Txn { then, ..Txn::default() };
        store.runtime.block_on(store.etcd.txn(&txn)).expect("a transaction");
    }
    a_second(PODS, start)
}

/// Each alone, many at once.
fn puts(store: &Store, value: &[u8]) -> f64 {
    let (value, start) = (value.to_vec(), Instant::now());
    at_once(store, PODS, move |etcd, nth| {
        let value = value.clone();
        async move {
            etcd.put(key("alone", nth), value, 0).await.expect("a put");
        }
    });
    a_second(PODS, start)
}

/// How many leases can be kept.
fn leases(store: &Store) -> f64 {
    let lease = store.runtime.block_on(store.etcd.grant(60)).expect("a lease").id;
    let start = Instant::now();
    at_once(store, PODS, move |etcd, _| async move {
        etcd.keep_alive(lease).await.expect("a lease");
    });
    a_second(PODS, start)
}

fn at_once<F>(store: &Store, times: usize, act: impl Fn(Etcd, usize) -> F + Clone + Send + 'static)
where
    F: Future<Output = ()> + Send,
{
    let next = Arc::<AtomicUsize>::default();
    let task = || {
        let (etcd, next, act) = (store.etcd.clone(), next.clone(), act.clone());
        store.runtime.spawn(async move {
            loop {
                let nth = next.fetch_add(1, Ordering::Relaxed);
                if nth >= times {
                    return;
                }
                act(etcd.clone(), nth).await;
            }
        })
    };
    let tasks: Vec<_> = (0..AT_ONCE).map(|_| task()).collect();
    tasks.into_iter().for_each(|task| store.runtime.block_on(task).expect("a task"));
}
