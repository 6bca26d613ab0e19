//! All kinds that are read, as they stood at one version of the cluster, page by page.
//!
//! The first list says which version the cluster is at, and the others are asked for as of that
//! one: what is seen was there together at one time. Where the cluster has forgotten it before
//! all is read, it begins again.

use std::sync::mpsc::SyncSender;

use super::kinds::{READ, Read};
use crate::cluster::{Access, Cluster, Gone, List, Page, Trouble, connect, list};
use crate::diagnostic::Diagnostic;

/// So many objects in a page.
const LIMIT: usize = 500;

/// So often it begins before it is given up.
const TRIES: usize = 3;

/// What comes of a cluster.
pub(super) enum Sent {
    /// All that came before is to be forgotten; the name of the cluster.
    Begin(String),
    /// Objects of a kind.
    Page(&'static Read, Page),
    /// A kind that may not be read, which is no reason to say nothing at all.
    Unread(&'static Read, Trouble),
}

/// Nobody takes what comes any more.
fn nobody() -> Diagnostic {
    Diagnostic::error("stopped", "the reading of the cluster was stopped")
}

/// Reads all of a cluster.
pub(super) async fn fetch(access: &Access, out: &SyncSender<Sent>) -> Result<(), Diagnostic> {
    let cluster = connect(access).await?;
    let mut tried = 1;
    loop {
        out.send(Sent::Begin(cluster.name.clone())).map_err(|_| nobody())?;
        match once(&cluster, out).await {
            Ok(()) => return Ok(()),
            Err(Gone::Expired(trouble)) if tried == TRIES => return Err(trouble.told.help(
                "it forgets what was a few minutes ago: try it again when less happens in it, or from nearer to it",
            )),
            Err(Gone::Expired(_)) => tried += 1,
            Err(Gone::Failed(error)) => return Err(error),
            Err(Gone::Trouble(trouble)) => return Err(trouble.told),
        }
    }
}

async fn once(cluster: &Cluster, out: &SyncSender<Sent>) -> Result<(), Gone> {
    let mut version: Option<String> = None;
    for read in &READ {
        let path = read.path();
        let asked = List { path: &path, what: read.plural, version: version.as_deref(), limit: LIMIT };
        let listed =
            list(cluster, &asked, async |page| out.send(Sent::Page(read, page)).map_err(|_| nobody()));
        match listed.await {
            Ok(of) => _ = version.get_or_insert(of),
            // A server that has no such kind has none of its objects.
            Err(Gone::Trouble(trouble)) if trouble.is_unknown() && read.unknown.is_some() => {}
            Err(Gone::Trouble(trouble)) if trouble.is_forbidden() && read.unknown.is_some() => {
                out.send(Sent::Unread(read, trouble)).map_err(|_| Gone::Failed(nobody()))?;
            }
            Err(other) => return Err(other),
        }
    }
    Ok(())
}
