//! What a killed run left in the tree's folder: folders on their way in or out.
//!
//! One on its way in has a name of its own and holds nothing but what dsrules put there. One on
//! its way out holds an index, or what somebody put in meanwhile.

use std::io;

use super::data;
use super::disk::{Handle, TEMPORARY, is_numbered, is_temporary, numbered};
use super::index::INDEX;
use super::place::FileName;

/// How the names of folders on their way in begin.
const NEW: &str = ".dsrules.new";

/// The name of the n-th folder on its way in.
pub(super) fn new(nth: usize) -> String {
    numbered(NEW, nth)
}

/// Removes all that there is.
pub(super) fn clean(root: &Handle) {
    let Ok(entries) = root.entries() else { return };
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if is_numbered(name, TEMPORARY) || is_numbered(name, NEW) {
            // What cannot be removed is in the way when it comes to that, and told then.
            let _ = remove(root, name);
        }
    }
}

/// Removes one, but for what others may have put in.
pub(super) fn remove(root: &Handle, name: &str) -> io::Result<()> {
    let dir = root.open(name)?;
    let is_new = is_numbered(name, NEW);
    for entry in dir.entries()? {
        let entry = entry?.file_name();
        let Some(entry) = entry.to_str() else { continue };
        if entry == data::FOLDER && is_new {
            dir.remove_dir_all(entry)?;
        } else if entry == INDEX || is_temporary(entry) || is_new && FileName::may_be_ours(entry) {
            dir.remove_file(entry)?;
        }
    }
    root.remove_dir(name)
}
