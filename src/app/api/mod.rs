//! The Kubernetes API over a store, as use cases: what is asked for by resource, name and
//! selector, and what is answered, objects or a refusal in an API server's words.
//!
//! Nothing is known here of HTTP, and nothing of SQL: objects are read into a [`Replica`], which
//! remembers what changed of late, so that lists go on and watches begin where they left off.

mod admit;
mod changes;
mod derived;
mod engine;
mod entry;
mod events;
mod evict;
mod fields;
mod following;
mod managers;
mod owned;
mod patch;
mod private;
mod read;
mod refused;
mod replica;
mod resource;
mod source;
mod typed;
mod watch;
mod write;

pub use admit::Unknown;
pub use changes::Change;
pub use engine::{Engine, Serving};
pub use entry::Entry;
pub use fields::Fields;
pub use following::{Followed, Told};
pub(super) use patch::strategic;
pub use private::Private;
pub use read::{Begin, Chosen, Listed, Match, Paging};
pub use refused::{Cause, Reason, Refused};
pub use replica::Replica;
pub use resource::{EVENTS, RESOURCES, Resource, SLICES};
pub(super) use typed::Typed;
pub use watch::{Event, Events};
pub use write::{Deletion, How, PatchForm, Written};
