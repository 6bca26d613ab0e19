//! The cluster as it stands: the world of all objects, what changed in it, and the
//! user's own files that were read.
//!
//! Nothing here decides anything: no policy, no SQL, no files, no clock.

mod arrivals;
mod cascade;
mod change;
mod delete;
mod event;
mod history;
mod inputs;
mod observe;
mod own;
mod part;
mod pods;
mod put;
mod refusal;
mod turns;
mod world;

pub use arrivals::Arrivals;
pub use cascade::{Cascade, Gone};
pub use change::Change;
pub use event::Event;
pub use history::{Account, By, Done, DoneLines, Group, Led, Moment, Move, Run, filled};
pub use inputs::{Brought, Delta, FilesOf, Input, InputFile, KnownFile};
pub use own::{CONFIG, OwnFile, OwnKind};
pub use part::{Part, SomeNodes, SomePods};
pub use pods::Pods;
pub use refusal::Refusal;
pub use turns::Turns;
pub use world::{Backoff, Changed, Dirty, Whole, World};
