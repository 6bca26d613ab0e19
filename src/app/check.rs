//! Validate: would an API server take these manifests? Nothing is touched.

use super::listener::Listener;
use super::manifests::Manifests;
use super::planning::warnings;
use crate::diagnostic::Diagnostic;
use crate::manifest::Reading;
use crate::policy::builtin;

/// Reads manifests and finds all that is wrong with them. With a listener, what is no
/// error is told as it is found, and errors end it; else all of it is left in the reading.
///
/// # Errors
/// When nothing can be read, and with a listener everything that is wrong.
pub fn validate(
    manifests: &Manifests,
    now: i64,
    listener: Option<&dyn Listener>,
) -> Result<Reading, Vec<Diagnostic>> {
    let mut reading = match listener {
        Some(listener) => manifests.read(listener)?,
        None => manifests.read_silently()?,
    };
    if listener.is_some() && reading.has_errors() {
        return Err(reading.diagnostics);
    }
    // What an API server takes and no node can run.
    let loaded = builtin::load(&[]);
    let Some(program) = loaded.program else { return Err(loaded.diagnostics) };
    let warnings = warnings(&reading.objects, &program, now)?;
    match listener {
        Some(listener) => listener.tell(warnings),
        None => reading.diagnostics.extend(warnings),
    }
    Ok(reading)
}
