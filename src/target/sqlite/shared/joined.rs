//! A store with where its rows are shared.

use super::upstream::Upstream;
use crate::diagnostic::Diagnostic;
use crate::target::sqlite::store::Store;

impl Store {
    /// Makes it a replica of what `upstream` has, and catches up with it.
    ///
    /// # Errors
    /// When it is a store of its own, or the other cannot be asked.
    pub fn join(&mut self, upstream: Box<dyn Upstream<Store>>) -> Result<(), Diagnostic> {
        self.record()?;
        self.upstream = Some(upstream);
        self.follow().map(drop)
    }

    /// Takes in what others wrote; says whether that was anything.
    ///
    /// # Errors
    /// When they cannot be asked.
    pub fn follow(&mut self) -> Result<bool, Diagnostic> {
        let Some(mut upstream) = self.upstream.take() else { return Ok(false) };
        let caught_up = self.whole(|store| {
            let changed = upstream.catch_up(store)?;
            store.forget_changes()?;
            Ok(changed)
        });
        self.upstream = Some(upstream);
        caught_up
    }

    /// Takes in what others wrote, and has them wait, before this one writes.
    pub(in crate::target::sqlite) fn follow_to_write(&mut self) -> Result<(), Diagnostic> {
        let Some(upstream) = &mut self.upstream else { return Ok(()) };
        upstream.begin()?;
        self.follow().map(drop)
    }

    /// Hands on what the open transaction has changed, where rows are shared.
    pub(in crate::target::sqlite) fn hand_on(&mut self) -> Result<(), Diagnostic> {
        let Some(mut upstream) = self.upstream.take() else { return Ok(()) };
        let mixed = upstream.hand_on(self);
        self.upstream = Some(upstream);
        self.mixed = mixed?;
        Ok(())
    }
}
