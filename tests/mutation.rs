//! Does a test notice when a rule is wrong?
//!
//! Every rule of the built-in texts is changed in every small way (`mutants.rs`): a part
//! of its body left out, a part turned into its opposite, the rule itself left out. Each
//! mutant is run over worlds whose right answers the corpora and the naive controller
//! confirm (`suite.rs`), and over the cases of `mutation/cases/`, which bring rules of
//! their own. A mutant that gives every right answer survives; `mutation/survivors.txt`
//! says of each why it must, and any other survivor fails the test. `DSRULES_MUTANTS`
//! asks for those alone whose name contains it, as `rollout.dl retire`.
#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "naive/generate.rs"]
mod generate;
#[path = "mutation/mutants.rs"]
mod mutants;
#[path = "mutation/suite.rs"]
mod suite;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use mutants::Mutant;
use suite::Suite;

#[test]
fn every_changed_rule_is_noticed() {
    let program = dsrules::policy::builtin::load(&[]).program.unwrap();
    let suite = Suite::new(&program);
    let asked = std::env::var("DSRULES_MUTANTS").unwrap_or_default();
    let mut mutants = mutants::all(&program);
    mutants.retain(|mutant| mutant.name.contains(&asked));
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, Verdict)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut order = suite.order();
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(mutant) = mutants.get(at) else { break };
                    let verdict = judge(&suite, mutant, &mut order);
                    results.lock().unwrap().push((at, verdict));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap();
    results.sort();
    let mut explained = survivors();
    explained.retain(|name, _| name.contains(&asked));
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (at, verdict) in results {
        let mutant = &mutants[at];
        counts.entry(&mutant.file).or_default()[verdict as usize] += 1;
        match (verdict, explained.get(&mutant.name)) {
            (Verdict::Survived, None) => wrong.push(format!("nothing notices   {}", mutant.name)),
            (Verdict::Killed, Some(_)) => wrong.push(format!("is noticed after all   {}", mutant.name)),
            _ => {}
        }
    }
    let names: Vec<&String> = mutants.iter().map(|mutant| &mutant.name).collect();
    wrong
        .extend(explained.keys().filter(|it| !names.contains(it)).map(|it| format!("no such mutant   {it}")));
    println!("{:<24} {:>8} {:>8} {:>8}", "file", "killed", "survived", "refused");
    let mut all = [0; 3];
    for (file, count) in &counts {
        println!("{file:<24} {:>8} {:>8} {:>8}", count[0], count[1], count[2]);
        (0..3).for_each(|at| all[at] += count[at]);
    }
    println!("{:<24} {:>8} {:>8} {:>8}", "all", all[0], all[1], all[2]);
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), mutants.len(), wrong.join("\n"));
}

/// What became of a mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    /// Some case has another answer.
    Killed,
    /// No case has.
    Survived,
    /// The rules are refused: a variable is bound by nothing, or they are not stratified.
    Refused,
}

/// Runs the cases, those first that noticed something last, until one disagrees.
fn judge(suite: &Suite, mutant: &Mutant, order: &mut Vec<usize>) -> Verdict {
    let Some(mutated) = suite.mutate(mutant) else { return Verdict::Refused };
    let killer = order.iter().position(|case| !mutated.agrees(*case));
    match killer {
        Some(at) => {
            let case = order.remove(at);
            order.insert(0, case);
            Verdict::Killed
        }
        None => Verdict::Survived,
    }
}

/// The mutants that nothing can notice, each with why: `name`, then lines that begin
/// with two blanks.
fn survivors() -> BTreeMap<String, String> {
    let text = include_str!("mutation/survivors.txt");
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut waiting: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        match line.strip_prefix("  ") {
            Some(why) => waiting.iter().for_each(|name| found.entry(name.clone()).or_default().push_str(why)),
            None => {
                // Several names in a row share the explanation after them.
                if waiting.last().is_some_and(|last| !found[last].is_empty()) {
                    waiting.clear();
                }
                found.insert(line.to_owned(), String::new());
                waiting.push(line.to_owned());
            }
        }
    }
    let silent: Vec<&String> = found.iter().filter(|(_, why)| why.is_empty()).map(|(name, _)| name).collect();
    assert!(silent.is_empty(), "survivors without an explanation: {silent:#?}");
    found
}
