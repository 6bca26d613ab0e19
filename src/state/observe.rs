//! What is seen of a pod, taken into the world as a kubelet's status would be.

use std::sync::Arc;

use serde_json::Value;

use super::world::World;
use crate::kube::{Body, Kind, ObjectKey, Pod};

impl World {
    /// Gives a pod the status that was seen of it. `whole` is the pod as the store has it, and
    /// is asked for only where the world does not have it. Says whether that is another status
    /// than it had.
    pub fn observe(
        &mut self,
        key: &ObjectKey,
        status: &Value,
        whole: impl FnOnce() -> Option<Value>,
    ) -> bool {
        let Some(pod) = self.pods.get(key) else { return false };
        let mut value = match &pod.body {
            Body::Written(value) | Body::Read(value) => (**value).clone(),
            Body::Made(base) => pod.object(base),
            Body::Stored => match whole() {
                Some(value) => value,
                None => return false,
            },
        };
        if value["status"] == *status {
            return false;
        }
        value["status"] = status.clone();
        let version = self.next_version();
        let Some(pod) = self.pods.get_mut(key) else { return false };
        (pod.phase, pod.ready, pod.ready_since) = Pod::read_status(&value);
        pod.meta.resource_version = version;
        pod.body = Body::Written(Arc::new(value));
        self.touch(Kind::Pod, key);
        true
    }
}
