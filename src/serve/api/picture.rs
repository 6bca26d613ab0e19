//! The picture of the fleet for browsers: a page, and word when there is another one.
//!
//! Who looks at a page is told that there is another one, and asks for it.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{ACCEPT, CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Response};
use tokio::sync::mpsc::{Sender, channel};
use tokio::time::{interval, sleep};

use super::asked::Asked;
use super::links::Link;
use super::reply::reply;
use super::server::Server;
use super::watch::Lines;
use crate::app::api::{Reason, Refused};

/// Where it is told that there is another page.
pub const EVENTS: &str = "/fleet/events";
/// So long is waited for more changes before they are told of.
const SETTLES: Duration = Duration::from_millis(700);
/// So often something is sent, so that who went away is noticed.
const RHYTHM: Duration = Duration::from_secs(20);
/// Who listens longer asks again.
const LASTS: Duration = Duration::from_secs(60 * 60);

/// Whether a request is a browser's, for the picture.
pub fn is_for_picture(method: &Method, path: &str, headers: &HeaderMap) -> bool {
    let takes = |form| headers.get_all(ACCEPT).iter().any(|it| it.to_str().is_ok_and(|it| it.contains(form)));
    matches!(*method, Method::GET | Method::HEAD)
        && (path == "/" && takes("text/html") || path == EVENTS && takes("text/event-stream"))
}

impl Server {
    /// The page, or word of changes to it.
    pub async fn picture(&self, head: &Parts) -> Result<Response<Body>, Refused> {
        if head.uri.path() == EVENTS {
            return self.events(&Asked::parse(head.uri.query()));
        }
        let place = *self.link.changes().borrow();
        let page = self.drawing.page(place).await?;
        let mut response = reply(200, "text/html; charset=utf-8", Body::from(page));
        let headers = response.headers_mut();
        // The rest of its policy is in the page; this part browsers take from here alone.
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("frame-ancestors 'none'"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        Ok(response)
    }

    fn events(&self, asked: &Asked) -> Result<Response<Body>, Refused> {
        let permit = self.watches.clone().try_acquire_owned().map_err(|_| Refused {
            retry: Some(1),
            ..Refused::new(Reason::TooManyRequests, "too many watch, please try again later")
        })?;
        let since = asked.text("since").parse().ok();
        let (lines, waiting) = channel(1);
        let link = self.link.clone();
        tokio::spawn(async move {
            let _permit = permit;
            let closed = lines.clone();
            tokio::select! {
                () = closed.closed() => {}
                () = sleep(LASTS) => {}
                () = tell(&link, since, &lines) => {}
            }
        });
        Ok(reply(200, "text/event-stream", Body::new(Lines(waiting))))
    }
}

/// Tells of changes since a place for as long as somebody listens.
async fn tell(link: &Link, since: Option<u64>, lines: &Sender<Bytes>) {
    let mut changes = link.changes();
    let mut still = interval(RHYTHM);
    let is_behind = since.is_some_and(|since| since != *changes.borrow_and_update());
    let mut line = if is_behind { changed() } else { Bytes::from_static(b": here\n\n") };
    loop {
        if lines.send(line).await.is_err() {
            return;
        }
        line = tokio::select! {
            told = changes.changed() => match told {
                Ok(()) => {
                    sleep(SETTLES).await;
                    changes.mark_unchanged();
                    changed()
                }
                Err(_) => return,
            },
            _ = still.tick() => Bytes::from_static(b": here\n\n"),
        };
    }
}

fn changed() -> Bytes {
    Bytes::from_static(b"event: changed\ndata: {}\n\n")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_browsers_get_the_picture() {
        let is = |method: &Method, path: &str, accept: &str| {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_str(accept).unwrap())]);
            is_for_picture(method, path, &headers)
        };
        assert!(is(&Method::GET, "/", "text/html,application/xhtml+xml,*/*;q=0.8"));
        assert!(is(&Method::GET, EVENTS, "text/event-stream"));
        assert!(!is(&Method::GET, "/", "application/json") && !is(&Method::GET, "/", "*/*"));
        assert!(!is(&Method::POST, "/", "text/html") && !is(&Method::GET, "/api/v1/pods", "text/html"));
    }
}
