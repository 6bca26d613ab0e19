//! `describe`: one object as a page of text, in kubectl's layout.
//!
//! The pages show what placement and rollouts turn on; what only a kubelet knows
//! (container states of pods nobody runs) is left out rather than shown empty.

mod allocated;
mod daemonset;
mod node;
mod page;
mod pod;
mod service;
mod template;

pub use daemonset::describe_daemonset;
pub use node::describe_node;
pub use pod::describe_pod;
pub use service::describe_service;
pub use template::describe_template;
