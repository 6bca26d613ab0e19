//! `--sort-by`: objects in the order of one of their fields.

use std::cmp::Ordering;
use std::str::FromStr;

use serde_json::Value;

/// A field path, as `.metadata.name` or kubectl's `{.metadata.name}`.
#[derive(Debug, Clone)]
pub struct SortKey(Vec<String>);

impl FromStr for SortKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = text.strip_prefix('{').and_then(|path| path.strip_suffix('}')).unwrap_or(text);
        let path = path.strip_prefix('.').unwrap_or(path);
        if path.is_empty() || path.split('.').any(str::is_empty) || path.contains(['[', ']', '{', '}']) {
            return Err("not a field path, as `.metadata.creationTimestamp`".to_owned());
        }
        Ok(SortKey(path.split('.').map(ToOwned::to_owned).collect()))
    }
}

/// Sorts by the field; objects without it come first, equal ones keep their order.
pub fn sort(objects: &mut [Value], key: &SortKey) {
    objects.sort_by(|a, b| compare(at(a, key), at(b, key)));
}

fn at<'a>(object: &'a Value, key: &SortKey) -> &'a Value {
    key.0.iter().fold(object, |value, name| &value[name.as_str()])
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (Value::Number(a), Value::Number(b)) => {
            a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal)
        }
        (Value::String(a), Value::String(b)) => a.cmp(b),
        _ => a.to_string().cmp(&b.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_sort_as_numbers_and_what_has_none_first() {
        let mut objects =
            vec![json!({ "s": { "n": 10 } }), json!({ "s": { "n": 9 } }), json!({ "x": 1 }), json!({})];
        sort(&mut objects, &"{.s.n}".parse().unwrap());
        assert_eq!(
            objects,
            [json!({ "x": 1 }), json!({}), json!({ "s": { "n": 9 } }), json!({ "s": { "n": 10 } })]
        );
        assert!("".parse::<SortKey>().is_err() && ".a[0]".parse::<SortKey>().is_err());
    }
}
