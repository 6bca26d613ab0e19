//! Requests about one object: read it, create it, write it, take it away.
//!
//! Each is sent once. Whoever asks knows what to do when it is refused, and what it means that no
//! answer came.

use std::time::Duration;

use ::kube::client::Body;
use http::{Method, Request};
use http_body_util::BodyExt;
use serde_json::Value;

use super::connect::Cluster;
use super::told::told;

/// Why a request was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status that the server answered with; 0 where no answer came, so that nobody knows
    /// whether it was carried out.
    pub status: u16,
    /// What the server says of it, or what became of the connection.
    pub message: String,
}

impl Refusal {
    fn lost(message: String) -> Self {
        Refusal { status: 0, message }
    }
}

/// An object that is asked for.
///
/// # Errors
/// When it is not there (404), may not be read, or no answer comes in time.
pub async fn get(cluster: &Cluster, path: &str, within: Duration) -> Result<Value, Refusal> {
    send(cluster, Method::GET, path, None, within).await
}

/// Creates an object, or does what a subresource stands for.
///
/// # Errors
/// When it is refused, or no answer comes in time.
pub async fn create(
    cluster: &Cluster,
    path: &str,
    object: &Value,
    within: Duration,
) -> Result<Value, Refusal> {
    send(cluster, Method::POST, path, Some(object), within).await
}

/// Writes an object in place of the one that is there.
///
/// # Errors
/// When that is of another version (409), it is refused, or no answer comes in time.
pub async fn update(
    cluster: &Cluster,
    path: &str,
    object: &Value,
    within: Duration,
) -> Result<Value, Refusal> {
    send(cluster, Method::PUT, path, Some(object), within).await
}

/// Takes an object away, as `options` say.
///
/// # Errors
/// When a precondition does not hold (409), it is refused, or no answer comes in time.
pub async fn delete(
    cluster: &Cluster,
    path: &str,
    options: &Value,
    within: Duration,
) -> Result<Value, Refusal> {
    send(cluster, Method::DELETE, path, Some(options), within).await
}

async fn send(
    cluster: &Cluster,
    method: Method,
    path: &str,
    body: Option<&Value>,
    within: Duration,
) -> Result<Value, Refusal> {
    match tokio::time::timeout(within, once(cluster, method, path, body)).await {
        Ok(answered) => answered,
        Err(_) => Err(Refusal::lost(format!("no answer came within {} s", within.as_secs()))),
    }
}

async fn once(cluster: &Cluster, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Refusal> {
    let request = Request::builder().method(method).uri(path).header("accept", "application/json");
    let request = match body {
        None => request.body(Body::empty()),
        Some(body) => {
            request.header("content-type", "application/json").body(Body::from(body.to_string().into_bytes()))
        }
    };
    let request = request.map_err(|error| Refusal::lost(error.to_string()))?;
    let lost = |error: &::kube::Error| {
        let told = told(error, &cluster.name, &cluster.address);
        Refusal::lost(std::iter::once(told.message).chain(told.notes).collect::<Vec<_>>().join(": "))
    };
    let response = cluster.client.send(request).await.map_err(|error| lost(&error))?;
    let status = response.status();
    let body = response.into_body().collect().await.map_err(|error| Refusal::lost(error.to_string()))?;
    let answer: Value = serde_json::from_slice(&body.to_bytes()).unwrap_or_default();
    if status.is_success() {
        return Ok(answer);
    }
    let message = match answer["message"].as_str() {
        Some(message) => message.to_owned(),
        None => format!("the server answered {status}"),
    };
    // What the budget says stands among the causes of an eviction that is refused.
    let cause = answer["details"]["causes"][0]["message"].as_str().filter(|it| !message.contains(it));
    let message = cause.map_or_else(|| message.clone(), |cause| format!("{message} {cause}"));
    Err(Refusal { status: status.as_u16(), message })
}
