//! Why a pod is left pending: in the scheduler's words, as its condition says them, and in
//! ours, with the node that it is meant for and what is missing there.

use serde_json::{Value, json};

use crate::kube::{Name, timestamp};

/// Why a pod is left pending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The node it is meant for.
    pub node: Name,
    /// The filter that objects.
    pub filter: Name,
    /// All there is to say of it, in one sentence: `node gpu-1: Insufficient memory (needs …)`.
    pub said: String,
    /// What the filter says, in order.
    pub reasons: Vec<String>,
    /// Why no other pods go for it: `never`, `not helpful` or `no victims`.
    pub preemption: Name,
    /// How many nodes there were when it was refused first.
    pub nodes: usize,
    /// Since when it is refused, in seconds of Unix time.
    pub since: i64,
}

/// Not one of the scheduler's filters: admission, which refuses a pod whose PriorityClass is not
/// there, so that the pod is not even made.
const ADMISSION: &str = "Priority";

impl Refusal {
    /// What admission says of it, where it is that which refuses the pod.
    #[must_use]
    pub fn forbidden(&self) -> Option<String> {
        (&*self.filter == ADMISSION).then(|| self.reasons.join(", "))
    }

    /// Whether another one has the same reason, whatever the amounts are.
    #[must_use]
    pub fn is_like(&self, other: &Refusal) -> bool {
        let reason = |it: &Refusal| (it.node.clone(), it.filter.clone(), it.preemption.clone());
        reason(self) == reason(other) && self.reasons == other.reasons
    }

    /// What the default scheduler writes of a pod that is pinned to a node (FitError.Error),
    /// and what there is to say of that node.
    #[must_use]
    pub fn message(&self) -> String {
        if let Some(why) = self.forbidden() {
            return format!("forbidden: {why}. {}", self.said);
        }
        let of_all = format!("0/{} nodes are available:", self.nodes);
        let others = self.nodes.saturating_sub(1);
        let counted = |some: usize, what: &str| (some > 0).then(|| format!("{some} {what}"));
        let reasons: Vec<String> = self.reasons.iter().map(|reason| format!("1 {reason}")).collect();
        let not_helpful = "Preemption is not helpful for scheduling";
        let preemption: Vec<String> = match &*self.preemption {
            "no victims" => {
                [counted(1, "No preemption victims found for incoming pod"), counted(others, not_helpful)]
                    .into_iter()
                    .flatten()
                    .collect()
            }
            _ => vec![format!("{} {not_helpful}", self.nodes)],
        };
        let preemption = match &*self.preemption {
            "never" => "not eligible due to preemptionPolicy=Never".to_owned(),
            _ => format!("{of_all} {}", preemption.join(", ")),
        };
        format!("{of_all} {}. preemption: {preemption}. {}", reasons.join(", "), self.said)
    }

    /// Gives a pod the condition that the scheduler writes of it.
    pub fn tell(&self, pod: &mut Value) {
        let told = json!({ "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
            "message": self.message(), "lastTransitionTime": timestamp(self.since) });
        let Some(status) = pod.as_object_mut().map(|pod| pod.entry("status").or_insert_with(|| json!({})))
        else {
            return;
        };
        let mut conditions = status["conditions"].as_array().cloned().unwrap_or_default();
        conditions.retain(|condition| condition["type"] != "PodScheduled");
        conditions.push(told);
        if let Some(status) = status.as_object_mut() {
            status.insert("conditions".to_owned(), conditions.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_that_is_refused_says_so_as_the_scheduler_would() {
        let refusal = |preemption: &str| Refusal {
            node: "a".into(),
            filter: "NodeResourcesFit".into(),
            said: "node a: Insufficient cpu (…)".to_owned(),
            reasons: vec!["Insufficient cpu".to_owned(), "Too many pods".to_owned()],
            preemption: preemption.into(),
            nodes: 3,
            since: 0,
        };
        let first = "0/3 nodes are available: 1 Insufficient cpu, 1 Too many pods. preemption: ";
        for (preemption, told) in [
            (
                "no victims",
                "0/3 nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is \
                 not helpful for scheduling.",
            ),
            ("not helpful", "0/3 nodes are available: 3 Preemption is not helpful for scheduling."),
            ("never", "not eligible due to preemptionPolicy=Never."),
        ] {
            assert_eq!(refusal(preemption).message(), format!("{first}{told} node a: Insufficient cpu (…)"));
        }
        let mut pod = json!({ "status": { "conditions": [{ "type": "PodScheduled", "status": "True" }] } });
        refusal("never").tell(&mut pod);
        assert_eq!(pod["status"]["conditions"].as_array().map(Vec::len), Some(1));
        assert_eq!(pod["status"]["conditions"][0]["reason"], "Unschedulable");
    }
}
