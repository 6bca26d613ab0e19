//! The objects of a cluster, one page after the other, while the next is on its way.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use super::fetch::{Sent, fetch};
use super::objects::{Heard, objects};
use crate::app::listener::Listener;
use crate::cluster::{Access, Trouble};
use crate::diagnostic::Diagnostic;
use crate::kube::Object;

/// So many pages wait to be read: what is on its way is all that is in memory.
const WAITING: usize = 2;

/// Takes what is read.
pub(super) trait Taker {
    /// All that was taken is to be forgotten.
    fn begin(&mut self) -> Result<(), Diagnostic>;

    /// A pod as it came; false where it is to be read as an object.
    fn pod(&mut self, _item: &str) -> bool {
        false
    }

    /// Objects of one kind.
    fn take(&mut self, objects: Vec<Object>) -> Result<(), Diagnostic>;
}

/// Reads all of a cluster and gives its name. What may not be read, and what is to be said of
/// what was, is told.
pub(super) fn read(
    access: &Access,
    taker: &mut dyn Taker,
    listener: &dyn Listener,
) -> Result<String, Vec<Diagnostic>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        Diagnostic::error("no-runtime", "the cluster cannot be asked").because(error.to_string())
    })?;
    let (out, pages) = sync_channel(WAITING);
    thread::scope(|scope| {
        let fetching = scope.spawn(move || runtime.block_on(fetch(access, &out)));
        let taken = take(pages, taker, listener);
        let fetched = fetching.join();
        match (taken, fetched) {
            (Err(errors), _) => Err(errors),
            (_, Ok(Err(error))) => Err(vec![error]),
            (Ok(name), Ok(Ok(()))) => Ok(name),
            (_, Err(panic)) => std::panic::resume_unwind(panic),
        }
    })
}

/// Takes all pages; where that fails the other side finds that nobody listens.
fn take(
    pages: Receiver<Sent>,
    taker: &mut dyn Taker,
    listener: &dyn Listener,
) -> Result<String, Vec<Diagnostic>> {
    let (mut name, mut heard, mut unread) = (String::new(), Heard::default(), Vec::new());
    for sent in pages {
        match sent {
            Sent::Begin(cluster) => {
                (name, heard, unread) = (cluster, Heard::default(), Vec::new());
                taker.begin()?;
            }
            Sent::Page(read, page) => {
                let found = objects(read, &page.text, &name, &mut heard, &mut |item| taker.pod(item))?;
                taker.take(found)?;
            }
            Sent::Unread(read, trouble) => unread.push((read.unknown, trouble)),
        }
    }
    let unread = unread.into_iter().map(|(unknown, trouble)| warning(unknown.unwrap_or_default(), trouble));
    listener.tell(unread.chain(heard.told()).collect());
    Ok(name)
}

/// What may not be read, with what is not known then.
fn warning(unknown: &str, trouble: Trouble) -> Diagnostic {
    let Diagnostic { message, notes, help, .. } = trouble.told;
    let mut warning = Diagnostic::warning("not-read", message).because(unknown);
    warning.notes.extend(notes);
    Diagnostic { help, ..warning }
}
