//! The way of one who keeps a share of a store that many have: a thread that asks etcd, and a
//! mailbox for what is heard of it.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::follow::{News, follow};
use super::lease::{Claim, Standing, keep};
use crate::diagnostic::Diagnostic;
use crate::etcd::{Access, Etcd, Range, Thread};
use crate::target::etcd::wire;

/// What comes by the mailbox.
pub enum Input {
    /// What is new in the store.
    News(News),
    /// How the lease stands.
    Standing(Standing),
    /// That something else is to be looked at.
    Woken,
    /// That it is enough.
    Stop,
}

/// Ends who reads the mailbox, from any thread.
#[derive(Clone)]
pub struct Stop(Sender<Input>);

impl Stop {
    /// Ends it: its lease is given back. A controller's share moves at once; the pods of an agent
    /// go on, and its node is unreachable until there is another agent.
    pub fn stop(&self) {
        let _ = self.0.send(Input::Stop);
    }
}

/// A store that is asked, and the mailbox.
pub struct Joined {
    /// Where etcd is asked.
    pub thread: Thread,
    /// The store.
    pub etcd: Etcd,
    /// What all keys begin with.
    pub base: String,
    prefix: String,
    /// What is heard.
    pub inbox: Receiver<Input>,
    outbox: Sender<Input>,
}

impl Joined {
    /// Connects.
    ///
    /// # Errors
    /// When the store cannot be asked at all.
    pub fn new(access: Access) -> Result<Joined, Diagnostic> {
        let no_thread = |error: std::io::Error| {
            Diagnostic::error("no-thread", "nothing can be asked of etcd").because(error.to_string())
        };
        let thread = Thread::start().map_err(no_thread)?;
        let (prefix, base) = (access.prefix.clone(), wire::base(&access.prefix));
        let etcd = thread.wait(async move { Etcd::connect(&access).await }).ok_or_else(broke)??;
        let (outbox, inbox) = channel();
        Ok(Joined { thread, etcd, base, prefix, inbox, outbox })
    }

    /// Has what begins with this, below all keys, heard of from now on.
    pub fn follow(&self, part: &str) {
        let (outbox, range) = (self.outbox.clone(), Range::prefix(format!("{}{part}", self.base)));
        let place = (self.prefix.clone(), self.base.clone());
        let hear = move |news| outbox.send(Input::News(news)).is_ok();
        self.thread.spawn(follow(self.etcd.clone(), place, range, hear));
    }

    /// Has a lease kept from now on.
    pub fn keep(&self, claim: Claim) {
        let outbox = self.outbox.clone();
        let hear = move |standing| outbox.send(Input::Standing(standing)).is_ok();
        self.thread.spawn(keep(self.etcd.clone(), self.prefix.clone(), claim, hear));
    }

    /// Gives a lease back, if the store answers soon.
    pub fn give_back(&self, lease: i64) {
        let etcd = self.etcd.clone();
        self.thread.wait(async move {
            tokio::time::timeout(Duration::from_secs(2), etcd.revoke(lease)).await.is_ok()
        });
    }

    /// What puts something else into the mailbox to be looked at.
    pub fn waker(&self) -> impl Fn() + Send + Sync + 'static {
        let outbox = self.outbox.clone();
        move || drop(outbox.send(Input::Woken))
    }

    /// What ends who reads it.
    #[must_use]
    pub fn stopper(&self) -> Stop {
        Stop(self.outbox.clone())
    }
}

/// That the thread ended before it had an answer.
#[must_use]
pub fn broke() -> Diagnostic {
    Diagnostic::error("etcd", "what asks etcd broke off")
}
