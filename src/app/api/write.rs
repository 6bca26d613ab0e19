//! Writes: an object is made, changed or deleted as an API server does it, and what follows from
//! that by the rules is committed with it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::admit::{Unknown, decode, identify, validate};
use super::engine::Engine;
use super::entry::Entry;
use super::managers::{self, Writer};
use super::patch;
use super::refused::{Cause, Reason, Refused};
use super::resource::{RESOURCES, Resource, SLICES};
use super::source::Edit;
use super::typed::Typed;
use crate::app::restart::IN_PLACE;
use crate::hash::sha256;
use crate::kube::{Kind, Object, ObjectKey, Origin, timestamp};
use crate::state::Cascade;

/// How something is written.
#[derive(Debug, Clone)]
pub struct How {
    /// Who writes.
    pub manager: String,
    /// Whether it is only asked what would come of it.
    pub dry: bool,
    /// What becomes of unknown fields.
    pub unknown: Unknown,
    /// Whether an apply takes fields away from others.
    pub force: bool,
}

/// What a patch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchForm {
    /// RFC 6902.
    Json,
    /// RFC 7396.
    Merge,
    /// Kubernetes' own.
    Strategic,
    /// Server-side apply.
    Apply,
}

/// What came of a write.
#[derive(Debug)]
pub struct Written {
    /// The object as it is now, or would be.
    pub entry: Arc<Entry>,
    /// Whether it is new.
    pub created: bool,
    /// What the client is to be warned of.
    pub warnings: Vec<String>,
}

/// Conditions of a delete.
#[derive(Debug, Clone, Default)]
pub struct Deletion {
    /// What becomes of what it owns.
    pub cascade: Cascade,
    /// The uid that it must have.
    pub uid: Option<String>,
    /// The version that it must have.
    pub version: Option<String>,
    /// Whether it is only asked.
    pub dry: bool,
}

impl Engine {
    /// Makes an object.
    ///
    /// # Errors
    /// When it is not sound, or there is one of its name.
    pub fn create(
        &mut self,
        resource: usize,
        namespace: &str,
        mut value: Value,
        how: &How,
    ) -> Result<Written, Refused> {
        let (it, kind) = self.writable(resource)?;
        if !value.is_object() {
            let message = "the object provided is unrecognized (must be of type Object)";
            return Err(Refused::new(Reason::BadRequest, message));
        }
        let name = self.name(it, &mut value)?;
        let key = ObjectKey::new(namespace, &*name);
        identify(it, &key, &mut value)?;
        let warnings = decode(kind, &value, how.unknown)?;
        if self.replica().get(resource, &key).is_some() {
            let message = format!("{} \"{name}\" already exists", it.qualified());
            return Err(Refused::new(Reason::AlreadyExists, message).about(it, &name));
        }
        if value["metadata"]["resourceVersion"].as_str().is_some_and(|it| !it.is_empty()) {
            return Err(Refused::new(
                Reason::BadRequest,
                "resourceVersion should not be set on objects to be created",
            ));
        }
        // A node says itself how it is.
        if it.status && kind != Kind::Node {
            remove(&mut value, "status");
        }
        managers::track(None, &mut value, Typed::of(it.kind), &self.writer(how, "Update", ""));
        self.put(resource, kind, &key, value, None, how, warnings)
    }

    /// Puts an object, or a part of it, in place of the one that is there.
    ///
    /// # Errors
    /// When there is none, it is another than the client knows, or the new one is not sound.
    pub fn update(
        &mut self,
        resource: usize,
        key: &ObjectKey,
        part: &str,
        mut value: Value,
        how: &How,
    ) -> Result<Written, Refused> {
        let (it, kind) = self.writable(resource)?;
        identify(it, key, &mut value)?;
        let warnings = decode(kind, &value, how.unknown)?;
        let old = self.get(resource, key)?.value();
        expect(it, key, &value, &old)?;
        let mut value = parted(it, part, value, &old);
        managers::track(Some(&old), &mut value, Typed::of(it.kind), &self.writer(how, "Update", part));
        self.put(resource, kind, key, value, Some(old), how, warnings)
    }

    /// Patches an object, or a part of it; applying makes one that is not there.
    ///
    /// # Errors
    /// As [`update`](Engine::update), and when the patch does not fit.
    pub fn patch(
        &mut self,
        resource: usize,
        key: &ObjectKey,
        part: &str,
        form: PatchForm,
        patch: &Value,
        how: &How,
    ) -> Result<Written, Refused> {
        let (it, kind) = self.writable(resource)?;
        let old = match (self.get(resource, key), form) {
            (Ok(entry), _) => Some(entry.value()),
            (Err(_), PatchForm::Apply) if part.is_empty() => None,
            (Err(refused), _) => return Err(refused),
        };
        let typed = Typed::of(it.kind);
        let mut value = old.clone().unwrap_or_else(|| json!({}));
        let mut warnings = Vec::new();
        match form {
            PatchForm::Json => patch::json(&mut value, patch)?,
            PatchForm::Merge => patch::merge(&mut value, patch),
            PatchForm::Strategic => patch::strategic(&mut value, patch, typed)?,
            PatchForm::Apply => {
                let mut said = patch.clone();
                identify(it, key, &mut said)?;
                if said["metadata"].get("managedFields").is_some_and(|it| !it.is_null()) {
                    let message = "metadata.managedFields must be nil";
                    return Err(Refused::new(Reason::BadRequest, message));
                }
                warnings = decode(kind, &said, how.unknown)?;
                let writer = self.writer(how, "Apply", part);
                value = managers::apply(old.as_ref(), &said, typed, &writer, how.force)?;
            }
        }
        identify(it, key, &mut value)?;
        if form != PatchForm::Apply {
            warnings = decode(kind, &value, how.unknown)?;
        }
        if let Some(old) = &old {
            expect(it, key, &value, old)?;
            value = parted(it, part, value, old);
            if form != PatchForm::Apply {
                managers::track(Some(old), &mut value, typed, &self.writer(how, "Update", part));
            }
        }
        self.put(resource, kind, key, value, old, how, warnings)
    }

    /// Deletes an object, and gives it as it was.
    ///
    /// # Errors
    /// When there is none, or it is another than the client means.
    pub fn delete(
        &mut self,
        resource: usize,
        key: &ObjectKey,
        deletion: &Deletion,
    ) -> Result<Arc<Entry>, Refused> {
        let (it, kind) = self.writable(resource)?;
        let entry = self.get(resource, key)?;
        let version = entry.version.to_string();
        let conditions =
            [("UID", &deletion.uid, &*entry.uid), ("ResourceVersion", &deletion.version, &*version)];
        for (what, wanted, is) in conditions {
            if let Some(wanted) = wanted.as_ref().filter(|wanted| **wanted != *is) {
                let message = format!(
                    "Operation cannot be fulfilled on {} \"{}\": the {what} in the precondition ({wanted}) does \
                     not match the {what} in record ({is}). The object might have been deleted and then recreated",
                    it.qualified(),
                    key.name
                );
                return Err(Refused::new(Reason::Conflict, message).about(it, &key.name));
            }
        }
        self.admit(it, kind, key, true)?;
        if !deletion.dry {
            self.commit(it, Edit::Gone(kind, key.clone(), deletion.cascade))?;
        }
        Ok(entry)
    }

    /// The resource and kind, where its objects are written.
    fn writable(&self, resource: usize) -> Result<(&'static Resource, Kind), Refused> {
        let it = &RESOURCES[resource];
        if resource == SLICES {
            return Err(Refused::not_allowed());
        }
        if !self.writes() {
            let why = "this server only reads; `dsrules serve --write` takes changes";
            return Err(Refused::forbidden(it, "", why));
        }
        let kind = it.stored().ok_or_else(Refused::nowhere)?;
        Ok((it, kind))
    }

    /// The name of an object that is to be made, given where only its beginning is said.
    fn name(&self, it: &Resource, value: &mut Value) -> Result<String, Refused> {
        if let Some(name) = value["metadata"]["name"].as_str().filter(|name| !name.is_empty()) {
            return Ok(name.to_owned());
        }
        let Some(begin) = value["metadata"]["generateName"].as_str().filter(|it| !it.is_empty()) else {
            let what = "name or generateName is required";
            let cause = Cause {
                reason: "FieldValueRequired",
                message: format!("Required value: {what}"),
                field: "metadata.name".to_owned(),
            };
            let message =
                format!("{} \"\" is invalid: metadata.name: Required value: {what}", it.qualified_kind());
            return Err(Refused { causes: vec![cause], ..Refused::new(Reason::Invalid, message) });
        };
        let hash = sha256(format!("{begin} {} {}", self.replica().version(), self.replica().next()));
        let name = format!("{}{}", begin.chars().take(58).collect::<String>(), &hash[..5]);
        value["metadata"]["name"] = json!(name);
        Ok(name)
    }

    fn writer(&self, how: &How, operation: &'static str, part: &str) -> Writer {
        Writer { manager: how.manager.clone(), operation, part: part.to_owned(), now: self.now() }
    }

    /// Keeps an object that was looked at, and gives it as it is then.
    #[allow(clippy::too_many_arguments)]
    fn put(
        &mut self,
        resource: usize,
        kind: Kind,
        key: &ObjectKey,
        value: Value,
        old: Option<Value>,
        how: &How,
        warnings: Vec<String>,
    ) -> Result<Written, Refused> {
        let it = &RESOURCES[resource];
        validate(it, kind, &value, old.as_ref())?;
        let created = old.is_none();
        if old.as_ref().is_some_and(|old| is_same(old, &value)) {
            return Ok(Written { entry: self.get(resource, key)?, created, warnings });
        }
        self.admit(it, kind, key, false)?;
        if how.dry {
            let mut value = value;
            if created {
                value["metadata"]["creationTimestamp"] = json!(timestamp(self.now()));
            }
            return Ok(Written { entry: Arc::new(Entry::of(&value)), created, warnings });
        }
        self.commit(it, Edit::Put(stored(kind, key, value, created)))?;
        Ok(Written { entry: self.get(resource, key)?, created, warnings })
    }
}

/// The object as it is kept: without what the system gives.
fn stored(kind: Kind, key: &ObjectKey, mut value: Value, created: bool) -> Object {
    const GIVEN: [&str; 6] =
        ["resourceVersion", "generation", "creationTimestamp", "selfLink", "uid", "deletionTimestamp"];
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|name, _| !GIVEN.contains(&name.as_str()));
        // Said, so that the one that is kept goes.
        if !created && metadata.get("ownerReferences").is_none_or(Value::is_null) {
            metadata.insert("ownerReferences".to_owned(), json!([]));
        }
    }
    let origin = Origin { file: IN_PLACE.into(), document: 0, path: String::new() };
    Object { kind, key: key.clone(), value, origin }
}

/// Whether a write says what there is.
fn is_same(old: &Value, new: &Value) -> bool {
    let plain = |value: &Value| {
        let mut value = value.clone();
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.retain(|name, it| {
                let is_none = it.is_null() || it.as_array().is_some_and(Vec::is_empty);
                !is_none && !["managedFields", "resourceVersion", "generation"].contains(&name.as_str())
            });
        }
        value
    };
    let managers = |value: &Value| -> Vec<(Value, Value, Value)> {
        let entries = value["metadata"]["managedFields"].as_array();
        let entry = |it: &Value| (it["manager"].clone(), it["operation"].clone(), it["fieldsV1"].clone());
        entries.into_iter().flatten().map(entry).collect()
    };
    plain(old) == plain(new) && managers(old) == managers(new)
}

/// Looks at whether a client knows the object that it writes.
fn expect(it: &Resource, key: &ObjectKey, value: &Value, old: &Value) -> Result<(), Refused> {
    let text = |value: &Value, field: &str| value["metadata"][field].as_str().unwrap_or("").to_owned();
    let conflict = |why: &str| {
        let message = format!("Operation cannot be fulfilled on {} \"{}\": {why}", it.qualified(), key.name);
        Err(Refused::new(Reason::Conflict, message).about(it, &key.name))
    };
    let (said, is) = (text(value, "uid"), text(old, "uid"));
    if !said.is_empty() && said != is {
        return conflict(&format!(
            "Precondition failed: UID in precondition: {said}, UID in object meta: {is}"
        ));
    }
    let (said, is) = (text(value, "resourceVersion"), text(old, "resourceVersion"));
    if !said.is_empty() && said != is {
        return conflict(
            "the object has been modified; please apply your changes to the latest version and try again",
        );
    }
    Ok(())
}

/// The object with only the part changed that is written.
fn parted(it: &Resource, part: &str, mut value: Value, old: &Value) -> Value {
    if part == "status" {
        let mut whole = old.clone();
        whole["status"] = value["status"].take();
        let managed = value["metadata"]["managedFields"].take();
        if !managed.is_null() {
            whole["metadata"]["managedFields"] = managed;
        }
        return whole;
    }
    if it.status {
        match old.get("status").filter(|it| !it.is_null()) {
            Some(status) => value["status"] = status.clone(),
            None => remove(&mut value, "status"),
        }
    }
    value
}

fn remove(value: &mut Value, field: &str) {
    if let Some(fields) = value.as_object_mut() {
        fields.remove(field);
    }
}
