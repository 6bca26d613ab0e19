//! Many files made to last at once.
//!
//! `fsync` of one file waits for the disk and its journal; of forty thousand, one after
//! the other, that is minutes. Linux's `syncfs` does the same for all of a file system in
//! one go. It is relied upon only where it is known to write everything to the disk and to
//! tell what failed: on file systems of the kernel itself that have a disk below, since
//! Linux 5.8. Everywhere else each file is synced by itself.
//!
//! It waits for what others have written, too, so a handful of files is not worth it.

use std::io;

use cap_std::fs::{Dir, File};

/// From so many files on they are made to last together.
pub(super) const MANY: usize = 24;

/// At most so many folders are held open, where the system has no lower limit.
const FOLDERS: usize = 256;

/// Of the file systems whose `syncfs` is relied upon, what `statfs` says: ext2, 3 and 4,
/// XFS, Btrfs, F2FS, and tmpfs, where nothing lasts in any case. Not FUSE and overlays,
/// which do not hand on what is asked of them or what failed; not those of networks.
#[cfg(target_os = "linux")]
const KNOWN: [u64; 5] = [0xEF53, 0x5846_5342, 0x9123_683E, 0xF2F5_2010, 0x0102_1994];

/// Whether all of the file system that a folder is on can be made to last at once.
#[cfg(target_os = "linux")]
pub(super) fn can_sync_all(folder: &File) -> bool {
    let release = rustix::system::uname();
    let is_known = rustix::fs::fstatfs(folder).is_ok_and(|found| {
        // It has another width elsewhere; the values fit into all of them.
        u64::try_from(found.f_type).is_ok_and(|kind| KNOWN.contains(&(kind & 0xFFFF_FFFF)))
    });
    is_known && release.release().to_str().is_ok_and(tells_errors)
}

/// Whether Linux tells by `syncfs` what could not be written: since 5.8.
#[cfg(any(target_os = "linux", test))]
fn tells_errors(release: &str) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|it| it.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (5, 8)
}

/// Makes all of a file system last.
#[cfg(target_os = "linux")]
pub(super) fn sync_all(folder: &File) -> io::Result<()> {
    Ok(rustix::fs::syncfs(folder)?)
}

/// Renames something where nothing has the name yet; `None` where the system cannot.
#[cfg(target_os = "linux")]
pub(super) fn rename_new(dir: &Dir, from: &str, to: &str) -> Option<io::Result<()>> {
    use rustix::io::Errno;
    match rustix::fs::renameat_with(dir, from, dir, to, rustix::fs::RenameFlags::NOREPLACE) {
        Ok(()) => Some(Ok(())),
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => None,
        Err(error) => Some(Err(error.into())),
    }
}

/// How many folders may be held open at once.
#[cfg(unix)]
pub(super) fn folders() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    limit.map_or(FOLDERS, |limit| usize::try_from(limit / 4).unwrap_or(FOLDERS).clamp(1, FOLDERS))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn can_sync_all(_: &File) -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
pub(super) fn sync_all(folder: &File) -> io::Result<()> {
    folder.sync_all()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn rename_new(_: &Dir, _: &str, _: &str) -> Option<io::Result<()>> {
    None
}

#[cfg(not(unix))]
pub(super) fn folders() -> usize {
    FOLDERS
}

#[cfg(test)]
mod tests {
    use super::tells_errors;

    #[test]
    fn a_kernel_that_keeps_errors_to_itself_is_known() {
        for (release, tells) in [
            ("5.7.19", false),
            ("4.18.0-553.el8", false),
            ("5.8.0", true),
            ("5.15.167-1-WSL2", true),
            ("6.1.0-13-amd64", true),
            ("10.0", true),
            ("", false),
        ] {
            assert_eq!(tells_errors(release), tells, "{release}");
        }
    }
}
