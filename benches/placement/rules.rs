//! dsrules: facts of the objects, rules over classes and profiles, then the members of
//! each pair of them written out.

use std::collections::HashMap;
use std::time::Duration;

use dsrules::datalog::{Evaluation, Facts, Limits, Program, RelationId, Sym};
use dsrules::facts::{Encoder, Grouping};
use dsrules::state::World;

use super::Pair;
use crate::timing::median;

pub fn pairs(world: &World) -> Vec<Pair> {
    let (encoder, evaluation) = derive(world);
    expand(world, &encoder, &evaluation)
}

/// The time that facts, rules and pairs take, apart.
pub fn parts(world: &World, runs: usize) -> [Duration; 3] {
    let program = program();
    let facts = median(runs, || encode(&program, world));
    let (mut encoder, given) = encode(&program, world);
    let rules = median(runs, || evaluate(&program, &mut encoder, given.clone()));
    let copies = median(runs, || given.clone());
    let (encoder, evaluation) = derive(world);
    let pairs = median(runs, || expand(world, &encoder, &evaluation));
    [facts, rules.saturating_sub(copies), pairs]
}

/// The built-in rules.
pub fn program() -> Program {
    dsrules::policy::builtin::load(&[]).program.expect("the built-in rules are sound")
}

/// The facts that placement needs.
pub fn encode(program: &Program, world: &World) -> (Encoder, Facts) {
    let mut encoder = Encoder::new(program.clone(), Grouping::On, &wanted(program));
    let facts = encoder.all(world, 0);
    (encoder, facts)
}

fn wanted(program: &Program) -> Vec<RelationId> {
    ["may_start", "in_class", "in_profile"].iter().filter_map(|name| program.relation(name)).collect()
}

fn evaluate(program: &Program, encoder: &mut Encoder, facts: Facts) -> Evaluation {
    let symbols = &mut encoder.symbols;
    Evaluation::new(program, symbols, facts, &wanted(program), &Limits::default()).expect("within the limits")
}

fn derive(world: &World) -> (Encoder, Evaluation) {
    let program = program();
    let (mut encoder, facts) = encode(&program, world);
    let evaluation = evaluate(&program, &mut encoder, facts);
    (encoder, evaluation)
}

fn expand(world: &World, encoder: &Encoder, evaluation: &Evaluation) -> Vec<Pair> {
    let program = evaluation.program();
    let rows = |name: &str| evaluation.rows(program.relation(name).expect("a built-in relation"));
    let place = |names: Vec<String>| -> HashMap<Sym, u32> {
        let symbols = names.iter().filter_map(|name| encoder.symbols.find_text(name));
        symbols.zip(0..).collect()
    };
    let daemonsets = place(world.daemonsets.keys().map(ToString::to_string).collect());
    let nodes = place(world.nodes.keys().map(ToString::to_string).collect());
    let mut members: HashMap<Sym, Vec<u32>> = HashMap::new();
    for row in rows("in_profile") {
        members.entry(row[1]).or_default().push(nodes[&row[0]]);
    }
    let mut fits: HashMap<Sym, Vec<&[u32]>> = HashMap::new();
    for row in rows("may_start") {
        if let Some(members) = members.get(&row[1]) {
            fits.entry(row[0]).or_default().push(members);
        }
    }
    let mut pairs = Vec::new();
    for row in rows("in_class") {
        let daemonset = daemonsets[&row[0]];
        for members in fits.get(&row[1]).into_iter().flatten() {
            pairs.extend(members.iter().map(|node| (daemonset, *node)));
        }
    }
    pairs
}
