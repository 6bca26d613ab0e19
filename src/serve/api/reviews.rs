//! Reviews: whether one may do something, all that one may do, and who one is (`kubectl auth`).
//!
//! There are no roles: whoever is answered may read all that is served, and change it where
//! anything is changed.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{Method, Response};
use serde_json::{Value, json};

use super::change::{object_form, parse, read};
use super::discovery::{parts, paths, verbs};
use super::handle::{RUNS_NOTHING, needs_a_container};
use super::path::{Path, Review};
use super::reply::json as reply_json;
use super::server::Server;
use crate::app::api::{RESOURCES, Refused, Resource};

impl Server {
    /// Answers what is asked about oneself.
    pub async fn review(&self, review: Review, head: &Parts, body: Body) -> Result<Response<Body>, Refused> {
        if head.method != Method::POST {
            return Err(Refused::not_allowed());
        }
        let mut value = parse(&read(head, body).await?, object_form(head)?)?;
        if !value.is_object() {
            value = json!({});
        }
        let (group, kind, status) = match review {
            Review::Access => {
                ("authorization", "SelfSubjectAccessReview", access(&value["spec"], self.write))
            }
            Review::Rules => ("authorization", "SelfSubjectRulesReview", rules(self.write)),
            Review::Who => ("authentication", "SelfSubjectReview", who(self.guarded)),
        };
        value["apiVersion"] = json!(format!("{group}.k8s.io/v1"));
        value["kind"] = json!(kind);
        value["status"] = status;
        Ok(reply_json(201, &value))
    }
}

/// Whether something may be done, and why not.
fn access(spec: &Value, write: bool) -> Value {
    let denied = |reason: &str| json!({ "allowed": false, "reason": reason });
    let path = &spec["nonResourceAttributes"];
    if path.is_object() {
        let is_read = ["get", "head"].map(Some).contains(&path["verb"].as_str());
        let leads = path["path"].as_str().is_some_and(|path| Path::parse(path).is_some());
        return if is_read && leads { json!({ "allowed": true }) } else { denied("no such path is served") };
    }
    let asked = &spec["resourceAttributes"];
    let [group, plural, part, verb] =
        ["group", "resource", "subresource", "verb"].map(|it| asked[it].as_str().unwrap_or(""));
    let is_meant = |it: &&Resource| ["*", it.group].contains(&group) && ["*", it.plural].contains(&plural);
    let mut meant = RESOURCES.iter().filter(is_meant).peekable();
    if meant.peek().is_none() {
        return denied("no such resource is served");
    }
    if plural == "pods" && needs_a_container(part) {
        return denied(RUNS_NOTHING);
    }
    // Who asks for all verbs asks for those that change something.
    let is_one = |verbs: &[&str]| verbs.contains(&verb) || verb == "*" && verbs.contains(&"update");
    let may = |it: &Resource, write| match part {
        "" => is_one(verbs(it, write)),
        part => parts(it, write).iter().any(|(name, _, verbs)| *name == part && is_one(verbs)),
    };
    let meant: Vec<&Resource> = meant.collect();
    if meant.iter().any(|it| may(it, write)) {
        json!({ "allowed": true })
    } else if meant.iter().any(|it| may(it, true)) {
        denied("this server only reads; `dsrules serve --write` takes changes")
    } else {
        denied("nobody can do that here")
    }
}

/// All that may be done.
fn rules(write: bool) -> Value {
    let mut all = Vec::new();
    for it in &RESOURCES {
        let mut rule = |name: String, verbs: &[&str]| {
            all.push(json!({ "verbs": verbs, "apiGroups": [it.group], "resources": [name] }));
        };
        rule(it.plural.to_owned(), verbs(it, write));
        for (part, _, verbs) in parts(it, write) {
            rule(format!("{}/{part}", it.plural), verbs);
        }
    }
    let paths = paths()["paths"].clone();
    json!({ "resourceRules": all, "nonResourceRules": [{ "verbs": ["get"], "nonResourceURLs": paths }],
        "incomplete": false })
}

/// Who asks: of one who has a token no more is known.
fn who(guarded: bool) -> Value {
    let (name, group) = match guarded {
        true => ("dsrules:token", "system:authenticated"),
        false => ("system:anonymous", "system:unauthenticated"),
    };
    json!({ "userInfo": { "username": name, "groups": [group] } })
}
