//! An etcd that can be asked: its members, one of which is asked at a time.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Request, Status};

use super::access::Access;
use super::trouble::{Trouble, Why};
use crate::diagnostic::{Diagnostic, Place};

/// So long a member may take to be reached.
const CONNECT: Duration = Duration::from_secs(3);
/// A connection on which nothing comes is asked so often whether it is alive; etcd takes more
/// than one in five seconds for an attack.
const ALIVE: Duration = Duration::from_secs(10);
const DEAD: Duration = Duration::from_secs(5);

/// A connection to a member, on which each request says who asks.
pub(super) type Link = InterceptedService<Channel, Who>;

/// An etcd that can be asked. Clones share their connections.
#[derive(Clone)]
pub struct Etcd {
    pub(super) shared: Arc<Shared>,
}

/// What clones share.
pub(super) struct Shared {
    /// As a person names it.
    pub(super) name: String,
    pub(super) members: Vec<(String, Channel)>,
    /// The member that is asked.
    pub(super) current: AtomicUsize,
    /// Who asks, with the password, where etcd wants to know.
    pub(super) user: Option<(String, String)>,
    pub(super) who: Who,
}

impl fmt::Debug for Etcd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Who asks is secret.
        f.debug_tuple("Etcd").field(&self.shared.name).finish()
    }
}

/// Says who asks, on each request, and that no member without a majority shall answer.
#[derive(Clone, Default)]
pub(super) struct Who {
    pub(super) token: Arc<RwLock<Option<MetadataValue<Ascii>>>>,
}

impl Interceptor for Who {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("hasleader", MetadataValue::from_static("true"));
        if let Some(token) = self.token.read().ok().and_then(|token| token.clone()) {
            request.metadata_mut().insert("token", token);
        }
        Ok(request)
    }
}

impl Etcd {
    /// Makes a client, without asking for anything yet.
    pub(super) fn new(access: &Access) -> Result<Etcd, Trouble> {
        let tls = tls(access).map_err(|told| Trouble::new(Why::Refused, told))?;
        let mut members = Vec::new();
        for member in &access.endpoints {
            let channel = channel(member, tls.as_ref()).map_err(|told| Trouble::new(Why::Other, told))?;
            members.push((member.clone(), channel));
        }
        let user = access.user.clone().map(|user| (user, access.password.clone().unwrap_or_default()));
        let (name, current) = (access.shown(), AtomicUsize::new(0));
        Ok(Etcd { shared: Arc::new(Shared { name, members, current, user, who: Who::default() }) })
    }

    /// As a person names it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Goes on with another member than `from`, unless somebody did already.
    pub(super) fn next_member(&self, from: usize) {
        let next = (from + 1) % self.shared.members.len().max(1);
        let _ = self.shared.current.compare_exchange(from, next, Ordering::Relaxed, Ordering::Relaxed);
    }
}

fn channel(member: &str, tls: Option<&ClientTlsConfig>) -> Result<Channel, Diagnostic> {
    let wrong = |error: &dyn std::error::Error| {
        let why = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        Diagnostic::error("bad-store", format!("etcd at {member} cannot be asked")).because(why)
    };
    let scheme = if tls.is_some() { "https" } else { "http" };
    let endpoint = Endpoint::from_shared(format!("{scheme}://{member}")).map_err(|error| wrong(&error))?;
    let endpoint = endpoint
        .connect_timeout(CONNECT)
        .http2_keep_alive_interval(ALIVE)
        .keep_alive_timeout(DEAD)
        .keep_alive_while_idle(true);
    let endpoint = match tls {
        Some(tls) => endpoint.tls_config(tls.clone()).map_err(|error| wrong(&error))?,
        None => endpoint,
    };
    Ok(endpoint.connect_lazy())
}

/// How TLS is spoken, if it is.
fn tls(access: &Access) -> Result<Option<ClientTlsConfig>, Diagnostic> {
    if !access.tls {
        return Ok(None);
    }
    let mut tls = ClientTlsConfig::new();
    tls = match &access.ca {
        Some(ca) => tls.ca_certificate(Certificate::from_pem(read(ca, "the authority's certificate")?)),
        None => tls.with_enabled_roots(),
    };
    match (&access.cert, &access.key) {
        (Some(cert), Some(key)) => {
            let (cert, key) = (read(cert, "the certificate")?, read(key, "the certificate's key")?);
            tls = tls.identity(Identity::from_pem(cert, key));
        }
        (None, None) => {}
        (Some(_), None) => return Err(half("--etcd-cert", "--etcd-key")),
        (None, Some(_)) => return Err(half("--etcd-key", "--etcd-cert")),
    }
    Ok(Some(tls))
}

fn half(given: &str, missing: &str) -> Diagnostic {
    Diagnostic::error("bad-store", format!("{given} is given without {missing}"))
        .help("a certificate is shown with its key: give both")
}

fn read(path: &Path, what: &str) -> Result<Vec<u8>, Diagnostic> {
    let shown = path.display().to_string();
    let wrong = |why: String| {
        Diagnostic::error("bad-certificate", format!("{what} `{shown}` cannot be used"))
            .at(Place::file(shown.as_str()))
            .because(why)
    };
    let bytes = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    // Nothing is said later of a file without one.
    if !bytes.windows(11).any(|part| part == b"-----BEGIN ") {
        return Err(wrong("it is no PEM file".to_owned()));
    }
    Ok(bytes)
}
