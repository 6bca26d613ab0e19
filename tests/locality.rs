//! What is derived of a part of the facts is what all of them say of that part: random
//! programs, worlds and questions; and what a change in a part does, where nothing else feels it.
//!
//! `DSRULES_TIMES` says how many times as much is tried as usual.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "naive/generate.rs"]
#[allow(dead_code)]
mod generate;
#[path = "locality/world.rs"]
mod world;
mod dice {
    pub use crate::generate::Dice;
}

use std::collections::BTreeSet;

use dice::Dice;
use dsrules::datalog::{Query, RelationId};
use world::{Case, Data, Derived, about, facts, host_of, locality, rows, seen};

const CASES: u64 = 10_000;

fn times() -> u64 {
    std::env::var("DSRULES_TIMES").map_or(1, |times| times.parse().unwrap())
}

fn some_hosts(dice: &mut Dice) -> BTreeSet<String> {
    let count = dice.below(3);
    (0..count).map(|_| format!("h{}", dice.below(6))).collect()
}

/// The relations without rows.
fn empty(derived: &Derived) -> BTreeSet<RelationId> {
    derived.evaluation.without_rows().collect()
}

#[test]
fn a_part_says_of_itself_what_all_say_of_it() {
    let (mut compared, mut with_rows, mut gathered) = (0, 0, 0);
    for seed in 0..CASES * times() {
        let mut dice = Dice::new(seed);
        let Some(case) = Case::random(&mut dice) else { continue };
        let (data, hosts) = (facts(&mut dice), some_hosts(&mut dice));
        let part = seen(&data, &hosts);
        let (Some(all), Some(some)) = (Derived::of(&case, &data), Derived::of(&case, &part)) else {
            continue;
        };
        let nothing = empty(&all);
        for (name, relation) in case.columns.keys().filter_map(|it| Some((it, case.program.relation(it)?))) {
            for known in [&BTreeSet::new(), &nothing] {
                let locality = locality(&case, &[relation], known);
                if !locality.is_exact(relation) {
                    continue;
                }
                if locality.relied().iter().any(|id| !some.evaluation.is_empty(*id)) {
                    continue;
                }
                if locality.gathering().any(|id| !known.contains(&id)) {
                    gathered += 1;
                    continue;
                }
                let [whole, mine] =
                    [&all, &some].map(|it| about(&case, name, it.rows(relation), &hosts, &[&part]));
                assert_eq!(whole, mine, "seed {seed}: {name} of {hosts:?}\n{}\n{data:#?}", case.text);
                compared += 1;
                with_rows += usize::from(!mine.is_empty());
            }
        }
    }
    println!("{compared} relations, {with_rows} with rows, {gathered} that gather");
    assert!(with_rows as u64 > CASES * times() / 2);
}

/// One host and what is on it otherwise.
fn changed(dice: &mut Dice, data: &Data) -> (Data, BTreeSet<String>) {
    let host = format!("h{}", dice.below(6));
    let mut after: Data = data
        .iter()
        .filter(|(name, row)| {
            !(matches!(name.as_str(), "host" | "unit" | "host_mark" | "unit_mark")
                && host_of(&row[0], data) == host)
        })
        .cloned()
        .collect();
    let mut hosts = BTreeSet::from([host.clone()]);
    if dice.chance(85) {
        after.insert(("host".to_owned(), vec![host.clone()]));
    }
    for _ in 0..dice.below(3) {
        after.insert(("host_mark".to_owned(), vec![host.clone(), format!("m{}", dice.below(4))]));
    }
    for unit in (0..8).map(|nth| format!("u{nth}")) {
        if dice.chance(20) {
            hosts.insert(host_of(&unit, data));
            after.retain(|(name, row)| !(name == "unit" && row[0] == unit));
            after.insert(("unit".to_owned(), vec![unit, host.clone()]));
        }
    }
    hosts.retain(|it| it.starts_with('h'));
    (after, hosts)
}

#[test]
fn a_change_that_nothing_else_feels_changes_nothing_else() {
    let (mut tried, mut went) = (0, 0);
    for seed in 0..CASES * times() {
        let mut dice = Dice::new(seed + 1_000_000_000);
        let Some(case) = Case::random(&mut dice) else { continue };
        let data = facts(&mut dice);
        let (after, hosts) = changed(&mut dice, &data);
        let (Some(all), Some(all_after)) = (Derived::of(&case, &data), Derived::of(&case, &after)) else {
            continue;
        };
        let nothing = empty(&all);
        let wanted: Vec<RelationId> =
            case.columns.keys().filter_map(|it| case.program.relation(it)).collect();
        // As many of them as can be told together.
        let exact: Vec<RelationId> = wanted
            .iter()
            .copied()
            .filter(|id| {
                let locality = locality(&case, &[*id], &nothing);
                locality.is_exact(*id) && locality.gathering().all(|id| nothing.contains(&id))
            })
            .collect();
        let locality = locality(&case, &exact, &nothing);
        let (before, part) = (seen(&data, &hosts), seen(&after, &hosts));
        let Some(mut some) = Derived::of(&case, &before) else { continue };
        let added = rows(&case, &mut some.symbols, part.difference(&before));
        let removed =
            rows(&case, &mut some.symbols, before.difference(&part).filter(|(name, _)| name != "mark"));
        let changes = some.evaluation.update(&some.symbols, added, removed).unwrap();
        tried += 1;
        let moved = |id: RelationId| changes.added(id).chain(changes.removed(id)).next().is_some();
        if locality.felt().any(moved) || locality.relied().iter().any(|id| !some.evaluation.is_empty(*id)) {
            continue;
        }
        went += 1;
        let others: BTreeSet<String> =
            (0..6).map(|nth| format!("h{nth}")).filter(|it| !hosts.contains(it)).collect();
        let marks = seen(&data, &others);
        for (name, relation) in case.columns.keys().filter_map(|it| Some((it, case.program.relation(it)?))) {
            if !exact.contains(&relation) {
                continue;
            }
            let tell = |what: &str| {
                format!("seed {seed}: {name} of {what} {hosts:?}\n{}\n{data:#?}\n{after:#?}", case.text)
            };
            let [whole, mine] =
                [&all_after, &some].map(|it| about(&case, name, it.rows(relation), &hosts, &[&part]));
            assert_eq!(whole, mine, "{}", tell("the hosts"));
            if case.columns[name].iter().all(|ty| world::lies(ty) != dsrules::datalog::locality::Lies::Placed)
            {
                continue;
            }
            let [was, is] =
                [&all, &all_after].map(|it| about(&case, name, it.rows(relation), &others, &[&marks]));
            assert_eq!(was, is, "{}", tell("all but"));
        }
    }
    println!("{went} of {tried} changes are felt by nothing else");
    assert!(went as u64 > CASES * times() / 10);
}

#[test]
fn a_question_is_answered_by_the_part_that_it_names() {
    let (mut asked, mut answered) = (0, 0);
    for seed in 0..CASES * times() {
        let mut dice = Dice::new(seed + 2_000_000_000);
        let Some(case) = Case::random(&mut dice) else { continue };
        let data = facts(&mut dice);
        let Some(all) = Derived::of(&case, &data) else { continue };
        for _ in 0..3 {
            let text = question(&mut dice, &case);
            let Ok(query) = Query::compile(&case.program, &text) else { continue };
            let locality = locality(&case, &query.relations(), &BTreeSet::new());
            if locality.gathering().next().is_some() {
                continue;
            }
            let Some(named) = locality.named(&case.program, &query) else { continue };
            let hosts: BTreeSet<String> = named.iter().map(|(_, value)| host_of(value, &data)).collect();
            let some = Derived::of(&case, &seen(&data, &hosts)).unwrap();
            let answers = |derived: &Derived| {
                let found = query.run(&derived.evaluation, &derived.symbols).unwrap();
                let text = |sym| format!("{:?}", derived.symbols.value(sym));
                found.rows().map(|row| row.map(text).collect::<Vec<_>>()).collect::<BTreeSet<_>>()
            };
            let (whole, mine) = (answers(&all), answers(&some));
            assert_eq!(whole, mine, "seed {seed}: {text} of {hosts:?}\n{}\n{data:#?}", case.text);
            asked += 1;
            answered += usize::from(!mine.is_empty());
        }
    }
    println!("{asked} questions, {answered} with answers");
    assert!(answered as u64 > CASES * times() / 20);
}

/// One to three atoms, with names in them.
fn question(dice: &mut Dice, case: &Case) -> String {
    let relations: Vec<&String> = case.columns.keys().collect();
    let mut atoms = Vec::new();
    for nth in 0..1 + dice.below(3) {
        let name = *dice.pick(&relations);
        let terms: Vec<String> = case.columns[name]
            .iter()
            .map(|ty| {
                let named = dice.chance(40);
                match ty.as_str() {
                    "Host" if named => format!("\"h{}\"", dice.below(6)),
                    "Unit" if named => format!("\"u{}\"", dice.below(8)),
                    ty if dice.chance(80) => format!("{ty}{}", dice.below(2)).replace("number", "Number"),
                    _ => "_".to_owned(),
                }
            })
            .collect();
        let not = if nth > 0 && dice.chance(30) { "!" } else { "" };
        atoms.push(format!("{not}{name}({})", terms.join(", ")));
    }
    atoms.join(", ")
}
