//! dsrules answers, for Kubernetes-style DaemonSets, which node must run which pod, why,
//! and what has to change; and makes it so.
//!
//! ```text
//!  manifest      state       facts       datalog      plan        target           report
//!  YAML, JSON -> the world -> relations -> strata  -> actions  -> SQLite, tree  -> text, JSON
//! ```
//! One direction: nothing knows what stands below it in this list. [`app`] joins the
//! stages into what a command does; the policy is in `rules/*.dl` and nowhere else.

pub mod diagnostic;
pub mod yaml;
mod cores;
mod hash;

pub mod kube;
pub mod validate;
pub mod manifest;
pub mod state;
pub mod source;
pub mod datalog;
pub mod policy;
pub mod facts;
pub mod reason;
pub mod plan;
pub mod explain;
pub mod target;
pub mod app;
pub mod report;
pub mod serve;
