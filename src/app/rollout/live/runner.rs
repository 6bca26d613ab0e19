//! Goes on with a rollout: what is to be asked of the cluster, given what was heard of it.
//!
//! A pod that was asked to go counts as going until the cluster shows that it is, so what is
//! decided never rests on a state from before our own last step. Where an answer did not come,
//! nobody knows what became of the request: it counts as going until it is gone, until its version
//! has moved, so that the request is void, or until no server can have the request any longer.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::decision::{Decider, Decision, Progress, Replace};
use super::events::Said;
use crate::diagnostic::{Diagnostic, counted};
use crate::kube::{Name, ObjectKey};

/// So long until what was refused is asked again.
const AGAIN: Duration = Duration::from_secs(5);
/// So long until a pod of which the version moved is looked at again: its watch will say more.
const MOVED: Duration = Duration::from_millis(500);
/// So long a server may take for a request of which the answer did not come.
const LATE: Duration = Duration::from_secs(65);
/// So long a deletion that was granted may stay unseen before the pods are listed again.
const UNSEEN: Duration = Duration::from_secs(30);

/// How pods go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// By eviction: disruption budgets have a say.
    Evict,
    /// By delete.
    Delete,
}

/// What is to be asked of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// A pod is to go, if it still has this uid and version.
    Replace(Replace),
    /// Something is to be said on the daemonset.
    Say(Said),
    /// All pods are to be listed again.
    List,
}

/// What became of a pod that was asked to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It goes.
    Granted,
    /// It is another one, has changed, or is gone: nothing was done.
    Moved,
    /// A disruption budget does not let it go now, or the server is busy: nothing was done.
    Refused(String),
    /// It is not allowed, or not possible: nothing was done.
    Failed(String),
    /// Nobody knows.
    Unknown(String),
}

/// How it stands.
#[derive(Debug, Clone)]
pub enum State {
    /// There is more to come.
    Goes,
    /// All pods have the current template and are available.
    Complete,
    /// It is not gone on with.
    Stopped(Diagnostic),
}

/// What a look came to.
#[derive(Debug)]
pub struct Look {
    /// What is to be asked, in order.
    pub asks: Vec<Ask>,
    /// How it stands.
    pub state: State,
    /// How far it is.
    pub progress: Progress,
    /// What is waited for, each in a few words.
    pub waits: Vec<String>,
}

/// A pod that was asked to go.
struct Going {
    uid: Name,
    /// Where nobody knows whether it goes: the version that it was asked of.
    asked: Option<Name>,
    since: Duration,
}

/// A rollout that goes on.
pub struct Runner {
    /// What is seen and what the rules say of it.
    pub decider: Decider,
    alongside: bool,
    going: BTreeMap<ObjectKey, Going>,
    refused: BTreeMap<ObjectKey, (Duration, String)>,
    failed: Option<String>,
    lists: bool,
    started: bool,
    budgets: BTreeSet<String>,
    wave: Option<i64>,
}

impl Runner {
    /// A rollout of which nothing is known yet; `alongside` the daemonset's own controller, if
    /// that is meant.
    #[must_use]
    pub fn new(decider: Decider, alongside: bool) -> Self {
        Runner {
            decider,
            alongside,
            going: BTreeMap::new(),
            refused: BTreeMap::new(),
            failed: None,
            lists: false,
            started: false,
            budgets: BTreeSet::new(),
            wave: None,
        }
    }

    /// That the pods were listed anew, and what is seen has all of it.
    pub fn listed(&mut self) {
        self.lists = false;
        self.going.retain(|_, it| it.asked.is_some());
    }

    /// That somebody else may have acted: the pods are listed again before anything is asked.
    pub fn distrust(&mut self) {
        self.lists = true;
    }

    /// What became of a pod that was asked to go, at `instant`.
    pub fn answered(&mut self, pod: &Replace, answer: Answer, instant: Duration) {
        let mut later = |wait: Duration, why: String| {
            self.refused.insert(pod.pod.clone(), (instant + wait, why));
        };
        match answer {
            Answer::Granted => {
                self.refused.remove(&pod.pod);
                let going = Going { uid: pod.uid.clone(), asked: None, since: instant };
                self.going.insert(pod.pod.clone(), going);
            }
            Answer::Moved => later(MOVED, String::new()),
            Answer::Refused(why) => later(AGAIN, why),
            Answer::Failed(why) => self.failed = Some(why),
            Answer::Unknown(why) => {
                later(MOVED, why);
                let going = Going { uid: pod.uid.clone(), asked: Some(pod.version.clone()), since: instant };
                self.going.insert(pod.pod.clone(), going);
            }
        }
    }

    /// Looks at what is seen: at the time `now`, in seconds of Unix time, and `instant` of our own
    /// clock. `acts` says whether we are the one to act.
    ///
    /// # Errors
    /// When a rule derives too much.
    pub fn look(&mut self, now: i64, instant: Duration, acts: bool) -> Result<Look, Diagnostic> {
        let Runner { decider, going, refused, .. } = self;
        let may_go = |pod: &ObjectKey, it: &Going| match &it.asked {
            None => true,
            Some(asked) => {
                instant < it.since + LATE
                    && decider.seen.version(pod).is_some_and(|(_, version)| version == asked)
            }
        };
        going.retain(|pod, it| decider.seen.lives(pod, &it.uid) && may_go(pod, it));
        // What was refused is told until it was asked again.
        refused.retain(|pod, (until, _)| decider.seen.version(pod).is_some() && *until + AGAIN > instant);
        self.lists |= self.going.values().any(|it| it.asked.is_none() && instant > it.since + UNSEEN);
        let Some(decision) = self.decider.decide(now)? else { return Ok(self.gone()) };
        if let Some(stopped) = self.stopped(&decision) {
            return Ok(self.stop(decision.progress, stopped, acts));
        }
        let mut asks = Vec::new();
        if acts {
            asks.extend(self.says(&decision).into_iter().map(Ask::Say));
        }
        let state = if decision.progress.is_done() { State::Complete } else { State::Goes };
        if acts && self.lists {
            asks.push(Ask::List);
        } else if acts && self.going.is_empty() {
            asks.extend(self.next(&decision, instant).map(Ask::Replace));
        }
        let waits = self.waits(&decision);
        Ok(Look { asks, state, progress: decision.progress, waits })
    }

    /// The pods that are to go now, but for those that were refused just now.
    fn next<'d>(&self, decision: &'d Decision, instant: Duration) -> impl Iterator<Item = Replace> + use<'d> {
        let waits: BTreeSet<ObjectKey> = self
            .refused
            .iter()
            .filter(|(_, (until, _))| *until > instant)
            .map(|(pod, _)| pod.clone())
            .collect();
        decision.replace.iter().filter(move |it| !waits.contains(&it.pod)).cloned()
    }

    /// Why it is not gone on with, if so.
    fn stopped(&self, decision: &Decision) -> Option<Diagnostic> {
        if let Some(why) = decision.contended.as_ref().filter(|_| !self.alongside) {
            let name = &self.decider.seen.drive.daemonset;
            return Some(
                Diagnostic::error("two-controllers", format!("`{name}` is not for `rollout run`"))
                    .because(why.clone())
                    .help(
                        "set its `updateStrategy` to `{type: OnDelete}`, and its pods wait for `rollout run`; with \
                         `--alongside` both replace them, each by its own bounds",
                    ),
            );
        }
        if let Some(why) = &self.failed {
            return Some(Diagnostic::error("not-replaced", "a pod cannot be replaced").because(why.clone()));
        }
        let (first, more) = decision.halts.split_first()?;
        let mut error = Diagnostic::error("failed-pod", format!("the rollout is stopped: {first}"));
        error.notes.extend(more.iter().take(4).cloned());
        if more.len() > 4 {
            error.notes.push(format!("and {}", counted(more.len() - 4, "other pod")));
        }
        let Progress { updated, desired, .. } = decision.progress;
        Some(
            error
                .because(format!(
                    "{updated} of {desired} nodes have a pod of the current template; no other pod goes"
                ))
                .help("see to the pod, or correct the template, and run it again: it goes on from there"),
        )
    }

    fn stop(&mut self, progress: Progress, error: Diagnostic, acts: bool) -> Look {
        let said = Said { reason: "RolloutStopped", warns: true, message: error.message.clone() };
        let asks = if acts { vec![Ask::Say(said)] } else { Vec::new() };
        Look { asks, state: State::Stopped(error), progress, waits: Vec::new() }
    }

    fn gone(&self) -> Look {
        let name = &self.decider.seen.drive.daemonset;
        let error =
            Diagnostic::error("no-daemonset", format!("there is no daemonset `{name}` in the cluster"));
        Look {
            asks: Vec::new(),
            state: State::Stopped(error),
            progress: Progress::default(),
            waits: Vec::new(),
        }
    }

    /// What there is to say on the daemonset.
    fn says(&mut self, decision: &Decision) -> Vec<Said> {
        let mut said = Vec::new();
        let Progress { desired, outdated, wave, .. } = decision.progress;
        let mut say = |reason, message| said.push(Said { reason, warns: false, message });
        if !self.started && outdated > 0 {
            self.started = true;
            say("RolloutStarted", format!("{outdated} of {} to be replaced", counted(count(desired), "pod")));
        }
        if let Some(before) =
            self.wave.filter(|before| wave.is_none_or(|wave| wave > *before) && *before != i64::MAX)
        {
            say("RolloutWaveDone", format!("Wave {before} is done"));
        }
        self.wave = wave;
        if decision.progress.is_done() && self.started {
            let pods = counted(count(desired), "pod");
            say("RolloutComplete", format!("{pods} of the current template, all available"));
            self.started = false;
        }
        let news: Vec<String> = self.refused.values().map(|(_, why)| why.clone()).collect();
        for why in news.into_iter().filter(|why| !why.is_empty()) {
            if self.budgets.insert(why.clone()) {
                say("RolloutWaits", why);
            }
        }
        said
    }

    /// What is waited for.
    fn waits(&self, decision: &Decision) -> Vec<String> {
        let mut waits: Vec<String> = Vec::new();
        let refused = self.refused.iter().filter(|(_, (_, why))| !why.is_empty());
        waits.extend(refused.map(|(pod, (_, why))| format!("{}: {why}", pod.name)));
        if let Some(waiting) = &decision.waiting {
            waits.extend(waiting.nodes.iter().filter(|it| !it.held).take(3).map(|it| it.reason.clone()));
            if decision.replace.is_empty() && waits.is_empty() {
                waits.push(waiting.reason.clone());
            }
        }
        waits
    }
}

fn count(number: i64) -> usize {
    usize::try_from(number).unwrap_or(0)
}
