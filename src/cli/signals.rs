//! The signals that ask to end.

use std::io;

/// What a shell shows of a command that such a signal ended.
const INTERRUPTED: i32 = 128 + 2;
#[cfg(unix)]
const TERMINATED: i32 = 128 + 15;

#[cfg(unix)]
/// The signals that ask to end.
pub struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Begins to listen for them.
    pub fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for one, and gives the code that a shell shows for it.
    pub async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.interrupt.recv() => INTERRUPTED,
            _ = self.terminate.recv() => TERMINATED,
        }
    }
}

#[cfg(not(unix))]
/// The signals that ask to end.
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    // The same as on unix, where it can fail.
    #[allow(clippy::unnecessary_wraps)]
    /// Begins to listen for them.
    pub fn new() -> io::Result<Self> {
        Ok(Signals)
    }

    /// Waits for one, and gives the code that a shell shows for it.
    pub async fn next(&mut self) -> i32 {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        INTERRUPTED
    }
}
