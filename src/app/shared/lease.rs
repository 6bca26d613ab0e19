//! A key that is there for as long as somebody lives: by a lease that is kept.
//!
//! Whoever was paused or cut off for longer than the lease lasts finds it ended, and takes another
//! one: the key is then another one too, by the revision that made it.

use std::time::Duration;

use crate::diagnostic::Diagnostic;
use crate::etcd::{Compare, Etcd, Lease, Op, Range, Txn, Why};
use crate::target;

/// Between one try and the next.
const PAUSE: Duration = Duration::from_millis(500);
/// A lease is kept so many times in the time that it lasts.
const OFTEN: u32 = 4;

/// What is to be there.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The key.
    pub key: String,
    /// Its value.
    pub value: Vec<u8>,
    /// For how many seconds it is there when nobody is heard of.
    pub seconds: i64,
    /// What else is written when it is taken.
    pub also: Vec<(String, Vec<u8>)>,
    /// Whether it may be taken from somebody who has it with this value: one who was here before.
    pub ours: bool,
}

/// How it stands.
#[derive(Debug, Clone)]
pub enum Standing {
    /// It is there, made by a revision, and goes with a lease.
    Holds {
        /// The revision.
        created: i64,
        /// The lease.
        lease: i64,
    },
    /// It is not there, or soon will not be any longer, or nobody knows.
    Lost,
    /// Somebody else has it.
    Taken,
    /// It cannot be had for now, and why.
    Away(Diagnostic),
}

/// Keeps a key of a prefix there, and says how it stands, until `hear` says no.
pub async fn keep(etcd: Etcd, prefix: String, claim: Claim, hear: impl Fn(Standing) -> bool + Send) {
    loop {
        let standing = match take(&etcd, &prefix, &claim).await {
            Ok(Some((created, lease))) => {
                if !hear(Standing::Holds { created, lease: lease.id }) {
                    return;
                }
                renew(&etcd, lease).await;
                Standing::Lost
            }
            Ok(None) => Standing::Taken,
            Err(told) => Standing::Away(told),
        };
        let lost = matches!(standing, Standing::Lost);
        if !hear(standing) {
            return;
        }
        if !lost {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Takes the key; nothing where somebody else has it. Nothing is written to another one's prefix.
async fn take(etcd: &Etcd, prefix: &str, claim: &Claim) -> Result<Option<(i64, Lease)>, Diagnostic> {
    target::etcd::claim(etcd, prefix, true).await?;
    let (before, _) = etcd.get(&claim.key).await?;
    if before.as_ref().is_some_and(|it| !claim.ours || it.value != claim.value) {
        return Ok(None);
    }
    let lease = etcd.grant(claim.seconds).await?;
    let key = claim.key.clone().into_bytes();
    let mut then = Vec::new();
    if let Some(before) = before {
        // Another lease is another key: what was to be written by the one before is not.
        let compares = vec![Compare::unchanged(key.clone(), before.mod_revision)];
        let gone = Txn { compares, then: vec![Op::Delete(Range::key(key.clone()))], ..Txn::default() };
        if !etcd.txn(&gone).await?.succeeded {
            return Ok(None);
        }
    }
    then.push(Op::Put { key: key.clone(), value: claim.value.clone(), lease: lease.id });
    then.extend(claim.also.iter().map(|(key, value)| Op::put(key.clone(), value.clone())));
    let done = etcd.txn(&Txn { compares: vec![Compare::same(key, 0)], then, ..Txn::default() }).await?;
    if !done.succeeded {
        let _ = etcd.revoke(lease.id).await;
        return Ok(None);
    }
    Ok(Some((done.revision, lease)))
}

/// Keeps a lease until it has ended, or was not kept for as long as it lasts.
async fn renew(etcd: &Etcd, lease: Lease) {
    loop {
        tokio::time::sleep(lease.lasts / OFTEN).await;
        let kept = async {
            loop {
                match etcd.keep_alive(lease.id).await {
                    Ok(_) => return true,
                    Err(trouble) if trouble.why == Why::NoLease => return false,
                    Err(_) => tokio::time::sleep(PAUSE / 2).await,
                }
            }
        };
        if !tokio::time::timeout(lease.lasts, kept).await.unwrap_or(false) {
            return;
        }
    }
}
