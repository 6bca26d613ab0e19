//! `change`: what a change costs, beside deriving everything anew and beside the number
//! of pairs of a daemonset and a node that it touches.

use std::time::{Duration, Instant};

use dsrules::datalog::{Evaluation, Limits, RelationId};
use dsrules::facts::{Encoder, Grouping};
use dsrules::plan::{Readiness, Reconciler, Settings};
use dsrules::reason::Reasoner;
use dsrules::state::{Dirty, World};

use crate::changes::CHANGES;
use crate::placement::program;
use crate::timing::{median, show};
use crate::workload;

pub fn run() {
    println!("\n### change\n");
    println!("| of 1,000 x 10,000, placement | time | of deriving anew | pairs that differ |");
    println!("|---|---|---|---|");
    placement();
    println!("\n| of 200 x 5,000 with all their pods, reconciled | time | of reconciling anew | actions |");
    println!("|---|---|---|---|");
    reconciled();
}

/// Facts and rules alone.
fn placement() {
    let program = program();
    let names = ["may_start", "may_stay", "in_class", "in_profile"];
    let wanted: Vec<RelationId> = names.iter().filter_map(|name| program.relation(name)).collect();
    let mut world = workload::largest().world;
    let derive = |world: &World| {
        let mut encoder = Encoder::new(program.clone(), Grouping::On, &wanted);
        let facts = encoder.all(world, 0);
        let limits = Limits::default();
        let evaluation = Evaluation::new(&program, &mut encoder.symbols, facts, &wanted, &limits);
        (encoder, evaluation.expect("within the limits"))
    };
    let anew = median(5, || derive(&world));
    let (mut encoder, mut evaluation) = derive(&world);
    for (name, change) in CHANGES {
        let mut times = Vec::new();
        let mut differ = 0;
        for nth in 0..9 {
            world.changed.clear();
            change(&mut world, nth);
            let start = Instant::now();
            let (added, removed) =
                encoder.changes(&world, &evaluation, world.changed.objects().into_iter().flatten(), 0);
            let changes = evaluation.update(&encoder.symbols, added, removed).expect("within the limits");
            times.push(start.elapsed());
            let moved = |name: &str| changes.relations().any(|it| Some(it) == program.relation(name));
            differ = if moved("in_profile") || moved("in_class") { pairs(&world, nth, name) } else { 0 };
        }
        times.sort();
        println!("| {name} | {} | {} | {differ} |", show(times[4]), percent(times[4], anew));
    }
    println!("| deriving anew | {} | | |", show(anew));
}

/// How many pairs a change is about: the nodes it moves, or those of what it adds.
fn pairs(world: &World, _nth: usize, name: &str) -> usize {
    match name {
        "one node relabelled" => world.daemonsets.len(),
        "one daemonset added" => world.nodes.len(),
        _ => world.daemonsets.len() * world.nodes.len() / 100,
    }
}

/// The whole loop, with the pods.
fn reconciled() {
    let program = program();
    let mut world = workload::all().nth(1).expect("three workloads").world;
    let settings = Settings { readiness: Readiness::Assume, now: 0 };
    let mut reasoner = Reasoner::new(&program, Grouping::On);
    let mut reconciler = Reconciler::default();
    reconciler.reconcile(&mut world, &mut reasoner, settings).expect("it comes to an end");
    let pods = world.pods.len();
    world.dirty = Dirty::default();
    let mut times: Vec<(&str, Duration, usize)> = Vec::new();
    for (name, change) in CHANGES {
        let (mut taken, mut actions) = (Vec::new(), 0);
        for nth in 0..7 {
            change(&mut world, nth);
            let start = Instant::now();
            let reconciled =
                reconciler.reconcile(&mut world, &mut reasoner, settings).expect("it comes to an end");
            taken.push(start.elapsed());
            actions = reconciled.waves.iter().map(|wave| wave.actions.len()).sum();
            world.dirty = Dirty::default();
        }
        taken.sort();
        times.push((name, taken[3], actions));
    }
    let start = Instant::now();
    let mut fresh = Reasoner::new(&program, Grouping::On);
    Reconciler::default().reconcile(&mut world, &mut fresh, settings).expect("it comes to an end");
    let anew = start.elapsed();
    for (name, time, actions) in times {
        println!("| {name} | {} | {} | {actions} |", show(time), percent(time, anew));
    }
    println!("| reconciling {pods} pods that are reconciled, anew | {} | | |", show(anew));
}

fn percent(time: Duration, whole: Duration) -> String {
    format!("{:.2}%", 100.0 * time.as_secs_f64() / whole.as_secs_f64())
}
