//! The operating system's events about a folder, put together into hints.
//!
//! The folder is watched through its path and through its parent, so one that is moved
//! away, made again or swapped by a link is noticed. Events come on a thread of `notify`
//! and are only collected there; a queue that ran over says so, and then everything is
//! looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind, RemoveKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::Hint;
use crate::diagnostic::{Diagnostic, Place};

/// A watched folder.
pub struct Events {
    root: PathBuf,
    recursive: bool,
    shared: Arc<Shared>,
    /// What is watched, with the identity it had: dropped when it is another one now.
    watched: Option<(Identity, RecommendedWatcher)>,
    /// What else is watched.
    also: Also,
}

/// Files and folders outside of the folder, or deeper in it than it is watched.
#[derive(Default)]
struct Also {
    places: BTreeSet<PathBuf>,
    /// The folders that are watched for them, with the identity they had.
    folders: BTreeMap<PathBuf, Identity>,
    _watcher: Option<RecommendedWatcher>,
}

struct Shared {
    hint: Mutex<Hint>,
    /// A folder came, went or was moved: what is watched may be one that is gone, also
    /// where another one has its name and its inode.
    moved: AtomicBool,
    wake: Box<dyn Fn() + Send + Sync>,
}

/// Tells a folder from another one under the same name.
type Identity = (u64, u64);

impl Events {
    /// Events about `root`; `wake` is called after each, from another thread.
    #[must_use]
    pub fn new(root: &Path, recursive: bool, wake: impl Fn() + Send + Sync + 'static) -> Self {
        let shared =
            Arc::new(Shared { hint: Mutex::default(), moved: AtomicBool::new(false), wake: Box::new(wake) });
        Events { root: root.to_owned(), recursive, shared, watched: None, also: Also::default() }
    }

    /// What has come since the last time.
    #[must_use]
    pub fn take(&self) -> Hint {
        std::mem::take(&mut *self.shared.hint.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sees to it that what is under the path now is watched: true if it was not, so that
    /// everything must be looked at. Watching begins before that look, so nothing is lost.
    ///
    /// # Errors
    /// When the folder is not there or cannot be watched.
    pub fn ensure(&mut self) -> Result<bool, Diagnostic> {
        let shown = self.root.display().to_string();
        let identity = std::fs::metadata(&self.root).map_err(|error| {
            Diagnostic::error("unreadable", format!("the folder `{shown}` cannot be read: {error}"))
                .at(Place::file(shown.as_str()))
                .help("what it brought stays as it is until the folder is back")
        });
        let identity = match identity {
            Ok(found) => identity_of(&found),
            Err(gone) => {
                self.watched = None;
                return Err(gone);
            }
        };
        let moved = self.shared.moved.swap(false, Ordering::AcqRel);
        if !moved && self.watched.as_ref().is_some_and(|(watched, _)| *watched == identity) {
            return Ok(false);
        }
        self.watched = None;
        let watcher = self.watch().map_err(|error| {
            let what = format!("the folder `{shown}` cannot be watched: {error}");
            let limit = matches!(error.kind, notify::ErrorKind::MaxFilesWatch);
            Diagnostic::error("unwatchable", what).at(Place::file(shown.as_str())).help(if limit {
                "raise fs.inotify.max_user_watches, or look every few seconds with `--poll`"
            } else {
                "look every few seconds with `--poll`"
            })
        })?;
        self.watched = Some((identity, watcher));
        Ok(true)
    }

    /// Sees to it that these files and folders are watched too, whether they are there or
    /// not: true if some of them were not, so that they must be looked at. Events about
    /// them only wake: they say nothing of the folder. Where they cannot be watched, the
    /// regular look has to do.
    pub fn also(&mut self, places: &BTreeSet<PathBuf>) -> bool {
        let places: BTreeSet<PathBuf> =
            places.iter().filter_map(|place| std::path::absolute(place).ok()).collect();
        let mut folders = BTreeMap::new();
        let root = std::fs::canonicalize(&self.root).unwrap_or_else(|_| self.root.clone());
        let around = |place: &PathBuf| [Some(place.clone()), place.parent().map(Path::to_owned)];
        for folder in places.iter().flat_map(around).flatten() {
            let Ok(real) = std::fs::canonicalize(&folder) else { continue };
            let heard = real == root || self.recursive && real.starts_with(&root);
            if let Ok(found) = std::fs::metadata(&folder)
                && found.is_dir()
                && !heard
            {
                folders.insert(folder, identity_of(&found));
            }
        }
        if (&self.also.places, &self.also.folders) == (&places, &folders) {
            return false;
        }
        let watcher = (!folders.is_empty()).then(|| self.listen(places.clone(), folders.keys())).flatten();
        self.also = Also { places, folders, _watcher: watcher };
        true
    }

    /// Wakes at events about these places, heard in these folders.
    fn listen<'f>(
        &self,
        places: BTreeSet<PathBuf>,
        folders: impl Iterator<Item = &'f PathBuf>,
    ) -> Option<RecommendedWatcher> {
        let shared = self.shared.clone();
        let concerns = move |path: &PathBuf| {
            places.contains(path) || path.parent().is_some_and(|parent| places.contains(parent))
        };
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let wakes = event.map_or(true, |event| {
                event.need_rescan() || !is_read(event.kind) && event.paths.iter().any(&concerns)
            });
            if wakes {
                (shared.wake)();
            }
        })
        .ok()?;
        for folder in folders {
            let _ = watcher.watch(folder, RecursiveMode::NonRecursive);
        }
        Some(watcher)
    }

    fn watch(&self) -> notify::Result<RecommendedWatcher> {
        let (shared, root) = (self.shared.clone(), self.root.clone());
        let mut watcher = notify::recommended_watcher(move |event| shared.note(&root, event))?;
        let mode = if self.recursive { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
        watcher.watch(&self.root, mode)?;
        if let Some(parent) = self.root.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            // Where it may not be watched, the folder's own events and the regular look are enough.
            let _ = watcher.watch(parent, RecursiveMode::NonRecursive);
        }
        Ok(watcher)
    }
}

impl Shared {
    fn note(&self, root: &Path, event: notify::Result<Event>) {
        {
            let mut hint = self.hint.lock().unwrap_or_else(PoisonError::into_inner);
            match event {
                Ok(event) if event.need_rescan() => *hint = Hint::Everything,
                Ok(event) if is_read(event.kind) => return,
                Ok(event) => {
                    if moves_folder(root, &event) {
                        self.moved.store(true, Ordering::Release);
                    }
                    let inside = event.paths.iter().filter(|path| path.starts_with(root));
                    let mut any = false;
                    for path in inside {
                        any = true;
                        if path == root { *hint = Hint::Everything } else { hint.add(path) }
                    }
                    if !any && !event.paths.is_empty() {
                        // A neighbour of the folder.
                        return;
                    }
                    if !any {
                        *hint = Hint::Everything;
                    }
                }
                // What failed is not said in a way that could be acted on.
                Err(_) => *hint = Hint::Everything,
            }
        }
        (self.wake)();
    }
}

/// Whether the folder, or one in it, is another one now or is elsewhere. A watch goes
/// with the folder it was set on, not with the name.
fn moves_folder(root: &Path, event: &Event) -> bool {
    let is_folder = match event.kind {
        EventKind::Create(CreateKind::Folder) | EventKind::Remove(RemoveKind::Folder) => true,
        EventKind::Create(_) | EventKind::Remove(_) => false,
        // What was moved away cannot be asked what it was.
        EventKind::Modify(ModifyKind::Name(_)) => {
            event.paths.iter().any(|path| std::fs::symlink_metadata(path).map_or(true, |it| it.is_dir()))
        }
        _ => return false,
    };
    event.paths.iter().any(|path| path == root || is_folder && path.starts_with(root))
}

/// Whether it only tells that someone reads, as our own scans do.
fn is_read(kind: EventKind) -> bool {
    matches!(kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write))
}

#[cfg(unix)]
fn identity_of(found: &std::fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    (found.dev(), found.ino())
}

#[cfg(not(unix))]
fn identity_of(_: &std::fs::Metadata) -> Identity {
    (0, 0)
}
