//! What a pod asks of its node: requests and limits, as the scheduler adds them up.
//!
//! A pod asks for what its containers ask together, or for what an init container asks
//! while it runs, if that is more; an init container that goes on running (a sidecar)
//! counts beside those after it. What is asked for without a request is its limit, as an
//! API server would have written. What the pod as a whole says comes before what its
//! containers say, and its overhead comes on top.

use std::collections::BTreeMap;

use serde_json::Value;

use super::columns::{items, text};
use super::{amount, amount_text};

/// So much of a resource: thousandths of a CPU, units of everything else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// How much; what is beyond 64 bits is the largest number.
    pub value: i64,
    /// Whether it is written in powers of 1024.
    pub binary: bool,
}

/// How much of each resource.
#[derive(Debug, Clone, Default)]
pub struct Amounts(BTreeMap<String, Amount>);

impl Amounts {
    /// A `resources.requests`, `status.allocatable` or the like.
    #[must_use]
    pub fn read(list: &Value) -> Self {
        let entries = list.as_object().into_iter().flatten().filter_map(|(name, quantity)| {
            let quantity = match quantity {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let value = amount(name, &quantity)?;
            Some((name.clone(), Amount { value, binary: quantity.ends_with('i') }))
        });
        Amounts(entries.collect())
    }

    /// So much more of each resource.
    pub fn add(&mut self, more: &Amounts) {
        for (name, more) in &more.0 {
            let sum = self.0.entry(name.clone()).or_default();
            let binary = if sum.value == 0 { more.binary } else { sum.binary };
            *sum = Amount { value: sum.value.saturating_add(more.value), binary };
        }
    }

    /// Each resource at least as much as in `other`.
    fn raise(&mut self, other: &Amounts) {
        for (name, other) in &other.0 {
            let most = self.0.entry(name.clone()).or_default();
            if other.value > most.value {
                *most = *other;
            }
        }
    }

    /// How much of one resource: none, where nothing is said of it.
    #[must_use]
    pub fn get(&self, name: &str) -> Amount {
        self.0.get(name).copied().unwrap_or_default()
    }

    /// All resources of which something is said, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Amount)> {
        self.0.iter().map(|(name, amount)| (name.as_str(), *amount))
    }

    /// What a pod may ask for as a whole (IsSupportedPodLevelResource).
    fn of_whole_pods(mut self) -> Self {
        self.0.retain(|name, _| name == "cpu" || name == "memory" || name.starts_with("hugepages-"));
        self
    }

    /// `100m (5%)`, the share of what the node has, if it says.
    #[must_use]
    pub fn shown(&self, name: &str, has: &Amounts) -> String {
        let it = self.get(name);
        let text = amount_text(name, it.value, it.binary);
        match has.0.get(name) {
            Some(all) => {
                let share = (i128::from(it.value) * 100).checked_div(all.value.into()).unwrap_or(0);
                format!("{text} ({share}%)")
            }
            None => text,
        }
    }
}

/// Which of the two a container states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What the scheduler keeps free for it.
    Requests,
    /// What it may use at most.
    Limits,
}

/// What a container states. What a running one was given meanwhile (`status`) counts for nothing:
/// pods are not resized in place (the feature InPlacePodVerticalScaling is off).
fn of_container(container: &Value, side: Side) -> Amounts {
    let mut all = Amounts::read(&container["resources"]["limits"]);
    if side == Side::Requests {
        all.0.extend(Amounts::read(&container["resources"]["requests"]).0);
    }
    all
}

/// What a pod, or what is made from a template, asks for or is limited to
/// (resource.PodRequests and resource.PodLimits).
#[must_use]
pub fn of_pod(pod: &Value, side: Side) -> Amounts {
    let spec = &pod["spec"];
    let mut all = Amounts::default();
    items(&spec["containers"]).for_each(|container| all.add(&of_container(container, side)));
    let (mut sidecars, mut most) = (Amounts::default(), Amounts::default());
    for container in items(&spec["initContainers"]) {
        let mut asked = of_container(container, side);
        if text(&container["restartPolicy"]) == "Always" {
            all.add(&asked);
            sidecars.add(&asked);
            asked = sidecars.clone();
        } else {
            asked.add(&sidecars);
        }
        most.raise(&asked);
    }
    all.raise(&most);
    let whole = &spec["resources"];
    let limits = Amounts::read(&whole["limits"]).of_whole_pods();
    if side == Side::Limits {
        all.0.extend(limits.0);
    } else {
        // A limit alone is a request of what no container asks for (defaultPodRequests).
        limits.0.into_iter().for_each(|(name, limit)| {
            all.0.entry(name).or_insert(limit);
        });
        all.0.extend(Amounts::read(&whole["requests"]).of_whole_pods().0);
    }
    let mut overhead = Amounts::read(&spec["overhead"]);
    if side == Side::Limits {
        // A limit that there is not stays so.
        overhead.0.retain(|name, _| all.get(name).value != 0);
    }
    all.add(&overhead);
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(pod: &Value, side: Side, name: &str) -> String {
        of_pod(pod, side).shown(name, &Amounts::default())
    }

    fn asks(cpu: &str) -> Value {
        json!({ "name": "c", "resources": { "requests": { "cpu": cpu } } })
    }

    #[test]
    fn a_pod_asks_for_its_containers_or_its_greediest_init_container() {
        let mut sidecar = asks("300m");
        sidecar["restartPolicy"] = json!("Always");
        let mut pod = json!({ "spec": { "containers": [asks("100m"), asks("250m")] } });
        assert_eq!(shown(&pod, Side::Requests, "cpu"), "350m");
        pod["spec"]["initContainers"] = json!([asks("1")]);
        assert_eq!(shown(&pod, Side::Requests, "cpu"), "1");
        pod["spec"]["initContainers"] = json!([sidecar, asks("1")]);
        assert_eq!(shown(&pod, Side::Requests, "cpu"), "1300m");
        pod["spec"]["initContainers"] = json!([asks("500m"), sidecar]);
        assert_eq!(shown(&pod, Side::Requests, "cpu"), "650m");
        pod["spec"]["overhead"] = json!({ "cpu": "50m", "memory": "16Mi" });
        assert_eq!(shown(&pod, Side::Requests, "cpu"), "700m");
        assert_eq!(shown(&pod, Side::Limits, "memory"), "0");
        pod["spec"]["resources"] = json!({ "requests": { "cpu": "2" } });
        assert_eq!(shown(&pod, Side::Requests, "cpu"), "2050m");
    }

    #[test]
    fn what_has_a_limit_alone_is_asked_for() {
        let container = json!({ "resources": { "limits": { "memory": "1Gi" }, "requests": { "cpu": 1 } } });
        let pod = json!({ "spec": { "containers": [container] } });
        assert_eq!(shown(&pod, Side::Requests, "memory"), "1Gi");
        assert_eq!(shown(&pod, Side::Limits, "cpu"), "0");
        let half = Amounts::read(&json!({ "memory": "3Gi" }));
        assert_eq!(of_pod(&pod, Side::Requests).shown("memory", &half), "1Gi (33%)");
    }

    #[test]
    fn a_whole_pod_may_say_what_it_asks_for() {
        let mut pod = json!({ "spec": { "containers": [asks("100m")],
            "resources": { "limits": { "cpu": "1", "memory": "1Gi", "nvidia.com/gpu": 1 } } } });
        assert_eq!(shown(&pod, Side::Requests, "cpu"), "100m");
        assert_eq!(shown(&pod, Side::Requests, "memory"), "1Gi");
        assert_eq!(shown(&pod, Side::Requests, "nvidia.com/gpu"), "0");
        assert_eq!(shown(&pod, Side::Limits, "cpu"), "1");
        pod["spec"]["resources"]["requests"] = json!({ "cpu": "50m" });
        assert_eq!(shown(&pod, Side::Requests, "cpu"), "50m");
    }

    #[test]
    fn what_a_running_pod_was_given_counts_for_nothing() {
        let given = json!({ "cpu": "300m" });
        let pod = json!({ "spec": { "containers": [asks("100m")] }, "status": { "containerStatuses": [
            { "name": "c", "allocatedResources": given, "resources": { "requests": given } }] } });
        assert_eq!(shown(&pod, Side::Requests, "cpu"), "100m");
    }

    #[test]
    fn what_is_beyond_64_bits_is_the_largest_number() {
        let pod = json!({ "spec": { "containers": [asks("9E"), asks("9E")] } });
        assert_eq!(of_pod(&pod, Side::Requests).get("cpu").value, i64::MAX);
    }
}
