//! One node's folder: what is there against what is to be there.
//!
//! Everything goes through a handle of the folder, and links are not followed, so what
//! changes under a running dsrules cannot lead it elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind, Read};

use super::data;
use super::disk::{Handle, is_temporary, temporary};
use super::files::{Files, Text};
use super::index::{INDEX, Index};
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

/// What an entry of a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    File,
    Link,
    Other,
}

/// A node's folder, opened.
pub(super) struct Folder<'a> {
    pub(super) dir: Handle,
    pub(super) node: &'a NodeFolder,
    pub(super) index: Index,
    /// Whether that is what the index on the disk says.
    pub(super) indexed: bool,
    entries: BTreeMap<String, Entry>,
    /// How many temporary files were named.
    temporaries: usize,
}

/// Tells what [`sync`] would do, and does nothing.
pub(super) fn compare(root: &Handle, node: &NodeFolder, wanted: &Files, report: &mut TreeReport) {
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
pub(super) fn own(root: &Handle, node: &NodeFolder) -> Result<Vec<String>, Diagnostic> {
    Ok(Folder::open(root, node, false)?.map_or_else(Vec::new, |folder| folder.stale(&Files::default())))
}

/// What stands in a file of ours in a node's folder; nothing in what a hand made a link.
pub(super) fn read(root: &Handle, node: &NodeFolder, name: &str) -> Result<Option<String>, Diagnostic> {
    let Some(folder) = Folder::open(root, node, false)? else { return Ok(None) };
    match folder.entries.get(name) {
        Some(Entry::Link) if folder.is_ours(name, Entry::Link) => Ok(Some(String::new())),
        Some(entry) if folder.is_ours(name, *entry) => {
            let mut text = Vec::new();
            let read = folder.dir.file(name).and_then(|mut file| file.read_to_end(&mut text));
            read.map_err(|error| failed(&format!("{node}/{name}"), "read", &error))?;
            Ok(Some(String::from_utf8_lossy(&text).into_owned()))
        }
        _ => Ok(None),
    }
}

impl<'a> Folder<'a> {
    /// Opens the folder and lists it, and with `clean` removes what a killed run left in
    /// it; `None` when there is none.
    pub(super) fn open(root: &Handle, node: &'a NodeFolder, clean: bool) -> Result<Option<Self>, Diagnostic> {
        let refuse = |what: &str| {
            Diagnostic::error("tree-node", format!("the folder of the node `{node}` {what}"))
                .at(Place::file(&**node))
                .help("move it away and run the command again; all other nodes were done")
        };
        match root.found(node) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(node, "opened", &error)),
            Ok(found) if found.is_symlink() => {
                return Err(refuse("is a link, and links are not followed"));
            }
            Ok(found) if !found.is_dir() => return Err(refuse("is not a folder")),
            Ok(_) => {}
        }
        let read = || {
            let dir = root.open(node)?;
            let mut entries = list(&dir)?;
            let temporary: Vec<String> = entries.keys().filter(|name| is_temporary(name)).cloned().collect();
            for name in temporary {
                if entries.remove(&name).is_some_and(|entry| entry != Entry::Other) && clean {
                    dir.remove_file(&name)?;
                }
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
        Ok(Some(Folder { dir, node, index, indexed, entries, temporaries: 0 }))
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
        let read =
            self.dir.file(name).and_then(|file| file.take(header.len() as u64).read_to_end(&mut start));
        read.is_ok() && start == header.as_bytes()
    }

    /// The files of ours that are not wanted.
    pub(super) fn stale(&self, wanted: &Files) -> Vec<String> {
        let entries = self.entries.iter();
        let ours =
            entries.filter(|(name, it)| !wanted.own.contains_key(name.as_str()) && self.is_ours(name, **it));
        ours.map(|(name, _)| name.clone()).collect()
    }

    /// What is to be done to a file; `None` when it is just so.
    pub(super) fn todo(&self, file: &FileName, text: &Text) -> Result<Option<Done>, Diagnostic> {
        let Some(entry) = self.entries.get(&**file) else { return Ok(Some(Done::Created)) };
        let same = *entry == Entry::File
            && self
                .dir
                .says(file, text.text.as_bytes(), text.mode())
                .map_err(|error| failed(&format!("{}/{file}", self.node), "read", &error))?;
        if same {
            Ok(None)
        } else if self.is_ours(file, *entry) {
            Ok(Some(Done::Rewritten))
        } else {
            Err(self.foreign(file))
        }
    }

    /// Whether something has this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// A name for one more temporary file.
    pub(super) fn temporary(&mut self) -> String {
        self.temporaries += 1;
        temporary(self.temporaries - 1)
    }

    /// Whether the index has to be written to name just these files.
    pub(super) fn index_differs(&self, files: &BTreeSet<String>) -> bool {
        !self.indexed || self.index.files != *files
    }

    /// Writes an index that names these files under a temporary name, which it gives.
    pub(super) fn prepare_index(&mut self, files: BTreeSet<String>, syncs: bool) -> io::Result<String> {
        self.index.files = files;
        // Until it has its name, what is there is another.
        self.indexed = false;
        let (text, temporary) = (self.index.text()?, self.temporary());
        self.dir.write(&temporary, text.as_bytes(), None, syncs)?;
        Ok(temporary)
    }

    /// Makes what was prepared the index.
    pub(super) fn install_index(&mut self, temporary: &str) -> io::Result<()> {
        let done = self.dir.rename(temporary, &self.dir, INDEX);
        if done.is_err() {
            let _ = self.dir.remove_file(temporary);
        }
        self.indexed = done.is_ok();
        done
    }

    /// Writes the index where it differs, to disk.
    pub(super) fn write_index(&mut self, files: BTreeSet<String>) -> io::Result<()> {
        if !self.index_differs(&files) {
            return Ok(());
        }
        let temporary = self.prepare_index(files, true)?;
        self.install_index(&temporary)?;
        self.dir.flush()
    }

    /// Writes a file under a temporary name, which it gives.
    pub(super) fn prepare(&mut self, text: &Text, syncs: bool) -> io::Result<String> {
        let temporary = self.temporary();
        self.dir.write(&temporary, text.text.as_bytes(), text.mode(), syncs)?;
        Ok(temporary)
    }

    /// Gives a file its name as it was found that it has to be: where one is created there is
    /// none.
    pub(super) fn install(&self, temporary: &str, file: &FileName, done: Done) -> Result<(), io::Error> {
        let named = match done {
            Done::Created => self.dir.rename_new(temporary, file),
            Done::Rewritten | Done::Removed => self.dir.rename(temporary, &self.dir, file),
        };
        if named.is_err() {
            let _ = self.dir.remove_file(temporary);
        }
        named
    }

    pub(super) fn change(&self, name: &str, done: Done) -> TreeChange {
        TreeChange { path: format!("{}/{name}", self.node), done }
    }

    pub(super) fn foreign(&self, file: &FileName) -> Diagnostic {
        let path = format!("{}/{file}", self.node);
        Diagnostic::error(FOREIGN, format!("`{path}` in the tree was not written by dsrules"))
            .at(Place::file(path))
            .because("a pod's file is to be there, and files of others are left alone")
            .help("move it away and run the command again; everything else was done")
    }

    /// Takes our index away, and the folder, by way of a temporary name, if we made it and
    /// nothing else is in it. Whether it did.
    pub(super) fn leave(self, root: &Handle, temporary: &str, syncs: bool) -> io::Result<bool> {
        let Folder { dir, node, index, indexed, .. } = self;
        // What is left of the files of volumes is known by the index.
        if !indexed || !index.files.is_empty() || dir.found(data::FOLDER).is_ok() {
            return Ok(false);
        }
        let flush = |dir: &Handle| if syncs { dir.flush() } else { Ok(()) };
        if !index.made {
            dir.remove_file(INDEX)?;
            return flush(&dir).map(|()| true);
        }
        if list(&dir)?.len() > 1 {
            // Of others. The index stays and says that the folder is ours.
            return Ok(false);
        }
        root.rename(node, root, temporary)?;
        root.open(temporary)?.remove_file(INDEX)?;
        match root.remove_dir(temporary) {
            // Somebody put a file in meanwhile: the folder is theirs now.
            Err(_) => root.rename_folder(temporary, node)?,
            Ok(()) => flush(root)?,
        }
        Ok(true)
    }
}

fn list(dir: &Handle) -> io::Result<BTreeMap<String, Entry>> {
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
    root: &Handle,
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
