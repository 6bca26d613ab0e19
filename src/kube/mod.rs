//! Kubernetes' objects as dsrules holds them in memory: names, kinds, typed views.
//!
//! A view keeps what facts, statuses and tables need of an object and nothing else;
//! the object itself, every field of it, is kept as the JSON text it came as. Nothing
//! here decides anything: no policy, no SQL, no files, no clock.

mod age;
mod base64;
pub mod columns;
mod compact;
mod defaults;
mod details;
mod image;
mod kept;
mod kinds;
mod labels;
pub mod merge;
mod meta;
mod names;
mod object;
pub mod path;
mod plain;
mod quantity;
pub mod requests;
mod scheduling;
pub(crate) mod shape;
mod short;
mod time;
mod uid;
mod version;
mod views;
pub mod whole;

pub use age::{age, human};
pub use base64::decode_base64;
pub use compact::Compact;
pub use details::{Condition, Details};
pub use image::image_parts;
pub use kept::kept_template;
pub use kinds::controllerrevision::{GENERATION_LABEL, HASH_LABEL, Revision};
#[cfg(test)]
pub(crate) use kinds::daemonset::GENERATION;
pub use kinds::daemonset::{Amount, DaemonSet, Status, Strategy, Template};
pub use kinds::node::{Node, node_roles, node_status};
pub use kinds::pod::{
    Base, Body, Pod, Stand, has_ended, host_port, node_of, pin, pod_status, ready_containers, waits_for,
};
pub use kinds::{ENDPOINT_SLICE, Fact, Kind, KindInfo, NameForm, Rows};
pub use labels::{is_label_key, is_label_value};
pub use meta::{Common, Meta, Owner, Written, controlling};
pub use names::{Labels, Name, ObjectKey, Origin};
pub use object::{Object, defaults, kept};
pub use plain::Plain;
pub(crate) use quantity::Quantity;
pub use quantity::{Round, amount, amount_text, bytes_text};
pub use scheduling::{Requirement, Selector, Taint, Term, Toleration};
pub use short::{is_in_bytes, short_amount};
pub use time::{calendar, micros, time, timestamp};
pub use uid::{Uid, UidText};
pub use version::version;
pub use views::{labels_of, list, seconds};
