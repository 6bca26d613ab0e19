//! All probes of all containers that run: a task for each container, on one thread.
//!
//! A container that is started again is another run, which is asked from the beginning. A run
//! whose liveness or startup probe fails is stopped; that it is started again is the business
//! of whoever lists the pods.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::{self, MissedTickBehavior};

use super::ask::ask;
use super::spec::Probe;
use super::streak::Streak;
use crate::target::podman::command::{CHANGE, Command};

/// A run of a container that is to be asked.
#[derive(Debug, Clone)]
pub(in crate::target::podman) struct Watch {
    /// The container's id for podman.
    pub(in crate::target::podman) id: String,
    /// Its process, which tells runs apart.
    pub(in crate::target::podman) process: i64,
    /// How long it has run already.
    pub(in crate::target::podman) age: Duration,
    /// Its name for podman.
    pub(in crate::target::podman) container: String,
    /// The address of its pod.
    pub(in crate::target::podman) address: String,
    /// Its probes.
    pub(in crate::target::podman) startup: Option<Probe>,
    /// Whether it may be sent work.
    pub(in crate::target::podman) readiness: Option<Probe>,
    /// Whether it should go on running.
    pub(in crate::target::podman) liveness: Option<Probe>,
}

/// What the probes of a run have come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::target::podman) struct Health {
    /// What the readiness probe says; `None` where it has not settled.
    pub(in crate::target::podman) ready: Option<bool>,
    /// What the last bad answer was, and of which probe.
    pub(in crate::target::podman) why: String,
    /// Whether there has been an answer at all.
    is_heard: bool,
}

#[cfg(test)]
impl Health {
    /// What a test says it is.
    pub(in crate::target::podman) fn of(ready: Option<bool>, why: &str) -> Self {
        Health { ready, why: why.to_owned(), is_heard: true }
    }
}

/// The answers, and who waits for them.
#[derive(Debug, Default)]
struct Board {
    runs: Mutex<BTreeMap<(String, i64), Health>>,
    heard: Condvar,
}

impl Board {
    fn runs(&self) -> MutexGuard<'_, BTreeMap<(String, i64), Health>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, run: &(String, i64), change: impl FnOnce(&mut Health)) {
        if let Some(health) = self.runs().get_mut(run) {
            health.is_heard = true;
            change(health);
        }
        self.heard.notify_all();
    }
}

/// Asks containers.
#[derive(Debug)]
pub(in crate::target::podman) struct Prober {
    podman: Command,
    board: Arc<Board>,
    tasks: Mutex<BTreeMap<(String, i64), AbortHandle>>,
    handle: Handle,
    /// Dropped with us, which ends the thread.
    _alive: oneshot::Sender<()>,
}

impl Prober {
    /// Begins, with nobody to ask.
    ///
    /// # Errors
    /// When the machine has no thread for it.
    pub(in crate::target::podman) fn start(podman: Command) -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (alive, ended) = oneshot::channel();
        let (send, running) = mpsc::channel();
        thread::Builder::new().name("probes".to_owned()).spawn(move || {
            let _ = send.send(());
            let _ = runtime.block_on(ended);
            // A question that blocks is not waited for.
            runtime.shutdown_background();
        })?;
        let _ = running.recv();
        Ok(Prober { podman, board: Arc::default(), tasks: Mutex::default(), handle, _alive: alive })
    }

    /// Asks these runs and no others, from now on. A run that could have answered already is
    /// given a moment to, so that who has just begun to ask does not take it for unready.
    pub(in crate::target::podman) fn attend(&self, runs: Vec<Watch>, moment: Duration) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = |run: &(String, i64)| runs.iter().any(|it| it.id == run.0 && it.process == run.1);
        tasks.retain(|run, task| {
            let stays = wanted(run);
            if !stays {
                task.abort();
            }
            stays
        });
        self.board.runs().retain(|run, _| wanted(run));
        let mut due = Vec::new();
        for watch in runs {
            let run = (watch.id.clone(), watch.process);
            if tasks.contains_key(&run) {
                continue;
            }
            self.board.runs().insert(run.clone(), Health::default());
            if watch
                .startup
                .as_ref()
                .or(watch.readiness.as_ref())
                .is_some_and(|probe| watch.age > probe.delay + probe.period)
            {
                due.push(run.clone());
            }
            let task = attend(watch, self.podman.clone(), Arc::clone(&self.board));
            tasks.insert(run, self.handle.spawn(task).abort_handle());
        }
        drop(tasks);
        let is_waited_for = |all: &mut BTreeMap<(String, i64), Health>| {
            due.iter().any(|run| all.get(run).is_some_and(|health| !health.is_heard))
        };
        if !due.is_empty() {
            let waited = self.board.heard.wait_timeout_while(self.board.runs(), moment, is_waited_for);
            drop(waited);
        }
    }

    /// What is known of a run.
    pub(in crate::target::podman) fn health(&self, id: &str, process: i64) -> Health {
        self.board.runs().get(&(id.to_owned(), process)).cloned().unwrap_or_default()
    }
}

/// Asks one run until it is stopped.
async fn attend(watch: Watch, podman: Command, board: Arc<Board>) {
    let run = (watch.id.clone(), watch.process);
    if let Some(probe) = &watch.startup {
        let mut asked = Asked::new(probe, &watch, &podman);
        loop {
            let (is_well, why) = asked.next().await;
            match is_well {
                Some(true) => break,
                Some(false) => return end("Startup", probe, why, &watch, &podman, &board).await,
                None => board.tell(&run, |health| health.why = said("Startup", &why)),
            }
        }
    }
    if watch.startup.is_some() && watch.readiness.is_none() {
        // It has started, and nobody asks for more.
        board.tell(&run, |health| {
            health.ready = Some(true);
            health.why.clear();
        });
    }
    let readiness = async {
        let Some(probe) = &watch.readiness else { return };
        let mut asked = Asked::new(probe, &watch, &podman);
        loop {
            let (is_well, why) = asked.next().await;
            board.tell(&run, |health| {
                health.ready = is_well;
                health.why = said("Readiness", &why);
            });
        }
    };
    let liveness = async {
        let Some(probe) = &watch.liveness else { return };
        let mut asked = Asked::new(probe, &watch, &podman);
        loop {
            if let (Some(false), why) = asked.next().await {
                return end("Liveness", probe, why, &watch, &podman, &board).await;
            }
        }
    };
    tokio::join!(readiness, liveness);
}

fn said(probe: &str, why: &str) -> String {
    if why.is_empty() { String::new() } else { format!("{probe} probe failed: {why}") }
}

/// Stops a container, with the time it has to end.
async fn end(which: &str, probe: &Probe, why: String, watch: &Watch, podman: &Command, board: &Board) {
    board.tell(&(watch.id.clone(), watch.process), |health| {
        health.ready = Some(false);
        health.why = said(which, &why);
    });
    let grace = probe.grace.unwrap_or(30);
    // A podman that fails is asked again; once it is done, the run is over.
    loop {
        let (podman, name) = (podman.clone(), watch.container.clone());
        let within = Duration::from_secs(grace) + CHANGE;
        let stopping = tokio::task::spawn_blocking(move || {
            podman.run(&["stop", "-t", &grace.to_string(), &name], "", within)
        });
        if matches!(stopping.await, Ok(Ok(_))) {
            return;
        }
        time::sleep(probe.period).await;
    }
}

/// A probe that is asked again and again.
struct Asked<'a> {
    probe: &'a Probe,
    watch: &'a Watch,
    podman: &'a Command,
    streak: Streak,
    ticks: Option<time::Interval>,
}

impl<'a> Asked<'a> {
    fn new(probe: &'a Probe, watch: &'a Watch, podman: &'a Command) -> Self {
        Asked { probe, watch, podman, streak: Streak::default(), ticks: None }
    }

    /// What it has come to with the next answer, and what was wrong with that.
    async fn next(&mut self) -> (Option<bool>, String) {
        let Asked { probe, watch, .. } = *self;
        match &mut self.ticks {
            Some(ticks) => {
                ticks.tick().await;
            }
            None => {
                time::sleep(probe.delay.saturating_sub(watch.age)).await;
                let mut ticks = time::interval(probe.period);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                // The first comes at once.
                ticks.tick().await;
                self.ticks = Some(ticks);
            }
        }
        let answer = ask(&probe.how, self.podman, &watch.container, &watch.address, probe.timeout).await;
        self.streak.hear(answer.is_ok(), probe.success, probe.failure);
        (self.streak.is_well, answer.err().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    /// A podman whose `exec` runs the command here, and whose `stop` makes a file.
    fn podman(folder: &std::path::Path) -> Command {
        let script = "case $0 in exec) shift; exec \"$@\";; stop) echo \"$@\" > stopped;; esac";
        let options = vec!["-c".to_owned(), script.to_owned()];
        Command { program: "sh".to_owned(), options, folder: folder.to_owned() }
    }

    fn exec(script: &str) -> Option<Probe> {
        let probe =
            json!({"exec": {"command": ["sh", "-c", script]}, "periodSeconds": 1, "failureThreshold": 1});
        Probe::of(&probe, &json!({}), &json!({"terminationGracePeriodSeconds": 3})).unwrap()
    }

    fn watch(startup: Option<Probe>, readiness: Option<Probe>, liveness: Option<Probe>) -> Watch {
        Watch {
            id: "c1".to_owned(),
            process: 5,
            age: Duration::from_secs(100),
            container: "web".to_owned(),
            address: "127.0.0.1".to_owned(),
            startup,
            readiness,
            liveness,
        }
    }

    fn until(done: impl Fn() -> bool) {
        for _ in 0..600 {
            if done() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("it did not come to that");
    }

    #[test]
    fn a_run_is_asked_from_the_start_and_its_answer_is_there_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let prober = Prober::start(podman(dir.path())).unwrap();
        let moment = Duration::from_secs(10);
        prober.attend(vec![watch(None, exec("test -e ok || { echo no >&2; exit 1; }"), None)], moment);
        let health = prober.health("c1", 5);
        assert_eq!((health.ready, &*health.why), (Some(false), "Readiness probe failed: no"));
        std::fs::write(dir.path().join("ok"), "").unwrap();
        until(|| prober.health("c1", 5).ready == Some(true) && prober.health("c1", 5).why.is_empty());
        assert_eq!(prober.health("c1", 6), Health::default(), "another run has not been asked");
        prober.attend(Vec::new(), moment);
        assert_eq!(prober.health("c1", 5), Health::default());
    }

    #[test]
    fn nothing_else_is_asked_until_it_has_started_up() {
        let dir = tempfile::tempdir().unwrap();
        let prober = Prober::start(podman(dir.path())).unwrap();
        let startup = exec("test -e up").map(|probe| Probe { failure: 100, ..probe });
        prober.attend(vec![watch(startup, exec("touch asked"), exec("touch asked"))], Duration::ZERO);
        until(|| !prober.health("c1", 5).why.is_empty());
        assert!(!dir.path().join("asked").exists());
        std::fs::write(dir.path().join("up"), "").unwrap();
        until(|| prober.health("c1", 5).ready == Some(true));
        assert!(!dir.path().join("stopped").exists());
    }

    #[test]
    fn one_that_has_started_up_is_ready_where_nobody_asks_for_more() {
        let dir = tempfile::tempdir().unwrap();
        let prober = Prober::start(podman(dir.path())).unwrap();
        prober.attend(vec![watch(exec("exit 0"), None, None)], Duration::from_secs(100));
        assert_eq!(prober.health("c1", 5).ready, Some(true));
    }

    #[test]
    fn one_that_does_not_live_is_stopped() {
        for is_startup in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let prober = Prober::start(podman(dir.path())).unwrap();
            let bad = exec("exit 1");
            let run = if is_startup { watch(bad, None, None) } else { watch(None, None, bad) };
            prober.attend(vec![run], Duration::ZERO);
            let stopped = || std::fs::read_to_string(dir.path().join("stopped")).unwrap_or_default();
            until(|| stopped() == "-t 3 web\n");
            assert_eq!(prober.health("c1", 5).ready, Some(false));
        }
    }
}
