//! Changes made on copies of the objects, from the input or from the store.

use std::collections::BTreeMap;

use serde_json::Value;

use super::edit::{Alteration, Edit};
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, Object, ObjectKey, Origin};
use crate::manifest::faults;

/// What is there beside the input.
pub(super) trait Stored {
    /// An object that the input may not have.
    ///
    /// # Errors
    /// When it cannot be looked up.
    fn find(&self, kind: Kind, key: &ObjectKey) -> Result<Option<Value>, Diagnostic>;

    /// All objects of a kind.
    ///
    /// # Errors
    /// When they cannot be looked up.
    fn all(&self, kind: Kind) -> Result<Vec<(ObjectKey, Value)>, Diagnostic>;
}

/// Makes the edits on the objects of an input; what is not in it is taken from what is
/// stored. An edit is about every object that its pattern matches and that `chosen` takes.
/// What is removed is given back.
///
/// # Errors
/// When an object is nowhere, a pattern matches nothing, or an object is no longer sound.
pub(super) fn edit(
    objects: &mut Vec<Object>,
    edits: &[Edit],
    stored: &dyn Stored,
    chosen: Option<&dyn Fn(&Value) -> bool>,
) -> Result<Vec<(Kind, ObjectKey)>, Vec<Diagnostic>> {
    let (mut gone, mut wrong) = (Vec::new(), Vec::new());
    // Each object as it was before the first edit.
    let mut before: BTreeMap<(Kind, ObjectKey), Value> = BTreeMap::new();
    for edit in edits {
        let found = targets(objects, edit, stored).map_err(|error| vec![error])?;
        let mut met = false;
        for (key, value) in found.into_iter().filter(|(_, value)| chosen.is_none_or(|chosen| chosen(value))) {
            met = true;
            let is_it = |object: &Object| object.kind == edit.kind && object.key == key;
            if edit.what == Alteration::Remove {
                objects.retain(|object| !is_it(object));
                gone.push((edit.kind, key));
                continue;
            }
            if !objects.iter().any(is_it) {
                let origin = Origin { file: "<what-if>".into(), document: 0, path: String::new() };
                let value = value.clone();
                objects.push(Object { kind: edit.kind, key: key.clone(), value, origin });
            }
            before.entry((edit.kind, key.clone())).or_insert(value);
            for object in objects.iter_mut().filter(|object| is_it(object)) {
                if let Err(why) = edit.make(&mut object.value) {
                    wrong.push(edit.refused(&why));
                }
            }
        }
        if !met {
            wrong.push(nowhere(edit, chosen.is_some()));
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    for object in objects.iter() {
        let Some(before) = before.get(&(object.kind, object.key.clone())) else { continue };
        let old = stored.find(object.kind, &object.key).map_err(|error| vec![error])?;
        for mut fault in faults(object.kind, &object.value, before, old.as_ref()) {
            fault.notes.insert(0, format!("so {} `{}` would be with the changes", object.kind, object.key));
            wrong.push(fault);
        }
    }
    if wrong.is_empty() { Ok(gone) } else { Err(wrong) }
}

/// The objects that an edit may be about, of the input or else of what is stored.
fn targets(
    objects: &[Object],
    edit: &Edit,
    stored: &dyn Stored,
) -> Result<Vec<(ObjectKey, Value)>, Diagnostic> {
    let read = objects.iter().filter(|object| object.kind == edit.kind && edit.matches(&object.key));
    let mut found: BTreeMap<ObjectKey, Value> =
        read.map(|object| (object.key.clone(), object.value.clone())).collect();
    if !edit.is_pattern() {
        if found.is_empty() {
            found.extend(stored.find(edit.kind, &edit.key)?.map(|value| (edit.key.clone(), value)));
        }
    } else {
        for (key, value) in stored.all(edit.kind)? {
            if edit.matches(&key) {
                found.entry(key).or_insert(value);
            }
        }
    }
    Ok(found.into_iter().collect())
}

/// The error for an edit that is about nothing; `labels` were asked for too, or were not.
fn nowhere(edit: &Edit, labels: bool) -> Diagnostic {
    let kind = edit.kind.name().to_lowercase();
    let (what, which) = if edit.is_pattern() {
        (format!("no {kind} matches `{}`", edit.key), "none is")
    } else {
        (format!("{kind}s \"{}\" not found", edit.key), "it is neither")
    };
    let why = match (edit.is_pattern(), labels) {
        (true, false) => format!("{which} in the input or in the store"),
        (true, true) => format!("{which} in the input or in the store with the labels that `-l` asks for"),
        (false, false) => format!("{which} in the input nor in the store"),
        (false, true) => {
            format!("{which} in the input nor in the store, or has other labels than `-l` asks for")
        }
    };
    Diagnostic::error("not-found", what).because(why).help(format!(
        "`dsrules get {kind}s{}` shows what there is",
        if edit.kind.namespaced() { " -A" } else { "" }
    ))
}
