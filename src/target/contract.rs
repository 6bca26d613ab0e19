//! What every target can do, and what it promises.

use serde_json::Value;

use super::write::{Refused, Version, Write};
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, ObjectKey};

/// Something that holds objects and is written to.
pub trait Target {
    /// What it holds and what its writes promise.
    fn promises(&self) -> Promises;

    /// One object, with the version that a write of it has to expect.
    ///
    /// # Errors
    /// When the target is damaged or cannot be read.
    fn get(&self, kind: Kind, key: &ObjectKey) -> Result<Option<Found>, Diagnostic>;

    /// Visits all objects of a kind, in key order, as they are at one moment; a failure of
    /// the visitor ends the visit. The cursor is that moment.
    ///
    /// # Errors
    /// When the target is damaged or cannot be read, and what the visitor fails with.
    fn list(&self, kind: Kind, visit: Visit<'_>) -> Result<Cursor, Diagnostic>;

    /// Visits what is other than it was at the cursor, each object once, in the order of
    /// its last change: as it is now, or `None` where it is gone. Gives the cursor to go on
    /// from; `None` where the target no longer knows, or never does: list again. It does
    /// not wait. After an error the same cursor may be asked again.
    ///
    /// # Errors
    /// As [`list`](Target::list).
    fn changes(&self, kind: Kind, since: &Cursor, visit: Changed<'_>) -> Result<Option<Cursor>, Diagnostic>;

    /// Carries out writes, in their order. One that finds something else than it expects
    /// is a conflict and ends the batch; what stays of the writes before it is promised by
    /// [`Promises::batch`].
    ///
    /// # Errors
    /// On a conflict, and when the target cannot be written.
    fn write(&mut self, batch: &[Write<'_>]) -> Result<(), Refused>;
}

/// Is given each object of a listing.
pub type Visit<'v> = &'v mut dyn FnMut(ObjectKey, Found) -> Result<(), Diagnostic>;

/// Is given each object that is other than it was.
pub type Changed<'v> = &'v mut dyn FnMut(ObjectKey, Option<Found>) -> Result<(), Diagnostic>;

/// What a target holds, and what its writes promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promises {
    /// The kinds that it holds; a write of another one is refused.
    pub kinds: &'static [Kind],
    /// What a batch that fails leaves behind.
    pub batch: Batch,
    /// How many writes a batch may have.
    pub most: usize,
    /// Whether it can tell changes at all; [`Target::changes`] says "list again" else.
    pub watches: bool,
}

/// What a batch that fails leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Batch {
    /// Nothing: all of its writes are done or none, and nobody sees some of them.
    Whole,
    /// The writes before the one that failed. So a batch has to be ordered in such a way
    /// that each part of it from the start is a state to go on from.
    Sequence,
}

/// A moment of a target's history. Only the target that gave it can read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub String);

/// An object as a target has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The whole object, as far as the target keeps it.
    pub value: Value,
    /// Its version.
    pub version: Version,
}
