//! etcd as a client sees it: keys in ranges, transactions, watches and leases, and what goes wrong
//! in a person's words.
//!
//! ```text
//!  Access (endpoints, TLS, user) -> Etcd -> pages of keys, Txn, Watch, Lease
//! ```
//! Nothing here knows what keys and values mean. A request goes to one member at a time; where that
//! does not answer it goes to the next, if it may be sent twice. What of a write nobody knows
//! whether it was done is told as [`Why::Unsure`]: who wrote looks again. Agreement, order, leases
//! and watches are etcd's own, and nothing of that is done here once more.

mod about;
mod access;
#[allow(missing_docs, unreachable_pub, dead_code, clippy::all)]
mod api;
mod ask;
mod connect;
mod lease;
mod range;
mod thread;
mod trouble;
mod txn;
mod watch;

pub use about::About;
pub use access::Access;
pub use api::{Event, KeyValue, event::EventType};
pub use connect::Etcd;
pub use lease::Lease;
pub use range::{Page, Pages, Range};
pub use thread::Thread;
pub use trouble::{Trouble, Why};
pub use txn::{Compare, Done, Op, Txn};
pub use watch::{Heard, Watch};
