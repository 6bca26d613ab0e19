//! What others wrote, into a replica: by etcd's own revisions.
//!
//! A watch from the revision that is held tells all that changed since, deletions too. It is over
//! once a revision was heard of that is not before the one of now: each revision that etcd gives
//! wrote a key, mostly one of ours. Where others' keys are in the same etcd, nothing may come of the
//! last ones; then all is listed.

use std::time::Duration;

use super::link::broken;
use super::shared::Shared;
use super::wire::{self, Key};
use crate::diagnostic::{Diagnostic, Place};
use crate::etcd::{Event, EventType, Heard, KeyValue, Range, Trouble, Watch, Why};
use crate::target::sqlite::{Store, Taken};

/// So long a watch may say nothing before all is listed.
const QUIET: Duration = Duration::from_millis(600);
/// So often a watch that breaks off is begun again.
const TRIES: u32 = 5;

impl Shared {
    /// Takes in what happened up to now; says whether that was anything.
    pub(super) fn follow(&mut self, store: &mut Store) -> Result<bool, Diagnostic> {
        let (etcd, key) = (self.link.etcd.clone(), self.link.key(wire::META));
        let (meta, now) = self.link.wait(async move { etcd.get(&key).await })?;
        if meta.map_or(0, |meta| meta.mod_revision) != self.meta {
            return Err(self.link.made_anew());
        }
        let replica = store.replica()?;
        let same = replica
            .as_ref()
            .filter(|it| (it.cluster, it.prefix.as_str()) == (self.cluster, &self.link.prefix));
        let held = match same {
            Some(replica) if replica.revision > 0 && replica.revision <= now => replica.revision,
            _ => return self.rebuild(store).map(|()| true),
        };
        if now == held {
            return Ok(false);
        }
        match self.catch_up_from(store, held, now)? {
            Some(changed) => Ok(changed),
            None => self.rebuild(store).map(|()| true),
        }
    }

    /// Takes in what was changed since a revision, up to another one; nothing where all is to be
    /// listed.
    fn catch_up_from(&self, store: &mut Store, held: i64, now: i64) -> Result<Option<bool>, Diagnostic> {
        let mut watch = self.link.etcd.watch(Range::prefix(self.link.base.clone()), held + 1);
        let (mut come_to, mut tries, mut changed) = (held, 0, false);
        while come_to < now {
            let (back, heard) = self.link.thread.wait(hear(watch)).ok_or_else(broken)?;
            watch = back;
            let heard = match heard {
                None => return Ok(None),
                Some(Err(trouble)) if matches!(trouble.why, Why::Compacted | Why::Ahead) => return Ok(None),
                Some(Err(trouble)) if trouble.passes() && tries < TRIES => {
                    tries += 1;
                    // Another member is asked, unless none answers.
                    let etcd = self.link.etcd.clone();
                    self.link.wait(async move { etcd.about().await })?;
                    continue;
                }
                Some(heard) => heard?,
            };
            let taken: Vec<Taken> = heard.events.iter().filter_map(|it| self.taken_event(it)).collect();
            changed |= self.take(store, &taken)?;
            // What a message without events says is not certain in every etcd.
            let last = heard.events.iter().filter_map(|it| it.kv.as_ref()).map(|kv| kv.mod_revision).max();
            come_to = last.unwrap_or(come_to);
        }
        store.come_to(come_to, changed)?;
        Ok(Some(changed))
    }

    /// Makes the replica anew of all there is.
    fn rebuild(&self, store: &mut Store) -> Result<(), Diagnostic> {
        store.begin_anew(self.cluster, &self.link.prefix)?;
        let revision = self.link.each_page(|keys| {
            let taken: Vec<Taken> = keys.iter().filter_map(|kv| self.taken(kv, true)).collect();
            self.take(store, &taken).map(drop)
        })?;
        store.come_to(revision, true)
    }

    /// Takes in some; says whether anything of it is new.
    fn take(&self, store: &mut Store, taken: &[Taken]) -> Result<bool, Diagnostic> {
        let took = store.take_in(taken).map_err(|told| {
            if told.code == "damaged-value" { told.at(Place::file(self.link.etcd.name())) } else { told }
        });
        Ok(took? > 0)
    }

    fn taken_event(&self, event: &Event) -> Option<Taken> {
        self.taken(event.kv.as_ref()?, event.r#type() == EventType::Put)
    }

    /// A key as the replica takes it; nothing for one that it does not keep.
    fn taken(&self, kv: &KeyValue, put: bool) -> Option<Taken> {
        let key = std::str::from_utf8(&kv.key).ok()?.strip_prefix(&self.link.base)?;
        let is_kept = matches!(Key::parse(key), Key::Object(..) | Key::Attempts(..) | Key::Row(_));
        let value = put.then(|| kv.value.clone());
        is_kept.then(|| Taken { key: key.to_owned(), value, revision: kv.mod_revision })
    }
}

/// Hears once, unless there is nothing to be heard, and gives the watch back.
async fn hear(mut watch: Watch) -> (Watch, Option<Result<Heard, Trouble>>) {
    let heard = tokio::time::timeout(QUIET, watch.next()).await.ok();
    (watch, heard)
}
