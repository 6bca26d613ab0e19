//! What answers: the way to the store, and how much it takes.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::drawing::Drawing;
use super::links::Link;

/// What answers.
#[derive(Clone)]
pub struct Server {
    /// The store.
    pub link: Link,
    /// Whether anything may be written.
    pub write: bool,
    /// Whether only who has a token is answered.
    pub guarded: bool,
    /// Where it listens.
    pub address: String,
    /// The picture that browsers get.
    pub drawing: Drawing,
    /// So many more may watch.
    pub watches: Arc<Semaphore>,
}
