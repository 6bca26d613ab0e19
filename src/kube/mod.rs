//! Kubernetes' objects as dsrules holds them in memory: names, kinds, typed views.
//!
//! A view keeps what facts, statuses and tables need of an object and nothing else;
//! the object itself, every field of it, is kept as the JSON text it came as. Nothing
//! here decides anything: no policy, no SQL, no files, no clock.

mod defaults;
mod details;
mod image;
mod kept;
mod labels;
mod names;
mod namespace;
mod node;
mod pod;
mod quantity;
mod resource;
mod revision;
mod scheduling;
pub(crate) mod shape;
mod time;
mod views;
mod workload;

pub use defaults::defaults;
pub use details::{Condition, Details};
pub use kept::{kept, kept_template};
pub use labels::{is_label_key, is_label_value};
pub use names::{Kind, Meta, Name, Object, ObjectKey, Origin, Owner, Written};
pub use namespace::Namespace;
pub use node::Node;
pub use pod::{Base, Body, Pod, has_ended, pin};
pub use quantity::{amount, image_parts, version};
pub(crate) use resource::Quantity;
pub use revision::{GENERATION_LABEL, HASH_LABEL, Revision};
pub use scheduling::{Requirement, Selector, Taint, Term, Toleration};
pub use time::{calendar, time, timestamp};
pub use views::{labels_of, seconds};
#[cfg(test)]
pub(crate) use workload::GENERATION;
pub use workload::{Amount, DaemonSet, Status, Strategy, Template};

use std::collections::BTreeMap;
use std::sync::Arc;

/// Labels or annotations, shared between the objects that have the same ones.
pub type Labels = Arc<BTreeMap<Name, Name>>;
