//! An etcd that is asked and waited for, and where the keys of a prefix are in it.

use std::sync::Arc;

use super::wire;
use crate::diagnostic::Diagnostic;
use crate::etcd::{Access, Etcd, KeyValue, Range, Thread, Trouble};

/// A prefix of an etcd that is asked.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) etcd: Etcd,
    pub(super) thread: Arc<Thread>,
    /// What all keys begin with, and what their versions do.
    pub(super) prefix: String,
    pub(super) base: String,
}

impl Link {
    /// Connects.
    pub(super) fn new(access: &Access) -> Result<Link, Diagnostic> {
        let no_thread = |error: std::io::Error| {
            Diagnostic::error("no-thread", "etcd cannot be asked").because(error.to_string())
        };
        let thread = Arc::new(Thread::start().map_err(no_thread)?);
        let asked = access.clone();
        let etcd = thread.wait(async move { Etcd::connect(&asked).await }).ok_or_else(broken)??;
        Ok(Link { etcd, thread, prefix: access.prefix.clone(), base: wire::base(&access.prefix) })
    }

    /// The whole of a key.
    pub(super) fn key(&self, key: &str) -> String {
        format!("{}{key}", self.base)
    }

    /// Waits for what is asked of etcd.
    pub(super) fn wait<T: Send + 'static>(
        &self,
        asked: impl Future<Output = Result<T, Trouble>> + Send + 'static,
    ) -> Result<T, Diagnostic> {
        Ok(self.thread.wait(asked).ok_or_else(broken)??)
    }

    /// All keys as they are at one revision, page by page; gives that revision.
    pub(super) fn each_page(
        &self,
        mut visit: impl FnMut(Vec<KeyValue>) -> Result<(), Diagnostic>,
    ) -> Result<i64, Diagnostic> {
        let mut pages = self.etcd.walk(Range::prefix(self.base.clone()));
        loop {
            let (back, keys) = self.wait(async move { pages.next().await.map(|keys| (pages, keys)) })?;
            pages = back;
            match keys {
                Some(keys) => visit(keys)?,
                None => return Ok(pages.revision),
            }
        }
    }

    /// That another store is there now.
    pub(super) fn made_anew(&self) -> Diagnostic {
        Diagnostic::error("conflict", format!("`{}` was made anew by somebody", self.etcd.name()))
            .help("run the command again")
    }
}

/// That the thread ended before it had an answer.
pub(super) fn broken() -> Diagnostic {
    Diagnostic::error("bug", "what asks etcd has ended by itself").help("this is a mistake in dsrules")
}
