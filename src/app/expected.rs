//! Whether a plan is the one that is expected: a kept one is carried out just so, or not at all.

use crate::diagnostic::Diagnostic;
use crate::hash::sha256;
use crate::plan::{Change, Plan};

/// What a carried out plan has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The fingerprint of the plan.
    pub plan: String,
    /// The hashes of the files of the input, in order, where all of it are files.
    pub files: Option<Vec<String>>,
}

/// The code of the error that it is another one.
pub(super) const MOVED: &str = "plan-moved";

/// Refuses another plan than the expected one, if one is.
pub(super) fn check(expected: Option<&Expected>, plan: &Plan) -> Result<(), Diagnostic> {
    match expected {
        Some(expected) if expected.plan != fingerprint(plan) => Err(moved()),
        _ => Ok(()),
    }
}

/// Refuses other files than the expected ones, if there are such.
pub(super) fn check_files(expected: Option<&Expected>, hashes: &[String]) -> Result<(), Diagnostic> {
    match expected.and_then(|expected| expected.files.as_ref()) {
        Some(files) if files != hashes => Err(moved()),
        _ => Ok(()),
    }
}

fn moved() -> Diagnostic {
    Diagnostic::error(MOVED, "the plan is not what would be done now")
}

/// A hash of all that a plan does, and of how things stand afterwards. When it does it, and what
/// is unchanged or waited for, is no part of it.
pub(super) fn fingerprint(plan: &Plan) -> String {
    let mut text = String::new();
    let mut add = |part: String| {
        text.push_str(&part);
        text.push('\n');
    };
    // Debug quotes every text, so that none can run into the next.
    for it in plan.objects.iter().filter(|it| it.change != Change::Unchanged) {
        add(format!("{:?}", (it.kind.name(), &it.key, it.change)));
    }
    for wave in &plan.waves {
        add("wave".to_owned());
        for it in &wave.actions {
            add(format!("{:?}", (&it.daemonset, it.verb, &it.node, &it.object, &it.because)));
        }
    }
    plan.statuses.iter().for_each(|status| add(format!("{status:?}")));
    add(format!("{:?}", (&plan.left_alone, &plan.kept_off)));
    sha256(text)
}
