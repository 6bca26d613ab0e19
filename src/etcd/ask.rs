//! One request: to one member, and where that does not answer to the next.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Response, Status};

use super::connect::{Etcd, Link};
use super::trouble::{Trouble, Why, is_stale};
use crate::diagnostic::Diagnostic;

/// So long a member may take to answer: etcd itself gives up after seven seconds.
const PATIENCE: Duration = Duration::from_secs(8);
/// Between one round over all members and the next.
const PAUSE: Duration = Duration::from_millis(200);
/// So many rounds are made.
const ROUNDS: usize = 2;

/// Whether a request may be sent again where nobody knows what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// It changes nothing, or the same a second time.
    Safe,
    /// It is sent again only if it was not sent at all.
    Unsent,
}

impl Etcd {
    /// Asks one member after the other.
    pub(super) async fn ask<T, F>(&self, again: Again, ask: impl Fn(Link) -> F) -> Result<T, Trouble>
    where
        F: Future<Output = Result<Response<T>, Status>> + Send,
    {
        let who = &self.shared.who;
        let asked = self.rounds(again, |channel| ask(InterceptedService::new(channel, who.clone()))).await;
        match asked {
            Err((Some(status), _)) if is_stale(&status) => {
                self.authenticate().await?;
                let asked = self.rounds(again, |channel| ask(InterceptedService::new(channel, who.clone())));
                asked.await.map_err(|(_, trouble)| trouble)
            }
            asked => asked.map_err(|(_, trouble)| trouble),
        }
    }

    /// The same without saying who asks, with what the member said.
    pub(super) async fn ask_bare<T, F>(
        &self,
        ask: impl Fn(Channel) -> F,
    ) -> Result<T, (Option<Status>, Trouble)>
    where
        F: Future<Output = Result<Response<T>, Status>> + Send,
    {
        self.rounds(Again::Safe, ask).await
    }

    async fn rounds<T, F>(
        &self,
        again: Again,
        ask: impl Fn(Channel) -> F,
    ) -> Result<T, (Option<Status>, Trouble)>
    where
        F: Future<Output = Result<Response<T>, Status>> + Send,
    {
        let mut last = None;
        let count = self.shared.members.len();
        for tried in 0..count * ROUNDS {
            if tried > 0 && tried % count == 0 {
                tokio::time::sleep(PAUSE).await;
            }
            let at = self.shared.current.load(Ordering::Relaxed);
            let Some((member, channel)) = self.shared.members.get(at) else { break };
            let (status, trouble) = match tokio::time::timeout(PATIENCE, ask(channel.clone())).await {
                Ok(Ok(answer)) => return Ok(answer.into_inner()),
                Ok(Err(status)) => {
                    let trouble = Trouble::of(&status, member);
                    (Some(status), trouble)
                }
                Err(_) => (None, Trouble::silent(member, again == Again::Unsent)),
            };
            if trouble.passes() {
                self.next_member(at);
            }
            if !trouble.passes() || trouble.why == Why::Unsure && again == Again::Unsent {
                return Err((status, trouble));
            }
            last = Some((status, trouble));
        }
        Err(last.unwrap_or_else(|| {
            let told = Diagnostic::error("bad-store", format!("`{}` names no member", self.name()));
            (None, Trouble::new(Why::Other, told))
        }))
    }
}
