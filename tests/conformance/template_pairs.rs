//! template-pairs: whether an API server keeps two pod templates as the same bytes.

use dsrules::datalog::Program;
use dsrules::kube::kept_template;
use serde_json::Value;

use super::corpus::same;

pub fn check(_: &Program, case: &Value) -> Result<(), String> {
    let [a, b] = ["a", "b"].map(|side| kept_template(&case[side]));
    for kept in [&a, &b] {
        same("kept again", kept, &kept_template(kept))?;
    }
    let about = case["about"].as_str().unwrap_or("");
    same(&format!("same ({about})\n    {a}\n    {b}"), &case["same"], &(a == b).into())
}
