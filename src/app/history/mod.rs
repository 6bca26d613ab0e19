//! What happened: put on record by each run, and asked for later.

mod blame;
mod differs;
mod log;
pub(super) mod record;

pub use crate::state::Led;
pub use blame::{Blame, Blamed, Since, blame};
pub use log::{Logged, Lookback, Moved, RunLog, Subject, log};
