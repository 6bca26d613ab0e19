//! Whoever writes beside controllers has them wait, and takes turns with others who do: what is planned
//! from what is there is not overtaken by what they plan.
//!
//! All wait for a key under a lease, so they go on by themselves when who wrote it is gone. What
//! controllers are about to write fails, as the term is written when it is somebody's turn. The order is
//! that in which the keys came; nothing depends on it, as whoever writes compares that nobody else
//! has written since.

use std::sync::Weak;
use std::time::Duration;

use super::wire;
use crate::etcd::{Etcd, Lease, Range, Trouble};

/// For so many seconds they wait for somebody who is not heard of.
const SECONDS: i64 = 10;
/// It is looked whose turn it is after so long,
const LOOK: Duration = Duration::from_millis(50);
/// at most so often: then it is tried without one,
const PATIENCE: u32 = 600;
/// and after so many looks the lease is kept.
const KEEP: u32 = 50;

/// Waits for a turn, and has controllers wait; gives the lease that both last for.
pub(super) async fn pause(etcd: &Etcd, base: &str, holder: &str) -> Result<Lease, Trouble> {
    let lease = etcd.grant(SECONDS).await?;
    let turn = async {
        let key = format!("{base}{}", wire::pause(&format!("{:016x}", lease.id))).into_bytes();
        etcd.put(key.clone(), holder.as_bytes().to_vec(), lease.id).await?;
        wait_behind(etcd, Range::prefix(format!("{base}{}", wire::PAUSES)), &lease, &key).await?;
        etcd.put(format!("{base}{}", wire::TERM), holder.as_bytes().to_vec(), 0).await
    };
    match turn.await {
        Ok(_) => Ok(lease),
        Err(trouble) => {
            end(etcd.clone(), lease.id).await;
            Err(trouble)
        }
    }
}

/// Waits until nobody is left who came before.
async fn wait_behind(etcd: &Etcd, all: Range, lease: &Lease, own: &[u8]) -> Result<(), Trouble> {
    for look in 0..PATIENCE {
        let there = etcd.page(&all, 0, 0).await?.keys;
        let came = there.iter().find(|it| it.key == own).map_or(0, |it| it.create_revision);
        if there.iter().all(|it| it.create_revision >= came) {
            break;
        }
        if look % KEEP == KEEP - 1 {
            etcd.keep_alive(lease.id).await?;
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// Has them wait on, for as long as somebody holds on to it.
pub(super) async fn keep(etcd: Etcd, lease: Lease, held: Weak<()>) {
    loop {
        tokio::time::sleep(lease.lasts / 3).await;
        if held.strong_count() == 0 {
            return;
        }
        // Who cannot keep it writes under the comparison alone.
        if etcd.keep_alive(lease.id).await.is_err() {
            return;
        }
    }
}

/// Lets them go on, if etcd answers soon.
pub(super) async fn end(etcd: Etcd, lease: i64) {
    let _ = tokio::time::timeout(Duration::from_secs(2), etcd.revoke(lease)).await;
}
