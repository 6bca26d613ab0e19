//! `-l`: label selectors as kubectl takes them, equality and sets.
//!
//! `a=b`, `a==b`, `a!=b`, `a`, `!a`, `a in (b,c)`, `a notin (b,c)`, `a>1`, `a<1`, joined
//! by commas; all must hold. As in Kubernetes, `!=` and `notin` hold where there is no
//! such label.

use std::collections::BTreeSet;
use std::str::FromStr;

use serde_json::Value;

/// A selector that was typed.
#[derive(Debug, Clone, Default)]
pub struct LabelSelector(Vec<(String, Test)>);

#[derive(Debug, Clone)]
enum Test {
    In(BTreeSet<String>),
    NotIn(BTreeSet<String>),
    Exists,
    Absent,
    Greater(i64),
    Less(i64),
}

impl LabelSelector {
    /// Whether an object's labels satisfy all of it.
    #[must_use]
    pub fn matches(&self, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        self.fits(|key| labels.get(key).and_then(Value::as_str))
    }

    /// Whether it selects everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether labels, of which `label` gives the values, satisfy all of it.
    pub(super) fn fits<'l>(&self, label: impl Fn(&str) -> Option<&'l str>) -> bool {
        self.0.iter().all(|(key, test)| {
            let value = label(key);
            let number = || value.and_then(|value| value.parse::<i64>().ok());
            match test {
                Test::In(values) => value.is_some_and(|value| values.contains(value)),
                Test::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
                Test::Exists => value.is_some(),
                Test::Absent => value.is_none(),
                Test::Greater(than) => number().is_some_and(|number| number > *than),
                Test::Less(than) => number().is_some_and(|number| number < *than),
            }
        })
    }
}

impl FromStr for LabelSelector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = split(text)?;
        parts.iter().map(|part| requirement(part)).collect::<Result<_, _>>().map(LabelSelector)
    }
}

/// The parts between the commas that stand outside of parentheses.
fn split(text: &str) -> Result<Vec<&str>, String> {
    let (mut parts, mut start, mut inside) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        match c {
            '(' if inside => return Err("one `(` stands in another".to_owned()),
            '(' => inside = true,
            ')' if !inside => return Err("a `)` has no `(`".to_owned()),
            ')' => inside = false,
            ',' if !inside => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    if inside {
        return Err("a `(` is not closed".to_owned());
    }
    let last = text[start..].trim();
    if !last.is_empty() || !parts.is_empty() {
        parts.push(last);
    }
    Ok(parts)
}

fn requirement(part: &str) -> Result<(String, Test), String> {
    let one = |value: &str| BTreeSet::from([value.trim().to_owned()]);
    if let Some(set) = part.strip_suffix(')') {
        let (head, values) = set.split_once('(').ok_or("a `)` has no `(`")?;
        let values = values.split(',').map(|value| value.trim().to_owned()).collect();
        let (key, operator) = head.trim().rsplit_once(char::is_whitespace).ok_or_else(|| help(part))?;
        let test = match operator {
            "in" => Test::In(values),
            "notin" => Test::NotIn(values),
            _ => return Err(help(part)),
        };
        return Ok((name(key, part)?, test));
    }
    // The longer operators come first, as `a!=b` and `a==b` also hold a `=`.
    for operator in ["!=", "==", "=", ">", "<"] {
        let Some((key, value)) = part.split_once(operator) else { continue };
        let number =
            || value.trim().parse().map_err(|_| format!("`{}` is no integer in `{part}`", value.trim()));
        let test = match operator {
            "!=" => Test::NotIn(one(value)),
            ">" => Test::Greater(number()?),
            "<" => Test::Less(number()?),
            _ => Test::In(one(value)),
        };
        return Ok((name(key, part)?, test));
    }
    match part.strip_prefix('!') {
        Some(key) => Ok((name(key, part)?, Test::Absent)),
        None => Ok((name(part, part)?, Test::Exists)),
    }
}

fn name(key: &str, part: &str) -> Result<String, String> {
    let key = key.trim();
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    if key.is_empty() || !key.chars().all(fine) { Err(help(part)) } else { Ok(key.to_owned()) }
}

fn help(part: &str) -> String {
    format!("`{part}` is none of `key=value`, `key!=value`, `key in (a,b)`, `key notin (a,b)`, `key`, `!key`")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn every_form_selects_what_kubectl_would() {
        let object = json!({ "metadata": { "labels": { "app": "web", "tier": "3", "x.io/y": "" } } });
        let cases = [
            ("", true),
            ("app=web", true),
            ("app==web,tier", true),
            ("app!=web", false),
            ("none!=web", true),
            ("!app", false),
            ("!none", true),
            ("app in (db, web)", true),
            ("app notin (db,web)", false),
            ("none notin (db)", true),
            ("none in (db)", false),
            ("tier>2,tier<4", true),
            ("tier>3", false),
            ("app>3", false),
            ("x.io/y=", true),
            ("app in (web),!tier", false),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<LabelSelector>().unwrap().matches(&object), expected, "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["a in b", "a in (b", "a)", "a in ((b))", "=b", "a,,b", "a b", "tier>x", "a of (b)"] {
            assert!(text.parse::<LabelSelector>().is_err(), "{text}");
        }
    }
}
