//! A Datalog engine: rule texts, checked; evaluated on datafrog; explained.
//!
//! ```text
//!  text -> lexer -> parser -> resolve, lift -> check -> strata  = Program
//!  Program + Facts -> planner -> run (datafrog's leapjoin), fixpoint (its iteration)
//!                                                               = Evaluation
//!  Evaluation + changed facts -> update                         = Changes
//!  Evaluation + a row -> explain                                = why, why not
//! ```
//!
//! The language is what Soufflé's users know: declarations with typed columns, rules with
//! negation (stratified), constants and comparisons; see `docs/rules.md`. It knows
//! nothing of Kubernetes, reads no files and prints nothing.

mod aggregate;
mod answers;
mod apart;
mod asked;
mod body;
mod braces;
mod budget;
mod called;
mod check;
mod compare;
mod declare;
mod define;
mod derive;
mod evaluate;
mod evaluation;
pub mod explain;
mod expression;
mod facts;
mod functions;
mod filters;
mod fires;
mod fixpoint;
mod fold;
mod format;
mod handle;
mod headless;
mod inner;
mod include;
mod late;
mod lift;
mod lexer;
mod load;
pub mod locality;
mod modules;
mod naming;
mod odd;
mod mixed;
mod moments;
mod open_body;
mod order;
mod overload;
mod parameter;
mod outline;
mod parser;
mod plan;
mod planner;
mod profile;
mod program;
mod query;
mod recorder;
mod resolve;
mod rows;
mod run;
mod settle;
mod source;
mod strata;
mod symbols;
mod syntax;
mod table;
mod times;
mod typed;
mod types;
mod update;
mod unique;
mod units;
mod unused;
mod versions;
mod view;
mod ways;
mod words;
mod zones;

pub use aggregate::Aggregate;
pub use answers::Answers;
pub use budget::{Deadline, Limits};
pub use evaluation::Evaluation;
pub use expression::quoted;
pub use facts::Facts;
pub use fires::Written;
pub use format::format;
pub use functions::{Function, Pattern, TextTest};
pub use handle::{Handle, Signature};
pub use include::includes;
pub use load::Loaded;
pub use modules::{OWN_MODULE, QUERY};
pub use moments::{Moment, next_moment};
pub use outline::{Item, ItemKind, Mention, Named, Outline};
pub use profile::{RuleCost, StepCost, thousands};
pub use program::{
    Arithmetic, Atom, Column, Comparison, Constraint, Declaration, Expression, Given, Kind, Literal,
    MAX_VARIABLES, NUMBER, Operator, Parameter, Program, RelationId, Rule, Setting, Term, Type, Variable,
};
pub use query::Query;
pub use rows::{MAX_COLUMNS, Row};
pub use source::{MAX_SOURCE, Source, Span};
pub use symbols::{Sym, Symbols, Value};
pub use typed::Typed;
pub use update::Changes;
pub use words::{Sort, words};
