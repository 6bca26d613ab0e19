//! What is served over HTTP: the numbers of a watcher for Prometheus, and its health.
//!
//! It is for the loopback interface or a network one trusts: plain HTTP, read only, few
//! connections at once, none for long, and only under names that were allowed.

mod connections;
mod hosts;
mod listen;
mod metrics;

pub use hosts::{address, open};
pub use listen::serve;
pub use metrics::{Metrics, Numbers};
