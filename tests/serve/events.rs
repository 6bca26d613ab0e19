//! Events are followed at the cost of a change, and are those that the store has all the same.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use dsrules::app::api::{Deletion, EVENTS, Engine, How, RESOURCES, Serving, Unknown};
use dsrules::app::{Database, Options};
use dsrules::kube::ObjectKey;
use dsrules::policy::Asked;
use proptest::prelude::*;
use serde_json::{Value, json};

fn resource(plural: &str) -> usize {
    RESOURCES.iter().position(|it| it.plural == plural).unwrap()
}

fn engine(database: Database, write: bool, time: &Arc<AtomicI64>) -> Engine {
    let time = time.clone();
    let clock = Arc::new(move || time.load(Ordering::SeqCst));
    let (rules, options) = (Asked::default(), Options::at(0));
    Engine::open(Serving { database, folder: None, write, rules, options, clock }).unwrap()
}

/// The events that are served, but for the versions, which are of when they were found.
fn events(engine: &Engine) -> BTreeMap<ObjectKey, Value> {
    let objects = engine.replica().objects(EVENTS).iter();
    let plain = |(key, entry): (&ObjectKey, &Arc<dsrules::app::api::Entry>)| {
        let mut value = entry.value();
        value["metadata"]["resourceVersion"] = Value::Null;
        (key.clone(), value)
    };
    objects.map(plain).collect()
}

fn daemonset(name: &str, image: usize) -> Value {
    json!({ "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": { "name": name, "namespace": "default" },
        "spec": { "selector": { "matchLabels": { "app": name } },
            "template": { "metadata": { "labels": { "app": name } },
                "spec": { "containers": [{ "name": "a", "image": format!("a:{image}") }] } } } })
}

/// What is done: to which object, and how long after what came before.
fn change(engine: &mut Engine, (what, which): (usize, usize)) {
    let how = How { manager: "test".to_owned(), dry: false, unknown: Unknown::Strict, force: false };
    let name = format!("x{which}");
    let (nodes, daemonsets) = (resource("nodes"), resource("daemonsets"));
    // Whether it is refused, as there is one already or none yet, is all the same here.
    let _ = match what {
        0 => engine.create(nodes, "", json!({ "metadata": { "name": name } }), &how).map(drop),
        1 => engine.delete(nodes, &ObjectKey::new("", &*name), &Deletion::default()).map(drop),
        2 => engine.create(daemonsets, "default", daemonset(&name, 0), &how).map(drop),
        3 => {
            let key = ObjectKey::new("default", &*name);
            engine.update(daemonsets, &key, "", daemonset(&name, which), &how).map(drop)
        }
        _ => engine.delete(daemonsets, &ObjectKey::new("default", &*name), &Deletion::default()).map(drop),
    };
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5))]

    #[test]
    fn events_that_are_followed_are_those_that_there_are(
        changes in prop::collection::vec(((0..5_usize, 0..3_usize), prop::sample::select(vec![0, 60, 4 * 86_400])), 15..25),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let database = Database { path, wait: Duration::ZERO, cluster: None, at: None, shared: None };
        let time = Arc::new(AtomicI64::new(1_700_000_000));
        let mut followed = engine(database.clone(), true, &time);
        let mut most = 0;
        // A node and a daemonset first, so that there is something to tell of.
        let first = [((0, 0), 0), ((2, 0), 0)];
        for (what, later) in first.into_iter().chain(changes) {
            time.fetch_add(later, Ordering::SeqCst);
            change(&mut followed, what);
            let anew = events(&engine(database.clone(), false, &time));
            most = most.max(anew.len());
            prop_assert_eq!(events(&followed), anew);
        }
        prop_assert!(most > 0, "something was told");
    }
}
