//! Files of which it is not known what they have: not understood, or cut to nothing.
//!
//! Unknown is not gone: what such a file had stays, in the store and on record.

use std::collections::BTreeSet;

use super::options::Options;
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, Name, ObjectKey};
use crate::manifest::ReadFile;
use crate::state::{Input, InputFile};
use crate::target::Memory;

/// The files that are cut to nothing and had objects, each with how many.
pub(super) fn emptied<'f>(
    files: &'f [ReadFile],
    before: &'f Input,
) -> impl Iterator<Item = (&'f str, usize)> {
    let had = |file: &ReadFile| {
        before.objects.values().filter(|brought| brought.file.as_ref() == Some(&file.path)).count()
    };
    let blank = files.iter().filter(|file| file.blank);
    blank.map(move |file| (&*file.path, had(file))).filter(|(_, had)| *had > 0)
}

/// Files of which it is not known what they have keep what they had on record: a later
/// apply must not take it for gone.
pub(super) fn keep_unknown(
    store: &dyn Memory,
    id: &str,
    files: &[ReadFile],
    brought: &mut [InputFile],
    passed: &BTreeSet<Name>,
    options: &Options,
) -> Result<(), Diagnostic> {
    let is_unknown = |file: &ReadFile| !file.complete || file.blank && !options.allow_empty;
    if !files.iter().any(is_unknown) {
        return Ok(());
    }
    let before = store.input_but(id, passed)?;
    let elsewhere: BTreeSet<(Kind, ObjectKey)> =
        brought.iter().flat_map(|file| &file.objects).map(|(kind, key, _)| (*kind, key.clone())).collect();
    for (_, file) in files.iter().zip(brought).filter(|(file, _)| is_unknown(file)) {
        let had = before
            .objects
            .iter()
            .filter(|(object, had)| had.file.as_ref() == Some(&file.path) && !elsewhere.contains(*object));
        let count = file.objects.len();
        file.objects.extend(had.map(|((kind, key), had)| (*kind, key.clone(), had.written)));
        if file.objects.len() > count {
            // As it is, it is not what the record says.
            file.sha256 = before.files.get(&file.path).cloned().unwrap_or_default();
        }
    }
    Ok(())
}
