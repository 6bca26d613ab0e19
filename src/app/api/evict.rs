//! Eviction: a pod is deleted unless a disruption budget says that too few would be left; and
//! deleting many at once.

use std::sync::Arc;

use serde_json::{Value, json};

use super::engine::Engine;
use super::entry::Entry;
use super::read::{Chosen, Paging};
use super::refused::{Cause, Reason, Refused};
use super::resource::Resource;
use super::write::Deletion;
use crate::kube::{ObjectKey, has_ended};
use crate::validate::selects;

impl Engine {
    /// Evicts a pod.
    ///
    /// # Errors
    /// When there is none, or a budget is used up.
    pub fn evict(&mut self, resource: usize, key: &ObjectKey, deletion: &Deletion) -> Result<(), Refused> {
        let pod = self.get(resource, key)?;
        if !has_ended(&pod.phase) {
            self.heed(resource, key, &pod)?;
        }
        self.delete(resource, key, deletion).map(drop)
    }

    /// Looks at the budgets of a pod's namespace that are about it.
    fn heed(&self, pods: usize, key: &ObjectKey, pod: &Entry) -> Result<(), Refused> {
        let Some(budgets) = Resource::named("policy", "v1", "poddisruptionbudgets") else { return Ok(()) };
        let all = self.replica().objects(budgets).iter();
        for (_, budget) in all.filter(|(of, _)| of.namespace == key.namespace) {
            let budget = budget.value();
            let selector = &budget["spec"]["selector"];
            let is_meant = |entry: &Entry| selects(selector, &json!(*entry.labels)) == Some(true);
            if !is_meant(pod) {
                continue;
            }
            let of_space =
                self.replica().objects(pods).iter().filter(|(of, _)| of.namespace == key.namespace);
            let covered = of_space.map(|(_, entry)| entry).filter(|it| !has_ended(&it.phase) && is_meant(it));
            let covered: Vec<Value> = covered.map(|entry| entry.value()).collect();
            let healthy = covered.iter().filter(|it| is_ready(it)).count();
            let needed = needed(&budget["spec"], covered.len());
            let is_spare = !is_ready(&pod.value()) && healthy >= needed;
            if healthy <= needed && !is_spare {
                return Err(used_up(&budget, needed, healthy));
            }
        }
        Ok(())
    }

    /// Deletes all objects that are meant, and gives them as they were.
    ///
    /// # Errors
    /// As [`list`](Engine::list), and when they cannot be deleted.
    pub fn delete_all(&mut self, chosen: &Chosen, deletion: &Deletion) -> Result<Vec<Arc<Entry>>, Refused> {
        let found = self.list(chosen, &Paging::default())?.items;
        for entry in &found {
            let object = entry.value();
            let text = |field: &str| object["metadata"][field].as_str().unwrap_or("").to_owned();
            match self.delete(chosen.resource, &ObjectKey::new(text("namespace"), text("name")), deletion) {
                // What went with another one is gone as was asked.
                Err(refused) if refused.reason != Reason::NotFound => return Err(refused),
                _ => {}
            }
        }
        Ok(found)
    }
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|it| it["type"] == "Ready" && it["status"] == "True")
}

/// How many pods a budget wants healthy of so many.
fn needed(spec: &Value, expected: usize) -> usize {
    let count = |value: &Value| match value {
        Value::Number(number) => number.as_u64().and_then(|it| usize::try_from(it).ok()),
        Value::String(text) => {
            let percent: usize = text.strip_suffix('%')?.parse().ok()?;
            // Both are rounded up, as GetScaledValueFromIntOrPercent is asked to.
            Some(expected.saturating_mul(percent).div_ceil(100))
        }
        _ => None,
    };
    match (count(&spec["minAvailable"]), count(&spec["maxUnavailable"])) {
        (Some(least), _) => least,
        (None, Some(most)) => expected.saturating_sub(most),
        (None, None) => 0,
    }
}

fn used_up(budget: &Value, needed: usize, healthy: usize) -> Refused {
    let name = budget["metadata"]["name"].as_str().unwrap_or("");
    let message =
        format!("The disruption budget {name} needs {needed} healthy pods and has {healthy} currently");
    Refused {
        causes: vec![Cause { reason: "DisruptionBudget", message, field: String::new() }],
        ..Refused::new(
            Reason::TooManyRequests,
            "Cannot evict pod as it would violate the pod's disruption budget.",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_budget_counts_pods_or_percent() {
        for (spec, expected) in [
            (json!({ "minAvailable": 2 }), 2),
            (json!({ "minAvailable": "50%" }), 3),
            (json!({ "maxUnavailable": 1 }), 4),
            (json!({ "maxUnavailable": "30%" }), 3),
            (json!({}), 0),
        ] {
            assert_eq!(needed(&spec, 5), expected, "{spec}");
        }
    }
}
