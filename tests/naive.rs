//! The rules against a naive restatement of the controller, on random clusters.
//!
//! `controller.rs` and `placement.rs` say what Kubernetes does, object by object, with
//! no index and no grouping; `generate.rs` makes small clusters full of what is rare;
//! `compare.rs` runs both; a case that disagrees is made small and printed with its
//! seed. The same cases are run every time; `DSRULES_NAIVE_CASES` and
//! `DSRULES_NAIVE_SEED` ask for more of them or for others.
#![allow(clippy::unwrap_used)]

#[path = "naive/compare.rs"]
mod compare;
#[path = "naive/controller.rs"]
mod controller;
#[path = "naive/generate.rs"]
mod generate;
#[path = "naive/json.rs"]
mod json;
#[path = "naive/placement.rs"]
mod placement;
#[path = "naive/shrink.rs"]
mod shrink;

use std::collections::BTreeMap;

use dsrules::datalog::Program;
use dsrules::facts::Grouping;
use serde_json::Value;

type Compare = fn(&Program, &Value, Grouping) -> Option<String>;

fn program() -> Program {
    dsrules::policy::builtin::load(&[]).program.expect("the built-in rules load")
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|it| it.parse().ok()).unwrap_or(default)
}

/// Runs cases, half of them with grouping and half without, and every tenth with both.
fn agree(cases: u64, generate: fn(u64) -> Value, compare: Compare) {
    let program = program();
    let first = number("DSRULES_NAIVE_SEED", 0);
    for seed in first..first + cases {
        let case = generate(seed);
        let groupings: &[Grouping] = match seed % 10 {
            0 => &[Grouping::On, Grouping::Off],
            1..=5 => &[Grouping::On],
            _ => &[Grouping::Off],
        };
        for grouping in groupings {
            if compare(&program, &case, *grouping).is_none() {
                continue;
            }
            let small = shrink::shrink(case, |case| compare(&program, case, *grouping).is_some());
            let difference = compare(&program, &small, *grouping).unwrap();
            let shown = serde_json::to_string_pretty(&small).unwrap();
            panic!("seed {seed}, grouping {grouping:?}:\n{shown}\n{difference}");
        }
    }
}

/// 160 clusters of 8 daemonsets and 8 nodes: 10,240 pairs.
#[test]
fn placement_agrees_with_the_naive_controller() {
    agree(number("DSRULES_NAIVE_CASES", 10_240) / 64, generate::placement, compare::placement);
}

#[test]
fn whole_passes_agree_with_the_naive_controller() {
    agree(number("DSRULES_NAIVE_CASES", 10_000), generate::any, compare::whole_sync);
}

/// The clusters over which `tests/mutation.rs` runs changed rules.
#[test]
fn crowds_agree_with_the_naive_controller() {
    agree(24, generate::crowd, compare::whole_sync);
    agree(24, generate::rollouts, compare::whole_sync);
}

/// Every outcome must happen again and again.
#[test]
fn random_clusters_reach_every_outcome() {
    let program = program();
    let mut seen = BTreeMap::new();
    for seed in 0..3_000 {
        compare::count(&generate::any(seed), &program, &mut seen);
    }
    let names = compare::outcomes(&program).into_iter().map(|id| program.declaration(id).name.to_string());
    let rare: Vec<_> = names.filter(|name| seen.get(name).copied().unwrap_or(0) < 2).collect();
    assert!(rare.is_empty(), "hardly ever seen: {rare:?} of {seen:#?}");
}
