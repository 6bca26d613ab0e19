//! Which connections are open at once: few, and a new one is always heard.
//!
//! Each takes a file descriptor, and the manifests need some too. So one too many ends
//! the oldest: who is quick is answered at once, however many sit there and say nothing.

use std::collections::VecDeque;

use tokio::task::AbortHandle;

/// So many are open at once: a scrape and a few probes are quick.
const MOST: usize = 16;

/// The connections that are being answered, the oldest first.
#[derive(Debug, Default)]
pub struct Connections(VecDeque<AbortHandle>);

impl Connections {
    /// Takes one in, at the cost of the oldest where there are too many.
    pub fn admit(&mut self, connection: AbortHandle) {
        self.0.retain(|open| !open.is_finished());
        if self.0.len() >= MOST
            && let Some(oldest) = self.0.pop_front()
        {
            oldest.abort();
        }
        self.0.push_back(connection);
    }
}
