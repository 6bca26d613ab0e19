//! One controller beside two, on changes that touch 1,000 daemonsets.

use std::time::{Duration, Instant};

use serde_json::json;

use super::store::{Controller, Store, daemonset, node};

const DAEMONSETS: usize = 1_000;
const NODES: usize = 5;

pub struct Took {
    /// The first pods.
    pub first: Duration,
    /// All pods of a node that comes.
    pub node: Duration,
    /// The first pod of another image, of each.
    pub image: Duration,
}

pub fn measure(store: &Store, controllers: usize) -> Took {
    let name = |nth: usize| format!("d{nth:03}");
    let _all: Vec<Controller> = (0..controllers).map(|nth| store.controller(&format!("c{nth}"))).collect();
    store.put((0..NODES).map(|nth| node(&format!("node-{nth}"), json!({}))));
    std::thread::sleep(Duration::from_secs(2));
    let first = wait(store, "pods/", DAEMONSETS * NODES, || {
        store.put((0..DAEMONSETS).map(|nth| daemonset(&name(nth), json!({}), 1)));
    });
    std::thread::sleep(Duration::from_secs(3));
    let node = wait(store, "pods/new/", DAEMONSETS, || {
        store.put(std::iter::once(node("new", json!({}))));
    });
    std::thread::sleep(Duration::from_secs(3));
    let revisions = DAEMONSETS * 2;
    let image = wait(store, "controllerrevisions/", revisions, || {
        store.put((0..DAEMONSETS).map(|nth| daemonset(&name(nth), json!({}), 2)));
    });
    Took { first, node, image }
}

/// How long it takes from an act until there are so many keys.
fn wait(store: &Store, part: &str, keys: usize, act: impl FnOnce()) -> Duration {
    let start = Instant::now();
    act();
    while store.count(part) < keys as i64 {
        std::thread::sleep(Duration::from_millis(5));
        assert!(start.elapsed() < Duration::from_secs(120), "{} of {keys} {part}", store.count(part));
    }
    start.elapsed()
}
