//! What is listened to in a cluster: the kinds that the rules are asked about.

use std::collections::BTreeSet;

use futures_util::stream::{BoxStream, SelectAll, select_all};
use futures_util::{FutureExt, StreamExt};

use crate::cluster::{Cluster, Followed, Heard, follow};
use crate::kube::{Kind, ObjectKey};

/// How much of a cluster is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The daemonset, with the pods and revisions of its namespace, and all nodes: all that the
    /// built-in rules ask about.
    Namespace,
    /// All daemonsets, revisions, pods and namespaces: rules of a user's own may ask about any.
    Everything,
}

/// The kinds with their groups, as the rules in examples/in-cluster name them.
pub const FOLLOWED: [(Kind, &str, &str); 5] = [
    (Kind::Namespace, "", "namespaces"),
    (Kind::Node, "", "nodes"),
    (Kind::DaemonSet, "apps", "daemonsets"),
    (Kind::ControllerRevision, "apps", "controllerrevisions"),
    (Kind::Pod, "", "pods"),
];

/// Everything that is listened to.
pub(super) struct Watches {
    cluster: Cluster,
    daemonset: ObjectKey,
    scope: Scope,
    streams: SelectAll<BoxStream<'static, (Kind, Heard)>>,
    /// Kinds of which not all was heard yet.
    missing: BTreeSet<Kind>,
}

impl Watches {
    pub fn new(cluster: &Cluster, daemonset: &ObjectKey, scope: Scope) -> Self {
        let mut watches = Watches {
            cluster: cluster.clone(),
            daemonset: daemonset.clone(),
            scope,
            streams: SelectAll::new(),
            missing: BTreeSet::new(),
        };
        watches.begin();
        watches
    }

    /// Begins anew, with all there is.
    pub fn begin(&mut self) {
        let kinds = FOLLOWED.iter().filter(|(kind, ..)| self.follows(*kind));
        let kinds: Vec<_> =
            kinds.map(|(kind, group, plural)| (*kind, self.followed(*kind, group, plural))).collect();
        self.missing = kinds.iter().map(|(kind, _)| *kind).collect();
        let streams = kinds
            .into_iter()
            .map(|(kind, followed)| follow(&self.cluster, &followed).map(move |heard| (kind, heard)).boxed());
        self.streams = select_all(streams);
    }

    fn follows(&self, kind: Kind) -> bool {
        kind != Kind::Namespace || self.scope == Scope::Everything
    }

    fn followed(&self, kind: Kind, group: &str, plural: &str) -> Followed {
        let narrow = self.scope == Scope::Namespace && kind.namespaced();
        let by_name = narrow && kind == Kind::DaemonSet;
        Followed {
            group: group.to_owned(),
            version: "v1".to_owned(),
            kind: kind.name().to_owned(),
            plural: plural.to_owned(),
            namespace: narrow.then(|| self.daemonset.namespace.to_string()),
            fields: by_name.then(|| format!("metadata.name={}", self.daemonset.name)),
        }
    }

    /// Whether all was heard of all kinds.
    pub fn is_whole(&self) -> bool {
        self.missing.is_empty()
    }

    /// The next that is heard.
    pub async fn next(&mut self) -> Option<(Kind, Heard)> {
        let heard = self.streams.next().await;
        self.note(heard)
    }

    /// What was heard by now, if anything.
    pub fn ready(&mut self) -> Option<(Kind, Heard)> {
        let heard = self.streams.next().now_or_never().flatten();
        self.note(heard)
    }

    fn note(&mut self, heard: Option<(Kind, Heard)>) -> Option<(Kind, Heard)> {
        if let Some((kind, Heard::All(_))) = &heard {
            self.missing.remove(kind);
        }
        heard
    }
}
