//! Carries a rollout out in a cluster: hears, decides, asks, until it is done or is to stop.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::clock::Clock;
use super::decision::{Decider, Progress, Replace};
use super::events::{Said, event};
use super::leading::{Leader, Leasing, give_up, lead};
use super::requests::{replace, say};
use super::runner::{Answer, Ask, How, Look, Runner, State};
use super::seen::Drive;
use super::watches::{Scope, Watches};
use crate::cluster::{Cluster, Heard};
use crate::datalog::Program;
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, ObjectKey};

/// It is looked at so often, though nothing was heard: time passes too.
const TICK: Duration = Duration::from_secs(1);
/// What is heard within this time is looked at together.
const TOGETHER: Duration = Duration::from_millis(30);
/// A request may take so long.
const WITHIN: Duration = Duration::from_secs(10);
/// So long after a watch broke nothing is asked, unless it is heard of again: what is seen is old.
const DEAF: Duration = Duration::from_secs(40);

/// A rollout that is to be carried out.
pub struct Request {
    /// The rules, and how much of the cluster they may ask about.
    pub rules: (Program, Scope),
    /// Which daemonset, and within which bounds.
    pub drive: Drive,
    /// How pods go.
    pub how: How,
    /// Whether the daemonset's own controller may replace them too.
    pub alongside: bool,
    /// The lease that says who acts, where there may be several.
    pub lease: Option<Leasing>,
    /// Who says what is said on the daemonset.
    pub reporter: String,
    /// The time.
    pub clock: Clock,
}

/// What is told on the way.
pub enum Told<'a> {
    /// How far it is, and what is waited for, where that is new.
    Stands(&'a Progress, &'a [String]),
    /// A pod was asked to go, and what became of that.
    Asked(&'a Replace, &'a Answer),
    /// Something that was said on the daemonset.
    Said(&'a Said),
    /// That somebody else acts, or that we do (nothing).
    Leader(Option<&'a str>),
    /// Something is wrong that may pass.
    Trouble(Diagnostic),
}

/// How it ended.
#[derive(Debug)]
pub enum Ended {
    /// All pods have the current template and are available.
    Complete(Progress),
    /// It was to stop.
    Interrupted(Progress),
    /// It is not to be gone on with.
    Stopped(Diagnostic),
}

/// Carries a rollout out, until it is done, stopped, or `stop` says so.
///
/// # Errors
/// When the cluster does not answer at the start, does not let us read what is needed, or a rule
/// derives too much.
pub async fn carry_out(
    cluster: &Cluster,
    request: Request,
    mut stop: watch::Receiver<bool>,
    told: &mut dyn FnMut(Told<'_>),
) -> Result<Ended, Diagnostic> {
    let mut driver = Driver::new(cluster, request);
    let ended = driver.run(&mut stop, told).await;
    driver.end(&ended, told).await;
    ended
}

struct Driver<'c> {
    cluster: &'c Cluster,
    watches: Watches,
    runner: Runner,
    how: How,
    daemonset: ObjectKey,
    reporter: String,
    clock: Clock,
    leasing: Option<(Leasing, watch::Receiver<Leader>, JoinHandle<()>)>,
    leads: bool,
    /// Whether all is being listed again because that was asked for.
    lists: bool,
    /// What was told last.
    stands: Option<(Progress, Vec<String>)>,
    other: Option<String>,
    progress: Progress,
    /// When a watch broke that has not been heard of since.
    broken: Option<(Kind, Duration)>,
}

impl<'c> Driver<'c> {
    fn new(cluster: &'c Cluster, request: Request) -> Self {
        let Request { rules: (program, scope), drive, how, alongside, lease, reporter, clock } = request;
        let leasing = lease.map(|leasing| {
            let (sender, receiver) = watch::channel(Leader::default());
            let task = tokio::spawn(lead(cluster.clone(), leasing.clone(), clock, sender));
            (leasing, receiver, task)
        });
        Driver {
            cluster,
            watches: Watches::new(cluster, &drive.daemonset, scope),
            daemonset: drive.daemonset.clone(),
            runner: Runner::new(Decider::new(&program, drive), alongside),
            how,
            reporter,
            clock,
            leads: leasing.is_none(),
            lists: false,
            leasing,
            stands: None,
            other: None,
            progress: Progress::default(),
            broken: None,
        }
    }

    async fn run(
        &mut self,
        stop: &mut watch::Receiver<bool>,
        told: &mut dyn FnMut(Told<'_>),
    ) -> Result<Ended, Diagnostic> {
        loop {
            let heard = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return Ok(Ended::Interrupted(self.progress.clone())),
                heard = self.watches.next() => heard,
                () = sleep(TICK) => None,
            };
            if let Some((kind, heard)) = heard {
                self.hear(kind, heard, told)?;
                sleep(TOGETHER).await;
            }
            while let Some((kind, heard)) = self.watches.ready() {
                self.hear(kind, heard, told)?;
            }
            self.follow_lease(told);
            if self.watches.is_whole()
                && let Some(ended) = self.step(stop, told).await?
            {
                return Ok(ended);
            }
        }
    }

    /// Takes in what was heard.
    fn hear(&mut self, kind: Kind, heard: Heard, told: &mut dyn FnMut(Told<'_>)) -> Result<(), Diagnostic> {
        let (seen, now) = (&mut self.runner.decider.seen, self.clock.seconds());
        if !matches!(heard, Heard::Broken(_) | Heard::Old)
            && self.broken.is_some_and(|(broken, _)| broken == kind)
        {
            self.broken = None;
        }
        match heard {
            Heard::All(objects) => {
                seen.replace(kind, objects, now);
                // A watch that begins anew by itself may give a list from before our last step.
                if self.lists && self.watches.is_whole() {
                    self.lists = false;
                    self.runner.listed();
                }
            }
            Heard::Put(object) => seen.put(kind, object, now),
            Heard::Gone(object) => seen.gone(kind, &object),
            Heard::Old => {}
            Heard::Refused(error) => return Err(error),
            Heard::Broken(error) if self.stands.is_none() => return Err(error),
            Heard::Broken(error) => {
                if self.broken.replace((kind, self.clock.instant())).is_none() {
                    told(Told::Trouble(error));
                }
            }
        }
        Ok(())
    }

    /// Notes whether we act: what was seen before we did is from when somebody else acted.
    fn follow_lease(&mut self, told: &mut dyn FnMut(Told<'_>)) {
        let Some((_, leader, _)) = &self.leasing else { return };
        let leader = leader.borrow().clone();
        let leads = leader.until.is_some_and(|until| self.clock.instant() < until);
        if leads && !self.leads {
            self.runner.distrust();
            told(Told::Leader(None));
            self.other = None;
        }
        if !leads && leader.other.is_some() && leader.other != self.other {
            told(Told::Leader(leader.other.as_deref()));
            self.other = leader.other;
        }
        self.leads = leads;
    }

    /// How long a request may take that is sent now; none where none may be sent.
    fn within(&self) -> Option<Duration> {
        let Some((_, leader, _)) = &self.leasing else { return Some(WITHIN) };
        let left = leader.borrow().until?.checked_sub(self.clock.instant())?;
        // One that is cut off soon may be carried out all the same.
        (left > TICK).then(|| left.min(WITHIN))
    }

    fn is_deaf(&self) -> bool {
        self.broken.is_some_and(|(_, since)| self.clock.instant() < since + DEAF)
    }

    /// Looks at what is seen, and asks for what follows.
    async fn step(
        &mut self,
        stop: &watch::Receiver<bool>,
        told: &mut dyn FnMut(Told<'_>),
    ) -> Result<Option<Ended>, Diagnostic> {
        let acts = self.leads && !self.is_deaf();
        let Look { asks, state, progress, waits } =
            self.runner.look(self.clock.seconds(), self.clock.instant(), acts)?;
        self.progress = progress.clone();
        let stands = (progress, waits);
        if self.stands.as_ref() != Some(&stands) {
            told(Told::Stands(&stands.0, &stands.1));
            self.stands = Some(stands);
        }
        for ask in asks {
            if *stop.borrow() {
                return Ok(Some(Ended::Interrupted(self.progress.clone())));
            }
            match ask {
                Ask::Replace(pod) => {
                    let Some(within) = self.within() else { break };
                    let answer = replace(self.cluster, &pod, self.how, within).await;
                    told(Told::Asked(&pod, &answer));
                    self.runner.answered(&pod, answer, self.clock.instant());
                }
                Ask::Say(said) => self.say(&said, told).await,
                Ask::List => {
                    self.lists = true;
                    self.watches.begin();
                }
            }
        }
        Ok(match state {
            State::Goes => None,
            State::Complete => Some(Ended::Complete(self.progress.clone())),
            State::Stopped(error) => Some(Ended::Stopped(error)),
        })
    }

    async fn say(&self, said: &Said, told: &mut dyn FnMut(Told<'_>)) {
        told(Told::Said(said));
        let uid = self.runner.decider.seen.daemonset().unwrap_or_default();
        let event = event(said, &self.daemonset, &uid, &self.reporter, self.clock.unix().as_nanos());
        if let Err(why) = say(self.cluster, &self.daemonset, &event, WITHIN).await {
            let warning = Diagnostic::warning("no-event", "an Event cannot be written").because(why);
            told(Told::Trouble(warning));
        }
    }

    /// Leaves things so that whoever comes next can go on at once.
    async fn end(&mut self, ended: &Result<Ended, Diagnostic>, told: &mut dyn FnMut(Told<'_>)) {
        if let (Ok(Ended::Interrupted(progress)), true) = (ended, self.leads && self.stands.is_some()) {
            let Progress { updated, desired, .. } = progress;
            let message = format!("Interrupted with {updated} of {desired} pods of the current template");
            self.say(&Said { reason: "RolloutInterrupted", warns: false, message }, told).await;
        }
        if let Some((leasing, _, task)) = self.leasing.take() {
            task.abort();
            let _ = task.await;
            give_up(self.cluster, &leasing).await;
        }
    }
}
