//! How many pods a command may delete for good: losing many at once is never an accident
//! that should pass unnoticed, so it needs to be asked for.

use std::collections::BTreeSet;

use super::options::{MaxDelete, Options};
use crate::diagnostic::{Diagnostic, counted};
use crate::kube::{Kind, Name, ObjectKey, has_ended};
use crate::state::World;

/// The code of the error that a plan deletes too many pods.
pub(super) const TOO_MUCH: &str = "too-many-deletions";

/// From so many pods on, deleting more than half of them needs to be asked for.
const GUARDED_FROM: usize = 20;

/// The pods as they are before anything is done.
pub(super) struct Before {
    pods: usize,
    /// Those that do not run: they are bound nowhere, or have ended.
    idle: BTreeSet<ObjectKey>,
    /// The pods that were named to be deleted: of which daemonset on which node, if of any.
    named: Option<Vec<Option<(ObjectKey, Name)>>>,
}

impl Before {
    /// Before manifests are put into the world.
    pub(super) fn applying(world: &World) -> Self {
        Before { pods: world.pods.len(), idle: idle(world), named: None }
    }

    /// Before objects are deleted that somebody named.
    pub(super) fn deleting(world: &World, targets: &[(Kind, ObjectKey)]) -> Self {
        let pods = targets.iter().filter(|(kind, key)| *kind == Kind::Pod && world.pods.contains_key(key));
        let named = Some(pods.map(|(_, key)| world.place(key)).collect());
        Before { pods: world.pods.len(), idle: idle(world), named }
    }

    /// The same where there are so many pods, and the world has a part of them.
    pub(super) fn of(self, pods: usize) -> Self {
        Before { pods, ..self }
    }

    /// Whether a pod that was there ran.
    pub(super) fn ran(&self, pod: &ObjectKey) -> bool {
        !self.idle.contains(pod)
    }

    /// Refuses a world that lost more than the options allow. `lost` are the pods that
    /// went because of what was done; those that were named come on top, unless another
    /// one stands in their place.
    pub(super) fn check(&self, mut lost: usize, world: &World, options: &Options) -> Result<(), Diagnostic> {
        if let Some(named) = self.named.as_ref().filter(|named| !named.is_empty()) {
            let there: BTreeSet<(ObjectKey, Name)> =
                world.pods.keys().filter_map(|key| world.place(key)).collect();
            lost +=
                named.iter().filter(|pod| pod.as_ref().is_none_or(|place| !there.contains(place))).count();
        }
        let (bound, said) = match options.max_delete {
            Some(MaxDelete::Pods(most)) => (most, format!("{most}")),
            // All that there is may go; what the input brings as well.
            Some(MaxDelete::Percent(100)) => return Ok(()),
            Some(MaxDelete::Percent(percent)) => (self.pods * percent / 100, format!("{percent}%")),
            None if self.pods >= GUARDED_FROM => (self.pods / 2, "50%".to_owned()),
            None => return Ok(()),
        };
        if lost <= bound {
            return Ok(());
        }
        let of = counted(self.pods, "pod");
        let (what, why, look) = match self.named {
            Some(_) => {
                ("this", "so many pods that are not replaced are seldom meant", "look at it with `--dry-run`")
            }
            None => (
                "the plan",
                "so many pods that are not replaced are seldom meant: a label, a taint or a file may be missing",
                "look at `dsrules plan`",
            ),
        };
        let what = format!("{what} deletes {lost} of {of}, more than --max-delete {said} allows");
        Err(Diagnostic::error(TOO_MUCH, what)
            .because(why)
            .help(format!("{look}; if it is meant, say `--max-delete {lost}`")))
    }
}

fn idle(world: &World) -> BTreeSet<ObjectKey> {
    let idle = world.pods.iter().filter(|(_, pod)| pod.node.is_none() || has_ended(&pod.phase));
    idle.map(|(key, _)| key.clone()).collect()
}
