//! A rollout in a live cluster whose own controller leaves the order open.
//!
//! ```text
//!   cluster -> Seen (a World, and which version of each pod it is of) -> rules -> Decision
//!      ^                                                                             |
//!      +---- Ask: evict or delete a pod, of this uid and version <---- Runner <------+
//! ```
//! Nothing is asked of a cluster here, and no clock is read: what is heard comes in, what is to be
//! asked goes out. All that is known is in the cluster, so a rollout goes on wherever it is begun
//! again.

mod decision;
mod events;
mod lease;
mod runner;
mod seen;

pub use decision::{Decider, Decision, Progress, Replace};
pub use events::{Said, event};
pub use lease::{Claim, Lease, Standing};
pub use runner::{Answer, Ask, How, Look, Runner, State};
pub use seen::{Drive, Seen};
