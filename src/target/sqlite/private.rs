//! A store that holds what is secret is for its owner alone, and so is a folder that is made for it.

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

/// Makes the folder of a store for its owner alone, if it is missing.
///
/// # Errors
/// When it cannot be made.
pub fn make_folder(store: &Path) -> Result<(), Diagnostic> {
    let folder = store.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir());
    folder.map_or(Ok(()), make).map_err(|error| {
        let shown = store.display().to_string();
        Diagnostic::error("cannot-open-store", format!("the folder of the store `{shown}` cannot be made"))
            .at(Place::file(shown.as_str()))
            .because(error.to_string())
            .help("name a file in a folder that you may write to with `--db`")
    })
}

#[cfg(unix)]
fn make(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make(folder: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).create(folder)
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_folder_that_is_made_is_its_owners() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/b/x.db");
        make_folder(&path).unwrap();
        make_folder(&path).unwrap();
        let mode = path.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o700);
        std::fs::write(&path, "").unwrap();
        assert!(make_folder(&path.join("below/x.db")).is_err());
    }
}
