//! How a daemonset's pods get from one template to the next.

mod change;
mod daemonsets;
pub mod live;
mod show;
mod template;

pub use change::{Goal, RolledOut, Rollout, roll_out};
pub use daemonsets::{named, unknown};
pub use show::{RolloutStatus, history, sentence, status};
