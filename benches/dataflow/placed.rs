//! A dataflow over the placement rules that is fed facts and changes of them.

use std::cell::Cell;
use std::collections::HashSet;
use std::rc::Rc;

use differential_dataflow::input::{Input, InputSession};
use dsrules::datalog::{Facts, Program, RelationId, Row, Symbols, Value};
use timely::dataflow::operators::probe::Handle;
use timely::worker::Worker;

use crate::placement::ADDED;

use super::rules::{Cells, INPUTS, Words, placed};

/// A dataflow that has been fed, and is fed changes.
pub struct Placed {
    inputs: Vec<InputSession<u32, Cells, isize>>,
    ids: Vec<RelationId>,
    /// What is in each input: rows that are there are not added again.
    there: Vec<HashSet<Cells>>,
    probe: Handle<u32>,
    time: u32,
    starts: Rc<Cell<isize>>,
    changes: Rc<Cell<usize>>,
}

/// What is done to each input.
pub type Updates = Vec<(usize, Cells, isize)>;

impl Placed {
    /// An empty dataflow.
    pub fn new(worker: &mut Worker, program: &Program, symbols: &mut Symbols) -> Self {
        let ids: Vec<RelationId> =
            INPUTS.iter().map(|name| program.relation(name).expect("a built-in relation")).collect();
        let words = words(symbols);
        let (starts, changes) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let probe = Handle::new();
        let inputs = worker.dataflow::<u32, _, _>(|scope| {
            let (inputs, rows): (Vec<_>, Vec<_>) = ids.iter().map(|_| scope.new_collection()).unzip();
            let (start, stay) = placed(&rows, &words);
            let (sum, seen, also) = (starts.clone(), changes.clone(), changes.clone());
            start
                .consolidate()
                .inspect(move |(_, _, diff)| {
                    sum.set(sum.get() + diff);
                    seen.set(seen.get() + 1);
                })
                .probe_with(&probe);
            stay.consolidate().inspect(move |_| also.set(also.get() + 1)).probe_with(&probe);
            inputs
        });
        let there = ids.iter().map(|_| HashSet::new()).collect();
        Placed { inputs, ids, there, probe, time: 0, starts, changes }
    }

    /// Facts as what they do to what is there.
    pub fn updates(&mut self, symbols: &Symbols, added: &Facts, removed: &Facts) -> Updates {
        let mut updates = Vec::new();
        for (at, id) in self.ids.iter().enumerate() {
            let there = &mut self.there[at];
            let kept: HashSet<Cells> = added.rows(*id).map(|row| cells(symbols, &row)).collect();
            let gone = removed.rows(*id).map(|row| cells(symbols, &row));
            for row in gone.filter(|row| !kept.contains(row)) {
                if there.remove(&row) {
                    updates.push((at, row, -1));
                }
            }
            for row in kept {
                if there.insert(row) {
                    updates.push((at, row, 1));
                }
            }
        }
        updates
    }

    /// Feeds a change, and waits until all has been derived.
    pub fn feed(&mut self, worker: &mut Worker, updates: Updates) {
        for (at, row, diff) in updates {
            self.inputs[at].update(row, diff);
        }
        self.time += 1;
        for input in &mut self.inputs {
            input.advance_to(self.time);
            input.flush();
        }
        worker.step_while(|| self.probe.less_than(&self.time));
    }

    /// How many rows `may_start` has.
    pub fn starts(&self) -> usize {
        self.starts.get().try_into().expect("no fewer than none")
    }

    /// How many rows came and went since this was asked.
    pub fn changed(&self) -> usize {
        self.changes.replace(0)
    }
}

fn cells(symbols: &Symbols, row: &Row) -> Cells {
    let mut cells = [0; 5];
    for (cell, sym) in cells.iter_mut().zip(row.iter()) {
        *cell = match symbols.value(*sym) {
            Value::Number(number) => number,
            Value::Text(_) => i64::from(*sym),
        };
    }
    cells
}

fn words(symbols: &mut Symbols) -> Words {
    let added = ADDED.map(|(key, effect)| (symbols.text(key), symbols.text(effect))).into();
    let mut text = |text: &str| symbols.text(text);
    Words {
        is_in: text("In"),
        not_in: text("NotIn"),
        exists: text("Exists"),
        absent: text("DoesNotExist"),
        greater: text("Gt"),
        less: text("Lt"),
        equal: text("Equal"),
        empty: text(""),
        no_schedule: text("NoSchedule"),
        no_execute: text("NoExecute"),
        added,
    }
}
