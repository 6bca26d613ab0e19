//! One request and its whole answer, asked again where a server says so or a connection breaks.

use std::time::Duration;

use ::kube::client::Body;
use http::{Request, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Bytes;

use super::connect::Cluster;
use super::told::told;
use super::trouble::{Trouble, refused};
use crate::diagnostic::Diagnostic;

/// So often a request is sent before it is given up.
const TRIES: u32 = 5;

/// No server makes us wait for longer, whatever it says.
const LONGEST: Duration = Duration::from_secs(30);

/// No page is larger: a server that sends more is no API server.
const LARGEST: usize = 512 << 20;

/// What became of one try.
enum Tried {
    Done(Bytes),
    /// It may be sent again, after so long.
    Again(Duration, Trouble),
}

/// Asks for a path and gives the body of the answer.
///
/// # Errors
/// When it is refused, or failed each time that it was tried.
pub(super) async fn ask(cluster: &Cluster, path: &str, what: &str) -> Result<Bytes, Trouble> {
    let mut tried = 1;
    loop {
        match once(cluster, path, what, tried).await? {
            Tried::Done(body) => return Ok(body),
            Tried::Again(_, trouble) if tried == TRIES => return Err(trouble),
            Tried::Again(pause, _) => tokio::time::sleep(pause.min(LONGEST)).await,
        }
        tried += 1;
    }
}

async fn once(cluster: &Cluster, path: &str, what: &str, tried: u32) -> Result<Tried, Trouble> {
    let (name, address) = (&cluster.name, &cluster.address);
    let request = Request::get(path).header("accept", "application/json").body(Body::empty());
    let request =
        request.map_err(|error| Trouble::of(told(&kube::Error::HttpError(error), name, address)))?;
    let pause = Duration::from_millis(200 << tried);
    let response = match cluster.client.send(request).await {
        Ok(response) => response,
        // Nobody is there: asking for half a minute does not help.
        Err(error) if tried > 1 && is_broken(&error) => {
            return Ok(Tried::Again(pause, Trouble::of(told(&error, name, address))));
        }
        Err(error) if is_broken(&error) && !is_unreachable(&error) => {
            return Ok(Tried::Again(pause, Trouble::of(told(&error, name, address))));
        }
        Err(error) => return Err(Trouble::of(told(&error, name, address))),
    };
    let status = response.status().as_u16();
    let after = retry_after(&response);
    let body = match Limited::new(response.into_body(), LARGEST).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(Trouble::of(too_large(name, what))),
        Err(error) => {
            let cut =
                Diagnostic::error("cut-connection", format!("the connection to the cluster `{name}` broke"))
                    .because(format!("while {what} were read: {error}"))
                    .help("try it again");
            return Ok(Tried::Again(pause, Trouble::of(cut)));
        }
    };
    match status {
        200 => Ok(Tried::Done(body)),
        429 | 500 | 502..=504 => {
            let trouble = refused(status, &body, cluster, what);
            Ok(Tried::Again(after.unwrap_or(pause), trouble))
        }
        _ => Err(refused(status, &body, cluster, what)),
    }
}

fn too_large(name: &str, what: &str) -> Diagnostic {
    Diagnostic::error(
        "answer-too-large",
        format!("the cluster `{name}` sends a page of {what} of more than 512 MiB"),
    )
    .help("is it an API server?")
}

fn retry_after(response: &Response<Body>) -> Option<Duration> {
    let text = response.headers().get("retry-after")?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// Whether a connection failed or broke, so that another one may not.
fn is_broken(error: &kube::Error) -> bool {
    matches!(error, kube::Error::HyperError(_) | kube::Error::Service(_) | kube::Error::ReadEvents(_))
}

/// Whether there was no connection at all.
fn is_unreachable(error: &kube::Error) -> bool {
    let kube::Error::Service(error) = error else { return false };
    let client = error.downcast_ref::<hyper_util::client::legacy::Error>();
    client.is_some_and(hyper_util::client::legacy::Error::is_connect)
}
