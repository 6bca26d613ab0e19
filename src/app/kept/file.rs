//! The file of a kept plan: an envelope that says what it is and whether it is whole.
//!
//! ```json
//! {"apiVersion": "dsrules.dev/v1", "kind": "KeptPlan", "format": 1, "sha256": "…", "plan": {…}}
//! ```
//! The hash is of the plan's text as it stands there, so that a file that was cut, merged or
//! edited is not taken for one that was kept.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::Kept;
use crate::diagnostic::{Diagnostic, Place};
use crate::hash::sha256;

const KIND: &str = "KeptPlan";
const API_VERSION: &str = "dsrules.dev/v1";
/// What this dsrules writes, and the newest that it reads.
pub const FORMAT: u64 = 1;

#[derive(Serialize)]
struct Written<'p> {
    #[serde(rename = "apiVersion")]
    api_version: &'static str,
    kind: &'static str,
    format: u64,
    sha256: String,
    plan: &'p RawValue,
}

#[derive(Deserialize)]
struct Envelope<'t> {
    sha256: String,
    #[serde(borrow)]
    plan: &'t RawValue,
}

/// The text of the file.
///
/// # Errors
/// When something in the plan is no text, as a path may be.
pub fn write(kept: &Kept) -> Result<String, Diagnostic> {
    let unwritable = |error: serde_json::Error| {
        Diagnostic::error("plan-unwritable", "the plan cannot be kept").because(error.to_string())
    };
    let plan = serde_json::value::to_raw_value(kept).map_err(unwritable)?;
    let sha256 = sha256(plan.get());
    let written = Written { api_version: API_VERSION, kind: KIND, format: FORMAT, sha256, plan: &plan };
    Ok(serde_json::to_string(&written).map_err(unwritable)? + "\n")
}

/// Whether a file says of itself that it is a kept plan.
#[must_use]
pub fn is_kept(path: &Path) -> bool {
    let mut head = String::new();
    let read = File::open(path).map(|file| file.take(100).read_to_string(&mut head));
    // What is cut inside a letter is none.
    matches!(read, Ok(Ok(_))) && head.contains(&format!("\"{KIND}\"")) && head.contains("\"dsrules.dev/")
}

/// Reads a kept plan.
///
/// # Errors
/// When it cannot be read, is none, is damaged, or of a newer dsrules.
pub fn read(path: &Path) -> Result<Kept, Diagnostic> {
    let shown = path.display().to_string();
    let error = |code, what: String| Diagnostic::error(code, what).at(Place::file(shown.as_str()));
    let text = std::fs::read_to_string(path).map_err(|why| {
        error("plan-unreadable", format!("`{shown}` cannot be read")).because(why.to_string())
    })?;
    let damaged = || {
        error("plan-damaged", format!("`{shown}` is damaged, or was edited"))
            .help("a plan is carried out as it was made, or not at all: plan again")
    };
    let value: Value = match serde_json::from_str(&text) {
        Ok(value) => value,
        Err(_) if is_kept(path) => return Err(damaged().because("it ends in the middle, or is no JSON")),
        Err(_) => return Err(no_plan(&error, &shown, "it is no JSON")),
    };
    if value["kind"] != KIND {
        let kind = value["kind"].as_str().map_or("a kind".to_owned(), |kind| format!("the kind {kind}"));
        return Err(no_plan(&error, &shown, &format!("it says that it is {kind}, not {KIND}")));
    }
    let format = value["format"].as_u64().unwrap_or_default();
    if value["apiVersion"] != API_VERSION || format > FORMAT {
        let what = format!("`{shown}` was kept by a newer dsrules");
        let told = error("plan-too-new", what).because(format!(
            "it has the format {format}, and dsrules {} reads up to {FORMAT}",
            env!("CARGO_PKG_VERSION")
        ));
        return Err(told.help("use that dsrules, or plan again with this one"));
    }
    let envelope: Envelope = serde_json::from_str(&text).map_err(|_| damaged())?;
    if sha256(envelope.plan.get()) != envelope.sha256 {
        return Err(damaged().because("what stands in it has another hash than it says"));
    }
    serde_json::from_str(envelope.plan.get()).map_err(|why| damaged().because(why.to_string()))
}

fn no_plan(error: &dyn Fn(&'static str, String) -> Diagnostic, shown: &str, why: &str) -> Diagnostic {
    let told = error("no-plan", format!("`{shown}` is no plan that was kept"));
    told.because(why.to_owned()).help("`dsrules plan PATH… --out FILE` keeps one")
}
