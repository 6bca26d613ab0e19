//! Waiting for the next thing to do: events that have come to rest, time, a signal.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use dsrules::app::watch::REGULARLY;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::cli::signals::Signals;

/// Events that never come to rest are looked at after so many times the debounce.
const PATIENCE: u32 = 20;

/// Why waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// A signal asked to end.
    Signal,
    /// Something was heard.
    Events,
    /// It is time to look at everything.
    Everything,
    /// Time has passed.
    Time,
}

/// What is waited for.
pub struct Pause {
    woken: Arc<Notify>,
    signals: Signals,
    /// When everything was last looked at.
    looked: Instant,
}

impl Pause {
    /// Begins to listen for signals.
    pub fn new() -> io::Result<Self> {
        Ok(Pause { woken: Arc::new(Notify::new()), signals: Signals::new()?, looked: Instant::now() })
    }

    /// Ends waiting, from any thread.
    pub fn waker(&self) -> impl Fn() + Send + Sync + 'static {
        let woken = self.woken.clone();
        move || woken.notify_one()
    }

    /// Waits. With `poll` only time counts; no longer than `soon` if something is known to
    /// wait for it, which does not put off when everything is looked at.
    pub async fn next(
        &mut self,
        poll: Option<Duration>,
        debounce: Duration,
        soon: Option<Duration>,
    ) -> Woken {
        let regularly = sleep_until(self.looked + poll.unwrap_or(REGULARLY));
        tokio::select! {
            biased;
            _ = self.signals.next() => return Woken::Signal,
            () = regularly => {
                self.looked = Instant::now();
                return Woken::Everything;
            }
            () = self.woken.notified(), if poll.is_none() => {}
            () = sleep(soon.unwrap_or(REGULARLY)), if soon.is_some() => return Woken::Time,
        }
        let latest = Instant::now() + debounce * PATIENCE;
        loop {
            tokio::select! {
                biased;
                _ = self.signals.next() => return Woken::Signal,
                () = sleep_until(latest) => return Woken::Events,
                more = timeout(debounce, self.woken.notified()) => if more.is_err() {
                    return Woken::Events;
                }
            }
        }
    }
}
