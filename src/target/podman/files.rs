//! The folder of our own on the machine: for each pod its manifest and what is mounted into
//! it. All writing of files for podman is here.
//!
//! ```text
//!  DIR/shop.web-x7k2/pod.json                the pod as it was played, and its mark
//!                    restarts.json           how often containers were started again
//!                    volumes/NAME/…          ConfigMaps, Secrets, empty directories
//! ```
//! The folder is for its owner alone. What containers see of it is mounted by podman, so its
//! own mode does not matter to them.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;

/// The folder of a pod's volumes, in its own.
pub(super) const VOLUMES: &str = "volumes";

/// A file that is mounted into a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    /// Where, below the pod's folder.
    pub(super) path: PathBuf,
    /// What it holds.
    pub(super) bytes: Vec<u8>,
    /// Its mode.
    pub(super) mode: u32,
}

/// The folder of all pods of a node.
#[derive(Debug, Clone)]
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    /// Makes it where it is not there.
    pub(super) fn open(path: &Path) -> Result<Self, Diagnostic> {
        private(path).map_err(|error| wrong(path, &error))?;
        let whole = path.canonicalize().map_err(|error| wrong(path, &error))?;
        Ok(Folder(whole))
    }

    /// The folder of one pod.
    pub(super) fn of(&self, pod: &str) -> PathBuf {
        self.0.join(pod)
    }

    /// Writes what is mounted into a pod: directories first, then files, all of them for the
    /// group too where the pod has one (`fsGroup`).
    pub(super) fn write(
        &self,
        pod: &str,
        directories: &[PathBuf],
        files: &[File],
        group: Option<u32>,
    ) -> Result<(), Diagnostic> {
        let home = self.of(pod);
        let written = || -> io::Result<()> {
            private(&home)?;
            for directory in directories {
                let path = home.join(directory);
                fs::create_dir_all(&path)?;
                // An empty directory is for whoever the containers run as.
                owned(&path, 0o777, group)?;
            }
            for file in files {
                let path = home.join(&file.path);
                if let Some(parent) = path.parent() {
                    fs::create_dir_all(parent)?;
                }
                let beside = home.join(".dsrules.tmp");
                fs::write(&beside, &file.bytes)?;
                owned(&beside, file.mode, group)?;
                fs::rename(&beside, &path)?;
            }
            Ok(())
        };
        written().map_err(|error| wrong(&home, &error))
    }

    /// Brings the volumes that have files up to date: what differs is written, what is not
    /// among them any more goes.
    pub(super) fn renew(&self, pod: &str, files: &[File], group: Option<u32>) -> Result<(), Diagnostic> {
        let home = self.of(pod);
        let differs = |file: &&File| fs::read(home.join(&file.path)).ok().as_ref() != Some(&file.bytes);
        let changed: Vec<File> = files.iter().filter(differs).cloned().collect();
        self.write(pod, &[], &changed, group)?;
        let wanted: BTreeSet<PathBuf> = files.iter().map(|file| home.join(&file.path)).collect();
        let volumes: BTreeSet<PathBuf> =
            files.iter().map(|file| home.join(file.path.components().take(2).collect::<PathBuf>())).collect();
        volumes.iter().try_for_each(|volume| clear(volume, &wanted)).map_err(|error| wrong(&home, &error))
    }

    /// Writes one file of a pod's own folder, whole or not at all.
    pub(super) fn keep(&self, pod: &str, name: &str, text: &str) -> Result<(), Diagnostic> {
        let file = File { path: name.into(), bytes: text.as_bytes().to_vec(), mode: 0o600 };
        self.write(pod, &[], &[file], None)
    }

    /// A file of a pod's own folder; `None` where it is not there.
    pub(super) fn read(&self, pod: &str, name: &str) -> Option<String> {
        fs::read_to_string(self.of(pod).join(name)).ok()
    }

    /// Removes the folder of a pod that runs no more.
    pub(super) fn remove(&self, pod: &str) -> Result<(), Diagnostic> {
        let home = self.of(pod);
        match fs::remove_dir_all(&home) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(wrong(&home, &error)),
            _ => Ok(()),
        }
    }
}

/// Removes the files below a folder that are not wanted.
fn clear(folder: &Path, wanted: &BTreeSet<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let (path, kind) = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)))?;
        if kind.is_dir() {
            clear(&path, wanted)?;
        } else if !wanted.contains(&path) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// A folder for its owner alone.
fn private(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn owned(path: &Path, mode: u32, group: Option<u32>) -> io::Result<()> {
    let mut mode = mode;
    if let Some(group) = group {
        chown(path, None, Some(group))?;
        // As a kubelet does: the group may read what the owner may, and owns what is new.
        mode |= (mode & 0o600) >> 3;
        if path.is_dir() {
            mode |= 0o2070;
        }
    }
    fs::set_permissions(path, Permissions::from_mode(mode))
}

fn wrong(path: &Path, error: &io::Error) -> Diagnostic {
    let code = if error.kind() == io::ErrorKind::StorageFull { "disk-full" } else { "pod-folder" };
    Diagnostic::error(code, format!("`{}` cannot be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_mounted_is_written_with_its_modes() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(&dir.path().join("pods")).unwrap();
        let file = |path: &str, mode| File { path: path.into(), bytes: b"x".to_vec(), mode };
        folder
            .write(
                "a.b",
                &["volumes/e".into()],
                &[file("volumes/c/k", 0o644), file("volumes/s/k", 0o400)],
                None,
            )
            .unwrap();
        let mode =
            |path: &str| fs::metadata(folder.of("a.b").join(path)).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode(""), mode("volumes/e")), (0o700, 0o777));
        assert_eq!((mode("volumes/c/k"), mode("volumes/s/k")), (0o644, 0o400));
        let new = File { bytes: b"new".to_vec(), ..file("volumes/c/k", 0o644) };
        folder.write("a.b", &[], &[file("volumes/c/sub/old", 0o644)], None).unwrap();
        folder.renew("a.b", &[new], None).unwrap();
        let read = |path: &str| folder.read("a.b", path);
        assert_eq!((read("volumes/c/k").as_deref(), read("volumes/c/sub/old")), (Some("new"), None));
        assert_eq!(read("volumes/s/k").as_deref(), Some("x"), "another volume is left alone");
        folder.keep("a.b", "pod.json", "{}").unwrap();
        assert_eq!(folder.read("a.b", "pod.json").as_deref(), Some("{}"));
        folder.remove("a.b").unwrap();
        folder.remove("a.b").unwrap();
        assert_eq!(folder.read("a.b", "pod.json"), None);
    }
}
