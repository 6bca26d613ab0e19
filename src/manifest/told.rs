//! What is wrong with objects of kinds that are not read: told, but no error.
//!
//! A folder has more than nodes and daemons in it. What kubectl would refuse, or take
//! without a word, of a ConfigMap changes nothing about where a daemon runs; so it is a
//! warning, as long as it is known that the text holds no object of a kind that is read.

use serde_json::Value;

use super::object::{Harvest, is_ignored};
use super::options::{FieldValidation, Options};
use super::problem::Problem;
use super::scan::{Entries, key_text, value_end};
use crate::diagnostic::Severity;

/// A text that cannot be read: an error, unless it is of a kind that does not matter.
pub(super) fn broken(mut problem: Problem, named: Option<String>, out: &mut Harvest) {
    if let Some(name) = named {
        problem.severity = Severity::Warning;
        if problem.label.is_empty() {
            problem.label = format!("in a {name}, which is not read here");
        }
        *out.others.entry(name).or_default() += 1;
    }
    out.problems.push(problem);
}

/// Things that kubectl takes without a word; `hidden` more were counted. Whether the value
/// is taken here too.
pub(super) fn noted(
    notes: Vec<Problem>,
    hidden: (usize, bool),
    value: &Value,
    options: &Options,
    out: &mut Harvest,
) -> bool {
    let text = |name: &str| value[name].as_str().unwrap_or_default();
    let mild = options.validate != FieldValidation::Strict || is_ignored(text("kind"), text("apiVersion"));
    let silent = options.validate == FieldValidation::Ignore;
    let mut sound = mild || !hidden.1;
    if !silent {
        out.hidden += hidden.0;
        out.hides_errors |= hidden.1 && !mild;
    }
    for mut note in notes {
        if note.severity == Severity::Error {
            if silent {
                continue;
            }
            if mild {
                note.severity = Severity::Warning;
            } else {
                sound = false;
            }
        }
        out.problems.push(note);
    }
    sound
}

/// Of which kind the object of a broken YAML document is, if that stands in it and is one
/// that is not read: `v1/ConfigMap`.
pub(super) fn named_in_yaml(text: &str) -> Option<String> {
    let mut kinds = text.lines().filter_map(|line| plain_field(line, "kind")).peekable();
    let version = text.lines().find_map(|line| plain_field(line, "apiVersion"))?;
    let first = *kinds.peek()?;
    kinds.all(|kind| is_ignored(kind, version)).then(|| named(version, first))
}

/// What a line at the very left says a field is.
fn plain_field<'t>(line: &'t str, name: &str) -> Option<&'t str> {
    let rest = line.strip_prefix(name)?.trim_start().strip_prefix(':')?;
    let value = rest.split(" #").next().unwrap_or(rest).trim();
    let value = value.trim_matches(|c| c == '"' || c == '\'');
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-');
    (!value.is_empty() && value.chars().all(is_word)).then_some(value)
}

/// As [`named_in_yaml`], of a JSON object that is closed.
pub(super) fn named_in_json(text: &str) -> Option<String> {
    (value_end(text.as_bytes(), 0)? == text.trim_end().len()).then_some(())?;
    let (mut kind, mut version) = (None, None);
    for entry in Entries::new(text.as_bytes(), 0)? {
        let name = key_text(text, entry.key.as_ref()?)?;
        let value = || serde_json::from_str::<String>(&text[entry.value.clone()]).ok();
        match &*name {
            "kind" if kind.is_some() => return None,
            "kind" => kind = value(),
            "apiVersion" => version = value(),
            _ => {}
        }
    }
    let (kind, version) = (kind?, version?);
    is_ignored(&kind, &version).then(|| named(&version, &kind))
}

fn named(version: &str, kind: &str) -> String {
    const LONGEST: usize = 100;
    format!("{version}/{kind}").chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_told_where_it_stands_in_the_text() {
        let told = |text: &str| named_in_yaml(text);
        let broken = "data: [\n  kind: Node\n";
        assert_eq!(
            told(&format!("apiVersion: v1\nkind: ConfigMap # c\n{broken}")).as_deref(),
            Some("v1/ConfigMap")
        );
        assert_eq!(told(&format!("'kind': x\napiVersion: v1\n{broken}")), None);
        assert_eq!(told(&format!("apiVersion: v1\nkind: Node\n{broken}")), None);
        assert_eq!(told(&format!("apiVersion: v1\nkind: List\n{broken}")), None);
        assert_eq!(told(&format!("kind: ConfigMap\n{broken}")), None);
        assert_eq!(told(&format!("apiVersion: v1\nkind: ConfigMap\nkind: Pod\n{broken}")), None);
        assert_eq!(told(&format!("apiVersion: v1\nkind: {{{{ .Kind }}}}\n{broken}")), None);
    }

    #[test]
    fn the_kind_of_json_is_told_if_the_object_is_closed() {
        let json = r#"{"kind": "ConfigMap", "apiVersion": "v1", "data": {"a": nothing}}"#;
        assert_eq!(named_in_json(json).as_deref(), Some("v1/ConfigMap"));
        assert_eq!(named_in_json(&json[..json.len() - 1]), None);
        assert_eq!(named_in_json(&json.replace("ConfigMap", "Pod")), None);
    }
}
