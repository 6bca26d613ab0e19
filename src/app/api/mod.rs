//! The Kubernetes API over a store, as use cases: what is asked for by resource, name and
//! selector, and what is answered, objects or a refusal in an API server's words.
//!
//! Nothing is known here of HTTP, and nothing of SQL: objects are read into a [`Replica`], which
//! remembers what changed of late, so that lists go on and watches begin where they left off.

mod admit;
mod derived;
mod engine;
mod entry;
mod evict;
mod fields;
mod managers;
mod owned;
mod patch;
mod read;
mod refused;
mod replica;
mod resource;
mod typed;
mod watch;
mod write;

pub use admit::Unknown;
pub use engine::{Engine, Serving};
pub use entry::Entry;
pub use fields::Fields;
pub(super) use patch::strategic;
pub use read::{Chosen, Listed, Match, Paging, parse_version};
pub use refused::{Cause, Reason, Refused};
pub use replica::{Change, Replica};
pub use resource::{EVENTS, RESOURCES, Resource, SLICES};
pub(super) use typed::Typed;
pub use watch::{Event, Events};
pub use write::{Deletion, How, PatchForm, Written};
