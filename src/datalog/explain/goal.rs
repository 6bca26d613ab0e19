//! What an explanation is made of: rows, there or not, the ways through rules, and their parts.

use std::sync::Arc;

use serde::Serialize;

use super::super::aggregate::Aggregate;
use super::super::types::Type;
use super::compared::Compared;
use super::explainer::RuleRef;

/// A row, there or not, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Goal {
    /// Whether there is such a row.
    pub holds: bool,
    /// The relation.
    pub relation: String,
    /// The values of the row; none where any value would do.
    pub values: Vec<Option<String>>,
    /// The row as one would write it, with `_` for any value.
    pub fact: String,
    /// Whether it is a row of an input.
    pub input: bool,
    /// Whether the relation is a part of the tool.
    pub builtin: bool,
    /// The types of its columns.
    #[serde(skip)]
    pub types: Vec<Type>,
    /// Where it was stated, if it came with the program: `facts/rack.csv:3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stated: Option<String>,
    /// If it holds, the ways in which it was derived; else the ways in which it was not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Tried>,
    /// Further rows that fit and must not be there either: the first of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<String>,
    /// How many of them are not among the first.
    #[serde(skip)]
    pub more: usize,
    /// Whether a rule may hold in more ways than are told.
    #[serde(skip)]
    pub cut: bool,
    /// What there is to say beside the rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One way through one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// The sentence over the rule, filled in as far as values are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sentence: Option<String>,
    /// The sentence as it was written, with `{Variable}` where a value stands.
    #[serde(skip)]
    pub template: Arc<str>,
    /// The values of the rule's variables that are known.
    #[serde(skip)]
    pub bound: Vec<(Arc<str>, String)>,
    /// The rule.
    pub rule: RuleRef,
    /// Whether the rule is a part of the tool.
    pub builtin: bool,
    /// Whether the rule is a fact: it has no body.
    #[serde(skip)]
    pub is_fact: bool,
    /// The parts of its body, in order, as far as something is known of them.
    pub parts: Vec<Part>,
}

/// A part of a rule's body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// There must be such a row.
    Row(Goal),
    /// There must be no such row.
    Not(Goal),
    /// A comparison with its values.
    Comparison(Compared),
    /// An aggregate with its value, which may not be the one that is needed.
    Aggregate(Total),
}

impl Part {
    /// Whether the part holds, so that the rule may.
    #[must_use]
    pub fn holds(&self) -> bool {
        match self {
            Part::Row(goal) => goal.holds,
            Part::Not(goal) => !goal.holds,
            Part::Comparison(compared) => compared.holds,
            Part::Aggregate(total) => total.holds,
        }
    }
}

/// An aggregate with its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Total {
    /// What it comes to: `2 = count : { on(Pod, Node) } for Node = "n1"`.
    pub text: String,
    /// What it does with the ways.
    #[serde(skip)]
    pub aggregate: Option<Aggregate>,
    /// What it comes to; none of nothing.
    #[serde(skip)]
    pub value: Option<String>,
    /// What it would have to come to.
    #[serde(skip)]
    pub wanted: Option<String>,
    /// The types of what tells one way from another.
    #[serde(skip)]
    pub of: Vec<Type>,
    /// In how many ways its body holds.
    pub ways: usize,
    /// The first of them; of a sum or a maximum the largest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub first: Vec<Counted>,
    /// Whether it has the value that the rule needs.
    pub holds: bool,
}

/// One of the ways that make the value of an aggregate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// What holds: `on("p1", "n1")`.
    pub text: String,
    /// The value that is added up or compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The rows, with their reasons.
    #[serde(skip)]
    pub parts: Vec<Part>,
}

impl std::fmt::Display for Total {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rows = if self.ways == 1 { "1 row".to_owned() } else { format!("{} rows", self.ways) };
        write!(f, "{} ({rows})", self.text)
    }
}
