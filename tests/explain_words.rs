//! No explanation shows the engine: over every corpus, the examples, and rules of a user's
//! own, what is told is sentences about objects, and never a relation of the tool or a
//! group of objects.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeSet;
use std::io::Read;
use std::path::PathBuf;

use dsrules::datalog::Program;
use dsrules::explain::{self, Explanation, Group, Step};
use dsrules::kube::{Kind, Object, ObjectKey, Origin};
use dsrules::manifest::{self, Input, Options};
use dsrules::policy::builtin::{self, UserRules};
use dsrules::state::World;
use serde_json::Value;

/// The time at which the cases are explained.
const NOW: i64 = 1_772_442_000;

fn cases(name: &str) -> Vec<Value> {
    let file = std::fs::File::open(format!("tests/conformance/{name}.jsonl.gz")).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn put(world: &mut World, value: &Value) {
    let kind = Kind::from_name(value["kind"].as_str().unwrap()).unwrap();
    let namespace = value["metadata"]["namespace"].as_str().unwrap_or("");
    let key = ObjectKey::new(namespace, value["metadata"]["name"].as_str().unwrap());
    let origin = Origin { file: "case".into(), document: 0, path: String::new() };
    world.put(Object { kind, key, value: value.clone(), origin }, NOW);
}

/// The nodes, daemonsets, revisions and pods of a case.
fn world(case: &Value) -> World {
    let mut world = World { detailed: true, ..World::default() };
    for list in ["nodes", "controllerrevisions", "pods"] {
        case[list].as_array().into_iter().flatten().for_each(|it| put(&mut world, it));
    }
    for one in ["node", "daemonset"] {
        if case[one].is_object() {
            put(&mut world, &case[one]);
        }
    }
    world
}

fn put_one(world: &mut World, object: Object) {
    world.put(object, NOW);
}

fn read(paths: &[&str]) -> World {
    let inputs: Vec<Input> = paths.iter().map(|path| Input::Path(PathBuf::from(path))).collect();
    let reading = manifest::read(&inputs, &Options { recursive: true, ..Options::default() });
    assert!(!reading.has_errors(), "{:?}", reading.diagnostics);
    let mut world = World { detailed: true, ..World::default() };
    reading.objects.into_iter().for_each(|object| put_one(&mut world, object));
    world
}

fn program(own: &[&str]) -> Program {
    let own: Vec<UserRules> = own
        .iter()
        .map(|file| UserRules { file: (*file).to_owned(), text: std::fs::read_to_string(file).unwrap() })
        .collect();
    let loaded = builtin::load(&own);
    loaded.program.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics))
}

/// What must not stand in an explanation.
struct Words {
    relations: BTreeSet<String>,
    told: usize,
}

impl Words {
    fn new(program: &Program) -> Self {
        let builtin = program.declarations().filter(|it| it.builtin);
        Words { relations: builtin.map(|it| it.name.to_string()).collect(), told: 0 }
    }

    fn check(&mut self, text: &str, of: &str) {
        self.told += 1;
        for (at, _) in text.match_indices('(') {
            let before = &text[..at];
            let word = before.rsplit(|it: char| !(it.is_alphanumeric() || it == '_')).next().unwrap_or("");
            assert!(!self.relations.contains(word), "{of} shows the relation {word}: {text}");
        }
        for group in ["None {", "Some(\"", "{}", ",\"", "affinity affinity", " _"] {
            assert!(!text.contains(group), "{of} shows a group: {text:?}");
        }
        let bare = text.split("  [").next().unwrap();
        assert!(
            !bare.contains("  ") && !bare.ends_with(' ') && !bare.ends_with(','),
            "{of} is padded: {text:?}"
        );
        assert!(!text.is_empty(), "{of}: nothing is said");
    }

    fn steps(&mut self, steps: &[Step], of: &str) {
        for step in steps {
            self.check(&step.text, of);
            self.steps(&step.parts, of);
        }
    }

    fn explanation(&mut self, explanation: &Explanation) {
        let of = format!("explain {} {}", explanation.daemonset, explanation.node);
        self.check(&explanation.headline, &of);
        self.steps(&explanation.steps, &of);
        assert!(!explanation.steps.is_empty(), "{of} gives no reason");
        for told in &explanation.causes {
            self.check(&told.says, &of);
            told.mend.iter().for_each(|mend| self.check(mend, &of));
        }
    }

    fn groups(&mut self, groups: &[Group], of: &str) {
        for group in groups {
            assert!(!group.because.is_empty(), "{of}: no reason for {:?}", group.names);
            let also = group.also.iter().map(|also| &also.because);
            group.because.iter().chain(also).for_each(|text| self.check(text, of));
        }
    }

    /// Every explanation that there is of a world.
    fn world(&mut self, program: &Program, world: &World) {
        for daemonset in world.daemonsets.values() {
            for node in world.nodes.values() {
                self.explanation(&explain::pair(program, world, daemonset, node, NOW).unwrap());
            }
            let summary = explain::summary(program, world, daemonset, NOW).unwrap();
            self.groups(&summary.others, &format!("explain {}", summary.daemonset));
        }
        for node in world.nodes.values() {
            let on = explain::node(program, world, node, NOW).unwrap();
            self.groups(&on.others, &format!("explain node/{}", on.node));
        }
    }
}

#[test]
fn the_examples_are_explained_in_words() {
    let program = program(&[]);
    let mut words = Words::new(&program);
    words.world(&program, &read(&["examples/cluster"]));
    words.world(&program, &read(&["examples/quickstart"]));
    assert!(words.told > 1000, "{}", words.told);
}

#[test]
fn every_placement_is_explained_in_words() {
    let program = program(&[]);
    let mut words = Words::new(&program);
    for case in cases("placement") {
        words.world(&program, &world(&case));
    }
    assert!(words.told > 4000, "{}", words.told);
}

#[test]
fn every_reconcile_is_explained_in_words() {
    let program = program(&[]);
    let mut words = Words::new(&program);
    for case in cases("sync").iter().chain(&cases("rollout")) {
        words.world(&program, &world(case));
    }
    assert!(words.told > 4000, "{}", words.told);
}

#[test]
fn rules_of_ones_own_are_explained_in_words() {
    let folder = "tests/explain/rules";
    for rules in ["f1", "f1b", "f2", "f3", "f3b", "f5", "f6", "two", "everything"] {
        let program = program(&[&format!("{folder}/{rules}.dl")]);
        let mut words = Words::new(&program);
        for manifests in ["one", "two", "three"] {
            words.world(&program, &read(&[&format!("{folder}/{manifests}.yaml")]));
        }
        words.world(&program, &read(&["examples/cluster/nodes", &format!("{folder}/one.yaml")]));
        for case in cases("sync").iter().step_by(20) {
            words.world(&program, &world(case));
        }
    }
}

#[test]
fn the_policies_of_the_examples_are_explained_in_words() {
    let cluster = read(&["examples/cluster"]);
    let mut policies = 0;
    for entry in std::fs::read_dir("examples/policies").unwrap() {
        let file = entry.unwrap().path().join("policy.dl");
        if !file.exists() {
            continue;
        }
        policies += 1;
        let program = program(&[file.to_str().unwrap()]);
        let mut words = Words::new(&program);
        let mut small = cluster.clone();
        small.nodes = small.nodes.into_iter().step_by(4).collect();
        words.world(&program, &small);
    }
    assert!(policies > 8, "{policies}");
}

/// Every label, taint and rule that advice names does what the advice says.
#[test]
fn advice_about_a_rule_of_ones_own_is_true() {
    let folder = "tests/explain/rules";
    let (mut followed, mut without) = (0, 0);
    for rules in ["f2", "f3", "f3b", "two", "levers"] {
        let program = program(&[&format!("{folder}/{rules}.dl")]);
        let world = read(&[&format!("{folder}/levers.yaml")]);
        for daemonset in world.daemonsets.values() {
            for node in world.nodes.values() {
                let explanation = explain::pair(&program, &world, daemonset, node, NOW).unwrap();
                for told in &explanation.causes {
                    let mend = told.mend.as_deref().unwrap();
                    assert!(mend.contains(&format!("change the rule {folder}/{rules}.dl:")), "{mend}");
                    let ways: Vec<&str> =
                        mend.split(", or ").filter(|way| !way.starts_with("change")).collect();
                    without += usize::from(ways.is_empty());
                    for way in ways {
                        let mut other = world.clone();
                        follow(way, &mut other, &node.meta.key);
                        let node = &other.nodes[&node.meta.key];
                        let after = explain::pair(&program, &other, daemonset, node, NOW).unwrap();
                        let still = after.causes.iter().any(|it| it.cause == told.cause);
                        assert!(!still, "{rules}: {way}\n{after:#?}");
                        assert_eq!(
                            explanation.causes.len() > 1,
                            !after.eligible,
                            "{rules}: {way}\n{after:#?}"
                        );
                        followed += 1;
                    }
                }
            }
        }
    }
    assert!(followed >= 6 && without >= 2, "{followed} followed, {without} without");
}

/// Does what advice says.
fn follow(way: &str, world: &mut World, node: &ObjectKey) {
    use std::sync::Arc;
    let words: Vec<&str> = way.split(' ').collect();
    let node = world.nodes.get_mut(node).unwrap();
    match words.as_slice() {
        ["label", _, "with", label] => {
            let (key, value) = label.split_once('=').unwrap();
            Arc::make_mut(&mut node.meta.labels).insert(key.into(), value.into());
        }
        ["give", _, "a", "label", key] => {
            Arc::make_mut(&mut node.meta.labels).insert((*key).into(), "some".into());
        }
        ["take", "the", "label", key, "off", _] => {
            Arc::make_mut(&mut node.meta.labels).remove(*key).unwrap();
        }
        ["take", "the", "taint", key, "off", _] => {
            let before = node.taints.len();
            node.taints.retain(|taint| &*taint.key != *key);
            assert!(node.taints.len() < before, "{way}");
        }
        ["uncordon", _] => {
            assert!(node.unschedulable, "{way}");
            node.unschedulable = false;
        }
        _ => panic!("what is to be done? {way}"),
    }
}
