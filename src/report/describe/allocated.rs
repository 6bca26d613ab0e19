//! What the pods of a node ask of it: requests and limits, added up as kubectl does.
//!
//! A pod asks for what its containers ask together, or for what an init container asks
//! while it runs, if that is more; an init container that goes on running (a sidecar)
//! counts beside those after it. What is asked for without a request is its limit, as an
//! API server would have written.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::Table;
use super::page::{Page, plain};
use crate::kube::columns::{items, text};
use crate::kube::{amount, amount_text};

/// The resources that every page has a line for.
const ALWAYS: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

/// So much of a resource: thousandths of a CPU, units of everything else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Amount {
    value: i64,
    /// Whether it is written in powers of 1024.
    binary: bool,
}

/// How much of each resource.
#[derive(Debug, Clone, Default)]
struct Amounts(BTreeMap<String, Amount>);

impl Amounts {
    /// A `resources.requests`, `status.allocatable` or the like.
    fn read(list: &Value) -> Self {
        let entries = list.as_object().into_iter().flatten().filter_map(|(name, quantity)| {
            let quantity = plain(quantity);
            let value = amount(name, &quantity)?;
            Some((name.clone(), Amount { value, binary: quantity.ends_with('i') }))
        });
        Amounts(entries.collect())
    }

    fn add(&mut self, more: &Amounts) {
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

    fn get(&self, name: &str) -> Amount {
        self.0.get(name).copied().unwrap_or_default()
    }

    /// `100m (5%)`, the share of what the node has, if it says.
    fn shown(&self, name: &str, has: &Amounts) -> String {
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
enum Side {
    Requests,
    Limits,
}

fn of_container(container: &Value, side: Side) -> Amounts {
    let limits = Amounts::read(&container["resources"]["limits"]);
    match side {
        Side::Limits => limits,
        Side::Requests => {
            let mut all = limits;
            all.0.extend(Amounts::read(&container["resources"]["requests"]).0);
            all
        }
    }
}

/// resource.PodRequests and resource.PodLimits.
fn of_pod(pod: &Value, side: Side) -> Amounts {
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
    let whole = if side == Side::Requests { "requests" } else { "limits" };
    all.0.extend(Amounts::read(&spec["resources"][whole]).0);
    let mut overhead = Amounts::read(&spec["overhead"]);
    if side == Side::Limits {
        // A limit that there is not stays so.
        overhead.0.retain(|name, _| all.get(name).value != 0);
    }
    all.add(&overhead);
    all
}

/// The table of the pods with what each asks for, and what all of them do.
pub(super) fn write(node: &Value, pods: &[Value], ages: impl Fn(&Value) -> String, page: &mut Page) {
    let status = &node["status"];
    let has = if status["allocatable"].is_object() { "allocatable" } else { "capacity" };
    let has = Amounts::read(&status[has]);
    page.line(format!("Non-terminated Pods:  ({} in total)", pods.len()));
    let heads =
        ["Namespace", "Name", "CPU Requests", "CPU Limits", "Memory Requests", "Memory Limits", "Age"];
    let mut table = Table::new(heads).underlined().gap(2);
    let (mut requests, mut limits) = (Amounts::default(), Amounts::default());
    for pod in pods {
        let (asks, may) = (of_pod(pod, Side::Requests), of_pod(pod, Side::Limits));
        table.row([
            text(&pod["metadata"]["namespace"]).to_owned(),
            text(&pod["metadata"]["name"]).to_owned(),
            asks.shown("cpu", &has),
            may.shown("cpu", &has),
            asks.shown("memory", &has),
            may.shown("memory", &has),
            ages(pod),
        ]);
        requests.add(&asks);
        limits.add(&may);
    }
    if !table.is_empty() {
        page.table("  ", &table, true);
    }
    page.line("Allocated resources:");
    page.line("  (Total limits may be over 100 percent, i.e., overcommitted.)");
    let mut table = Table::new(["Resource", "Requests", "Limits"]).underlined().gap(2);
    let others = has.0.keys().chain(requests.0.keys()).chain(limits.0.keys()).map(String::as_str);
    let mut names: Vec<&str> = others.filter(|name| !ALWAYS.contains(name) && *name != "pods").collect();
    // Huge pages come with what every node has; devices come last, and are counted.
    let is_device = |name: &str| !ALWAYS.contains(&name) && !name.starts_with("hugepages-");
    names.sort_by_key(|name| (is_device(name), *name));
    names.dedup();
    let nothing = Amounts::default();
    for name in ALWAYS.into_iter().chain(names) {
        let has = if is_device(name) { &nothing } else { &has };
        table.row([name.to_owned(), requests.shown(name, has), limits.shown(name, has)]);
    }
    page.table("  ", &table, true);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(pod: &Value, side: Side, name: &str) -> String {
        of_pod(pod, side).shown(name, &Amounts::default())
    }

    #[test]
    fn amounts_are_written_as_kubernetes_writes_them() {
        for (name, quantity, expected) in [
            ("cpu", "100m", "100m"),
            ("cpu", "0.5", "500m"),
            ("cpu", "2", "2"),
            ("cpu", "4000", "4k"),
            ("memory", "1024Mi", "1Gi"),
            ("memory", "1536Mi", "1536Mi"),
            ("memory", "1500000k", "1500M"),
            ("memory", "128974848", "128974848"),
            ("nvidia.com/gpu", "1", "1"),
            ("memory", "0", "0"),
        ] {
            let amounts = Amounts::read(&json!({ name: quantity }));
            assert_eq!(amounts.shown(name, &Amounts::default()), expected, "{quantity}");
        }
    }

    #[test]
    fn a_pod_asks_for_its_containers_or_its_greediest_init_container() {
        let asks = |cpu: &str| json!({ "resources": { "requests": { "cpu": cpu } } });
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
}
