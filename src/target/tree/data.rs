//! The files of volumes, beside the pods that mount them: `.dsrules.files` in a node's
//! folder, one folder a pod in it, one a volume in that.
//!
//! They have no first line that could say whose they are, so the whole folder is dsrules'
//! own, whatever stands in it. Nobody but its owner looks into it: what a Secret holds is
//! in there with the permissions that the pod asks for, and a container that mounts a
//! folder out of its middle is not kept from it.
//!
//! Files are written before the pods that mount them, and go after them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind, Read};

use cap_fs_ext::DirExt;
use cap_std::fs::Dir;

use super::disk::{Mode, TEMPORARY, flush, give_mode, has_mode, open_file, replace};
use super::place::NodeFolder;
use super::report::{Done, TreeChange, TreeReport};
use crate::diagnostic::{Diagnostic, Place};
use crate::target::standalone::DataFile;

/// The folder.
pub(super) const FOLDER: &str = ".dsrules.files";

/// Of the folder itself, and of those in it.
const PRIVATE: Mode = 0o700;
const OPEN: Mode = 0o755;

/// What is to stand in the folder, by path below it.
#[derive(Debug, Clone, Default)]
pub(super) struct Data {
    pub(super) folders: BTreeSet<String>,
    pub(super) files: BTreeMap<String, DataFile>,
}

impl Data {
    /// Adds a folder with its files.
    pub(super) fn add(&mut self, folder: &str, files: BTreeMap<String, DataFile>) {
        self.folder(folder);
        for (path, file) in files {
            let path = format!("{folder}/{path}");
            if let Some((folder, _)) = path.rsplit_once('/') {
                self.folder(folder);
            }
            self.files.insert(path, file);
        }
    }

    /// A folder, with those that it stands in.
    fn folder(&mut self, path: &str) {
        for (at, _) in path.match_indices('/') {
            self.folders.insert(path[..at].to_owned());
        }
        self.folders.insert(path.to_owned());
    }
}

/// What stands somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Folder,
    File,
    Other,
}

/// Writes what is not there yet, or is otherwise.
pub(super) fn write(dir: &Dir, node: &NodeFolder, data: &Data, report: &mut TreeReport) {
    if !data.folders.is_empty()
        && let Err((path, error)) = try_write(dir, node, data, report)
    {
        report.problems.push(failed(node, &path, "written", &error));
    }
}

/// Removes what is not to be there.
pub(super) fn clean(dir: &Dir, node: &NodeFolder, data: &Data, report: &mut TreeReport) {
    if let Err((path, error)) = try_clean(dir, node, data, report) {
        report.problems.push(failed(node, &path, "removed", &error));
    }
}

/// Tells what the two would do.
pub(super) fn compare(dir: Option<&Dir>, node: &NodeFolder, data: &Data, report: &mut TreeReport) {
    let folder = dir.and_then(|dir| dir.open_dir_nofollow(FOLDER).ok());
    let there = folder.as_ref().and_then(|folder| list(folder).ok()).unwrap_or_default();
    for (path, file) in &data.files {
        match (there.get(path), &folder) {
            (Some(Entry::File), Some(folder)) if says(folder, path, file) => report.unchanged += 1,
            (Some(Entry::File | Entry::Other), _) => report.changes.push(change(node, path, Done::Rewritten)),
            _ => report.changes.push(change(node, path, Done::Created)),
        }
    }
    for (path, entry) in there {
        if entry != Entry::Folder && !data.files.contains_key(&path) {
            report.changes.push(change(node, &path, Done::Removed));
        }
    }
}

type Failed = (String, io::Error);

fn try_write(dir: &Dir, node: &NodeFolder, data: &Data, report: &mut TreeReport) -> Result<(), Failed> {
    let at = |path: &str| {
        let path = path.to_owned();
        move |error| (path, error)
    };
    make(dir, FOLDER, PRIVATE).map_err(at(""))?;
    let root = dir.open_dir_nofollow(FOLDER).map_err(at(""))?;
    for path in &data.folders {
        let (folder, name) = parent(&root, path).map_err(at(path))?;
        make(&folder, name, OPEN).map_err(at(path))?;
    }
    let mut changed = BTreeSet::new();
    for (path, file) in &data.files {
        if says(&root, path, file) {
            report.unchanged += 1;
            continue;
        }
        let (folder, name) = parent(&root, path).map_err(at(path))?;
        let done = match folder.symlink_metadata(name) {
            Ok(found) if found.is_dir() => {
                folder.remove_dir_all(name).map_err(at(path))?;
                Done::Rewritten
            }
            Ok(_) => Done::Rewritten,
            Err(_) => Done::Created,
        };
        // What a killed run left of it.
        let _ = folder.remove_file(TEMPORARY);
        replace(&folder, name, &file.bytes, Some(file.mode)).map_err(at(path))?;
        changed.insert(path.rsplit_once('/').map_or("", |(folder, _)| folder));
        report.changes.push(change(node, path, done));
    }
    for path in changed {
        open(&root, path).and_then(|folder| flush(&folder)).map_err(at(path))?;
    }
    Ok(())
}

fn try_clean(dir: &Dir, node: &NodeFolder, data: &Data, report: &mut TreeReport) -> Result<(), Failed> {
    let at = |path: &str| {
        let path = path.to_owned();
        move |error| (path, error)
    };
    let root = match dir.open_dir_nofollow(FOLDER) {
        Ok(root) => root,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err((String::new(), error)),
    };
    // What stands in a folder goes before the folder.
    for (path, entry) in list(&root).map_err(at(""))?.into_iter().rev() {
        let (folder, name) = parent(&root, &path).map_err(at(&path))?;
        if entry == Entry::Folder && !data.folders.contains(&path) {
            folder.remove_dir(name).map_err(at(&path))?;
        } else if entry != Entry::Folder && !data.files.contains_key(&path) {
            folder.remove_file(name).map_err(at(&path))?;
            report.changes.push(change(node, &path, Done::Removed));
        }
    }
    if data.folders.is_empty() {
        dir.remove_dir(FOLDER).map_err(at(""))?;
    }
    Ok(())
}

/// Makes a folder with these permissions, in place of what else may be there.
fn make(dir: &Dir, name: &str, mode: Mode) -> io::Result<()> {
    match dir.symlink_metadata(name) {
        Ok(found) if found.is_dir() && has_mode(&found, mode) => return Ok(()),
        Ok(found) if found.is_dir() => {}
        Ok(_) => {
            dir.remove_file(name)?;
            dir.create_dir(name)?;
        }
        Err(_) => dir.create_dir(name)?,
    }
    give_mode(dir, name, mode)
}

/// The folder at a path, through folders alone.
fn open(root: &Dir, path: &str) -> io::Result<Dir> {
    let mut dir = root.try_clone()?;
    for name in path.split('/').filter(|name| !name.is_empty()) {
        dir = dir.open_dir_nofollow(name)?;
    }
    Ok(dir)
}

/// The folder that a path stands in, and its name there.
fn parent<'p>(root: &Dir, path: &'p str) -> io::Result<(Dir, &'p str)> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    Ok((open(root, folder)?, name))
}

/// Whether a file says just this, with these permissions.
fn says(root: &Dir, path: &str, file: &DataFile) -> bool {
    let read = || -> io::Result<bool> {
        let (folder, name) = parent(root, path)?;
        let mut content = Vec::new();
        let found = open_file(&folder, name)?;
        let same = has_mode(&found.metadata()?, file.mode);
        found.take(file.bytes.len() as u64 + 1).read_to_end(&mut content)?;
        Ok(same && content == file.bytes)
    };
    read().unwrap_or(false)
}

/// All that stands in a folder, by path.
fn list(root: &Dir) -> io::Result<BTreeMap<String, Entry>> {
    fn walk(dir: &Dir, path: &str, out: &mut BTreeMap<String, Entry>) -> io::Result<()> {
        for entry in dir.entries()? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let below = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
            let kind = entry.file_type()?;
            if kind.is_dir() {
                out.insert(below.clone(), Entry::Folder);
                walk(&dir.open_dir_nofollow(&name)?, &below, out)?;
            } else {
                out.insert(below, if kind.is_file() { Entry::File } else { Entry::Other });
            }
        }
        Ok(())
    }
    let mut out = BTreeMap::new();
    walk(root, "", &mut out)?;
    Ok(out)
}

fn shown(node: &NodeFolder, path: &str) -> String {
    format!("{node}/{FOLDER}/{path}").trim_end_matches('/').to_owned()
}

fn change(node: &NodeFolder, path: &str, done: Done) -> TreeChange {
    TreeChange { path: shown(node, path), done }
}

fn failed(node: &NodeFolder, path: &str, done: &str, error: &io::Error) -> Diagnostic {
    let path = shown(node, path);
    Diagnostic::error("tree-io", format!("`{path}` in the tree cannot be {done}"))
        .at(Place::file(path))
        .because(error.to_string())
        .help("mend it and run the command again; everything else was done")
}
