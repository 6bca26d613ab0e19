//! What a store shares with others: objects and rows, as keys and values that mean the same
//! everywhere ([`wire`](crate::target::etcd::wire)).
//!
//! What is one machine's own stays out of it: numbers of dictionary rows, counts, what was derived
//! and what is known of files. So a store that was made of keys and values alone answers as the
//! one that they came from.
//!
//! ```text
//!  row -> path -> key `pods/NODE/NAMESPACE/NAME`, value `{"v":1,…}` -> row, with the version of its key
//! ```

mod joined;
mod key;
mod objects;
mod path;
mod put;
mod recorded;
mod replica;
mod tables;
mod taken;
mod upstream;
mod value;

pub use recorded::Change;
pub use replica::Replica;
pub use taken::Taken;
pub use upstream::Upstream;

pub(super) use path::register;
