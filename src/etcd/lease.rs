//! Leases: keys that go when who wrote them is no longer heard of.

use std::time::Duration;

use futures_util::stream;

use super::api::lease_client::LeaseClient;
use super::api::{LeaseGrantRequest, LeaseKeepAliveRequest, LeaseRevokeRequest};
use super::ask::Again;
use super::connect::Etcd;
use super::trouble::{Trouble, Why};
use crate::diagnostic::Diagnostic;

/// A lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Its number, by which keys go with it.
    pub id: i64,
    /// For how long it is good since it was given or kept last, as etcd grants it.
    pub lasts: Duration,
}

impl Etcd {
    /// Takes a lease for at least so many seconds.
    ///
    /// # Errors
    /// When no member answers, or it may not be done.
    pub async fn grant(&self, seconds: i64) -> Result<Lease, Trouble> {
        let ask = |link| async move {
            LeaseClient::new(link).lease_grant(LeaseGrantRequest { ttl: seconds, id: 0 }).await
        };
        // One that nobody heard of ends by itself.
        let answer = self.ask(Again::Safe, ask).await?;
        Ok(Lease { id: answer.id, lasts: lasts(answer.ttl) })
    }

    /// Keeps a lease for once more as long; says for how long.
    ///
    /// # Errors
    /// When no member answers, or it has ended ([`Why::NoLease`]).
    pub async fn keep_alive(&self, id: i64) -> Result<Duration, Trouble> {
        let ask = |link| async move {
            let asked = stream::once(std::future::ready(LeaseKeepAliveRequest { id }));
            let mut answers = LeaseClient::new(link).lease_keep_alive(asked).await?.into_inner();
            Ok(tonic::Response::new(answers.message().await?))
        };
        match self.ask(Again::Safe, ask).await? {
            Some(answer) if answer.ttl > 0 => Ok(lasts(answer.ttl)),
            _ => {
                let told = Diagnostic::error("etcd-lease", "a lease has ended")
                    .because("it was not kept in time: this was paused, or cut off from etcd");
                Err(Trouble::new(Why::NoLease, told))
            }
        }
    }

    /// Gives a lease back: all keys that go with it go.
    ///
    /// # Errors
    /// When no member answers; one that has ended is no error.
    pub async fn revoke(&self, id: i64) -> Result<(), Trouble> {
        let ask = |link| async move { LeaseClient::new(link).lease_revoke(LeaseRevokeRequest { id }).await };
        match self.ask(Again::Safe, ask).await {
            Err(trouble) if trouble.why != Why::NoLease => Err(trouble),
            _ => Ok(()),
        }
    }
}

fn lasts(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}
