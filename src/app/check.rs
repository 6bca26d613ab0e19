//! Validate: would an API server take these manifests? Nothing is touched.

use super::listener::Listener;
use super::manifests::Manifests;
use super::planning::warnings;
use super::request::locate;
use crate::diagnostic::Diagnostic;
use crate::manifest::Reading;
use crate::plan::FINDINGS_TOLD;
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
    let mut judged = warnings(&reading.objects, &program, now)?;
    locate(
        &reading.places(&manifests.options),
        judged.iter_mut().flat_map(|it| &mut it.findings).flat_map(|it| &mut it.objects).collect(),
    );
    let warnings = judged.iter().flat_map(|it| it.told(FINDINGS_TOLD)).collect();
    match listener {
        Some(listener) => listener.tell(warnings),
        None => reading.diagnostics.extend(warnings),
    }
    Ok(reading)
}
