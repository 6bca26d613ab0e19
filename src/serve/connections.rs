//! Which connections are open at once: so many, and a new one is always heard.
//!
//! Each takes a file descriptor, and the manifests need some too. So where there are too many,
//! those go that are not being answered, the older half of them, but not before they had the
//! time to ask: who is quick is answered, however many sit there and say nothing, and however
//! many come at once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::AbortHandle;

/// So long a connection has to say what it wants when there are too many of them.
const TIME_TO_ASK: Duration = Duration::from_millis(5);

/// So many may wait to be accepted; the system drops who comes then, to ask again a second later.
#[cfg(unix)]
const WAITING: i32 = 4096;

/// Lets many wait to be accepted, where they may; a listener's own number does as well.
#[cfg(unix)]
pub fn let_wait(listener: &impl std::os::fd::AsFd) {
    let _ = rustix::net::listen(listener, WAITING);
}

/// Elsewhere it is as the system has it.
#[cfg(not(unix))]
pub fn let_wait<L>(_: &L) {}

/// How many answers of a connection are under way.
#[derive(Debug, Clone, Default)]
pub struct Answering(Arc<AtomicUsize>);

impl Answering {
    /// One more, for as long as what this gives is kept.
    pub fn begin(&self) -> Under {
        self.0.fetch_add(1, Ordering::Relaxed);
        Under(self.0.clone())
    }

    fn is_idle(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

/// An answer that is under way.
#[derive(Debug)]
pub struct Under(Arc<AtomicUsize>);

impl Drop for Under {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The connections that are open, the oldest first.
#[derive(Debug)]
pub struct Connections {
    most: usize,
    open: VecDeque<(AbortHandle, Answering)>,
}

impl Connections {
    /// Of which there are at most so many.
    pub fn new(most: usize) -> Self {
        Connections { most, open: VecDeque::new() }
    }

    /// Waits until there is room for one more.
    pub async fn room(&mut self) {
        while self.is_full() {
            tokio::time::sleep(TIME_TO_ASK).await;
            if self.is_full() {
                self.end_some();
            }
        }
    }

    /// Takes one in.
    pub fn admit(&mut self, connection: AbortHandle, answering: Answering) {
        self.open.push_back((connection, answering));
    }

    fn is_full(&mut self) -> bool {
        self.open.retain(|(connection, _)| !connection.is_finished());
        self.open.len() >= self.most
    }

    fn end_some(&mut self) {
        let mut idle = self.open.iter().filter(|(_, answering)| answering.is_idle()).count().div_ceil(2);
        self.open.retain(|(connection, answering)| {
            let goes = idle > 0 && answering.is_idle();
            if goes {
                connection.abort();
                idle -= 1;
            }
            !goes
        });
    }
}
