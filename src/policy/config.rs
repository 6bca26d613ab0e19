//! `dsrules.yaml`, beside the manifests: which rules and facts go with them,
//! and what their parameters are.
//!
//! ```yaml
//! rules: [policy/]          # .dl files and folders, relative to this file
//! facts: [racks/rack.csv]   # .csv files and folders
//! params: {quota: 3}        # values of their parameters
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::diagnostic::{Diagnostic, Place, nearest};
use crate::state::CONFIG;

const FIELDS: [&str; 3] = ["rules", "facts", "params"];

/// What the file says.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    #[serde(default)]
    pub rules: Paths,
    #[serde(default)]
    pub facts: Paths,
    /// By name; what they are is read by `settings`.
    #[serde(default)]
    pub params: BTreeMap<String, serde_yaml::Value>,
}

/// One path or a list of them.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum Paths {
    One(PathBuf),
    Many(Vec<PathBuf>),
}

impl Default for Paths {
    fn default() -> Self {
        Paths::Many(Vec::new())
    }
}

impl Paths {
    /// The paths, relative ones from `folder` on.
    pub fn from(self, folder: &Path) -> Vec<PathBuf> {
        let paths = match self {
            Paths::One(path) => vec![path],
            Paths::Many(paths) => paths,
        };
        paths.into_iter().map(|path| if folder == Path::new("") { path } else { folder.join(path) }).collect()
    }
}

/// Reads the text of a `dsrules.yaml`.
pub(super) fn parse(file: &str, text: &str) -> Result<Config, Diagnostic> {
    // The names are looked at first, as serde's words for a wrong one say less.
    let value: serde_yaml::Value = serde_yaml::from_str(text).map_err(|error| wrong(file, text, &error))?;
    if value.is_null() {
        return Ok(Config::default());
    }
    for key in value.as_mapping().into_iter().flat_map(|map| map.keys()) {
        let key = key.as_str().unwrap_or("");
        if !FIELDS.contains(&key) {
            let at = text.find(key).unwrap_or(0);
            let error = Diagnostic::error("unknown-field", format!("`{CONFIG}` has no field `{key}`"))
                .at(Place::of_span(file, text, at, at + key.len()));
            return Err(match nearest(key, FIELDS) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help("it has the fields `rules`, `facts` and `params`"),
            });
        }
    }
    serde_yaml::from_str(text).map_err(|error| wrong(file, text, &error))
}

fn wrong(file: &str, text: &str, error: &serde_yaml::Error) -> Diagnostic {
    let place = match error.location() {
        Some(at) => Place::of_span(file, text, at.index(), at.index() + 1),
        None => Place::file(file),
    };
    Diagnostic::error("bad-config", format!("`{CONFIG}` cannot be read"))
        .at(place)
        .because(error.to_string())
        .help("write `rules: [PATH, ...]` and `facts: [PATH, ...]`, relative to the file, and `params: {NAME: VALUE}`")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn one_path_or_several_or_nothing() {
        assert_eq!(parse("f", "").unwrap(), Config::default());
        assert_eq!(parse("f", "rules: a.dl\n").unwrap().rules.from(Path::new("x")), [Path::new("x/a.dl")]);
        assert_eq!(parse("f", "facts: [a, b]\n").unwrap().facts.from(Path::new("")).len(), 2);
        let error = parse("f", "rules: []\nfact: []\n").unwrap_err();
        assert_eq!(error.help.as_deref(), Some("did you mean `facts`?"));
        assert_eq!(error.place.unwrap().line, 2);
        assert_eq!(parse("f", "rules: {a: b}\n").unwrap_err().code, "bad-config");
        assert_eq!(parse("f", "rules: [").unwrap_err().code, "bad-config");
    }
}
