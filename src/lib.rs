//! dsrules answers, for Kubernetes-style DaemonSets, which node must run which pod,
//! why, and what has to change.

pub mod datalog;
pub mod diagnostic;
pub mod facts;
pub mod model;
pub mod plan;
pub mod reason;
pub mod report;
pub mod rules;
pub mod store;
