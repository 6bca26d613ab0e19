//! The thread that has the store, and what is asked of it.
//!
//! Store and rules stay on one thread. What wants something of them sends it there and waits;
//! what was committed by others is looked for before each and several times a second.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use crate::app::api::{Engine, Reason, Refused, Serving};
use crate::diagnostic::Diagnostic;

/// So often it is looked whether others have committed something.
const RHYTHM: Duration = Duration::from_millis(200);

type Job = Box<dyn FnOnce(Result<&mut Engine, &Diagnostic>) + Send>;

/// The way to the thread that has the store.
#[derive(Clone)]
pub struct Link {
    jobs: Sender<Job>,
    changed: watch::Receiver<u64>,
}

impl Link {
    /// Opens the store on a thread of its own.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(serving: Serving) -> Result<Link, Vec<Diagnostic>> {
        let (jobs, queue) = channel::<Job>();
        let (tell, changed) = watch::channel(0);
        let (opened, is_open) = channel();
        let run = move || match Engine::open(serving) {
            Ok(engine) => {
                let _ = opened.send(Ok(()));
                work(engine, &queue, &tell);
            }
            Err(errors) => {
                let _ = opened.send(Err(errors));
            }
        };
        let failed = |why: String| Diagnostic::error("thread", format!("cannot start a thread: {why}"));
        std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(run)
            .map_err(|error| failed(error.to_string()))?;
        is_open.recv().map_err(|error| failed(error.to_string()))??;
        Ok(Link { jobs, changed })
    }

    /// Asks something of the store.
    ///
    /// # Errors
    /// What it answers with, and when the store cannot be read.
    pub async fn ask<T: Send + 'static>(
        &self,
        what: impl FnOnce(&mut Engine) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |engine| {
            let said = match engine {
                Ok(engine) => what(engine),
                Err(error) => Err(error.clone().into()),
            };
            let _ = answer.send(said);
        });
        let gone = || Refused::new(Reason::InternalError, "Internal error occurred: the store is closed");
        self.jobs.send(job).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Tells of changes: the place that the next one gets.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.clone()
    }
}

fn work(mut engine: Engine, queue: &Receiver<Job>, tell: &watch::Sender<u64>) {
    loop {
        let job = match queue.recv_timeout(RHYTHM) {
            Ok(job) => Some(job),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let refreshed = engine.refresh();
        if let Err(error) = &refreshed {
            tracing::warn!(error = error.message, "the store cannot be read");
        }
        if let Err(refused) = engine.tick() {
            tracing::warn!(error = refused.message, "the rules cannot be asked again");
        }
        if let Some(job) = job {
            match &refreshed {
                Ok(_) => job(Ok(&mut engine)),
                Err(error) => job(Err(error)),
            }
        }
        let next = engine.replica().next();
        tell.send_if_modified(|known| std::mem::replace(known, next) != next);
    }
}
