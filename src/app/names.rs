//! The names that a store knows, for whoever types one.

use super::open::Database;
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, ObjectKey};

/// The keys of all objects of a kind; none where there is no store.
///
/// # Errors
/// When the store is damaged or cannot be read.
pub fn names(database: &Database, kind: Kind) -> Result<Vec<ObjectKey>, Diagnostic> {
    match database.read_current()? {
        Some(store) => store.keys(kind),
        None => Ok(Vec::new()),
    }
}
