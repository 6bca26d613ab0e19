//! A Datalog engine: rule texts, checked; evaluated on datafrog; explained.
//!
//! ```text
//!  text -> lexer -> parser -> resolve -> check -> strata        = Program
//!  Program + Facts -> planner -> run (datafrog's leapjoin), fixpoint (its iteration)
//!                                                               = Evaluation
//!  Evaluation + changed facts -> update                         = Changes
//!  Evaluation + a row -> explain                                = why, why not
//! ```
//!
//! The language is what Soufflé's users know: declarations with typed columns, rules with
//! negation (stratified), constants and comparisons; see `docs/rules.md`. It knows
//! nothing of Kubernetes, reads no files and prints nothing.

mod body;
mod budget;
mod check;
mod compare;
mod define;
mod derive;
mod evaluate;
pub mod explain;
mod expression;
mod facts;
mod functions;
mod filters;
mod fixpoint;
mod handle;
mod late;
mod lexer;
mod order;
mod parser;
mod plan;
mod planner;
mod program;
mod query;
mod resolve;
mod rows;
mod run;
mod source;
mod strata;
mod symbols;
mod syntax;
mod table;
mod times;
mod update;
mod units;
mod unused;
mod view;

pub use budget::{Deadline, Limits};
pub use evaluate::Evaluation;
pub use facts::Facts;
pub use functions::{Function, Pattern, TextTest};
pub use handle::{Handle, Signature};
pub use program::{
    Arithmetic, Atom, Column, Comparison, Constraint, Declaration, Expression, Given, Kind, Literal, Loaded,
    NUMBER, Operator, Program, RelationId, Rule, Term, Variable,
};
pub use query::Query;
pub use rows::Row;
pub use source::{Source, Span};
pub use symbols::{Sym, Symbols, Value};
pub use update::Changes;

/// A relation has at most so many columns.
pub const MAX_COLUMNS: usize = 8;
/// A rule has at most so many variables.
pub const MAX_VARIABLES: usize = 32;
/// A rule text is at most so many bytes long.
pub const MAX_SOURCE: usize = 1 << 20;
/// So many problems of one program are told; a text with more has one big problem.
const MAX_DIAGNOSTICS: usize = 100;
