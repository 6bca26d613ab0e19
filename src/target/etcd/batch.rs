//! Changes in batches that etcd takes at once.

use crate::etcd::{Compare, Op};
use crate::target::sqlite::Change;

/// etcd's --max-txn-ops.
const MOST: usize = 128;
/// Below etcd's --max-request-bytes, 1.5 MiB, with what a request has besides.
const LARGEST: usize = 1_400_000;

/// Some changes that are written together.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) compares: Vec<Compare>,
    pub(super) ops: Vec<Op>,
    /// Each with its value, where it has one.
    pub(super) changes: Vec<(Change, Option<Vec<u8>>)>,
    size: usize,
}

impl Batch {
    /// Whether another one that takes so much fits in, beside `fixed` others.
    pub(super) fn has_room(&self, size: usize, fixed: usize) -> bool {
        self.ops.is_empty() || self.ops.len() + fixed < MOST && self.size + size < LARGEST
    }

    /// Adds a change.
    pub(super) fn add(&mut self, key: String, op: Op, change: Change, value: Option<Vec<u8>>) {
        self.size += 2 * key.len();
        self.compares.extend(change.expected.map(|revision| Compare::unchanged(key, revision)));
        self.push(op);
        self.changes.push((change, value));
    }

    /// Adds what is written whatever is there.
    pub(super) fn push(&mut self, op: Op) {
        self.size += op.size();
        self.ops.push(op);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }
}
