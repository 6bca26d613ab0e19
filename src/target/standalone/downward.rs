//! What the downward API says: fields of the pod, addresses of its node, and what a
//! container may use.

use serde_json::{Map, Value};

use super::work::Work;
use crate::diagnostic::Diagnostic;
use crate::kube::amount;

const RUNNING: &str =
    "it is known only once the pod runs: use `hostNetwork: true`, or ask for it in the container";
const FIELD: &str = "name a field of the downward API, as `metadata.name`";
const LIMIT: &str = "give the container a limit, or the node `status.allocatable`";

impl Work<'_> {
    /// What `fieldRef` or `resourceFieldRef` says; nothing where it was refused. The
    /// container is the one that `resourceFieldRef` is about, where it names none.
    pub(super) fn downward(
        &mut self,
        kind: &str,
        reference: &Value,
        container: Option<&Value>,
        at: &str,
    ) -> Result<Option<String>, Diagnostic> {
        if kind == "fieldRef" {
            return self.field(reference["fieldPath"].as_str().unwrap_or(""), at);
        }
        let named = reference["containerName"].as_str().filter(|name| !name.is_empty());
        let all = |list: &str| self.whole["spec"][list].as_array().into_iter().flatten();
        let found = named.and_then(|name| {
            all("containers")
                .chain(all("initContainers"))
                .find(|container| container["name"] == name)
                .cloned()
        });
        let Some(container) = found.as_ref().or(container.filter(|_| named.is_none())) else {
            self.refuse(at, "it names no container of the pod", FIELD);
            return Ok(None);
        };
        self.resource(reference, &container["resources"], at)
    }

    fn field(&mut self, path: &str, at: &str) -> Result<Option<String>, Diagnostic> {
        let meta = &self.whole["metadata"];
        let (path, key) = match path.split_once("['") {
            Some((path, key)) => (path, key.strip_suffix("']")),
            None => (path, None),
        };
        let value = match (path, key) {
            ("metadata.name", None) => meta["name"].as_str().map(ToOwned::to_owned),
            ("metadata.namespace", None) => Some(self.namespace.clone()),
            ("metadata.uid", None) => Some(meta["uid"].as_str().unwrap_or("").to_owned()),
            ("metadata.labels" | "metadata.annotations", Some(key)) => {
                let map = &meta[path.trim_start_matches("metadata.")];
                Some(map[key].as_str().unwrap_or("").to_owned())
            }
            ("metadata.labels" | "metadata.annotations", None) => {
                Some(lines(meta[path.trim_start_matches("metadata.")].as_object()))
            }
            ("spec.nodeName", None) => self.whole["spec"]["nodeName"].as_str().map(ToOwned::to_owned),
            ("spec.serviceAccountName", None) => {
                Some(self.whole["spec"]["serviceAccountName"].as_str().unwrap_or("default").to_owned())
            }
            ("status.podIP" | "status.podIPs", None) if self.whole["spec"]["hostNetwork"] != true => {
                self.refuse(at, format!("`{path}` is not known before the pod runs"), RUNNING);
                return Ok(None);
            }
            ("status.hostIP" | "status.podIP", None) => {
                return self.addresses(at).map(|all| all.and_then(|all| all.into_iter().next()));
            }
            ("status.hostIPs" | "status.podIPs", None) => {
                return self.addresses(at).map(|all| all.map(|all| all.join(",")));
            }
            _ => None,
        };
        if value.is_none() {
            self.refuse(at, format!("`{path}` is no field that a pod is told"), FIELD);
        }
        Ok(value)
    }

    /// The internal addresses of the pod's node; they are not none.
    fn addresses(&mut self, at: &str) -> Result<Option<Vec<String>>, Diagnostic> {
        let node = self.node()?;
        let addresses = node["status"]["addresses"].as_array().into_iter().flatten();
        let internal = addresses.filter(|address| address["type"] == "InternalIP");
        let found: Vec<String> =
            internal.filter_map(|address| address["address"].as_str()).map(ToOwned::to_owned).collect();
        if found.is_empty() {
            self.refuse(
                at,
                "the pod's node says no address",
                "give the Node `status.addresses` with one of the type InternalIP",
            );
            return Ok(None);
        }
        Ok(Some(found))
    }

    fn node(&mut self) -> Result<Value, Diagnostic> {
        let name = self.whole["spec"]["nodeName"].as_str().unwrap_or("").to_owned();
        Ok(self.find_in(String::new(), "Node", &name)?.unwrap_or_default())
    }

    /// What a container may use or asks for, in units of the divisor, rounded up.
    fn resource(
        &mut self,
        reference: &Value,
        resources: &Value,
        at: &str,
    ) -> Result<Option<String>, Diagnostic> {
        let asked = reference["resource"].as_str().unwrap_or("");
        let Some((side, resource)) = asked.split_once('.') else {
            self.refuse(at, format!("`{asked}` is no resource"), "write it as `limits.memory`");
            return Ok(None);
        };
        let read = |value: &Value| match value {
            Value::Number(number) => amount(resource, &number.to_string()),
            value => amount(resource, value.as_str()?),
        };
        let mut has = read(&resources[side][resource]);
        if has.is_none() && side == "limits" {
            has = read(&self.node()?["status"]["allocatable"][resource]);
        } else if has.is_none() {
            has = Some(0);
        }
        let Some(has) = has else {
            self.refuse(at, format!("neither container nor node says how much {resource} there is"), LIMIT);
            return Ok(None);
        };
        let one = amount(resource, "1").unwrap_or(1);
        let divisor = read(&reference["divisor"]).filter(|divisor| *divisor > 0).unwrap_or(one);
        let whole = has.div_euclid(divisor) + i64::from(has.rem_euclid(divisor) != 0);
        Ok(Some(whole.to_string()))
    }
}

/// Labels or annotations as a file of them says it: `key="value"`, a line each.
fn lines(map: Option<&Map<String, Value>>) -> String {
    let entries = map.into_iter().flatten();
    let lines: Vec<String> = entries.map(|(key, value)| format!("{key}={value}")).collect();
    lines.join("\n")
}
