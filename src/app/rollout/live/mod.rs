//! A rollout in a live cluster whose own controller leaves the order open.
//!
//! ```text
//!   cluster -> Seen (a World, and which version of each pod it is of) -> rules -> Decision
//!      ^                                                                             |
//!      +---- Ask: evict or delete a pod, of this uid and version <---- Runner <------+
//! ```
//! `Runner` asks nothing and reads no clock: what is heard comes in, what is to be asked goes out.
//! `drive` listens and asks. All that is known is in the cluster, so a rollout goes on wherever it
//! is begun again.

mod clock;
mod decision;
mod drive;
mod events;
mod leading;
mod lease;
mod prepare;
mod requests;
mod runner;
mod seen;
mod watches;

pub use clock::Clock;

pub use decision::{Decider, Decision, Progress, Replace};
pub use drive::{Ended, Request, Told, carry_out};
pub use events::{Said, event};
pub use leading::Leasing;
pub use lease::{Claim, Lease, Standing};
pub use prepare::{Preview, preview, program};
pub use requests::ASKED;
pub use runner::{Answer, Ask, How, Look, Runner, State};
pub use seen::{Drive, Seen};
pub use watches::{FOLLOWED, Scope};
