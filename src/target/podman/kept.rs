//! What is remembered of a pod beside podman: what it was played from, and how often its
//! containers were started again. It stands in the pod's folder, so a new start of the
//! program knows as much as the old one did.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::files::Folder;
use crate::diagnostic::Diagnostic;
use crate::kube::{list, seconds, timestamp};
use crate::target::runtime::Ended;

const POD: &str = "pod.json";
const RESTARTS: &str = "restarts.json";

/// A pod as it was played.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kept {
    /// Its mark.
    pub(super) mark: String,
    /// The whole Pod.
    pub(super) manifest: Value,
}

/// How often containers were started again, and how each ended before.
pub(super) type Restarts = BTreeMap<String, (u32, Option<Ended>)>;

impl Kept {
    /// Of the pod that podman calls `name`; `None` where nothing is known.
    pub(super) fn read(folder: &Folder, name: &str) -> Option<Self> {
        let mut whole: Value = serde_json::from_str(&folder.read(name, POD)?).ok()?;
        Some(Kept { mark: whole["mark"].as_str()?.to_owned(), manifest: whole["pod"].take() })
    }

    /// Writes it.
    pub(super) fn write(&self, folder: &Folder, name: &str) -> Result<(), Diagnostic> {
        folder.keep(name, POD, &json!({ "mark": self.mark, "pod": self.manifest }).to_string())
    }

    /// Its spec.
    pub(super) fn spec(&self) -> &Value {
        &self.manifest["spec"]
    }

    /// How long it may take to end.
    pub(super) fn grace(&self) -> u64 {
        self.spec()["terminationGracePeriodSeconds"].as_u64().unwrap_or(30)
    }

    /// Whether a container that ended with this code is started again.
    pub(super) fn starts_again(&self, code: i64) -> bool {
        match self.spec()["restartPolicy"].as_str() {
            Some("Never") => false,
            Some("OnFailure") => code != 0,
            _ => true,
        }
    }

    /// The names of its containers and their entries; `field` says which.
    pub(super) fn containers(&self, field: &str) -> impl Iterator<Item = (&str, &Value)> {
        list(self.spec(), field).filter_map(|container| Some((container["name"].as_str()?, container)))
    }
}

/// How often the containers of a pod were started again.
pub(super) fn restarts(folder: &Folder, name: &str) -> Restarts {
    let whole: Value =
        folder.read(name, RESTARTS).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let entries = whole.as_object().into_iter().flatten();
    let read = |entry: &Value| {
        let count = u32::try_from(entry["count"].as_u64().unwrap_or(0)).unwrap_or(u32::MAX);
        let last = &entry["last"];
        let ended = last["code"].as_i64().map(|code| Ended {
            code,
            reason: last["reason"].as_str().unwrap_or("").to_owned(),
            started: seconds(&last["started"]),
            at: seconds(&last["at"]),
        });
        (count, ended)
    };
    entries.map(|(name, entry)| (name.clone(), read(entry))).collect()
}

/// Remembers that containers are started again, which ended so.
pub(super) fn count(
    folder: &Folder,
    name: &str,
    again: impl IntoIterator<Item = (String, Option<Ended>)>,
) -> Result<(), Diagnostic> {
    let mut all = restarts(folder, name);
    for (container, ended) in again {
        let entry = all.entry(container).or_default();
        entry.0 = entry.0.saturating_add(1);
        entry.1 = ended.or(entry.1.take());
    }
    let told: BTreeMap<&String, Value> = all
        .iter()
        .map(|(name, (count, last))| {
            let last = last.as_ref().map(|ended| {
                json!({ "code": ended.code, "reason": ended.reason,
                    "started": ended.started.map(timestamp), "at": ended.at.map(timestamp) })
            });
            (name, json!({ "count": count, "last": last }))
        })
        .collect();
    folder.keep(name, RESTARTS, &json!(told).to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_new_start_knows_what_the_old_one_did() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path()).unwrap();
        let manifest = json!({"spec": {"restartPolicy": "OnFailure", "containers": [{"name": "web"}]}});
        let kept = Kept { mark: "u1 7f".to_owned(), manifest };
        assert_eq!(Kept::read(&folder, "a.b"), None);
        kept.write(&folder, "a.b").unwrap();
        assert_eq!(Kept::read(&folder, "a.b").unwrap(), kept);
        assert_eq!((kept.grace(), kept.starts_again(0), kept.starts_again(1)), (30, false, true));
        let ended = Ended { code: 137, reason: "OOMKilled".to_owned(), started: Some(60), at: Some(61) };
        count(&folder, "a.b", [("web".to_owned(), Some(ended.clone()))]).unwrap();
        count(&folder, "a.b", [("web".to_owned(), None)]).unwrap();
        assert_eq!(restarts(&folder, "a.b")["web"], (2, Some(ended)));
    }
}
