//! One file a command: arguments become a request, the library does it, the outcome is
//! shown.

pub mod agent;
pub mod apply;
pub mod blame;
pub mod capacity;
pub mod completions;
pub mod controller;
pub mod delete;
pub mod describe;
pub mod diff;
pub mod explain;
pub mod fleet;
pub mod get;
pub mod help;
pub mod init;
pub mod log;
pub mod lsp;
pub mod man;
pub mod plan;
pub mod query;
pub mod reach;
pub mod report;
pub mod restore;
pub mod rollout;
pub mod rules;
pub mod serve;
pub mod show;
pub mod snapshot;
pub mod test;
pub mod validate;
pub mod version;
pub mod watch;
