//! Agent: one node kept at what the rules say, by whoever sits on it.
//!
//! ```text
//!  manifests of a fleet ── this node's ──> store ── rules ──> what is to run here ──> tree | runtime
//!  this node, a file or the machine ─────┘   └──────── what is seen of it <───────────────────┘
//!  turns: by time, or by slots in a folder of reports that agents share
//! ```
//! It is the watcher of a folder, for one node: others' Nodes and Pods are never read. What it
//! cannot read stays as it was, so a node goes on with what it last knew.

mod keep;
mod local;
mod needs;
mod neighbours;
mod said;
mod seen;
pub mod stored;
mod turns;
mod works;

pub use keep::{Agent, Request};
pub use turns::Pace;
pub use works::Wake;
