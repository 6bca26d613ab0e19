//! What a watcher has warned of: each row of a constraint is told once, and once more when
//! it is over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::datalog::{Declaration, Row, Symbols};
use crate::plan::{FINDINGS_TOLD, Judged, constraint};

/// Rows that were told of, by relation and as one would write them, each with its sentence;
/// of very many only the first had one.
#[derive(Debug, Default)]
pub(super) struct Warned {
    known: BTreeMap<Arc<str>, BTreeMap<String, Option<String>>>,
}

/// What is there now, beside what was told.
#[derive(Debug)]
pub(super) struct News<'w> {
    told: &'w Warned,
    /// All rows there are, of each relation.
    there: BTreeMap<Arc<str>, BTreeSet<String>>,
}

/// What a look has to say of warnings.
#[derive(Debug, Default)]
pub struct Warnings {
    /// Those that are new.
    pub came: Vec<Judged>,
    /// The sentences of those that are over.
    pub over: Vec<String>,
    /// How many more are over.
    pub more_over: usize,
    /// What is there from now on.
    there: BTreeMap<Arc<str>, BTreeSet<String>>,
}

impl Warned {
    /// To be compared with what is there now.
    pub(super) fn news(&self) -> News<'_> {
        News { told: self, there: BTreeMap::new() }
    }

    /// Takes what was said as told.
    pub(super) fn tell(&mut self, warnings: &mut Warnings) {
        let there = std::mem::take(&mut warnings.there);
        let mut before = std::mem::take(&mut self.known);
        for (relation, facts) in there {
            let mut had = before.remove(&relation).unwrap_or_default();
            let known = facts.into_iter().map(|fact| (fact.clone(), had.remove(&fact).flatten()));
            self.known.insert(relation, known.collect());
        }
        for judged in &warnings.came {
            let Some(known) = self.known.get_mut(&judged.relation) else { continue };
            for finding in &judged.findings {
                known.insert(finding.fact.clone(), Some(finding.sentence.clone()));
            }
        }
    }
}

impl News<'_> {
    /// Of the rows of a relation those that are to be told: the first of what is new.
    pub(super) fn choose(
        &mut self,
        declaration: &Declaration,
        rows: Vec<Row>,
        symbols: &Symbols,
    ) -> Vec<Row> {
        let known = self.told.known.get(&declaration.name);
        let there = self.there.entry(declaration.name.clone()).or_default();
        let is_new = |row: &Row| {
            let fact = constraint::fact(symbols, declaration, row);
            let is_new = known.is_none_or(|known| !known.contains_key(&fact));
            there.insert(fact);
            is_new
        };
        let new: Vec<Row> = rows.into_iter().filter(is_new).collect();
        constraint::first(new, FINDINGS_TOLD, symbols)
    }

    /// What is to be said of it all.
    pub(super) fn warnings(self, judged: Vec<Judged>) -> Warnings {
        let mut warnings = Warnings::default();
        for mut it in judged {
            let known = self.told.known.get(&it.relation);
            let is_known = |fact: &&String| known.is_some_and(|known| known.contains_key(*fact));
            let there = self.there.get(&it.relation);
            it.count = there.map_or(0, |there| there.iter().filter(|fact| !is_known(fact)).count());
            if it.count > 0 {
                warnings.came.push(it);
            }
        }
        for (relation, known) in &self.told.known {
            let there = self.there.get(relation);
            for (fact, sentence) in known {
                if there.is_some_and(|there| there.contains(fact)) {
                    continue;
                }
                match sentence {
                    Some(sentence) if warnings.over.len() < FINDINGS_TOLD => {
                        warnings.over.push(sentence.clone())
                    }
                    _ => warnings.more_over += 1,
                }
            }
        }
        Warnings { there: self.there, ..warnings }
    }
}
