//! Watch: a folder is the desired state; one step after the other, at the cost of what
//! changed.

mod keeper;
mod look;
mod lost;
mod node;
mod rules;
mod step;

pub use keeper::{Keeper, Watch};
pub use look::Look;
pub use step::{REGULARLY, SOON, Step};
