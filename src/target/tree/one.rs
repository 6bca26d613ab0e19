//! One pod's file written or removed by itself, for the tree as a target.

use std::collections::BTreeSet;
use std::io;

use super::disk::{Handle, temporary};
use super::files::Text;
use super::folder::{Folder, failed};
use super::index::{INDEX, Index};
use super::leftovers;
use super::place::{FileName, NodeFolder};
use super::report::Done;
use crate::diagnostic::Diagnostic;

/// Makes one file of ours say this.
pub(super) fn put(root: &Handle, node: &NodeFolder, file: &FileName, text: &Text) -> Result<(), Diagnostic> {
    let mut folder = match Folder::open(root, node, true)? {
        Some(folder) => folder,
        None => make(root, node, file)?,
    };
    let Some(done) = folder.todo(file, text)? else { return Ok(()) };
    let mut files = folder.index.files.clone();
    files.insert(file.to_string());
    folder.write_index(files).map_err(|error| failed(node, "written", &error))?;
    let written = folder.prepare(text, true).and_then(|temporary| folder.install(&temporary, file, done));
    written.map_err(|error| {
        if done == Done::Created && error.kind() == io::ErrorKind::AlreadyExists {
            folder.foreign(file)
        } else {
            failed(&format!("{node}/{file}"), "written", &error)
        }
    })?;
    folder.dir.flush().map_err(|error| failed(node, "written to disk", &error))
}

/// Makes the folder, with its index in it when it appears.
fn make<'a>(root: &Handle, node: &'a NodeFolder, file: &FileName) -> Result<Folder<'a>, Diagnostic> {
    let name = leftovers::new(0);
    let made = || {
        let files = BTreeSet::from([file.to_string()]);
        let index = Index { node: node.to_string(), made: true, files, ..Index::default() };
        root.create_dir(&name)?;
        let dir = root.open(&name)?;
        dir.write(INDEX, index.text()?.as_bytes(), None, true)?;
        dir.flush()?;
        root.rename_folder(&name, node)
    };
    made().map_err(|error| {
        let _ = leftovers::remove(root, &name);
        failed(node, "made", &error)
    })?;
    let gone = || failed(node, "opened", &io::ErrorKind::NotFound.into());
    Folder::open(root, node, false)?.ok_or_else(gone)
}

/// Removes one file of ours, and the folder if that was the last one.
pub(super) fn remove(root: &Handle, node: &NodeFolder, file: &FileName) -> Result<(), Diagnostic> {
    let Some(mut folder) = Folder::open(root, node, true)? else { return Ok(()) };
    let path = format!("{node}/{file}");
    folder.dir.remove_file(file).map_err(|error| failed(&path, "removed", &error))?;
    let mut files = folder.index.files.clone();
    files.remove(&**file);
    let done = folder
        .dir
        .flush()
        .and_then(|()| folder.write_index(files))
        .and_then(|()| folder.leave(root, &temporary(0), true));
    done.map(drop).map_err(|error| failed(node, "written", &error))
}
