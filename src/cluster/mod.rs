//! A live cluster, as a client sees it: who is asked, lists in pages, and what goes wrong in a
//! person's words.
//!
//! ```text
//!  kubeconfig, or a service account -> Cluster -> list(kind) -> pages of JSON, all as of one version
//! ```
//! Nothing here changes a cluster, and nothing here knows what its objects mean: a page goes on
//! as the text that came. What may not be read is an error with the kind's name, never an empty
//! list.

mod access;
mod ask;
mod connect;
mod list;
mod trouble;

pub use access::{Access, Whence};
pub use connect::{Cluster, connect};
pub use kube;
pub use list::{Gone, List, Page, list};
pub use trouble::{Trouble, told};
