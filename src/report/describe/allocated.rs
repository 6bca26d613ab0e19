//! What the pods of a node ask of it, as a table: requests and limits, and all together.

use serde_json::Value;

use super::super::Table;
use super::page::Page;
use crate::kube::columns::text;
use crate::kube::requests::{Amounts, Side, of_pod};

/// The resources that every page has a line for.
const ALWAYS: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

/// The table of the pods with what each asks for, and what all of them do.
pub(super) fn write(node: &Value, pods: &[&Value], ages: impl Fn(&Value) -> String, page: &mut Page) {
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
    let others = [&has, &requests, &limits].into_iter().flat_map(Amounts::iter).map(|(name, _)| name);
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
}
