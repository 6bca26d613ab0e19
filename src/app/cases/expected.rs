//! What a case expects, as YAML that a person can write and a diff can show.
//!
//! Names of new pods and the wording of rules are left out: they say nothing about the
//! policy, and would make every case change with every version.

use serde::{Deserialize, Serialize};

use crate::app::options::Options;
use crate::app::planning::Planned;
use crate::diagnostic::{Diagnostic, Place};
use crate::kube::{Name, time};
use crate::plan::{Action, Readiness, Verb};

/// The name of the file.
pub const EXPECTED: &str = "expected-plan.yaml";

/// 2026-01-01T00:00:00Z, a Thursday: the time of a case that names none.
const NOW: i64 = 1_767_225_600;

/// How a case is planned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The time, in RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<String>,
    /// `observe`: a pod is ready only when a manifest says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness: Option<Ready>,
}

/// Who says that a created pod is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ready {
    /// Nobody has to.
    Assume,
    /// Pod manifests do.
    Observe,
}

/// The file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Expected {
    api_version: String,
    kind: String,
    #[serde(default, skip_serializing_if = "is_default")]
    settings: Settings,
    #[serde(default)]
    waves: Vec<Vec<String>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    waiting: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    violations: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(default)]
    status: Vec<String>,
}

fn is_default(settings: &Settings) -> bool {
    *settings == Settings::default()
}

/// The settings of a file, which may be empty.
pub(super) fn settings(file: &str, text: &str) -> Result<Settings, Diagnostic> {
    #[derive(Deserialize)]
    struct File {
        #[serde(default)]
        settings: Settings,
    }
    let wrong = |why: String| {
        Diagnostic::error("bad-case", "the expected plan cannot be read")
            .at(Place::file(file))
            .because(why)
            .help(
                "its `settings` may have `now` (a time in RFC 3339) and `readiness` (`assume` or `observe`)",
            )
    };
    if text.trim().is_empty() {
        return Ok(Settings::default());
    }
    let file: File = serde_yaml::from_str(text).map_err(|error| wrong(error.to_string()))?;
    if let Some(now) = &file.settings.now {
        time(now).ok_or_else(|| wrong(format!("`{now}` is no time in RFC 3339")))?;
    }
    Ok(file.settings)
}

impl Settings {
    pub(super) fn options(&self) -> Options {
        let now = self.now.as_deref().and_then(time);
        let mut options = Options::at(now.unwrap_or(NOW));
        if self.readiness == Some(Ready::Observe) {
            options.readiness = Readiness::Observe;
        }
        options
    }
}

impl Expected {
    /// What a plan is, in these words.
    #[must_use]
    pub fn new(settings: Settings, planned: &Planned) -> Self {
        let said = |error: bool| {
            let found = planned.said.iter().filter(|found| found.is_error() == error);
            let mut said: Vec<String> = found.map(|found| found.message.clone()).collect();
            said.sort();
            said
        };
        let wave = |actions: &[Action]| {
            let mut lines: Vec<String> = actions.iter().filter_map(line).collect();
            lines.dedup();
            lines
        };
        let waves = planned.plan.waves.iter().map(|it| wave(&it.actions));
        let statuses = planned.plan.statuses.iter();
        Expected {
            api_version: "dsrules.dev/v1".into(),
            kind: "ExpectedPlan".into(),
            settings,
            waves: waves.filter(|lines| !lines.is_empty()).collect(),
            waiting: planned
                .plan
                .waiting
                .iter()
                .map(|it| format!("{}: {}", it.daemonset, it.reason))
                .collect(),
            violations: said(true),
            warnings: said(false),
            status: statuses
                .map(|(key, status)| {
                    format!(
                        "{key}: {} desired, {} ready, {} up to date",
                        status.desired_number_scheduled, status.number_ready, status.updated_number_scheduled
                    )
                })
                .collect(),
        }
    }

    /// The file's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let body = serde_yaml::to_string(self).unwrap_or_default();
        format!(
            "# What `dsrules plan` is to do here. Written by `dsrules test --update`; a wave is one\n\
             # pass that changed something.\n{body}"
        )
    }
}

/// One action as a line; none for the bookkeeping of revisions.
fn line(action: &Action) -> Option<String> {
    let daemonset = action.daemonset.as_ref().map_or_else(|| "?".to_owned(), ToString::to_string);
    let on = |node: &Option<Name>| node.as_ref().map_or_else(String::new, |node| format!(" on {node}"));
    Some(match action.verb {
        Verb::Create => format!("create {daemonset}{}", on(&action.node)),
        Verb::Delete => format!("delete {daemonset}{}", on(&action.node)),
        Verb::Adopt => format!("adopt {} for {daemonset}", action.object),
        Verb::Release => format!("release {} from {daemonset}", action.object),
        Verb::Relabel => format!("relabel {} of {daemonset}", action.object),
        _ => return None,
    })
}
