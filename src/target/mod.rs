//! What is written to, behind one trait: objects by key, each with a version.
//!
//! ```text
//!  list -> (object, version)…, cursor      changes(cursor) -> what differs since, or: list again
//!  write [ create if absent | replace if version | delete if version ]…   -> done, or a conflict
//! ```
//! A target decides nothing. It takes a write only where what is there is what the writer
//! thinks is there, so two writers never undo each other's work unseen: one of them gets a
//! [`Conflict`], looks again and decides again. [`Promises`] say what a batch that fails
//! leaves behind, and how large one may be.
//!
//! The trait is synchronous. The engine is: it computes for the whole time between a read
//! and a write, on all cores, and holds no connection meanwhile. SQLite and files block by
//! nature. A client that is asynchronous (`etcd-client`, `kube`) keeps its runtime to itself
//! and waits in `write`, once a batch and not once an object; in return the trait is
//! object-safe without a boxed future a call, and no runtime is asked of who has no network.
//!
//! Not here: what a store keeps beside objects (inputs, placement, events), which is no
//! other target's business.

pub mod aside;
mod contract;
mod dirty;
pub mod etcd;
mod memory;
mod object;
pub mod podman;
pub mod reports;
pub mod runtime;
pub mod simulated;
pub mod slots;
pub mod sqlite;
pub mod standalone;
pub mod tree;
mod write;

pub use aside::Aside;
pub use contract::{Batch, Changed, Cursor, Found, Promises, Target, Visit};
pub use dirty::batches;
pub use memory::{Memory, ReadPod, Selected, VisitObject, Wanted};
pub use object::Item;
pub use write::{Conflict, Refused, Version, Write};
