//! What a replica changed, to etcd: batch after batch, each a transaction.

use super::batch::Batch;
use super::shared::Shared;
use super::value::encode;
use crate::diagnostic::{Diagnostic, Place};
use crate::etcd::{Op, Range, Txn, Why};
use crate::target::sqlite::{Store, Upstream};

impl Upstream<Store> for Shared {
    fn catch_up(&mut self, store: &mut Store) -> Result<bool, Diagnostic> {
        self.follow(store)
    }

    fn hand_on(&mut self, store: &mut Store) -> Result<bool, Diagnostic> {
        let held = store.replica()?.map_or(0, |replica| replica.revision);
        let (mut batch, mut last, mut alone) = (Batch::default(), held, true);
        // `meta` and the guards are looked at, and `head` is written, each time.
        let fixed = self.guards.len() + 2;
        for change in store.changes()? {
            let key = self.layout.key(&change.path);
            let (op, value) = if change.put {
                let Some(value) = store.value(&change)? else { continue };
                (Op::put(key.clone(), encode(&value)), Some(value))
            } else {
                (Op::Delete(Range::key(key.clone())), None)
            };
            if !batch.has_room(op.size() + 2 * key.len(), fixed) {
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
        if last > 0 {
            store.come_to(last)?;
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
        let looked = compares.len();
        compares.push(crate::etcd::Compare::unchanged(self.layout.meta(), self.meta));
        compares.extend(self.guards.iter().cloned());
        let mut then = vec![Op::put(self.layout.head(), encode(&serde_json::json!(self.holder).to_string()))];
        then.extend(ops);
        let otherwise = vec![Op::Get(Range::key(self.layout.meta()))];
        let txn = Txn { compares, then, otherwise };
        let etcd = self.etcd.clone();
        let done = self.thread.wait(async move { etcd.txn(&txn).await }).ok_or_else(super::shared::broken)?;
        let done = match done {
            Ok(done) => done,
            // It may have been written: what there is says so.
            Err(trouble) if trouble.why == Why::Unsure => return Err(unsure(trouble.told)),
            Err(trouble) => return Err(trouble.told),
        };
        if !done.succeeded {
            let meta = done.told.first().and_then(|keys| keys.first()).map_or(0, |meta| meta.mod_revision);
            if meta != self.meta {
                return Err(Diagnostic::error(
                    "conflict",
                    format!("`{}` was made anew by somebody", self.etcd.name()),
                )
                .help("run the command again"));
            }
            let told = Diagnostic::error(
                CONFLICT,
                format!("`{}` was changed by somebody else meanwhile", self.etcd.name()),
            )
            .at(Place::file(self.etcd.name()))
            .because(format!("one of {looked} keys is not as it was when this was planned"))
            .help("run the command again: it begins with what is there now");
            return Err(told);
        }
        *alone &= done.revision == *last + 1;
        *last = done.revision;
        store.handed_on(&changes, done.revision)
    }
}

/// What is told where somebody else was faster: it is planned again.
pub const CONFLICT: &str = "changed-meanwhile-elsewhere";

/// Nobody knows whether it was written: it is looked at, and planned again.
fn unsure(told: Diagnostic) -> Diagnostic {
    Diagnostic { code: CONFLICT, ..told }
}
