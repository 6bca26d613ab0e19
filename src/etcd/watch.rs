//! What becomes of keys from a revision on.

use std::sync::atomic::Ordering;

use futures_util::{StreamExt, stream};
use tonic::Streaming;
use tonic::service::interceptor::InterceptedService;

use super::api::watch_client::WatchClient;
use super::api::watch_request::RequestUnion;
use super::api::{Event, WatchCreateRequest, WatchRequest, WatchResponse};
use super::connect::Etcd;
use super::range::Range;
use super::trouble::{Trouble, Why, is_stale};
use crate::diagnostic::Diagnostic;

/// No message is larger.
const LARGEST: usize = 512 << 20;

/// What was heard: all of one or several revisions, or nothing up to one.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    /// What changed, in order.
    pub events: Vec<Event>,
    /// Nothing of the range that changed up to this revision is yet to be heard.
    pub revision: i64,
}

/// A range that is followed. It goes on by itself at the next member where one breaks off; who
/// asks is told, and asks again.
pub struct Watch {
    etcd: Etcd,
    range: Range,
    /// The first revision that was not heard of.
    next: i64,
    open: Option<Open>,
    /// What was heard of a message that comes in pieces.
    pieces: Vec<Event>,
}

struct Open {
    answers: Streaming<WatchResponse>,
    member: usize,
    /// The revision before its first one, until something was heard.
    before: Option<i64>,
    /// Up to which revision the pieces are all there is, once they are.
    whole: Option<i64>,
}

impl Etcd {
    /// Follows a range, from a revision on.
    #[must_use]
    pub fn watch(&self, range: Range, from: i64) -> Watch {
        Watch { etcd: self.clone(), range, next: from, open: None, pieces: Vec::new() }
    }
}

impl Watch {
    /// The first revision that was not heard of.
    #[must_use]
    pub fn next_revision(&self) -> i64 {
        self.next
    }

    /// Waits for what comes next. It may be dropped at any time: nothing that was heard is lost.
    /// After an error it may be asked again, and goes on from where it was; after
    /// [`Why::Compacted`] and [`Why::Ahead`] everything is to be read anew.
    ///
    /// # Errors
    /// When the member breaks off, or no longer knows what changed since.
    pub async fn next(&mut self) -> Result<Heard, Trouble> {
        let heard = self.hear().await;
        if heard.is_err()
            && let Some(open) = self.open.take()
        {
            self.pieces.clear();
            self.etcd.next_member(open.member);
        }
        heard
    }

    async fn hear(&mut self) -> Result<Heard, Trouble> {
        loop {
            if self.open.is_none() {
                self.open = Some(self.open().await?);
            }
            let Some(open) = &mut self.open else { continue };
            if let Some(revision) = open.whole {
                self.check().await?;
                let Some(open) = &mut self.open else { continue };
                open.whole = None;
                self.next = self.next.max(revision + 1);
                return Ok(Heard { events: std::mem::take(&mut self.pieces), revision });
            }
            let name = self.etcd.shared.members.get(open.member).map_or("?", |(name, _)| name.as_str());
            let answer = match open.answers.message().await {
                Ok(Some(answer)) => answer,
                Ok(None) => return Err(Trouble::silent(name, false)),
                Err(status) => return Err(Trouble::of(&status, name)),
            };
            if answer.canceled {
                return Err(canceled(&answer, name));
            }
            self.pieces.extend(answer.events);
            if answer.created || answer.fragment {
                continue;
            }
            // A message without events says how far nothing has changed.
            let last = self.pieces.iter().filter_map(|it| it.kv.as_ref()).map(|kv| kv.mod_revision).max();
            open.whole = Some(last.unwrap_or_else(|| answer.header.map_or(0, |header| header.revision)));
        }
    }

    /// etcd before 3.4.36 and 3.5.18 tells nothing of what was deleted at just the revision up to
    /// which it is compacted, so it is asked once whether it knows the one before all that is heard.
    async fn check(&mut self) -> Result<(), Trouble> {
        let Some(before) = self.open.as_ref().and_then(|open| open.before) else { return Ok(()) };
        if before > 0 && !self.pieces.is_empty() {
            self.etcd.page(&Range::key(self.range.key.clone()), 1, before).await?;
        }
        if let Some(open) = self.open.as_mut().filter(|_| !self.pieces.is_empty()) {
            open.before = None;
        }
        Ok(())
    }

    async fn open(&self) -> Result<Open, Trouble> {
        match self.open_once().await {
            Err((trouble, true)) => {
                self.etcd.authenticate().await.map_err(|_| trouble)?;
                self.open_once().await.map_err(|(trouble, _)| trouble)
            }
            opened => opened.map_err(|(trouble, _)| trouble),
        }
    }

    /// Begins at the member that is asked; also says whether the token was refused.
    async fn open_once(&self) -> Result<Open, (Trouble, bool)> {
        let shared = &self.etcd.shared;
        let member = shared.current.load(Ordering::Relaxed);
        let Some((name, channel)) = shared.members.get(member) else {
            let told = Diagnostic::error("bad-store", "no member is named");
            return Err((Trouble::new(Why::Other, told), false));
        };
        let create = WatchCreateRequest {
            key: self.range.key.clone(),
            range_end: self.range.end.clone(),
            start_revision: self.next,
            progress_notify: true,
            fragment: true,
            ..WatchCreateRequest::default()
        };
        let create = WatchRequest { request_union: Some(RequestUnion::CreateRequest(create)) };
        // It goes on for as long as there may be more to ask for.
        let asked = stream::once(std::future::ready(create)).chain(stream::pending());
        let link = InterceptedService::new(channel.clone(), shared.who.clone());
        let mut client = WatchClient::new(link).max_decoding_message_size(LARGEST);
        match client.watch(asked).await {
            Ok(answers) => {
                Ok(Open { answers: answers.into_inner(), member, before: Some(self.next - 1), whole: None })
            }
            Err(status) => {
                self.etcd.next_member(member);
                Err((Trouble::of(&status, name), is_stale(&status)))
            }
        }
    }
}

fn canceled(answer: &WatchResponse, member: &str) -> Trouble {
    let said = &answer.cancel_reason;
    if answer.compact_revision > 0 {
        return Trouble::of(&tonic::Status::out_of_range("the revision has been compacted"), member);
    }
    let status = if said.contains("permission denied") {
        tonic::Status::permission_denied(said)
    } else {
        tonic::Status::unavailable(said)
    };
    Trouble::of(&status, member)
}
