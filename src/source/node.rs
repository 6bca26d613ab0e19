//! The one node that an agent is on, and where its Node comes from.
//!
//! From the file that is named, else from the manifests of the source, else from the machine
//! itself. A label, taint or address that the agent was told is added to whichever it is.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::machine::Machine;
use crate::diagnostic::{Diagnostic, Place};
use crate::kube::{Kind, Name, Object, ObjectKey, Origin};
use crate::manifest::{self, Input, Options};

/// Says of a Node that nobody wrote it.
const GATHERED: &str = "dsrules/gathered";

/// A node, as an agent was told of it.
#[derive(Debug, Clone, Default)]
pub struct OwnNode {
    /// Its name.
    pub name: Name,
    /// The file that has it, if one was named.
    pub file: Option<PathBuf>,
    /// Labels that it has besides.
    pub labels: Vec<(String, String)>,
    /// Taints that it has besides: key, value, effect.
    pub taints: Vec<(String, String, String)>,
    /// Addresses that it has in place of those that were found.
    pub addresses: Vec<String>,
}

impl OwnNode {
    /// Its key.
    #[must_use]
    pub fn key(&self) -> ObjectKey {
        ObjectKey::new("", self.name.clone())
    }

    /// Whether an API server would take what was said of it.
    ///
    /// # Errors
    /// What it would refuse: a name, a label, a taint.
    pub fn check(&self) -> Result<(), Vec<Diagnostic>> {
        let bare = |name: &str| json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": name } });
        let mut node = bare(&self.name);
        self.dress(&mut node);
        let faults = manifest::faults(Kind::Node, &node, &bare("a"), None);
        let said = |fault: Diagnostic| Diagnostic {
            message: format!("the node `{}` cannot be so: {}", self.name, fault.message),
            ..fault
        };
        if faults.is_empty() { Ok(()) } else { Err(faults.into_iter().map(said).collect()) }
    }

    /// Its Node, where that is not a manifest of the source.
    ///
    /// # Errors
    /// When the file that was named has no such Node, or cannot be read.
    pub fn elsewhere(&self, root: &Path, reading: &Options) -> Result<Object, Diagnostic> {
        let mut object = match &self.file {
            Some(file) => self.of_file(file, reading)?,
            None => self.gathered(&Machine::read(root)),
        };
        self.dress(&mut object.value);
        Ok(object)
    }

    fn of_file(&self, file: &Path, reading: &Options) -> Result<Object, Diagnostic> {
        let options = Options { node: Some(self.name.clone()), ..reading.clone() };
        let mut reading = manifest::read(&[Input::Path(file.to_owned())], &options);
        let error = reading.diagnostics.into_iter().find(|it| it.is_error() && it.code != "no-objects");
        if let Some(error) = error {
            return Err(error);
        }
        let at = reading.objects.iter().position(|object| object.kind == Kind::Node);
        let shown = file.display().to_string();
        let none = || {
            Diagnostic::error("no-node", format!("there is no Node `{}` in `{shown}`", self.name))
                .at(Place::file(shown.as_str()))
                .help("a Node's `metadata.name` is what `--node` says, or this machine's name without it")
        };
        at.map(|at| reading.objects.swap_remove(at)).ok_or_else(none)
    }

    fn gathered(&self, machine: &Machine) -> Object {
        let mut value = machine.node(&self.name);
        value["metadata"]["annotations"][GATHERED] = json!("machine");
        let origin = Origin { file: "this machine".into(), document: 0, path: String::new() };
        Object { kind: Kind::Node, key: self.key(), value, origin }
    }

    /// Whether a Node was gathered from a machine, and not written by anyone.
    #[must_use]
    pub fn is_gathered(node: &Value) -> bool {
        node["metadata"]["annotations"][GATHERED].is_string()
    }

    /// Adds what the agent was told to a Node.
    pub fn dress(&self, node: &mut Value) {
        for (key, value) in &self.labels {
            node["metadata"]["labels"][key] = json!(value);
        }
        if !self.taints.is_empty() {
            let mut taints = node["spec"]["taints"].as_array().cloned().unwrap_or_default();
            taints.retain(|old| {
                !self.taints.iter().any(|(key, _, effect)| old["key"] == **key && old["effect"] == **effect)
            });
            taints.extend(self.taints.iter().map(|(key, value, effect)| {
                let mut taint = json!({ "key": key, "effect": effect });
                if !value.is_empty() {
                    taint["value"] = json!(value);
                }
                taint
            }));
            node["spec"]["taints"] = taints.into();
        }
        if !self.addresses.is_empty() {
            let found = node["status"]["addresses"].as_array().cloned().unwrap_or_default();
            let given = self.addresses.iter().map(|it| json!({ "type": "InternalIP", "address": it }));
            let others = found.into_iter().filter(|it| it["type"] != "InternalIP");
            node["status"]["addresses"] = given.chain(others).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_agent_was_told_is_added() {
        let own = OwnNode {
            labels: vec![("a".to_owned(), "b".to_owned())],
            taints: vec![("t".to_owned(), String::new(), "NoSchedule".to_owned())],
            addresses: vec!["10.0.0.7".to_owned()],
            ..OwnNode::default()
        };
        let mut node = json!({
            "metadata": { "labels": { "a": "x", "c": "d" } },
            "spec": { "taints": [{ "key": "t", "value": "old", "effect": "NoSchedule" }, { "key": "u", "effect": "NoExecute" }] },
            "status": { "addresses": [{ "type": "InternalIP", "address": "1.1.1.1" }, { "type": "Hostname", "address": "h" }] },
        });
        own.dress(&mut node);
        assert_eq!(node["metadata"]["labels"], json!({ "a": "b", "c": "d" }));
        assert_eq!(
            node["spec"]["taints"],
            json!([{ "key": "u", "effect": "NoExecute" }, { "key": "t", "effect": "NoSchedule" }])
        );
        assert_eq!(node["status"]["addresses"][0]["address"], "10.0.0.7");
        assert_eq!(node["status"]["addresses"][1]["type"], "Hostname");
    }
}
