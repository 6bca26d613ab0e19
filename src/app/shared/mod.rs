//! A store that many share: what its keys mean, what becomes of them, and leases in it.
//!
//! Controllers and agents stand on it. They compute on their own thread; etcd is asked, followed
//! and told that they live on another one ([`Thread`](crate::etcd::Thread)).

mod entry;
mod follow;
mod joined;
mod lease;
pub mod wire;

pub use entry::Entry;
pub use follow::News;
pub use joined::{Input, Joined, Stop, broke};
pub use lease::{Claim, Standing};
