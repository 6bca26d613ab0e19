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
use crate::plan::{Applied, Judged, Plan};
use crate::source::absolute;
use crate::state::{Change, InputFile, World};
use crate::target::Memory;

/// Gives `read` what a store knows of the files of an input; nothing where all are to be read,
/// or the store cannot say: then that is told by whoever has to have it.
pub(super) fn with_known<T>(
    request: &Request,
    store: Option<&dyn Memory>,
    hashes: BTreeMap<PathBuf, String>,
    read: impl FnOnce(Option<&Known<'_>>) -> T,
) -> T {
    let store = store.filter(|_| request.options.reread == Reread::Changed);
    let Some((store, known)) = store.and_then(|store| Some((store, store.known_files(&request.id).ok()?)))
    else {
        return read(None);
    };
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

/// Of each kind so many unchanged objects are told of where they are not all.
const TOLD: usize = 10;

/// Puts into a plan the objects of files that were passed over, in the order in which they
/// would have been applied.
pub(super) fn list(
    plan: &mut Plan,
    store: &dyn Memory,
    id: &str,
    passed: &[Passed],
    all: bool,
) -> Result<(), Diagnostic> {
    if passed.is_empty() {
        return Ok(());
    }
    let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
    for (kind, count) in passed.iter().flat_map(|file| &file.kinds) {
        *kinds.entry(*kind).or_default() += count;
    }
    let names = passed.iter().map(|file| file.name.clone()).collect();
    let told = store.objects_of(id, &names, &kinds, if all { usize::MAX } else { TOLD })?;
    for (kind, _) in &told {
        kinds.entry(*kind).and_modify(|count| *count = count.saturating_sub(1));
    }
    kinds.retain(|_, count| *count > 0);
    plan.unlisted = kinds;
    let end = plan.objects.iter().position(|it| it.change == Change::Pruned).unwrap_or(plan.objects.len());
    let pruned = plan.objects.split_off(end);
    plan.objects.extend(told.into_iter().map(|(kind, key)| Applied { kind, key, change: Change::Unchanged }));
    plan.objects.sort_by(|a, b| (a.kind, &a.key).cmp(&(b.kind, &b.key)));
    plan.objects.extend(pruned);
    Ok(())
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
