//! A folder by its handle, and all that is done in it: links are not followed, and each
//! step that changes something is told to who looks on before it is taken.
//!
//! Nobody looks on but a test, which may refuse a step, as a full disk or the end of the
//! process would, and plays back what was done on a disk that loses what was not synced.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::fs::{Dir, File, Metadata, OpenOptions};

use super::durable;

/// How the names of all temporary files and folders begin. Where there is but one, this is
/// its name.
pub(super) const TEMPORARY: &str = ".dsrules.tmp";

/// The name of the n-th temporary file of a folder, or of the n-th folder on its way out.
pub(super) fn temporary(nth: usize) -> String {
    numbered(TEMPORARY, nth)
}

/// Whether a name is that of a temporary file.
pub(super) fn is_temporary(name: &str) -> bool {
    is_numbered(name, TEMPORARY)
}

/// The name itself, or with a number behind it.
pub(super) fn numbered(name: &str, nth: usize) -> String {
    if nth == 0 { name.to_owned() } else { format!("{name}-{nth}") }
}

/// Whether something has a name, or that with a number behind it.
pub(super) fn is_numbered(found: &str, name: &str) -> bool {
    let Some(rest) = found.strip_prefix(name) else { return false };
    let number = rest.strip_prefix('-').unwrap_or("0");
    (rest.is_empty() || rest.starts_with('-'))
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Permissions, as `chmod` takes them.
pub(super) type Mode = u32;

/// A step that changes something on the disk. Paths are those below the tree's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A folder is made.
    MakeFolder(String),
    /// An empty folder is removed.
    RemoveFolder(String),
    /// A folder is removed with all that is in it.
    RemoveAll(String),
    /// An empty file is made, where nothing is.
    Make(String),
    /// A new file is filled.
    Fill(String, Vec<u8>),
    /// Something is given its permissions.
    Permit(String),
    /// A file's content is made to last.
    SyncFile(String),
    /// The entries of a folder are made to last.
    SyncFolder(String),
    /// All of the file system is made to last.
    SyncAll,
    /// A file or folder gets another name, where nothing is if `is_new`.
    Rename {
        /// Its name until now.
        from: String,
        /// Its name from now on.
        to: String,
        /// Whether nothing may be there.
        is_new: bool,
    },
    /// A file gets another name beside the one it has.
    Link(String, String),
    /// A file is removed.
    Remove(String),
}

/// Who looks on.
pub trait Witness: Send + Sync {
    /// Is told of a step before it is taken. What fails here is not done.
    ///
    /// # Errors
    /// Where the step is to fail.
    fn before(&self, step: Step) -> io::Result<()>;

    /// Whether files are to be made to last all at once, where that is not for the file
    /// system and their number to decide.
    fn together(&self) -> Option<bool>;
}

/// A folder. The system's handle of it is only good for paths.
pub(super) struct Handle {
    dir: Dir,
    /// Below the tree's folder.
    path: String,
    witness: Option<Arc<dyn Witness>>,
}

impl Handle {
    /// The folder that all paths start from.
    pub(super) fn new(dir: Dir, witness: Option<Arc<dyn Witness>>) -> Self {
        Handle { dir, path: String::new(), witness }
    }

    /// Who looks on.
    pub(super) fn witness(&self) -> Option<&dyn Witness> {
        self.witness.as_deref()
    }

    fn at(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) }
    }

    fn step(&self, step: impl FnOnce() -> Step) -> io::Result<()> {
        self.witness.as_ref().map_or(Ok(()), |witness| witness.before(step()))
    }

    /// A folder in this one; a link is none.
    pub(super) fn open(&self, name: &str) -> io::Result<Handle> {
        Ok(Handle {
            dir: self.dir.open_dir_nofollow(name)?,
            path: self.at(name),
            witness: self.witness.clone(),
        })
    }

    pub(super) fn again(&self) -> io::Result<Handle> {
        Ok(Handle { dir: self.dir.try_clone()?, path: self.path.clone(), witness: self.witness.clone() })
    }

    pub(super) fn entries(&self) -> io::Result<cap_std::fs::ReadDir> {
        self.dir.entries()
    }

    /// What is there, and be it a link.
    pub(super) fn found(&self, name: &str) -> io::Result<Metadata> {
        self.dir.symlink_metadata(name)
    }

    /// Opens a regular file for reading, never through a link; a pipe is not waited for.
    pub(super) fn file(&self, name: &str) -> io::Result<File> {
        let how = OpenOptions::new().read(true).follow(FollowSymlinks::No).nonblock(true).to_owned();
        let file = self.dir.open_with(name, &how)?;
        if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a file")) }
    }

    /// Whether there is a file that says just this, with these permissions if any are asked for.
    pub(super) fn says(&self, name: &str, bytes: &[u8], mode: Option<Mode>) -> io::Result<bool> {
        let file = self.file(name)?;
        let found = file.metadata()?;
        if found.len() != bytes.len() as u64 || mode.is_some_and(|mode| !has_mode(&found, mode)) {
            return Ok(false);
        }
        let mut content = Vec::with_capacity(bytes.len());
        file.take(bytes.len() as u64).read_to_end(&mut content)?;
        Ok(content == bytes)
    }

    /// The folder itself, opened for reading: what can be locked and synced.
    pub(super) fn itself(&self) -> io::Result<File> {
        self.dir.open(".")
    }

    pub(super) fn create_dir(&self, name: &str) -> io::Result<()> {
        self.step(|| Step::MakeFolder(self.at(name)))?;
        self.dir.create_dir(name)
    }

    pub(super) fn remove_dir(&self, name: &str) -> io::Result<()> {
        self.step(|| Step::RemoveFolder(self.at(name)))?;
        self.dir.remove_dir(name)
    }

    pub(super) fn remove_dir_all(&self, name: &str) -> io::Result<()> {
        self.step(|| Step::RemoveAll(self.at(name)))?;
        self.dir.remove_dir_all(name)
    }

    pub(super) fn remove_file(&self, name: &str) -> io::Result<()> {
        self.step(|| Step::Remove(self.at(name)))?;
        self.dir.remove_file(name)
    }

    /// Renames what is in this folder, and replaces what has the name there.
    pub(super) fn rename(&self, from: &str, other: &Handle, to: &str) -> io::Result<()> {
        self.step(|| Step::Rename { from: self.at(from), to: other.at(to), is_new: false })?;
        self.dir.rename(from, &other.dir, to)
    }

    /// Renames a file where nothing has the name yet.
    pub(super) fn rename_new(&self, from: &str, to: &str) -> io::Result<()> {
        self.step(|| Step::Rename { from: self.at(from), to: self.at(to), is_new: true })?;
        if let Some(done) = durable::rename_new(&self.dir, from, to) {
            return done;
        }
        self.step(|| Step::Link(self.at(from), self.at(to)))?;
        match self.dir.hard_link(from, &self.dir, to) {
            Ok(()) => self.remove_file(from),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
            // A file system without hard links: the file was not there a moment ago.
            Err(_) => self.rename(from, self, to),
        }
    }

    /// Renames a folder where nothing, or an empty folder, has the name.
    pub(super) fn rename_folder(&self, from: &str, to: &str) -> io::Result<()> {
        self.step(|| Step::Rename { from: self.at(from), to: self.at(to), is_new: true })?;
        durable::rename_new(&self.dir, from, to).unwrap_or_else(|| self.dir.rename(from, &self.dir, to))
    }

    /// Gives something these permissions.
    pub(super) fn permit(&self, name: &str, mode: Mode) -> io::Result<()> {
        self.step(|| Step::Permit(self.at(name)))?;
        give_mode(&self.dir, name, mode)
    }

    /// Writes a new file, to disk if it `syncs`. One that cannot be written whole is not
    /// there afterwards.
    pub(super) fn write(&self, name: &str, bytes: &[u8], mode: Option<Mode>, syncs: bool) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        if mode.is_some() {
            private(&mut options);
        }
        self.step(|| Step::Make(self.at(name)))?;
        let opened = self.dir.open_with(name, &options);
        let file = opened.map_err(|error| match error.kind() {
            // Not to be taken for the file that it is to become.
            ErrorKind::AlreadyExists => io::Error::other(format!("`{name}` beside it is in the way")),
            _ => error,
        })?;
        let filled = self.fill(file, name, bytes, mode, syncs);
        if filled.is_err() {
            let _ = self.remove_file(name);
        }
        filled
    }

    fn fill(
        &self,
        mut file: File,
        name: &str,
        bytes: &[u8],
        mode: Option<Mode>,
        syncs: bool,
    ) -> io::Result<()> {
        self.step(|| Step::Fill(self.at(name), bytes.to_owned()))?;
        file.write_all(bytes)?;
        if let Some(mode) = mode {
            self.permit(name, mode)?;
        }
        if syncs {
            self.step(|| Step::SyncFile(self.at(name)))?;
            if self.truly() {
                file.sync_all()?;
            }
        }
        Ok(())
    }

    /// Replaces a file, or a link, that is ours, by a temporary one of this name. A reader
    /// sees the old or the new content.
    pub(super) fn replace_by(&self, temporary: &str, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.write(temporary, bytes, None, true)?;
        let done = self.rename(temporary, self, name);
        if done.is_err() {
            let _ = self.remove_file(temporary);
        }
        done
    }

    /// Writes a folder's new entries to disk.
    pub(super) fn flush(&self) -> io::Result<()> {
        self.step(|| Step::SyncFolder(self.path.clone()))?;
        if self.truly() { self.itself()?.sync_all() } else { Ok(()) }
    }

    /// Writes all of the file system to disk. What failed since the folder was opened as
    /// `since` is an error.
    pub(super) fn flush_all(&self, since: &File) -> io::Result<()> {
        self.step(|| Step::SyncAll)?;
        if self.truly() { durable::sync_all(since) } else { Ok(()) }
    }

    /// Who plays back what was synced does not wait for the disk.
    fn truly(&self) -> bool {
        self.witness.is_none()
    }
}

/// Whether something has just these permissions, as far as the system knows them.
#[cfg(unix)]
pub(super) fn has_mode(found: &Metadata, mode: Mode) -> bool {
    use cap_std::fs::MetadataExt;
    found.mode() & 0o7777 == mode
}

#[cfg(not(unix))]
pub(super) fn has_mode(_: &Metadata, _: Mode) -> bool {
    true
}

#[cfg(unix)]
fn give_mode(dir: &Dir, name: &str, mode: Mode) -> io::Result<()> {
    use cap_std::fs::PermissionsExt;
    dir.set_permissions(name, cap_std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn give_mode(_: &Dir, _: &str, _: Mode) -> io::Result<()> {
    Ok(())
}

/// Nobody but its owner reads what is being written and has permissions of its own.
fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    {
        use cap_std::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let _ = options;
}

#[cfg(test)]
mod tests {
    use super::{is_temporary, temporary};

    #[test]
    fn temporary_names_are_known_again() {
        for nth in [0, 1, 9, 4096] {
            assert!(is_temporary(&temporary(nth)), "{}", temporary(nth));
        }
        for name in
            [".dsrules", ".dsrules.tmp-", ".dsrules.tmp-x", ".dsrules.tmp1", ".dsrules.tmp-1.yaml", "x"]
        {
            assert!(!is_temporary(name), "{name}");
        }
    }
}
