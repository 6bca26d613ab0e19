//! What others wrote, into a replica.

use std::time::Duration;

use super::shared::{Shared, broken};
use super::value::decode;
use crate::diagnostic::{Diagnostic, Place};
use crate::etcd::{Event, EventType, KeyValue, Range, Trouble, Watch, Why};
use crate::target::sqlite::{Store, Taken, Took};

/// So long what is known to have happened may take to be heard of.
const PATIENCE: Duration = Duration::from_secs(20);
/// So often a watch that breaks off is begun again.
const TRIES: u32 = 5;

impl Shared {
    /// Takes in what happened up to now; says whether that was anything.
    pub(super) fn follow(&mut self, store: &mut Store) -> Result<bool, Diagnostic> {
        let (etcd, key) = (self.etcd.clone(), self.layout.head());
        let (head, now) = self.wait(async move { etcd.get(&key).await })?;
        let replica = store.replica()?;
        let same =
            replica.as_ref().filter(|it| (it.cluster, it.prefix.as_str()) == (self.cluster, &self.prefix));
        let head = head.map_or(0, |head| head.mod_revision);
        let held = match same {
            Some(replica) if replica.revision > 0 && replica.revision <= now => replica.revision,
            _ => return self.rebuild(store).map(|()| true),
        };
        if head <= held {
            return Ok(false);
        }
        match self.catch_up_from(store, held, head) {
            Err(trouble) => match trouble {
                Stop::Trouble(trouble) if trouble.why == Why::Compacted => self.rebuild(store).map(|()| true),
                Stop::Trouble(trouble) => Err(trouble.told),
                Stop::Told(told) => Err(*told),
            },
            Ok(changed) => Ok(changed),
        }
    }

    fn catch_up_from(&mut self, store: &mut Store, held: i64, head: i64) -> Result<bool, Stop> {
        let mut watch = self.etcd.watch(Range::prefix(self.layout.root()), held + 1);
        let (mut come_to, mut tries, mut changed) = (held, 0, false);
        while come_to < head {
            let (back, heard) = self.thread.wait(hear(watch)).ok_or_else(broken)?;
            watch = back;
            let heard = match heard {
                Err(trouble) if trouble.passes() && tries < TRIES => {
                    tries += 1;
                    // Another member is asked, unless none answers.
                    let etcd = self.etcd.clone();
                    self.wait(async move { etcd.about().await })?;
                    continue;
                }
                heard => heard?,
            };
            let events = heard.events.iter().filter_map(|it| self.taken_event(it).transpose());
            let taken: Vec<Taken> = events.collect::<Result<_, _>>()?;
            changed |= self.take(store, &taken)?;
            // What a message without events says is not certain in every etcd.
            if let Some(last) =
                heard.events.iter().filter_map(|it| it.kv.as_ref()).map(|kv| kv.mod_revision).max()
            {
                come_to = last;
            }
        }
        store.come_to(come_to)?;
        Ok(changed)
    }

    /// Makes the replica anew of all there is.
    fn rebuild(&mut self, store: &mut Store) -> Result<(), Diagnostic> {
        store.begin_anew(self.cluster, &self.prefix)?;
        let (mut range, mut revision, mut bases) = (Range::prefix(self.layout.root()), 0, true);
        // What pods have in common comes first.
        let bases_first = Range::prefix(self.layout.key("pod_bases/"));
        let all = std::mem::replace(&mut range, bases_first);
        loop {
            let (etcd, asked, at) = (self.etcd.clone(), range.clone(), revision);
            let page = self.wait(async move { etcd.page(&asked, 1000, at).await })?;
            if revision == 0 {
                revision = page.revision;
            }
            let taken: Vec<Taken> = page
                .keys
                .iter()
                .filter_map(|kv| self.taken(kv, true).transpose())
                .collect::<Result<_, _>>()?;
            self.take(store, &taken)?;
            match page.keys.last().filter(|_| page.more) {
                Some(last) => {
                    range.key.clone_from(&last.key);
                    range.key.push(0);
                }
                None if bases => {
                    bases = false;
                    range.clone_from(&all);
                }
                None => return store.come_to(revision),
            }
        }
    }

    /// Takes in some, with what pods have in common where that is not here. Says whether anything
    /// of it is new.
    fn take(&self, store: &mut Store, taken: &[Taken]) -> Result<bool, Diagnostic> {
        loop {
            let lacks = match store.take_in(taken).map_err(|told| self.told(told))? {
                Took::All(count) => return Ok(count > 0),
                Took::Lacks(fingerprint) => fingerprint,
            };
            let (etcd, key) = (self.etcd.clone(), self.layout.key(&format!("pod_bases/{lacks}")));
            let (found, _) = self.wait(async move { etcd.get(&key).await })?;
            let base = found.map(|kv| self.taken(&kv, true)).transpose()?.flatten();
            let base = base.ok_or_else(|| {
                Diagnostic::error(
                    "damaged-value",
                    format!("`{}` lacks what some pods have in common", self.etcd.name()),
                )
                .because(format!("there is no key `{}`", self.layout.key(&format!("pod_bases/{lacks}"))))
                .help("restore a snapshot, or delete the pods that need it and apply the manifests again")
            })?;
            store.take_in(&[base])?;
        }
    }

    fn taken_event(&self, event: &Event) -> Result<Option<Taken>, Diagnostic> {
        let Some(kv) = &event.kv else { return Ok(None) };
        self.taken(kv, event.r#type() == EventType::Put)
    }

    /// A key as the replica takes it; nothing for one that is no row.
    fn taken(&self, kv: &KeyValue, put: bool) -> Result<Option<Taken>, Diagnostic> {
        let key = String::from_utf8_lossy(&kv.key);
        let Some(path) = self.layout.path(&key) else { return Ok(None) };
        let value = put.then(|| decode(&key, &kv.value).map(ToOwned::to_owned)).transpose();
        let value = value.map_err(|told| told.at(Place::file(self.etcd.name())))?;
        Ok(Some(Taken { path: path.to_owned(), value, revision: kv.mod_revision }))
    }

    /// What is wrong with what was taken is wrong with what is there.
    fn told(&self, told: Diagnostic) -> Diagnostic {
        told.because(format!("it was read from `{}`", self.etcd.name()))
    }
}

/// Why catching up ends.
enum Stop {
    Trouble(Trouble),
    Told(Box<Diagnostic>),
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        Stop::Trouble(trouble)
    }
}

impl From<Diagnostic> for Stop {
    fn from(told: Diagnostic) -> Self {
        Stop::Told(Box::new(told))
    }
}

/// Hears once, and gives the watch back.
async fn hear(mut watch: Watch) -> (Watch, Result<crate::etcd::Heard, Trouble>) {
    let heard = match tokio::time::timeout(PATIENCE, watch.next()).await {
        Ok(heard) => heard,
        Err(_) => Err(Trouble::silence()),
    };
    (watch, heard)
}
