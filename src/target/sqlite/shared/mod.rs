//! Rows that a store shares with others: each as a key and a value that mean the same everywhere.
//!
//! What is one machine's own stays out of it: numbers of dictionary rows, counts, what was derived
//! and what is known of files. So a store that was made of keys and values alone answers as the
//! one that they came from.
//!
//! ```text
//!  row -> path `pods/NODE/NAMESPACE/NAME`, value `{"uid":…}` -> row, with the version of its key
//! ```

mod joined;
mod path;
mod put;
mod recorded;
mod replica;
mod tables;
mod upstream;
mod value;

pub use put::{Taken, Took};
pub use recorded::Change;
pub use replica::Replica;
pub use upstream::Upstream;

pub(super) use path::register;
