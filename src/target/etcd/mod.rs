//! etcd as the shared store: what a replica hands on, and what it takes in.
//!
//! ```text
//!  PREFIX/v1/meta                          whose keys these are, and of which form
//!  PREFIX/v1/head                          written with every change: how far there is to read
//!  PREFIX/v1/live/…                        under leases: who is there; no rows
//!  PREFIX/v1/pods/NODE/NAMESPACE/NAME      a row; see `sqlite/shared` for the others
//! ```
//! Reads and rules never come here: they ask the replica, a SQLite file. A change is handed on
//! before it is committed there, as transactions that name the revision of each key that they
//! write. Where a change is too large for one, it is a sequence in which each part from the start
//! is a state to go on from; a replica that ends in between reads that back the next time.

mod batch;
mod follow;
mod hand_on;
mod layout;
mod shared;
mod value;

pub use hand_on::CONFLICT;
pub use layout::Layout;
pub use shared::Shared;
pub use value::{decode, encode};
