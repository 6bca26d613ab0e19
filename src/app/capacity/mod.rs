//! Capacity: what daemon pods and others take of the nodes, now and after a plan.
//!
//! What counts is decided by `rules/capacity.dl`; here it is read off a world ([`usage`]),
//! put together for nodes that are alike or have a label ([`groups`]), before and after what
//! manifests and changes come to ([`run`]).

mod groups;
mod run;
mod usage;

pub use groups::{By, Group, Largest, Part, Spread, Sums};
pub use run::{Asked, Capacity, Cost, capacity};
pub use usage::{Amounts, Room, Taken, Usage};
