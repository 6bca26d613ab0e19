//! What an input brought, and what of it is there no longer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::options::Options;
use super::unknown::emptied;
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, Name, ObjectKey};
use crate::manifest::{self, ReadFile, Reading};
use crate::state::{Gone, Input, InputFile, World};
use crate::target::Memory;

/// The objects that earlier applies of the input `id` brought and that it has no longer.
/// What a file that was not understood brought is unknown, not gone.
///
/// # Errors
/// When the store cannot be read, or the input has lost all of its objects.
pub fn gone(store: &dyn Memory, id: &str, reading: &Reading, options: &Options) -> Result<Gone, Diagnostic> {
    if !options.prune {
        return Ok(Gone::default());
    }
    let passed = reading.passed();
    let before = store.input_but(id, &passed)?;
    if reading.is_empty() && !before.objects.is_empty() && !options.allow_empty {
        let all = match before.objects.len() {
            1 => "the one object".to_owned(),
            count => format!("all of the {count} objects"),
        };
        let what = format!("the input has lost {all} it brought before");
        return Err(Diagnostic::error("empty-input", what)
            .help("if everything is to be removed, say `--allow-empty`"));
    }
    if !options.allow_empty
        && let Some((file, had)) = emptied(&reading.files, &before).next()
    {
        return Err(manifest::emptied(file, had));
    }
    let gone = left(reading, before);
    if passed.is_empty() || gone.objects.is_empty() {
        return Ok(gone);
    }
    // Before anything is removed, all that is on record is looked at.
    Ok(left(reading, store.input(id)?))
}

/// What has left an input, of what is on record of it `before`: all that it still has, or all
/// but what files have that were passed over.
pub(super) fn left(reading: &Reading, before: Input) -> Gone {
    let now: BTreeSet<(Kind, &ObjectKey)> = reading.objects.iter().map(|it| (it.kind, &it.key)).collect();
    let passed = reading.passed();
    let unknown: BTreeSet<&str> =
        reading.files.iter().filter(|file| !file.complete).map(|file| &*file.path).collect();
    let is_unknown = |file: &Name| {
        unknown.contains(&**file)
            || passed.contains(file)
            || reading.unread.iter().any(|unread| Path::new(&**file).starts_with(&**unread))
    };
    let gone = before.objects.iter().filter(|((kind, key), brought)| {
        !brought.elsewhere && !now.contains(&(*kind, key)) && !brought.file.as_ref().is_some_and(is_unknown)
    });
    let objects = gone.map(|(object, _)| object.clone()).collect();
    with_given(objects, before.objects.keys().map(|(kind, key)| (*kind, key)).chain(now))
}

/// What left an input, with what that still has in the namespaces among it. `known` is what
/// it has or had.
pub(super) fn with_given<'a>(
    objects: Vec<(Kind, ObjectKey)>,
    known: impl IntoIterator<Item = (Kind, &'a ObjectKey)>,
) -> Gone {
    let left: BTreeSet<(Kind, &ObjectKey)> = objects.iter().map(|(kind, key)| (*kind, key)).collect();
    let is_given = |(kind, key): &(Kind, &ObjectKey)| {
        let namespace = ObjectKey::new("", key.namespace.clone());
        left.contains(&(Kind::Namespace, &namespace)) && !left.contains(&(*kind, *key))
    };
    let given = known.into_iter().filter(is_given).map(|(kind, key)| (kind, key.clone())).collect();
    Gone { objects, given }
}

/// What the files of an input brought into the world, to be recorded with
/// [`Memory::save_input`]; of what was left as it is and the world may not have, `unchanged`
/// has the fingerprints. `how` says how they were read.
pub(super) fn brought(
    files: &[ReadFile],
    how: &str,
    world: &World,
    unchanged: &BTreeMap<(Kind, ObjectKey), u64>,
) -> Vec<InputFile> {
    let written = |object: &(Kind, ObjectKey)| {
        let (kind, key) = object;
        let put = world.meta(*kind, key).map(|meta| meta.written.object);
        Some((*kind, key.clone(), put.or_else(|| unchanged.get(object).copied())?))
    };
    let file = |file: &ReadFile| {
        let objects: Vec<_> = file.objects.iter().filter_map(written).collect();
        // What a plan took away again is put again by the next one.
        let is_there = objects.len() == file.objects.len();
        let how = if file.silent && file.complete && is_there { how.to_owned() } else { String::new() };
        InputFile { path: file.path.clone(), sha256: file.sha256.clone(), objects, how }
    };
    files.iter().map(file).collect()
}
