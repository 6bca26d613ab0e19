//! The volumes of a pod as paths of the machine, which is all that `kube play` mounts as
//! Kubernetes does: an empty directory of podman's own outlives the pod, and where a mount
//! asks for a `subPath` podman 4.3 mounts the whole volume.
//!
//! ```text
//!  emptyDir                 -> DIR/POD/volumes/NAME
//!  a mount with a subPath   -> a volume of its own, of that path
//!  hostPath                 -> as it is; what is not there and has no type is made
//! ```

use std::path::{Component, Path, PathBuf};

use serde_json::{Value, json};

use super::files::{File, VOLUMES};
use super::text::word;
use crate::diagnostic::Diagnostic;
use crate::kube::list;
use crate::target::standalone::Standalone;

/// What is mounted into the containers of a pod.
#[derive(Debug, Default)]
pub(super) struct Volumes {
    /// Directories to be made, below the pod's folder.
    pub(super) directories: Vec<PathBuf>,
    /// Files to be written, below the pod's folder.
    pub(super) files: Vec<File>,
    /// The pod's volumes: name, path, type of a `hostPath`.
    sources: Vec<(String, PathBuf, String)>,
    /// Volumes for podman, as far as mounts have asked for them.
    pub(super) asked: Vec<Value>,
}

impl Volumes {
    /// The volumes of a pod whose own folder is `home`.
    pub(super) fn of(pod: &Standalone, home: &Path) -> Self {
        let mut all = Volumes::default();
        for (volume, files) in &pod.volumes {
            let folder = Path::new(VOLUMES).join(volume);
            all.files.extend(files.iter().map(|(path, file)| File {
                path: folder.join(path),
                bytes: file.bytes.clone(),
                mode: file.mode,
            }));
            if files.is_empty() {
                all.directories.push(folder);
            }
        }
        for volume in list(&pod.pod["spec"], "volumes") {
            let name = word(volume, "name").to_owned();
            if !volume["emptyDir"].is_null() {
                let own = Path::new(VOLUMES).join(&name);
                all.sources.push((name, home.join(&own), "Directory".to_owned()));
                all.directories.push(own);
            } else if let Some(path) = volume["hostPath"]["path"].as_str() {
                all.sources.push((name, path.into(), word(&volume["hostPath"], "type").to_owned()));
            } else {
                // A claim without a volume of its own is a volume of podman's, by its name.
                all.asked.push(volume.clone());
            }
        }
        all
    }

    /// The mounts of a container, for podman.
    pub(super) fn mounts(&mut self, container: &Value) -> Result<Vec<Value>, Diagnostic> {
        let mut mounts = Vec::new();
        for mount in list(container, "volumeMounts") {
            let (name, below) = (word(mount, "name"), word(mount, "subPath"));
            let mut told = mount.clone();
            if let Some((_, path, kind)) = self.sources.iter().find(|(other, ..)| other == name).cloned() {
                let volume = if below.is_empty() {
                    json!({ "path": path, "type": known_kind(&path, kind) })
                } else {
                    self.part(&path, below)?
                };
                told["name"] = json!(self.ask(name, volume));
            } else if !below.is_empty() {
                let message = format!("`subPath` of the volume `{name}` cannot be given to podman");
                return Err(Diagnostic::error("pod-field", message)
                    .help("give the claim a volume in the manifests, or mount the whole of it"));
            }
            if let Some(told) = told.as_object_mut() {
                told.retain(|field, value| MOUNT.contains(&field.as_str()) && !value.is_null());
            }
            mounts.push(told);
        }
        Ok(mounts)
    }

    /// A part of a volume: a file that is there, else a directory.
    fn part(&mut self, volume: &Path, below: &str) -> Result<Value, Diagnostic> {
        let below = Path::new(below);
        if !below.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
            let message = format!("`subPath` `{}` leads out of its volume", below.display());
            return Err(
                Diagnostic::error("pod-field", message).help("name a path below the volume, without `..`")
            );
        }
        let path = volume.join(below);
        let written = self.files.iter().any(|file| path.ends_with(&file.path));
        let kind = if written || path.is_file() { "File" } else { "DirectoryOrCreate" };
        Ok(json!({ "path": path, "type": kind }))
    }

    /// The name of a volume for podman, which gets each path once.
    fn ask(&mut self, name: &str, path: Value) -> String {
        if let Some(same) = self.asked.iter().find(|asked| asked["hostPath"] == path) {
            return word(same, "name").to_owned();
        }
        let is_taken = |named: &str| self.asked.iter().any(|asked| asked["name"] == named);
        let mut others = (1..).map(|nth| format!("{name}.{nth}"));
        let named = if is_taken(name) { others.find(|named| !is_taken(named)) } else { None };
        let named = named.unwrap_or_else(|| name.to_owned());
        self.asked.push(json!({ "name": named, "hostPath": path }));
        named
    }
}

/// Fields of a mount that podman acts on.
const MOUNT: [&str; 4] = ["name", "mountPath", "readOnly", "mountPropagation"];

/// The type of a host path. Without one nothing is checked, and what is not there is made.
fn known_kind(path: &Path, kind: String) -> String {
    if kind.is_empty() && !path.exists() { "DirectoryOrCreate".to_owned() } else { kind }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use super::*;
    use crate::target::standalone::DataFile;

    #[test]
    fn volumes_are_paths_of_the_machine() {
        let home = Path::new("/dir/shop.web-1");
        let file = DataFile { bytes: b"2".to_vec(), mode: 0o440 };
        let pod = json!({"spec": {"volumes": [
            {"name": "all", "hostPath": {"path": "/dir/shop.web-1/volumes/all", "type": "Directory"}},
            {"name": "tmp", "emptyDir": {}},
            {"name": "log", "hostPath": {"path": "/no-such-folder", "type": ""}},
            {"name": "claim", "persistentVolumeClaim": {"claimName": "c"}},
        ]}});
        let files = BTreeMap::from([("b".to_owned(), file)]);
        let made =
            Standalone { pod, volumes: BTreeMap::from([("all".to_owned(), files)]), ..Standalone::default() };
        let mut volumes = Volumes::of(&made, home);
        assert_eq!(
            (volumes.files[0].path.as_path(), volumes.files[0].mode),
            (Path::new("volumes/all/b"), 0o440)
        );
        assert_eq!(volumes.directories, [Path::new("volumes/tmp")]);
        let container = json!({"volumeMounts": [
            {"name": "all", "mountPath": "/b", "subPath": "b", "readOnly": true},
            {"name": "all", "mountPath": "/all"},
            {"name": "tmp", "mountPath": "/t", "subPath": "web-1"},
            {"name": "log", "mountPath": "/log", "mountPropagation": "HostToContainer"},
            {"name": "all", "mountPath": "/again"},
            {"name": "claim", "mountPath": "/data"},
        ]});
        let mounts = volumes.mounts(&container).unwrap();
        assert_eq!(
            volumes.asked,
            [
                json!({"name": "claim", "persistentVolumeClaim": {"claimName": "c"}}),
                json!({"name": "all", "hostPath": {"path": "/dir/shop.web-1/volumes/all/b", "type": "File"}}),
                json!({"name": "all.1", "hostPath": {"path": "/dir/shop.web-1/volumes/all", "type": "Directory"}}),
                json!({"name": "tmp", "hostPath": {"path": "/dir/shop.web-1/volumes/tmp/web-1", "type": "DirectoryOrCreate"}}),
                json!({"name": "log", "hostPath": {"path": "/no-such-folder", "type": "DirectoryOrCreate"}}),
            ]
        );
        assert_eq!(mounts[0], json!({"name": "all", "mountPath": "/b", "readOnly": true}));
        assert_eq!((&mounts[4]["name"], &mounts[5]["name"]), (&json!("all.1"), &json!("claim")));
        for (mount, why) in [
            (json!({"name": "tmp", "mountPath": "/t", "subPath": "../x"}), "leads out of its volume"),
            (json!({"name": "claim", "mountPath": "/t", "subPath": "x"}), "cannot be given to podman"),
        ] {
            let error = volumes.mounts(&json!({ "volumeMounts": [mount] })).unwrap_err();
            assert!(error.message.ends_with(why), "{}", error.message);
        }
    }
}
