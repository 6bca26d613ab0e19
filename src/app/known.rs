//! The files of an input that need not be read again: they have the content that they had
//! when they were applied, were read as they would be now, and their objects are in the store
//! as they wrote them.
//!
//! What a plan may change is then what is read and what is gone; everything else of the
//! input is as it is stored.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::listener::Silent;
use super::options::Reread;
use super::read::{Read, read};
use super::request::Request;
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, Name, ObjectKey};
use crate::manifest::{Known, Passed, Places, Reading};
use crate::plan::Judged;
use crate::source::absolute;
use crate::state::{InputFile, World};
use crate::target::Memory;

/// Gives `read` what the store knows of the files of an input; nothing where all are to be read,
/// or the store cannot say: what is wrong with it is told by whoever has to have it.
pub(super) fn with_known<T>(
    request: &Request,
    all: bool,
    hashes: BTreeMap<PathBuf, String>,
    read: impl FnOnce(Option<&Known<'_>>) -> T,
) -> T {
    let asks = !all && request.options.reread == Reread::Changed && request.database.is_there();
    let store = if asks { request.database.read_or_empty().ok() } else { None };
    let Some(store) = store else { return read(None) };
    let Ok(known) = store.known_files(&request.id) else { return read(None) };
    let how = request.manifests.how();
    let known = known.into_iter().filter(|(_, file)| file.how == how);
    let files = known.map(|(path, file)| (path, (file.sha256, file.kinds))).collect();
    let having = |objects: &BTreeSet<(Kind, &ObjectKey)>| {
        Some(store.files_having(&request.id, objects).ok()?.into_values().collect())
    };
    read(Some(&Known { files, hashes, name: absolute, having: &having }))
}

/// Reads all of an input where the store knows no longer what was passed over: somebody else
/// wrote to it meanwhile. What is to be said of the input has been said.
pub(super) fn confirm(request: &Request, was: &mut Read, store: &dyn Memory) -> Result<(), Vec<Diagnostic>> {
    let Reading { passed, .. } = &was.reading;
    if passed.is_empty() {
        return Ok(());
    }
    let (known, how) = (store.known_files(&request.id)?, request.manifests.how());
    let is_known = |file: &Passed| {
        known
            .get(&file.name)
            .is_some_and(|it| (&it.sha256, &it.how, &it.kinds) == (&file.sha256, &how, &file.kinds))
    };
    if !passed.iter().all(is_known) {
        *was = read(request, None, &Silent)?;
    }
    Ok(())
}

/// Files that were passed over and have an object that the plan took away or wrote anew: they
/// are recorded as if they had been read.
pub(super) fn lost(
    store: &dyn Memory,
    id: &str,
    passed: &mut BTreeSet<Name>,
    how: &str,
    world: &World,
) -> Result<Vec<InputFile>, Diagnostic> {
    if passed.is_empty() {
        return Ok(Vec::new());
    }
    let known = store.known_files(id)?;
    let lost: BTreeSet<Name> = passed.iter().filter(|path| !known.contains_key(*path)).cloned().collect();
    if lost.is_empty() {
        return Ok(Vec::new());
    }
    passed.retain(|path| !lost.contains(path));
    let before = store.input(id)?;
    let mut files = BTreeMap::new();
    for path in lost {
        let sha256 = before.files.get(&path).cloned().unwrap_or_default();
        let how = how.to_owned();
        files.insert(path.clone(), InputFile { path, sha256, objects: Vec::new(), how });
    }
    for ((kind, key), brought) in before.objects {
        let Some(file) = brought.file.as_ref().and_then(|file| files.get_mut(file)) else { continue };
        match world.meta(kind, &key) {
            // It may have no part in the plan, and is what it was.
            None if world.part.is_some() && store.object(kind, &key)?.is_some() => {
                file.objects.push((kind, key, brought.written));
            }
            Some(meta) => {
                if meta.written.object != brought.written {
                    file.how.clear();
                }
                file.objects.push((kind, key, meta.written.object));
            }
            None => file.how.clear(),
        }
    }
    Ok(files.into_values().collect())
}

/// Where those objects stand that are spoken of and were passed over.
pub(super) fn place(places: &mut Places, judged: &[Judged], store: &dyn Memory, id: &str, passed: &[Passed]) {
    if passed.is_empty() {
        return;
    }
    let findings = judged.iter().flat_map(|it| &it.findings);
    let about = findings.flat_map(|it| &it.objects).map(|it| (it.kind, &it.key)).collect();
    let shown: BTreeMap<&Name, &Name> = passed.iter().map(|file| (&file.name, &file.path)).collect();
    // What cannot be found is shown without a place.
    for ((kind, key), file) in store.files_having(id, &about).unwrap_or_default() {
        if let Some(path) = shown.get(&file) {
            places.add(kind, key, (*path).clone());
        }
    }
}
