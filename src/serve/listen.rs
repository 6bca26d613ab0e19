//! The server: a router of axum's behind hyper's HTTP/1, on a thread of its own.
//!
//! On its own thread it answers while a look at the manifests is under way.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};

use super::connections::{Answering, Connections, let_wait};
use super::hosts::is_meant;
use super::metrics::Metrics;
use crate::diagnostic::{Diagnostic, visible};

/// So many connections are open at once: a scrape and a few probes are quick. Thousands that come
/// at once and say nothing are through within a second (see [`Connections`]), and manifests and the
/// tree still find descriptors where there are 1,024 of them.
const MOST: usize = 256;
/// Who does not finish its request within this time gets no answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// A request's head is at most so long, in bytes.
const LONGEST_HEAD: usize = 8192;
/// So long nothing is accepted after it failed: descriptors may be given back meanwhile.
const REST: Duration = Duration::from_millis(100);
/// The form in which Prometheus and its like take numbers.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Serves `/metrics` and `/healthz` from a thread of its own until the process ends, and
/// gives the address. Requests for other hosts than this one and `hosts` are refused.
///
/// # Errors
/// When the address cannot be listened on.
pub fn serve(
    metrics: &Arc<Metrics>,
    address: SocketAddr,
    hosts: &[String],
) -> Result<SocketAddr, Diagnostic> {
    let failed = |error: io::Error| {
        Diagnostic::error("listen", format!("cannot listen on `{address}`: {error}"))
            .help("name a free address with `--listen`, as `127.0.0.1:9090`")
    };
    let listener = std::net::TcpListener::bind(address).map_err(failed)?;
    let_wait(&listener);
    listener.set_nonblocking(true).map_err(failed)?;
    let local = listener.local_addr().map_err(failed)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let router = router(metrics.clone(), hosts.into());
    let run = move || runtime.block_on(accept(listener, router)).unwrap_or_default();
    std::thread::Builder::new().name("metrics".to_owned()).spawn(run).map_err(failed)?;
    Ok(local)
}

fn router(metrics: Arc<Metrics>, hosts: Arc<[String]>) -> Router {
    Router::new()
        .route("/metrics", get(numbers))
        .route("/healthz", get(health))
        .method_not_allowed_fallback(async || (StatusCode::METHOD_NOT_ALLOWED, "only GET\n"))
        .fallback(async || (StatusCode::NOT_FOUND, "not found\n"))
        .with_state(metrics)
        .layer(from_fn_with_state(hosts, only_meant))
}

async fn only_meant(State(hosts): State<Arc<[String]>>, request: Request, next: Next) -> Response {
    if is_meant(request.uri(), request.headers(), &hosts) {
        return next.run(request).await;
    }
    (StatusCode::MISDIRECTED_REQUEST, "not this host; `--listen-host` allows more\n").into_response()
}

async fn numbers(State(metrics): State<Arc<Metrics>>) -> Response {
    match metrics.text() {
        Ok(text) => ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn health(State(metrics): State<Arc<Metrics>>) -> Response {
    match metrics.problem() {
        None => "ok\n".into_response(),
        Some(problem) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", visible(&problem))).into_response()
        }
    }
}

async fn accept(listener: std::net::TcpListener, router: Router) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let mut open = Connections::new(MOST);
    loop {
        open.room().await;
        match listener.accept().await {
            // An answer is one step: whoever waits for more has not asked, or does not read.
            Ok((stream, _)) => {
                let connection = tokio::spawn(answer(stream, router.clone()));
                open.admit(connection.abort_handle(), Answering::default());
            }
            // No file descriptor left, say: others may be given back.
            Err(_) => tokio::time::sleep(REST).await,
        }
    }
}

/// One request, one answer. Whoever is cut off has asked too slowly or too much.
fn answer(stream: TcpStream, router: Router) -> impl Future<Output = ()> {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(LONGEST_HEAD)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    async {
        let _ = tokio::time::timeout(PATIENCE, connection).await;
    }
}
