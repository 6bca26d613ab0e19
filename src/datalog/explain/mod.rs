//! Why a row is there, and why one is not.
//!
//! Nothing is recorded while rules are evaluated: an explanation asks them again, for the
//! one row in question. [`why`] is one derivation, down to input rows. [`tree()`] is for rows
//! that are there and rows that are not: it shows each rule that could have derived the
//! row, what holds of it and what does not.

mod explainer;
mod place;
mod text;
mod total;
mod tree;
mod why;

pub use explainer::RuleRef;
pub use total::Total;
pub use tree::{Goal, Part, Tried, tree};
pub use why::{Derivation, Subgoal, said, why};
