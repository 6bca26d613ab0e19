//! YAML text that every reader of YAML understands the same way.
//!
//! Kubernetes reads YAML 1.1, where a bare `on`, `1_000`, `1:30` or `2001-01-01` is no
//! string; the YAML library writes strings as YAML 1.2 allows. So a string stands bare
//! here only where no version of YAML could take it for something else. Otherwise the
//! look is kubectl's: block style, sorted keys, lists not indented, scripts as `|`.

use std::fmt::Write;

use serde_json::Value;

use crate::diagnostic::acts;

/// A JSON value as a YAML document, with a final line feed.
#[must_use]
pub fn to_yaml(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(fields) if !fields.is_empty() => block(&mut out, value, 0, true),
        Value::Array(items) if !items.is_empty() => block(&mut out, value, 0, true),
        value => {
            scalar(&mut out, value, None);
            out.push('\n');
        }
    }
    out
}

/// A map or list that is not empty, from the column `depth` on. `first` says that the
/// place for its first line is ready.
fn block(out: &mut String, value: &Value, depth: usize, mut first: bool) {
    let mut start = |out: &mut String| {
        if !std::mem::take(&mut first) {
            out.extend(std::iter::repeat_n(' ', depth));
        }
    };
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                start(out);
                text(out, key, None);
                out.push(':');
                match value {
                    Value::Object(inner) if !inner.is_empty() => {
                        out.push('\n');
                        block(out, value, depth + 2, false);
                    }
                    Value::Array(inner) if !inner.is_empty() => {
                        out.push('\n');
                        block(out, value, depth, false);
                    }
                    value => {
                        out.push(' ');
                        scalar(out, value, Some(depth + 2));
                        out.push('\n');
                    }
                }
            }
        }
        Value::Array(items) => {
            for value in items {
                start(out);
                out.push_str("- ");
                match value {
                    Value::Object(inner) if !inner.is_empty() => block(out, value, depth + 2, true),
                    Value::Array(inner) if !inner.is_empty() => block(out, value, depth + 2, true),
                    value => {
                        scalar(out, value, Some(depth + 2));
                        out.push('\n');
                    }
                }
            }
        }
        _ => {}
    }
}

fn scalar(out: &mut String, value: &Value, depth: Option<usize>) {
    match value {
        Value::String(value) => text(out, value, depth),
        Value::Object(_) => out.push_str("{}"),
        Value::Array(_) => out.push_str("[]"),
        // Null, booleans and numbers are the same in JSON and YAML.
        value => {
            let _ = write!(out, "{value}");
        }
    }
}

/// A string: bare, as a `|` block from the column `depth` on, or in double quotes. A
/// key, and a whole document, has no depth and is never a block.
fn text(out: &mut String, value: &str, depth: Option<usize>) {
    if is_plain(value) {
        out.push_str(value);
    } else if let Some(depth) = depth.filter(|_| is_script(value)) {
        out.push_str(if value.ends_with('\n') { "|" } else { "|-" });
        for line in value.strip_suffix('\n').unwrap_or(value).split('\n') {
            out.push('\n');
            if !line.is_empty() {
                out.extend(std::iter::repeat_n(' ', depth));
                out.push_str(line);
            }
        }
    } else {
        quoted(out, value);
    }
}

/// Whether a string can stand bare and be nothing but a string in YAML 1.1 and 1.2.
fn is_plain(value: &str) -> bool {
    const WORDS: [&str; 12] =
        ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity"];
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_./:@+=,() ".contains(c);
    let begins = |c: char| c.is_ascii_alphabetic() || c == '/' || c == '_';
    // `200Mi` and `100m` have a letter that no number has, and are no time.
    let is_amount = || {
        value.starts_with(|c: char| c.is_ascii_digit())
            && !value.contains(['-', ':'])
            && value.contains(
                |c: char| matches!(c, 'g'..='n' | 'p'..='w' | 'y' | 'z' | 'G'..='N' | 'P'..='W' | 'Y' | 'Z'),
            )
    };
    (value.starts_with(begins) || is_amount())
        && value.chars().all(safe)
        && !value.ends_with([' ', ':'])
        && !value.contains(": ")
        && !WORDS.iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// Whether a string is best read as lines, and can be written so without any escape.
fn is_script(value: &str) -> bool {
    let body = value.strip_suffix('\n').unwrap_or(value);
    body.contains('\n')
        && !body.starts_with([' ', '\t', '\n'])
        && !body.ends_with('\n')
        && body.chars().all(|c| c == '\n' || c == '\t' || is_printable(c))
}

/// What YAML prints as it is, but for what would act on a terminal: in double quotes it is
/// an escape, and the same string.
fn is_printable(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..) && !acts(c)
}

fn quoted(out: &mut String, value: &str) {
    out.push('"');
    for c in value.chars() {
        let _ = match c {
            '"' => out.write_str("\\\""),
            '\\' => out.write_str("\\\\"),
            '\n' => out.write_str("\\n"),
            '\r' => out.write_str("\\r"),
            '\t' => out.write_str("\\t"),
            c if is_printable(c) => out.write_char(c),
            c if u32::from(c) <= 0xffff => write!(out, "\\u{:04x}", u32::from(c)),
            c => write!(out, "\\U{:08x}", u32::from(c)),
        };
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn looks_as_kubectl_prints_it() {
        let value = json!({ "kind": "Pod", "spec": { "containers": [
            { "name": "a", "args": ["-c", "set -e\nrun\n"], "env": [] }, { "name": "b" } ], "count": 3, "e": {} } });
        let expected = "kind: Pod\nspec:\n  containers:\n  - args:\n    - \"-c\"\n    - |\n      set -e\n      run\n    env: []\n    name: a\n  - name: b\n  count: 3\n  e: {}\n";
        assert_eq!(to_yaml(&value), expected);
    }

    #[test]
    fn amounts_stand_bare() {
        for text in ["200Mi", "100m", "6cw5f8jmhf", "registry.example/a:1.2@sha256:0", "v1.2"] {
            assert_eq!(to_yaml(&json!([text])), format!("- {text}\n"));
        }
        for text in ["1e3", "0x1f", "0o17", "1.27", "12", "2001-01-01T00:00:00Z", "1:30", "0b1", "1_000"] {
            assert_eq!(to_yaml(&json!([text])), format!("- \"{text}\"\n"));
        }
    }

    #[test]
    fn what_yaml_1_1_takes_for_something_else_is_quoted() {
        for text in
            ["on", "Yes", "n", "1_000", "1:30", "2001-01-01", "0o7", "~", "", "=", "<<", ".inf", "a: b"]
        {
            assert_eq!(to_yaml(&json!([text])), format!("- \"{text}\"\n"));
            assert!(to_yaml(&json!({ text: 1 })).starts_with('"'), "{text}");
        }
    }

    #[test]
    fn what_acts_on_a_terminal_is_an_escape() {
        for c in ['\u{1b}', '\u{7f}', '\u{9b}', '\u{202e}', '\u{2066}', '\u{200f}', '\u{e0041}'] {
            for text in [format!("a{c}b"), format!("a\n{c}b\n")] {
                let yaml = to_yaml(&json!({ &text: text }));
                assert!(!yaml.contains(c), "{yaml:?}");
                assert_eq!(serde_yaml::from_str::<Value>(&yaml).unwrap(), json!({ &text: text }));
            }
        }
    }

    /// JSON of any shape, with strings that YAML finds hard.
    fn any_json() -> impl Strategy<Value = Value> {
        let hard = prop_oneof![
            "[-a-z0-9:#&*!|>'\"%@`{}\\[\\], \t\n]{0,12}",
            any::<String>(),
            Just("yes".to_owned()),
            Just("a\n\nb".to_owned()),
            Just("  a\nb\n".to_owned()),
        ];
        let leaf = prop_oneof![
            hard.clone().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            Just(Value::Null),
        ];
        leaf.prop_recursive(4, 32, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(hard.clone(), inner, 0..4)
                    .prop_map(|fields| fields.into_iter().collect::<Value>()),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn reads_back_as_it_was(value in any_json()) {
            let text = to_yaml(&value);
            let read: Value = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
            prop_assert_eq!(read, value, "{}", text);
        }
    }
}
