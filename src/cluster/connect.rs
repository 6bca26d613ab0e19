//! A cluster that can be asked.

use std::time::Duration;

use ::kube::Client;
use http::Uri;

use super::access::{Access, Whence};
use super::told::told;
use crate::diagnostic::Diagnostic;

/// So long a server may take to be reached, and to say anything at all.
const CONNECT: Duration = Duration::from_secs(10);
const SILENT: Duration = Duration::from_secs(60);

/// A cluster that can be asked.
#[derive(Clone)]
pub struct Cluster {
    /// The client, which says who asks.
    pub client: Client,
    /// Its name: that of the context.
    pub name: String,
    /// The address of its API server.
    pub address: String,
    /// The namespace that is meant where none is named.
    pub namespace: String,
    /// What says who asks.
    pub whence: Whence,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The client has what is secret.
        f.debug_struct("Cluster").field("name", &self.name).field("address", &self.address).finish()
    }
}

/// Makes a client of what is meant. Nothing is asked yet.
///
/// # Errors
/// When no cluster is known by that name, or what is known of it cannot be used.
pub async fn connect(access: &Access) -> Result<Cluster, Diagnostic> {
    let (mut config, name, whence) = access.config().await?;
    config.connect_timeout = Some(CONNECT);
    config.read_timeout = Some(SILENT);
    config.reset_reader_on_write = true;
    // What a server says of when to come again is heeded here, which that does not do.
    config.default_retry = false;
    let address = shown(&config.cluster_url);
    let namespace = config.default_namespace.clone();
    let client = Client::try_from(config).map_err(|error| told(&error, &name, &address))?;
    Ok(Cluster { client, name, address, namespace, whence })
}

/// An address without what may be secret in it.
fn shown(uri: &Uri) -> String {
    let host = uri.authority().map_or("", |authority| authority.as_str());
    let host = host.rsplit('@').next().unwrap_or_default();
    format!("{}://{host}{}", uri.scheme_str().unwrap_or("http"), uri.path().trim_end_matches('/'))
}
