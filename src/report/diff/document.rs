//! What a change does to the fleet, as a document.

use serde::Serialize;
use serde_json::{Value, json};

use super::words::Counts;
use crate::app::diff::Diff;
use crate::report::data::API_VERSION;
use crate::report::plan_document;

/// The whole of it, with the plan behind it; `base` and `head` are what the sides are called.
pub fn diff_document(diff: &Diff, base: &str, head: &str) -> impl Serialize {
    let Counts { gained, lost, replaced, before, after } = Counts::of(diff);
    let outcome = &diff.outcome;
    let objects: Vec<Value> = diff
        .objects
        .iter()
        .map(|it| json!({ "kind": it.kind.name(), "namespace": it.key.namespace, "name": it.key.name, "change": it.change, "fields": it.fields }))
        .collect();
    let moved: Vec<Value> = diff
        .moves
        .iter()
        .map(|it| {
            let change = if it.gained { "gained" } else { "lost" };
            json!({ "daemonset": it.daemonset, "change": change, "nodes": it.nodes, "because": it.because })
        })
        .collect();
    let daemonsets: Vec<Value> = diff
        .pods
        .iter()
        .map(|(daemonset, (before, after))| json!({ "daemonset": daemonset, "before": before, "after": after }))
        .collect();
    let plan = plan_document(&outcome.plan, &outcome.judged, &outcome.said, None);
    json!({
        "apiVersion": API_VERSION,
        "kind": "Diff",
        "base": base,
        "head": head,
        "summary": {
            "changed": diff.is_changed(),
            "gained": gained,
            "lost": lost,
            "replaced": replaced,
            "podsBefore": before,
            "podsAfter": after,
            "refused": outcome.is_refused() || outcome.too_much.is_some(),
        },
        "objects": objects,
        "rules": diff.own,
        "pods": moved,
        "rollouts": diff.rollouts,
        "daemonsets": daemonsets,
        "plan": serde_json::to_value(plan).unwrap_or_default(),
    })
}
