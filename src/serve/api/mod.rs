//! The Kubernetes API over HTTP: paths and headers to use cases, what these answer to bodies.

mod accept;
mod asked;
mod cells;
mod change;
mod discovery;
mod drawing;
mod guard;
mod handle;
mod links;
mod listen;
mod look;
mod messages;
mod openapi;
mod paced;
mod path;
mod protobuf;
mod picture;
mod reply;
mod reviews;
mod server;
mod shown;
mod table;
mod watch;

pub use guard::Identity;
pub use listen::{Listening, listen};
