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
mod endpointslice;
mod info;
mod namespace;
pub(super) mod node;
mod other;
pub(super) mod pod;
mod service;

use std::fmt;

use serde::{Serialize, Serializer};

pub use endpointslice::ENDPOINT_SLICE;
pub use info::{Fact, KindInfo, NameForm, Rows};
pub use other::Other;

/// The kinds dsrules manages, and all others, which are kept for rules to ask about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// v1 Namespace.
    Namespace,
    /// v1 Node.
    Node,
    /// v1 Service.
    Service,
    /// apps/v1 DaemonSet.
    DaemonSet,
    /// apps/v1 ControllerRevision: one remembered template of a daemonset.
    ControllerRevision,
    /// v1 Pod.
    Pod,
    /// One that is not managed.
    Other(Other),
}

/// The list of all kinds, in the order in which they are applied, which is that of [`Kind`].
const KINDS: [(Kind, &KindInfo); 6] = [
    (Kind::Namespace, &namespace::KIND),
    (Kind::Node, &node::KIND),
    (Kind::Service, &service::KIND),
    (Kind::DaemonSet, &daemonset::KIND),
    (Kind::ControllerRevision, &controllerrevision::KIND),
    (Kind::Pod, &pod::KIND),
];

impl Kind {
    /// All managed kinds, in the order in which they are applied.
    pub const ALL: [Kind; KINDS.len()] = {
        let mut all = [Kind::Namespace; KINDS.len()];
        let mut at = 0;
        while at < KINDS.len() {
            all[at] = KINDS[at].0;
            at += 1;
        }
        all
    };

    /// What is known of it.
    #[must_use]
    pub fn info(self) -> &'static KindInfo {
        match self {
            Kind::Namespace => KINDS[0].1,
            Kind::Node => KINDS[1].1,
            Kind::Service => KINDS[2].1,
            Kind::DaemonSet => KINDS[3].1,
            Kind::ControllerRevision => KINDS[4].1,
            Kind::Pod => KINDS[5].1,
            Kind::Other(other) => other.info(),
        }
    }

    /// The kind that is not managed and that manifests write so; `None` where it can be none.
    #[must_use]
    pub fn other(api_version: &str, kind: &str) -> Option<Kind> {
        if Kind::from_name(kind).is_some() && !api_version.contains('.') || kind.contains('.') {
            return None;
        }
        let name = match api_version.split_once('/') {
            Some((group, _)) => format!("{kind}.{group}"),
            None => kind.to_owned(),
        };
        Other::named(&name).map(Kind::Other)
    }

    /// The kind of what services are found by.
    #[must_use]
    pub fn endpoint_slice() -> Option<Kind> {
        Kind::known_as(ENDPOINT_SLICE)
    }

    /// The kind with this [`name`](Kind::name), managed or not.
    #[must_use]
    pub fn known_as(name: &str) -> Option<Kind> {
        Kind::from_name(name).or_else(|| Other::named(name).map(Kind::Other))
    }

    /// Whether it is one that is kept for rules to ask about, and no more.
    #[must_use]
    pub fn is_other(self) -> bool {
        matches!(self, Kind::Other(_))
    }

    /// The kind as manifests write it, without a group.
    #[must_use]
    pub fn written(self) -> &'static str {
        let name = self.name();
        name.split_once('.').map_or(name, |(kind, _)| kind)
    }

    /// What it is called everywhere: as manifests write it, and with the group of one that is
    /// not managed, as `PodDisruptionBudget.policy`.
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

    /// The managed kind that manifests write as `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind, of those that are managed or were met, that kubectl's users mean by `daemonset`, `ds`, `daemonsets.apps` ….
    #[must_use]
    pub fn from_resource(word: &str) -> Option<Kind> {
        let word = word.to_ascii_lowercase();
        // It is derived, be one met or not.
        let _ = Kind::endpoint_slice();
        let mut known = Kind::ALL.into_iter().chain(Other::met().into_iter().map(Kind::Other));
        known.find(|kind| kind.info().is_called(&word))
    }

    /// The fact that fills a relation, with the kind that it is about.
    #[must_use]
    pub fn of_relation(relation: &str) -> Option<(Kind, &'static Fact)> {
        let facts = |kind: Kind| kind.info().facts.iter().map(move |fact| (kind, fact));
        Kind::ALL.into_iter().flat_map(facts).find(|(_, fact)| fact.relation == relation)
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
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
        for (at, (kind, info)) in KINDS.iter().enumerate() {
            assert_eq!(KINDS.iter().position(|(other, _)| other == kind), Some(at), "{kind}");
            assert_eq!((kind.info().name, kind.info().plural), (info.name, info.plural), "{kind}");
            assert_eq!(format!("{kind:?}"), info.name);
        }
    }

    #[test]
    fn a_word_means_one_kind() {
        for (kind, info) in KINDS {
            let singular = info.name.to_ascii_lowercase();
            let long = format!("{}.{}", info.plural, info.group());
            let words = [&*singular, info.plural, info.resource, long.trim_end_matches('.')];
            for word in words.iter().chain(info.short) {
                assert_eq!(Kind::from_resource(word), Some(kind), "{word}");
                let meant = KINDS.iter().filter(|(_, it)| it.is_called(word)).count();
                assert_eq!(meant, 1, "{word}");
            }
        }
        assert_eq!(Kind::from_resource("DS"), Some(Kind::DaemonSet));
        for none in ["", "deployment", "daemonsets.batch", "nodes.apps", "."] {
            assert_eq!(Kind::from_resource(none), None, "{none}");
        }
    }
}
