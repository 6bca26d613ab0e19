//! What if: a plan with changes that stand in no manifest, and how it differs.
//!
//! Edits are made on copies of the objects, from the input or from the store; what comes
//! of them is planned like any other input. The difference is told by the pods that are
//! there in the end, each with why.

mod compare;
mod edit;
mod edits;
mod run;

pub use compare::Difference;
pub use edit::{Alteration, Edit};
pub(super) use run::Edited;
pub use run::{Edits, WhatIf, what_if};
