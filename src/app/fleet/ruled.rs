//! The nodes that the source has: what runs on them is put into its world, and what the rules
//! say of that is read off.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::heard::Heard;
use super::trouble::{OLD, Trouble, What, maturing, owner};
use crate::app::listener::Listener;
use crate::app::seen::{Seen, Sight};
use crate::diagnostic::Diagnostic;
use crate::facts::Grouping;
use crate::kube::{
    Body, Common, DaemonSet, HASH_LABEL, Kind, Labels, Meta, Name, ObjectKey, Owner, Pod, Stand, Status, time,
};
use crate::plan::{Verb, pass};
use crate::policy::relations;
use crate::reason::Reasoner;
use crate::state::{Changed, World};
use crate::target::reports::{PodReport, Report};

/// What the rules say of the source with what runs.
pub(super) struct Ruled {
    pub(super) world: World,
    /// Of each daemonset, over the nodes that the source has.
    pub(super) statuses: BTreeMap<ObjectKey, Status>,
    /// The hash by which pods of its current template are known.
    pub(super) hashes: BTreeMap<ObjectKey, Name>,
    /// Where a pod is missing, with why it should be there.
    missing: BTreeMap<(ObjectKey, Name), String>,
    /// Where a pod of a former template waits to be replaced, with its hash.
    outdated: BTreeMap<(ObjectKey, Name), Name>,
    /// Where a pod is ready and has to be so for longer.
    maturing: BTreeSet<(ObjectKey, Name)>,
    /// Where a pod should not be.
    misscheduled: BTreeSet<(ObjectKey, Name)>,
}

impl Ruled {
    /// Reads the source and asks the rules.
    pub(super) fn of(
        source: &Sight,
        heard: &[Heard<'_>],
        now: i64,
        listener: &dyn Listener,
    ) -> Result<Self, Vec<Diagnostic>> {
        let Seen { mut world, program, .. } = source.load(listener)?;
        // What runs is what agents say, whatever a dump of a cluster has.
        for key in world.keys(Kind::Pod).into_iter().cloned().collect::<Vec<_>>() {
            world.remove(Kind::Pod, &key);
        }
        put(&mut world, heard, now);
        let mut reasoner = Reasoner::new(&program, Grouping::On);
        reasoner.derive(&world, &Changed::default(), now)?;
        Ok(Self::read(world, &reasoner))
    }

    fn read(world: World, reasoner: &Reasoner) -> Self {
        let pass = pass(reasoner, &world);
        let mut outdated = BTreeMap::new();
        for row in reasoner.rows(relations::outdated) {
            let (daemonset, node) = (reasoner.key(row[0]), reasoner.name(row[2]));
            let rolls = world.daemonsets.get(&daemonset).is_some_and(|it| it.strategy.rolls());
            let pod = world.pods.get(&reasoner.key(row[1])).filter(|_| rolls);
            outdated.extend(pod.map(|pod| ((daemonset, node), pod.hash().into())));
        }
        let created = pass.actions.iter().filter(|action| action.verb == Verb::Create);
        let missing = created.filter_map(|it| {
            let place = (it.daemonset.clone()?, it.node.clone()?);
            (!outdated.contains_key(&place)).then(|| (place, it.because.sentence.to_string()))
        });
        let places = |relation| -> BTreeSet<(ObjectKey, Name)> {
            reasoner.rows(relation).map(|row| (reasoner.key(row[0]), reasoner.name(row[1]))).collect()
        };
        let (ready, available) = (places(relations::scheduled_ready), places(relations::scheduled_available));
        Ruled {
            maturing: &ready - &available,
            missing: missing.collect(),
            misscheduled: places(relations::misscheduled),
            outdated,
            statuses: pass.statuses,
            hashes: pass.hashes,
            world,
        }
    }

    /// Whether the source says what a node is like.
    pub(super) fn knows(&self, node: &str) -> bool {
        self.world.nodes.contains_key(&ObjectKey::new("", node))
    }

    /// What the nodes have that the source does not say, or says otherwise.
    pub(super) fn behind(&self, heard: &[Heard<'_>]) -> Vec<Trouble> {
        let fresh = heard.iter().filter(|it| it.is_fresh());
        fresh.flat_map(|it| self.behind_on(it.report)).collect()
    }

    fn behind_on(&self, report: &Report) -> Vec<Trouble> {
        let node = &report.node;
        let behind = |key: &ObjectKey, reason: &str, message: String| {
            Trouble::new(What::Behind, node, reason, message).of(key)
        };
        let mut all = self.gone(report);
        let knows = self.knows(node);
        for (key, hash) in &self.hashes {
            let told = report.daemon_sets.iter().find(|it| it.key() == *key);
            let place = (key.clone(), node.clone());
            let waiting = told.map_or("", |it| it.waiting.as_str());
            let because = |why: String| if waiting.is_empty() { why } else { format!("{why}: {waiting}") };
            all.extend(match told {
                Some(told) if !told.revision.is_empty() && told.revision != *hash => {
                    let what = format!("its agent has revision {}, the source has {hash}", told.revision);
                    Some(behind(key, "OldSource", what))
                }
                None if self.missing.contains_key(&place) || self.outdated.contains_key(&place) => {
                    Some(behind(key, "OldSource", "its agent does not know the daemon set yet".to_owned()))
                }
                _ if !knows => None,
                _ => match (self.outdated.get(&place), self.missing.get(&place)) {
                    (Some(old), _) => {
                        let what = format!("its pod has revision {old}, the source has {hash}");
                        Some(behind(key, OLD, because(what)))
                    }
                    (_, Some(why)) => {
                        Some(behind(key, "NoPod", because(why.trim_end_matches('.').to_owned())))
                    }
                    _ if self.maturing.contains(&place) => Some(maturing(report, key, waiting)),
                    _ => self.misscheduled.contains(&place).then(|| {
                        behind(key, "Misscheduled", because("it has a pod and should not".to_owned()))
                    }),
                },
            });
        }
        all
    }

    /// The daemonsets of which it has pods, or that its agent knows, and that have left the source.
    fn gone(&self, report: &Report) -> Vec<Trouble> {
        let pods = report.pods.iter().filter(|pod| !pod.daemon_set.is_empty()).map(owner);
        let all: BTreeSet<ObjectKey> = report.daemon_sets.iter().map(|it| it.key()).chain(pods).collect();
        let gone = all.into_iter().filter(|key| !self.world.daemonsets.contains_key(key));
        gone.map(|key| {
            let runs = report.pods.iter().any(|pod| owner(pod) == key);
            let what = if runs { "it runs a pod of a daemon set" } else { "its agent knows a daemon set" };
            let what = format!("{what} that the source does not have");
            Trouble::new(What::Behind, &report.node, "NotInSource", what).of(&key)
        })
        .collect()
    }
}

/// Puts the pods that run into the world, as their agents saw them.
fn put(world: &mut World, heard: &[Heard<'_>], now: i64) {
    let mut labels = BTreeMap::new();
    for it in heard {
        let node = &it.report.node;
        if !world.nodes.contains_key(&ObjectKey::new("", node.clone())) {
            continue;
        }
        for reported in &it.report.pods {
            let Some(daemonset) = world.daemonsets.get(&owner(reported)) else { continue };
            let told = it.report.daemon_sets.iter().find(|told| told.key() == daemonset.meta.key);
            let since = told.filter(|it| it.available == 0).map_or(0, |_| now);
            let mut pod = pod(daemonset, node, &it.seen(reported), since, &mut labels);
            pod.meta.created = time(&reported.created).unwrap_or(0);
            if world.pods.contains_key(&pod.meta.key) {
                // Names are given on each node for itself; two nodes may come to the same one.
                pod.meta.key.name = format!("{} on {node}", pod.meta.key.name).into();
            }
            world.pods.insert(pod.meta.key.clone(), pod);
        }
    }
}

/// The labels of pods by daemonset and hash: thousands of pods share them.
type Shared = BTreeMap<(ObjectKey, Name), Labels>;

/// A pod of a daemonset. `since` is when it became ready, which its agent has measured: long
/// ago where it says that it is available, else now.
fn pod(daemonset: &DaemonSet, node: &Name, it: &PodReport, since: i64, shared: &mut Shared) -> Pod {
    let own = &daemonset.meta;
    let labels = shared.entry((own.key.clone(), it.revision.clone())).or_insert_with(|| {
        let mut labels = BTreeMap::clone(&daemonset.template.labels);
        labels.insert(HASH_LABEL.into(), it.revision.clone());
        Arc::new(labels)
    });
    let meta = Meta {
        key: ObjectKey::new(own.key.namespace.clone(), it.name.clone()),
        uid: format!("{node}/{}", it.name).as_str().into(),
        common: Arc::new(Common {
            labels: labels.clone(),
            controller: Some(Arc::new(Owner::daemonset(&own.key.name, &own.uid))),
            ..Common::default()
        }),
        ..Meta::default()
    };
    let (node, phase) = (Some(node.clone()), it.phase.clone());
    let stand = Stand { phase, ready: it.ready, ready_since: Some(since), body: Body::Stored };
    Pod { meta, node, pinned: None, stand: Arc::new(stand) }
}
