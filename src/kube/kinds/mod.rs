//! The kinds that dsrules reads, each with all that is known of it, in one list.
//!
//! A file of this folder is a kind: what it is called, what an API server fills in, which
//! columns `get` shows, which facts rules may ask for. What reads, stores, deletes, prunes
//! and shows objects goes by this list, so a kind of which nothing more is asked is a file
//! here and a line in [`KINDS`]. Where a kind needs more (the rules' own views of nodes,
//! daemonsets, revisions and pods; validation of its spec) that stands in the stage that
//! needs it.

pub(super) mod controllerrevision;
pub(super) mod daemonset;
pub(super) mod namespace;
pub(super) mod node;
pub(super) mod pod;

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::columns::Column;

/// The kinds dsrules reads; all others are counted and left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Kind {
    /// v1 Namespace.
    Namespace,
    /// v1 Node.
    Node,
    /// apps/v1 DaemonSet.
    DaemonSet,
    /// apps/v1 ControllerRevision: one remembered template of a daemonset.
    ControllerRevision,
    /// v1 Pod.
    Pod,
}

/// The list of all kinds, in the order in which they are applied, which is that of [`Kind`].
const KINDS: [&KindInfo; 5] =
    [&namespace::KIND, &node::KIND, &daemonset::KIND, &controllerrevision::KIND, &pod::KIND];

/// What is known of a kind.
#[derive(Debug)]
pub struct KindInfo {
    /// The kind.
    pub kind: Kind,
    /// As manifests write it; its fields are those of this type in `schema.txt`.
    pub name: &'static str,
    /// The only apiVersion that is read.
    pub api_version: &'static str,
    /// apiVersions that there once were, each with the release that removed it.
    pub removed: &'static [(&'static str, &'static str)],
    /// kubectl's resource name with its group, as in `daemonset.apps/fluentd created`.
    pub resource: &'static str,
    /// Many of them, without the group.
    pub plural: &'static str,
    /// kubectl's short names.
    pub short: &'static [&'static str],
    /// Whether its objects stand in a namespace.
    pub namespaced: bool,
    /// What its objects may be called.
    pub names: NameForm,
    /// Whether an API server counts changes of its spec (`metadata.generation`).
    pub counts_changes: bool,
    /// Fills in the defaults that the table of fields cannot say.
    pub defaults: fn(&mut Map<String, Value>),
    /// The status of an object that says none, as an API server shows it; null for none.
    pub status: fn() -> Value,
    /// The columns of `get` behind the name.
    pub columns: &'static [Column],
    /// What rules may ask about it. Kinds with a view of their own are put into relations
    /// by `facts`.
    pub facts: &'static [Fact],
}

/// What an object may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameForm {
    /// Up to 63 letters, digits and dashes (RFC 1123 label).
    Label,
    /// Such labels, joined by dots (RFC 1123 subdomain).
    Subdomain,
}

/// An input relation about the objects of a kind. In its rows an object is
/// `namespace/name`, or its name where it stands in no namespace.
#[derive(Debug)]
pub struct Fact {
    /// The relation, as the rules declare it.
    pub relation: &'static str,
    /// Its rows.
    pub rows: Rows,
    /// What a row says, and what it says that there is none, as in `explain::sentences`.
    pub says: (&'static str, &'static str),
}

/// The rows that a fact has for one object.
#[derive(Debug)]
pub enum Rows {
    /// One: the object.
    Itself,
    /// One: the object and a field, where it is text or a whole number.
    Field(&'static [&'static str]),
    /// The object, key and value for each entry of a map of texts.
    Entries(&'static [&'static str]),
    /// The object and an item for each item of a list of texts or whole numbers.
    Items(&'static [&'static str]),
}

impl KindInfo {
    /// What of [`defaults`](KindInfo::defaults) most kinds have: nothing.
    fn no_defaults(_: &mut Map<String, Value>) {}

    /// The [`status`](KindInfo::status) of most kinds: none.
    fn no_status() -> Value {
        Value::Null
    }

    /// The API group, empty for the core's.
    #[must_use]
    pub fn group(&self) -> &'static str {
        self.resource.split_once('.').map_or("", |(_, group)| group)
    }

    /// Whether kubectl's users mean it by `word`, in small letters.
    fn is_called(&self, word: &str) -> bool {
        let word = match word.split_once('.') {
            Some((word, group)) if group == self.group() => word,
            Some(_) => return false,
            None => word,
        };
        let singular = self.resource.split('.').next().unwrap_or_default();
        word == singular || word == self.plural || self.short.contains(&word)
    }
}

impl Kind {
    /// All kinds, in the order in which they are applied.
    pub const ALL: [Kind; KINDS.len()] = {
        let mut all = [Kind::Namespace; KINDS.len()];
        let mut at = 0;
        while at < KINDS.len() {
            all[at] = KINDS[at].kind;
            at += 1;
        }
        all
    };

    /// What is known of it.
    #[must_use]
    pub fn info(self) -> &'static KindInfo {
        KINDS[self as usize]
    }

    /// The kind as manifests write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// The only apiVersion that is read.
    #[must_use]
    pub fn api_version(self) -> &'static str {
        self.info().api_version
    }

    /// kubectl's resource name with its group, as in `daemonset.apps/fluentd created`.
    #[must_use]
    pub fn resource(self) -> &'static str {
        self.info().resource
    }

    /// Whether its objects stand in a namespace.
    #[must_use]
    pub fn namespaced(self) -> bool {
        self.info().namespaced
    }

    /// The kind that manifests write as `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind that kubectl's users mean by `daemonset`, `ds`, `daemonsets.apps` ….
    #[must_use]
    pub fn from_resource(word: &str) -> Option<Kind> {
        let word = word.to_ascii_lowercase();
        Kind::ALL.into_iter().find(|kind| kind.info().is_called(&word))
    }

    /// The fact that fills a relation, with the kind that it is about.
    #[must_use]
    pub fn of_relation(relation: &str) -> Option<(Kind, &'static Fact)> {
        let facts = |kind: Kind| kind.info().facts.iter().map(move |fact| (kind, fact));
        Kind::ALL.into_iter().flat_map(facts).find(|(_, fact)| fact.relation == relation)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_stands_in_the_order_of_the_kinds() {
        for (at, info) in KINDS.iter().enumerate() {
            assert_eq!(info.kind as usize, at, "{}", info.name);
            assert_eq!(info.kind.info().name, info.name);
        }
    }

    #[test]
    fn a_word_means_one_kind() {
        for info in KINDS {
            let singular = info.name.to_ascii_lowercase();
            let long = format!("{}.{}", info.plural, info.group());
            let words = [&*singular, info.plural, info.resource, long.trim_end_matches('.')];
            for word in words.iter().chain(info.short) {
                assert_eq!(Kind::from_resource(word), Some(info.kind), "{word}");
                let meant = KINDS.iter().filter(|it| it.is_called(word)).count();
                assert_eq!(meant, 1, "{word}");
            }
        }
        assert_eq!(Kind::from_resource("DS"), Some(Kind::DaemonSet));
        for none in ["", "deployment", "daemonsets.batch", "nodes.apps", "."] {
            assert_eq!(Kind::from_resource(none), None, "{none}");
        }
    }
}
