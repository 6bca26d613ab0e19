//! What is known of the files of a folder, and what a look at them changes.
//!
//! Each file *claims* the objects that stand in it. A file that is not understood keeps
//! its claims and is in error until it is mended: its objects are unknown, not gone. An
//! object that no file claims any longer is gone. The first look begins with what the
//! store has on record, so what changed while nobody looked is found like any other
//! change, and a file with the content it had is not parsed again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::elsewhere::Elsewhere;
use super::mark::Mark;
use super::{Hint, absolute};
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, Name, Object, ObjectKey, Written};
use crate::manifest::{self, Input, Options};
use crate::state::{CONFIG, Delta, Input as Recorded, InputFile, World};

type Identity = (Kind, ObjectKey);

/// A watched folder and its files.
pub struct Folder {
    root: PathBuf,
    options: Options,
    files: BTreeMap<PathBuf, File>,
    /// Files on record that no look has met yet, by the path they are recorded under.
    recorded: BTreeMap<Name, InputFile>,
    /// On record without a file, or brought by another input too: never gone.
    elsewhere: BTreeSet<Identity>,
    /// On record, and no file of the folder has it any longer.
    orphans: Vec<Identity>,
    /// How many files claim an object.
    claims: BTreeMap<Identity, usize>,
    /// Files in which nothing is about the node that is read for.
    passed: Elsewhere,
    /// Whether a file that is cut to nothing is meant to have nothing.
    allow_empty: bool,
}

/// The errors of files that may be right the next time, though nothing is heard of them:
/// they could not be read, or say what another file says. `Folder::unread` has the former.
const RETRIED: [&str; 4] = ["unreadable", "changed-while-read", "no-such-file", "defined-twice"];

/// What is known of a file.
#[derive(Debug, Clone, Default)]
struct File {
    /// Tells whether it may have changed; `None`: it must be read.
    mark: Option<Mark>,
    /// What was understood of it last, as it is on record.
    good: Option<InputFile>,
    errors: Vec<Diagnostic>,
}

/// What a look came to.
#[derive(Debug, Default)]
pub struct Scan {
    /// What has to go into the store.
    pub change: Delta,
    /// The files that differ, as they are shown.
    pub files: Vec<String>,
    /// Errors that are new, of all files.
    pub broken: Vec<Diagnostic>,
    /// Files that were in error and are no longer.
    pub mended: Vec<String>,
}

impl Scan {
    /// Whether the store has nothing to take in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.change.objects.is_empty() && self.change.gone.is_empty() && self.change.files.is_empty()
    }
}

impl Folder {
    /// A folder of which the store has `before` on record.
    #[must_use]
    pub fn new(root: &Path, options: Options, before: Recorded) -> Self {
        let mut recorded: BTreeMap<Name, InputFile> = before
            .files
            .into_iter()
            .map(|(path, sha256)| {
                (path.clone(), InputFile { path, sha256, objects: Vec::new(), how: String::new() })
            })
            .collect();
        let mut folder = Folder {
            root: root.to_owned(),
            options,
            files: BTreeMap::new(),
            recorded: BTreeMap::new(),
            elsewhere: BTreeSet::new(),
            orphans: Vec::new(),
            claims: BTreeMap::new(),
            passed: Elsewhere::default(),
            allow_empty: false,
        };
        for ((kind, key), brought) in before.objects {
            if brought.elsewhere {
                folder.elsewhere.insert((kind, key.clone()));
            }
            match brought.file.and_then(|file| recorded.get_mut(&file)) {
                Some(file) => {
                    file.objects.push((kind, key.clone(), brought.written));
                    *folder.claims.entry((kind, key)).or_default() += 1;
                }
                None if !brought.elsewhere => folder.orphans.push((kind, key)),
                None => {}
            }
        }
        folder.recorded = recorded;
        folder
    }

    /// Takes a file that is cut to nothing at its word: what it had is gone.
    #[must_use]
    pub fn allowing_empty(self, allow_empty: bool) -> Self {
        Folder { allow_empty, ..self }
    }

    /// The errors of files that could not be read, though they may be the next time.
    pub fn unread(&self) -> impl Iterator<Item = &Diagnostic> {
        let errors = self.files.values().flat_map(|file| &file.errors);
        errors.filter(|error| matches!(error.code, "unreadable" | "changed-while-read" | "no-such-file"))
    }

    /// How many files there are; those that are passed over are none.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there are no files.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// How many objects the files claim.
    #[must_use]
    pub fn objects(&self) -> usize {
        self.claims.len()
    }

    /// Whether a file claims this one.
    #[must_use]
    pub fn claims(&self, kind: Kind, key: &ObjectKey) -> bool {
        self.claims.contains_key(&(kind, key.clone()))
    }

    /// Whether a file claims anything in a namespace.
    #[must_use]
    pub fn claims_in(&self, namespace: &str) -> bool {
        self.claims.keys().any(|(_, key)| *key.namespace == *namespace)
    }

    /// How many of a kind.
    #[must_use]
    pub fn count(&self, kind: Kind) -> usize {
        self.claims.keys().filter(|(of, _)| *of == kind).count()
    }

    /// The files in which these objects stand, each object with its file.
    #[must_use]
    pub fn holding(&self, wanted: &BTreeSet<(Kind, ObjectKey)>) -> Vec<(Kind, ObjectKey, PathBuf)> {
        let claims = self.files.iter().filter_map(|(path, file)| Some((path, file.good.as_ref()?)));
        let objects = claims.flat_map(|(path, good)| good.objects.iter().map(move |it| (path, it)));
        objects
            .map(|(path, (kind, key, _))| (path, (*kind, key.clone())))
            .filter(|(_, object)| wanted.contains(object))
            .map(|(path, (kind, key))| (kind, key, path.clone()))
            .collect()
    }

    /// The folders that the files stand in.
    #[must_use]
    pub fn folders(&self) -> BTreeSet<&Path> {
        self.files.keys().filter_map(|path| path.parent()).collect()
    }

    /// The files that are in error, each with what is wrong.
    pub fn errors(&self) -> impl Iterator<Item = (String, &[Diagnostic])> {
        let broken = self.files.iter().filter(|(_, file)| !file.errors.is_empty());
        broken.map(|(path, file)| (self.shown(path), file.errors.as_slice()))
    }

    /// Looks at what may have changed and gives what did. `world` tells whether the store
    /// still has what an unchanged file says.
    ///
    /// # Errors
    /// When the folder cannot be listed; then nothing is known to have changed.
    pub fn scan(&mut self, hint: &Hint, world: Option<&World>) -> Result<Scan, Diagnostic> {
        let whole = !matches!(hint, Hint::Paths(paths) if paths.iter().all(|path| self.is_plain(path)));
        let (mut there, mut gone) = (Vec::new(), Vec::new());
        match hint {
            Hint::Paths(paths) if !whole => {
                for path in paths.iter().filter(|path| self.is_manifest(path)) {
                    if std::fs::metadata(path).is_ok_and(|found| found.is_file()) {
                        there.push((path.clone(), true));
                    } else if self.files.contains_key(path) {
                        gone.push(path.clone());
                    }
                }
                // A file that two define may be right once the other one is changed.
                let retry =
                    self.files.iter().filter(|(path, file)| file.mark.is_none() && !paths.contains(*path));
                there.extend(retry.map(|(path, _)| (path.clone(), true)));
            }
            _ => {
                let named = |path: &PathBuf| matches!(hint, Hint::Paths(paths) if paths.contains(path));
                let listed = manifest::list(&self.root, self.options.recursive, &self.options.limits)?;
                let listed: BTreeSet<PathBuf> = listed.into_iter().collect();
                gone.extend(self.files.keys().filter(|path| !listed.contains(*path)).cloned());
                there.extend(listed.into_iter().map(|path| (path.clone(), named(&path))));
            }
        }
        let mut scan = Scan::default();
        let mut changed = Vec::new();
        self.passed.begin(whole);
        for (path, named) in there {
            let mark = Mark::of(&path);
            let known = self.files.get(&path);
            let passed = known.is_none() && self.passed.has(&path, mark.as_ref(), &self.options);
            if !passed && (named || mark.is_none() || known.is_none_or(|file| file.mark != mark)) {
                changed.push((path, mark));
            }
        }
        self.take_in(changed, &gone, whole, world, &mut scan);
        Ok(scan)
    }

    /// Whether an event about the path is about a single file and nothing else.
    fn is_plain(&self, path: &Path) -> bool {
        if path == self.root {
            return false;
        }
        match std::fs::symlink_metadata(path) {
            // A link may lead through Kubernetes' `..data`, and a folder may hold many files.
            Ok(found) => found.is_file(),
            // A folder that is gone takes what is known under it along.
            Err(_) => self.is_manifest(path) || !self.is_above(path),
        }
    }

    /// Whether a known file is in this folder.
    fn is_above(&self, path: &Path) -> bool {
        let after = (std::ops::Bound::Excluded(path), std::ops::Bound::Unbounded);
        self.files.range::<Path, _>(after).next().is_some_and(|(file, _)| file.starts_with(path))
    }

    fn is_manifest(&self, path: &Path) -> bool {
        let Ok(inside) = path.strip_prefix(&self.root) else { return false };
        let hidden = inside.iter().any(|part| part.as_encoded_bytes().first() == Some(&b'.'));
        let deep = inside.components().count() > 1;
        // What says which rules go with the manifests is no manifest.
        let is_config = path.file_name().is_some_and(|name| name == CONFIG);
        !hidden && !is_config && (self.options.recursive || !deep) && manifest::is_manifest(path)
    }

    fn take_in(
        &mut self,
        changed: Vec<(PathBuf, Option<Mark>)>,
        gone: &[PathBuf],
        whole: bool,
        world: Option<&World>,
        scan: &mut Scan,
    ) {
        let mut before: BTreeSet<Identity> = BTreeSet::new();
        let mut replaced: Vec<(Option<InputFile>, Option<InputFile>)> = Vec::new();
        // Claims are given up first, so an object may move from one file to another.
        for path in gone {
            let file = self.files.remove(path).unwrap_or_default();
            if !file.errors.is_empty() {
                scan.mended.push(self.shown(path));
            }
            scan.files.push(self.shown(path));
            self.give_up(file.good.as_ref(), &mut before);
            if file.good.is_some() {
                replaced.push((file.good, None));
            }
        }
        let mut read = self.read(changed, world, scan);
        if whole {
            // What is on record and not in the folder went while nobody looked.
            for (_, file) in std::mem::take(&mut self.recorded) {
                self.give_up(Some(&file), &mut before);
                scan.files.push(file.path.to_string());
                replaced.push((Some(file), None));
            }
            for orphan in std::mem::take(&mut self.orphans) {
                before.insert(orphan);
            }
        }
        for file in &read {
            let good = self.files.get(&file.path).and_then(|known| known.good.clone());
            self.give_up(good.as_ref(), &mut before);
        }
        // Another file may define the same object, and then it must say the same.
        let mut now: BTreeMap<Identity, u64> = BTreeMap::new();
        for file in &read {
            now.extend(file.now.objects.iter().map(|(kind, key, written)| ((*kind, key.clone()), *written)));
        }
        read.retain(|file| {
            let clash = file.now.objects.iter().find(|(kind, key, written)| {
                self.claims.contains_key(&(*kind, key.clone()))
                    && self.others_say(*kind, key, *written, &file.path)
            });
            let Some((kind, key, _)) = clash else { return true };
            let what = format!("{kind} `{key}` is defined in another file too, with different content");
            let error = Diagnostic::error("defined-twice", what)
                .at(crate::diagnostic::Place::file(self.shown(&file.path)))
                .help("remove one of the two, or give it another name or namespace");
            let good = self.files.get(&file.path).and_then(|known| known.good.clone());
            self.take_up(good.as_ref(), &mut before);
            let known = self.files.entry(file.path.clone()).or_default();
            known.mark = None;
            if known.errors != std::slice::from_ref(&error) {
                scan.broken.push(error.clone());
            }
            known.errors = vec![error];
            false
        });
        for file in read {
            self.take_up(Some(&file.now), &mut before);
            scan.change.objects.extend(file.objects);
            let shown = self.shown(&file.path);
            scan.files.push(shown.clone());
            let known = self.files.entry(file.path.clone()).or_default();
            if !known.errors.is_empty() {
                known.errors.clear();
                scan.mended.push(shown);
            }
            known.mark = file.mark;
            replaced.push((known.good.replace(file.now.clone()), Some(file.now)));
        }
        let gone = before.into_iter().filter(|identity| !self.claims.contains_key(identity));
        scan.change.gone = gone.filter(|identity| !self.elsewhere.contains(identity)).collect();
        scan.change.files = replaced;
        scan.files.sort();
        scan.files.dedup();
    }

    /// Reads changed files; those that say nothing new or are not understood are dealt
    /// with here.
    fn read(
        &mut self,
        changed: Vec<(PathBuf, Option<Mark>)>,
        world: Option<&World>,
        scan: &mut Scan,
    ) -> Vec<Read> {
        let mut marks: BTreeMap<Name, (PathBuf, Option<Mark>)> = BTreeMap::new();
        let mut inputs = Vec::new();
        for (path, mark) in changed {
            let shown: Name = path.display().to_string().into();
            let recorded: Name = absolute(&path).into();
            let known = self.files.entry(path.clone()).or_default();
            if known.good.is_none() {
                known.good = self.recorded.remove(&recorded);
            }
            let same = known.errors.is_empty()
                && known.good.as_ref().is_some_and(|good| {
                    let still = |(kind, key, written): &(Kind, ObjectKey, u64)| {
                        world
                            .and_then(|world| world.meta(*kind, key))
                            .is_some_and(|it| it.written.object == *written)
                    };
                    manifest::hash(&path, &self.options.limits).is_some_and(|hash| hash == good.sha256)
                        && good.objects.iter().all(still)
                });
            if same {
                known.mark = mark;
            } else {
                inputs.push(Input::Path(path.clone()));
                marks.insert(shown, (path, mark));
            }
        }
        if inputs.is_empty() {
            return Vec::new();
        }
        let mut reading = manifest::read(&inputs, &self.options);
        let mut objects: BTreeMap<Name, Vec<Object>> = BTreeMap::new();
        for object in reading.objects.drain(..) {
            objects.entry(object.origin.file.clone()).or_default().push(object);
        }
        let mut errors: BTreeMap<Name, Vec<Diagnostic>> = BTreeMap::new();
        for diagnostic in reading.diagnostics.drain(..).filter(|it| it.is_error() && it.code != "no-objects")
        {
            let file = diagnostic.place.as_ref().map(|place| place.file.clone()).unwrap_or_default();
            errors.entry(file).or_default().push(diagnostic);
        }
        let mut read = Vec::new();
        for file in reading.files {
            let Some((path, mark)) = marks.remove(&file.path) else { continue };
            let known = self.files.entry(path.clone()).or_default();
            let mut wrong = errors.remove(&file.path).unwrap_or_default();
            let had = known.good.as_ref().map_or(0, |good| good.objects.len());
            if file.blank && had > 0 && !self.allow_empty {
                wrong.push(manifest::emptied(&path.display().to_string(), had));
            }
            if !file.complete || !wrong.is_empty() {
                // Without a mark it is read again by the next look, whatever is heard of it.
                known.mark = mark.filter(|_| wrong.iter().all(|error| !RETRIED.contains(&error.code)));
                if known.errors != wrong {
                    scan.broken.extend(wrong.iter().cloned());
                }
                known.errors = wrong;
                continue;
            }
            let objects = objects.remove(&file.path).unwrap_or_default();
            let mut written: BTreeMap<Identity, u64> = objects
                .iter()
                .map(|object| {
                    ((object.kind, object.key.clone()), Written::of(object.kind, &object.value).object)
                })
                .collect();
            let mut claimed = Vec::new();
            for identity in file.objects {
                // One that another file of this reading has with the same content.
                let found = written.remove(&identity).or_else(|| {
                    read.iter().find_map(|other: &Read| {
                        other
                            .now
                            .objects
                            .iter()
                            .find(|it| (it.0, &it.1) == (identity.0, &identity.1))
                            .map(|it| it.2)
                    })
                });
                claimed.push((identity.0, identity.1, found.unwrap_or(0)));
            }
            let now = InputFile {
                path: absolute(&path).into(),
                sha256: file.sha256,
                objects: claimed,
                how: String::new(),
            };
            read.push(Read { path, mark, now, objects });
        }
        for (shown, (path, _)) in marks {
            // A file that is gone by now is met as such by the next look; a link that leads
            // nowhere is still there.
            let wrong = errors.remove(&shown).filter(|_| path.is_symlink()).unwrap_or_default();
            let known = self.files.entry(path).or_default();
            known.mark = None;
            if !wrong.is_empty() && known.errors != wrong {
                scan.broken.extend(wrong.iter().cloned());
                known.errors = wrong;
            }
        }
        read
    }

    fn give_up(&mut self, file: Option<&InputFile>, before: &mut BTreeSet<Identity>) {
        for (kind, key, _) in file.into_iter().flat_map(|file| &file.objects) {
            let identity = (*kind, key.clone());
            if let Some(claims) = self.claims.get_mut(&identity) {
                *claims -= 1;
                if *claims == 0 {
                    self.claims.remove(&identity);
                }
            }
            before.insert(identity);
        }
    }

    fn take_up(&mut self, file: Option<&InputFile>, before: &mut BTreeSet<Identity>) {
        for (kind, key, _) in file.into_iter().flat_map(|file| &file.objects) {
            let identity = (*kind, key.clone());
            before.remove(&identity);
            *self.claims.entry(identity).or_default() += 1;
        }
    }

    /// Whether a file other than `path` has the object with other content.
    fn others_say(&self, kind: Kind, key: &ObjectKey, written: u64, path: &Path) -> bool {
        let others = self.files.iter().filter(|(other, _)| *other != path);
        others
            .filter_map(|(_, file)| file.good.as_ref())
            .flat_map(|good| &good.objects)
            .any(|(other_kind, other, says)| *other_kind == kind && other == key && *says != written)
    }

    fn shown(&self, path: &Path) -> String {
        match path.strip_prefix(&self.root) {
            // A file that is watched in place of a folder has no name below itself.
            Ok(below) if below != Path::new("") => below.display().to_string(),
            _ => path.display().to_string(),
        }
    }
}

/// A file that was read and understood.
struct Read {
    path: PathBuf,
    mark: Option<Mark>,
    now: InputFile,
    objects: Vec<Object>,
}
