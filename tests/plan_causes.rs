//! Every delete of a plan that drives a pod from a node says why it may not stay there, and
//! what it says is what is said when the pair alone is asked about.
#![allow(clippy::unwrap_used)]

use dsrules::app::planning::plan;
use dsrules::app::{MaxDelete, Options};
use dsrules::datalog::Program;
use dsrules::explain::blocker;
use dsrules::kube::{Kind, Object, ObjectKey, Origin};
use dsrules::plan::{Plan, Verb};
use dsrules::policy::builtin::{UserRules, load};
use dsrules::report::{Detail, Look, Paint, plan_text};
use dsrules::state::{Gone, World};
use serde_json::{Value, json};

/// More nodes of a kind than are asked about one by one.
const NODES: usize = 120;
const NOW: i64 = 1_772_442_000;

fn object(value: Value) -> Object {
    let kind = Kind::from_name(value["kind"].as_str().unwrap()).unwrap();
    let text = |field: &str| value["metadata"][field].as_str().unwrap_or("");
    let key = ObjectKey::new(text("namespace"), text("name"));
    Object { kind, key, value, origin: Origin { file: "case".into(), document: 0, path: String::new() } }
}

fn node(name: &str, disk: &str, taint: &str) -> Object {
    let taints = match taint.split_once('=') {
        Some((key, value)) => json!([{ "key": key, "value": value, "effect": "NoExecute" }]),
        None => json!([]),
    };
    object(json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": { "name": name, "labels": { "disk": disk } }, "spec": { "taints": taints },
    }))
}

fn daemonset(namespace: &str, name: &str, spec: &Value) -> Object {
    let mut spec = spec.clone();
    spec["containers"] = json!([{ "name": "c", "image": "i" }]);
    object(json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": { "name": name, "namespace": namespace },
        "spec": {
            "selector": { "matchLabels": { "app": name } },
            "template": { "metadata": { "labels": { "app": name } }, "spec": spec },
        },
    }))
}

fn program(rules: &str) -> Program {
    load(&[UserRules { file: "own.dl".into(), text: rules.to_owned() }]).program.unwrap()
}

fn options() -> Options {
    Options { max_delete: Some(MaxDelete::Percent(100)), ..Options::at(NOW) }
}

/// The plan of nodes that change, and the world after it.
fn driven_out(program: &Program) -> (Plan, World) {
    let mut world = World::default();
    let affinity = json!({ "affinity": { "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{ "matchExpressions": [{ "key": "disk", "operator": "In", "values": ["ssd"] }] }] } } } });
    let first = json!({ "affinity": { "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{ "matchFields": [{ "key": "metadata.name", "operator": "NotIn", "values": ["n7"] }] }] } } } });
    let mut before = vec![
        daemonset("a", "plain", &json!({})),
        daemonset("b", "plain", &json!({})),
        daemonset("a", "selecting", &json!({ "nodeSelector": { "disk": "ssd" } })),
        daemonset("a", "affine", &affinity),
        daemonset("b", "choosy", &first),
        daemonset("b", "tolerant", &json!({ "tolerations": [{ "operator": "Exists" }] })),
    ];
    before.extend((0..NODES).map(|at| node(&format!("n{at}"), "ssd", "")));
    plan(&mut world, before, &Gone::default(), program, &options()).unwrap();
    let after = (0..NODES).map(|at| {
        let name = format!("n{at}");
        match at % 3 {
            0 => node(&name, "hdd", ""),
            1 => node(&name, "ssd", "off=yes"),
            _ => node(&name, "hdd", "off=no"),
        }
    });
    let planned = plan(&mut world, after.collect(), &Gone::default(), program, &options()).unwrap();
    (planned.plan, world)
}

fn deletes(plan: &Plan) -> Vec<(ObjectKey, String)> {
    let actions = plan.waves.iter().flat_map(|wave| &wave.actions).filter(|it| it.verb == Verb::Delete);
    actions.map(|it| (it.daemonset.clone().unwrap(), it.node.as_deref().unwrap().to_owned())).collect()
}

#[test]
fn every_one_of_very_many_deletes_has_its_cause() {
    let program = program("");
    let (plan, world) = driven_out(&program);
    let deletes = deletes(&plan);
    assert!(deletes.len() > 400, "{}", deletes.len());
    assert_eq!(plan.causes_omitted, 0);
    for (daemonset, node) in deletes {
        let told = plan.causes.get(&(daemonset.clone(), node.as_str().into()));
        let alone = blocker(&world, &program, &daemonset, &node, NOW).unwrap();
        assert!(alone.is_some(), "{daemonset} on {node}");
        assert_eq!(told, alone.as_ref(), "{daemonset} on {node}");
    }
}

#[test]
fn a_rule_that_knows_names_says_its_own() {
    let program = program(
        "/// {Node} is the fourth.\nblocked(DaemonSet, Node) :- daemonset(DaemonSet), node(Node), Node = \"n4\".\n\
         /// {DaemonSet} is a's.\nblocked(DaemonSet, Node) :- daemonset(DaemonSet), node(Node), DaemonSet = \"a/plain\".\n",
    );
    let (plan, world) = driven_out(&program);
    for ((daemonset, node), told) in &plan.causes {
        let alone = blocker(&world, &program, daemonset, node, NOW).unwrap();
        assert_eq!(Some(told), alone.as_ref(), "{daemonset} on {node}");
    }
    assert!(plan.causes.len() > 200, "{}", plan.causes.len());
}

#[test]
fn causes_that_are_too_many_to_be_asked_for_are_counted_and_it_is_said() {
    let program = program("");
    let mut world = World::default();
    let key = |at: usize| format!("key-{at}");
    let labels: Value = (0..250).map(|at| (key(at), json!("yes"))).collect::<serde_json::Map<_, _>>().into();
    let of = |labels: Value| {
        object(json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "n", "labels": labels } }))
    };
    let mut objects: Vec<Object> = (0..250)
        .map(|at| daemonset("a", &format!("d-{at}"), &json!({ "nodeSelector": { key(at): "yes" } })))
        .collect();
    objects.push(of(labels));
    plan(&mut world, objects, &Gone::default(), &program, &options()).unwrap();
    let planned = plan(&mut world, vec![of(json!({}))], &Gone::default(), &program, &options()).unwrap().plan;
    assert_eq!(deletes(&planned).len(), 250);
    assert_eq!((planned.causes.len(), planned.causes_omitted), (200, 50));
    let mut out = Vec::new();
    let look = Look { detail: Detail::Short, paint: Paint(false), done: false };
    plan_text(&planned, look, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(
        text.contains("why 50 more of these pods may not stay, `dsrules explain DAEMONSET NODE` says"),
        "{text}"
    );
}
