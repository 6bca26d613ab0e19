//! The file of a case: what is expected, as YAML that a person can write and a diff can show.
//!
//! ```yaml
//! apiVersion: dsrules.dev/v1
//! kind: ExpectedPlan
//! settings: {now: "2026-03-02T22:00:00Z"}
//! expect:                               # rows of relations, see `rows`
//!   blocked: [[pay/ledger, spot-1]]
//! waves: [[create pay/ledger on a]]     # the plan, see `lines`; without a part of it, none is compared
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::lines::Lines;
use crate::app::options::{Options, Schedule};
use crate::diagnostic::{Diagnostic, Place, nearest};
use crate::kube::time;
use crate::plan::Readiness;

/// The name of the file with which a case begins. A case may have more of them, each with
/// settings of its own.
pub const EXPECTED: &str = "expected-plan.yaml";

const API_VERSION: &str = "dsrules.dev/v1";
const KIND: &str = "ExpectedPlan";

/// 2026-01-01T00:00:00Z, a Thursday: the time of a case that names none.
const NOW: i64 = 1_767_225_600;

/// The first lines of a file that has none of its own, with a plan or without.
const OF_PLAN: &str = "# What `dsrules plan` is to do here. Written by `dsrules test --update`; a wave is one\n\
    # pass that changed something.\n";
const OF_ROWS: &str = "# What the rules are to derive here. Written by `dsrules test --update`.\n";

/// Whether a file says what is expected of the case whose folder it stands in, or means to: a
/// slip of the pen is an error, where a manifest that is named like that is none.
pub(super) fn is_expected(name: &str, text: impl FnOnce() -> Option<String>) -> bool {
    let is_meant = |line: &str| match line.split_once(':') {
        Some(("kind", kind)) => nearest(kind.trim(), [KIND]).is_some(),
        Some(("apiVersion", version)) => version.trim() == API_VERSION,
        _ => false,
    };
    let says_so = |text: String| text.lines().any(is_meant);
    let may_be = name.starts_with("expected-") && (name.ends_with(".yaml") || name.ends_with(".yml"));
    name == EXPECTED || (may_be && text().is_some_and(says_so))
}

/// How a case is planned, and asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The time, in RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<String>,
    /// `observe`: a pod is ready only when a manifest says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness: Option<Ready>,
    /// `simulate`: the default scheduler says whether a pod fits; `assume`: each is bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// Of which state the rows are: `planned`, as the plan leaves it, where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// Values of parameters.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, serde_yaml::Value>,
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

/// Of which state of the cluster the rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As the plan leaves it, as violations see it: with `planned`.
    Planned,
    /// As the manifests give it, before the plan does anything.
    Given,
}

/// What a file says.
#[derive(Debug)]
pub(super) struct Written {
    pub settings: Settings,
    /// The rows, by relation; they are looked at once the rules are known.
    pub expect: Option<serde_yaml::Mapping>,
    /// The plan, if a part of it is there.
    pub lines: Option<Lines>,
    /// The comment at its top, if it has one.
    header: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct File {
    api_version: Option<String>,
    kind: Option<String>,
    settings: Settings,
    expect: Option<serde_yaml::Mapping>,
    waves: Option<Vec<Vec<String>>>,
    waiting: Option<Vec<String>>,
    violations: Option<Vec<String>>,
    warnings: Option<Vec<String>>,
    status: Option<Vec<String>>,
}

impl Written {
    /// Reads a file, which may be empty: then a plan is expected, and not known yet.
    pub fn read(file: &str, text: &str) -> Result<Written, Diagnostic> {
        let wrong = |why: String, place: Place| {
            Diagnostic::error("bad-case", "what is expected cannot be read").at(place).because(why).help(
                "it has `settings` (`now`, a time in RFC 3339; `readiness`, `assume` or `observe`; \
                 `schedule`, `assume` or `simulate`; `state`, `planned` or `given`; `params`), `expect`, and the plan: `waves`, `waiting`, `violations`, `warnings`, \
                 `status`",
            )
        };
        let is_comment = |line: &&str| line.trim().is_empty() || line.trim_start().starts_with('#');
        let length: usize = text.split_inclusive('\n').take_while(is_comment).map(str::len).sum();
        let (header, body) = text.split_at(length);
        let header = header.to_owned();
        if body.is_empty() {
            let (settings, lines) = (Settings::default(), Some(Lines::default()));
            return Ok(Written { settings, expect: None, lines, header });
        }
        let file_of = |error: &serde_yaml::Error| match error.location() {
            Some(at) => Place::of_span(file, text, at.index(), at.index() + 1),
            None => Place::file(file),
        };
        let found: File =
            serde_yaml::from_str(text).map_err(|error| wrong(error.to_string(), file_of(&error)))?;
        if let Some(now) = &found.settings.now {
            time(now).ok_or_else(|| wrong(format!("`{now}` is no time in RFC 3339"), Place::file(file)))?;
        }
        for (is, should) in [(&found.api_version, API_VERSION), (&found.kind, KIND)] {
            if let Some(is) = is.as_deref().filter(|is| *is != should) {
                return Err(wrong(format!("`{is}` stands where `{should}` should"), Place::file(file)));
            }
        }
        if found.expect.as_ref().is_some_and(serde_yaml::Mapping::is_empty) {
            return Err(Diagnostic::error("bad-case", "`expect` expects nothing")
                .at(Place::file(file))
                .help("name a relation and its rows: `expect: {blocked: []}` is that it has none"));
        }
        let parts = [&found.waiting, &found.violations, &found.warnings, &found.status];
        let has_plan = found.waves.is_some() || parts.iter().any(|part| part.is_some());
        let lines = Lines {
            waves: found.waves.unwrap_or_default(),
            waiting: found.waiting.unwrap_or_default(),
            violations: found.violations.unwrap_or_default(),
            warnings: found.warnings.unwrap_or_default(),
            status: found.status.unwrap_or_default(),
        };
        // A file of settings alone waits for its plan.
        let lines = (has_plan || found.expect.is_none()).then_some(lines);
        Ok(Written { settings: found.settings, expect: found.expect, lines, header })
    }

    /// The file's text with this plan and these rows.
    pub fn text(&self, lines: Option<&Lines>, expect: &str) -> String {
        let settings =
            if self.settings == Settings::default() { String::new() } else { self.settings.to_text() };
        let header = match self.header.trim() {
            "" if lines.is_some() => OF_PLAN,
            "" => OF_ROWS,
            _ => &self.header,
        };
        let lines = lines.map_or_else(String::new, Lines::to_text);
        format!("{header}apiVersion: {API_VERSION}\nkind: {KIND}\n{settings}{expect}{lines}")
    }
}

impl Settings {
    fn to_text(&self) -> String {
        #[derive(Serialize)]
        struct Part<'a> {
            settings: &'a Settings,
        }
        serde_yaml::to_string(&Part { settings: self }).unwrap_or_default()
    }

    pub(super) fn options(&self) -> Options {
        let now = self.now.as_deref().and_then(time);
        let mut options = Options::at(now.unwrap_or(NOW));
        if self.readiness == Some(Ready::Observe) {
            options.readiness = Readiness::Observe;
        }
        options.schedule = self.schedule;
        options.told = usize::MAX;
        options
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_has_a_plan_or_rows_or_both() {
        let of = |text: &str| {
            let written = Written::read("f", text).unwrap();
            (written.lines.is_some(), written.expect.is_some())
        };
        assert_eq!(of(""), (true, false));
        assert_eq!(of("# soon\n"), (true, false));
        assert_eq!(of("settings: {state: given}\n"), (true, false));
        assert_eq!(of("status: []\n"), (true, false));
        assert_eq!(of("expect: {blocked: []}\n"), (false, true));
        assert_eq!(of("expect: {blocked: []}\nwarnings: []\n"), (true, true));
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        let error = |text: &str| {
            let error = Written::read("f", text).unwrap_err();
            (error.place.unwrap().line, error.notes[0].clone())
        };
        let (line, why) = error("expect: {spot: []}\nwave: []\n");
        assert_eq!(line, 2, "{why}");
        assert!(why.contains("unknown field `wave`"), "{why}");
        assert!(error("settings: {now: noon}\n").1.contains("`noon` is no time"));
        assert!(error("kind: Plan\n").1.contains("`Plan` stands where `ExpectedPlan` should"));
    }

    #[test]
    fn what_means_to_be_an_expectation_is_one() {
        let is = |name: &str, text: &str| is_expected(name, || Some(text.to_owned()));
        assert!(is(EXPECTED, ""));
        for text in [
            "kind: ExpectedPlan\n",
            "kind: ExpectedPlann\n",
            "kind: expectedplan",
            "apiVersion: dsrules.dev/v1\n",
        ] {
            assert!(is("expected-x.yaml", text) && is("expected-x.yml", text), "{text}");
            assert!(!is("other.yaml", text) && !is("expected-x.json", text), "{text}");
        }
        for text in ["apiVersion: v1\nkind: Node\n", "kind: DaemonSet\n", "  kind: ExpectedPlan\n", ""] {
            assert!(!is("expected-x.yaml", text), "{text}");
        }
    }

    #[test]
    fn a_comment_at_the_top_stays() {
        let written = Written::read("f", "# mine\n\nexpect: {spot: []}\n").unwrap();
        assert_eq!(
            written.text(None, "expect: {}\n"),
            "# mine\n\napiVersion: dsrules.dev/v1\nkind: ExpectedPlan\nexpect: {}\n"
        );
    }
}
