//! What is served over HTTP: the numbers of a watcher for Prometheus, and its health; and the
//! Kubernetes API of a store.
//!
//! It is for the loopback interface or a network one trusts: few connections at once, none that
//! waits for long, and only under names that were allowed.

pub mod api;
mod connections;
mod hosts;
mod listen;
mod metrics;

pub use hosts::{address, open};
pub use listen::serve;
pub use metrics::{Metrics, Numbers};
