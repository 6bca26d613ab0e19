//! A folder of manifests as the desired state: what changed in it becomes a change of
//! the store, over and over.
//!
//! ```text
//!  events ── hints ──> scan ── changed files ──> claims ── objects come and gone ──> session
//! ```
//! Events only say where to look; what is there decides. So it does not matter how an
//! editor saves, how often a file was written meanwhile, or whether an event was lost:
//! each scan compares the folder with what is known of it. It prints nothing, reads no
//! clock and waits for nothing: the loop is the command line's.

mod checkout;
mod elsewhere;
mod events;
mod folder;
mod hint;
mod machine;
mod mark;
mod node;
mod path;
mod revision;

pub use checkout::being_checked_out;
pub use events::Events;
pub use folder::{Folder, Scan};
pub use hint::Hint;
pub use machine::Machine;
pub use node::OwnNode;
pub use path::absolute;
pub use revision::{Revision, check_out};
