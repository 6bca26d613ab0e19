//! One writer at a time, and a second one learns who the first is.
//!
//! The lock is the operating system's, on a file beside the database, so it ends with
//! its process, however that ends. The file says that it is ours, and while it is held
//! the holder's process id and command; it stays when the lock is released, because
//! removing a lock file is a race. A name that is still there when the lock is free is
//! that of a process which ended without closing the store.
//! SQLite's own lock comes second, for writers that are not dsrules.
//!
//! `NAME.lock` may be another program's file (`--db Cargo`), so nothing is written to one
//! that does not say it is ours, no link is followed, and no pipe is waited for.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};

use crate::diagnostic::{Diagnostic, Place};

/// How often a held lock is tried again.
const PAUSE: Duration = Duration::from_millis(20);

/// The first line of a lock file of ours.
const OURS: &str = "dsrules lock file\n";

/// The most that is read of a lock file.
const LENGTH: u64 = 400;

/// A held lock; dropping it releases it.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    /// Whether the last holder ended without releasing it.
    pub(super) abandoned: bool,
}

impl Lock {
    /// Takes the lock of the database `path`, waiting up to `wait` for its holder.
    pub(super) fn take(path: &Path, holder: &str, wait: Duration) -> Result<Lock, Diagnostic> {
        let beside = lock_path(path);
        let shown = beside.display().to_string();
        let failed = |error: io::Error| {
            Diagnostic::error("cannot-lock-store", format!("the lock file `{shown}` cannot be written"))
                .at(Place::file(shown.as_str()))
                .because(error.to_string())
                .help("check that the store's folder exists and that you may write to it")
        };
        if let Some(what) = in_the_way(&beside) {
            return Err(foreign(&shown, what));
        }
        let mut file = open(&beside).map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(foreign(&shown, "is not a file"));
        }
        let mut waited = Duration::ZERO;
        let abandoned = loop {
            // Before the lock is taken as well: its owner may hold it for good.
            let text = read(&mut file).map_err(failed)?;
            if !is_ours(&text) {
                return Err(foreign(&shown, "is a file of another program"));
            }
            match file.try_lock() {
                Ok(()) => break name_in(&read(&mut file).map_err(failed)?).is_some(),
                Err(TryLockError::WouldBlock) if waited < wait => {
                    std::thread::sleep(PAUSE);
                    waited += PAUSE;
                }
                Err(TryLockError::WouldBlock) => return Err(held(path, &text, wait)),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        };
        let mut lock = Lock { file, abandoned };
        lock.say(&format!("{OURS}{} {holder}\n", std::process::id())).map_err(failed)?;
        Ok(lock)
    }

    /// Replaces what the file says; whoever reads it meanwhile sees that it is ours.
    fn say(&mut self, text: &str) -> io::Result<()> {
        self.file.rewind()?;
        self.file.write_all(text.as_bytes())?;
        self.file.set_len(text.len() as u64)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Whoever reads it later must not take us for the holder; the lock itself ends
        // with the file in any case.
        let _ = self.say(OURS);
        let _ = self.file.unlock();
    }
}

/// The lock file of a database: the same for every path that leads to it.
fn lock_path(path: &Path) -> PathBuf {
    let mut real = path.canonicalize().unwrap_or_else(|_| path.to_owned()).into_os_string();
    real.push(".lock");
    PathBuf::from(real)
}

/// What stands under the lock file's name and cannot be one, in words.
fn in_the_way(beside: &Path) -> Option<&'static str> {
    let found = beside.symlink_metadata().ok()?;
    if found.is_symlink() {
        Some("is a link, and links are not followed")
    } else if found.is_dir() {
        Some("is a folder")
    } else {
        (!found.is_file()).then_some("is not a file")
    }
}

/// Opens the file, or makes it, where it is and without waiting for anything.
fn open(beside: &Path) -> io::Result<File> {
    let folder = beside.parent().filter(|folder| !folder.as_os_str().is_empty());
    let dir = Dir::open_ambient_dir(folder.unwrap_or(Path::new(".")), ambient_authority())?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).follow(FollowSymlinks::No).nonblock(true);
    let name = beside.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    Ok(dir.open_with(name, &options)?.into_std())
}

/// The start of the file; what is no text is not ours.
fn read(file: &mut File) -> io::Result<String> {
    let mut start = Vec::new();
    file.rewind()?;
    file.take(LENGTH).read_to_end(&mut start)?;
    Ok(String::from_utf8(start).unwrap_or_else(|_| "no text".to_owned()))
}

/// Whether the file says that it is ours, or was just made, or is of the time when a
/// lock file held nothing but its holder's name.
fn is_ours(text: &str) -> bool {
    text.is_empty() || text.starts_with(OURS) || name_in(text).is_some()
}

/// The process id and the command of the holder.
fn name_in(text: &str) -> Option<(&str, &str)> {
    let name = text.strip_prefix(OURS);
    let (pid, command) = name.unwrap_or(text).strip_suffix('\n')?.split_once(' ')?;
    let is_name = !command.contains('\n') && pid.bytes().all(|byte| byte.is_ascii_digit());
    (is_name && (name.is_some() || command.starts_with("dsrules "))).then_some((pid, command))
}

fn foreign(shown: &str, what: &str) -> Diagnostic {
    Diagnostic::error("foreign-lock", format!("`{shown}` {what}, not a lock file of dsrules"))
        .at(Place::file(shown))
        .because("a store is locked through the file beside it that has its name and `.lock`")
        .help("it is left as it is: name another store with `--db`, or move that file away")
}

fn held(path: &Path, text: &str, waited: Duration) -> Diagnostic {
    let told = Diagnostic::error("store-locked", format!("the store `{}` is in use", path.display()));
    let told = match name_in(text) {
        Some((pid, command)) => told.because(format!("`{command}` (process {pid}) holds the lock")),
        // A holder that has not written its name yet is still a holder.
        None => told.because("another dsrules holds the lock"),
    };
    let told = if waited.is_zero() { told } else { told.because(format!("waited {waited:?} for it")) };
    told.help("wait until it is done, or let this command wait with `--lock-timeout 30s`")
}
