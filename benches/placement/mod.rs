//! `placement`: every pair of a daemonset and a node that should have its pod, written
//! out, from objects in memory.
//!
//! Each way starts from the same objects and ends with the same list of pairs, and the
//! number of pairs is checked each time.

mod bitset;
mod loops;
mod rules;
mod sql;
mod static_datalog;

use std::time::Duration;

pub use rules::program;

use dsrules::state::World;

use crate::timing::{median, ratio, show};
use crate::workload;

/// A daemonset and a node, by their places in the world.
pub type Pair = (u32, u32);

/// Key and effect of the taints that all daemon pods tolerate, for those who write the rules down
/// themselves.
pub const ADDED: [(&str, &str); 6] = [
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
];

/// Measures and prints the table.
pub fn run() {
    println!("\n### placement\n");
    println!(
        "| daemonsets x nodes | bitsets | dsrules | of it facts / rules / pairs | string loops | ascent, rules | ascent, rules and pairs | SQL |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for workload in workload::all() {
        let (world, pairs) = (&workload.world, workload.pairs);
        let timed = |runs: usize, way: &dyn Fn(&World) -> Vec<Pair>| -> Duration {
            median(runs, || {
                let found = way(world).len();
                assert_eq!(found, pairs, "eligible pairs of {}", workload.name);
            })
        };
        let large = pairs > 1_000_000;
        let bitsets = timed(9, &bitset::pairs);
        let ours = timed(9, &rules::pairs);
        let parts = rules::parts(world, 9);
        let loops = timed(3, &loops::pairs);
        let datalog = static_datalog::times(world, pairs, if large { 3 } else { 5 });
        let database = sql::load(world);
        let sql = median(1, || assert_eq!(sql::pairs(&database).len(), pairs));
        println!(
            "| {} | {} | {} ({}) | {} / {} / {} | {} ({}) | {} ({}) | {} ({}) | {} ({}) |",
            workload.name,
            show(bitsets),
            show(ours),
            ratio(ours, bitsets),
            show(parts[0]),
            show(parts[1]),
            show(parts[2]),
            show(loops),
            ratio(loops, ours),
            show(datalog[0]),
            ratio(datalog[0], parts[1]),
            show(datalog[1]),
            ratio(datalog[1], parts[1] + parts[2]),
            show(sql),
            ratio(sql, ours),
        );
    }
}
