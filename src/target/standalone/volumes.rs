//! Volumes: what an API server would fill stands in a folder of the machine, which is
//! mounted in its place.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::content::Source;
use super::made::{DataFile, Runtime};
use super::pod::CONTAINERS;
use super::table::{At, Take};
use super::work::Work;
use crate::diagnostic::Diagnostic;
use crate::hash::sha256;

/// The permissions of files whose volume says none.
const READABLE: u64 = 0o644;

/// The longest name of a volume that podman can make a folder of.
const LONGEST: usize = 255;

const CLAIM: &str =
    "give the manifests of the claim, with `volumeName`, and of its volume; or use a hostPath";
const INSIDE: &str = "a path of a volume is relative, and leads nowhere else";

/// The files of one volume, by path.
type Files = BTreeMap<String, DataFile>;

impl Work<'_> {
    /// Fills in all volumes.
    pub(super) fn volumes(&mut self, spec: &mut Value) -> Result<(), Diagnostic> {
        let volumes = spec.get_mut("volumes").and_then(Value::as_array_mut);
        for (nth, volume) in volumes.into_iter().flatten().enumerate() {
            let name = volume["name"].as_str().unwrap_or("").to_owned();
            let source = volume.as_object().into_iter().flatten();
            let Some(kind) = source
                .filter(|(field, value)| *field != "name" && !value.is_null())
                .map(|(field, _)| field.clone())
                .next()
            else {
                // No source at all is an empty folder.
                volume["emptyDir"] = json!({});
                continue;
            };
            let at = format!("spec.volumes[{nth}].{kind}");
            match self.take(At::Volume, &kind) {
                Take::Fill => self.fill(&name, &kind, volume, &at)?,
                Take::Refuse(help) => {
                    self.refuse(&at, format!("{} does not take it", self.runtime.said()), help);
                }
                Take::Keep | Take::Drop | Take::Miss(_) => {
                    let secret = &volume[&kind]["secretRef"];
                    if !secret.is_null() {
                        let why = format!("{} reads no Secrets", self.runtime.said());
                        self.refuse(&format!("{at}.secretRef"), why, "mount the volume on the machine");
                    }
                }
            }
        }
        if self.runtime == Runtime::Podman {
            self.own_scratch(spec);
        }
        Ok(())
    }

    fn fill(&mut self, name: &str, kind: &str, volume: &mut Value, at: &str) -> Result<(), Diagnostic> {
        let source = volume[kind].clone();
        if kind == "persistentVolumeClaim" {
            return self.claim(&source, volume, at);
        }
        if kind == "projected" && !self.fills_any(&source) {
            return Ok(());
        }
        let mut files = Files::new();
        match kind {
            "projected" => {
                for (nth, part) in source["sources"].as_array().into_iter().flatten().enumerate() {
                    for (kind, value) in part.as_object().into_iter().flatten() {
                        let at = format!("{at}.sources[{nth}].{kind}");
                        match self.take(At::Projected, kind) {
                            _ if value.is_null() => {}
                            Take::Refuse(help) => {
                                self.refuse(&at, format!("{} does not take it", self.runtime.said()), help);
                            }
                            _ => self.files(kind, value, &source["defaultMode"], &mut files, &at)?,
                        }
                    }
                }
            }
            _ => self.files(kind, &source, &source["defaultMode"], &mut files, at)?,
        }
        self.made.volumes.insert(name.to_owned(), files);
        *volume = json!({
            "name": name,
            "hostPath": { "path": format!("{}/{name}", self.folder), "type": "Directory" },
        });
        Ok(())
    }

    /// Whether a projected volume has anything that does not come from the pod itself.
    fn fills_any(&self, projected: &Value) -> bool {
        let sources = projected["sources"].as_array().into_iter().flatten();
        sources
            .flat_map(|part| part.as_object().into_iter().flatten())
            .any(|(kind, value)| !value.is_null() && self.take(At::Projected, kind) != Take::Keep)
    }

    /// The files of one source.
    fn files(
        &mut self,
        kind: &str,
        source: &Value,
        mode: &Value,
        files: &mut Files,
        at: &str,
    ) -> Result<(), Diagnostic> {
        let content = match kind {
            "configMap" => self.content(Source::ConfigMap, &source["name"], &source["optional"], true, at)?,
            "secret" => {
                // A volume of its own calls it otherwise than a part of a projected one.
                let name =
                    if source["secretName"].is_null() { &source["name"] } else { &source["secretName"] };
                self.content(Source::Secret, name, &source["optional"], true, at)?
            }
            _ => return self.downward_files(source, mode, files, at),
        };
        let Some(content) = content else { return Ok(()) };
        let Some(items) = source["items"].as_array().filter(|items| !items.is_empty()) else {
            for (key, bytes) in content {
                self.file(files, &key, bytes, &[mode], at);
            }
            return Ok(());
        };
        for (nth, item) in items.iter().enumerate() {
            let (key, path) = (item["key"].as_str().unwrap_or(""), item["path"].as_str().unwrap_or(""));
            let at = format!("{at}.items[{nth}]");
            match content.get(key) {
                Some(bytes) => self.file(files, path, bytes.clone(), &[&item["mode"], mode], &at),
                None if source["optional"] == true => {}
                None => self.refuse(&at, format!("there is no key `{key}`"), "name a key that is there"),
            }
        }
        Ok(())
    }

    fn downward_files(
        &mut self,
        source: &Value,
        mode: &Value,
        files: &mut Files,
        at: &str,
    ) -> Result<(), Diagnostic> {
        for (nth, item) in source["items"].as_array().into_iter().flatten().enumerate() {
            let kind = if item["fieldRef"].is_null() { "resourceFieldRef" } else { "fieldRef" };
            let at = format!("{at}.items[{nth}]");
            if let Some(text) = self.downward(kind, &item[kind], None, &format!("{at}.{kind}"))? {
                let path = item["path"].as_str().unwrap_or("");
                self.file(files, path, text.into_bytes(), &[&item["mode"], mode], &at);
            }
        }
        Ok(())
    }

    /// A file, with the first permissions that are said.
    fn file(&mut self, files: &mut Files, path: &str, bytes: Vec<u8>, modes: &[&Value], at: &str) {
        let parts = || path.split('/');
        let leads_out = parts().any(|part| matches!(part, "" | "." | "..") || part.contains(['\0', '\\']));
        let in_the_way = files.keys().any(|other| {
            let under =
                |one: &str, other: &str| one.strip_prefix(other).is_some_and(|it| it.starts_with('/'));
            under(other, path) || under(path, other)
        });
        if leads_out || in_the_way {
            let why = if leads_out { "leads out of its volume" } else { "is a folder of another file" };
            return self.refuse(at, format!("`{path}` {why}"), INSIDE);
        }
        let mode = modes.iter().find_map(|mode| mode.as_u64()).unwrap_or(READABLE);
        let mode = u32::try_from(mode & 0o777).unwrap_or(0o644);
        files.insert(path.to_owned(), DataFile { bytes, mode });
    }

    /// A claim is the path of its volume. Podman has volumes by name as well, which last
    /// like a claim's.
    fn claim(&mut self, source: &Value, volume: &mut Value, at: &str) -> Result<(), Diagnostic> {
        let name = source["claimName"].as_str().unwrap_or("");
        let claim = self.find("PersistentVolumeClaim", name)?.unwrap_or_default();
        let persistent = match claim["spec"]["volumeName"].as_str() {
            Some(name) => self.find_in(String::new(), "PersistentVolume", name)?.unwrap_or_default(),
            None => Value::Null,
        };
        let spec = &persistent["spec"];
        let named = volume["name"].clone();
        if let Some(path) = spec["hostPath"]["path"].as_str().or(spec["local"]["path"].as_str()) {
            let mut host = json!({ "path": path });
            if let Some(kind) = spec["hostPath"]["type"].as_str() {
                host["type"] = json!(kind);
            }
            *volume = json!({ "name": named, "hostPath": host });
        } else if !spec["nfs"].is_null() && self.take(At::Volume, "nfs") == Take::Keep {
            *volume = json!({ "name": named, "nfs": spec["nfs"] });
        } else if self.runtime != Runtime::Podman {
            self.refuse(
                at,
                format!("the claim `{name}` has no volume on the machine in the manifests"),
                CLAIM,
            );
        }
        Ok(())
    }

    /// Names the volumes that podman makes for `emptyDir` after the pod: its own are known
    /// by their name alone.
    fn own_scratch(&mut self, spec: &mut Value) {
        let pod = self.whole["metadata"]["name"].as_str().unwrap_or("").to_owned();
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        for volume in spec.get_mut("volumes").and_then(Value::as_array_mut).into_iter().flatten() {
            if volume["emptyDir"].is_null() {
                continue;
            }
            let name = volume["name"].as_str().unwrap_or("").to_owned();
            let mut own = format!("{pod}-{name}");
            if own.len() > LONGEST {
                own = sha256(&own);
            }
            volume["name"] = json!(own);
            names.insert(name, own);
        }
        for list in CONTAINERS {
            let containers = spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
            let mounts = containers.filter_map(|it| it.get_mut("volumeMounts").and_then(Value::as_array_mut));
            for mount in mounts.flatten() {
                if let Some(own) = mount["name"].as_str().and_then(|name| names.get(name)) {
                    mount["name"] = json!(own);
                }
            }
        }
    }

    /// Mounts of what an API server would have filled can be read, and that is all.
    pub(super) fn mounts(&self, container: &mut Value) {
        let filled: BTreeSet<&str> = self.made.volumes.keys().map(String::as_str).collect();
        for mount in container.get_mut("volumeMounts").and_then(Value::as_array_mut).into_iter().flatten() {
            if mount["name"].as_str().is_some_and(|name| filled.contains(name)) {
                mount["readOnly"] = json!(true);
            }
        }
    }
}
