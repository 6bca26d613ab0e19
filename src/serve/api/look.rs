//! Requests that only look: get, list and watch.

use axum::body::Body;
use axum::http::Response;
use axum::http::request::Parts;

use super::accept::Form;
use super::asked::Asked;
use super::path::Objects;
use super::reply::{JSON, reply};
use super::server::Server;
use super::shown::{chosen, include, many, one, wanted};
use super::watch::Watch;
use crate::app::api::{Begin, Paging, Reason, Refused};
use crate::kube::ObjectKey;

impl Server {
    /// One object.
    pub async fn get(
        &self,
        path: &Objects,
        name: &str,
        asked: &Asked,
        head: &Parts,
    ) -> Result<Response<Body>, Refused> {
        let form = wanted(head, |it| !matches!(it, Form::Discovery(_)))?;
        let key = ObjectKey::new(&*path.namespace, name);
        let resource = path.resource;
        let (entry, now) = self.link.ask(move |it| Ok((it.get(resource, &key)?, it.now()))).await?;
        one(resource, &entry, form, asked, now)
    }

    /// What becomes of objects.
    pub fn watch(&self, path: &Objects, asked: &Asked, head: &Parts) -> Result<Response<Body>, Refused> {
        let form = wanted(head, |it| !matches!(it, Form::Discovery(_)))?;
        let watch = asked_to_watch(path, asked, form)?;
        let permit = self.watches.clone().try_acquire_owned().map_err(|_| Refused {
            retry: Some(1),
            ..Refused::new(Reason::TooManyRequests, "too many watch, please try again later")
        })?;
        Ok(watch.answer(self.link.clone(), permit))
    }

    /// Objects.
    pub async fn list(&self, path: &Objects, asked: &Asked, head: &Parts) -> Result<Response<Body>, Refused> {
        let form = wanted(head, |it| !matches!(it, Form::Discovery(_)))?;
        let chosen = chosen(path, asked)?;
        let [limit, resume, version, how] =
            ["limit", "continue", "resourceVersion", "resourceVersionMatch"].map(|it| asked.text(it));
        let paging = Paging::parse(limit, resume, version, how)?;
        let resource = path.resource;
        let include = include(asked)?;
        let ask = self.link.ask(move |it| Ok((it.list(&chosen, &paging)?, it.now())));
        let (listed, now) = ask.await?;
        // Large lists take their time, and others wait for theirs.
        let body = tokio::task::spawn_blocking(move || many(resource, &listed, form, include, now)).await;
        let body = body.map_err(|error| Refused::new(Reason::InternalError, error.to_string()))?;
        Ok(reply(200, JSON, body))
    }
}

/// What a watch was asked with.
fn asked_to_watch(path: &Objects, asked: &Asked, form: Form) -> Result<Watch, Refused> {
    let seconds = match asked.text("timeoutSeconds") {
        "" => None,
        text => Some(text.parse().map_err(|_| {
            let message = format!("strconv.ParseInt: parsing {text:?}: invalid syntax");
            Refused::new(Reason::BadRequest, message)
        })?),
    };
    let [version, how, initial] =
        ["resourceVersion", "resourceVersionMatch", "sendInitialEvents"].map(|it| asked.text(it));
    let initial = (!initial.is_empty()).then(|| asked.is("sendInitialEvents"));
    Ok(Watch {
        chosen: chosen(path, asked)?,
        begin: Begin::parse(version, how, initial)?,
        form,
        include: include(asked)?,
        bookmarks: asked.is("allowWatchBookmarks"),
        seconds,
    })
}
