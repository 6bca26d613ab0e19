//! What if: the plan with changes that stand in no manifest, beside the one without.

use serde_json::Value;

use super::compare::{Difference, differences};
use super::edit::Edit;
use super::edits::{Stored, edit};
use crate::app::dry::start;
use crate::app::follow;
use crate::app::gone::gone;
use crate::app::listener::Listener;
use crate::app::load::load;
use crate::app::manifests::Manifests;
use crate::app::options::{MaxDelete, Options};
use crate::app::planning;
use crate::app::prepare::prepare;
use crate::app::read::{Read, read};
use crate::app::request::{Outcome, Request};
use crate::app::resources::meant;
use crate::app::rules;
use crate::app::schedule::Coming;
use crate::app::selector::LabelSelector;
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, Object, ObjectKey};
use crate::state::Gone;
use crate::target::Memory;

/// Edits that are asked about.
#[derive(Debug, Clone, Default)]
pub struct Edits {
    /// What is done, in order.
    pub edits: Vec<Edit>,
    /// Only to objects with these labels.
    pub chosen: Option<LabelSelector>,
}

/// The plan with the changes, and how what it leads to differs.
pub struct WhatIf {
    /// The plan.
    pub outcome: Outcome,
    /// What is there with the changes and not without them, or the other way round.
    pub differences: Vec<Difference>,
}

/// Plans with and without the changes. Without manifests it is about what the store holds.
///
/// # Errors
/// As a plan, and when a change cannot be made.
pub fn what_if(
    request: &Request,
    base: Option<&Manifests>,
    changes: &Edits,
    listener: &dyn Listener,
) -> Result<WhatIf, Vec<Diagnostic>> {
    let own = rules::find(&request.rules, &request.manifests.beside());
    let mut read = if request.manifests.is_empty() { Read::default() } else { read(request, listener)? };
    let store = start(request, base, listener)?;
    let policy = prepare(request, own, &mut read, &*store, listener)?;
    let program = &policy.program;
    // A question is no accident, so nothing is refused for its size.
    let options = Options { max_delete: Some(MaxDelete::Percent(100)), ..request.options.clone() };
    let gone = gone(&*store, &request.id, &read.reading, &options)?;
    let plan = |objects: Vec<Object>, gone: &Gone| -> Result<_, Diagnostic> {
        let mut world = load(&*store, program, &options, Coming::put(&objects, gone))?;
        let planned = planning::plan(&mut world, objects, gone, program, &options)?;
        Ok((world, planned))
    };
    let places = read.reading.places(&request.manifests.options);
    let mut objects = read.reading.objects;
    let (without, _) = plan(objects.clone(), &gone)?;
    let matches = |value: &Value| changes.chosen.as_ref().is_none_or(|chosen| chosen.matches(value));
    let chosen: Option<&dyn Fn(&Value) -> bool> =
        if changes.chosen.is_some() { Some(&matches) } else { None };
    let there = There { store: &*store, gone: &gone.objects };
    let removed = edit(&mut objects, &changes.edits, &there, chosen);
    let removed = removed.map_err(|errors| -> Vec<Diagnostic> {
        errors.into_iter().map(|error| nearly(error, &changes.edits, &objects, &*store)).collect()
    })?;
    let mut gone = gone;
    gone.objects.extend(removed);
    let (with, planned) = plan(objects, &gone)?;
    let differences = differences(program, &without, &with, options.now)?;
    let tree = follow::compare(request.tree.as_ref(), &with, &*store);
    let outcome = Outcome { errors: read.errors, places, ..Outcome::of(planned, false, tree) };
    Ok(WhatIf { outcome, differences })
}

/// What is stored and has not left the input.
struct There<'a> {
    store: &'a dyn Memory,
    gone: &'a [(Kind, ObjectKey)],
}

impl Stored for There<'_> {
    fn find(&self, kind: Kind, key: &ObjectKey) -> Result<Option<Value>, Diagnostic> {
        if self.gone.iter().any(|(of, gone)| (*of, gone) == (kind, key)) {
            return Ok(None);
        }
        self.store.object(kind, key)
    }

    fn all(&self, kind: Kind) -> Result<Vec<(ObjectKey, Value)>, Diagnostic> {
        let mut all = Vec::new();
        self.store.objects(kind, None, &mut |key, value| {
            all.push((key, value));
            Ok(())
        })?;
        all.retain(|(key, _)| !self.gone.iter().any(|(of, gone)| (*of, gone) == (kind, key)));
        Ok(all)
    }
}

/// The error about an object that is nowhere, with what may have been meant.
fn nearly(error: Diagnostic, edits: &[Edit], objects: &[Object], store: &dyn Memory) -> Diagnostic {
    let meant = edits.iter().find_map(|edit| {
        let read = objects.iter().filter(|object| object.kind == edit.kind);
        let mut keys: Vec<ObjectKey> = read.map(|object| object.key.clone()).collect();
        let stored = store.objects(edit.kind, None, &mut |key, _| {
            keys.push(key);
            Ok(())
        });
        keys.sort();
        keys.dedup();
        if stored.is_err() || keys.contains(&edit.key) { None } else { meant(&edit.key, keys.iter()) }
    });
    match meant {
        Some(meant) if error.code == "not-found" => error.help(meant),
        _ => error,
    }
}
