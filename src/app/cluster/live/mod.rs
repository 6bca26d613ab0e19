//! A live cluster as it goes: what the rules want of it that is not so, each time something
//! changes. It is read, and never written.
//!
//! ```text
//!  watches (all kinds that are read) -> view (world, rules: what is wanted now) -> follow (when to look)
//! ```
//! What is wanted is one pass of the rules over the cluster as it stands: whatever else follows is
//! wanted when that is done, by whoever does it.

mod follow;
mod view;
mod watches;

pub use follow::{Following, Ready, Tell, Told};
pub use view::{Look, News};
