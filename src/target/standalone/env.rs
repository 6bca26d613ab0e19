//! The environment of a container, with the values in place of what names them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::content::Source;
use super::expand::{expand, literal};
use super::made::Runtime;
use super::table::{At, Take};
use super::work::Work;
use crate::diagnostic::Diagnostic;

/// The sources of `env[].valueFrom` and of `envFrom[]`, with what they name.
const SOURCES: [(&str, &str, Source); 2] =
    [("configMapKeyRef", "configMapRef", Source::ConfigMap), ("secretKeyRef", "secretRef", Source::Secret)];

impl Work<'_> {
    /// Fills in one container, which stands at `shown`.
    pub(super) fn container(&mut self, shown: &str, container: &mut Value) -> Result<(), Diagnostic> {
        self.fields(At::Container, shown, container);
        let mut env = self.env_from(shown, container)?;
        for (nth, entry) in container["env"].as_array().into_iter().flatten().enumerate() {
            env.extend(self.entry(&format!("{shown}.env[{nth}]"), entry, container)?);
        }
        let Some(fields) = container.as_object_mut() else { return Ok(()) };
        if fields.get("envFrom").and_then(Value::as_array).is_some_and(Vec::is_empty) {
            fields.remove("envFrom");
        }
        fields.remove("env");
        if self.runtime == Runtime::Podman {
            self.expand(&mut env, container);
        }
        if !env.is_empty() {
            container["env"] = env.into_iter().map(Variable::entry).collect();
        }
        self.mounts(container);
        Ok(())
    }

    /// What `envFrom` brings; what stays of it stays.
    fn env_from(&mut self, shown: &str, container: &mut Value) -> Result<Vec<Variable>, Diagnostic> {
        let mut env = Vec::new();
        let mut left = Vec::new();
        let Some(list) = container.get_mut("envFrom").and_then(Value::as_array_mut) else { return Ok(env) };
        for (nth, from) in std::mem::take(list).into_iter().enumerate() {
            let Some((field, source)) = SOURCES
                .iter()
                .find(|(_, field, _)| !from[*field].is_null())
                .map(|(_, field, it)| (*field, *it))
            else {
                continue;
            };
            if self.take(At::EnvFrom, field) != Take::Fill {
                left.push(from);
                continue;
            }
            let (reference, at) = (&from[field], format!("{shown}.envFrom[{nth}].{field}"));
            let content = self.content(source, &reference["name"], &reference["optional"], false, &at)?;
            self.made.is_secret |= source == Source::Secret;
            for (key, bytes) in content.into_iter().flatten() {
                let name = format!("{}{key}", from["prefix"].as_str().unwrap_or(""));
                match String::from_utf8(bytes) {
                    Ok(value) => env.push(self.literal(name, value)),
                    Err(_) => self.refuse(&at, format!("its key `{key}` is no text"), "mount it as a file"),
                }
            }
        }
        *list = left;
        Ok(env)
    }

    /// One entry of `env`; none where it is optional and not there.
    fn entry(
        &mut self,
        shown: &str,
        entry: &Value,
        container: &Value,
    ) -> Result<Option<Variable>, Diagnostic> {
        let name = entry["name"].as_str().unwrap_or("").to_owned();
        let Some((field, reference)) =
            entry["valueFrom"].as_object().and_then(|from| from.iter().find(|(_, value)| !value.is_null()))
        else {
            let value = entry["value"].as_str().unwrap_or("").to_owned();
            return Ok(Some(Variable { name, value: Is::Text(value) }));
        };
        let at = format!("{shown}.valueFrom.{field}");
        match self.take(At::Env, field) {
            Take::Fill => {}
            Take::Refuse(help) => {
                let why = format!("{} does not take it", self.runtime.said());
                self.refuse(&at, why, help);
                return Ok(None);
            }
            _ => return Ok(Some(Variable { name, value: Is::Entry(entry.clone()) })),
        }
        let value = match SOURCES.iter().find(|(key, ..)| key == field) {
            Some((.., source)) => {
                self.made.is_secret |= *source == Source::Secret;
                self.key_of(*source, reference, &at)?
            }
            None => self.downward(field, reference, Some(container), &at)?,
        };
        Ok(value.map(|value| self.literal(name, value)))
    }

    /// A variable with a value that nothing in is to be expanded.
    fn literal(&self, name: String, value: String) -> Variable {
        let value = match self.runtime {
            Runtime::Podman => Is::Literal(value),
            _ => Is::Text(literal(&value)),
        };
        Variable { name, value }
    }

    /// Expands what names variables: those that came before, in the environment, and all in
    /// the command. The last of those with one name is the one that counts.
    fn expand(&self, env: &mut Vec<Variable>, container: &mut Value) {
        let mut values: BTreeMap<String, String> = BTreeMap::new();
        for variable in &mut *env {
            let value = match &variable.value {
                Is::Text(text) => expand(text, &values),
                Is::Literal(text) => text.clone(),
                Is::Entry(_) => continue,
            };
            values.insert(variable.name.clone(), value.clone());
            variable.value = Is::Literal(value);
        }
        let mut seen = BTreeSet::new();
        env.reverse();
        env.retain(|variable| seen.insert(variable.name.clone()));
        env.reverse();
        for list in ["command", "args"] {
            for word in container.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(text) = word.as_str() {
                    *word = json!(expand(text, &values));
                }
            }
        }
        for mount in container.get_mut("volumeMounts").and_then(Value::as_array_mut).into_iter().flatten() {
            let Some(fields) = mount.as_object_mut() else { continue };
            if let Some(Value::String(path)) = fields.remove("subPathExpr") {
                fields.insert("subPath".to_owned(), json!(expand(&path, &values)));
            }
        }
    }
}

/// A variable of the environment.
struct Variable {
    name: String,
    value: Is,
}

/// How its value is written.
enum Is {
    /// With names that are expanded.
    Text(String),
    /// Just so.
    Literal(String),
    /// As the manifest has it.
    Entry(Value),
}

impl Variable {
    fn entry(self) -> Value {
        match self.value {
            Is::Entry(entry) => entry,
            Is::Text(value) | Is::Literal(value) => json!({ "name": self.name, "value": value }),
        }
    }
}
