//! Whole objects that are kept to be written, and hardly ever read: as text they take a tenth
//! of what their values take.

use std::fmt;

use serde_json::Value;

/// A whole object as JSON.
#[derive(Clone, PartialEq, Eq)]
pub struct Compact(Box<str>);

impl Compact {
    /// The object.
    #[must_use]
    pub fn value(&self) -> Value {
        // It was written from a value.
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    /// Its `status`, where it has one.
    #[must_use]
    pub fn status(&self) -> Option<Value> {
        if !self.0.contains("\"status\"") {
            return None;
        }
        let mut value = self.value();
        value.get_mut("status").map(Value::take).filter(|status| !status.is_null())
    }
}

impl From<&Value> for Compact {
    fn from(value: &Value) -> Self {
        Compact(value.to_string().into())
    }
}

/// As JSON.
impl fmt::Display for Compact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Compact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_kept_comes_back() {
        let labels = json!({ "status": "old", "b": ["\"status\"", 1.5, -3] });
        for (value, status) in [
            (json!({ "metadata": { "labels": labels } }), None),
            (json!({ "metadata": {}, "status": null }), None),
            (json!({ "metadata": {}, "status": { "phase": "a" } }), Some(json!({ "phase": "a" }))),
        ] {
            let kept = Compact::from(&value);
            assert_eq!(
                (kept.value(), kept.status(), kept.to_string()),
                (value.clone(), status, value.to_string())
            );
        }
    }
}
