//! The input of apply and plan, and what becomes of the errors in it.

use std::path::Path;

use super::listener::Listener;
use super::manifests::nothing_read;
use super::request::Request;
use crate::diagnostic::Diagnostic;
use crate::manifest::{Known, Reading};
use crate::source::{absolute, being_checked_out};

/// An input that was read.
#[derive(Default)]
pub(super) struct Read {
    pub(super) reading: Reading,
    /// How many errors in it were told and gone past.
    pub(super) errors: usize,
}

/// Reads the input. Errors in it end the use case, or, where it keeps going, are told and
/// counted.
///
/// Files that are `known` are passed over: their objects are as they are stored.
pub(super) fn read(
    request: &Request,
    known: Option<&Known<'_>>,
    listener: &dyn Listener,
) -> Result<Read, Vec<Diagnostic>> {
    if request.options.allow_empty && !request.options.prune {
        return Err(vec![
            Diagnostic::error("nothing-pruned", "`--allow-empty` is said without `--prune`")
                .help("without `--prune` nothing is removed: say both, or none"),
        ]);
    }
    let manifests = &request.manifests;
    check_whole(request)?;
    let mut reading = manifests.read_but(known, listener)?;
    check_whole(request)?;
    reading.how = manifests.how();
    if reading.plans_nothing() && !reading.has_errors() {
        reading.diagnostics.push(nothing_read(&reading));
    }
    manifests.point_deeper(&mut reading);
    let errors = go_past(request, &mut reading, listener)?;
    let paths = reading.files.iter_mut().map(|file| &mut file.path);
    for path in paths.chain(&mut reading.unread) {
        *path = absolute(Path::new(&**path)).into();
    }
    Ok(Read { reading, errors })
}

/// Refuses to prune by what git is at work on: what it has not written yet is not gone.
fn check_whole(request: &Request) -> Result<(), Diagnostic> {
    if !request.options.prune {
        return Ok(());
    }
    let paths = request.manifests.paths();
    paths.iter().find_map(|path| being_checked_out(Path::new(&absolute(path)))).map_or(Ok(()), Err)
}

/// Ends with the errors there are, or, to keep going, tells and counts them; where nothing
/// is left there is nothing to go on with.
pub(super) fn go_past(
    request: &Request,
    reading: &mut Reading,
    listener: &dyn Listener,
) -> Result<usize, Vec<Diagnostic>> {
    let mut errors = std::mem::take(&mut reading.diagnostics);
    let is_empty = |error: &Diagnostic| matches!(error.code, "no-objects" | "empty-folder");
    if request.options.allow_empty {
        errors.retain(|error| !is_empty(error));
    } else if request.options.prune {
        for error in errors.iter_mut().filter(|error| is_empty(error)) {
            let all = "if everything that it brought is to be removed, say `--allow-empty`";
            error.help = Some(all.to_owned());
        }
    }
    let nothing_left = reading.plans_nothing() && !request.options.allow_empty;
    if !errors.is_empty() && (!request.keep_going || nothing_left) {
        return Err(errors);
    }
    let count = errors.len();
    listener.tell(errors);
    Ok(count)
}
