//! dsrules answers, for Kubernetes-style DaemonSets, which node must run which pod, why,
//! and what has to change; and makes it so.
//!
//! ```text
//!  manifest      model       facts       datalog      plan        store, execute   report
//!  YAML, JSON -> the world -> relations -> strata  -> actions  -> SQLite, tree  -> text, JSON
//! ```
//! One direction: nothing on the left knows what stands to its right. [`pipeline`] joins
//! the stages into what a command does; the policy is in `rules/*.dl` and nowhere else.

pub mod cases;
mod cores;
pub mod datalog;
pub mod diagnostic;
pub mod execute;
pub mod explain;
pub mod facts;
pub mod guard;
mod hash;
pub mod manifest;
pub mod model;
pub mod pipeline;
pub mod plan;
pub mod policy;
pub mod reason;
pub mod report;
pub mod rules;
pub mod store;
pub mod validate;
pub mod watch;
pub mod whatif;
pub mod yaml;
