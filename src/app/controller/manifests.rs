//! A folder of manifests that is kept applied, by the one member that it belongs to.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::decide::{Controller, Transaction};
use super::op::{Before, Op};
use crate::app::shared::Entry;
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, ObjectKey};
use crate::manifest::{self, Input, Options};
use crate::state::Gone;

/// The key that says which objects the manifests brought.
const RECORD: &str = "inputs/manifests";

/// It is looked at once in so many seconds.
const OFTEN: i64 = 2;

/// A folder.
pub struct Manifests {
    root: PathBuf,
    options: Options,
    /// The hashes of the files as they were brought last.
    brought: Option<Vec<(PathBuf, String)>>,
    /// When it was looked at last, in seconds of Unix time.
    looked: Option<i64>,
    told: Option<Diagnostic>,
}

impl Manifests {
    /// A folder that was not looked at.
    #[must_use]
    pub fn new(root: PathBuf, options: Options) -> Self {
        Manifests { root, options, brought: None, looked: None, told: None }
    }

    /// Has them brought again.
    pub fn again(&mut self) {
        (self.brought, self.looked) = (None, None);
    }

    /// Looks whether files are other than they were brought last, and brings them. What cannot be
    /// read changes nothing; it is told once.
    pub fn look(&mut self, controller: &mut Controller, now: i64) -> (Vec<Transaction>, Option<Diagnostic>) {
        if self.looked.is_some_and(|at| (at..at + OFTEN).contains(&now)) {
            return (Vec::new(), None);
        }
        self.looked = Some(now);
        let is_ours = controller.owns(&ObjectKey::new("", RECORD));
        let inputs = [Input::Path(self.root.clone())];
        let hashes = manifest::hashes(&inputs, &self.options);
        if !is_ours || (hashes.is_some() && hashes == self.brought) {
            return (Vec::new(), None);
        }
        match self.bring(&inputs, controller, now) {
            Ok(transactions) => {
                (self.brought, self.told) = (hashes, None);
                (transactions, None)
            }
            Err(error) => {
                let is_new = self.told.as_ref() != Some(&error);
                self.told = Some(error.clone());
                (Vec::new(), Some(error).filter(|_| is_new))
            }
        }
    }

    fn bring(
        &self,
        inputs: &[Input],
        controller: &mut Controller,
        now: i64,
    ) -> Result<Vec<Transaction>, Diagnostic> {
        let reading = manifest::read(inputs, &self.options);
        if reading.has_errors() {
            let first = reading.diagnostics.into_iter().find(Diagnostic::is_error);
            return Err(
                first.unwrap_or_else(|| Diagnostic::error("unreadable", "the manifests are in error"))
            );
        }
        let objects: BTreeSet<(Kind, ObjectKey)> =
            reading.objects.iter().map(|it| (it.kind, it.key.clone())).collect();
        let before = controller.known().entry(RECORD).map(recorded).unwrap_or_default();
        if objects.is_empty() && !before.is_empty() {
            return Err(Diagnostic::error(
                "empty-input",
                format!("`{}` has no objects any longer", self.root.display()),
            )
            .because(format!("it had {}", before.len()))
            .help("nothing is deleted; delete objects with `dsrules delete`, or put some back"));
        }
        let gone = Gone { objects: before.difference(&objects).cloned().collect(), ..Gone::default() };
        let value = serde_json::to_vec(&objects.iter().map(written).collect::<Vec<_>>()).unwrap_or_default();
        let is_new = controller.known().entry(RECORD).is_none_or(|entry| entry.value != value);
        let record = is_new.then(|| Op { key: RECORD.to_owned(), value: Some(value), before: Before::Any });
        Ok(controller.bring(reading.objects, &gone, record, now))
    }
}

fn written((kind, key): &(Kind, ObjectKey)) -> [String; 3] {
    [kind.name().to_owned(), key.namespace.to_string(), key.name.to_string()]
}

fn recorded(entry: &Entry) -> BTreeSet<(Kind, ObjectKey)> {
    let all: Vec<[String; 3]> = serde_json::from_slice(&entry.value).unwrap_or_default();
    let read = |[kind, namespace, name]: [String; 3]| {
        Some((Kind::known_as(&kind)?, ObjectKey::new(namespace, name)))
    };
    all.into_iter().filter_map(read).collect()
}
