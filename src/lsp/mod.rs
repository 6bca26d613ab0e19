//! What an editor asks for about rule files, by the Language Server Protocol: mistakes,
//! declarations, names that go on, layout.
//!
//! ```text
//!  message -> server -> project (which files are one program) -> names -> hover, complete, …
//! ```
//! A server is a value: messages in, messages out. It reads rule files and writes none; who
//! calls it reads its input and writes its output. Nothing a client sends ends it.

mod asked;
mod complete;
mod hover;
mod names;
mod project;
mod server;
mod symbols;
mod told;
mod uri;
mod utf16;

pub use server::Server;
