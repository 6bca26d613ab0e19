//! Carries out what a controller decides: it hears the store, decides, writes, and keeps its lease.

use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use super::decide::{Controller, Transaction};
use super::manifests::Manifests;
use super::op::{Before, Op};
use crate::app::shared::{Claim, Input, Joined, News, Standing, Stop};
use crate::datalog::Program;
use crate::diagnostic::Diagnostic;
use crate::etcd::{self, Access, Compare, Range, Txn};
use crate::kube::Name;
use crate::plan::Verb;
use crate::state::World;
use crate::target::etcd::wire;

/// What comes together is decided together: it is waited for so long, so many times, and each time
/// so much is taken in that is there already.
const DEBOUNCE: Duration = Duration::from_millis(5);
const PATIENCE: u32 = 10;
const AT_ONCE: usize = 10_000;
/// What was not done is decided again after so long, then after twice as long each time.
const AGAIN: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));
/// A folder of manifests is looked at so often.
const FOLDER: Duration = Duration::from_secs(2);
/// Something is looked at so often in any case.
const REGULARLY: Duration = Duration::from_secs(30);

/// What is asked of a controller.
pub struct Request {
    /// The store.
    pub access: Access,
    /// The name it has among the members.
    pub name: Name,
    /// For how many seconds its share is its own when it is not heard of.
    pub seconds: i64,
    /// The rules.
    pub program: Program,
    /// A folder of manifests that it keeps applied.
    pub manifests: Option<Manifests>,
    /// The time, in seconds of Unix time.
    pub clock: fn() -> i64,
}

/// What is told of the work.
#[derive(Debug)]
pub enum Told {
    /// What was done.
    Round(Round),
    /// What is in the way; told once for as long as it is.
    Trouble(Diagnostic),
    /// A line worth knowing.
    Note(String),
}

/// What was done in one round.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Round {
    /// Pods that were created.
    pub created: usize,
    /// Pods that were deleted.
    pub deleted: usize,
    /// Keys that were written.
    pub written: usize,
    /// Daemonsets that wait for something.
    pub waiting: usize,
    /// The members.
    pub members: usize,
    /// The revision up to which all is known.
    pub revision: i64,
}

/// A controller with its store.
pub struct Drive {
    joined: Joined,
    controller: Controller,
    manifests: Option<Manifests>,
    name: Name,
    lease: i64,
    /// Whether all there is was heard once.
    listed: bool,
    tries: u32,
    /// What is in the way, as it was told.
    trouble: Option<String>,
    clock: fn() -> i64,
}

impl Drive {
    /// Begins to follow the store, and asks to be a member.
    ///
    /// # Errors
    /// When the store cannot be asked at all.
    pub fn new(request: Request) -> Result<Self, Diagnostic> {
        let Request { access, name, seconds, program, manifests, clock } = request;
        let joined = Joined::new(access)?;
        joined.follow("");
        let claim = Claim {
            key: format!("{}{}", joined.base, wire::member(&name)),
            value: b"{}".to_vec(),
            seconds,
            also: vec![(format!("{}{}", joined.base, wire::TERM), name.as_bytes().to_vec())],
            ours: false,
        };
        joined.keep(claim);
        let controller = Controller::new(&program);
        Ok(Drive {
            joined,
            controller,
            manifests,
            name,
            lease: 0,
            listed: false,
            tries: 0,
            trouble: None,
            clock,
        })
    }

    /// What ends it.
    #[must_use]
    pub fn stopper(&self) -> Stop {
        self.joined.stopper()
    }

    /// The world as it is known.
    #[must_use]
    pub fn world(&self) -> &World {
        self.controller.known().world()
    }

    /// Goes on until it is told to stop.
    pub fn run(&mut self, tell: &mut dyn FnMut(&Drive, Told)) {
        loop {
            if !self.listen(tell) {
                break;
            }
            if self.listed {
                self.step(tell);
            }
        }
        if self.lease != 0 {
            self.joined.give_back(self.lease);
        }
    }

    /// Waits for something to do, and takes in what comes with it; says whether to go on.
    fn listen(&mut self, tell: &mut dyn FnMut(&Drive, Told)) -> bool {
        let mut wait = self.patience();
        for _ in 0..PATIENCE {
            let inbox = &self.joined.inbox;
            let inputs: Vec<Input> = match inbox.recv_timeout(wait) {
                Ok(first) => std::iter::once(first).chain(inbox.try_iter().take(AT_ONCE)).collect(),
                Err(RecvTimeoutError::Timeout) => return true,
                Err(RecvTimeoutError::Disconnected) => return false,
            };
            for input in inputs {
                match input {
                    Input::Stop => return false,
                    Input::News(news) => self.hear(news, tell),
                    Input::Standing(standing) => self.stand(standing, tell),
                    Input::Woken => {}
                }
            }
            wait = DEBOUNCE;
        }
        true
    }

    /// How long there is nothing to do.
    fn patience(&self) -> Duration {
        let again = (self.tries > 0).then(|| (AGAIN.0 * 2_u32.pow(self.tries.min(10) - 1)).min(AGAIN.1));
        let left = |at: i64| Duration::from_secs(u64::try_from(at - (self.clock)()).unwrap_or(0));
        let due = self.controller.due().map(left);
        let folder = self.manifests.as_ref().map(|_| FOLDER);
        [Some(REGULARLY), again, due, folder].into_iter().flatten().min().unwrap_or(REGULARLY)
    }

    fn hear(&mut self, news: News, tell: &mut dyn FnMut(&Drive, Told)) {
        let now = (self.clock)();
        match news {
            News::All { keys, revision, anew } => {
                if anew {
                    self.controller.forget();
                }
                self.controller.replace(keys, revision, now);
                self.listed = true;
                self.trouble = None;
            }
            News::Some { keys, revision } => {
                keys.into_iter().for_each(|(key, entry, at)| self.controller.hear(&key, entry, at, now));
                self.controller.passed(revision);
                self.trouble = None;
            }
            News::Away(trouble) => self.tell_once(trouble, tell),
        }
    }

    fn stand(&mut self, standing: Standing, tell: &mut dyn FnMut(&Drive, Told)) {
        match standing {
            Standing::Holds { created, lease } => {
                self.lease = lease;
                self.controller.is_member(Some((self.name.clone(), created)));
                tell(self, Told::Note(format!("`{}` is a member since revision {created}", self.name)));
            }
            Standing::Lost => {
                self.lease = 0;
                self.controller.is_member(None);
                tell(
                    self,
                    Told::Note(format!("the lease of `{}` has ended: its share is others'", self.name)),
                );
            }
            Standing::Taken => {
                let message = format!("another controller is called `{}`, or was a moment ago", self.name);
                let told = Diagnostic::warning("controller-runs", message)
                    .because("it is waited for: its lease ends when it is not heard of")
                    .help("give each controller an `--id` of its own");
                self.tell_once(told, tell);
            }
            Standing::Away(trouble) => self.tell_once(trouble, tell),
        }
    }

    fn tell_once(&mut self, trouble: Diagnostic, tell: &mut dyn FnMut(&Drive, Told)) {
        if self.trouble.as_ref() != Some(&trouble.message) {
            self.trouble = Some(trouble.message.clone());
            tell(self, Told::Trouble(trouble));
        }
    }

    /// Brings manifests, decides, and writes.
    fn step(&mut self, tell: &mut dyn FnMut(&Drive, Told)) {
        let now = (self.clock)();
        if let Some(manifests) = &mut self.manifests {
            let (transactions, trouble) = manifests.look(&mut self.controller, now);
            trouble.into_iter().for_each(|it| self.tell_once(it, tell));
            let mut round = self.round(0);
            if !self.write(transactions, &mut round, tell)
                && let Some(manifests) = &mut self.manifests
            {
                manifests.again();
            }
            self.tell_round(round, tell);
        }
        match self.controller.decide(now) {
            Ok(decided) => {
                let mut round = self.round(decided.reconciled.waiting.len());
                let actions = decided.reconciled.waves.iter().flat_map(|wave| &wave.actions);
                let count = |verb: Verb| actions.clone().filter(|it| it.verb == verb).count();
                (round.created, round.deleted) = (count(Verb::Create), count(Verb::Delete));
                self.write(decided.transactions, &mut round, tell);
                self.tell_round(round, tell);
            }
            Err(error) => {
                self.tries += 1;
                self.tell_once(error, tell);
            }
        }
    }

    fn round(&self, waiting: usize) -> Round {
        let (members, revision) = (self.controller.known().members().count(), self.controller.heard());
        Round { members, revision, waiting, ..Round::default() }
    }

    fn tell_round(&mut self, round: Round, tell: &mut dyn FnMut(&Drive, Told)) {
        if round.written > 0 {
            tell(self, Told::Round(round));
        }
    }

    /// Carries transactions out, in order, until one is not done; says whether all were.
    fn write(
        &mut self,
        transactions: Vec<Transaction>,
        round: &mut Round,
        tell: &mut dyn FnMut(&Drive, Told),
    ) -> bool {
        let mut rest = transactions.into_iter();
        while let Some(next) = rest.next() {
            let (etcd, txn) = (self.joined.etcd.clone(), self.transaction(&next));
            let trouble = match self.joined.thread.wait(async move { etcd.txn(&txn).await }) {
                Some(Ok(done)) if done.succeeded => {
                    round.written += next.ops.len();
                    self.controller.done(next, done.revision);
                    self.tries = 0;
                    continue;
                }
                Some(Err(trouble)) => Some(trouble.told),
                Some(Ok(_)) | None => None,
            };
            self.tries += 1;
            let rest = std::iter::once(next).chain(rest).collect();
            self.controller.not_done(rest, (self.clock)());
            trouble.into_iter().for_each(|it| self.tell_once(it, tell));
            return false;
        }
        true
    }

    /// A transaction as etcd takes it. The member's own key is written with it: so whoever reads
    /// the history sees who wrote, and what it knew.
    fn transaction(&self, transaction: &Transaction) -> Txn {
        let Transaction { guard, seen, ops } = transaction;
        let key = |name: &str| format!("{}{name}", self.joined.base);
        let member = key(&wire::member(&guard.member));
        let mut compares = vec![
            Compare::same(member.clone(), guard.created),
            Compare::unchanged(key(wire::TERM), guard.term),
        ];
        compares.extend(ops.iter().filter_map(|op| match op.before {
            Before::Absent => Some(Compare::unchanged(key(&op.key), 0)),
            Before::Revision(revision) => Some(Compare::unchanged(key(&op.key), revision)),
            Before::Any => None,
        }));
        let value = format!("{{\"seen\":{seen}}}").into_bytes();
        let mut then = vec![etcd::Op::Put { key: member.into_bytes(), value, lease: self.lease }];
        then.extend(ops.iter().map(|Op { key: name, value, .. }| match value {
            Some(value) => etcd::Op::put(key(name), value.clone()),
            None => etcd::Op::Delete(Range::key(key(name))),
        }));
        Txn { compares, then, otherwise: Vec::new() }
    }
}
