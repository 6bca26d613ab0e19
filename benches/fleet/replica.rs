//! A store of pods that somebody follows who was not there: all keys at first, then what became
//! of them.

use std::time::Instant;

use dsrules::app::controller::{Controller, Entry, decode, encode};
use dsrules::etcd::{EventType, KeyValue, Range};
use dsrules::policy;
use serde_json::json;

use super::store::{BASE, Store, memory};

/// A second, but for bytes a pod.
pub struct Heard {
    pub listed: f64,
    pub heard: f64,
    pub bytes: usize,
}

/// Each pod gets a status; then it is listed as it was before, and followed from there.
pub fn measure(store: &Store) -> Heard {
    let range = Range::prefix(BASE);
    let before = store.runtime.block_on(store.etcd.page(&range, 0, 0)).expect("all keys");
    let pods = before.keys.iter().filter(|it| it.key.starts_with(format!("{BASE}pods/").as_bytes()));
    store.put(pods.filter_map(ready));
    let last = store.runtime.block_on(store.etcd.about()).expect("a word of etcd").revision;
    let mut controller = Controller::new(&policy::load(&[]).program.expect("the built-in rules"));
    let (start, had) = (Instant::now(), memory(std::process::id()));
    let mut all = Vec::new();
    let page = store.runtime.block_on(store.etcd.page(&range, 0, before.revision)).expect("all keys");
    all.extend(page.keys.iter().map(|kv| (name(kv), entry(kv))));
    let count = all.len();
    drop(page);
    controller.replace(all, before.revision, 0);
    let listed = count as f64 / start.elapsed().as_secs_f64();
    let start = Instant::now();
    let bytes = memory(std::process::id()).saturating_sub(had) / count;
    let mut watch = store.etcd.watch(range, before.revision + 1);
    let mut events = 0;
    while controller.heard() < last {
        let heard = store.runtime.block_on(watch.next()).expect("what became of them");
        events += heard.events.len();
        for event in heard.events {
            let Some(kv) = event.kv else { continue };
            let is_put = event.r#type == i32::from(EventType::Put);
            controller.hear(&name(&kv), is_put.then(|| entry(&kv)), kv.mod_revision, 0);
        }
        controller.passed(heard.revision);
    }
    Heard { listed, heard: events as f64 / start.elapsed().as_secs_f64(), bytes }
}

fn ready(kv: &KeyValue) -> Option<(String, Vec<u8>)> {
    let (mut pod, written) = decode(&kv.value).ok()?;
    pod["status"] = json!({ "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }] });
    Some((String::from_utf8(kv.key.clone()).ok()?, encode(pod, written)))
}

fn name(kv: &KeyValue) -> String {
    String::from_utf8_lossy(&kv.key).trim_start_matches(BASE).to_owned()
}

fn entry(kv: &KeyValue) -> Entry {
    Entry { created: kv.create_revision, modified: kv.mod_revision, value: kv.value.clone() }
}
