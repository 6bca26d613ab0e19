//! Controllers wait while somebody else writes: what is planned from what is there is not overtaken
//! by what they plan.
//!
//! They wait for a key under a lease, so they go on by themselves when who wrote it is gone. What
//! they are about to write fails, as the term is written with that key. No order depends on it:
//! whoever writes beside them compares that none of them has written since.

use std::sync::Weak;
use std::time::Duration;

use super::wire;
use crate::etcd::{Etcd, Lease, Op, Trouble, Txn};

/// For so many seconds they wait for somebody who is not heard of.
const SECONDS: i64 = 10;

/// Has controllers wait; gives the lease.
pub(super) async fn pause(etcd: &Etcd, base: &str, holder: &str) -> Result<Lease, Trouble> {
    let lease = etcd.grant(SECONDS).await?;
    let key = format!("{base}{}", wire::pause(&format!("{:016x}", lease.id)));
    let value = holder.as_bytes().to_vec();
    let then = vec![
        Op::Put { key: key.into_bytes(), value: value.clone(), lease: lease.id },
        Op::put(format!("{base}{}", wire::TERM), value),
    ];
    etcd.txn(&Txn { then, ..Txn::default() }).await?;
    Ok(lease)
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
