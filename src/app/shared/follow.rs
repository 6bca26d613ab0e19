//! What becomes of a range of keys, for as long as somebody listens.

use std::time::Duration;

use super::entry::Entry;
use crate::diagnostic::Diagnostic;
use crate::etcd::{Etcd, Event, EventType, KeyValue, Range, Trouble, Why};
use crate::target::etcd::claim;

/// After an error it is asked again at first after so long, then after twice as long each time,
/// up to the longest.
const AGAIN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));

/// What is heard. Keys are without what all of them begin with.
#[derive(Debug)]
pub enum News {
    /// All keys there are at a revision; what is not there is gone.
    All {
        /// The keys.
        keys: Vec<(String, Entry)>,
        /// The revision.
        revision: i64,
        /// Whether it is another store than before, or an older state of it.
        anew: bool,
    },
    /// Keys that were written or deleted, each with the revision, and up to which one all was heard.
    Some {
        /// The keys.
        keys: Vec<(String, Option<Entry>, i64)>,
        /// The revision.
        revision: i64,
    },
    /// Nothing is heard for now, and why.
    Away(Diagnostic),
}

/// Follows the keys of a range of a prefix, which all begin with `base`, and gives them to `hear`,
/// until that says no. Each time before all is listed it is looked at whose the prefix is.
pub async fn follow(
    etcd: Etcd,
    (prefix, base): (String, String),
    range: Range,
    hear: impl Fn(News) -> bool + Send,
) {
    let (mut wait, mut anew) = (AGAIN.0, false);
    'anew: loop {
        let mut keys = Vec::new();
        let read = match claim(&etcd, &prefix, true).await {
            Ok(_) => etcd
                .pages::<Trouble>(&range, |page| {
                    keys.extend(page.iter().filter_map(|it| Some((name(&base, it)?, entry(it)))));
                    Ok(())
                })
                .await
                .map_err(Diagnostic::from),
            Err(told) => Err(told),
        };
        let revision = match read {
            Ok(revision) => revision,
            Err(told) => {
                if !hear(News::Away(told)) {
                    return;
                }
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(AGAIN.1);
                continue;
            }
        };
        if !hear(News::All { keys, revision, anew }) {
            return;
        }
        wait = AGAIN.0;
        let mut watch = etcd.watch(range.clone(), revision + 1);
        let mut broke = false;
        loop {
            match watch.next().await {
                Ok(heard) => {
                    (wait, broke) = (AGAIN.0, false);
                    let keys = heard.events.iter().filter_map(|event| change(&base, event)).collect();
                    if !hear(News::Some { keys, revision: heard.revision }) {
                        return;
                    }
                }
                Err(trouble) if matches!(trouble.why, Why::Compacted | Why::Ahead) => {
                    anew = trouble.why == Why::Ahead;
                    continue 'anew;
                }
                Err(trouble) => {
                    // Where another member goes on there is nothing to tell.
                    if std::mem::replace(&mut broke, true) && !hear(News::Away(trouble.told)) {
                        return;
                    }
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(AGAIN.1);
                }
            }
        }
    }
}

fn name(base: &str, key: &KeyValue) -> Option<String> {
    std::str::from_utf8(&key.key).ok()?.strip_prefix(base).map(str::to_owned)
}

/// A key as etcd tells it.
fn entry(key: &KeyValue) -> Entry {
    Entry { created: key.create_revision, modified: key.mod_revision, value: key.value.clone() }
}

fn change(base: &str, event: &Event) -> Option<(String, Option<Entry>, i64)> {
    let key = event.kv.as_ref()?;
    let is_put = event.r#type == i32::from(EventType::Put);
    Some((name(base, key)?, is_put.then(|| entry(key)), key.mod_revision))
}
