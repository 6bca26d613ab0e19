//! `apply`: 10,000 nodes with 50 daemonsets, from the file to the commit, in its parts.

use std::time::{Duration, Instant};

use dsrules::facts::Grouping;
use dsrules::manifest::{self, Input, Options};
use dsrules::plan::{Readiness, Simulation, Tally, pass_over};
use dsrules::reason::Reasoner;
use dsrules::target::sqlite::{Open, Store};

use crate::generate;
use crate::placement::program;
use crate::timing::show;

const PARTS: [&str; 5] = ["reading", "storing", "deriving", "planning", "executing"];

pub fn run() {
    let folder = tempfile::tempdir().expect("a place for files");
    let file = folder.path().join("cluster.json");
    std::fs::write(&file, generate::list(10_000, 50)).expect("the file can be written");
    let db = folder.path().join("bench.db");
    println!("\n### apply\n");
    println!("| 10,000 nodes x 50 daemonsets | reading | storing | deriving | planning | executing | all |");
    println!("|---|---|---|---|---|---|---|");
    for name in ["cold", "no-op"] {
        let (times, pods) = apply(&file, &db);
        let all: Duration = times.iter().sum();
        let parts: Vec<String> = times.iter().map(|time| show(*time)).collect();
        println!("| {name}, {pods} pods | {} | {} |", parts.join(" | "), show(all));
    }
    let bytes = std::fs::metadata(&db).map_or(0, |found| found.len());
    println!("\nThe store has {} MB afterwards.", bytes / 1_000_000);
    let again = |name: &str| {
        let start = Instant::now();
        let done = std::process::Command::new(env!("CARGO_BIN_EXE_dsrules"))
            .args(["--quiet", "--db"])
            .arg(folder.path().join("binary.db"))
            .arg("apply")
            .arg(&file)
            .output()
            .expect("the binary runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        println!("| {name} | {} |", show(start.elapsed()));
    };
    println!("\n| `dsrules apply`, the whole program | time |\n|---|---|");
    again("cold");
    again("no-op");
    again("no-op again");
}

/// One apply, with the time that each part of it took.
fn apply(file: &std::path::Path, db: &std::path::Path) -> ([Duration; PARTS.len()], usize) {
    let mut times = [Duration::ZERO; PARTS.len()];
    let mut last = Instant::now();
    let mut lap = |part: usize| {
        times[part] += last.elapsed();
        last = Instant::now();
    };
    let reading = manifest::read(&[Input::Path(file.to_owned())], &Options::default());
    assert!(!reading.has_errors());
    lap(0);
    let mut store = Store::open(db, &Open::write("bench")).expect("a store");
    store.begin().expect("a transaction");
    let mut world = store.load().expect("a world");
    lap(1);
    for object in reading.objects {
        world.put(object, 0);
    }
    lap(0);
    let mut reasoner = Reasoner::new(&program(), Grouping::On);
    let (mut tally, mut simulation) = (Tally::default(), Simulation::default());
    loop {
        let changed = std::mem::take(&mut world.changed);
        let derived = reasoner.derive(&world, &changed, 0).expect("within the limits");
        lap(2);
        let touched = tally.follow(&reasoner, &derived, &world, &changed);
        let pass = pass_over(&reasoner, &world, &tally, &touched);
        lap(3);
        let is_idle = pass.is_idle();
        simulation.carry_out(&mut world, &reasoner, pass, Readiness::Assume, 0);
        lap(4);
        if is_idle {
            break;
        }
    }
    store.save(&mut world).expect("saved");
    store.commit().expect("committed");
    lap(1);
    (times, world.pods.len())
}
