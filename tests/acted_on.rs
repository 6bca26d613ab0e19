//! Plans that people act on: what is claimed is so, what is advised works, and what is
//! dangerous is said before it happens.
#![allow(clippy::unwrap_used, dead_code)]

#[path = "acted_on/advice.rs"]
mod advice;
#[path = "acted_on/base.rs"]
mod base;
#[path = "acted_on/guards.rs"]
mod guards;
#[path = "acted_on/nothing_read.rs"]
mod nothing_read;
#[path = "cli/session.rs"]
mod session;

use session::Session;

/// A session with the folder `name` of `tests/acted_on` in it.
fn with(name: &str) -> Session {
    let session = Session::new();
    session.take("tests/acted_on", name);
    session
}
