//! Cells of kubectl's columns, worked out from whole objects as an API server's printers
//! do: right for an object of ours and for one that a cluster exported.

use serde_json::Value;

use super::{age, controlling, seconds};

/// A column that `get` shows of a kind.
#[derive(Debug)]
pub struct Column {
    /// Its head.
    pub head: &'static str,
    /// Whether only `-o wide` shows it.
    pub wide: bool,
    /// The cell of an object, seen at a time in seconds of Unix time.
    pub cell: fn(&Value, i64) -> String,
}

impl Column {
    /// How old an object is.
    pub(super) const AGE: Column =
        Column::new("AGE", |object, now| age(seconds(&object["metadata"]["creationTimestamp"]), now));

    /// A column that is always shown.
    pub(super) const fn new(head: &'static str, cell: fn(&Value, i64) -> String) -> Self {
        Column { head, wide: false, cell }
    }

    /// One that `-o wide` adds.
    pub(super) const fn wide(head: &'static str, cell: fn(&Value, i64) -> String) -> Self {
        Column { head, wide: true, cell }
    }
}

/// The owner that controls it, as `daemonset.apps/fluentd`.
#[must_use]
pub fn controller(object: &Value) -> String {
    controlling(object).map_or_else(
        || "<none>".to_owned(),
        |owner| {
            let group = text(&owner["apiVersion"]).split_once('/').map_or("", |(group, _)| group);
            let dot = if group.is_empty() { "" } else { "." };
            format!("{}{dot}{group}/{}", text(&owner["kind"]).to_lowercase(), text(&owner["name"]))
        },
    )
}

/// A map as `a=b,c=d`, or `<none>` (labels.FormatLabels).
#[must_use]
pub fn pairs(map: &Value) -> String {
    let pairs: Vec<String> =
        map.as_object().into_iter().flatten().map(|(key, value)| format!("{key}={}", text(value))).collect();
    if pairs.is_empty() { "<none>".to_owned() } else { pairs.join(",") }
}

/// A label selector, or a node selector term, in the words of `-l`
/// (metav1.FormatLabelSelector).
#[must_use]
pub fn selector(selector: &Value) -> String {
    let mut parts: Vec<String> = selector["matchLabels"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", text(value)))
        .collect();
    parts.extend(items(&selector["matchExpressions"]).map(requirement));
    parts.extend(items(&selector["matchFields"]).map(requirement));
    if parts.is_empty() { "<none>".to_owned() } else { parts.join(",") }
}

fn requirement(expression: &Value) -> String {
    let key = text(&expression["key"]);
    let values = items(&expression["values"]).map(text).collect::<Vec<_>>().join(",");
    match text(&expression["operator"]) {
        "In" => format!("{key} in ({values})"),
        "NotIn" => format!("{key} notin ({values})"),
        "DoesNotExist" => format!("!{key}"),
        "Gt" => format!("{key}>{values}"),
        "Lt" => format!("{key}<{values}"),
        _ => key.to_owned(),
    }
}

/// A text, or `<none>` where there is none.
#[must_use]
pub fn or_none(value: &Value) -> String {
    match text(value) {
        "" => "<none>".to_owned(),
        text => text.to_owned(),
    }
}

/// A text, empty where there is none.
#[must_use]
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

/// The items of a list; none where it is no list.
pub fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selectors_read_as_on_a_command_line() {
        let all = json!({ "matchLabels": { "a": "b" }, "matchExpressions": [
            { "key": "c", "operator": "In", "values": ["d", "e"] },
            { "key": "f", "operator": "DoesNotExist" }, { "key": "g", "operator": "Exists" }] });
        assert_eq!(selector(&all), "a=b,c in (d,e),!f,g");
        assert_eq!(selector(&json!({})), "<none>");
    }
}
