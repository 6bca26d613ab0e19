//! Controller: one of any number that keep the daemonsets of one store at what the rules say.
//!
//! ```text
//!   the store, heard ──> known ──> world ── rules, for its own share ──> writes, guarded ──> the store
//! ```
//! What is here asks nothing and waits for nothing: it hears what was written, and says what is
//! to be written. Who carries that out is `drive`.

mod decide;
mod drive;
mod known;
mod manifests;
mod members;
mod op;
mod share;
mod writes;

pub use crate::app::shared::{Entry, Stop};
pub use crate::target::etcd::wire::{Key, decode, encode};
pub use decide::{Controller, Decided, Transaction};
pub use drive::{Drive, Request, Round, Told};
pub use known::Known;
pub use manifests::Manifests;
pub use members::{Guard, Members};
pub use op::{Before, Op};
pub use share::owner;
