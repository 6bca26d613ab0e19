//! What dsrules does: a function a use case.
//!
//! A request in, an outcome out, both plain data; what was typed and how the outcome looks
//! is the business of `cli/` and `report/`. Each way from manifests to the tree is put in
//! order here, once: read, open, begin, compare with what is stored, load, plan, judge,
//! save, follow. Everything that a use case changes is one transaction: an error anywhere
//! changes nothing.

pub mod agent;
pub mod api;
mod apply;
mod bound;
pub mod capacity;
pub mod cases;
mod causes;
mod check;
pub mod cluster;
pub mod controller;
mod delete;
mod derived;
mod describe;
pub mod diff;
mod dry;
mod export;
mod fields;
pub mod fleet;
mod follow;
pub mod format;
mod get;
mod gone;
pub mod history;
mod known;
pub mod lint;
pub mod listed;
mod listener;
mod load;
mod manifests;
mod moved;
mod open;
mod options;
mod part;
mod paths;
mod placed;
mod plan;
pub mod planning;
mod prepare;
pub mod profile;
mod put;
mod query;
mod question;
mod reach;
mod read;
mod request;
pub mod resources;
mod restart;
pub mod rollout;
pub mod rules;
mod schedule;
mod seen;
mod selector;
mod session;
mod settled;
pub mod shared;
mod slices;
mod standing;
mod strangers;
mod tick;
pub mod transaction;
mod unknown;
mod unlisted;
mod warned;
pub mod watch;
pub mod whatif;
mod why;
mod would_wait;

pub use crate::datalog::Value;
pub use crate::state::Cascade;
pub use apply::apply;
pub use check::validate;
pub use delete::{Deletion, delete};
pub use describe::{Described, Description, describe};
pub use export::{Export, Exported, export, export_store};
pub use fields::FieldSelector;
pub use follow::Followed;
pub use get::{Group, Lookup, Lookups, Unvisited};
pub use listener::{Listener, Silent};
pub use manifests::{Manifests, note_others};
pub use open::Database;
pub use options::{MaxDelete, Options, Reread, Schedule};
pub use paths::id_of;
pub use plan::plan;
pub use query::{Answered, Questions};
pub use reach::{Reachable, reach};
pub use request::{Outcome, Request};
pub use seen::{Seen, Sight};
pub use selector::LabelSelector;
pub use warned::Warnings;
pub use why::{Because, Looked, Why, explain, explain_rows};
