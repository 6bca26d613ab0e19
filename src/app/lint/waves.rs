//! Nodes that are in two waves of one daemonset: a rollout takes the first, and one of the
//! rules is of no use there.

use std::collections::BTreeMap;

use crate::app::derived::State;
use crate::datalog::explain::said;
use crate::datalog::{Program, Row, Rule};
use crate::diagnostic::{Diagnostic, counted};
use crate::policy::relations;

/// So many nodes are asked for their rules.
const ASKED: usize = 200;

/// A warning for each two rules that do so.
pub(super) fn twice(program: &Program, state: &State) -> Vec<Diagnostic> {
    let wave = program.id(relations::wave);
    let mut rows: Vec<Row> = state.evaluation.rows(wave).collect();
    rows.sort_by_key(|row| (row[0], row[1]));
    let rule_of = |row: &Row| -> Option<&Rule> {
        let (_, rule) = said(program, &state.symbols, &state.evaluation, wave, row)?;
        program.rules_for(wave).find(|it| *it.file == *rule.file && it.line == rule.line)
    };
    let place = |rule: &Rule| (rule.file.clone(), rule.line);
    // By the two rules: the first pair of rows, and how many there are.
    let mut found: BTreeMap<_, (&Rule, &Rule, [Row; 2], usize)> = BTreeMap::new();
    let same = |one: &Row, other: &Row| (one[0], one[1]) == (other[0], other[1]);
    let pairs = rows.chunk_by(same).filter_map(|chunk| Some([*chunk.first()?, *chunk.get(1)?]));
    for pair in pairs.take(ASKED) {
        let (Some(one), Some(other)) = (rule_of(&pair[0]), rule_of(&pair[1])) else { continue };
        let (one, other) = if place(one) <= place(other) { (one, other) } else { (other, one) };
        found.entry((place(one), place(other))).or_insert((one, other, pair, 0)).3 += 1;
    }
    let tell = |(one, other, pair, count): (&Rule, &Rule, [Row; 2], usize)| {
        let value = |row: usize, column: usize| state.symbols.value(pair[row][column]).to_string();
        let mut waves = [value(0, 2), value(1, 2)];
        waves.sort();
        let message =
            format!("`{}` is in the waves {} of `{}`", value(0, 1), waves.join(" and "), value(0, 0));
        let warning = Diagnostic::warning("two-waves", message).at(program.place_of_head(other));
        let warning = if place(one) == place(other) {
            warning
        } else {
            warning.related(program.place_of_head(one), "the other wave is from here")
        };
        let all = format!("it is so {} in all", counted(count, "time"));
        let warning = if count > 1 { warning.because(all) } else { warning };
        warning.help("let one of the rules leave out what the other one names: `!other(Node)`")
    };
    found.into_values().map(tell).collect()
}
