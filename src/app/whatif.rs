//! What if: a plan with changes that stand in no manifest, and how it differs.
//!
//! Edits are made on copies of the objects, from the input or from the store; what comes
//! of them is planned like any other input. The difference is told by the pods that are
//! there in the end, each with why.

mod edit;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::datalog::Program;
use crate::diagnostic::Diagnostic;
use crate::explain;
use crate::kube::{Kind, Object, ObjectKey, Origin};
use crate::manifest::{Reading, faults};
use crate::state::World;

pub use edit::{Change, Edit};

/// What is there beside the input.
pub trait Stored {
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
pub fn edit(
    reading: &mut Reading,
    edits: &[Edit],
    stored: &dyn Stored,
    chosen: Option<&dyn Fn(&Value) -> bool>,
) -> Result<Vec<(Kind, ObjectKey)>, Vec<Diagnostic>> {
    let (mut gone, mut wrong) = (Vec::new(), Vec::new());
    // Each object as it was before the first edit.
    let mut before: BTreeMap<(Kind, ObjectKey), Value> = BTreeMap::new();
    for edit in edits {
        let found = targets(reading, edit, stored).map_err(|error| vec![error])?;
        let mut met = false;
        for (key, value) in found.into_iter().filter(|(_, value)| chosen.is_none_or(|chosen| chosen(value))) {
            met = true;
            let is_it = |object: &Object| object.kind == edit.kind && object.key == key;
            if edit.change == Change::Remove {
                reading.objects.retain(|object| !is_it(object));
                gone.push((edit.kind, key));
                continue;
            }
            if !reading.objects.iter().any(is_it) {
                let origin = Origin { file: "<what-if>".into(), document: 0, path: String::new() };
                let value = value.clone();
                reading.objects.push(Object { kind: edit.kind, key: key.clone(), value, origin });
            }
            before.entry((edit.kind, key.clone())).or_insert(value);
            for object in reading.objects.iter_mut().filter(|object| is_it(object)) {
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
    for object in &reading.objects {
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
    reading: &Reading,
    edit: &Edit,
    stored: &dyn Stored,
) -> Result<Vec<(ObjectKey, Value)>, Diagnostic> {
    let read = reading.objects.iter().filter(|object| object.kind == edit.kind && edit.matches(&object.key));
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

/// How the end of a plan differs for one daemonset on one node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// The daemonset.
    pub daemonset: ObjectKey,
    /// The node.
    pub node: String,
    /// Whether a pod is there with the edits and not without them; else it is the other
    /// way round.
    pub gained: bool,
    /// What keeps a pod off with the edits, or kept one off without them.
    pub because: Vec<String>,
}

/// The pods that are there at the end of one plan and not at the end of the other.
///
/// # Errors
/// When a rule derives more than the limits allow.
pub fn differences(
    program: &Program,
    without: &World,
    with: &World,
    now: i64,
) -> Result<Vec<Difference>, Diagnostic> {
    let (before, after) = (pairs(without), pairs(with));
    let mut all = Vec::new();
    for (pairs, gained, world) in
        [(after.difference(&before), true, without), (before.difference(&after), false, with)]
    {
        for (daemonset, node) in pairs {
            let because = kept_off(program, world, daemonset, node, now)?;
            all.push(Difference { daemonset: daemonset.clone(), node: node.clone(), gained, because });
        }
    }
    all.sort();
    Ok(all)
}

/// What keeps the daemonset off the node in that world.
fn kept_off(
    program: &Program,
    world: &World,
    daemonset: &ObjectKey,
    node: &str,
    now: i64,
) -> Result<Vec<String>, Diagnostic> {
    let Some(found) = world.daemonsets.get(daemonset) else {
        return Ok(vec!["there is no such daemonset".to_owned()]);
    };
    let Some(on) = world.nodes.get(&ObjectKey::new("", node)) else {
        return Ok(vec!["is not there".to_owned()]);
    };
    let explanation = explain::pair(program, world, found, on, now)?;
    Ok(explanation.causes.into_iter().map(|told| told.says).collect())
}

/// Which daemonsets have a pod on which nodes.
fn pairs(world: &World) -> BTreeSet<(ObjectKey, String)> {
    let pods = world.pods.values().filter(|pod| pod.meta.deleting.is_none());
    pods.filter_map(|pod| {
        let owner = pod.meta.controller.as_ref().filter(|owner| &*owner.kind == Kind::DaemonSet.name())?;
        let daemonset = ObjectKey::new(pod.meta.key.namespace.clone(), owner.name.clone());
        Some((daemonset, pod.target()?.to_string()))
    })
    .collect()
}
