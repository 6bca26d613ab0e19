//! The server of the API: connections, who is answered, and how much of anything one may send.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use super::drawing::Drawing;
use super::guard::{Identity, Tokens};
use super::links::Link;
use super::paced::Paced;
use super::picture::is_for_picture;
use super::reply::{asks_for_password, refused};
use super::server::Server;
use crate::app::api::{Reason, Refused, Serving};
use crate::diagnostic::Diagnostic;
use crate::serve::connections::{Answering, Connections, let_wait};
use crate::serve::hosts::is_meant;

/// Who does not send the head of a request within this time is cut off.
const PATIENCE: Duration = Duration::from_secs(10);
/// A request's head is at most so long, in bytes; URLs stand in it.
const LONGEST_HEAD: usize = 64 << 10;
/// So many connections are open at once; watches take one each.
const MOST: usize = 512;
/// So many of them watch at once.
const WATCHES: usize = 384;
/// So long nothing is accepted after it failed: descriptors may be given back meanwhile.
const REST: Duration = Duration::from_millis(100);

/// Where and how the API is served.
pub struct Listening {
    /// The address.
    pub address: SocketAddr,
    /// Names under which it is asked for beside addresses and `localhost`.
    pub hosts: Vec<String>,
    /// Who it says that it is, over TLS.
    pub identity: Option<Identity>,
    /// A file with the tokens of which a request must have one.
    pub tokens: Option<PathBuf>,
    /// What is served.
    pub serving: Serving,
}

/// Opens the store and listens; gives the address, and what serves until it is dropped.
///
/// # Errors
/// When the store cannot be opened, or the address not be listened on.
pub async fn listen(listening: Listening) -> Result<(SocketAddr, impl Future<Output = ()>), Vec<Diagnostic>> {
    let Listening { address, hosts, identity, tokens, serving } = listening;
    let tls = identity.map(|it| it.acceptor()).transpose()?;
    let tokens = tokens.map(|file| Tokens::read(&file)).transpose()?;
    let failed = |error: std::io::Error| {
        Diagnostic::error("listen", format!("cannot listen on `{address}`: {error}"))
            .help("name a free address with `--listen`, as `127.0.0.1:8001`")
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let_wait(&listener);
    let local = listener.local_addr().map_err(failed)?;
    let (write, drawing) = (serving.write, Drawing::of(&serving));
    let link = Link::open(serving)?;
    let server = Arc::new(Gate {
        server: Server {
            link,
            write,
            guarded: tokens.is_some(),
            drawing,
            address: local.to_string(),
            watches: Arc::new(Semaphore::new(WATCHES)),
        },
        hosts,
        tokens,
        tls,
    });
    Ok((local, accept(listener, server)))
}

/// Who is answered.
struct Gate {
    server: Server,
    hosts: Vec<String>,
    tokens: Option<Tokens>,
    tls: Option<TlsAcceptor>,
}

impl Gate {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        if !is_meant(request.uri(), request.headers(), &self.hosts) {
            let message = "not this host: `--listen-host` of `dsrules serve` allows more names";
            return refused(&Refused::new(Reason::Forbidden, message));
        }
        // A browser asks its user, and sends what it is told with each request: so it is taken only
        // for what changes nothing.
        let pictured = is_for_picture(request.method(), request.uri().path(), request.headers());
        if let Some(Err(refusal)) = self.tokens.as_ref().map(|it| it.check(request.headers(), pictured)) {
            return if pictured { asks_for_password(&refusal) } else { refused(&refusal) };
        }
        let (head, body) = request.into_parts();
        self.server.answer(head, Body::new(body)).await
    }
}

async fn accept(listener: TcpListener, gate: Arc<Gate>) {
    let mut open = Connections::new(MOST);
    loop {
        open.room().await;
        match listener.accept().await {
            Ok((stream, _)) => {
                let answering = Answering::default();
                let connection = tokio::spawn(connection(stream, gate.clone(), answering.clone()));
                open.admit(connection.abort_handle(), answering);
            }
            Err(_) => tokio::time::sleep(REST).await,
        }
    }
}

async fn connection(stream: TcpStream, gate: Arc<Gate>, answering: Answering) {
    let _ = stream.set_nodelay(true);
    let stream = Paced::new(stream);
    let Some(tls) = gate.tls.clone() else { return serve(stream, gate, answering).await };
    if let Ok(Ok(stream)) = tokio::time::timeout(PATIENCE, tls.accept(stream)).await {
        serve(stream, gate, answering).await;
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, gate: Arc<Gate>, answering: Answering) {
    let answer = move |request| {
        let (gate, under) = (gate.clone(), answering.begin());
        async move {
            let answer = gate.answer(request).await;
            // Until all of it is sent, a watch until it ends.
            let body = |body: Body| {
                Body::new(body.map_err(move |error| {
                    let _ = &under;
                    error
                }))
            };
            Ok::<_, Infallible>(answer.map(body))
        }
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service_fn(answer));
    // Whoever goes away has had enough.
    let _ = connection.await;
}
