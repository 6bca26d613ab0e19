//! etcd as the shared store: what keys and values mean, what a replica hands on, and what it takes
//! in.
//!
//! Reads and rules never come here: they ask the replica, a SQLite file. A change is handed on
//! before it is committed there, as transactions that name the revision of each key that they
//! write. Where a change is too large for one, it is a sequence in which each part from the start
//! is a state to go on from; a replica that ends in between reads that back the next time.
//!
//! [`snapshot`] writes a prefix down, to the byte, and [`restore`] fills an empty one.
//!
//! Controllers and agents have no replica. They hear keys and values as [`wire`] has them, and write
//! the same.

mod backup;
mod batch;
mod claim;
mod follow;
mod hand_on;
mod link;
mod pause;
mod shared;
pub mod wire;

pub use backup::{restore, snapshot};
pub use claim::claim;
pub use hand_on::CONFLICT;
pub use shared::Shared;
