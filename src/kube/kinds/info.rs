//! What is known of a kind: what each file beside this one fills in.

use serde_json::{Map, Value};

use crate::kube::columns::Column;

/// What is known of a kind.
#[derive(Debug)]
pub struct KindInfo {
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
    /// Such a label that begins with a letter (RFC 1035).
    Host,
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
    pub(super) fn no_defaults(_: &mut Map<String, Value>) {}

    /// The [`status`](KindInfo::status) of most kinds: none.
    pub(super) fn no_status() -> Value {
        Value::Null
    }

    /// The API group, empty for the core's.
    #[must_use]
    pub fn group(&self) -> &'static str {
        self.resource.split_once('.').map_or("", |(_, group)| group)
    }

    /// Whether kubectl's users mean it by `word`, in small letters.
    pub(super) fn is_called(&self, word: &str) -> bool {
        let word = match word.split_once('.') {
            Some((word, group)) if group == self.group() => word,
            Some(_) => return false,
            None => word,
        };
        let singular = self.resource.split('.').next().unwrap_or_default();
        word == singular || word == self.plural || self.short.contains(&word)
    }
}
