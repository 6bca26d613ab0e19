//! All kinds that are read, as they are heard of.

use futures_util::stream::{BoxStream, SelectAll, select_all};
use futures_util::{FutureExt, StreamExt};
use serde_json::Value;

use crate::app::cluster::kinds::{READ, Read};
use crate::app::cluster::merged::unversioned;
use crate::app::cluster::objects::leave_out;
use crate::app::cluster::observe::Detail;
use crate::app::cluster::slim::Slim;
use crate::cluster::{Cluster, Followed, Heard, follow_as};
use crate::kube::{Kind, Name, ObjectKey, Pod};

/// An object, with what is kept of it.
#[derive(Debug)]
pub(super) struct Piece {
    pub key: ObjectKey,
    pub uid: Name,
    pub kept: Kept,
}

/// What is kept of an object.
#[derive(Debug)]
pub(super) enum Kept {
    /// Of a pod that is like others, what is its own.
    Pod(Box<Pod>),
    /// All of it, less who set which field.
    Object(Value),
}

/// Everything that is listened to.
pub(super) struct Watches {
    streams: SelectAll<BoxStream<'static, (&'static Read, Heard<Piece>)>>,
    /// Kinds of which not all was heard yet.
    missing: Vec<&'static str>,
}

impl Watches {
    /// Begins to listen, at the time `now`.
    pub fn new(cluster: &Cluster, detail: &Detail, now: i64) -> Self {
        let of = |read: &'static Read| {
            let mut slim = (read.kind == "Pod" && *detail != Detail::Whole).then(Slim::default);
            let make = move |value| piece(value, slim.as_mut(), now);
            follow_as(cluster, &followed(read), make).map(move |heard| (read, heard)).boxed()
        };
        let all: &'static [Read] = &READ;
        let missing = all.iter().map(|read| read.plural).collect();
        Watches { streams: select_all(all.iter().map(of)), missing }
    }

    /// Whether all was heard of all kinds.
    pub fn is_whole(&self) -> bool {
        self.missing.is_empty()
    }

    /// Does not wait for a kind that may not be read.
    pub fn without(&mut self, read: &Read) {
        self.missing.retain(|plural| *plural != read.plural);
    }

    /// The next that is heard.
    pub async fn next(&mut self) -> Option<(&'static Read, Heard<Piece>)> {
        let heard = self.streams.next().await;
        self.note(heard)
    }

    /// What was heard by now, if anything.
    pub fn ready(&mut self) -> Option<(&'static Read, Heard<Piece>)> {
        let heard = self.streams.next().now_or_never().flatten();
        self.note(heard)
    }

    fn note(
        &mut self,
        heard: Option<(&'static Read, Heard<Piece>)>,
    ) -> Option<(&'static Read, Heard<Piece>)> {
        if let Some((read, Heard::All(_))) = &heard {
            self.without(read);
        }
        heard
    }
}

fn followed(read: &Read) -> Followed {
    Followed {
        group: read.group.to_owned(),
        version: "v1".to_owned(),
        kind: read.kind.to_owned(),
        plural: read.plural.to_owned(),
        ..Followed::default()
    }
}

fn piece(mut value: Value, slim: Option<&mut Slim>, now: i64) -> Piece {
    unversioned(&mut value);
    leave_out(&mut value);
    if let Some(meta) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        meta.remove("managedFields");
    }
    let text = |field: &str| value["metadata"][field].as_str().unwrap_or("");
    let (key, uid) = (ObjectKey::new(text("namespace"), text("name")), Name::from(text("uid")));
    let pod = slim.and_then(|slim| slim.pod(&value.to_string(), now));
    let kept = pod.map_or_else(|| Kept::Object(value), |pod| Kept::Pod(Box::new(pod)));
    Piece { key, uid, kept }
}

/// The kind of what is read.
pub(super) fn kind_of(read: &Read) -> Option<Kind> {
    Kind::from_name(read.kind).or_else(|| Kind::other(&read.api_version(), read.kind))
}
