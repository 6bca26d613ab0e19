//! A store that holds what is secret is for its owner alone.

use std::io::{self, ErrorKind};
use std::path::Path;

use super::beside::beside;
use super::store::Store;
use crate::diagnostic::{Diagnostic, Place};

impl Store {
    /// Lets nobody but its owner read the store, from before anything secret is written.
    ///
    /// # Errors
    /// When its permissions cannot be changed.
    pub fn keep_private(&self) -> Result<(), Diagnostic> {
        let path = Path::new(&self.path);
        for file in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
            match restrict(&file) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    let shown = file.display().to_string();
                    let told = format!("`{shown}` cannot be made private, though it is to hold Secrets");
                    return Err(Diagnostic::error("store-private", told)
                        .at(Place::file(shown))
                        .because(error.to_string())
                        .help("name a store of your own with `--db`"));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Takes everybody else's permissions away.
#[cfg(unix)]
fn restrict(file: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mut permissions = std::fs::metadata(file)?.permissions();
    if permissions.mode() & 0o077 != 0 {
        permissions.set_mode(permissions.mode() & !0o077);
        std::fs::set_permissions(file, permissions)?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn restrict(_: &Path) -> io::Result<()> {
    Ok(())
}
