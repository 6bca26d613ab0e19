//! What happened: put on record by each run, and asked for later.

mod differs;
mod log;
pub(super) mod record;

pub use crate::state::Led;
pub use log::{Logged, Lookback, Moved, RunLog, Subject, log};
