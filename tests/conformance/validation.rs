//! validation: what an API server would refuse, as its error types and field paths.

use dsrules::datalog::Program;
use dsrules::kube::Kind;
use dsrules::validate::validate;
use serde_json::Value;

use super::corpus::same;

/// Whether the object is valid, and every (type, field) as often as Kubernetes has it.
pub fn check(_: &Program, case: &Value) -> Result<(), String> {
    valid_or_not(case)?;
    let expected = case["expect"]["errors"].as_array().into_iter().flatten();
    let expected = expected
        .map(|error| format!("{} {}", error["type"].as_str().unwrap(), error["field"].as_str().unwrap()));
    same("errors", &sorted(expected), &sorted(errors(case).into_iter()))
}

/// Whether the object is valid.
pub fn valid_or_not(case: &Value) -> Result<(), String> {
    same("valid", &case["expect"]["valid"], &errors(case).is_empty().into())
}

fn errors(case: &Value) -> Vec<String> {
    let manifest = &case["manifest"];
    let kind = Kind::from_name(manifest["kind"].as_str().unwrap()).unwrap();
    let old = case.get("old").filter(|old| !old.is_null());
    let errors = validate(kind, manifest, old);
    errors.iter().map(|error| format!("{} {}", error.kind, error.field)).collect()
}

fn sorted(errors: impl Iterator<Item = String>) -> Value {
    let mut errors: Vec<String> = errors.collect();
    errors.sort();
    Value::from(errors)
}
