//! The one small reading of JSON that all of this shares.

use serde_json::Value;

/// The text at `field`, empty where there is none.
pub(super) fn word<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or("")
}
