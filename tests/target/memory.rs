//! A target in memory, which fails on command: a write of a certain object, a conflict
//! that nobody meant, a watch that is cut, a history that is forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use dsrules::diagnostic::Diagnostic;
use dsrules::kube::{Kind, ObjectKey};
use dsrules::target::{Batch, Changed, Cursor, Found, Promises, Refused, Target, Version, Visit, Write};
use serde_json::Value;

type Identity = (Kind, ObjectKey);

#[derive(Default)]
struct State {
    objects: BTreeMap<Identity, (Value, u64)>,
    /// What was written at each revision, the first of which is 1.
    log: Vec<Identity>,
    /// Revisions up to this one are forgotten.
    compacted: usize,
    hindered: BTreeSet<ObjectKey>,
    /// The next write finds that somebody was faster.
    overtaken: bool,
    /// A watch is cut after so many changes.
    cut: Option<usize>,
}

/// A handle; its clones lead to the same objects.
#[derive(Clone)]
pub struct Memory {
    state: Arc<Mutex<State>>,
    batch: Batch,
}

impl Memory {
    pub fn new(batch: Batch) -> Self {
        Memory { state: Arc::default(), batch }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Lets every write of this object fail, or no longer.
    pub fn hinder(&self, key: &ObjectKey, is_hindered: bool) {
        if is_hindered {
            self.state().hindered.insert(key.clone());
        } else {
            self.state().hindered.remove(key);
        }
    }

    /// Lets the next write find that somebody was faster.
    pub fn overtake(&self) {
        self.state().overtaken = true;
    }

    /// Cuts the next watch after so many changes.
    pub fn cut(&self, after: usize) {
        self.state().cut = Some(after);
    }

    /// Forgets what was, but not what is.
    pub fn compact(&self) {
        let mut state = self.state();
        state.compacted = state.log.len();
    }
}

impl State {
    fn found(&self, identity: &Identity) -> Option<Found> {
        let (value, version) = self.objects.get(identity)?;
        Some(Found { value: value.clone(), version: Version::number(*version) })
    }

    fn write(&mut self, write: &Write<'_>) -> Result<(), Refused> {
        let (kind, key) = write.object();
        let identity = (kind, key.clone());
        if self.hindered.contains(key) {
            return Err(Diagnostic::error("hindered", format!("`{key}` cannot be written")).into());
        }
        if std::mem::take(&mut self.overtaken)
            && let Some((_, version)) = self.objects.get_mut(&identity)
        {
            self.log.push(identity.clone());
            *version = self.log.len() as u64;
        }
        let there = self.found(&identity).map(|found| found.version);
        if there.as_ref() != write.expected() {
            return Err(write.conflict("memory", there).into());
        }
        self.log.push(identity.clone());
        match write {
            Write::Create(item) | Write::Replace(item, _) => {
                let value = item.value().expect("a whole object");
                self.objects.insert(identity, (value, self.log.len() as u64));
            }
            Write::Delete(..) => drop(self.objects.remove(&identity)),
        }
        Ok(())
    }
}

impl Target for Memory {
    fn promises(&self) -> Promises {
        Promises { kinds: &Kind::ALL, batch: self.batch, most: 8, watches: true }
    }

    fn get(&self, kind: Kind, key: &ObjectKey) -> Result<Option<Found>, Diagnostic> {
        Ok(self.state().found(&(kind, key.clone())))
    }

    fn list(&self, kind: Kind, visit: Visit<'_>) -> Result<Cursor, Diagnostic> {
        let state = self.state();
        for identity in state.objects.keys().filter(|identity| identity.0 == kind) {
            visit(identity.1.clone(), state.found(identity).unwrap())?;
        }
        Ok(Cursor(state.log.len().to_string()))
    }

    fn changes(&self, kind: Kind, since: &Cursor, visit: Changed<'_>) -> Result<Option<Cursor>, Diagnostic> {
        let mut state = self.state();
        let since: usize = since.0.parse().unwrap();
        if since < state.compacted {
            return Ok(None);
        }
        let cut = state.cut.take();
        let mut last: BTreeMap<&Identity, usize> = BTreeMap::new();
        for (at, identity) in state.log.iter().enumerate().skip(since) {
            last.insert(identity, at);
        }
        let mut last: Vec<_> = last.into_iter().filter(|(identity, _)| identity.0 == kind).collect();
        last.sort_by_key(|(_, at)| *at);
        for (seen, (identity, _)) in last.into_iter().enumerate() {
            if cut == Some(seen) {
                return Err(Diagnostic::error("cut", "the watch was cut"));
            }
            visit(identity.1.clone(), state.found(identity))?;
        }
        Ok(Some(Cursor(state.log.len().to_string())))
    }

    fn write(&mut self, batch: &[Write<'_>]) -> Result<(), Refused> {
        let mut state = self.state();
        let (objects, log) = (state.objects.clone(), state.log.len());
        for write in batch {
            if let Err(refused) = state.write(write) {
                if self.batch == Batch::Whole {
                    state.objects = objects;
                    state.log.truncate(log);
                }
                return Err(refused);
            }
        }
        Ok(())
    }
}
