//! Probes: what a kubelet asks of containers, asked by us, since podman is told nothing of it.
//!
//! ```text
//!  spec -> what is asked, how often        ask -> one answer        streak -> what answers come to
//!  prober -> all of it for each container that runs: startup, then readiness and liveness
//! ```
//! Probes run beside each other and hold up nothing. Who lists the pods reads what they last
//! came to.

mod ask;
mod prober;
mod spec;
mod streak;

pub(super) use prober::{Health, Prober, Watch};
pub(super) use spec::Probe;
