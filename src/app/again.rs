//! Planned again where somebody else was faster with a shared store.

use super::listener::{Listener, Silent};
use crate::diagnostic::Diagnostic;
use crate::target::etcd::CONFLICT;

/// So often it is planned.
const TRIES: u32 = 30;

/// Does it, and once more where others wrote the same meanwhile: what it is done to is looked at
/// anew. What is to be said is said once.
pub(super) fn again<T>(
    listener: &dyn Listener,
    mut work: impl FnMut(&dyn Listener) -> Result<T, Vec<Diagnostic>>,
) -> Result<T, Vec<Diagnostic>> {
    let mut tried = 1;
    loop {
        let heard = if tried == 1 { listener } else { &Silent as &dyn Listener };
        match work(heard) {
            Err(errors) if tried < TRIES && errors.iter().any(|it| it.code == CONFLICT) => tried += 1,
            done => return done,
        }
    }
}
