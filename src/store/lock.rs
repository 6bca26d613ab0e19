//! One writer at a time, and a second one learns who the first is.
//!
//! The lock is the operating system's, on a file beside the database, so it ends with
//! its process, however that ends. The file holds the holder's process id and command;
//! it stays when the lock is released, because removing a lock file is a race.
//! SQLite's own lock comes second, for writers that are not dsrules.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::diagnostic::{Diagnostic, Place};

/// How often a held lock is tried again.
const PAUSE: Duration = Duration::from_millis(20);

/// The most that is read of what a holder wrote.
const HOLDER_LENGTH: u64 = 300;

/// A held lock; dropping it releases it.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock of the database `path`, waiting up to `wait` for its holder.
    pub(super) fn take(path: &Path, holder: &str, wait: Duration) -> Result<Lock, Diagnostic> {
        let beside = lock_path(path);
        let shown = beside.display().to_string();
        let failed = |error: std::io::Error| {
            Diagnostic::error("cannot-lock-store", format!("the lock file `{shown}` cannot be written"))
                .at(Place::file(shown.as_str()))
                .because(error.to_string())
                .help("check that the store's folder exists and that you may write to it")
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&beside)
            .map_err(failed)?;
        let mut waited = Duration::ZERO;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if waited < wait => {
                    std::thread::sleep(PAUSE);
                    waited += PAUSE;
                }
                Err(TryLockError::WouldBlock) => return Err(held(path, &mut file, wait)),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{} {holder}", std::process::id()))
            .map_err(failed)?;
        Ok(Lock { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Whoever reads it later must not take us for the holder; the lock itself ends
        // with the file in any case.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

/// The lock file of a database: the same for every path that leads to it.
fn lock_path(path: &Path) -> PathBuf {
    let mut real = path.canonicalize().unwrap_or_else(|_| path.to_owned()).into_os_string();
    real.push(".lock");
    PathBuf::from(real)
}

fn held(path: &Path, file: &mut File, waited: Duration) -> Diagnostic {
    let mut text = String::new();
    // A holder that has not written its name yet is still a holder.
    let _ = file.rewind().and_then(|()| file.take(HOLDER_LENGTH).read_to_string(&mut text));
    let told = Diagnostic::error("store-locked", format!("the store `{}` is in use", path.display()));
    let told = match text.trim().split_once(' ') {
        Some((pid, command)) => told.because(format!("`{command}` (process {pid}) holds the lock")),
        None => told.because("another dsrules holds the lock"),
    };
    let told = if waited.is_zero() { told } else { told.because(format!("waited {waited:?} for it")) };
    told.help("wait until it is done, or let this command wait with `--lock-timeout 30s`")
}
