//! What a replica changed, to etcd: batch after batch, each a transaction.
//!
//! Each compares that nobody but agents has written since what it was planned from: controllers
//! write their own keys with all that they write, and others the term, as is done here.

use super::batch::Batch;
use super::link::broken;
use super::shared::Shared;
use super::wire;
use crate::diagnostic::{Diagnostic, Place};
use crate::etcd::{Compare, Done, Op, Range, Txn, Why};
use crate::target::sqlite::{Store, Upstream};

/// What each transaction has beside the changes.
const FIXED: usize = 3;

impl Upstream<Store> for Shared {
    fn begin(&mut self) -> Result<(), Diagnostic> {
        self.pause()
    }

    fn end(&mut self) {
        self.go_on();
    }

    fn catch_up(&mut self, store: &mut Store) -> Result<bool, Diagnostic> {
        self.follow(store)
    }

    fn hand_on(&mut self, store: &mut Store) -> Result<bool, Diagnostic> {
        let held = store.replica()?.map_or(0, |replica| replica.revision);
        let (mut batch, mut last, mut alone) = (Batch::default(), held, true);
        for change in store.changes()? {
            let key = self.link.key(&change.key);
            let (op, value) = if change.put {
                let Some(value) = store.value(&change)? else { continue };
                (Op::put(key.clone(), value.clone()), Some(value))
            } else {
                (Op::Delete(Range::key(key.clone())), None)
            };
            if !batch.has_room(op.size() + 2 * key.len(), FIXED) {
                self.write(store, std::mem::take(&mut batch), &mut last, &mut alone)?;
            }
            batch.add(key, op, change, value);
        }
        if !batch.is_empty() {
            self.write(store, batch, &mut last, &mut alone)?;
        }
        store.forget_changes()?;
        if !alone {
            // Others wrote between our batches: what they wrote is read, and ours with it.
            let mixed = self.follow(store)?;
            store.forget_changes()?;
            return Ok(mixed);
        }
        if last > held {
            store.come_to(last, true)?;
        }
        Ok(false)
    }
}

impl Shared {
    fn write(
        &self,
        store: &mut Store,
        batch: Batch,
        last: &mut i64,
        alone: &mut bool,
    ) -> Result<(), Diagnostic> {
        let Batch { mut compares, ops, changes, .. } = batch;
        let (meta, term) = (self.link.key(wire::META), self.link.key(wire::TERM));
        compares.push(Compare::unchanged(meta.clone(), self.meta));
        compares.push(Compare::not_since(Range::key(term.clone()), *last));
        compares.push(Compare::not_since(Range::prefix(self.link.key(wire::MEMBERS)), *last));
        let mut then = vec![Op::put(term, self.holder.as_bytes().to_vec())];
        then.extend(ops);
        let (etcd, txn) =
            (self.link.etcd.clone(), Txn { compares, then, otherwise: vec![Op::Get(Range::key(meta))] });
        let done = match self.link.thread.wait(async move { etcd.txn(&txn).await }).ok_or_else(broken)? {
            Ok(done) => done,
            // It may have been written: what there is says so, and it is planned again.
            Err(trouble) if trouble.why == Why::Unsure => {
                return Err(Diagnostic { code: CONFLICT, ..trouble.told });
            }
            Err(trouble) => return Err(trouble.told),
        };
        if !done.succeeded {
            return Err(self.conflict(&done));
        }
        *alone &= done.revision == *last + 1;
        *last = done.revision;
        store.handed_on(&changes, done.revision)
    }

    /// Why a transaction was not done.
    fn conflict(&self, done: &Done) -> Diagnostic {
        let meta = done.told.first().and_then(|keys| keys.first()).map_or(0, |meta| meta.mod_revision);
        if meta != self.meta {
            return self.link.made_anew();
        }
        let name = self.link.etcd.name();
        Diagnostic::error(CONFLICT, format!("`{name}` was changed by somebody else meanwhile"))
            .at(Place::file(name))
            .because("what is there is not what this was planned from")
            .help("run the command again: it begins with what is there now")
    }
}

/// What is told where somebody else was faster: it is planned again.
pub const CONFLICT: &str = "changed-meanwhile-elsewhere";
