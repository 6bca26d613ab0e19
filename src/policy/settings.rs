//! Values of parameters: from `--param`, from `params:` of a `dsrules.yaml`, from a test case.
//!
//! ```text
//!  what was applied before < dsrules.yaml < the settings of a case < --param
//! ```
//! Of two that say something of one parameter the right one counts. What it is, and whether
//! it fits the type, is for the engine to say.

use std::collections::BTreeMap;

use serde_yaml::Value;

use crate::datalog::Setting;
use crate::diagnostic::{Diagnostic, Place};
use crate::state::{CONFIG, OwnFile, OwnKind};

/// What stands for a path where values are from the command line; each is a line.
pub(super) const FLAG: &str = "--param";

/// Whether the values of a file are from a command line.
#[must_use]
pub fn is_flag(file: &OwnFile) -> bool {
    file.kind == OwnKind::Parameters && *file.path == *FLAG
}

/// A value of a parameter as it is typed, `quota=3`, if it is one.
///
/// # Errors
/// A line about what it is instead.
pub fn setting(text: &str) -> Result<String, String> {
    let name = text.split_once('=').map_or("", |(name, _)| name);
    let mut parts = name.splitn(2, "::");
    let is_name =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c));
    if !parts.all(is_name) {
        return Err("write NAME=VALUE, as `quota=3`".to_owned());
    }
    if text.contains(['\n', '\r']) {
        return Err("a value is one line".to_owned());
    }
    Ok(text.to_owned())
}

/// How much a file's word counts.
fn rank(file: &OwnFile) -> u8 {
    match file {
        file if is_flag(file) => 2,
        file if file.path.rsplit(['/', '\\']).next() == Some(CONFIG) => 0,
        _ => 1,
    }
}

/// All settings; of two for one parameter the last counts.
pub(super) fn settings(kept: &[OwnFile], own: &[OwnFile], found: &mut Vec<Diagnostic>) -> Vec<Setting> {
    let of = |files: &[OwnFile], kept: bool, found: &mut Vec<Diagnostic>| {
        let mut all = Vec::new();
        for file in files.iter().filter(|file| file.kind == OwnKind::Parameters) {
            let read = if is_flag(file) { typed(file) } else { written(file, found) };
            all.extend(read.into_iter().map(|it| (rank(file), Setting { kept, ..it })));
        }
        // What names a module says it more exactly.
        all.sort_by_key(|(rank, setting)| (*rank, setting.module.is_some()));
        all
    };
    let before = of(kept, true, &mut Vec::new());
    let now = of(own, false, found);
    twice(&now, found);
    before.into_iter().chain(now).map(|(_, setting)| setting).collect()
}

/// Says where two files that count the same say different things.
fn twice(settings: &[(u8, Setting)], found: &mut Vec<Diagnostic>) {
    let mut first: BTreeMap<(Option<&str>, &str), &Setting> = BTreeMap::new();
    for (_, setting) in settings.iter().filter(|(rank, _)| *rank == 0) {
        let before = *first.entry((setting.module.as_deref(), &setting.name)).or_insert(setting);
        if before.value != setting.value {
            let message = format!("the parameter `{}` is given two values", setting.name);
            let error = Diagnostic::error("parameter-set-twice", message)
                .at(setting.place.clone())
                .related(before.place.clone(), "the other one")
                .help("all folders of a command share their rules: take one out, or name the module (`module::name`)");
            found.push(error);
        }
    }
}

fn named(name: &str, value: String, place: Place) -> Setting {
    let (module, name) = match name.split_once("::") {
        Some((module, name)) => (Some(module.to_owned()), name),
        None => (None, name),
    };
    Setting { module, name: name.to_owned(), value, place, kept: false }
}

fn typed(file: &OwnFile) -> Vec<Setting> {
    let pairs = file.text.lines().filter_map(|line| line.split_once('='));
    pairs
        .map(|(name, value)| named(name, value.to_owned(), Place::file(format!("{FLAG} {name}={value}"))))
        .collect()
}

/// What a YAML file says under `params`, or under `params` of its `settings`.
fn written(file: &OwnFile, found: &mut Vec<Diagnostic>) -> Vec<Setting> {
    let value: Value = serde_yaml::from_str(&file.text).unwrap_or_default();
    let params = value.get("params").or_else(|| value.get("settings")?.get("params"));
    let start = key(&file.text, 0, "params").unwrap_or(0);
    let mut all = Vec::new();
    for (name, value) in params.and_then(Value::as_mapping).into_iter().flatten() {
        let name = name.as_str().unwrap_or("");
        let at = key(&file.text, start, name).unwrap_or(start);
        let place = Place::of_span(file.path.clone(), &file.text, at, at + name.len());
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Bool(truth) => truth.to_string(),
            Value::Number(number) if !number.is_f64() => number.to_string(),
            other => {
                let error = Diagnostic::error("bad-parameter", format!("`{name}` is given no single value"));
                let error = match other {
                    Value::Number(_) => error.because("a fraction is no value of a parameter"),
                    _ => error,
                };
                found.push(
                    error
                        .at(place)
                        .help("write a whole number, or a text; in quotes if it looks like a number"),
                );
                continue;
            }
        };
        all.push(named(name, text, place));
    }
    all
}

/// Where a key stands in a YAML text, from a place on.
fn key(text: &str, from: usize, name: &str) -> Option<usize> {
    let mut found = text.get(from..)?.match_indices(name).map(|(at, _)| from + at);
    found.find(|at| {
        let line = text[..*at].rfind('\n').map_or(0, |end| end + 1);
        let before = &text[line..*at];
        let behind = text[at + name.len()..].trim_start_matches(['"', '\'']).trim_start();
        behind.starts_with(':')
            && !before.contains('#')
            && before.trim_end_matches(['"', '\'']).chars().next_back().is_none_or(|c| " \t{,".contains(c))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn shown(kept: &[(&str, &str)], own: &[(&str, &str)]) -> (Vec<String>, Vec<&'static str>) {
        let file = |(path, text): &(&str, &str)| OwnFile::new(*path, OwnKind::Parameters, *text);
        let (kept, own): (Vec<_>, Vec<_>) = (kept.iter().map(file).collect(), own.iter().map(file).collect());
        let mut found = Vec::new();
        let settings = settings(&kept, &own, &mut found);
        let one = |it: &Setting| {
            let module = it.module.as_ref().map_or(String::new(), |module| format!("{module}::"));
            format!("{}{module}{}={} {}", if it.kept { "kept " } else { "" }, it.name, it.value, it.place)
        };
        (settings.iter().map(one).collect(), found.iter().map(|it| it.code).collect())
    }

    #[test]
    fn what_is_typed_counts_more_than_what_is_written() {
        let yaml = "# params: no\nrules: x\nparams:\n  a: 1\n  \"b::c\": 30d\n  d: true\n";
        let (all, found) = shown(
            &[("--param", "a=0")],
            &[
                ("--param", "a=3\nm::a=4=5"),
                ("in/dsrules.yaml", yaml),
                ("t.yaml", "settings: {params: {a: x}}"),
            ],
        );
        assert_eq!(
            all,
            [
                "kept a=0 --param a=0",
                "a=1 in/dsrules.yaml:4:3",
                "d=true in/dsrules.yaml:6:3",
                "b::c=30d in/dsrules.yaml:5:4",
                "a=x t.yaml:1:21",
                "a=3 --param a=3",
                "m::a=4=5 --param m::a=4=5",
            ]
        );
        assert!(found.is_empty());
    }

    #[test]
    fn what_is_no_value_is_told() {
        let one = [("a/dsrules.yaml", "params: {a: 1, b: 1.5, c: [], d: null}")];
        assert_eq!(shown(&[], &one).1, ["bad-parameter"; 3]);
        let two = [("a/dsrules.yaml", "params: {a: 1, b: 2}"), ("b/dsrules.yaml", "params: {a: 2, b: 2}")];
        assert_eq!(shown(&[], &two).1, ["parameter-set-twice"]);
        for wrong in ["a", "=3", "a b=3", "::a=3", "a=1\n2"] {
            assert!(setting(wrong).is_err(), "{wrong}");
        }
        assert!(setting("my-rules::quota=").is_ok());
    }
}
