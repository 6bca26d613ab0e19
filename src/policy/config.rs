//! `dsrules.yaml`, beside the manifests: which rules and facts go with them,
//! and what their parameters are.
//!
//! ```yaml
//! rules: [policy/]          # .dl files and folders, relative to this file
//! facts:                    # .csv and .json files, folders of them, and queries
//! - racks/rack.csv
//! - {relation: rack, sqlite: inventory.db, query: "select node, rack from machines"}
//! params: {quota: 3}        # values of their parameters
//! ```

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use crate::diagnostic::{Diagnostic, Place, nearest};
use crate::state::CONFIG;

const FIELDS: [&str; 3] = ["rules", "facts", "params"];

/// What the file says.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    #[serde(default)]
    pub rules: OneOrMany<PathBuf>,
    #[serde(default)]
    pub facts: OneOrMany<FactSource>,
    /// By name; what they are is read by `settings`.
    #[serde(default)]
    pub params: BTreeMap<String, serde_yaml::Value>,
}

/// One of something or a list of them.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        OneOrMany::Many(Vec::new())
    }
}

impl<T> OneOrMany<T> {
    pub fn as_slice(&self) -> &[T] {
        match self {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many,
        }
    }
}

impl OneOrMany<PathBuf> {
    /// The paths, relative ones from `folder` on.
    pub fn from(&self, folder: &Path) -> Vec<PathBuf> {
        self.as_slice().iter().map(|path| from_folder(folder, path)).collect()
    }
}

/// A path from a folder on, as people write it from where they are: `../policy` from `fleet` on is
/// `policy`. Where the folder is a link it leads elsewhere, and stays as it is.
pub(super) fn from_folder(folder: &Path, path: &Path) -> PathBuf {
    let mut whole = folder.to_owned();
    for part in path.components() {
        match part {
            Component::ParentDir if whole.file_name().is_some() && !whole.is_symlink() => {
                whole.pop();
            }
            part => whole.push(part),
        }
    }
    if whole.as_os_str().is_empty() { PathBuf::from(".") } else { whole }
}

/// Where facts are: in a file named after its input or a folder of such, or in one that is
/// for an input with a name.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum FactSource {
    Path(PathBuf),
    Input(InputFrom),
}

/// Facts of an input with the file that they are in, of one kind.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InputFrom {
    pub relation: String,
    pub csv: Option<PathBuf>,
    pub json: Option<PathBuf>,
    pub sqlite: Option<PathBuf>,
    pub query: Option<String>,
}

impl FactSource {
    fn is_clear(&self) -> bool {
        match self {
            FactSource::Path(_) => true,
            FactSource::Input(InputFrom { csv, json, sqlite, query, .. }) => {
                let files = [csv, json, sqlite].into_iter().flatten().count();
                files == 1 && query.is_some() == sqlite.is_some()
            }
        }
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
    let config: Config = serde_yaml::from_str(text).map_err(|error| wrong(file, text, &error))?;
    if !config.facts.as_slice().iter().all(FactSource::is_clear) {
        let at = text.find("relation").unwrap_or(0);
        let place = Place::of_span(file, text, at, at + "relation".len());
        return Err(refused(
            place,
            "facts of an input are in one file, of `csv`, `json` or `sqlite`, which has a `query`".to_owned(),
        ));
    }
    Ok(config)
}

fn wrong(file: &str, text: &str, error: &serde_yaml::Error) -> Diagnostic {
    let place = match error.location() {
        Some(at) => Place::of_span(file, text, at.index(), at.index() + 1),
        None => Place::file(file),
    };
    refused(place, error.to_string())
}

fn refused(place: Place, why: String) -> Diagnostic {
    Diagnostic::error("bad-config", format!("`{CONFIG}` cannot be read"))
        .at(place)
        .because(why)
        .help("write `rules: [PATH, ...]`, `facts: [PATH, ...]` and `params: {NAME: VALUE}`, relative to the file; facts may be `{relation: NAME, csv: PATH}`, `{relation: NAME, json: PATH}` and `{relation: NAME, sqlite: PATH, query: SQL}` as well")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_path_from_a_folder_on_is_short_but_over_a_link() {
        let told =
            |folder: &str, path: &str| from_folder(Path::new(folder), Path::new(path)).display().to_string();
        assert_eq!(told("fleet", "../policy"), "policy");
        assert_eq!(told("a/b", "../../policy/own.dl"), "policy/own.dl");
        assert_eq!(told("a", "../.."), "..");
        assert_eq!(told("a", ".."), ".");
        assert_eq!(told(".", "../policy"), "./../policy");
        assert_eq!(told("..", "../policy"), "../../policy");
        assert_eq!(told("fleet", "/policy"), "/policy");
        #[cfg(unix)]
        {
            let dir = tempfile::tempdir().unwrap();
            let link = dir.path().join("link");
            std::os::unix::fs::symlink("/", &link).unwrap();
            assert_eq!(from_folder(&link, Path::new("../policy")), link.join("../policy"));
        }
    }

    #[test]
    fn one_path_or_several_or_nothing() {
        assert_eq!(parse("f", "").unwrap(), Config::default());
        assert_eq!(parse("f", "rules: a.dl\n").unwrap().rules.from(Path::new("x")), [Path::new("x/a.dl")]);
        assert_eq!(parse("f", "facts: [a, {relation: r, json: b}]\n").unwrap().facts.as_slice().len(), 2);
        assert_eq!(parse("f", "facts: [{relation: r}]\n").unwrap_err().code, "bad-config");
        assert_eq!(parse("f", "facts: [{relation: r, sqlite: b}]\n").unwrap_err().code, "bad-config");
        let error = parse("f", "rules: []\nfact: []\n").unwrap_err();
        assert_eq!(error.help.as_deref(), Some("did you mean `facts`?"));
        assert_eq!(error.place.unwrap().line, 2);
        assert_eq!(parse("f", "rules: {a: b}\n").unwrap_err().code, "bad-config");
        assert_eq!(parse("f", "rules: [").unwrap_err().code, "bad-config");
    }
}
