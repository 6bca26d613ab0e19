//! Requests that change something: their bodies and options to use cases.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, USER_AGENT, WARNING};
use axum::http::request::Parts;
use axum::http::{Method, Response};
use serde_json::{Value, json};

use super::asked::Asked;
use super::path::Objects;
use super::protobuf::{self, PROTOBUF, Unread};
use super::reply::json as reply_json;
use super::server::Server;
use super::shown::{chosen, one, wanted};
use crate::app::Cascade;
use crate::app::api::{Deletion, Entry, How, PatchForm, RESOURCES, Reason, Refused, Unknown, Written};
use crate::kube::ObjectKey;

/// A body is at most so long, in bytes, as an API server takes.
const LONGEST: usize = 3 << 20;
/// Who does not send it within this time is cut off.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a request that changes something has.
pub struct Request<'r> {
    /// What it is about.
    pub path: &'r Objects,
    /// Its options.
    pub asked: &'r Asked,
    /// Its head.
    pub head: &'r Parts,
}

impl Server {
    /// Changes what is asked for.
    pub async fn change(&self, request: Request<'_>, body: Body) -> Result<Response<Body>, Refused> {
        let Request { path, asked, head } = request;
        let part = path.part.clone().unwrap_or_default();
        let form = wanted(head, |it| !matches!(it, super::accept::Form::Discovery(_)))?;
        let how = how(asked, head)?;
        let (resource, namespace) = (path.resource, path.namespace.clone());
        let key = ObjectKey::new(&*namespace, path.name.as_deref().unwrap_or(""));
        let written = match (&head.method, &path.name, &*part) {
            (&Method::POST, None, "") => {
                let value = parse(&read(head, body).await?, object_form(head)?)?;
                self.link.ask(move |it| Ok((it.create(resource, &namespace, value, &how)?, it.now()))).await?
            }
            (&Method::POST, Some(_), "eviction") => return self.evict(request, body, key).await,
            (&Method::PUT, Some(_), "" | "status") => {
                let value = parse(&read(head, body).await?, object_form(head)?)?;
                self.link
                    .ask(move |it| Ok((it.update(resource, &key, &part, value, &how)?, it.now())))
                    .await?
            }
            (&Method::PATCH, Some(_), "" | "status") => {
                let form = patch_form(head)?;
                if form == PatchForm::Apply && asked.text("fieldManager").is_empty() {
                    return Err(no_manager());
                }
                let is_yaml = form == PatchForm::Apply;
                let written = if is_yaml { BodyForm::Yaml } else { BodyForm::Json };
                let value = parse(&read(head, body).await?, written)?;
                self.link
                    .ask(move |it| Ok((it.patch(resource, &key, &part, form, &value, &how)?, it.now())))
                    .await?
            }
            (&Method::DELETE, _, "") => return self.delete(request, body, key).await,
            _ => return Err(Refused::not_allowed()),
        };
        let (Written { entry, created, warnings }, now) = written;
        let mut response = one(resource, &entry, form, asked, now)?;
        if created {
            *response.status_mut() = axum::http::StatusCode::CREATED;
        }
        warn(&mut response, &warnings);
        Ok(response)
    }

    async fn delete(
        &self,
        request: Request<'_>,
        body: Body,
        key: ObjectKey,
    ) -> Result<Response<Body>, Refused> {
        let Request { path, asked, head } = request;
        let options = options(head, &read(head, body).await?)?;
        let deletion = deletion(asked, &options)?;
        let resource = path.resource;
        if path.name.is_some() {
            let entry = self.link.ask(move |it| it.delete(resource, &key, &deletion)).await?;
            return Ok(reply_json(200, &success(resource, &entry)));
        }
        let chosen = chosen(path, asked)?;
        let gone = self.link.ask(move |it| it.delete_all(&chosen, &deletion)).await?;
        let it = &RESOURCES[resource];
        let items: Vec<Value> = gone.iter().map(|entry| entry.value()).collect();
        Ok(reply_json(
            200,
            &json!({ "kind": format!("{}List", it.kind), "apiVersion": it.api_version(),
            "metadata": {}, "items": items }),
        ))
    }

    async fn evict(
        &self,
        request: Request<'_>,
        body: Body,
        key: ObjectKey,
    ) -> Result<Response<Body>, Refused> {
        let Request { path, asked, head } = request;
        let value = parse(&read(head, body).await?, object_form(head)?)?;
        let deletion = deletion(asked, &value["deleteOptions"])?;
        let resource = path.resource;
        self.link.ask(move |it| it.evict(resource, &key, &deletion)).await?;
        Ok(reply_json(
            201,
            &json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
            "code": 201 }),
        ))
    }
}

/// The body of a request.
pub(super) async fn read(head: &Parts, body: Body) -> Result<Vec<u8>, Refused> {
    let too_large = || {
        let message = format!("Request entity too large: limit is {LONGEST}");
        Refused::new(Reason::RequestEntityTooLarge, message)
    };
    let said =
        head.headers.get(CONTENT_LENGTH).and_then(|it| it.to_str().ok()).and_then(|it| it.parse().ok());
    if said.is_some_and(|said: usize| said > LONGEST) {
        return Err(too_large());
    }
    match tokio::time::timeout(PATIENCE, axum::body::to_bytes(body, LONGEST)).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(_)) => Err(too_large()),
        Err(_) => Err(Refused::new(Reason::Timeout, "the body of the request did not come in time")),
    }
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyForm {
    Json,
    Yaml,
    Protobuf,
}

/// How the body of an object is written.
pub(super) fn object_form(head: &Parts) -> Result<BodyForm, Refused> {
    match media(head) {
        "" | "application/json" | "*/*" => Ok(BodyForm::Json),
        "application/yaml" => Ok(BodyForm::Yaml),
        PROTOBUF => Ok(BodyForm::Protobuf),
        _ => Err(unsupported("application/json, application/yaml")),
    }
}

fn patch_form(head: &Parts) -> Result<PatchForm, Refused> {
    match media(head) {
        "application/json-patch+json" => Ok(PatchForm::Json),
        "application/merge-patch+json" => Ok(PatchForm::Merge),
        "application/strategic-merge-patch+json" => Ok(PatchForm::Strategic),
        "application/apply-patch+yaml" => Ok(PatchForm::Apply),
        _ => Err(unsupported(
            "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml, \
             application/strategic-merge-patch+json",
        )),
    }
}

fn media(head: &Parts) -> &str {
    let said = head.headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or("");
    said.split(';').next().unwrap_or("").trim()
}

fn unsupported(accepted: &str) -> Refused {
    let message = format!(
        "the body of the request was in an unknown format - accepted media types include: {accepted}"
    );
    Refused::new(Reason::UnsupportedMediaType, message)
}

pub(super) fn parse(bytes: &[u8], form: BodyForm) -> Result<Value, Refused> {
    let wrong =
        |why: String| Refused::new(Reason::BadRequest, format!("the object provided is unrecognized: {why}"));
    if form == BodyForm::Protobuf {
        return protobuf::read(bytes).map_err(|unread| match unread {
            Unread::Broken => wrong("it is no object in protobuf".to_owned()),
            Unread::Unknown(kind) => {
                let message =
                    format!("the body is a {kind} in protobuf, which is not read: send application/json");
                Refused::new(Reason::UnsupportedMediaType, message)
            }
        });
    }
    match serde_json::from_slice(bytes) {
        Ok(value) => Ok(value),
        Err(_) if form == BodyForm::Yaml => {
            serde_yaml::from_slice(bytes).map_err(|error| wrong(error.to_string()))
        }
        Err(error) => Err(wrong(error.to_string())),
    }
}

/// The options of a delete, which may be none, in the form that they say they are in.
fn options(head: &Parts, bytes: &[u8]) -> Result<Value, Refused> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    parse(bytes, if media(head) == PROTOBUF { BodyForm::Protobuf } else { BodyForm::Yaml })
}

fn how(asked: &Asked, head: &Parts) -> Result<How, Refused> {
    let agent = head.headers.get(USER_AGENT).and_then(|it| it.to_str().ok()).unwrap_or("unknown");
    let manager = match asked.text("fieldManager") {
        "" => agent.split('/').next().unwrap_or("unknown"),
        named => named,
    };
    Ok(How {
        manager: manager.chars().take(128).collect(),
        dry: is_dry(asked.text("dryRun"))?,
        unknown: Unknown::parse(asked.text("fieldValidation"))?,
        force: asked.is("force"),
    })
}

fn is_dry(text: &str) -> Result<bool, Refused> {
    match text {
        "" => Ok(false),
        "All" => Ok(true),
        other => {
            let message = format!(
                "options \"\" is invalid: dryRun: Unsupported value: \"{other}\": supported values: \"All\""
            );
            Err(Refused::new(Reason::Invalid, message))
        }
    }
}

fn no_manager() -> Refused {
    let message =
        "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch";
    Refused::new(Reason::Invalid, message)
}

/// What a delete was asked with, in its URL or its body.
fn deletion(asked: &Asked, options: &Value) -> Result<Deletion, Refused> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let policy = match asked.text("propagationPolicy") {
        "" => options["propagationPolicy"].as_str().unwrap_or(""),
        said => said,
    };
    let all = [Cascade::Background, Cascade::Foreground, Cascade::Orphan];
    let cascade = match policy {
        "" if options["orphanDependents"] == true || asked.is("orphanDependents") => Cascade::Orphan,
        "" => Cascade::Background,
        said => *all.iter().find(|it| it.name() == said).ok_or_else(|| {
            let message = format!(
                "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \"{said}\": \
                 supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\""
            );
            Refused::new(Reason::Invalid, message)
        })?,
    };
    let dry = match &options["dryRun"] {
        Value::Array(items) if !items.is_empty() => is_dry(items[0].as_str().unwrap_or("?"))?,
        _ => is_dry(asked.text("dryRun"))?,
    };
    let preconditions = &options["preconditions"];
    let (uid, version) = (text(&preconditions["uid"]), text(&preconditions["resourceVersion"]));
    Ok(Deletion { cascade, uid, version, dry })
}

/// What is answered where an object is gone.
fn success(resource: usize, entry: &Entry) -> Value {
    let it = &RESOURCES[resource];
    let name = entry.value()["metadata"]["name"].clone();
    let mut details = json!({ "name": name, "kind": it.plural, "uid": &*entry.uid });
    if !it.group.is_empty() {
        details["group"] = json!(it.group);
    }
    json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details })
}

fn warn(response: &mut Response<Body>, warnings: &[String]) {
    for warning in warnings {
        let text = warning.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{text}\"")) {
            response.headers_mut().append(WARNING, value);
        }
    }
}
