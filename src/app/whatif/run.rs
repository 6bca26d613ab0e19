//! What if: the plan with changes that stand in no manifest, beside the one without.

use serde_json::Value;

use super::compare::{Difference, differences};
use super::edit::Edit;
use super::edits::{Stored, edit};
use crate::app::dry::start;
use crate::app::follow;
use crate::app::gone::gone;
use crate::app::listener::Listener;
use crate::app::load::{complete, load};
use crate::app::manifests::Manifests;
use crate::app::moved::Side;
use crate::app::options::{MaxDelete, Options};
use crate::app::planning::{self, Planned};
use crate::app::prepare::prepare;
use crate::app::put::put_all;
use crate::app::read::{Read, read};
use crate::app::request::{Outcome, Request};
use crate::app::resources::meant;
use crate::app::rules::{self, Policy};
use crate::app::schedule::Coming;
use crate::app::selector::LabelSelector;
use crate::datalog::Program;
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, Object, ObjectKey};
use crate::manifest::Places;
use crate::state::{Gone, World};
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
    let edited = Edited::of(request, base, changes, listener)?;
    let program = edited.program();
    let (without, _) = edited.without(program)?;
    let (with, planned) = edited.with(program)?;
    let side = |world| Side::new(program, world, edited.options.now, edited.options.limits);
    let differences = differences(side(&without), side(&with))?;
    let tree = follow::compare(request.tree.as_ref(), &with, &*edited.store);
    let outcome =
        Outcome { errors: edited.errors, places: edited.places, ..Outcome::of(planned, false, tree) };
    Ok(WhatIf { outcome, differences })
}

/// An input with changes that stand in no manifest, and what it is planned with.
pub(in crate::app) struct Edited {
    store: Box<dyn Memory>,
    policy: Policy,
    options: Options,
    /// The input, and what left it.
    given: (Vec<Object>, Gone),
    /// The same with the changes.
    changed: (Vec<Object>, Gone),
    places: Places,
    errors: usize,
}

impl Edited {
    /// Reads the input and makes the changes.
    ///
    /// # Errors
    /// As a plan, and when a change cannot be made.
    pub(in crate::app) fn of(
        request: &Request,
        base: Option<&Manifests>,
        changes: &Edits,
        listener: &dyn Listener,
    ) -> Result<Edited, Vec<Diagnostic>> {
        let own = rules::find(&request.rules, &request.manifests.beside());
        let mut read =
            if request.manifests.is_empty() { Read::default() } else { read(request, None, listener)? };
        let store = start(request, base, listener)?;
        let policy = prepare(request, own, &mut read, &*store, listener)?;
        // A question is no accident, so nothing is refused for its size.
        let options = Options { max_delete: Some(MaxDelete::Percent(100)), ..request.options.clone() };
        let gone = gone(&*store, &request.id, &read.reading, &options)?;
        let places = read.reading.places(&request.manifests.options);
        let given = (read.reading.objects, gone);
        let matches = |value: &Value| changes.chosen.as_ref().is_none_or(|chosen| chosen.matches(value));
        let chosen: Option<&dyn Fn(&Value) -> bool> =
            if changes.chosen.is_some() { Some(&matches) } else { None };
        let there = There { store: &*store, gone: &given.1.objects };
        let (mut objects, mut gone) = given.clone();
        let removed = edit(&mut objects, &changes.edits, &there, chosen);
        let removed = removed.map_err(|errors| -> Vec<Diagnostic> {
            errors.into_iter().map(|error| nearly(error, &changes.edits, &objects, &*store)).collect()
        })?;
        gone.objects.extend(removed);
        let errors = read.errors;
        Ok(Edited { store, policy, options, given, changed: (objects, gone), places, errors })
    }

    /// The rules.
    pub(in crate::app) fn program(&self) -> &Program {
        &self.policy.program
    }

    /// How many errors of the input were told and gone past.
    pub(in crate::app) fn errors(&self) -> usize {
        self.errors
    }

    /// The world that the plan starts from, with what a program needs of it.
    pub(in crate::app) fn stored(&self, program: &Program) -> Result<World, Diagnostic> {
        let mut world = self.store.load()?;
        complete(&*self.store, &mut world, program)?;
        Ok(world)
    }

    /// The same with what the input and the changes bring, before anything follows from it.
    pub(in crate::app) fn given(&self, program: &Program) -> Result<World, Diagnostic> {
        let mut world = self.stored(program)?;
        world.see_taints(self.options.now);
        put_all(&mut world, self.changed.0.clone(), &Gone::default(), &self.options);
        Ok(world)
    }

    /// What the plan comes to without the changes, in a world with what a program needs.
    fn without(&self, program: &Program) -> Result<(World, Planned), Diagnostic> {
        self.plan(&self.given, program)
    }

    /// What the plan comes to with them.
    pub(in crate::app) fn with(&self, program: &Program) -> Result<(World, Planned), Diagnostic> {
        self.plan(&self.changed, program)
    }

    fn plan(
        &self,
        (objects, gone): &(Vec<Object>, Gone),
        program: &Program,
    ) -> Result<(World, Planned), Diagnostic> {
        let coming = Coming::put(objects, gone);
        let mut world = load(&*self.store, &self.policy.program, &self.options, coming)?;
        complete(&*self.store, &mut world, program)?;
        let planned = planning::plan(&mut world, objects.clone(), gone, &self.policy.program, &self.options)?;
        Ok((world, planned))
    }
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
