//! The cases that mutants are run over, and the answers that they must give.
//!
//! Random clusters have the answers that the rules as they are give: `tests/naive.rs`
//! confirms those of the very same clusters. Cases of `cases/` bring their own answers.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use dsrules::datalog::{Evaluation, Limits, Program};
use dsrules::facts::{Encoder, Grouping};
use dsrules::kube::{Kind, Object, ObjectKey, Origin};
use dsrules::plan::{Action, pass};
use dsrules::policy::builtin::UserRules;
use dsrules::policy::relations;
use dsrules::reason::Reasoner;
use dsrules::state::{Backoff, Cascade, World};
use serde_json::Value;

use super::generate;
use super::mutants::{Mutant, rules};

/// How many random clusters there are of each kind; `tests/naive.rs` confirms those of
/// the same numbers.
const PLACEMENTS: u64 = 16;
const CROWDS: u64 = 24;

/// What written cases also show of, beside what a pass does.
const SHOWN: &[&str] = &[
    "eligible",
    "kept_off",
    "barred",
    "unmanaged",
    "selects_everything",
    "create",
    "delete",
    "adopt",
    "release",
    "adopt_revision",
    "release_revision",
    "relabel",
    "rolling",
    "collision",
    "create_revision",
    "current_hash",
    "outdated",
    "renumber",
    "folded_revision",
    "spare_revision",
    "surge_clash",
    "self_clash",
    "host_port_clash",
    "contended",
    "halts",
];

/// All cases.
pub struct Suite {
    /// The built-in rules alone, and with the rules of each case that has its own.
    programs: Vec<Program>,
    cases: Vec<Case>,
}

struct Case {
    /// Which of the programs it is for.
    program: usize,
    world: World,
    now: i64,
    /// Whether rows of relations are a part of the answer.
    shows_rows: bool,
    answer: String,
}

impl Suite {
    /// All cases with their right answers.
    pub fn new(program: &Program) -> Suite {
        let mut suite = Suite { programs: vec![program.clone()], cases: Vec::new() };
        (0..PLACEMENTS).for_each(|seed| suite.add(0, &generate::placement(seed), false));
        (0..CROWDS).for_each(|seed| suite.add(0, &generate::crowd(seed), false));
        (0..CROWDS).for_each(|seed| suite.add(0, &generate::rollouts(seed), false));
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mutation/cases");
        let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            let case: Value =
                serde_yaml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            suite.written(&case, &file.display().to_string());
        }
        suite
    }

    fn add(&mut self, program: usize, case: &Value, shows_rows: bool) {
        let (world, now) = (world(case), case["now"].as_i64().unwrap());
        let mut case = Case { program, world, now, shows_rows, answer: String::new() };
        case.answer = answer(&self.programs[program], &case).unwrap();
        self.cases.push(case);
    }

    /// A case that was written by hand: what it expects is a part of the answer.
    fn written(&mut self, case: &Value, file: &str) {
        let case = &with_hashes(case);
        let mut program = 0;
        if let Some(text) = case["rules"].as_str() {
            let own = UserRules { file: "own.dl".into(), text: text.into() };
            let loaded = dsrules::policy::builtin::load(&[own]);
            self.programs.push(loaded.program.unwrap_or_else(|| panic!("{file}: {:#?}", loaded.diagnostics)));
            program = self.programs.len() - 1;
        }
        self.add(program, case, true);
        let answer = &self.cases.last().unwrap().answer;
        for line in case["expect"].as_array().unwrap() {
            let line = line.as_str().unwrap();
            assert!(answer.lines().any(|it| it == line), "{file}: no line `{line}` in\n{answer}");
        }
        for line in case["expectNot"].as_array().into_iter().flatten() {
            let start = line.as_str().unwrap();
            assert!(!answer.lines().any(|it| it.starts_with(start)), "{file}: `{start}` in\n{answer}");
        }
    }

    /// The order to begin with: written cases first, they are few.
    pub fn order(&self) -> Vec<usize> {
        (0..self.cases.len()).rev().collect()
    }

    /// The rules with the mutant's in place of the right one, unless they are refused.
    pub fn mutate<'a>(&'a self, mutant: &'a Mutant) -> Option<Mutated<'a>> {
        let mutated = Mutated { suite: self, mutant, programs: vec![OnceCell::new(); self.programs.len()] };
        mutated.program(0).is_some().then_some(mutated)
    }
}

/// The rules with one of them changed, beside each case's own.
pub struct Mutated<'a> {
    suite: &'a Suite,
    mutant: &'a Mutant,
    /// Made when a case needs them.
    programs: Vec<OnceCell<Option<Program>>>,
}

impl Mutated<'_> {
    fn program(&self, at: usize) -> Option<&Program> {
        let right = &self.suite.programs[at];
        self.programs[at].get_or_init(|| right.with_rules(rules(right, self.mutant)).program).as_ref()
    }

    /// Whether the right answer to a case is given.
    pub fn agrees(&self, case: usize) -> bool {
        let case = &self.suite.cases[case];
        self.program(case.program).and_then(|program| answer(program, case)).as_ref() == Some(&case.answer)
    }
}

/// The case with the hash that a new revision of a daemonset would get for each
/// `(new of NAME)`.
fn with_hashes(case: &Value) -> Value {
    let mut world = World::default();
    put(&mut world, &case["daemonsets"], case["now"].as_i64().unwrap());
    let mut text = case.to_string();
    for daemonset in world.daemonsets.values() {
        text = text.replace(&format!("(new of {})", daemonset.meta.key.name), &daemonset.new_hash());
    }
    serde_json::from_str(&text).unwrap()
}

fn world(case: &Value) -> World {
    let case = with_hashes(case);
    let now = case["now"].as_i64().unwrap();
    let mut world = World::default();
    put(&mut world, &case["nodes"], now);
    put(&mut world, &case["daemonsets"], now);
    put(&mut world, &case["revisions"], now);
    put(&mut world, &case["pods"], now);
    for entry in case["backoff"].as_array().into_iter().flatten() {
        let text = |at: usize| entry[at].as_str().unwrap().into();
        let (seconds, since) = (entry[2].as_i64().unwrap(), entry[3].as_i64().unwrap());
        world.backoff.insert((text(0), text(1)), Backoff { seconds, since });
    }
    let deleted = case["deletedOwners"].as_array().into_iter().flatten();
    world.deleted_owners = deleted.map(|uid| (uid.as_str().unwrap().into(), Cascade::Background)).collect();
    let orphaning = case["orphaning"].as_array().into_iter().flatten();
    world.deleted_owners.extend(orphaning.map(|uid| (uid.as_str().unwrap().into(), Cascade::Orphan)));
    let namespaces = case["deletedNamespaces"].as_array().into_iter().flatten();
    world.deleted_namespaces = namespaces.map(|name| name.as_str().unwrap().into()).collect();
    for (key, seconds) in case["driven"].as_object().into_iter().flatten() {
        let (namespace, name) = key.split_once('/').unwrap();
        world.driven.insert(ObjectKey::new(namespace, name), seconds.as_i64().unwrap());
    }
    for given in case["given"].as_array().into_iter().flatten() {
        let part = |at: usize| given[at].as_str().unwrap();
        world.given.insert((Kind::from_name(part(0)).unwrap(), ObjectKey::new(part(1), part(2))));
    }
    world
}

fn put(world: &mut World, objects: &Value, now: i64) {
    for value in objects.as_array().into_iter().flatten() {
        let kind = Kind::from_name(value["kind"].as_str().unwrap()).unwrap();
        let meta = &value["metadata"];
        let key = ObjectKey::new(meta["namespace"].as_str().unwrap_or(""), meta["name"].as_str().unwrap());
        let origin = Origin { file: "case".into(), document: 0, path: String::new() };
        world.put(Object { kind, key, value: value.clone(), origin }, now);
    }
}

/// All that a pass says and does, a line for each thing; nothing when the rules fail.
fn answer(program: &Program, case: &Case) -> Option<String> {
    let (world, now) = (&case.world, case.now);
    let mut reasoner = Reasoner::new(program, Grouping::On);
    reasoner.derive(world, &world.changed, now).ok()?;
    let pass = pass(&reasoner, world);
    let mut out = String::new();
    let mut action = |what: &str, action: &Action| {
        let daemonset = action.daemonset.as_ref().map(ToString::to_string).unwrap_or_default();
        let node = action.node.as_deref().unwrap_or("");
        let number = pass.numbers.get(&action.object).map(ToString::to_string).unwrap_or_default();
        let (verb, object) = (format!("{:?}", action.verb), action.object.to_string());
        let parts = [what, &verb, &daemonset, node, object.trim_start_matches('/'), &number];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let _ = writeln!(out, "{}", parts.join(" "));
    };
    pass.actions.iter().for_each(|it| action("do", it));
    let mut collected: Vec<&Action> = pass.collected.iter().collect();
    collected.sort();
    collected.into_iter().for_each(|it| action("collect", it));
    for (key, status) in &pass.statuses {
        let _ = writeln!(out, "status {key} {}", serde_json::to_string(status).unwrap());
    }
    for (what, list) in [("failed", &pass.failed), ("succeeded", &pass.succeeded)] {
        let mut list: Vec<_> = list.iter().map(|(_, pod, node)| format!("{what} {pod} {node}")).collect();
        list.sort();
        list.iter().for_each(|line| out.push_str(&format!("{line}\n")));
    }
    pass.selecting_all.iter().for_each(|key| out.push_str(&format!("selecting all {key}\n")));
    let _ = writeln!(out, "hashes {:?}", pass.hashes);
    for key in world.daemonsets.keys() {
        let _ = writeln!(out, "tolerations {key} {:?}", reasoner.added_tolerations(key));
    }
    // Also what is told: why, and what is waited for.
    for action in pass.actions.iter().chain(&pass.collected) {
        let _ = writeln!(out, "because {}", action.reason());
    }
    for it in dsrules::plan::waiting(&reasoner, world) {
        let _ = writeln!(out, "waits {} {}", it.daemonset, it.reason);
        for node in it.nodes {
            let _ = writeln!(out, "waits for {} {:?} {} {:?}", node.node, node.pod, node.reason, node.until);
        }
    }
    placement(&reasoner, &mut out);
    if case.shows_rows {
        rows(program, world, now, &mut out)?;
    }
    Some(out)
}

/// The rows of the relations that written cases show.
fn rows(program: &Program, world: &World, now: i64, out: &mut String) -> Option<()> {
    let wanted: Vec<_> = SHOWN.iter().map(|name| program.relation(name).unwrap()).collect();
    let mut encoder = Encoder::new(program.clone(), Grouping::On, &wanted);
    let facts = encoder.all(world, now);
    let symbols = &mut encoder.symbols;
    let evaluation = Evaluation::new(program, symbols, facts, &wanted, &Limits::default()).ok()?;
    let mut lines = Vec::new();
    for (name, relation) in SHOWN.iter().zip(&wanted) {
        for row in evaluation.rows(*relation) {
            let cells: Vec<String> = row.iter().map(|sym| symbols.value(*sym).to_string()).collect();
            lines.push(format!("row {name} {}\n", cells.join(" ")));
        }
    }
    lines.sort();
    out.extend(lines);
    Some(())
}

/// Which daemonset may start and stay where, object by object.
fn placement(reasoner: &Reasoner, out: &mut String) {
    let name = |sym| reasoner.text(sym);
    let mut members: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for relation in [relations::in_class, relations::in_profile] {
        for row in reasoner.rows(relation) {
            members.entry((relation, row[1])).or_default().push(row[0]);
        }
    }
    let mut lines = Vec::new();
    for (name_of, relation) in [("may_start", relations::may_start), ("may_stay", relations::may_stay)] {
        for row in reasoner.rows(relation) {
            let none = Vec::new();
            for daemonset in members.get(&(relations::in_class, row[0])).unwrap_or(&none) {
                for node in members.get(&(relations::in_profile, row[1])).unwrap_or(&none) {
                    lines.push(format!("{name_of} {} {}\n", name(*daemonset), name(*node)));
                }
            }
        }
    }
    lines.sort();
    out.extend(lines);
}
