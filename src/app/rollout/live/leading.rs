//! Keeps a lease while something else is done.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use super::clock::Clock;
use super::lease::{Claim, Lease, Standing};
use crate::cluster::{Cluster, create, get, update};
use crate::kube::micros;

/// A request about a lease may take so long.
const WITHIN: Duration = Duration::from_secs(5);

/// Which lease, and who wants it.
#[derive(Debug, Clone)]
pub struct Leasing {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Who we are: no two may be the same.
    pub identity: String,
    /// How long it holds when it is not renewed.
    pub duration: Duration,
}

/// Who may act.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Leader {
    /// Until when we may, by our own clock.
    pub until: Option<Duration>,
    /// Who else does, or what is wrong.
    pub other: Option<String>,
}

impl Leasing {
    fn paths(&self) -> (String, String) {
        let all = format!("/apis/coordination.k8s.io/v1/namespaces/{}/leases", self.namespace);
        (format!("{all}/{}", self.name), all)
    }
}

/// Takes the lease whenever it can be had, and renews it, for as long as it is let.
pub(super) async fn lead(cluster: Cluster, leasing: Leasing, clock: Clock, out: watch::Sender<Leader>) {
    let mut lease = Lease::new(&leasing.namespace, &leasing.name, &leasing.identity, leasing.duration);
    loop {
        let other = once(&cluster, &leasing, &mut lease, clock).await.err();
        let instant = clock.instant();
        let until = match lease.standing(instant) {
            Standing::Holds(left) => Some(instant + left),
            Standing::Not => None,
        };
        if out.send(Leader { until, other }).is_err() {
            return;
        }
        tokio::time::sleep(lease.every()).await;
    }
}

/// Asks for the lease once; gives who has it, or what is wrong, where it was not had.
async fn once(cluster: &Cluster, leasing: &Leasing, lease: &mut Lease, clock: Clock) -> Result<(), String> {
    let (one, all) = leasing.paths();
    let found = match get(cluster, &one, WITHIN).await {
        Ok(found) => Some(found),
        Err(refusal) if refusal.status == 404 => None,
        Err(refusal) => return Err(refusal.message),
    };
    let sent = clock.instant();
    let answered = match lease.claim(found.as_ref(), sent, &micros(clock.unix())) {
        Claim::Create(lease) => create(cluster, &all, &lease, WITHIN).await,
        Claim::Update(lease) => update(cluster, &one, &lease, WITHIN).await,
        Claim::Wait(holder) => return Err(format!("{holder} has the lease {}", leasing.name)),
    };
    answered.map_err(|refusal| refusal.message)?;
    lease.granted(sent);
    Ok(())
}

/// Gives the lease up, if it is ours: whoever waits need not wait until it is over.
pub(super) async fn give_up(cluster: &Cluster, leasing: &Leasing) {
    let lease = Lease::new(&leasing.namespace, &leasing.name, &leasing.identity, leasing.duration);
    let (one, _) = leasing.paths();
    let found: Option<Value> = get(cluster, &one, WITHIN).await.ok();
    if let Some(free) = found.and_then(|found| lease.given_up(&found)) {
        // Who cannot be told finds out by itself.
        let _ = update(cluster, &one, &free, WITHIN).await;
    }
}
