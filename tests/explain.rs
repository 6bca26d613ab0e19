//! Explanations name the true cause: of every case of the placement corpus in which no pod
//! may be placed, what is named is taken out of the input, until a pod may be.

#![allow(clippy::unwrap_used, missing_docs)]

use std::io::Read;

use dsrules::datalog::Program;
use dsrules::explain::{self, Cause, Explanation};
use dsrules::kube::{Kind, Object, ObjectKey, Origin};
use dsrules::state::World;
use serde_json::{Value, json};

fn cases() -> Vec<Value> {
    let file = std::fs::File::open("tests/conformance/placement.jsonl.gz").unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn explained(program: &Program, node: &Value, daemonset: &Value) -> Explanation {
    let mut world = World::default();
    let mut put = |value: &Value| {
        let kind = Kind::from_name(value["kind"].as_str().unwrap()).unwrap();
        let namespace = value["metadata"]["namespace"].as_str().unwrap_or("");
        let key = ObjectKey::new(namespace, value["metadata"]["name"].as_str().unwrap());
        let origin = Origin { file: "case".into(), document: 0, path: String::new() };
        world.put(Object { kind, key, value: value.clone(), origin }, 0);
    };
    put(node);
    put(daemonset);
    let (daemonset, node) = (world.daemonsets.values().next().unwrap(), world.nodes.values().next().unwrap());
    explain::pair(program, &world, daemonset, node, 0).unwrap()
}

/// A requirement as explanations write it.
fn shown(requirement: &Value) -> String {
    let text = |name: &str| requirement[name].as_str().unwrap_or("").to_owned();
    let values: Vec<&str> =
        requirement["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if values.is_empty() {
        format!("{} {}", text("key"), text("operator"))
    } else {
        format!("{} {} ({})", text("key"), text("operator"), values.join(", "))
    }
}

fn taint(taint: &Value) -> String {
    let text = |name: &str| taint[name].as_str().unwrap_or("");
    match text("value") {
        "" => format!("{}:{}", text("key"), text("effect")),
        value => format!("{}={value}:{}", text("key"), text("effect")),
    }
}

/// Takes a cause out of the input.
fn remove(cause: &Cause, node: &mut Value, daemonset: &mut Value) {
    let spec = &mut daemonset["spec"]["template"]["spec"];
    match cause {
        Cause::NodeName { .. } => {
            spec.as_object_mut().unwrap().remove("nodeName").expect("it has a nodeName");
        }
        Cause::NodeSelector { key, value } => {
            assert_eq!(spec["nodeSelector"][key], json!(value));
            node["metadata"]["labels"][key] = json!(value);
        }
        Cause::Taint { taint: named } => {
            let taints = node["spec"]["taints"].as_array_mut().unwrap();
            let before = taints.len();
            taints.retain(|it| taint(it) != *named);
            assert!(taints.len() < before, "the node has the taint {named}");
        }
        Cause::Affinity { terms } => {
            let affinity = &mut spec["affinity"]["nodeAffinity"];
            let required = &mut affinity["requiredDuringSchedulingIgnoredDuringExecution"];
            let Some(term) = terms.first() else {
                affinity["requiredDuringSchedulingIgnoredDuringExecution"].take();
                return;
            };
            let all = required["nodeSelectorTerms"].as_array_mut().unwrap();
            if term.requirements.is_empty() {
                // It asks for nothing, so it matches nothing: without it the others count.
                let asks = |it: &Value| {
                    ["matchExpressions", "matchFields"]
                        .iter()
                        .any(|list| it[list].as_array().is_some_and(|list| !list.is_empty()))
                };
                let before = all.len();
                all.retain(asks);
                assert!(all.len() < before, "a term asks for nothing");
                return;
            }
            let mut removed = 0;
            for it in all {
                for list in ["matchExpressions", "matchFields"] {
                    let Some(list) = it[list].as_array_mut() else { continue };
                    let before = list.len();
                    list.retain(|requirement| !term.requirements.contains(&shown(requirement)));
                    removed += before - list.len();
                }
            }
            assert!(removed > 0, "a term has one of {:?}", term.requirements);
        }
        Cause::Blocked { .. } | Cause::Other { .. } => panic!("no cause in the input: {cause:?}"),
    }
}

#[test]
fn what_is_named_is_what_keeps_the_pod_off() {
    let program = dsrules::policy::builtin::load(&[]).program.unwrap();
    let (mut refused, mut steps) = (0, 0);
    for case in cases() {
        let (mut node, mut daemonset) = (case["node"].clone(), case["daemonset"].clone());
        let mut explanation = explained(&program, &node, &daemonset);
        let id = &case["id"];
        assert_eq!(json!(explanation.eligible), case["expect"]["shouldRun"], "{id}");
        if !explanation.eligible {
            refused += 1;
        }
        let mut left = 12;
        while !explanation.eligible {
            assert!(left > 0, "{id}: {explanation:#?}");
            left -= 1;
            let cause =
                explanation.causes.first().unwrap_or_else(|| panic!("{id}: no cause\n{explanation:#?}"));
            remove(&cause.cause, &mut node, &mut daemonset);
            steps += 1;
            explanation = explained(&program, &node, &daemonset);
        }
        assert!(explanation.causes.is_empty(), "{id}");
        assert!(!explanation.steps.is_empty(), "{id}: even a yes has a reason");
    }
    assert!(refused > 100 && steps > refused, "{refused} refused, {steps} steps");
}

/// All causes are named at once: with all of them gone, few are left.
#[test]
fn all_causes_are_named_at_once() {
    let program = dsrules::policy::builtin::load(&[]).program.unwrap();
    for case in cases().into_iter().step_by(7) {
        let (mut node, mut daemonset) = (case["node"].clone(), case["daemonset"].clone());
        let explanation = explained(&program, &node, &daemonset);
        for told in &explanation.causes {
            remove(&told.cause, &mut node, &mut daemonset);
        }
        let after = explained(&program, &node, &daemonset);
        let affinity = |told: &explain::Told| matches!(told.cause, Cause::Affinity { .. });
        // A term that has lost its requirements is another cause.
        assert!(after.causes.iter().all(affinity), "{}: {:#?}", case["id"], after.causes);
    }
}
