//! A private folder aside, for what is there only as long as a command runs.
//!
//! It goes with the command. One that was killed leaves its folder, and the next one takes that
//! away: whose lock nobody holds is dead, whatever became of its number as a process.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use tempfile::TempDir;

/// How the folders are named. Nothing else below TMPDIR is looked at.
const PREFIX: &str = "dsrules-aside-";

/// Held for as long as the folder is in use.
const LOCK: &str = "lock";

/// So often another folder is made where somebody took this one for a dead one's: between its
/// making and its lock nobody can tell.
const TRIES: usize = 3;

/// A private folder.
#[derive(Debug)]
pub struct Aside {
    folder: TempDir,
    _lock: File,
}

impl Aside {
    /// Makes one, and takes those away whose commands are dead.
    ///
    /// # Errors
    /// When none can be made.
    pub fn new() -> io::Result<Self> {
        let above = tempfile::env::temp_dir();
        sweep(&above);
        let mut tried = 1;
        loop {
            let folder = private(PREFIX, &above)?;
            let lock = OpenOptions::new().write(true).create_new(true).open(folder.path().join(LOCK));
            match lock.and_then(|lock| lock.try_lock().map(|()| lock).map_err(io::Error::from)) {
                Ok(lock) => return Ok(Aside { folder, _lock: lock }),
                Err(error) if tried == TRIES => return Err(error),
                Err(_) => tried += 1,
            }
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// A folder that nobody else can look into.
fn private(prefix: &str, above: &Path) -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir_in(above)
}

/// Takes a folder away that is in use, as the command ends at once: what is made in it meanwhile
/// goes too, or with the next command.
pub fn remove(folder: &Path) {
    const TRIES: usize = 5;
    for _ in 0..TRIES {
        if fs::remove_dir_all(folder).is_ok() {
            return;
        }
    }
}

/// Takes away what dead commands of this user left. What cannot be looked at or taken away is
/// somebody else's concern.
fn sweep(above: &Path) {
    let Ok(entries) = fs::read_dir(above) else { return };
    let named =
        entries.flatten().filter(|it| it.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes()));
    for path in named.map(|entry| entry.path()).filter(|path| is_ours(path)) {
        // Without a lock it is being made.
        let Ok(lock) = File::open(path.join(LOCK)) else { continue };
        match lock.try_lock() {
            Ok(()) => _ = fs::remove_dir_all(&path),
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
        }
    }
}

/// Whether a path is a folder of this user's that nobody else can write to: then what is in it
/// is what we put there, and it is no link.
#[cfg(unix)]
fn is_ours(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let user = rustix::process::geteuid().as_raw();
    path.symlink_metadata().is_ok_and(|it| it.is_dir() && it.uid() == user && it.mode() & 0o077 == 0)
}

#[cfg(not(unix))]
fn is_ours(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|it| it.is_dir())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_command_left_goes_and_what_lives_stays() {
        let above = tempfile::tempdir().unwrap();
        let make = |name: &str, locked: bool| {
            let folder = private(name, above.path()).unwrap();
            if locked {
                fs::write(folder.path().join(LOCK), "").unwrap();
            }
            fs::write(folder.path().join("cluster-1.db"), "x").unwrap();
            folder.keep()
        };
        let (dead, young, other) = (make(PREFIX, true), make(PREFIX, false), make("dsrules-", true));
        let living = make(PREFIX, true);
        let held = File::open(living.join(LOCK)).unwrap();
        held.try_lock().unwrap();
        let keeper = above.path().join("elsewhere");
        fs::create_dir(&keeper).unwrap();
        fs::write(keeper.join(LOCK), "").unwrap();
        #[cfg(unix)]
        let open = {
            use std::os::unix::fs::{PermissionsExt, symlink};
            symlink(&keeper, above.path().join(format!("{PREFIX}link"))).unwrap();
            let open = make(PREFIX, true);
            fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
            open
        };
        sweep(above.path());
        assert!(!dead.exists());
        for stays in [&young, &other, &living, &keeper.join(LOCK)] {
            assert!(stays.exists(), "{}", stays.display());
        }
        #[cfg(unix)]
        assert!(open.exists(), "others may have put there what they like");
        drop(held);
        sweep(above.path());
        assert!(!living.exists());
    }
}
