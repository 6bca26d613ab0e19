//! The use case: the nodes that were asked for, as they are and as a plan leaves them.

use std::collections::{BTreeMap, BTreeSet};

use super::groups::{By, Group, groups};
use super::usage::{Amounts, Usage};
use crate::app::listener::Listener;
use crate::app::load::complete;
use crate::app::request::Request;
use crate::app::resources::{meant, not_found};
use crate::app::rules;
use crate::app::selector::LabelSelector;
use crate::app::whatif::{Edited, Edits};
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, Name, Node, ObjectKey};
use crate::policy::relations;
use crate::state::World;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Where to look, and what is planned, if manifests are named.
    pub request: Request,
    /// What is changed beside that.
    pub edits: Edits,
    /// The nodes, by name; none for all.
    pub nodes: Vec<String>,
    /// Only nodes with these labels.
    pub chosen: Option<LabelSelector>,
    /// How they are put together.
    pub by: By,
}

/// What a daemonset takes of the nodes, by resource.
#[derive(Debug, Clone, Default)]
pub struct Cost {
    /// As it is.
    pub now: Amounts,
    /// As the plan leaves it, if there is one.
    pub after: Option<Amounts>,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Capacity {
    /// How nodes are put together.
    pub by: By,
    /// The groups of the nodes that were asked for.
    pub groups: Vec<Group>,
    /// Each of them alone.
    pub nodes: Vec<Group>,
    /// All of them together.
    pub total: Group,
    /// What each daemonset takes of all of them.
    pub daemonsets: BTreeMap<ObjectKey, Cost>,
    /// How many pods are bound to nodes that are not known.
    pub astray: usize,
    /// How many errors of the input were told and gone past.
    pub errors: usize,
}

/// Finds out what is taken of nodes.
///
/// # Errors
/// When the store, the rules or the manifests are not sound, and when a node is named that
/// there is not.
pub fn capacity(asked: &Asked, listener: &dyn Listener) -> Result<Capacity, Vec<Diagnostic>> {
    let request = &asked.request;
    let (now, limits) = (request.options.now, &request.options.limits);
    let plans = !request.manifests.is_empty() || !asked.edits.edits.is_empty();
    let (worlds, program, errors) = if plans {
        let edited = Edited::of(request, None, &asked.edits, listener)?;
        let program = relations::capacity(edited.program());
        listener.stage("planning");
        let (world, planned) = edited.with(&program)?;
        listener.tell(planned.said);
        (vec![edited.stored(&program)?, world], program, edited.errors())
    } else {
        let store = request.database.read()?;
        let program = relations::capacity(&rules::of_store(&request.rules, &*store, listener)?);
        let mut world = store.load()?;
        complete(&*store, &mut world, &program)?;
        (vec![world], program, 0)
    };
    let nodes = chosen(asked, &worlds)?;
    let of = |world: &World| Usage::of(world, &nodes, &program, now, limits);
    let usages = worlds.iter().map(of).collect::<Result<Vec<_>, _>>()?;
    let (before, after) = (&usages[0], usages.get(1));
    let nodes: Vec<Name> = nodes.into_iter().collect();
    Ok(Capacity {
        groups: groups(&nodes, &asked.by, before, after),
        nodes: groups(&nodes, &By::Node, before, after),
        by: asked.by.clone(),
        daemonsets: costs(before, after),
        astray: after.unwrap_or(before).astray,
        total: Group::of(None, nodes, before, after),
        errors,
    })
}

/// The names of the nodes that are asked for: those of which the last world that has them
/// says so.
fn chosen(asked: &Asked, worlds: &[World]) -> Result<BTreeSet<Name>, Vec<Diagnostic>> {
    let all: BTreeMap<&ObjectKey, &Node> = worlds.iter().flat_map(|world| &world.nodes).collect();
    let is_there = |name: &&String| all.contains_key(&ObjectKey::new("", name.as_str()));
    let missing = asked.nodes.iter().filter(|name| !is_there(name)).map(|name| {
        let meant = meant(&ObjectKey::new("", name.as_str()), all.keys().copied());
        let help = meant.unwrap_or_else(|| "`dsrules get nodes` shows what there is".to_owned());
        not_found(Kind::Node, name).help(help)
    });
    let missing: Vec<Diagnostic> = missing.collect();
    if !missing.is_empty() {
        return Err(missing);
    }
    let named: BTreeSet<&str> = asked.nodes.iter().map(String::as_str).collect();
    let is_chosen = |node: &&Node| {
        let label = |key: &str| node.meta.labels.get(key).map(|value| &**value);
        (named.is_empty() || named.contains(&*node.meta.key.name))
            && asked.chosen.as_ref().is_none_or(|chosen| chosen.fits(label))
    };
    Ok(all.into_values().filter(is_chosen).map(|node| node.meta.key.name.clone()).collect())
}

fn costs(now: &Usage, after: Option<&Usage>) -> BTreeMap<ObjectKey, Cost> {
    let keys = now.daemonsets.keys().chain(after.into_iter().flat_map(|after| after.daemonsets.keys()));
    let of = |usage: &Usage, key: &ObjectKey| usage.daemonsets.get(key).cloned().unwrap_or_default();
    let cost = |key: &ObjectKey| Cost { now: of(now, key), after: after.map(|after| of(after, key)) };
    keys.map(|key| (key.clone(), cost(key))).collect()
}
