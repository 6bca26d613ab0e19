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
use std::io::{self, ErrorKind};

use super::disk::{Handle, Mode, has_mode, is_temporary, temporary};
use super::place::NodeFolder;
use super::report::{Done, TreeChange, TreeReport};
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

/// Files that are written under temporary names, in the folder of all, where no pod's folder
/// can have such a name.
#[derive(Default)]
pub(super) struct Prepared {
    root: Option<Handle>,
    /// The temporary name, the path below the folder, and what that will be.
    files: Vec<(String, String, Done)>,
    /// The folders that have other entries then.
    touched: BTreeSet<String>,
}

impl Prepared {
    /// Whether nothing was changed yet and nothing will be.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty() && self.touched.is_empty()
    }
}

/// Writes what is not there yet, or is otherwise, under temporary names; to disk, if it
/// `syncs`.
pub(super) fn prepare(
    dir: &Handle,
    data: &Data,
    syncs: bool,
    prepared: &mut Prepared,
    report: &mut TreeReport,
) -> Result<(), Failed> {
    if data.folders.is_empty() { Ok(()) } else { try_prepare(dir, data, syncs, prepared, report) }
}

/// Gives what was prepared its names.
pub(super) fn install(
    node: &NodeFolder,
    mut prepared: Prepared,
    syncs: bool,
    report: &mut TreeReport,
) -> Result<(), Failed> {
    let done = try_install(node, &mut prepared, syncs, report);
    forget(prepared);
    done
}

/// Removes what was prepared and got no name.
pub(super) fn forget(prepared: Prepared) {
    if let Some(root) = prepared.root {
        for (temporary, ..) in prepared.files {
            let _ = root.remove_file(&temporary);
        }
    }
}

/// Tells what the two would do.
pub(super) fn compare(dir: Option<&Handle>, node: &NodeFolder, data: &Data, report: &mut TreeReport) {
    let folder = dir.and_then(|dir| dir.open(FOLDER).ok());
    let there = folder.as_ref().and_then(|folder| list(folder).ok()).unwrap_or_default();
    for (path, file) in &data.files {
        match (there.get(path), &folder) {
            (Some(Entry::File), Some(folder)) if says(folder, path, file) => report.unchanged += 1,
            (Some(Entry::File | Entry::Other), _) => report.changes.push(change(node, path, Done::Rewritten)),
            _ => report.changes.push(change(node, path, Done::Created)),
        }
    }
    for (path, entry) in there {
        if entry != Entry::Folder && !data.files.contains_key(&path) && !is_temporary(&path) {
            report.changes.push(change(node, &path, Done::Removed));
        }
    }
}

/// What failed, by path below the folder.
pub(super) type Failed = (String, io::Error);

fn at(path: &str) -> impl FnOnce(io::Error) -> Failed {
    let path = path.to_owned();
    move |error| (path, error)
}

fn try_prepare(
    dir: &Handle,
    data: &Data,
    syncs: bool,
    prepared: &mut Prepared,
    report: &mut TreeReport,
) -> Result<(), Failed> {
    make(dir, FOLDER, PRIVATE).map_err(at(""))?;
    let root = prepared.root.insert(dir.open(FOLDER).map_err(at(""))?);
    clear(root).map_err(at(""))?;
    for path in &data.folders {
        let (folder, name) = parent(root, path).map_err(at(path))?;
        if make(&folder, name, OPEN).map_err(at(path))? {
            prepared.touched.insert(folder_of(path).to_owned());
        }
    }
    for (path, file) in &data.files {
        if says(root, path, file) {
            report.unchanged += 1;
            continue;
        }
        let (folder, name) = parent(root, path).map_err(at(path))?;
        let done = if folder.found(name).is_ok() { Done::Rewritten } else { Done::Created };
        let temporary = temporary(prepared.files.len());
        root.write(&temporary, &file.bytes, Some(file.mode), syncs).map_err(at(path))?;
        prepared.files.push((temporary, path.clone(), done));
        prepared.touched.insert(folder_of(path).to_owned());
    }
    Ok(())
}

/// Removes what a killed run left.
fn clear(root: &Handle) -> io::Result<()> {
    for entry in root.entries()? {
        let name = entry?.file_name();
        if let Some(name) = name.to_str().filter(|name| is_temporary(name)) {
            match root.remove_file(name) {
                Err(error) if error.kind() == ErrorKind::IsADirectory => root.remove_dir_all(name)?,
                done => done?,
            }
        }
    }
    Ok(())
}

fn try_install(
    node: &NodeFolder,
    prepared: &mut Prepared,
    syncs: bool,
    report: &mut TreeReport,
) -> Result<(), Failed> {
    let Some(root) = &prepared.root else { return Ok(()) };
    // What is left when one fails is what has no name yet.
    prepared.files.reverse();
    while let Some((temporary, path, done)) = prepared.files.last() {
        let (folder, name) = parent(root, path).map_err(at(path))?;
        if folder.found(name).is_ok_and(|found| found.is_dir()) {
            folder.remove_dir_all(name).map_err(at(path))?;
        }
        root.rename(temporary, &folder, name).map_err(at(path))?;
        report.changes.push(change(node, path, *done));
        prepared.files.pop();
    }
    if syncs && !prepared.touched.is_empty() {
        for path in &prepared.touched {
            open(root, path).and_then(|folder| folder.flush()).map_err(at(path))?;
        }
        root.flush().map_err(at(""))?;
    }
    Ok(())
}

/// Removes what is not to be there, from disk if it `syncs`. Whether there was any.
pub(super) fn clean(
    dir: &Handle,
    node: &NodeFolder,
    data: &Data,
    syncs: bool,
    report: &mut TreeReport,
) -> Result<bool, Failed> {
    let root = match dir.open(FOLDER) {
        Ok(root) => root,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err((String::new(), error)),
    };
    clear(&root).map_err(at(""))?;
    let mut touched = BTreeSet::new();
    // What stands in a folder goes before the folder.
    for (path, entry) in list(&root).map_err(at(""))?.into_iter().rev() {
        let (folder, name) = parent(&root, &path).map_err(at(&path))?;
        if entry == Entry::Folder && !data.folders.contains(&path) {
            folder.remove_dir(name).map_err(at(&path))?;
        } else if entry != Entry::Folder && !data.files.contains_key(&path) {
            folder.remove_file(name).map_err(at(&path))?;
            report.changes.push(change(node, &path, Done::Removed));
        } else {
            continue;
        }
        touched.insert(folder_of(&path).to_owned());
    }
    if data.folders.is_empty() {
        dir.remove_dir(FOLDER).map_err(at(""))?;
        return Ok(true);
    }
    let left = touched.iter().filter(|path| path.is_empty() || data.folders.contains(*path));
    for path in left.filter(|_| syncs) {
        open(&root, path).and_then(|folder| folder.flush()).map_err(at(path))?;
    }
    Ok(!touched.is_empty())
}

/// Makes a folder with these permissions, in place of what else may be there. Whether it
/// was not there before.
fn make(dir: &Handle, name: &str, mode: Mode) -> io::Result<bool> {
    let is_new = match dir.found(name) {
        Ok(found) if found.is_dir() && has_mode(&found, mode) => return Ok(false),
        Ok(found) if found.is_dir() => false,
        Ok(_) => {
            dir.remove_file(name)?;
            dir.create_dir(name)?;
            true
        }
        Err(_) => {
            dir.create_dir(name)?;
            true
        }
    };
    dir.permit(name, mode)?;
    Ok(is_new)
}

/// The folder at a path, through folders alone.
fn open(root: &Handle, path: &str) -> io::Result<Handle> {
    let mut dir = root.again()?;
    for name in path.split('/').filter(|name| !name.is_empty()) {
        dir = dir.open(name)?;
    }
    Ok(dir)
}

/// The folder that a path stands in, and its name there.
fn parent<'p>(root: &Handle, path: &'p str) -> io::Result<(Handle, &'p str)> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    Ok((open(root, folder)?, name))
}

/// The path of the folder that a path stands in.
fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Whether a file says just this, with these permissions.
fn says(root: &Handle, path: &str, file: &DataFile) -> bool {
    let says = |(folder, name): (Handle, &str)| folder.says(name, &file.bytes, Some(file.mode));
    parent(root, path).and_then(says).unwrap_or(false)
}

/// All that stands in a folder, by path.
fn list(root: &Handle) -> io::Result<BTreeMap<String, Entry>> {
    fn walk(dir: &Handle, path: &str, out: &mut BTreeMap<String, Entry>) -> io::Result<()> {
        for entry in dir.entries()? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let below = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
            let kind = entry.file_type()?;
            if kind.is_dir() {
                out.insert(below.clone(), Entry::Folder);
                walk(&dir.open(&name)?, &below, out)?;
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

/// A path below the folder as it is told.
pub(super) fn shown(node: &NodeFolder, path: &str) -> String {
    format!("{node}/{FOLDER}/{path}").trim_end_matches('/').to_owned()
}

fn change(node: &NodeFolder, path: &str, done: Done) -> TreeChange {
    TreeChange { path: shown(node, path), done }
}
