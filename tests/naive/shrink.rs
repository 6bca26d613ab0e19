//! Making a case that disagrees small enough to read.

use serde_json::Value;

/// Takes out of the case whatever it disagrees without: list elements and fields, from
/// the largest to the smallest, until nothing more can go.
pub fn shrink(mut case: Value, disagrees: impl Fn(&Value) -> bool) -> Value {
    loop {
        let mut smaller = None;
        for path in paths(&case) {
            let mut less = case.clone();
            if remove(&mut less, &path) && disagrees(&less) {
                smaller = Some(less);
                break;
            }
        }
        match smaller {
            Some(less) => case = less,
            None => return case,
        }
    }
}

/// What every object needs to be one.
const KEPT: &[&str] = &["now", "kind", "name", "namespace", "uid", "metadata", "generation"];

fn paths(value: &Value) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut level = vec![(Vec::new(), value)];
    while !level.is_empty() {
        let mut next = Vec::new();
        for (path, value) in level {
            let children: Vec<(String, &Value)> = match value {
                Value::Array(items) => {
                    items.iter().enumerate().map(|(at, it)| (at.to_string(), it)).collect()
                }
                Value::Object(fields) => fields.iter().map(|(key, it)| (key.clone(), it)).collect(),
                _ => Vec::new(),
            };
            for (step, child) in children {
                let mut path: Vec<String> = path.clone();
                path.push(step.clone());
                let whole = path[0] == "backoff" && path.len() > 2;
                if !whole && !KEPT.contains(&step.as_str()) {
                    found.push(path.clone());
                }
                next.push((path, child));
            }
        }
        level = next;
    }
    found
}

fn remove(value: &mut Value, path: &[String]) -> bool {
    let (last, parents) = path.split_last().unwrap();
    let mut at = value;
    for step in parents {
        at = match at {
            Value::Array(items) => &mut items[step.parse::<usize>().unwrap()],
            Value::Object(fields) => fields.get_mut(step).unwrap(),
            _ => return false,
        };
    }
    match at {
        Value::Array(items) => {
            items.remove(last.parse::<usize>().unwrap());
            true
        }
        Value::Object(fields) => fields.remove(last).is_some(),
        _ => false,
    }
}
