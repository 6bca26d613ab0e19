//! A prefix of an etcd, as one replica knows it.

use std::sync::Arc;

use super::claim::claim;
use super::{pause, wire};
use crate::diagnostic::Diagnostic;
use crate::etcd::{Access, Etcd, Range, Thread, Trouble};

/// A prefix of an etcd.
#[derive(Debug)]
pub struct Shared {
    pub(super) etcd: Etcd,
    pub(super) thread: Arc<Thread>,
    pub(super) prefix: String,
    /// What all keys begin with.
    pub(super) base: String,
    /// The cluster's number.
    pub(super) cluster: u64,
    /// The revision at which `meta` was written.
    pub(super) meta: i64,
    /// Who writes, as the keys say it that say who.
    pub(super) holder: String,
    /// The lease for which controllers wait.
    pause: Option<i64>,
}

impl Shared {
    /// Connects, and looks whether the prefix is ours; one that has nothing becomes ours when
    /// `make` says so.
    ///
    /// # Errors
    /// When etcd cannot be asked, or the prefix is another program's or of another dsrules.
    pub fn connect(access: &Access, holder: &str, make: bool) -> Result<Shared, Diagnostic> {
        let no_thread = |error: std::io::Error| {
            Diagnostic::error("no-thread", "etcd cannot be asked").because(error.to_string())
        };
        let thread = Arc::new(Thread::start().map_err(no_thread)?);
        let asked = access.clone();
        let connected = thread.wait(async move {
            let etcd = Etcd::connect(&asked).await?;
            let cluster = etcd.about().await?.cluster;
            let meta = claim(&etcd, &asked.prefix, make).await?;
            Ok::<_, Diagnostic>((etcd, cluster, meta))
        });
        let (etcd, cluster, meta) = connected.ok_or_else(broken)??;
        let (prefix, base, holder) = (access.prefix.clone(), wire::base(&access.prefix), holder.to_owned());
        Ok(Shared { etcd, thread, prefix, base, cluster, meta, holder, pause: None })
    }

    /// The whole of a key.
    pub(super) fn key(&self, key: &str) -> String {
        format!("{}{key}", self.base)
    }

    /// Has controllers wait, if there are any.
    pub(super) fn pause(&mut self) -> Result<(), Diagnostic> {
        let (etcd, members) = (self.etcd.clone(), Range::prefix(self.key(wire::MEMBERS)));
        if self.pause.is_some() || self.wait(async move { etcd.count(&members).await })? == 0 {
            return Ok(());
        }
        let (etcd, base, holder) = (self.etcd.clone(), self.base.clone(), self.holder.clone());
        let lease = self.wait(async move { pause::pause(&etcd, &base, &holder).await })?;
        self.thread.spawn(pause::keep(self.etcd.clone(), lease));
        self.pause = Some(lease.id);
        Ok(())
    }

    /// Lets controllers go on.
    pub(super) fn go_on(&mut self) {
        if let Some(lease) = self.pause.take() {
            self.thread.wait(pause::end(self.etcd.clone(), lease));
        }
    }

    /// Waits for what is asked of etcd.
    pub(super) fn wait<T: Send + 'static>(
        &self,
        asked: impl Future<Output = Result<T, Trouble>> + Send + 'static,
    ) -> Result<T, Diagnostic> {
        Ok(self.thread.wait(asked).ok_or_else(broken)??)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.go_on();
    }
}

pub(super) fn broken() -> Diagnostic {
    Diagnostic::error("bug", "what asks etcd has ended by itself").help("this is a mistake in dsrules")
}
