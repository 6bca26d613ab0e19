//! A store that many share, as who keeps a part of it hears of it: what becomes of its keys, and
//! leases in it. What they mean is in [`wire`](crate::target::etcd::wire).
//!
//! Controllers and agents stand on it. They compute on their own thread; etcd is asked, followed
//! and told that they live on another one ([`Thread`](crate::etcd::Thread)).

mod entry;
mod follow;
mod joined;
mod lease;

pub use entry::Entry;
pub use follow::News;
pub use joined::{Input, Joined, Stop, broke};
pub use lease::{Claim, Standing};
