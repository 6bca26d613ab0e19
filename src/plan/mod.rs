//! The plan: what has to change so that the world is what the rules derive.
//!
//! A plan is data: ordered actions, each with the sentence of the rule that asks for
//! it, in waves (one wave is one pass of the controller that changed something), and
//! the status of each daemonset when all is done. It is printed by `report/` and
//! carried out on the world it was made from; it writes nothing itself.

mod action;
mod burst;
mod simulation;
mod circles;
pub mod constraint;
mod context;
mod eviction;
mod finding;
mod pass;
mod reasons;
mod refusal;
mod rest;
mod rollout;
mod scheduler;
mod share;
mod reconcile;
mod tally;
pub mod template;
mod unmanaged;
mod waiting;

pub use action::{Action, Because, Verb};
pub use burst::{BURST, Burst, bursts};
pub use eviction::{Eviction, evictions};
pub use finding::{About, FINDINGS_TOLD, Finding, Judged};
pub use pass::{Pass, pass, pass_over};
pub use reconcile::{BEYOND, Placed, Reconciled, Reconciler, Settings, reconcile};
pub use refusal::Known;
pub use rest::Rest;
pub use scheduler::{Scheduled, schedule};
pub use share::Share;
pub use simulation::{Readiness, Simulation};
pub use tally::{Tally, Touched};
pub use unmanaged::left_alone;
pub use waiting::{Awaited, KeptOff, Limit, Waiting, alike, kept_off, waiting};

use std::collections::BTreeMap;

use serde::Serialize;

use crate::kube::{Kind, Name, ObjectKey, Status};
pub use crate::state::Change;

/// What changes, and how things stand afterwards.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// What became of each object of the input, in the order they are applied.
    pub objects: Vec<Applied>,
    /// How many more objects of each kind are unchanged, and are not among `objects`; of such
    /// a kind the first are.
    pub unlisted: BTreeMap<Kind, usize>,
    /// The passes that change something, in time order.
    pub waves: Vec<Wave>,
    /// Each daemonset's status when the plan is done, in key order.
    pub statuses: Vec<(ObjectKey, Status)>,
    /// Daemonsets that are not done yet because something outside has to happen first,
    /// each with what for (a pod that is not ready, a back-off).
    pub waiting: Vec<Waiting>,
    /// Pods that are evicted later, by time.
    pub evictions: Vec<Eviction>,
    /// Nodes that daemonsets fit and that rules of the user's keep them off.
    pub kept_off: Vec<KeptOff>,
    /// Daemonsets for which the controller does nothing at all, each with why (it is being
    /// deleted).
    pub left_alone: Vec<(ObjectKey, String)>,
    /// Why a daemonset's pod may not be on a node that it is deleted from: the sentence of
    /// the rule that keeps it off. Of very many different ones, the first.
    pub causes: BTreeMap<(ObjectKey, Name), String>,
    /// The zones of the nodes where something is done, of those that say one.
    pub zones: BTreeMap<Name, Name>,
    /// How many deletes are without their cause because there are too many different ones.
    pub causes_omitted: usize,
}

/// What became of one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// Its kind.
    pub kind: Kind,
    /// Its key.
    pub key: ObjectKey,
    /// What happened.
    pub change: Change,
}

/// One pass of the controller that changed something.
#[derive(Debug, Clone, Default)]
pub struct Wave {
    /// The time of the pass, in seconds of Unix time.
    pub time: i64,
    /// By daemonset, then verb, then node, then pod.
    pub actions: Vec<Action>,
}
