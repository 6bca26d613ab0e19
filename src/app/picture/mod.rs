//! A picture of the fleet: how every daemonset stands on every node, now and after a plan.
//!
//! The words are those of `rules/picture.dl`, read off a world ([`cells`]); nodes that no rule
//! tells apart stand together ([`groups`]); each case that there is among them is explained once
//! ([`whys`]); what a plan does is told by its reasons ([`run`]).

mod cells;
mod groups;
mod run;
mod whys;

pub use cells::Cells;
pub use groups::Group;
pub use run::{Asked, Change, Picture, Seat, picture};
pub use whys::Case;
