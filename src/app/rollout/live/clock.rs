//! The clocks that a rollout in a cluster goes by; who begins it has them.

use std::time::Duration;

/// Two clocks: one that people read, and one that nobody sets.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// Since the beginning of Unix time.
    pub unix: fn() -> Duration,
    /// Since some moment.
    pub instant: fn() -> Duration,
}

impl Clock {
    /// The time that people read, since the beginning of Unix time.
    #[must_use]
    pub fn unix(self) -> Duration {
        (self.unix)()
    }

    /// The same in whole seconds.
    #[must_use]
    pub fn seconds(self) -> i64 {
        i64::try_from(self.unix().as_secs()).unwrap_or(i64::MAX)
    }

    /// The time that only grows.
    #[must_use]
    pub fn instant(self) -> Duration {
        (self.instant)()
    }
}
