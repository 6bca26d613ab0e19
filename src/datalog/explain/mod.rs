//! Why a row is there, and why one is not.
//!
//! Nothing is recorded while rules are evaluated: an explanation asks them again, for the
//! one row in question. [`why`] is one derivation, down to input rows. [`tree()`] is for rows
//! that are there and rows that are not: it shows each rule that could have derived the
//! row, what holds of it and what does not. [`proof`] and
//! [`absence`] are that with one way in which each row holds, for a person who asks about
//! any row.

mod compared;
mod explainer;
mod goal;
mod place;
mod text;
mod total;
mod tree;
mod why;

pub use compared::{Compared, Shown};
pub use explainer::RuleRef;
pub use goal::{Counted, Goal, Part, Total, Tried};
pub use tree::{absence, fitting, proof, tree};
pub use why::{Derivation, Subgoal, said, said_of_all, why};
