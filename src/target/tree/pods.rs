//! The files of a node's pods, in the format of the tree.

use std::collections::BTreeMap;

use serde_json::Value;

use super::data;
use super::files::{Files, Text};
use super::format::{Destination, Format};
use super::manifest::{self, Notes};
use super::place::{FileName, NodeFolder};
use super::report::TreeReport;
use super::systemd::{TARGET, Unit, target, unit_name};
use super::told::{Told, owner};
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, ObjectKey};
use crate::target::standalone::{Finding, Runtime, Standalone, standalone};
use crate::yaml::to_yaml;

/// Gives an object of the store, or `None` when it is gone.
pub type Read<'r> = &'r mut dyn FnMut(Kind, &ObjectKey) -> Result<Option<Value>, Diagnostic>;

/// Makes files of pods, and remembers what is to be said of them.
pub(super) struct Maker<'d> {
    destination: &'d Destination,
    notes: Notes,
    told: Told,
}

impl<'d> Maker<'d> {
    pub(super) fn new(destination: &'d Destination) -> Self {
        Maker { destination, notes: Notes::default(), told: Told::default() }
    }

    /// Why nothing may be written, if so.
    pub(super) fn refusal(&self) -> Option<Diagnostic> {
        self.told.refusal(self.destination.format)
    }

    /// What is to be said, in the end.
    pub(super) fn tell(self) -> Vec<Diagnostic> {
        self.told.warnings().chain(self.notes.tell()).collect()
    }

    /// What is to stand in one node's folder.
    pub(super) fn files(
        &mut self,
        node: &NodeFolder,
        keys: &[ObjectKey],
        read: Read<'_>,
        report: &mut TreeReport,
    ) -> Result<Files, Diagnostic> {
        let mut files = Files { written: self.destination.written(), ..Files::default() };
        let mut alike = Alike::default();
        let mut names = BTreeMap::new();
        for key in keys {
            let Some(pod) = read(Kind::Pod, key)? else { continue };
            let file = match FileName::new(key) {
                Ok(file) => file,
                Err(told) => {
                    report.problems.push(told);
                    continue;
                }
            };
            alike.note(&file, "pods", report);
            match self.destination.format.runtime() {
                None => {
                    let text = manifest::text(node, &file, pod, &mut self.notes);
                    files.own.insert(file, Text::open(text));
                }
                Some(runtime) => {
                    let other = names.insert(key.name.clone(), key.clone());
                    let made = self.made(node, key, pod, runtime, other, read)?;
                    if let Some(made) = made
                        && let Err(told) = self.add(node, key, file, made, &mut files)
                    {
                        report.problems.push(told);
                    }
                }
            }
        }
        if self.destination.format == Format::Systemd && !files.own.is_empty() {
            let is_unit = |file: &&FileName| file.ends_with(".service");
            let text = manifest::header(node, TARGET) + &target(node, files.own.keys().filter(is_unit));
            match FileName::unit(TARGET.to_owned()) {
                Ok(file) => drop(files.own.insert(file, Text::open(text))),
                Err(told) => report.problems.push(told),
            }
        }
        Ok(files)
    }

    /// A pod as its runtime takes it; `None` where that was refused.
    fn made(
        &mut self,
        node: &NodeFolder,
        key: &ObjectKey,
        pod: Value,
        runtime: Runtime,
        other: Option<ObjectKey>,
        read: Read<'_>,
    ) -> Result<Option<Standalone>, Diagnostic> {
        let owner = owner(&pod);
        let folder = format!("{}/{}", self.destination.on_machine(node), folder(key));
        let mut made = standalone(pod, runtime, &folder, read)?;
        if let Some(other) = other.filter(|_| runtime == Runtime::Podman) {
            made.refused.push(Finding {
                field: "metadata.name".to_owned(),
                why: format!("podman knows no namespaces, and `{other}` on this node has the name too"),
                help: "give one of them another name".to_owned(),
            });
        }
        let is_refused = !made.refused.is_empty();
        self.told.add(&key.to_string(), &owner, node, &mut made);
        Ok((!is_refused).then_some(made))
    }

    /// Adds the files of a pod.
    fn add(
        &self,
        node: &NodeFolder,
        key: &ObjectKey,
        file: FileName,
        made: Standalone,
        files: &mut Files,
    ) -> Result<(), Diagnostic> {
        let text = manifest::header(node, &file) + &to_yaml(&made.pod);
        let machine = self.destination.on_machine(node);
        let unit = Unit { key, pod: &made.pod, file: &file, text: &text, folder: &machine };
        let unit = match self.destination.format {
            Format::Systemd => Some((unit_name(key, ".service"), unit.service())),
            Format::Quadlet => Some((unit_name(key, ".kube"), unit.quadlet())),
            _ => None,
        };
        if let Some((name, unit)) = unit {
            let name = FileName::unit(name)?;
            let unit = manifest::header(node, &name) + &unit;
            files.own.insert(name, Text::open(unit));
        }
        for (volume, data) in made.volumes {
            files.data.add(&format!("{}/{volume}", pod_folder(key)), data);
        }
        files.own.insert(file, Text { text, is_secret: made.is_secret });
        Ok(())
    }
}

/// The folder of a pod's volumes, below its node's.
fn folder(key: &ObjectKey) -> String {
    format!("{}/{}", data::FOLDER, pod_folder(key))
}

fn pod_folder(key: &ObjectKey) -> String {
    format!("{}_{}", key.namespace, key.name)
}

/// Names that are one and the same on a disk which does not tell cases apart.
#[derive(Default)]
pub(super) struct Alike(BTreeMap<String, String>);

impl Alike {
    pub(super) fn note(&mut self, name: &str, what: &str, report: &mut TreeReport) {
        if let Some(other) = self.0.insert(name.to_lowercase(), name.to_owned()) {
            let told = format!("the {what} `{other}` and `{name}` differ in case only");
            report.problems.push(
                Diagnostic::warning("tree-name", told)
                    .because("on a disk that does not tell cases apart they are one file"),
            );
        }
    }
}
