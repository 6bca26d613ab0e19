//! A request to its answer.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{Method, Response};
use serde_json::Value;

use super::accept::Form;
use super::asked::Asked;
use super::change::Request;
use super::discovery;
use super::openapi;
use super::path::{Objects, Path};
use super::picture::is_for_picture;
use super::reply::{json, refused, reply, text};
use super::server::Server;
use super::shown::wanted;
use crate::app::api::{RESOURCES, Reason, Refused};

/// Why there are no logs, and no shell.
pub const RUNS_NOTHING: &str = "no container runs behind this server: dsrules keeps what is to run where, and the machine \
    that runs it is the one to ask";

/// Whether a part of a pod is one that only what runs it has.
pub fn needs_a_container(part: &str) -> bool {
    ["attach", "ephemeralcontainers", "exec", "log", "portforward", "proxy"].contains(&part)
}

impl Server {
    /// Answers a request.
    pub async fn answer(&self, head: Parts, body: Body) -> Response<Body> {
        match self.try_answer(&head, body).await {
            Ok(response) => response,
            Err(refusal) => refused(&refusal),
        }
    }

    async fn try_answer(&self, head: &Parts, body: Body) -> Result<Response<Body>, Refused> {
        if is_for_picture(&head.method, head.uri.path(), &head.headers) {
            return self.picture(head).await;
        }
        let path = Path::parse(head.uri.path()).ok_or_else(Refused::nowhere)?;
        if let Path::Objects(objects) = path {
            return self.objects(&objects, head, body).await;
        }
        if let Path::Review(review) = path {
            return self.review(review, head, body).await;
        }
        if head.method != Method::GET && head.method != Method::HEAD {
            return Err(Refused::not_allowed());
        }
        self.told(path, head).await
    }

    /// What there is to know of the server.
    async fn told(&self, path: Path, head: &Parts) -> Result<Response<Body>, Refused> {
        let aggregated = |core| match wanted(head, |it| matches!(it, Form::Json | Form::Discovery(_)))? {
            Form::Discovery(version) => {
                let form =
                    format!("application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList");
                let body = discovery::aggregated(core, version, self.write).to_string();
                Ok::<_, Refused>(Some(reply(200, &form, body)))
            }
            _ => Ok(None),
        };
        let found = |value: Option<Value>| value.map(|it| json(200, &it)).ok_or_else(Refused::nowhere);
        match path {
            Path::Root => Ok(json(200, &discovery::paths())),
            Path::Version => Ok(json(200, &discovery::version())),
            Path::Health => {
                self.link.ask(|_| Ok(())).await?;
                Ok(text(200, "ok"))
            }
            Path::Core => {
                let all = aggregated(true)?;
                Ok(all.unwrap_or_else(|| json(200, &discovery::core_versions(&self.address))))
            }
            Path::Groups => Ok(aggregated(false)?.unwrap_or_else(|| json(200, &discovery::group_list()))),
            Path::Group(name) => found(discovery::group(&name)),
            Path::Resources(group, version) => found(discovery::resources(&group, &version, self.write)),
            Path::OpenApi2 => {
                wanted(head, |it| it == Form::Json)?;
                Ok(json(200, openapi::v2()))
            }
            Path::OpenApi3(None) => Ok(json(200, openapi::index())),
            Path::OpenApi3(Some((group, version))) => found(openapi::v3(&group, &version)),
            Path::Objects(_) | Path::Review(_) => Err(Refused::nowhere()),
        }
    }

    async fn objects(&self, path: &Objects, head: &Parts, body: Body) -> Result<Response<Body>, Refused> {
        let asked = Asked::parse(head.uri.query());
        let resource = &RESOURCES[path.resource];
        match path.part.as_deref() {
            None => {}
            Some("status") if resource.status => {}
            Some("eviction") if resource.plural == "pods" => {}
            Some("binding") if resource.plural == "pods" => {
                let name = path.name.as_deref().unwrap_or("");
                return Err(Refused::forbidden(
                    resource,
                    name,
                    "pods are bound by the rules, and by nobody else",
                ));
            }
            Some(part) if resource.plural == "pods" && needs_a_container(part) => {
                let name = path.name.as_deref().unwrap_or("");
                return Err(Refused::new(Reason::MethodNotAllowed, RUNS_NOTHING).about(resource, name));
            }
            Some(_) => return Err(Refused::nowhere()),
        }
        if head.method != Method::GET && head.method != Method::HEAD {
            return self.change(Request { path, asked: &asked, head }, body).await;
        }
        match &path.name {
            _ if path.part.as_deref() == Some("eviction") => Err(Refused::not_allowed()),
            _ if path.watch || asked.is("watch") => self.watch(path, &asked, head),
            Some(name) => self.get(path, name, &asked, head).await,
            _ => self.list(path, &asked, head).await,
        }
    }
}
