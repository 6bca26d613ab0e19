//! `change` beside `differential-dataflow`: the rules of placement over the same facts, and
//! the same changes of them, in one run.

mod placed;
mod rules;

use std::time::{Duration, Instant};

use dsrules::datalog::{Evaluation, Facts, Limits, Program, RelationId};
use dsrules::facts::{Encoder, Grouping};
use dsrules::state::World;
use timely::worker::Worker;

use crate::changes::{CHANGES, Change};
use crate::placement::program;
use crate::timing::{median, ratio, show};
use crate::workload;
use placed::Placed;

const RUNS: usize = 9;

/// One more table: each change through both.
pub fn run() {
    println!(
        "\n| of 1,000 x 10,000, placement | dsrules | differential-dataflow | dsrules / it | rows that differ |"
    );
    println!("|---|---|---|---|---|");
    timely::execute_directly(compared);
}

fn compared(worker: &mut Worker) {
    let mut both = Both::new(worker, workload::largest().world);
    for (name, change) in CHANGES {
        let mut times: Vec<(Duration, Duration, usize)> =
            (0..RUNS).map(|nth| both.carry(worker, change, nth)).collect();
        let rows = times[RUNS / 2].2;
        times.sort_by_key(|it| it.0);
        let ours = times[RUNS / 2].0;
        times.sort_by_key(|it| it.1);
        line(name, ours, times[RUNS / 2].1, rows);
    }
}

/// The same facts in both.
struct Both {
    world: World,
    encoder: Encoder,
    evaluation: Evaluation,
    placed: Placed,
}

impl Both {
    /// Both fed with all facts, and how long each took over them.
    fn new(worker: &mut Worker, world: World) -> Self {
        let program = program();
        let names = ["may_start", "may_stay", "in_class", "in_profile"];
        let wanted: Vec<RelationId> = names.iter().filter_map(|name| program.relation(name)).collect();
        let mut encoder = Encoder::new(program.clone(), Grouping::On, &wanted);
        let facts = encoder.all(&world, 0);
        let mut placed = Placed::new(worker, &program, &mut encoder.symbols);
        let updates = placed.updates(&encoder.symbols, &facts, &Facts::new());
        let start = Instant::now();
        placed.feed(worker, updates);
        let theirs = start.elapsed();
        let mut evaluate = || evaluation(&program, &mut encoder, facts.clone(), &wanted);
        let ours = median(3, &mut evaluate);
        let evaluation = evaluate();
        line("all of it, at first", ours, theirs, placed.changed());
        let both = Both { world, encoder, evaluation, placed };
        both.alike();
        both
    }

    /// A change, carried through both: how long each took, and how many rows came and went.
    fn carry(&mut self, worker: &mut Worker, change: Change, nth: usize) -> (Duration, Duration, usize) {
        let Both { world, encoder, evaluation, placed } = self;
        world.changed.clear();
        change(world, nth);
        let objects = world.changed.objects().into_iter().flatten();
        let (added, removed) = encoder.changes(world, evaluation, objects, 0);
        let updates = placed.updates(&encoder.symbols, &added, &removed);
        let start = Instant::now();
        evaluation.update(&encoder.symbols, added, removed).expect("within the limits");
        let ours = start.elapsed();
        let start = Instant::now();
        placed.feed(worker, updates);
        let theirs = start.elapsed();
        self.alike();
        (ours, theirs, self.placed.changed())
    }

    fn alike(&self) {
        let starts = self.evaluation.program().relation("may_start").map_or(0, |id| self.evaluation.len(id));
        assert_eq!(self.placed.starts(), starts, "rows of may_start");
    }
}

fn evaluation(program: &Program, encoder: &mut Encoder, facts: Facts, wanted: &[RelationId]) -> Evaluation {
    Evaluation::new(program, &mut encoder.symbols, facts, wanted, &Limits::default())
        .expect("within the limits")
}

fn line(name: &str, ours: Duration, theirs: Duration, rows: usize) {
    println!("| {name} | {} | {} | {} | {rows} |", show(ours), show(theirs), ratio(ours, theirs));
}
