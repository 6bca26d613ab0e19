//! One node's folder: what is there against what is to be there.
//!
//! Everything goes through a handle of the folder, and links are not followed, so what
//! changes under a running dsrules cannot lead it elsewhere. A write is a hidden
//! temporary file in the same folder, synced, then renamed, then the folder is synced.
//! Files go before new ones come, because two pods may want the same port.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind, Read};

use cap_fs_ext::DirExt;
use cap_std::fs::Dir;

use super::data;
use super::disk::{TEMPORARY, create, flush, has_mode, open_file, replace};
use super::files::{Files, Text};
use super::index::{INDEX, Index, Written};
use super::manifest;
use super::place::{FileName, NodeFolder};
use super::report::{Done, TreeChange, TreeReport};
use crate::diagnostic::{Diagnostic, Place};
use crate::kube::Name;

/// The code of the diagnostic that a file is somebody else's.
const FOREIGN: &str = "tree-foreign";

/// The diagnostic of a failed file operation.
pub(super) fn failed(path: &str, done: &str, error: &io::Error) -> Diagnostic {
    Diagnostic::error("tree-io", format!("`{path}` in the tree cannot be {done}"))
        .at(Place::file(path))
        .because(error.to_string())
        .help("mend it and run the command again; everything else was done")
}

/// Removes what a killed run left in the tree's folder: a folder on its way in or out,
/// which holds an index and nothing else.
pub(super) fn clean(root: &Dir) {
    if let Ok(dir) = root.open_dir_nofollow(TEMPORARY) {
        let _ = dir.remove_file(TEMPORARY);
        let _ = dir.remove_file(INDEX);
        let _ = root.remove_dir(TEMPORARY);
    }
}

/// What an entry of a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    File,
    Link,
    Other,
}

struct Folder<'a> {
    dir: Dir,
    node: &'a NodeFolder,
    index: Index,
    indexed: bool,
    entries: BTreeMap<String, Entry>,
}

/// Makes a node's folder hold the files `wanted` of ours and no others of ours.
pub(super) fn sync(root: &Dir, node: &NodeFolder, wanted: &Files, report: &mut TreeReport) {
    let opened = match Folder::open(root, node, true) {
        Ok(None) if wanted.own.is_empty() => return,
        Ok(None) => Folder::make(root, node, wanted.own.keys(), wanted.written.clone()),
        Ok(Some(folder)) => Ok(folder),
        Err(told) => Err(told),
    };
    let mut folder = match opened {
        Ok(folder) => folder,
        Err(told) => return report.problems.push(told),
    };
    let before = report.changes.len();
    data::write(&folder.dir, node, &wanted.data, report);
    if let Err(error) = folder.mend(wanted, report) {
        report.problems.push(failed(node, "written", &error));
    }
    data::clean(&folder.dir, node, &wanted.data, report);
    if report.changes.len() > before
        && let Err(error) = flush(&folder.dir)
    {
        report.problems.push(failed(node, "written to disk", &error));
    }
    if wanted.own.is_empty()
        && let Err(error) = folder.leave(root)
    {
        report.problems.push(failed(node, "removed", &error));
    }
}

/// Tells what [`sync`] would do, and does nothing.
pub(super) fn compare(root: &Dir, node: &NodeFolder, wanted: &Files, report: &mut TreeReport) {
    let folder = match Folder::open(root, node, false) {
        Ok(Some(folder)) => folder,
        Ok(None) => return all_new(node, wanted, report),
        Err(told) => return report.problems.push(told),
    };
    let stale = folder.stale(wanted);
    report.changes.extend(stale.iter().map(|name| folder.change(name, Done::Removed)));
    for (file, text) in &wanted.own {
        match folder.todo(file, text) {
            Ok(None) => report.unchanged += 1,
            Ok(Some(done)) => report.changes.push(folder.change(file, done)),
            Err(told) => report.problems.push(told),
        }
    }
    data::compare(Some(&folder.dir), node, &wanted.data, report);
}

/// All files of a folder that is not there.
pub(super) fn all_new(node: &NodeFolder, wanted: &Files, report: &mut TreeReport) {
    let new = |file: &FileName| TreeChange { path: format!("{node}/{file}"), done: Done::Created };
    report.changes.extend(wanted.own.keys().map(new));
    data::compare(None, node, &wanted.data, report);
}

/// The names of the files of ours in a node's folder.
pub(super) fn own(root: &Dir, node: &NodeFolder) -> Result<Vec<String>, Diagnostic> {
    Ok(Folder::open(root, node, false)?.map_or_else(Vec::new, |folder| folder.stale(&Files::default())))
}

/// What stands in a file of ours in a node's folder; nothing in what a hand made a link.
pub(super) fn read(root: &Dir, node: &NodeFolder, name: &str) -> Result<Option<String>, Diagnostic> {
    let Some(folder) = Folder::open(root, node, false)? else { return Ok(None) };
    match folder.entries.get(name) {
        Some(Entry::Link) if folder.is_ours(name, Entry::Link) => Ok(Some(String::new())),
        Some(entry) if folder.is_ours(name, *entry) => {
            let mut text = Vec::new();
            let read = open_file(&folder.dir, name).and_then(|mut file| file.read_to_end(&mut text));
            read.map_err(|error| failed(&format!("{node}/{name}"), "read", &error))?;
            Ok(Some(String::from_utf8_lossy(&text).into_owned()))
        }
        _ => Ok(None),
    }
}

/// Makes one file of ours say this.
pub(super) fn put(root: &Dir, node: &NodeFolder, file: &FileName, text: &Text) -> Result<(), Diagnostic> {
    let mut folder = match Folder::open(root, node, true)? {
        Some(folder) => folder,
        None => Folder::make(root, node, std::iter::once(file), Written::default())?,
    };
    let Some(done) = folder.todo(file, text)? else { return Ok(()) };
    let mut files = folder.index.files.clone();
    files.insert(file.to_string());
    folder.write_index(files).map_err(|error| failed(node, "written", &error))?;
    folder.write(file, text, done)?;
    flush(&folder.dir).map_err(|error| failed(node, "written to disk", &error))
}

/// Removes one file of ours, and the folder if that was the last one.
pub(super) fn remove(root: &Dir, node: &NodeFolder, file: &FileName) -> Result<(), Diagnostic> {
    let Some(mut folder) = Folder::open(root, node, true)? else { return Ok(()) };
    let path = format!("{node}/{file}");
    folder.dir.remove_file(&**file).map_err(|error| failed(&path, "removed", &error))?;
    let mut files = folder.index.files.clone();
    files.remove(&**file);
    let done = folder.write_index(files).and_then(|()| flush(&folder.dir)).and_then(|()| folder.leave(root));
    done.map_err(|error| failed(node, "written", &error))
}

impl<'a> Folder<'a> {
    /// Opens the folder and lists it, and with `clean` removes what a killed run left in
    /// it; `None` when there is none.
    fn open(root: &Dir, node: &'a NodeFolder, clean: bool) -> Result<Option<Self>, Diagnostic> {
        let refuse = |what: &str| {
            Diagnostic::error("tree-node", format!("the folder of the node `{node}` {what}"))
                .at(Place::file(&**node))
                .help("move it away and run the command again; all other nodes were done")
        };
        match root.symlink_metadata(&**node) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(node, "opened", &error)),
            Ok(found) if found.is_symlink() => {
                return Err(refuse("is a link, and links are not followed"));
            }
            Ok(found) if !found.is_dir() => return Err(refuse("is not a folder")),
            Ok(_) => {}
        }
        let read = || {
            let dir = root.open_dir_nofollow(&**node)?;
            let mut entries = list(&dir)?;
            if entries.remove(TEMPORARY).is_some_and(|entry| entry != Entry::Other) && clean {
                dir.remove_file(TEMPORARY)?;
            }
            Ok((dir, entries))
        };
        let (dir, entries) = read().map_err(|error: io::Error| failed(node, "opened", &error))?;
        if entries.get(INDEX) == Some(&Entry::Other) {
            let path = format!("{node}/{INDEX}");
            let told = format!("`{path}` in the tree is not a file, but the index of dsrules is to be there");
            return Err(Diagnostic::error("tree-index", told)
                .at(Place::file(path))
                .help("move it away and run the command again; all other nodes were done"));
        }
        let index = Index::read(&dir, node);
        let indexed = index.is_some();
        let index = index.unwrap_or_else(|| Index { node: node.to_string(), ..Index::default() });
        Ok(Some(Folder { dir, node, index, indexed, entries }))
    }

    /// Makes the folder, with its index in it when it appears.
    fn make<'f>(
        root: &Dir,
        node: &'a NodeFolder,
        files: impl Iterator<Item = &'f FileName>,
        written: Written,
    ) -> Result<Self, Diagnostic> {
        let files = files.map(ToString::to_string).collect();
        Folder::made(root, node, files, written).map_err(|error| {
            clean(root);
            failed(node, "made", &error)
        })
    }

    fn made(root: &Dir, node: &'a NodeFolder, files: BTreeSet<String>, written: Written) -> io::Result<Self> {
        let index = Index { node: node.to_string(), made: true, files, written };
        root.create_dir(TEMPORARY)?;
        let dir = root.open_dir_nofollow(TEMPORARY)?;
        index.write(&dir)?;
        flush(&dir)?;
        root.rename(TEMPORARY, root, &**node)?;
        Ok(Folder { dir, node, index, indexed: true, entries: BTreeMap::new() })
    }

    /// Whether an entry is ours: in the index, or a file whose first line says so.
    fn is_ours(&self, name: &str, entry: Entry) -> bool {
        if entry == Entry::Other || !FileName::may_be_ours(name) {
            return false;
        }
        self.index.files.contains(name) || (entry == Entry::File && self.has_header(name))
    }

    fn has_header(&self, name: &str) -> bool {
        let header = manifest::header(self.node, name);
        let mut start = Vec::with_capacity(header.len());
        let read = open_file(&self.dir, name)
            .and_then(|file| file.take(header.len() as u64).read_to_end(&mut start));
        read.is_ok() && start == header.as_bytes()
    }

    /// Whether a file says just this, with the permissions that it has to have.
    fn says(&self, name: &str, text: &Text) -> io::Result<bool> {
        let file = open_file(&self.dir, name)?;
        let (found, length) = (file.metadata()?, text.text.len());
        if found.len() != length as u64 || text.mode().is_some_and(|mode| !has_mode(&found, mode)) {
            return Ok(false);
        }
        let mut content = Vec::with_capacity(length);
        file.take(length as u64).read_to_end(&mut content)?;
        Ok(content == text.text.as_bytes())
    }

    fn mend(&mut self, wanted: &Files, report: &mut TreeReport) -> io::Result<()> {
        let stale = self.stale(wanted);
        let mut files = BTreeSet::new();
        let mut writes = Vec::new();
        for (file, text) in &wanted.own {
            match self.todo(file, text) {
                Ok(None) => report.unchanged += 1,
                Ok(Some(done)) => writes.push((file, text, done)),
                Err(told) => {
                    report.problems.push(told);
                    continue;
                }
            }
            files.insert(file.to_string());
        }
        let rewritten = self.index.written != wanted.written;
        self.index.written = wanted.written.clone();
        self.indexed &= !rewritten;
        if !writes.is_empty() {
            self.write_index(files.iter().chain(&stale).cloned().collect())?;
        }
        for name in stale {
            match self.dir.remove_file(&name) {
                Ok(()) => report.changes.push(self.change(&name, Done::Removed)),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    report.problems.push(failed(&format!("{}/{name}", self.node), "removed", &error));
                    files.insert(name);
                }
            }
        }
        for (file, text, done) in writes {
            match self.write(file, text, done) {
                Ok(()) => report.changes.push(self.change(file, done)),
                Err(told) => {
                    if told.code == FOREIGN {
                        files.remove(&**file);
                    }
                    report.problems.push(told);
                }
            }
        }
        if self.indexed || rewritten || !files.is_empty() {
            self.write_index(files)?;
        }
        Ok(())
    }

    /// Writes a file as it was found that it has to be: one that is created is not there.
    fn write(&self, file: &FileName, text: &Text, done: Done) -> Result<(), Diagnostic> {
        let (bytes, mode) = (text.text.as_bytes(), text.mode());
        let wrote = match done {
            Done::Created => create(&self.dir, file, bytes, mode),
            Done::Rewritten | Done::Removed => replace(&self.dir, file, bytes, mode),
        };
        wrote.map_err(|error| {
            if done == Done::Created && error.kind() == ErrorKind::AlreadyExists {
                self.foreign(file)
            } else {
                failed(&format!("{}/{file}", self.node), "written", &error)
            }
        })
    }

    /// The files of ours that are not wanted.
    fn stale(&self, wanted: &Files) -> Vec<String> {
        let entries = self.entries.iter();
        let ours =
            entries.filter(|(name, it)| !wanted.own.contains_key(name.as_str()) && self.is_ours(name, **it));
        ours.map(|(name, _)| name.clone()).collect()
    }

    /// What is to be done to a file; `None` when it is just so.
    fn todo(&self, file: &FileName, text: &Text) -> Result<Option<Done>, Diagnostic> {
        let Some(entry) = self.entries.get(&**file) else { return Ok(Some(Done::Created)) };
        let same = *entry == Entry::File
            && self
                .says(file, text)
                .map_err(|error| failed(&format!("{}/{file}", self.node), "read", &error))?;
        if same {
            Ok(None)
        } else if self.is_ours(file, *entry) {
            Ok(Some(Done::Rewritten))
        } else {
            Err(self.foreign(file))
        }
    }

    /// Writes the index where it differs.
    fn write_index(&mut self, files: BTreeSet<String>) -> io::Result<()> {
        if self.indexed && self.index.files == files {
            return Ok(());
        }
        self.index.files = files;
        self.index.write(&self.dir)?;
        self.indexed = true;
        flush(&self.dir)
    }

    fn change(&self, name: &str, done: Done) -> TreeChange {
        TreeChange { path: format!("{}/{name}", self.node), done }
    }

    fn foreign(&self, file: &FileName) -> Diagnostic {
        let path = format!("{}/{file}", self.node);
        Diagnostic::error(FOREIGN, format!("`{path}` in the tree was not written by dsrules"))
            .at(Place::file(path))
            .because("a pod's file is to be there, and files of others are left alone")
            .help("move it away and run the command again; everything else was done")
    }

    /// Takes our index away, and the folder if we made it and nothing else is in it.
    fn leave(self, root: &Dir) -> io::Result<()> {
        let Folder { dir, node, index, indexed, .. } = self;
        if !indexed || !index.files.is_empty() {
            return Ok(());
        }
        if !index.made {
            return dir.remove_file(INDEX).and_then(|()| flush(&dir));
        }
        if list(&dir)?.len() > 1 {
            // Of others. The index stays and says that the folder is ours.
            return Ok(());
        }
        root.rename(&**node, root, TEMPORARY)?;
        dir.remove_file(INDEX)?;
        match root.remove_dir(TEMPORARY) {
            // Somebody put a file in meanwhile: the folder is theirs now.
            Err(_) => root.rename(TEMPORARY, root, &**node),
            Ok(()) => flush(root),
        }
    }
}

fn list(dir: &Dir) -> io::Result<BTreeMap<String, Entry>> {
    let mut entries = BTreeMap::new();
    for entry in dir.entries()? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let kind = if kind.is_file() {
            Entry::File
        } else if kind.is_symlink() {
            Entry::Link
        } else {
            Entry::Other
        };
        // A name that is no text is not ours, but it is there.
        entries.insert(entry.file_name().to_string_lossy().into_owned(), kind);
    }
    Ok(entries)
}

/// The folders, beside those of `known` nodes, that hold something of ours.
pub(super) fn others<V>(
    root: &Dir,
    known: &BTreeMap<Name, V>,
    clean: bool,
    report: &mut TreeReport,
) -> Vec<NodeFolder> {
    let entries = match root.entries() {
        Ok(entries) => entries,
        Err(error) => {
            report.problems.push(failed(".", "listed", &error));
            return Vec::new();
        }
    };
    let mut found: Vec<NodeFolder> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| NodeFolder::new(entry.file_name().to_str()?).ok())
        .filter(|node| !known.contains_key(&**node))
        .filter(|node| {
            // One that cannot be read is of others, or is reported when its node is wanted.
            Folder::open(root, node, clean).ok().flatten().is_some_and(|folder| {
                folder.indexed || folder.entries.iter().any(|(name, entry)| folder.is_ours(name, *entry))
            })
        })
        .collect();
    found.sort();
    found
}
