//! How a plan is made: who says what is ready, what may be lost, how much may be derived.

use serde::{Deserialize, Serialize};

use super::expected::Expected;
use crate::datalog::Limits;
use crate::facts::Grouping;
use crate::plan::{FINDINGS_TOLD, Readiness};
use crate::state::{By, Turns};

/// How a plan is made.
#[derive(Debug, Clone)]
pub struct Options {
    /// Who says that created pods are ready.
    pub readiness: Readiness,
    /// Who says whether a pod that is created fits on its node. Where it is not given: the
    /// scheduler, where some node says what it has for pods.
    pub schedule: Option<Schedule>,
    /// The time, in seconds of Unix time.
    pub now: i64,
    /// Whether objects go that earlier applies of the same input brought and that are
    /// no longer in it.
    pub prune: bool,
    /// Whether the input may have lost all its objects.
    pub allow_empty: bool,
    /// How many pods may go for good; half of them where it is not given.
    pub max_delete: Option<MaxDelete>,
    /// What rules may derive.
    pub limits: Limits,
    /// Whether a plan that a user's rules call a violation is made all the same.
    pub ignore_violations: bool,
    /// So many rows of each constraint are told; all are counted.
    pub told: usize,
    /// Whether all of the store is looked at, however little changes: it comes to the same.
    pub whole: bool,
    /// Whether objects that no rule can tell apart are compared once.
    pub grouping: Grouping,
    /// Whether files that did not change since they were applied are read again.
    pub reread: Reread,
    /// Whether all objects of an input are told of that are unchanged; else of each kind the
    /// first, and how many more there are.
    pub lists: bool,
    /// Whose turn it is in rollouts, where one node is kept and no other is seen.
    pub turns: Option<Turns>,
    /// What the plan has to be, where a kept one is carried out.
    pub expected: Option<Expected>,
    /// A hash of what is asked, remembered by an apply that leaves nothing to do.
    pub asked: Option<String>,
    /// Who runs what, for the record.
    pub by: By,
}

impl Options {
    /// The usual ones, at the time `now` (seconds of Unix time).
    #[must_use]
    pub fn at(now: i64) -> Self {
        Options {
            readiness: Readiness::Assume,
            schedule: None,
            now,
            prune: false,
            allow_empty: false,
            max_delete: None,
            limits: Limits::default(),
            ignore_violations: false,
            told: FINDINGS_TOLD,
            whole: false,
            grouping: Grouping::On,
            reread: Reread::Changed,
            lists: true,
            turns: None,
            expected: None,
            asked: None,
            by: By::default(),
        }
    }
}

/// Which files of an input are read that was applied before. What comes of it is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reread {
    /// Those that changed, or of which it is not known that they would say the same.
    Changed,
    /// All of them.
    All,
}

/// Who says whether a pod that is created fits on its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Nobody: it is bound.
    Assume,
    /// The rules of the default scheduler: it is bound, or others go for it, or it stays
    /// pending.
    Simulate,
}

/// How many pods a plan may delete for good, beside those it replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxDelete {
    /// So many pods.
    Pods(usize),
    /// So many percent of the pods there are.
    Percent(usize),
}
