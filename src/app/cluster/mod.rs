//! A live cluster in place of a store: it is read, and never written.
//!
//! ```text
//!  fetch (pages, on a thread) -> objects (the reader of manifests) -> observe (a store) | snapshot (a file)
//!                                              manifests beside it -> merged (as `kubectl apply` would)
//! ```

mod fetch;
mod kinds;
pub mod live;
pub(super) mod merged;
mod objects;
mod observe;
mod reading;
mod slim;
mod snapshot;

pub use kinds::{READ, Read};
pub use observe::{Detail, Observed, folder, observe};
pub use snapshot::{Snapshot, snapshot};
