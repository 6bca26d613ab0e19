//! What a plan rests on: the files and rules that were read, the store, the time; and what of it
//! is other than it was.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::app::request::Request;
use crate::app::rules;
use crate::diagnostic::{Diagnostic, counted};
use crate::hash::sha256;
use crate::kube::{Kind, ObjectKey, timestamp};
use crate::plan::{Change, Plan};
use crate::policy::builtin::BUILTIN;

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rests {
    /// The store's file.
    store: String,
    /// Its last resourceVersion, if it is there.
    version: Option<u64>,
    /// The versions of the objects that the plan is about, by `kind/namespace/name`.
    objects: BTreeMap<String, String>,
    /// The files of the input with their hashes; nothing where it came from a pipe.
    files: Option<Vec<(String, String)>>,
    /// The user's own files with their hashes, by path and input.
    own: Vec<(String, String)>,
    /// A hash of the built-in rules.
    built_in: String,
}

impl Rests {
    /// What a plan of a request rests on.
    pub(super) fn of(request: &Request) -> Result<Rests, Diagnostic> {
        let path = &request.database.path;
        let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let version = match request.database.is_there() {
            true => Some(request.database.read_or_empty()?.moment()?.0),
            false => None,
        };
        let found = rules::find(&request.rules, &request.manifests.beside());
        let own = found.files.iter().map(|file| {
            let path = std::path::absolute(&*file.path)
                .map_or_else(|_| file.path.to_string(), |it| it.display().to_string());
            (format!("{path} {}", file.relation).trim_end().to_owned(), sha256(&*file.text))
        });
        let mut built_in = String::new();
        BUILTIN.iter().for_each(|(file, text)| {
            built_in.push_str(&format!("{} {file} {} {text}", file.len(), text.len()))
        });
        let full = |(path, hash): (std::path::PathBuf, String)| {
            (std::path::absolute(&path).unwrap_or(path).display().to_string(), hash)
        };
        Ok(Rests {
            store: match &request.database.cluster {
                Some(name) => format!("the cluster {name}"),
                None => path.display().to_string(),
            },
            version,
            objects: BTreeMap::new(),
            files: request.manifests.hashes().map(|files| files.into_iter().map(full).collect()),
            own: own.collect(),
            built_in: sha256(built_in),
        })
    }

    /// Notes the versions of the objects that a plan is about.
    pub(super) fn look_at(&mut self, request: &Request, plan: &Plan) -> Result<(), Diagnostic> {
        if self.version.is_none() {
            return Ok(());
        }
        let store = request.database.read_or_empty()?;
        for (kind, key) in about(plan) {
            if let Some(found) = store.get(kind, &key)? {
                self.objects.insert(name(kind, &key), found.version.to_string());
            }
        }
        Ok(())
    }

    /// The store's file.
    pub(super) fn store(&self) -> &str {
        &self.store
    }

    /// The hashes of the input's files, in order.
    pub(super) fn hashes(&self) -> Option<Vec<String>> {
        self.files.as_ref().map(|files| files.iter().map(|(_, hash)| hash.clone()).collect())
    }

    /// In a line.
    pub(super) fn said(&self) -> String {
        let store = match self.version {
            Some(version) => format!("over {} at version {version}", self.store),
            None => format!("over {}, which was not there", self.store),
        };
        let files = match &self.files {
            Some(files) => counted(files.len(), "file"),
            None => "a pipe".to_owned(),
        };
        let own = match self.own.len() {
            0 => String::new(),
            count => format!(" and {} of your own rules", counted(count, "file")),
        };
        format!("{store}, of {files}{own}")
    }

    /// What of the files and rules is other than it was, and whether the store is another one.
    pub(super) fn moved(&self, request: &Request) -> Result<Vec<String>, Diagnostic> {
        let now = Rests::of(request)?;
        let mut moved = Vec::new();
        match (self.version, now.version) {
            (Some(version), None) => {
                moved.push(format!("the store {} is gone; it was at version {version}", self.store));
            }
            (None, Some(version)) => {
                moved.push(format!("the store {} is there by now, at version {version}", self.store));
            }
            _ => {}
        }
        if let Some(files) = &self.files {
            differing("", files, now.files.as_deref().unwrap_or_default(), &mut moved);
        }
        differing("your rules: ", &self.own, &now.own, &mut moved);
        if self.built_in != now.built_in {
            moved.push("the built-in rules are those of another dsrules".to_owned());
        }
        Ok(moved)
    }

    /// Which objects of the store are other than they were.
    pub(super) fn moved_in_store(&self, request: &Request) -> Result<Vec<String>, Diagnostic> {
        let store = request.database.read_or_empty()?;
        let Some(before) = self.version else { return Ok(Vec::new()) };
        let mut moved = Vec::new();
        let mut seen = BTreeSet::new();
        for kind in Kind::ALL {
            store.list(kind, &mut |key, found| {
                let (name, now) = (name(kind, &key), found.version.to_string());
                let was = self.objects.get(&name);
                let is_new = now.parse::<u64>().is_ok_and(|now| now > before);
                match was {
                    Some(was) if *was != now => {
                        moved.push(format!("{name} is at version {now}; it was at {was}"))
                    }
                    None if is_new => {
                        moved.push(format!("{name} is at version {now}; the store was at {before}"))
                    }
                    _ => {}
                }
                seen.insert(name);
                Ok(())
            })?;
        }
        let gone = self.objects.iter().filter(|(name, _)| !seen.contains(*name));
        moved.extend(gone.map(|(name, was)| format!("{name} is gone; it was at version {was}")));
        Ok(moved)
    }

    /// What is left to have moved: the time.
    pub(super) fn time_moved(&self, made: i64, now: i64) -> String {
        format!(
            "time: planned at {}, and it is {}; rules or waits depend on it",
            timestamp(made),
            timestamp(now)
        )
    }
}

/// Which of some files with their hashes are other than they were.
fn differing(lead: &str, before: &[(String, String)], now: &[(String, String)], moved: &mut Vec<String>) {
    let (was, is): (BTreeMap<_, _>, BTreeMap<_, _>) =
        (before.iter().cloned().collect(), now.iter().cloned().collect());
    for path in was.keys().chain(is.keys()).collect::<BTreeSet<_>>() {
        match (was.get(path), is.get(path)) {
            (Some(was), Some(is)) if was != is => moved.push(format!("{lead}`{path}` was changed")),
            (Some(_), None) => moved.push(format!("{lead}`{path}` is gone, or cannot be read")),
            (None, Some(_)) => moved.push(format!("{lead}`{path}` is new")),
            _ => {}
        }
    }
}

fn name(kind: Kind, key: &ObjectKey) -> String {
    format!("{}/{key}", kind.resource())
}

/// The objects that a plan is about.
fn about(plan: &Plan) -> BTreeSet<(Kind, ObjectKey)> {
    let changed = plan.objects.iter().filter(|it| it.change != Change::Unchanged);
    let mut all: BTreeSet<(Kind, ObjectKey)> = changed.map(|it| (it.kind, it.key.clone())).collect();
    for action in plan.waves.iter().flat_map(|wave| &wave.actions) {
        all.insert((action.verb.kind(), action.object.clone()));
        all.extend(action.node.iter().map(|node| (Kind::Node, ObjectKey::new("", node.clone()))));
        all.extend(action.daemonset.iter().map(|key| (Kind::DaemonSet, key.clone())));
    }
    all
}
