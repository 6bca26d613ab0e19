//! Who has what is written before it lasts here.

use std::fmt::Debug;

use crate::diagnostic::Diagnostic;

/// Where rows are shared; `S` is the store that is a replica of it.
pub trait Upstream<S>: Debug {
    /// Somebody is about to write: what others write of their own accord waits.
    ///
    /// # Errors
    /// When it cannot be asked.
    fn begin(&mut self) -> Result<(), Diagnostic>;

    /// That is over.
    fn end(&mut self);

    /// Takes in what others wrote, up to now; says whether that was anything.
    ///
    /// # Errors
    /// When it cannot be asked, or has what is not ours.
    fn catch_up(&mut self, store: &mut S) -> Result<bool, Diagnostic>;

    /// Hands on what the store's transaction has changed, before that is committed. Says whether
    /// others wrote meanwhile, which is in the transaction then.
    ///
    /// # Errors
    /// When somebody else changed the same, or it cannot be asked: the transaction is to be rolled
    /// back then. What was handed on by then comes back with the next
    /// [`catch_up`](Upstream::catch_up).
    fn hand_on(&mut self, store: &mut S) -> Result<bool, Diagnostic>;
}
