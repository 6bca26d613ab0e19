//! Rows, parts of rules and sentences as text, and explanations as indented trees.

use std::fmt;

use super::super::check::is_variable;
use super::super::expression;
use super::super::program::{Atom, Comparison, RelationId, Rule, Term};
use super::super::symbols::Value;
use super::{Attempt, Derivation, Explainer, Failure, Pattern, Subgoal, WhyNot};

impl Explainer<'_> {
    /// A row as one would write it, with `_` for what is not known.
    pub(super) fn fact(&self, relation: RelationId, row: &Pattern) -> String {
        let values = row.iter().map(|sym| match sym {
            Some(sym) => quoted(self.symbols.value(*sym)),
            None => "_".to_owned(),
        });
        let values: Vec<String> = values.collect();
        format!("{}({})", self.program.declaration(relation).name, values.join(", "))
    }

    /// An atom with the values that are known; constants are shown also if no row has them.
    pub(super) fn atom(&self, atom: &Atom, way: &Pattern) -> String {
        let terms: Vec<String> = atom.terms.iter().map(|term| self.term(term, way)).collect();
        format!("{}({})", self.program.declaration(atom.relation).name, terms.join(", "))
    }

    pub(super) fn comparison(&self, comparison: &Comparison, way: &Pattern) -> String {
        comparison.shown(&|term| self.term(term, way))
    }

    fn term(&self, term: &Term, way: &Pattern) -> String {
        match self.filled_term(term, way) {
            Term::Text(text) => quoted(Value::Text(&text)),
            Term::Number(number) => number.to_string(),
            Term::Variable(_) | Term::Any => "_".to_owned(),
        }
    }

    /// The sentence over a rule with the values of its variables; what is not known
    /// keeps its name.
    pub(super) fn sentence(&self, rule: &Rule, way: &Pattern) -> Option<String> {
        if rule.sentence.is_empty() {
            return None;
        }
        let mut text = String::new();
        let mut rest = &*rule.sentence;
        while let Some((before, behind)) = rest.split_once('{') {
            text.push_str(before);
            let Some((name, after)) = behind.split_once('}').filter(|(name, _)| is_variable(name)) else {
                text.push('{');
                rest = behind;
                continue;
            };
            let at = rule.variables.iter().position(|variable| **variable == *name);
            match at.and_then(|at| way.get(at).copied().flatten()) {
                Some(sym) => text.push_str(&self.symbols.value(sym).to_string()),
                None => text.push_str(name),
            }
            rest = after;
        }
        text.push_str(rest);
        Some(text)
    }
}

/// A value as it is written in a rule.
fn quoted(value: Value<'_>) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::Text(text) => expression::quoted(text),
    }
}

fn indent(f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
    (0..depth).try_for_each(|_| f.write_str("  "))
}

impl Derivation {
    fn tree(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        f.write_str(&self.fact)?;
        if let Some(sentence) = &self.sentence {
            write!(f, ": {sentence}")?;
        }
        if let Some(rule) = &self.rule {
            write!(f, " [{}:{}]", rule.file, rule.line)?;
        }
        if let Some(note) = &self.note {
            write!(f, " ({note})")?;
        }
        f.write_str("\n")?;
        self.because.iter().try_for_each(|subgoal| subgoal.tree(f, depth + 1))
    }
}

impl Subgoal {
    fn tree(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        indent(f, depth)?;
        match self {
            Subgoal::Row(derivation) => derivation.tree(f, depth),
            Subgoal::Absent(fact) => writeln!(f, "not {fact}"),
            Subgoal::Comparison(text) => writeln!(f, "{text}"),
        }
    }
}

impl WhyNot {
    fn tree(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        write!(f, "no {}", self.fact)?;
        if let Some(note) = &self.note {
            write!(f, " ({note})")?;
        }
        f.write_str("\n")?;
        self.attempts.iter().try_for_each(|attempt| attempt.tree(f, depth + 1))
    }
}

impl Attempt {
    fn tree(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        indent(f, depth)?;
        write!(f, "not by [{}:{}]", self.rule.file, self.rule.line)?;
        if let Some(sentence) = &self.sentence {
            write!(f, ": {sentence}")?;
        }
        f.write_str("\n")?;
        for subgoal in &self.holds {
            indent(f, depth + 1)?;
            f.write_str("holds: ")?;
            subgoal.tree(f, 0)?;
        }
        indent(f, depth + 1)?;
        match &self.fails {
            Failure::Missing(why_not) => {
                f.write_str("fails: ")?;
                why_not.tree(f, depth + 1)
            }
            Failure::Blocked(derivation) => {
                f.write_str("fails, as there is: ")?;
                derivation.tree(f, depth + 1)
            }
            Failure::Comparison(text) => writeln!(f, "fails: {text}"),
        }
    }
}

impl fmt::Display for Derivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tree(f, 0)
    }
}

impl fmt::Display for WhyNot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tree(f, 0)
    }
}
