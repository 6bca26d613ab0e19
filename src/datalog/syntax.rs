//! Rules as they were written: names are still text, nothing is known to be right.
//!
//! Made by the parser, turned into what it means by `resolve`, and then gone.

use super::aggregate::Aggregate;
use super::expression::{Arithmetic, Operator, Term};
use super::functions::{Function, Pattern};
use super::lexer::Fault;
use super::source::Span;

/// What one text says.
#[derive(Debug, Default)]
pub(super) struct Items {
    pub doc: Vec<String>,
    pub types: Vec<RawType>,
    pub parameters: Vec<RawParameter>,
    pub declarations: Vec<RawDeclaration>,
    pub overloads: Vec<RawOverload>,
    pub rules: Vec<RawRule>,
    pub faults: Vec<Fault>,
    /// Which tokens make each of them: from the first one to before the last.
    pub spans: Vec<(usize, usize)>,
    /// `///` lines that stand over nothing.
    pub stray: Vec<Span>,
    /// Relations and parameters whose declaration has a mistake: what uses them is not
    /// blamed too.
    pub broken: Vec<String>,
}

#[derive(Debug)]
pub(super) struct RawType {
    pub name: String,
    pub exported: bool,
    /// What stands behind `<:`.
    pub base: Option<(String, Span)>,
    pub span: Span,
}

/// `.param quota: number = 2`
#[derive(Debug)]
pub(super) struct RawParameter {
    pub name: String,
    pub name_span: Span,
    pub ty: String,
    pub ty_span: Span,
    pub default: Option<(Term, Span)>,
    pub doc: Vec<String>,
    pub span: Span,
}

#[derive(Debug)]
pub(super) struct RawDeclaration {
    pub name: String,
    pub name_span: Span,
    pub columns: Vec<RawColumn>,
    /// `input`, `output`, `open`, `export`, as written.
    pub qualifiers: Vec<(String, Span)>,
    /// The columns of each `unique(…)`.
    pub unique: Vec<Vec<(String, Span)>>,
    pub doc: Vec<String>,
    pub span: Span,
}

#[derive(Debug)]
pub(super) struct RawColumn {
    pub name: String,
    /// Perhaps with a module in front, as the names of relations in rules.
    pub ty: String,
    pub name_span: Span,
    pub ty_span: Span,
}

/// `.overload field(node_field, pod_field)`
#[derive(Debug)]
pub(super) struct RawOverload {
    pub name: String,
    pub name_span: Span,
    pub members: Vec<(String, Span)>,
    pub doc: Vec<String>,
}

#[derive(Debug)]
pub(super) struct RawRule {
    pub head: RawAtom,
    /// The ways in which it may hold: what stands between `;`, each parts joined with `,`.
    pub ways: Vec<Vec<RawLiteral>>,
    pub sentence: Vec<(String, Span)>,
    /// Whether a name stands in it that may be one of a parameter.
    pub words: bool,
    pub span: Span,
}

#[derive(Debug, Clone)]
pub(super) enum RawLiteral {
    Positive(RawAtom),
    Negative(RawAtom),
    Comparison {
        left: RawExpression,
        operator: Operator,
        right: RawExpression,
        span: Span,
    },
    /// `first 2 Node by Created : { … }`
    First(Box<RawBraces>),
}

#[derive(Debug, Clone)]
pub(super) struct RawAtom {
    pub name: String,
    pub name_span: Span,
    pub terms: Vec<(RawTerm, Span)>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RawTerm {
    Variable(String),
    Any,
    Text(String),
    Number(i64),
    /// A bare name in lower case.
    Parameter(String),
}

#[derive(Debug, Clone)]
pub(super) enum RawExpression {
    Term(RawTerm, Span),
    Negate(Box<RawExpression>),
    Binary(Box<RawExpression>, Arithmetic, Box<RawExpression>),
    /// A number with how it was written.
    Written(i64, String, Span),
    Call(Function, Vec<RawExpression>, Span),
    Pattern(Pattern),
    List(Vec<RawExpression>),
    Aggregate(Box<RawBraces>),
}

/// `sum Amount : { request(Pod, Amount) }`: what is looked at, and what becomes of it.
#[derive(Debug, Clone)]
pub(super) struct RawBraces {
    pub takes: Takes,
    /// The ways in which what stands between `{` and `}` may hold.
    pub ways: Vec<Vec<RawLiteral>>,
    pub text: String,
    pub span: Span,
}

/// What is taken of the ways in which braces hold.
#[derive(Debug, Clone)]
pub(super) enum Takes {
    /// One value; of all but `count` made of this one.
    One(Aggregate, Option<RawExpression>),
    /// So many of these variables' values, the first by these keys, or the last where it says so.
    First { most: RawTerm, values: Vec<(String, Span)>, keys: Vec<(RawExpression, bool)> },
}

impl RawExpression {
    /// The parts that it is made of, without what an aggregate looks at.
    pub fn parts(&self) -> Vec<&RawExpression> {
        match self {
            RawExpression::Term(..)
            | RawExpression::Written(..)
            | RawExpression::Pattern(_)
            | RawExpression::Aggregate(_) => Vec::new(),
            RawExpression::Negate(inner) => vec![inner],
            RawExpression::Binary(left, _, right) => vec![left, right],
            RawExpression::Call(_, items, _) | RawExpression::List(items) => items.iter().collect(),
        }
    }

    /// The first aggregate in it.
    pub fn aggregate(&self) -> Option<&RawBraces> {
        match self {
            RawExpression::Aggregate(aggregate) => Some(aggregate),
            _ => self.parts().into_iter().find_map(RawExpression::aggregate),
        }
    }
}
