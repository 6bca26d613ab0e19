//! A live cluster, as a client sees it: who is asked, lists in pages, and what goes wrong in a
//! person's words.
//!
//! ```text
//!  kubeconfig, or a service account -> Cluster -> list(kind) -> pages of JSON, all as of one version
//! ```
//! Nothing here knows what a cluster's objects mean: a page goes on as the text that came. What
//! may not be read is an error with the kind's name, never an empty list. Only `act` changes
//! anything.

mod access;
mod act;
mod ask;
mod connect;
mod follow;
mod list;
mod told;
mod trouble;

pub use access::{Access, Whence};
pub use act::{Refusal, create, delete, get, update};
pub use connect::{Cluster, connect};
pub use follow::{Followed, Heard, asked_for, follow, follow_as, pause};
pub use kube;
pub use list::{Gone, List, Page, list};
pub use told::told;
pub use trouble::Trouble;
