//! All that ever was below a prefix, as etcd tells it from revision 1 on, and what must hold of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dsrules::app::controller::{Key, decode, owner};
use dsrules::etcd::{Access, Etcd, EventType, Range};
use dsrules::kube::{Kind, ObjectKey};
use serde_json::Value;

/// A key that was written, or deleted.
#[derive(Debug, Clone)]
pub struct Event {
    pub revision: i64,
    pub created: i64,
    pub key: String,
    pub value: Option<Vec<u8>>,
}

/// Follows everything, on a thread of its own.
pub struct Recorder {
    events: Arc<Mutex<(Vec<Event>, i64)>>,
}

impl Recorder {
    pub fn start(store: &str) -> Recorder {
        let events = Arc::<Mutex<(Vec<Event>, i64)>>::default();
        let (into, access) = (events.clone(), Access::parse(store).unwrap());
        let base = format!("{}/v1/", access.prefix);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let etcd = Etcd::connect(&access).await.unwrap();
                let mut watch = etcd.watch(Range::prefix(base.clone()), 1);
                loop {
                    let Ok(heard) = watch.next().await else {
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        continue;
                    };
                    let mut all = into.lock().unwrap();
                    for event in heard.events {
                        let kv = event.kv.unwrap();
                        let key = String::from_utf8(kv.key).unwrap();
                        let is_put = event.r#type == i32::from(EventType::Put);
                        all.0.push(Event {
                            revision: kv.mod_revision,
                            created: kv.create_revision,
                            key: key.strip_prefix(&base).unwrap().to_owned(),
                            value: is_put.then_some(kv.value),
                        });
                    }
                    all.1 = heard.revision.max(all.1);
                }
            });
        });
        Recorder { events }
    }

    /// Up to which revision all is known.
    pub fn revision(&self) -> i64 {
        self.events.lock().unwrap().1
    }

    pub fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().0.clone()
    }
}

/// The keys as they are at a revision.
#[derive(Default, Clone)]
pub struct State {
    /// By node: (daemonset, name) of each pod to whether it is ready, and its hash.
    pods: BTreeMap<String, Pod>,
    nodes: BTreeMap<String, Value>,
    daemonsets: BTreeMap<String, Value>,
    members: BTreeMap<String, i64>,
}

#[derive(Clone, Debug, PartialEq)]
struct Pod {
    node: String,
    daemonset: String,
    uid: String,
    image: String,
    ready: bool,
}

impl State {
    fn apply(&mut self, event: &Event) {
        let value = event.value.as_ref();
        let object = value.and_then(|value| decode(value).ok()).map(|(object, _)| object);
        match Key::parse(&event.key) {
            Key::Object(Kind::Pod, _) => match object {
                Some(pod) => {
                    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
                    let ready = pod["status"]["conditions"].as_array().into_iter().flatten();
                    let pod = Pod {
                        node: text(&pod["spec"]["nodeName"]),
                        daemonset: text(&pod["metadata"]["labels"]["app"]),
                        uid: text(&pod["metadata"]["uid"]),
                        image: text(&pod["spec"]["containers"][0]["image"]),
                        ready: ready.filter(|it| it["type"] == "Ready").any(|it| it["status"] == "True"),
                    };
                    self.pods.insert(event.key.clone(), pod);
                }
                None => drop(self.pods.remove(&event.key)),
            },
            Key::Object(Kind::Node, key) => match object {
                Some(node) => drop(self.nodes.insert(key.name.to_string(), node)),
                None => drop(self.nodes.remove(&*key.name)),
            },
            Key::Object(Kind::DaemonSet, key) => match object {
                Some(it) => drop(self.daemonsets.insert(key.name.to_string(), it)),
                None => drop(self.daemonsets.remove(&*key.name)),
            },
            Key::Member(id) => match value {
                Some(_) => drop(self.members.insert(id.to_string(), event.created)),
                None => drop(self.members.remove(&*id)),
            },
            _ => {}
        }
    }

    /// The nodes that a daemonset is to run on; one that is not reached is none.
    fn eligible(&self, daemonset: &str) -> BTreeSet<&str> {
        let Some(it) = self.daemonsets.get(daemonset) else { return BTreeSet::new() };
        let wanted = it["spec"]["template"]["spec"]["nodeSelector"].as_object();
        let fits = |node: &Value| {
            let is_tainted = node["spec"]["taints"].as_array().is_some_and(|it| !it.is_empty());
            !is_tainted
                && wanted.into_iter().flatten().all(|(key, value)| node["metadata"]["labels"][key] == *value)
        };
        self.nodes.iter().filter(|(_, node)| fits(node)).map(|(name, _)| name.as_str()).collect()
    }

    fn image(&self, daemonset: &str) -> &str {
        let it = self.daemonsets.get(daemonset);
        it.and_then(|it| it["spec"]["template"]["spec"]["containers"][0]["image"].as_str()).unwrap_or("")
    }

    /// What is not as the manifests say, if something is not.
    pub fn wrong(&self, daemonsets: &BTreeMap<String, String>, nodes: usize) -> Option<String> {
        if self.nodes.len() < nodes {
            return Some(format!("{} nodes of {nodes}", self.nodes.len()));
        }
        let lost = self
            .nodes
            .iter()
            .find(|(_, node)| node["spec"]["taints"].as_array().is_some_and(|it| !it.is_empty()));
        if let Some((name, _)) = lost {
            return Some(format!("{name} is tainted"));
        }
        for (daemonset, image) in daemonsets {
            if self.image(daemonset) != image {
                return Some(format!("{daemonset} has the image {} and not {image}", self.image(daemonset)));
            }
            let here: Vec<&Pod> = self.pods.values().filter(|pod| pod.daemonset == *daemonset).collect();
            let on: BTreeSet<&str> = here.iter().map(|pod| pod.node.as_str()).collect();
            if on != self.eligible(daemonset) || on.len() != here.len() {
                return Some(format!("{daemonset} is on {on:?} and not on {:?}", self.eligible(daemonset)));
            }
            if let Some(pod) = here.iter().find(|pod| pod.image != *image || !pod.ready) {
                return Some(format!("{pod:?} is not ready with {image}"));
            }
            let status = &self.daemonsets[daemonset]["status"];
            if status["numberAvailable"].as_u64().unwrap_or(0) != on.len() as u64 {
                return Some(format!("the status of {daemonset} is {status}"));
            }
        }
        if self.pods.values().any(|pod| !daemonsets.contains_key(&pod.daemonset)) {
            return Some("pods of a daemonset that is gone".to_owned());
        }
        None
    }
}

/// The state after all events.
pub fn last(events: &[Event]) -> State {
    let mut state = State::default();
    events.iter().for_each(|event| state.apply(event));
    state
}

/// The revision that made a key, if it is there.
pub fn made(events: &[Event], key: &str) -> Option<i64> {
    let last = events.iter().rev().find(|event| event.key == key)?;
    last.value.is_some().then_some(last.created)
}

/// What was counted while the history was looked at.
#[derive(Debug, Default)]
pub struct Counted {
    pub revisions: usize,
    pub by_members: usize,
    pub created: usize,
    pub deleted: usize,
    pub replaced: usize,
    pub members: usize,
}

/// Looks at a history from the start.
pub fn check(events: &[Event], max_unavailable: usize) -> Counted {
    let mut counted = Counted::default();
    let mut state = State::default();
    // What each member knows, and how many events of others that is from the start.
    let mut known: BTreeMap<String, (State, usize)> = BTreeMap::new();
    let mut groups: Vec<&[Event]> = events.chunk_by(|a, b| a.revision == b.revision).collect();
    groups.sort_by_key(|group| group[0].revision);
    let revisions: Vec<i64> = groups.iter().map(|group| group[0].revision).collect();
    let mut own: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
    for group in &groups {
        counted.revisions += 1;
        let revision = group[0].revision;
        let member = group.iter().find_map(|event| match (Key::parse(&event.key), &event.value) {
            (Key::Member(id), Some(value)) if event.created < event.revision => {
                let value: Value = serde_json::from_slice(value).unwrap();
                Some((id.to_string(), value["seen"].as_i64().unwrap(), event.created))
            }
            _ => None,
        });
        counted.members += group
            .iter()
            .filter(|it| {
                matches!(Key::parse(&it.key), Key::Member(_))
                    && it.created == it.revision
                    && it.value.is_some()
            })
            .count();
        let before = state.clone();
        group.iter().for_each(|event| state.apply(event));
        let changed = group.iter().filter(|it| matches!(Key::parse(&it.key), Key::Object(Kind::Pod, _)));
        let uid = |state: &State, key: &str| state.pods.get(key).map(|it| it.uid.clone());
        let came_or_went: Vec<&Event> =
            changed.filter(|it| uid(&before, &it.key) != uid(&state, &it.key)).collect();
        let Some((id, seen, created)) = member else {
            assert!(
                came_or_went.is_empty(),
                "revision {revision}: pods come and go by nobody: {came_or_went:?}"
            );
            continue;
        };
        counted.by_members += 1;
        assert_eq!(
            before.members.get(&id),
            Some(&created),
            "revision {revision}: `{id}` writes without its lease"
        );
        // What it knew: all up to what it had seen, and what it wrote itself since.
        let (mut view, at) = known.remove(&id).unwrap_or_default();
        let upto = revisions.partition_point(|it| *it <= seen);
        groups[at.min(upto)..upto].iter().flat_map(|it| it.iter()).for_each(|event| view.apply(event));
        let kept = view.clone();
        let mine = own.entry(id.clone()).or_default();
        for later in mine.range(seen + 1..) {
            let group = groups[revisions.binary_search(later).unwrap()];
            group.iter().for_each(|event| view.apply(event));
        }
        mine.insert(revision);
        known.insert(id.clone(), (kept, at.max(upto)));
        for event in &came_or_went {
            let pod = before.pods.get(&event.key).or_else(|| state.pods.get(&event.key)).unwrap();
            let key = ObjectKey::new("default", pod.daemonset.as_str());
            let is = owner(before.members.keys().map(String::as_str), &key.to_string());
            assert_eq!(is, Some(id.as_str()), "revision {revision}: {key} is not its own");
            counted.created += usize::from(event.value.is_some());
            counted.deleted += usize::from(event.value.is_none());
        }
        // Those of a former template that were available, and whose node still is to have one.
        let replaced: BTreeSet<&str> = came_or_went
            .iter()
            .filter(|event| event.value.is_none())
            .filter_map(|event| view.pods.get(&event.key))
            .filter(|pod| pod.ready && pod.image != view.image(&pod.daemonset))
            .filter(|pod| view.eligible(&pod.daemonset).contains(pod.node.as_str()))
            .map(|pod| pod.daemonset.as_str())
            .collect();
        let mut after = view.clone();
        group.iter().for_each(|event| after.apply(event));
        for daemonset in replaced {
            counted.replaced += 1;
            let up: BTreeSet<&str> = after
                .pods
                .values()
                .filter(|pod| pod.daemonset == daemonset && pod.ready)
                .map(|pod| pod.node.as_str())
                .collect();
            let down = after.eligible(daemonset).difference(&up).count();
            assert!(
                down <= max_unavailable,
                "revision {revision}: `{id}` leaves {down} nodes without {daemonset}"
            );
        }
        let mut on: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for pod in state.pods.values() {
            *on.entry((&pod.daemonset, &pod.node)).or_default() += 1;
        }
        let twice = on.iter().find(|(_, count)| **count > 1);
        assert_eq!(twice, None, "revision {revision}: two pods on a node");
    }
    counted
}
