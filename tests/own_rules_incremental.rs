//! What a user's rules ask about nodes follows every change: derived from what changed, it
//! is what would be derived from nothing.

#![allow(clippy::unwrap_used, missing_docs)]

use dsrules::facts::Grouping;
use dsrules::kube::{Kind, Object, ObjectKey, Origin};
use dsrules::policy::{self, relations};
use dsrules::reason::Reasoner;
use dsrules::state::{Changed, OwnFile, OwnKind, Whole, World};
use serde_json::{Value, json};

const RULES: &str = r#"
.decl rack(node: Node, rack: Value) input
rack("a", "r1").
rack("b", "r2").
hold(DaemonSet, Node) :- daemonset(DaemonSet), node_condition(Node, "DiskPressure", "True").
hold(DaemonSet, Node) :- daemonset(DaemonSet), node_allocatable(Node, "memory", Bytes), Bytes < 1000.
blocked(DaemonSet, Node) :- daemonset_annotation(DaemonSet, "avoid", Rack), rack(Node, Rack).
blocked(DaemonSet, Node) :- daemonset_namespace(DaemonSet, Space), namespace_label(Space, "keep-off", Rack), rack(Node, Rack).
hold(DaemonSet, Node) :- daemonset(DaemonSet), node(Node), field(Node, "metadata.annotations['x.y/hold']", "yes").
hold(DaemonSet, Node) :- daemonset(DaemonSet), node(Node), object(It, "Namespace", _, "x"), field(It, "metadata.annotations.freeze", "yes").
"#;

fn put(world: &mut World, kind: Kind, name: &str, mut value: Value) {
    let key = ObjectKey::new(if kind.namespaced() { "x" } else { "" }, name);
    value["metadata"]["name"] = json!(name);
    let origin = Origin { file: "t".into(), document: 0, path: String::new() };
    world.put(Object { kind, key, value, origin }, 0);
}

fn node(memory: &str, pressure: &str) -> Value {
    json!({ "status": { "allocatable": { "memory": memory },
        "conditions": [{ "type": "DiskPressure", "status": pressure }] } })
}

fn daemonset(avoid: &str) -> Value {
    json!({ "metadata": { "annotations": { "avoid": avoid } }, "spec": {
        "selector": { "matchLabels": { "app": "d" } },
        "template": { "metadata": { "labels": { "app": "d" } }, "spec": { "containers": [] } } } })
}

#[test]
fn changes_of_details_are_followed() {
    let file = OwnFile::new("r.dl", OwnKind::Rules, RULES);
    let loaded = policy::load(&[file]);
    let program = loaded.program.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
    let mut world = World { detailed: true, whole: Whole::ALL, ..World::default() };
    put(&mut world, Kind::Node, "a", node("16Gi", "False"));
    put(&mut world, Kind::Node, "b", node("999", "False"));
    put(&mut world, Kind::DaemonSet, "d", daemonset("r9"));
    put(&mut world, Kind::Namespace, "x", json!({}));
    let mut reasoner = Reasoner::new(&program, Grouping::On);
    let mut check = |world: &mut World, hold: &[&str], blocked: &[&str]| {
        let changed = std::mem::take(&mut world.changed);
        reasoner.derive(world, &changed, 0).unwrap();
        let mut fresh = Reasoner::new(&program, Grouping::On);
        fresh.derive(world, &Changed::default(), 0).unwrap();
        for (relation, wanted) in [(relations::hold, hold), (relations::blocked, blocked)] {
            for reasoner in [&reasoner, &fresh] {
                let mut rows: Vec<String> =
                    reasoner.rows(relation).map(|row| reasoner.text(row[1]).to_owned()).collect();
                rows.sort();
                assert_eq!(rows, wanted, "{relation:?}");
            }
        }
    };
    check(&mut world, &["b"], &[]);
    put(&mut world, Kind::Node, "a", node("16Gi", "True"));
    check(&mut world, &["a", "b"], &[]);
    // A manifest that says nothing of the status leaves it as it was.
    put(&mut world, Kind::Node, "a", json!({ "metadata": { "labels": { "x": "y" } } }));
    check(&mut world, &["a", "b"], &[]);
    put(&mut world, Kind::Node, "b", node("1k", "False"));
    put(&mut world, Kind::DaemonSet, "d", daemonset("r1"));
    check(&mut world, &["a"], &["a"]);
    put(&mut world, Kind::Namespace, "x", json!({ "metadata": { "labels": { "keep-off": "r2" } } }));
    check(&mut world, &["a"], &["a", "b"]);
    put(&mut world, Kind::Node, "b", json!({ "metadata": { "annotations": { "x.y/hold": "yes" } } }));
    check(&mut world, &["a", "b"], &["a", "b"]);
    put(&mut world, Kind::Node, "b", node("1k", "False"));
    check(&mut world, &["a"], &["a", "b"]);
    let freeze =
        json!({ "metadata": { "labels": { "keep-off": "r2" }, "annotations": { "freeze": "yes" } } });
    put(&mut world, Kind::Namespace, "x", freeze);
    check(&mut world, &["a", "b"], &["a", "b"]);
    world.remove(Kind::Namespace, &ObjectKey::new("", "x"));
    world.remove(Kind::Node, &ObjectKey::new("", "a"));
    check(&mut world, &[], &["a"]);
}
