//! Random worlds through the store: what was saved step by step is what comes back, and
//! what one save of everything would have made.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dsrules::kube::{Base, Body, Kind, Labels, Name, Object, ObjectKey, Origin, Owner, Pod};
use dsrules::state::{Backoff, Cascade, Event, Part, Refusal, SomeNodes, SomePods, World};
use dsrules::target::Selected;
use dsrules::target::sqlite::{Fit, Placement, Store};
use proptest::prelude::*;
use serde_json::{Value, json};

/// One thing that happens to a world.
#[derive(Debug, Clone)]
enum Step {
    /// A manifest is applied.
    Put(Kind, u8, Value),
    /// An object goes.
    Remove(Kind, u8),
    /// dsrules makes a pod from a template.
    Make { name: u8, base: u8, node: u8, label: u8 },
    /// A pod is adopted or released, relabelled, and changes its status.
    Change { name: u8, owner: Option<u8>, label: u8, phase: u8, ready: Option<i64> },
    /// Counters of the controller.
    Count { node: u8, backoff: Option<i64>, attempts: Option<u32> },
    /// Everything so far is saved.
    Save,
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{0,3}", Just("\"'\\\n".to_owned()), Just("ä\u{1f980}\u{1b}".to_owned())]
}

fn manifest() -> impl Strategy<Value = Value> {
    let labels = proptest::collection::btree_map("[a-c]", text(), 0..3);
    let status = prop_oneof![
        Just(Value::Null),
        Just(json!({ "phase": "Running", "conditions": [{ "type": "Ready", "status": "True",
            "lastTransitionTime": "2026-01-02T03:04:05Z" }], "numberReady": 3, "nodeInfo": { "kubeletVersion": "v1" } })),
    ];
    let uid = prop_oneof![Just(None), Just(Some("u1")), Just(Some("u2"))];
    (labels, status, uid, text(), 0..3_i64).prop_map(|(labels, status, uid, word, number)| {
        let mut value = json!({
            "metadata": { "labels": labels, "generation": number },
            "spec": { "taints": [{ "key": word, "effect": "NoSchedule" }], "nodeName": word, "replicas": number },
            "data": { "spec": { "template": { "a": word } } }, "revision": number, "unknown": [word],
        });
        if !status.is_null() {
            value["status"] = status;
        }
        if let Some(uid) = uid {
            value["metadata"]["uid"] = json!(uid);
            value["metadata"]["ownerReferences"] =
                json!([{ "kind": "DaemonSet", "name": "o", "uid": uid, "controller": true }]);
        }
        value
    })
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop::sample::select(&Kind::ALL[..]);
    prop_oneof![
        4 => (kind.clone(), 0..5_u8, manifest()).prop_map(|(kind, name, value)| Step::Put(kind, name, value)),
        2 => (kind, 0..5_u8).prop_map(|(kind, name)| Step::Remove(kind, name)),
        2 => (0..6_u8, 0..2_u8, 0..3_u8, 0..2_u8)
            .prop_map(|(name, base, node, label)| Step::Make { name, base, node, label }),
        2 => (0..6_u8, prop::option::of(0..2_u8), 0..2_u8, 0..2_u8, prop::option::of(0..9_i64)).prop_map(
            |(name, owner, label, phase, ready)| Step::Change { name, owner, label, phase, ready }
        ),
        1 => (0..2_u8, prop::option::of(0..9_i64), prop::option::of(0..9_u32))
            .prop_map(|(node, backoff, attempts)| Step::Count { node, backoff, attempts }),
        2 => Just(Step::Save),
    ]
}

fn key(kind: Kind, name: u8) -> ObjectKey {
    ObjectKey::new(if kind.namespaced() { "default" } else { "" }, format!("o{name}"))
}

fn labels(label: u8) -> Labels {
    Arc::new([("app".into(), format!("l{label}").into())].into())
}

fn owner(number: u8) -> Arc<Owner> {
    Arc::new(Owner { kind: "DaemonSet".into(), name: format!("d{number}").into(), uid: "u".into() })
}

fn take(world: &mut World, step: &Step) {
    match step {
        Step::Put(kind, name, value) => {
            let origin = Origin { file: "a.yaml".into(), document: 0, path: String::new() };
            let object = Object { kind: *kind, key: key(*kind, *name), value: value.clone(), origin };
            world.put(object, 1000);
        }
        Step::Remove(kind, name) => {
            world.remove(*kind, &key(*kind, *name));
        }
        Step::Make { name, base, node, label } => {
            let key = key(Kind::Pod, *name);
            if world.pods.get(&key).is_some_and(|pod| !matches!(pod.body, Body::Made(_))) {
                return;
            }
            let origin = json!({ "spec": {}, "metadata": { "ownerReferences": [] }, "n": base });
            let mut pod = Pod::from_value(key.clone(), Arc::new(json!({})));
            pod.body = Body::Made(Arc::new(Base { id: format!("b{base}").into(), value: origin }));
            pod.meta.uid = world.uid(Kind::Pod, &key);
            pod.meta.resource_version = world.next_version();
            pod.meta.stored = world.pods.get(&key).map_or(0, |old| old.meta.stored);
            pod.meta.labels = labels(*label);
            pod.meta.controller = Some(owner(0));
            pod.node = Some(format!("n{node}").into());
            pod.pinned = pod.node.clone();
            world.touch(Kind::Pod, &key);
            world.pods.insert(key, pod);
        }
        Step::Change { name, owner: by, label, phase, ready } => {
            let key = key(Kind::Pod, *name);
            if let Some(pod) = world.pods.get_mut(&key) {
                pod.meta.controller = by.map(owner);
                pod.meta.labels = labels(*label);
                pod.phase = ["Pending", "Running"][usize::from(*phase)].into();
                pod.ready = ready.is_some();
                pod.ready_since = *ready;
                world.touch(Kind::Pod, &key);
            }
        }
        Step::Count { node, backoff, attempts } => {
            let node: Name = format!("n{node}").into();
            let entry = ("u".into(), node.clone());
            world.dirty.backoff.insert((Name::clone(&entry.0), entry.1.clone()));
            match backoff {
                Some(seconds) => world.backoff.insert(entry, Backoff { seconds: *seconds, since: 1 }),
                None => world.backoff.remove(&entry),
            };
            let pod = key(Kind::Pod, 0);
            world.dirty.refused.insert(pod.clone());
            let reasons = vec!["Insufficient cpu".to_owned()];
            match backoff {
                Some(since) => {
                    world.refused.insert(pod, Refusal { since: *since, reasons, ..Refusal::default() })
                }
                None => world.refused.remove(&pod),
            };
            let entry = (key(Kind::DaemonSet, 0), node);
            world.dirty.attempts.insert(entry.clone());
            match attempts {
                Some(attempts) => world.attempts.insert(entry.clone(), *attempts),
                None => world.attempts.remove(&entry),
            };
            world.deleted_owners =
                attempts.iter().map(|n| (format!("gone{n}").into(), Cascade::Background)).collect();
        }
        Step::Save => {}
    }
}

/// All that a world says, in an order of its own.
fn told(world: &World) -> Vec<String> {
    let attempts: BTreeMap<_, _> = world.attempts.iter().collect();
    vec![
        format!("{:#?}", world.others),
        format!("{:#?}", world.nodes),
        format!("{:#?}", world.daemonsets),
        format!("{:#?}", world.revisions),
        format!("{:#?}", world.pods),
        format!("{:?} {:?} {attempts:?} {:?}", world.backoff, world.refused, world.incarnations),
        format!("{:?} {}", world.deleted_owners, world.resource_version),
    ]
}

/// All whole objects of a store.
fn objects(store: &Store) -> Vec<Value> {
    let mut all = Vec::new();
    for kind in Kind::ALL {
        let mut pods = store.pod_reader().unwrap();
        store
            .objects(kind, None, &mut |key, value| {
                assert_eq!(store.object(kind, &key).unwrap(), Some(value.clone()));
                if kind == Kind::Pod {
                    assert_eq!(pods.read(&key).unwrap(), Some(value.clone()));
                }
                all.push(value);
                Ok(())
            })
            .unwrap();
    }
    all
}

/// A part of what the steps make.
fn part() -> impl Strategy<Value = Part> {
    let name = prop_oneof![(0..5_u8).prop_map(|n| format!("o{n}")), (0..3_u8).prop_map(|n| format!("n{n}"))];
    let names = move || {
        proptest::collection::btree_set(name.clone(), 0..5)
            .prop_map(|names| names.iter().map(|it| Name::from(&**it)).collect::<BTreeSet<_>>())
    };
    let uids = proptest::collection::btree_set(prop::sample::select(&["u", "u1", "u2"][..]), 0..2);
    let named = proptest::collection::btree_set(0..6_u8, 0..3);
    let some = (names(), uids, named).prop_map(|(on, uids, named)| SomePods::These {
        on,
        of: uids.into_iter().map(Name::from).collect(),
        named: named.into_iter().map(|name| key(Kind::Pod, name)).collect(),
    });
    let nodes = prop_oneof![1 => Just(SomeNodes::All), 4 => names().prop_map(SomeNodes::These)];
    let pods = prop_oneof![1 => Just(SomePods::All), 1 => Just(SomePods::None), 6 => some];
    (nodes, pods).prop_map(|(nodes, pods)| Part { nodes, pods })
}

/// What a world has of a part, told naively.
fn only(mut world: World, part: &Part) -> World {
    let pods = world.pods.clone();
    if let SomeNodes::These(names) = &part.nodes {
        world.nodes.retain(|key, _| names.contains(&key.name));
        world.incarnations.retain(|(kind, key), _| *kind != Kind::Node || names.contains(&key.name));
    }
    world.pods.retain(|key, pod| match &part.pods {
        SomePods::All => true,
        SomePods::None => false,
        SomePods::These { on, of, named } => {
            pod.target().is_none_or(|node| on.contains(node))
                || pod.meta.controller.as_ref().is_some_and(|it| of.contains(&it.uid))
                || named.contains(key)
        }
    });
    if let (SomeNodes::These(nodes), SomePods::None | SomePods::These { .. }) = (&part.nodes, &part.pods) {
        let is_here = |node: &Name| {
            nodes.contains(node)
                || matches!(&part.pods, SomePods::These { on, .. } if on.contains(node))
                || world.pods.values().any(|pod| pod.target() == Some(node))
        };
        world.backoff.retain(|(_, node), _| is_here(node));
        world.attempts.retain(|(_, node), _| is_here(node));
    }
    if part.pods != SomePods::All {
        world.refused.retain(|key, _| world.pods.contains_key(key) && pods.contains_key(key));
    }
    world
}

/// Whether a step concerns what a part has, or what is nowhere.
fn concerns(step: &Step, whole: &World, part: &Part) -> bool {
    let here = only(whole.clone(), part);
    let pod = |name: u8| {
        let key = key(Kind::Pod, name);
        here.pods.contains_key(&key) || !whole.pods.contains_key(&key)
    };
    match step {
        Step::Put(Kind::Node, name, _) | Step::Remove(Kind::Node, name) => {
            !matches!(&part.nodes, SomeNodes::These(names) if !names.contains(&*format!("o{name}")))
        }
        Step::Put(Kind::Pod, name, _) | Step::Remove(Kind::Pod, name) => pod(*name),
        Step::Make { name, .. } | Step::Change { name, .. } => pod(*name),
        Step::Count { node, .. } => {
            let node = Name::from(format!("n{node}"));
            let all = part.nodes == SomeNodes::All || part.pods == SomePods::All;
            let on = matches!(&part.pods, SomePods::These { on, .. } if on.contains(&node));
            (all || on) && here.pods.contains_key(&key(Kind::Pod, 0))
        }
        _ => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_saved_comes_back(steps in proptest::collection::vec(step(), 0..40)) {
        let mut stepwise = Store::in_memory().unwrap();
        let mut world = World::default();
        let mut unsaved = World::default();
        for step in &steps {
            take(&mut world, step);
            take(&mut unsaved, step);
            if matches!(step, Step::Save) {
                stepwise.save(&mut world).unwrap();
                // A load in between must change nothing, nor what the next save drops.
                let read = stepwise.load().unwrap();
                prop_assert_eq!(told(&read), told(&world));
                world = read;
            }
        }
        stepwise.save(&mut world).unwrap();
        prop_assert_eq!(told(&stepwise.load().unwrap()), told(&world));

        let mut at_once = Store::in_memory().unwrap();
        at_once.save(&mut unsaved).unwrap();
        prop_assert_eq!(told(&at_once.load().unwrap()), told(&world));
        prop_assert_eq!(objects(&at_once), objects(&stepwise));
    }

    #[test]
    fn a_part_is_what_the_whole_has_of_it_and_changes_as_it_does(
        steps in proptest::collection::vec(step(), 0..30),
        part in part(),
        more in proptest::collection::vec(step(), 0..12),
    ) {
        let (mut whole, mut partial) = (Store::in_memory().unwrap(), Store::in_memory().unwrap());
        for store in [&mut whole, &mut partial] {
            let mut world = World::default();
            steps.iter().for_each(|step| take(&mut world, step));
            store.save(&mut world).unwrap();
        }
        let (mut all, mut some) = (whole.load().unwrap(), partial.load_part(&part).unwrap());
        prop_assert_eq!(some.part.is_none(), part.is_all());
        prop_assert_eq!(told(&some), told(&only(all.clone(), &part)));
        for step in &more {
            if concerns(step, &all, &part) && concerns(step, &whole.load().unwrap(), &part) {
                take(&mut all, step);
                take(&mut some, step);
            }
            if matches!(step, Step::Save) {
                whole.save(&mut all).unwrap();
                partial.save(&mut some).unwrap();
                some = partial.load_part(&part).unwrap();
            }
        }
        whole.save(&mut all).unwrap();
        partial.save(&mut some).unwrap();
        // Reading all also says that as many rows are on record as there are.
        prop_assert_eq!(told(&partial.load().unwrap()), told(&whole.load().unwrap()));
        prop_assert_eq!(objects(&partial), objects(&whole));
    }

    #[test]
    fn pods_that_an_index_finds_are_those_of_all(steps in proptest::collection::vec(step(), 0..40)) {
        let mut store = Store::in_memory().unwrap();
        let mut world = World::default();
        steps.iter().for_each(|step| take(&mut world, step));
        store.save(&mut world).unwrap();
        let (mut all, mut seen) = (Vec::new(), Vec::new());
        store.objects(Kind::Pod, None, &mut |key, pod| { all.push((key, pod)); Ok(()) }).unwrap();
        let mut check = |selected: &Selected<'_>, is: &dyn Fn(&Pod) -> bool| {
            let wanted: Vec<_> = all.iter().filter(|(key, _)| is(&world.pods[key])).cloned().collect();
            for namespace in [None, Some("default"), Some("other")] {
                seen.clear();
                store.pods(selected, namespace, &mut |key, pod| { seen.push((key, pod)); Ok(()) }).unwrap();
                assert_eq!(&seen, if namespace == Some("other") { &[][..] } else { &wanted[..] });
            }
        };
        for node in ["n0", "n1", "o1", ""] {
            check(&Selected::On(node), &|pod| pod.target().is_some_and(|it| &**it == node));
        }
        for app in ["l0", "l1"] {
            let fits = |labels: &BTreeMap<Name, Name>| labels.get("app").is_none_or(|it| &**it == app);
            check(&Selected::With(&fits), &|pod| fits(&pod.meta.labels));
        }
        for uid in ["u", "u1", "none"] {
            let is = |pod: &Pod| pod.meta.controller.as_ref().is_some_and(|it| &*it.uid == uid);
            check(&Selected::Of(uid), &is);
            let phases: usize = store.phases(uid).unwrap().values().sum();
            prop_assert_eq!(phases, world.pods.values().filter(|pod| is(pod)).count());
        }
        for kind in Kind::ALL {
            let keys: Vec<_> = world.keys(kind).into_iter().cloned().collect();
            prop_assert_eq!(store.keys(kind).unwrap(), keys);
        }
    }

    #[test]
    fn a_placement_comes_back(all in proptest::collection::vec(
        (proptest::collection::btree_map(0..4_u32, 0..3_u32, 0..4), proptest::collection::btree_map((0..3_u32, 0..3_u32), any::<(bool, bool)>(), 0..6)), 1..5,
    )) {
        let mut store = Store::in_memory().unwrap();
        let mut before = None;
        for (groups, fits) in all {
            let after = Placement {
                classes: groups.iter().map(|(n, class)| (ObjectKey::new("default", format!("d{n}")), *class)).collect(),
                profiles: groups.iter().map(|(n, profile)| (format!("n{n}").into(), *profile)).collect(),
                fits: fits.iter().map(|(pair, (may_start, may_stay))| (*pair, Fit { may_start: *may_start, may_stay: *may_stay })).collect(),
                barred: groups.iter().filter(|(_, class)| **class == 1).map(|(n, _)| (ObjectKey::new("default", format!("d{n}")), format!("n{n}").into())).collect(),
            };
            store.save_placement(before.as_ref(), &after).unwrap();
            prop_assert_eq!(&store.placement().unwrap(), &after);
            // Every other time the store itself is asked what was there.
            before = if before.is_some() { None } else { Some(after) };
        }
    }
}

#[test]
fn events_are_counted_and_combined() {
    let mut store = Store::in_memory().unwrap();
    let mut world = World::default();
    let about = ObjectKey::new("default", "d");
    let event =
        |message: String, time| Event::of_daemonset(&about, "Normal", "SuccessfulCreate", message, time);
    for pod in 0..100 {
        world.dirty.events.push(event(format!("Created pod: p{pod}"), 1000 + pod));
    }
    world.dirty.events.push(event("Created pod: p0".into(), 1200));
    store.save(&mut world).unwrap();
    let told = |store: &Store| -> Vec<(String, i64, i64, i64)> {
        let events = store.events(Some(&about)).unwrap();
        events.into_iter().map(|e| (e.message, e.count, e.first_seen, e.last_seen)).collect()
    };
    let seen = told(&store);
    assert_eq!(seen.len(), 10);
    assert_eq!(seen[0], ("Created pod: p1".into(), 1, 1001, 1001));
    assert_eq!(seen[8], ("(combined from similar events): Created pod: p99".into(), 91, 1009, 1099));
    assert_eq!(seen[9], ("Created pod: p0".into(), 2, 1000, 1200));
    // After ten minutes of silence a new message stands by itself again.
    world.dirty.events.push(event("Created pod: late".into(), 1801));
    store.save(&mut world).unwrap();
    assert_eq!(told(&store).last().unwrap(), &("Created pod: late".into(), 1, 1801, 1801));
    assert_eq!(store.events(None).unwrap().len(), 11);
    // And after a week without it, it is forgotten.
    world.dirty.events.push(event("Created pod: now".into(), 1801 + 7 * 24 * 3600 + 1));
    store.save(&mut world).unwrap();
    assert_eq!(told(&store).len(), 1);
}
