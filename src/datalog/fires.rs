//! Whether rules fire: are there values that make the body of one true?

use super::evaluation::Evaluation;
use super::program::{Program, Rule};
use super::symbols::Symbols;

/// A rule as it was written: the ways in which it may hold, several where it has a `;`.
pub struct Written<'a> {
    /// Its ways, at least one.
    pub ways: &'a [Rule],
}

impl Program {
    /// The rules as they were written, in their order, without what stands behind aggregates.
    pub fn written(&self) -> impl Iterator<Item = Written<'_>> {
        let ways = self.body.rules.chunk_by(|one, other| one.span == other.span);
        let is_own = |ways: &&[Rule]| self.declaration(ways[0].head.relation).within.is_none();
        ways.filter(is_own).map(|ways| Written { ways })
    }
}

impl Evaluation {
    /// Whether a rule derives something from the rows that are here, of relations that were
    /// evaluated.
    #[must_use]
    pub fn fires(&self, rule: &Rule, symbols: &Symbols) -> bool {
        let mut found = false;
        let stopped = self.solve(&rule.body, rule.variables.len(), symbols, &mut |_| {
            found = true;
            false
        });
        // What was stopped before it found something is not known not to fire.
        found || stopped.is_some()
    }
}
