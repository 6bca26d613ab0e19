//! Watch: a folder is the desired state; one step after the other, at the cost of what
//! changed.

mod keeper;
mod rules;

pub use keeper::{Keeper, REGULARLY, SOON, Step, Watch};
