//! A prefix of an etcd, as one replica knows it.

use std::sync::Arc;

use super::claim::claim;
use super::link::{Link, broken};
use super::{pause, wire};
use crate::diagnostic::Diagnostic;
use crate::etcd::{Access, Range};

/// A prefix of an etcd.
#[derive(Debug)]
pub struct Shared {
    pub(super) link: Link,
    /// The cluster's number.
    pub(super) cluster: u64,
    /// The revision at which `meta` was written.
    pub(super) meta: i64,
    /// Who writes, as the keys say it that say who.
    pub(super) holder: String,
    /// The lease for which controllers wait, and what keeps it.
    pause: Option<(i64, Arc<()>)>,
}

impl Shared {
    /// Connects, and looks whether the prefix is ours; one that has nothing becomes ours when
    /// `make` says so.
    ///
    /// # Errors
    /// When etcd cannot be asked, or the prefix is another program's or of another dsrules.
    pub fn connect(access: &Access, holder: &str, make: bool) -> Result<Shared, Diagnostic> {
        let link = Link::new(access)?;
        let (etcd, prefix) = (link.etcd.clone(), access.prefix.clone());
        let asked = link.thread.wait(async move {
            let cluster = etcd.about().await?.cluster;
            let meta = claim(&etcd, &prefix, make).await?;
            Ok::<_, Diagnostic>((cluster, meta))
        });
        let (cluster, meta) = asked.ok_or_else(broken)??;
        Ok(Shared { link, cluster, meta, holder: holder.to_owned(), pause: None })
    }

    /// Has controllers wait, if there are any, and others who write beside them.
    pub(super) fn pause(&mut self) -> Result<(), Diagnostic> {
        let (etcd, members) = (self.link.etcd.clone(), Range::prefix(self.link.key(wire::MEMBERS)));
        if self.pause.is_some() || self.link.wait(async move { etcd.count(&members).await })? == 0 {
            return Ok(());
        }
        let (etcd, base, holder) = (self.link.etcd.clone(), self.link.base.clone(), self.holder.clone());
        let lease = self.link.wait(async move { pause::pause(&etcd, &base, &holder).await })?;
        let held = Arc::new(());
        self.link.thread.spawn(pause::keep(self.link.etcd.clone(), lease, Arc::downgrade(&held)));
        self.pause = Some((lease.id, held));
        Ok(())
    }

    /// Lets controllers go on.
    pub(super) fn go_on(&mut self) {
        if let Some((lease, _)) = self.pause.take() {
            self.link.thread.wait(pause::end(self.link.etcd.clone(), lease));
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.go_on();
    }
}
