//! Single files through the handle of their folder: links are not followed, a write is
//! whole or not there.

use std::io::{self, ErrorKind, Write};

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::fs::{Dir, File, Metadata, OpenOptions};

/// The one temporary file of a folder, and the one temporary folder of the tree.
pub(super) const TEMPORARY: &str = ".dsrules.tmp";

/// Writes a folder's new entries to disk.
pub(super) fn flush(dir: &Dir) -> io::Result<()> {
    // The handle itself is only good for paths.
    dir.open(".")?.sync_all()
}

/// Opens a regular file for reading, never through a link; a pipe is not waited for.
pub(super) fn open_file(dir: &Dir, name: &str) -> io::Result<File> {
    let file =
        dir.open_with(name, OpenOptions::new().read(true).follow(FollowSymlinks::No).nonblock(true))?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a file")) }
}

/// Permissions, as `chmod` takes them.
pub(super) type Mode = u32;

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

/// Gives what stands in a folder these permissions.
#[cfg(unix)]
pub(super) fn give_mode(dir: &Dir, name: &str, mode: Mode) -> io::Result<()> {
    use cap_std::fs::PermissionsExt;
    dir.set_permissions(name, cap_std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
pub(super) fn give_mode(_: &Dir, _: &str, _: Mode) -> io::Result<()> {
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

/// Writes a temporary file, to disk.
fn prepare(dir: &Dir, temporary: &str, bytes: &[u8], mode: Option<Mode>) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    if mode.is_some() {
        private(&mut options);
    }
    let opened = dir.open_with(temporary, &options);
    let mut file = opened.map_err(|error| match error.kind() {
        // Not to be taken for the file itself being there.
        ErrorKind::AlreadyExists => io::Error::other(format!("`{temporary}` beside it is in the way")),
        _ => error,
    })?;
    file.write_all(bytes)?;
    if let Some(mode) = mode {
        give_mode(dir, temporary, mode)?;
    }
    file.sync_all()
}

/// Replaces a file, or a link, that is ours. A reader sees the old or the new content.
pub(super) fn replace(dir: &Dir, name: &str, bytes: &[u8], mode: Option<Mode>) -> io::Result<()> {
    replace_by(dir, TEMPORARY, name, bytes, mode)
}

/// The same by a temporary file of this name.
pub(super) fn replace_by(
    dir: &Dir,
    temporary: &str,
    name: &str,
    bytes: &[u8],
    mode: Option<Mode>,
) -> io::Result<()> {
    let done = prepare(dir, temporary, bytes, mode).and_then(|()| dir.rename(temporary, dir, name));
    if done.is_err() {
        let _ = dir.remove_file(temporary);
    }
    done
}

/// Creates a file that must not be there.
pub(super) fn create(dir: &Dir, name: &str, bytes: &[u8], mode: Option<Mode>) -> io::Result<()> {
    let done =
        prepare(dir, TEMPORARY, bytes, mode).and_then(|()| match dir.hard_link(TEMPORARY, dir, name) {
            Ok(()) => dir.remove_file(TEMPORARY),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
            // A file system without hard links: the file was not there a moment ago.
            Err(_) => dir.rename(TEMPORARY, dir, name),
        });
    if done.is_err() {
        let _ = dir.remove_file(TEMPORARY);
    }
    done
}
