//! A pod on its way, and what every part of the work needs: the table, and the manifests.

use serde_json::Value;

use super::made::{Finding, Runtime, Standalone};
use super::table::{At, Take, take};
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, ObjectKey};

/// Gives an object of the manifests, or `None` where there is none.
pub type Lookup<'l> = &'l mut dyn FnMut(Kind, &ObjectKey) -> Result<Option<Value>, Diagnostic>;

/// A pod on its way.
pub(super) struct Work<'a> {
    pub(super) runtime: Runtime,
    pub(super) folder: &'a str,
    pub(super) namespace: String,
    /// The pod as it came, for what the downward API says.
    pub(super) whole: Value,
    pub(super) made: Standalone,
    pub(super) lookup: Lookup<'a>,
}

impl Work<'_> {
    pub(super) fn take(&self, at: At, field: &str) -> Take {
        take(at, field, self.runtime)
    }

    pub(super) fn refuse(&mut self, field: &str, why: impl Into<String>, help: &str) {
        self.made.refused.push(Finding { field: field.to_owned(), why: why.into(), help: help.to_owned() });
    }

    /// Does with each field of an object what the table says; what is to be filled stays.
    pub(super) fn fields(&mut self, at: At, shown: &str, object: &mut Value) {
        let Some(object) = object.as_object_mut() else { return };
        object.retain(|name, value| {
            let field = format!("{shown}.{name}");
            match self.take(at, name) {
                _ if value.is_null() => false,
                Take::Keep | Take::Fill => true,
                Take::Drop => false,
                Take::Miss(help) => {
                    let why = format!("{} has no use for it", self.runtime.said());
                    self.made.missed.push(Finding { field, why, help: help.to_owned() });
                    false
                }
                Take::Refuse(help) => {
                    let it = value.as_str().map_or("it".to_owned(), |name| format!("`{name}`"));
                    self.refuse(&field, format!("{} does not take {it}", self.runtime.said()), help);
                    true
                }
            }
        });
    }

    /// An account that the pod does not use is none.
    pub(super) fn account(&mut self, spec: &mut Value) -> Result<(), Diagnostic> {
        const AUTOMOUNT: &str = "automountServiceAccountToken";
        let name = spec["serviceAccountName"].as_str().or(spec["serviceAccount"].as_str()).unwrap_or("");
        let unused = match name {
            "" | "default" => true,
            name => match &spec[AUTOMOUNT] {
                Value::Bool(mounts) => !mounts,
                _ => self.find("ServiceAccount", name)?.is_some_and(|it| it[AUTOMOUNT] == false),
            },
        };
        if let Some(spec) = spec.as_object_mut().filter(|_| unused) {
            spec.remove("serviceAccountName");
            spec.remove("serviceAccount");
        }
        Ok(())
    }

    /// An object of a core kind in the pod's namespace.
    pub(super) fn find(&mut self, kind: &str, name: &str) -> Result<Option<Value>, Diagnostic> {
        self.find_in(self.namespace.clone(), kind, name)
    }

    pub(super) fn find_in(
        &mut self,
        namespace: String,
        kind: &str,
        name: &str,
    ) -> Result<Option<Value>, Diagnostic> {
        match Kind::known_as(kind) {
            Some(kind) => (self.lookup)(kind, &ObjectKey::new(namespace, name)),
            None => Ok(None),
        }
    }
}
