//! Watches: an answer that goes on, a line an event, for as long as somebody listens.
//!
//! Who reads too slowly is not waited for: what is still to be sent to it is bounded, and once
//! more has happened than is remembered the watch ends, so that it lists again.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Response;
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{interval, sleep};

use super::accept::Form;
use super::links::Link;
use super::reply::{JSON, reply};
use super::table::{Include, Tables, partial};
use crate::app::api::{Begin, Chosen, Event, Events, RESOURCES, Refused};

/// How long a watch lasts where the client does not say.
const LASTS: Duration = Duration::from_secs(45 * 60);
/// The longest that it may say.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// So often it is told how far it is, if it wants to know.
const BOOKMARKS: Duration = Duration::from_secs(60);
/// So many batches wait for a client at most.
const WAITING: usize = 4;

/// What is watched, and how it is told.
pub struct Watch {
    /// The objects.
    pub chosen: Chosen,
    /// Where it begins.
    pub begin: Begin,
    /// The form of the objects.
    pub form: Form,
    /// How much of them stands in rows.
    pub include: Include,
    /// Whether it is to be told how far it is.
    pub bookmarks: bool,
    /// After how many seconds it ends.
    pub seconds: Option<u64>,
}

impl Watch {
    /// Begins to answer.
    pub fn answer(self, link: Link, permit: OwnedSemaphorePermit) -> Response<Body> {
        let (lines, waiting) = channel(WAITING);
        tokio::spawn(async move {
            let _permit = permit;
            let closed = lines.clone();
            tokio::select! {
                () = closed.closed() => {}
                () = self.run(&link, &lines) => {}
            }
        });
        reply(200, JSON, Body::new(Lines(waiting)))
    }

    async fn run(&self, link: &Link, lines: &Sender<Bytes>) {
        let seconds = self.seconds.map_or(LASTS, Duration::from_secs).min(LONGEST);
        let mut end = std::pin::pin!(sleep(seconds));
        let mut bookmarks = interval(BOOKMARKS);
        // Not at once, as an interval begins.
        bookmarks.reset();
        // From before the first look, so that nothing in between is missed.
        let mut changes: watch::Receiver<u64> = link.changes();
        let (chosen, begin) = (self.chosen.clone(), self.begin);
        let mut told = link.ask(move |engine| engine.watch(&chosen, begin)).await;
        let mut heads = true;
        let mut is_list = matches!(self.begin, Begin::List(_)) && self.bookmarks;
        loop {
            let next = match told {
                Ok(events) => {
                    let (next, version) = (events.next, events.version);
                    let mut text = self.text(events, &mut heads);
                    if std::mem::take(&mut is_list) {
                        text.push_str(&self.bookmark(version, true, &mut heads));
                    }
                    if !text.is_empty() && lines.send(text.into()).await.is_err() {
                        return;
                    }
                    (next, version)
                }
                Err(refusal) => {
                    let _ = lines.send(error(&refusal).into()).await;
                    return;
                }
            };
            loop {
                tokio::select! {
                    changed = changes.changed() => match changed {
                        Ok(()) => break,
                        Err(_) => return,
                    },
                    _ = bookmarks.tick(), if self.bookmarks => {
                        let line = self.bookmark(next.1, false, &mut heads);
                        if lines.send(line.into()).await.is_err() {
                            return;
                        }
                    }
                    () = &mut end => return,
                }
            }
            let (chosen, from) = (self.chosen.clone(), next.0);
            told = link.ask(move |engine| engine.watched(&chosen, from)).await;
        }
    }

    fn text(&self, events: Events, heads: &mut bool) -> String {
        let mut text = String::new();
        for event in &events.events {
            let (what, object) = (event.what, self.object(event, events.now, heads));
            text.push_str(&format!("{{\"type\":\"{what}\",\"object\":{object}}}\n"));
        }
        text
    }

    /// The object of an event in the form that is wanted, as JSON.
    fn object(&self, event: &Event, now: i64, heads: &mut bool) -> String {
        let is_gone = event.what == "DELETED";
        if self.form == Form::Json && !is_gone {
            return event.entry.text.to_string();
        }
        let mut object = event.entry.value();
        if is_gone {
            object["metadata"]["resourceVersion"] = json!(event.version.to_string());
        }
        self.formed(object, now, heads).to_string()
    }

    fn formed(&self, object: Value, now: i64, heads: &mut bool) -> Value {
        match self.form {
            Form::Table(version) => {
                let tables = Tables::new(self.chosen.resource, version, self.include, now);
                let metadata = json!({ "resourceVersion": object["metadata"]["resourceVersion"] });
                tables.table(&metadata, &[object], std::mem::take(heads))
            }
            Form::Metadata(version) => partial(&object, version),
            Form::Json | Form::Discovery(_) => object,
        }
    }

    /// Says how far it is, and perhaps that all that there was has been told.
    fn bookmark(&self, version: u64, ends: bool, heads: &mut bool) -> String {
        let resource = &RESOURCES[self.chosen.resource];
        let mut metadata = json!({ "resourceVersion": version.to_string(), "creationTimestamp": null });
        if ends {
            metadata["annotations"] = json!({ "k8s.io/initial-events-end": "true" });
        }
        let object =
            json!({ "kind": resource.kind, "apiVersion": resource.api_version(), "metadata": metadata });
        let object = self.formed(object, 0, heads);
        format!("{}\n", json!({ "type": "BOOKMARK", "object": object }))
    }
}

fn error(refusal: &Refused) -> String {
    format!("{}\n", json!({ "type": "ERROR", "object": refusal.status() }))
}

/// Lines that are still to come.
pub struct Lines(pub Receiver<Bytes>);

impl hyper::body::Body for Lines {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::app::Options;
    use crate::app::api::{Private, Serving};
    use crate::policy::Asked;

    /// The lines of a watch of nodes, of which there are none, in a time that passes at once.
    fn lines(bookmarks: bool, begin: Begin) -> Vec<Value> {
        let private = Private::new().unwrap();
        let serving = Serving {
            database: private.database.clone(),
            folder: None,
            write: true,
            rules: Asked::default(),
            options: Options::at(0),
            clock: Arc::new(|| 0),
        };
        let link = Link::open(serving).unwrap();
        let (labels, fields) = (Default::default(), Default::default());
        let resource = RESOURCES.iter().position(|it| it.plural == "nodes").unwrap();
        let watch = Watch {
            chosen: Chosen { resource, namespace: String::new(), labels, fields },
            begin,
            form: Form::Json,
            include: Include::Metadata,
            bookmarks,
            seconds: Some(190),
        };
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (sender, mut receiver) = channel(16);
            let run = async move { watch.run(&link, &sender).await };
            let take = async {
                let mut text = String::new();
                while let Some(bytes) = receiver.recv().await {
                    text.push_str(std::str::from_utf8(&bytes).unwrap());
                }
                text
            };
            let ((), text) = tokio::join!(run, take);
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        })
    }

    #[test]
    fn who_wants_to_know_how_far_it_is_is_told_each_minute() {
        let told = lines(true, Begin::All);
        assert_eq!(told.len(), 3, "{told:?}");
        for line in &told {
            let object = &line["object"];
            assert_eq!((&line["type"], &object["kind"]), (&json!("BOOKMARK"), &json!("Node")));
            assert!(object["metadata"]["resourceVersion"].is_string());
            assert!(object["metadata"]["annotations"].is_null());
        }
        assert_eq!(lines(true, Begin::List(0)).len(), 4, "one says that all was told");
        assert_eq!(lines(false, Begin::All), Vec::<Value>::new());
    }
}
