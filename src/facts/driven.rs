//! Rollouts that are carried out in a live cluster, and what keeps their pods from being ready.

use super::encoder::Encoder;
use crate::kube::{Body, Kind, Pod};
use crate::policy::relations;
use crate::state::World;

impl Encoder {
    /// The daemonsets whose pods we replace; of each pod that is not ready, since when, and what
    /// its containers wait for.
    pub(super) fn driven(&mut self, world: &World) {
        if world.driven.is_empty() {
            return;
        }
        for (key, seconds) in &world.driven {
            let (it, seconds) = (self.subject(Kind::DaemonSet, key), self.symbols.number(*seconds));
            self.row(relations::driven, &[it, seconds]);
        }
        let uids = world.driven.keys().filter_map(|key| world.daemonsets.get(key));
        let uids: Vec<_> = uids.map(|it| it.meta.uid.name()).collect();
        let is_driven =
            |pod: &&Pod| pod.meta.controller.as_ref().is_some_and(|it| uids.iter().any(|uid| *uid == it.uid));
        for pod in world.pods.values().filter(|pod| !pod.ready).filter(is_driven) {
            self.unready(pod);
        }
    }

    fn unready(&mut self, pod: &Pod) {
        let it = self.subject(Kind::Pod, &pod.meta.key);
        if let Some(since) = pod.ready_since {
            let since = self.symbols.number(since);
            self.row(relations::pod_unready_since, &[it, since]);
        }
        let (Body::Written(value) | Body::Read(value)) = &pod.body else { return };
        for list in ["initContainerStatuses", "containerStatuses"] {
            for container in value["status"][list].as_array().into_iter().flatten() {
                let reason = container["state"]["waiting"]["reason"].as_str();
                let (Some(name), Some(reason)) = (container["name"].as_str(), reason) else { continue };
                let (name, reason) = (self.text(name), self.text(reason));
                self.row(relations::pod_waits, &[it, name, reason]);
            }
        }
    }
}
