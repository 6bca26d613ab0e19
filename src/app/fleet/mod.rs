//! Fleet: how the daemonsets of many machines stand, as their agents report it.
//!
//! ```text
//!  source   -> world of nodes and daemonsets --+
//!                                              +--> rules --> figures, what is behind
//!  reports  -> what runs on each node ---------+
//! ```
//! For a node that the source has, the rules say what it should run; what it runs is put into
//! the world as its agent saw it, and the figures are read off the rules. A node that gathers
//! what it is from its own machine is known to its agent alone, whose own figures are taken.
//! So it is for all nodes where there is no source.

mod heard;
mod ruled;
mod trouble;
mod word;

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::listener::Listener;
use super::resources::{meant, not_found};
use super::rollout::sentence;
use super::seen::Sight;
use super::selector::LabelSelector;
use crate::diagnostic::{Diagnostic, Severity};
use crate::kube::{Kind, Name, ObjectKey, Status};
use crate::state::World;
use crate::target::reports::{PodReport, Reports};
use heard::{Heard, unheard};
use ruled::Ruled;
use trouble::owner;
use word::{Word, add};

pub use trouble::{Trouble, What};

/// What is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// The folder of reports.
    pub reports: PathBuf,
    /// The manifests that the agents follow, with the rules, if they are at hand.
    pub source: Option<Sight>,
    /// How old a report may be, in seconds.
    pub stale: i64,
    /// The time, in seconds of Unix time.
    pub now: i64,
    /// About which daemonsets.
    pub about: About,
    /// The one node whose pods are asked for.
    pub node: Option<String>,
}

/// Which daemonsets are meant.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// Those of a namespace, if not of all of them.
    pub namespace: Option<String>,
    /// Those with these labels.
    pub selector: Option<LabelSelector>,
    /// Those of these names; all where there is none.
    pub names: Vec<String>,
}

/// How a fleet stands.
#[derive(Debug, Default)]
pub struct Fleet {
    /// How many nodes there are.
    pub nodes: usize,
    /// How many of them report, and not too long ago.
    pub reporting: usize,
    /// The daemonsets, in key order.
    pub daemonsets: Vec<Standing>,
    /// All that is not as it should be, by what it is and then by node.
    pub troubles: Vec<Trouble>,
    /// The pods of the one node that was asked for.
    pub pods: Vec<PodReport>,
    /// Files that are no reports that can be read.
    pub unreadable: Vec<Diagnostic>,
}

/// How one daemonset stands.
#[derive(Debug)]
pub struct Standing {
    /// The daemonset.
    pub key: ObjectKey,
    /// The object with its status; without a source only that.
    pub object: Value,
    /// Its status over all nodes.
    pub status: Status,
    /// Whether its rollout is done.
    pub done: bool,
    /// The same in a sentence.
    pub message: String,
}

impl Fleet {
    /// Whether there is nothing to be looked after.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.troubles.is_empty() && self.unreadable.is_empty() && self.daemonsets.iter().all(|it| it.done)
    }
}

/// Looks at a fleet.
///
/// # Errors
/// When the source, the rules or the folder of reports cannot be read, and when nothing has a
/// name that is asked for.
pub fn fleet(request: &Request, listener: &dyn Listener) -> Result<Fleet, Vec<Diagnostic>> {
    if request.source.is_none() && request.about.selector.is_some() {
        return Err(vec![
            Diagnostic::error("no-labels", "labels are asked for, and reports have none")
                .help("name the manifests that the agents follow, which have them: `--source DIR`"),
        ]);
    }
    let reading = Reports::new(&request.reports).read()?;
    let heard: Vec<Heard<'_>> =
        reading.reports.iter().map(|it| Heard::of(it, request.now, request.stale)).collect();
    let ruled = request.source.as_ref().map(|it| Ruled::of(it, &heard, request.now, listener)).transpose()?;
    let nothing = World::default();
    let world = ruled.as_ref().map_or(&nothing, |it| &it.world);
    check(request, world, &heard)?;

    let silent = unheard(world, &heard);
    let mut fleet = Fleet {
        nodes: heard.len() + silent.len(),
        reporting: heard.iter().filter(|it| it.is_fresh()).count(),
        unreadable: reading.problems.into_iter().map(told_and_gone_past).collect(),
        ..Fleet::default()
    };
    let word = Word::of(&heard, ruled.as_ref());
    let is_meant = |key: &ObjectKey| request.about.is_meant(key, world);
    for key in keys(world, &word).into_iter().filter(is_meant) {
        fleet.daemonsets.push(standing(&key, ruled.as_ref(), &word));
    }
    let mut troubles: Vec<Trouble> =
        silent.into_iter().chain(heard.iter().flat_map(Heard::troubles)).collect();
    troubles.extend(ruled.iter().flat_map(|it| it.behind(&heard)));
    troubles.extend(word.behind());
    let is_here = |node: &Name| request.node.as_deref().is_none_or(|asked| *asked == **node);
    troubles.retain(|it| is_here(&it.node) && it.daemonset.as_ref().is_none_or(is_meant));
    troubles.sort();
    fleet.troubles = troubles;
    if let Some(it) = heard.iter().find(|it| request.node.as_deref() == Some(&*it.report.node)) {
        let pods = it.report.pods.iter().filter(|pod| is_meant(&owner(pod)));
        fleet.pods = pods.map(|pod| it.seen(pod)).collect();
    }
    Ok(fleet)
}

/// Whether all that was named is there.
fn check(request: &Request, world: &World, heard: &[Heard<'_>]) -> Result<(), Vec<Diagnostic>> {
    let reported = || heard.iter().flat_map(|it| &it.report.daemon_sets).map(|it| it.key());
    let all: BTreeSet<ObjectKey> = world.daemonsets.keys().cloned().chain(reported()).collect();
    let mut problems = Vec::new();
    for name in &request.about.names {
        let key = ObjectKey::new(request.about.namespace.as_deref().unwrap_or("default"), name.as_str());
        let is_it = |it: &ObjectKey| it.name == key.name;
        let there = all.iter().any(|it| is_it(it) && (request.about.namespace.is_none() || *it == key));
        if !there {
            let error = not_found(Kind::DaemonSet, name);
            problems.push(match meant(&key, all.iter()) {
                Some(meant) => error.help(meant),
                None => error.help("`dsrules fleet` without a name shows all there are"),
            });
        }
    }
    if let Some(node) = &request.node {
        let key = ObjectKey::new("", node.as_str());
        let reported = heard.iter().map(|it| ObjectKey::new("", it.report.node.clone()));
        let all: BTreeSet<ObjectKey> = world.nodes.keys().cloned().chain(reported).collect();
        if !all.contains(&key) {
            let error = not_found(Kind::Node, node);
            problems.push(match meant(&key, all.iter()) {
                Some(meant) => error.help(meant),
                None => error.help("no report is of that node, and no manifest has it"),
            });
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// The daemonsets of the source, and those that agents alone know.
fn keys(world: &World, word: &Word) -> BTreeSet<ObjectKey> {
    world.daemonsets.keys().cloned().chain(word.statuses.keys().cloned()).collect()
}

fn standing(key: &ObjectKey, ruled: Option<&Ruled>, word: &Word) -> Standing {
    let mut status = word.statuses.get(key).cloned().unwrap_or_default();
    let daemonset = ruled.and_then(|it| it.world.daemonsets.get(key));
    if let Some(by_rules) = ruled.and_then(|it| it.statuses.get(key)) {
        add(&mut status, by_rules);
    }
    let mut object = daemonset.map_or_else(|| json!({}), |it| (*it.value).clone());
    object["metadata"]["namespace"] = json!(&*key.namespace);
    object["metadata"]["name"] = json!(&*key.name);
    object["status"] = json!(status);
    let rolls = daemonset.is_none_or(|it| it.strategy.rolls());
    let (message, done) = if rolls {
        sentence(&key.name, status.observed_generation, &status)
    } else {
        on_delete(&key.name, &status)
    };
    Standing { key: key.clone(), object, status, done, message }
}

/// Of a daemonset whose pods are replaced when somebody deletes them: it is done when they
/// are available, whichever template they have.
fn on_delete(name: &str, status: &Status) -> (String, bool) {
    let (desired, available) = (status.desired_number_scheduled, status.number_available);
    let updated = status.updated_number_scheduled;
    let what = format!(
        "daemon set \"{name}\" is updated where its pods are deleted (OnDelete): {available} of {desired} pods are \
         available, {updated} updated"
    );
    (what, available >= desired)
}

impl About {
    /// Whether a daemonset is meant.
    fn is_meant(&self, key: &ObjectKey, world: &World) -> bool {
        let labelled = |selector: &LabelSelector| {
            world.daemonsets.get(key).is_some_and(|it| selector.matches(&it.value))
        };
        self.namespace.as_deref().is_none_or(|namespace| *namespace == *key.namespace)
            && (self.names.is_empty() || self.names.iter().any(|name| **name == *key.name))
            && self.selector.as_ref().is_none_or(labelled)
    }
}

/// A report that cannot be read keeps no other from being read.
fn told_and_gone_past(problem: Diagnostic) -> Diagnostic {
    Diagnostic { severity: Severity::Warning, ..problem }
}
