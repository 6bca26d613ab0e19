//! dsrules answers, for Kubernetes-style DaemonSets, which node must run which pod,
//! why, and what has to change.

pub mod datalog;
pub mod diagnostic;
pub mod model;
pub mod plan;
pub mod report;
