//! Objects and lists in the form that is wanted, and which ones are meant.

use axum::body::Body;
use axum::http::Response;
use axum::http::header::ACCEPT;
use axum::http::request::Parts;
use serde_json::json;

use super::accept::{Form, form};
use super::asked::Asked;
use super::path::Objects;
use super::reply::{JSON, json as json_reply, reply};
use super::table::{Include, Tables, filled, partial_of};
use crate::app::LabelSelector;
use crate::app::api::{Chosen, Entry, Fields, Listed, RESOURCES, Reason, Refused};

/// In which form it is wanted, of those that there are.
pub fn wanted(head: &Parts, is_there: impl Fn(Form) -> bool) -> Result<Form, Refused> {
    let accept = head.headers.get_all(ACCEPT).iter().filter_map(|it| it.to_str().ok());
    let accept = accept.collect::<Vec<_>>().join(",");
    form(&accept, is_there).ok_or_else(|| {
        let message = "only the following media types are accepted: application/json";
        Refused::new(Reason::NotAcceptable, message)
    })
}

/// Which objects a path and its parameters mean.
pub fn chosen(path: &Objects, asked: &Asked) -> Result<Chosen, Refused> {
    let labels: LabelSelector = asked.text("labelSelector").parse().map_err(|why: String| {
        Refused::new(Reason::BadRequest, format!("unable to parse requirement: {why}"))
    })?;
    let mut fields = asked.text("fieldSelector").to_owned();
    if let Some(name) = &path.name {
        fields = format!("metadata.name={name}{}{fields}", if fields.is_empty() { "" } else { "," });
    }
    let fields = Fields::parse(&fields, path.resource)?;
    Ok(Chosen { resource: path.resource, namespace: path.namespace.clone(), labels, fields })
}

/// How much of objects stands in the rows of tables.
pub fn include(asked: &Asked) -> Result<Include, Refused> {
    let text = asked.text("includeObject");
    Include::parse(text).ok_or_else(|| {
        Refused::new(Reason::BadRequest, format!("unrecognized includeObject value: \"{text}\""))
    })
}

/// One object in the form that is wanted.
pub fn one(
    resource: usize,
    entry: &Entry,
    form: Form,
    asked: &Asked,
    now: i64,
) -> Result<Response<Body>, Refused> {
    Ok(match form {
        Form::Table(version) => {
            let tables = Tables::new(resource, version, include(asked)?, now);
            let metadata = json!({ "resourceVersion": entry.version.to_string() });
            json_reply(200, &tables.table(&metadata, &[entry.value()], true))
        }
        Form::Metadata(version) => json_reply(200, &partial_of(entry, version)),
        Form::Json | Form::Discovery(_) => reply(200, JSON, format!("{}\n", entry.text)),
    })
}

/// A list in the form that is wanted.
pub fn many(resource: usize, listed: &Listed, form: Form, include: Include, now: i64) -> String {
    let mut metadata = json!({ "resourceVersion": listed.version.to_string() });
    if !listed.resume.is_empty() {
        metadata["continue"] = json!(listed.resume);
    }
    if let Some(remaining) = listed.remaining {
        metadata["remainingItemCount"] = json!(remaining);
    }
    match form {
        Form::Table(version) => Tables::new(resource, version, include, now).list(&metadata, &listed.items),
        Form::Metadata(version) => {
            let items = listed.items.iter().map(|entry| partial_of(entry, version).to_string());
            let list = json!({ "kind": "PartialObjectMetadataList", "apiVersion": format!("meta.k8s.io/{version}"),
                "metadata": metadata });
            filled(list, "items", items)
        }
        Form::Json | Form::Discovery(_) => {
            let resource = &RESOURCES[resource];
            let size = listed.items.iter().map(|entry| entry.text.len() + 1).sum::<usize>();
            let mut body = String::with_capacity(size + 200);
            body.push_str(&format!(
                "{{\"kind\":\"{}List\",\"apiVersion\":\"{}\",\"metadata\":{metadata},\"items\":[",
                resource.kind,
                resource.api_version()
            ));
            for (nth, entry) in listed.items.iter().enumerate() {
                if nth > 0 {
                    body.push(',');
                }
                body.push_str(&entry.text);
            }
            body.push_str("]}\n");
            body
        }
    }
}
