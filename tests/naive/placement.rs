//! Where a daemonset's pod may be: NodeShouldRunDaemonPod, restated pair by pair.

use serde_json::Value;

use super::json::{list, text};

/// (may be placed there, may stay there).
pub fn should_run(node: &Value, daemonset: &Value) -> (bool, bool) {
    let spec = &daemonset["spec"]["template"]["spec"];
    let name = text(&node["metadata"], "name");
    let wanted = text(spec, "nodeName");
    if !wanted.is_empty() && wanted != name {
        return (false, false);
    }
    if !has_selected_labels(node, spec) || !has_affinity(node, spec) {
        return (false, false);
    }
    let tolerations = tolerations(spec);
    let bothered = |effects: &[&str]| {
        list(&node["spec"], "taints").any(|taint| {
            effects.contains(&text(taint, "effect"))
                && !tolerations.iter().any(|toleration| tolerates(toleration, taint))
        })
    };
    if bothered(&["NoSchedule", "NoExecute"]) {
        return (false, !bothered(&["NoExecute"]));
    }
    (true, true)
}

fn has_selected_labels(node: &Value, spec: &Value) -> bool {
    let labels = &node["metadata"]["labels"];
    spec["nodeSelector"].as_object().into_iter().flatten().all(|(key, value)| labels.get(key) == Some(value))
}

fn has_affinity(node: &Value, spec: &Value) -> bool {
    let required = &spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    if required.is_null() {
        return true;
    }
    list(required, "nodeSelectorTerms").any(|term| {
        let expressions: Vec<&Value> = list(term, "matchExpressions").collect();
        let fields: Vec<&Value> = list(term, "matchFields").collect();
        if expressions.is_empty() && fields.is_empty() {
            return false;
        }
        // A term that cannot be parsed matches nothing, whatever else it says.
        expressions.iter().all(|it| can_be_read(it))
            && fields
                .iter()
                .all(|it| list(it, "values").count() == 1 && matches!(text(it, "operator"), "In" | "NotIn"))
            && expressions.iter().all(|it| label_matches(&node["metadata"]["labels"], it))
            && fields.iter().all(|it| field_matches(node, it))
    })
}

fn values(requirement: &Value) -> Vec<&str> {
    list(requirement, "values").filter_map(Value::as_str).collect()
}

fn can_be_read(requirement: &Value) -> bool {
    let values = values(requirement);
    let fits = match text(requirement, "operator") {
        "In" | "NotIn" => !values.is_empty(),
        "Exists" | "DoesNotExist" => values.is_empty(),
        "Gt" | "Lt" => values.len() == 1 && values[0].parse::<i64>().is_ok(),
        _ => false,
    };
    fits && is_key(text(requirement, "key")) && values.iter().all(|value| value.is_empty() || is_word(value))
}

/// Does a label set satisfy one requirement; also used for a daemonset's selector.
pub fn label_matches(labels: &Value, requirement: &Value) -> bool {
    let label = labels.get(text(requirement, "key")).and_then(Value::as_str);
    let values = values(requirement);
    let number = |text: &str| text.parse::<i64>().ok();
    match (text(requirement, "operator"), label) {
        ("In", Some(label)) => values.contains(&label),
        ("NotIn", Some(label)) => !values.contains(&label),
        ("Exists", found) => found.is_some(),
        ("DoesNotExist", found) => found.is_none(),
        ("Gt", Some(label)) => number(label).zip(number(values[0])).is_some_and(|(is, bound)| is > bound),
        ("Lt", Some(label)) => number(label).zip(number(values[0])).is_some_and(|(is, bound)| is < bound),
        ("NotIn", None) => true,
        _ => false,
    }
}

fn field_matches(node: &Value, requirement: &Value) -> bool {
    let field = match text(requirement, "key") {
        "metadata.name" => text(&node["metadata"], "name"),
        _ => "",
    };
    (field == values(requirement)[0]) == (text(requirement, "operator") == "In")
}

fn is_word(word: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    word.len() <= 63
        && edge(word.chars().next())
        && edge(word.chars().last())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

fn is_key(key: &str) -> bool {
    let parts: Vec<&str> = key.split('/').collect();
    let is_prefix = |prefix: &str| {
        let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        prefix.len() <= 253
            && prefix.split('.').all(|label| {
                label.starts_with(lower)
                    && label.ends_with(lower)
                    && label.chars().all(|c| lower(c) || c == '-')
            })
    };
    match parts.as_slice() {
        [name] => is_word(name),
        [prefix, name] => is_prefix(prefix) && is_word(name),
        _ => false,
    }
}

/// The tolerations of a daemon pod, in order: (key, operator, value, effect, seconds).
pub fn tolerations(spec: &Value) -> Vec<Value> {
    let mut all: Vec<Value> = list(spec, "tolerations").cloned().collect();
    let mut added = vec![
        ("not-ready", "NoExecute"),
        ("unreachable", "NoExecute"),
        ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"),
        ("pid-pressure", "NoSchedule"),
        ("unschedulable", "NoSchedule"),
    ];
    if spec["hostNetwork"] == true {
        added.push(("network-unavailable", "NoSchedule"));
    }
    for (key, effect) in added {
        let key = format!("node.kubernetes.io/{key}");
        let new = serde_json::json!({ "key": key, "operator": "Exists", "effect": effect });
        let same = |it: &Value| {
            text(it, "key") == key
                && text(it, "operator") == "Exists"
                && text(it, "effect") == effect
                && text(it, "value").is_empty()
        };
        if all.iter().any(same) {
            all.iter_mut().filter(|it| same(it)).for_each(|it| *it = new.clone());
        } else {
            all.push(new);
        }
    }
    all
}

fn tolerates(toleration: &Value, taint: &Value) -> bool {
    let effect = text(toleration, "effect");
    let key = text(toleration, "key");
    (effect.is_empty() || effect == text(taint, "effect"))
        && (key.is_empty() || key == text(taint, "key"))
        && match text(toleration, "operator") {
            "Exists" => true,
            "" | "Equal" => text(toleration, "value") == text(taint, "value"),
            _ => false,
        }
}
