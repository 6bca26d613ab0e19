//! An agent of a store that many share: it follows the pods of its own node, runs them, and says
//! how they are, for as long as its lease lives.
//!
//! It decides nothing about where pods go, and reads nothing of other nodes: its work does not grow
//! with the fleet. When the store is away it goes on with what it knew.

use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use super::local::{Local, Report};
use super::works::Works;
use crate::app::open::Database;
use crate::app::shared::{Claim, Input, Joined, News, Standing, Stop, broke};
use crate::diagnostic::Diagnostic;
use crate::etcd::{Access, Compare, Op, Trouble, Txn};
use crate::kube::{Kind, ObjectKey};
use crate::manifest;
use crate::source::OwnNode;
use crate::state::World;
use crate::target::etcd::wire;
use crate::target::runtime::Runtime;
use crate::target::sqlite::make_folder;
use crate::target::tree::Destination;

/// What tells the seconds of now, and the moment to count from.
pub type Clock = (fn() -> i64, fn() -> Instant);

/// What comes together is seen to together.
const DEBOUNCE: Duration = Duration::from_millis(5);
const PATIENCE: u32 = 20;
/// So many statuses are in a transaction at the most.
const MOST: usize = 100;
/// What pods name is looked at so often.
const NEEDS: Duration = Duration::from_secs(15);

/// What is asked of an agent.
pub struct Request {
    /// The store.
    pub access: Access,
    /// Where it keeps what it knows.
    pub database: Database,
    /// The node that it is on.
    pub node: OwnNode,
    /// What runs the pods, if they are run here.
    pub runtime: Option<Arc<dyn Runtime>>,
    /// The folder of Pod manifests that follows, where there is one.
    pub tree: Option<Destination>,
    /// For how many seconds the node is taken for reachable when it is not heard of.
    pub seconds: i64,
    /// How often to look at what runs, though nothing was heard.
    pub interval: Duration,
    /// The time, in seconds of Unix time, and a clock that goes forward evenly.
    pub clock: Clock,
}

/// What is told of the work.
#[derive(Debug)]
pub enum Told {
    /// What was done to pods, as `pods started`, each by itself; and how many statuses were written.
    Round(Vec<&'static str>, usize),
    /// What is in the way, once for as long as it is.
    Trouble(Diagnostic),
    /// A line worth knowing.
    Note(String),
}

/// An agent with its store.
pub struct Resident {
    joined: Joined,
    node: OwnNode,
    local: Local,
    works: Option<Works>,
    tree: Option<Destination>,
    /// Whether the tree may be other than what is known.
    stale: bool,
    /// The revision that made its key, and the lease, while it has one.
    beat: Option<(i64, i64)>,
    interval: Duration,
    needed: Option<Instant>,
    trouble: Option<String>,
    clock: Clock,
}

impl Resident {
    /// Opens what it knew, and begins to follow the store.
    ///
    /// # Errors
    /// When another agent keeps this node here, or what it knew cannot be opened.
    pub fn new(request: Request) -> Result<Self, Diagnostic> {
        let Request { access, database, node, runtime, tree, seconds, interval, clock } = request;
        make_folder(&database.path)?;
        let local = Local::new(node.name.clone(), database.write_or_make("dsrules agent")?)?;
        let joined = Joined::new(access)?;
        joined.follow(&format!("pods/{}/", node.name));
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let claim = Claim {
            key: format!("{}{}", joined.base, wire::beat(&node.name)),
            value: format!("{{\"boot\":\"{}\"}}", boot.trim()).into_bytes(),
            seconds,
            also: vec![(format!("{}{}", joined.base, wire::agent(&node.name)), b"{}".to_vec())],
            ours: true,
        };
        joined.keep(claim);
        let wake = joined.waker();
        let works = runtime.map(|runtime| Works::new(runtime, Arc::new(wake), clock.1));
        let (beat, needed, trouble) = (None, None, None);
        Ok(Resident { joined, node, local, works, tree, stale: true, beat, interval, needed, trouble, clock })
    }

    /// What ends it.
    #[must_use]
    pub fn stopper(&self) -> Stop {
        self.joined.stopper()
    }

    /// What it knows.
    #[must_use]
    pub fn world(&self) -> &World {
        self.local.world()
    }

    /// Goes on until it is told to stop.
    pub fn run(&mut self, tell: &mut dyn FnMut(Told)) {
        // What ran goes on before the store is heard.
        self.round(tell);
        while self.listen(tell) {
            self.round(tell);
        }
        if let Some((_, lease)) = self.beat {
            self.joined.give_back(lease);
        }
    }

    fn listen(&mut self, tell: &mut dyn FnMut(Told)) -> bool {
        let next = self.works.as_ref().and_then(Works::next);
        let mut wait = next.map_or(self.interval, |next| next.min(self.interval));
        for _ in 0..PATIENCE {
            match self.joined.inbox.recv_timeout(wait) {
                Ok(Input::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
                Ok(Input::News(news)) => self.hear(news, tell),
                Ok(Input::Standing(standing)) => self.stand(standing, tell),
                Ok(Input::Woken) => {}
                Err(RecvTimeoutError::Timeout) => return true,
            }
            wait = DEBOUNCE;
        }
        true
    }

    fn hear(&mut self, news: News, tell: &mut dyn FnMut(Told)) {
        let now = (self.clock.0)();
        let wrong = match news {
            News::All { keys, .. } => self.local.replace(keys, now),
            News::Some { keys, .. } => {
                let heard = keys.into_iter().map(|(key, entry, _)| self.local.hear(key, entry, now));
                heard.filter_map(Result::err).collect()
            }
            News::Away(trouble) => return self.tell_once(trouble, tell),
        };
        self.trouble = None;
        self.needed = None;
        wrong.into_iter().for_each(|it| self.tell_once(it, tell));
    }

    fn stand(&mut self, standing: Standing, tell: &mut dyn FnMut(Told)) {
        let name = &self.node.name;
        match standing {
            Standing::Holds { created, lease } => {
                self.beat = Some((created, lease));
                self.needed = None;
                tell(Told::Note(format!("`{name}` is heard of since revision {created}")));
            }
            Standing::Lost => {
                self.beat = None;
                tell(Told::Note(format!("the lease of `{name}` has ended: others take it for unreachable")));
            }
            Standing::Taken => {
                let message = format!("another machine has an agent for the node `{name}`");
                let told = Diagnostic::warning("agent-runs", message)
                    .because("it is waited for: its lease ends when it is not heard of")
                    .help("give each machine a `--node` of its own");
                self.tell_once(told, tell);
            }
            Standing::Away(trouble) => self.tell_once(trouble, tell),
        }
    }

    fn tell_once(&mut self, trouble: Diagnostic, tell: &mut dyn FnMut(Told)) {
        if self.trouble.as_ref() != Some(&trouble.message) {
            self.trouble = Some(trouble.message.clone());
            tell(Told::Trouble(trouble));
        }
    }

    /// What runs is taken in, what differs is begun, and how it is is said.
    fn round(&mut self, tell: &mut dyn FnMut(Told)) {
        let (mut done, mut told) = (Vec::new(), Vec::new());
        let time = ((self.clock.0)(), (self.clock.1)());
        let pods = match &mut self.works {
            Some(works) => {
                works.collect(&mut done, &mut told);
                works.list(&mut told)
            }
            None => None,
        };
        self.save(&mut told);
        if self.needed.is_none_or(|at| time.1.duration_since(at) > NEEDS) {
            told.extend(self.ask_needs(time.0).err());
        }
        if let (Some(pods), Some(works)) = (&pods, &mut self.works) {
            self.local.observe(pods, works, time);
            self.stale |= self.local.save().unwrap_or(true);
            told.extend(self.local.mend(pods, works).err());
        }
        if let Some(tree) = self.tree.as_ref().filter(|_| self.stale) {
            let error = self.local.write_tree(tree).err();
            self.stale = error.is_some();
            told.extend(error);
        }
        let written = if self.works.is_some() { self.report(&mut told) } else { 0 };
        told.into_iter().for_each(|it| self.tell_once(it, tell));
        if !done.is_empty() || written > 0 {
            tell(Told::Round(done, written));
        }
    }

    /// Asks the store for what pods name, and for the node, which is made where there is none.
    fn ask_needs(&mut self, now: i64) -> Result<(), Diagnostic> {
        if self.beat.is_none() {
            return Ok(());
        }
        self.needed = Some((self.clock.1)());
        for (kind, key) in self.local.needs() {
            let (etcd, at) =
                (self.joined.etcd.clone(), format!("{}{}", self.joined.base, wire::object(kind, &key)));
            let found = self.wait(async move { etcd.get(&at).await })?.0;
            let value = match found.as_ref().map(|it| wire::decode(&it.value)).transpose() {
                Ok(value) => value,
                // What cannot be read stays as it was.
                Err(_) => continue,
            };
            if kind == Kind::Node {
                self.introduce(value.clone(), found.map_or(0, |it| it.mod_revision), now)?;
            }
            self.local.need(kind, &key, value.map(|(value, _)| value), now);
        }
        self.stale |= self.local.save()?;
        Ok(())
    }

    /// Sees to it that the store has the node, with what the agent was told of it.
    fn introduce(
        &self,
        found: Option<(serde_json::Value, crate::kube::Written)>,
        modified: i64,
        now: i64,
    ) -> Result<(), Diagnostic> {
        let (value, written) = match found {
            Some((value, written)) => {
                let mut dressed = value.clone();
                self.node.dress(&mut dressed);
                if dressed == value {
                    return Ok(());
                }
                (dressed, written)
            }
            None => {
                let object = self.node.elsewhere(std::path::Path::new("/"), &manifest::Options::default())?;
                let mut world = World { whole: crate::state::Whole::ALL, ..World::default() };
                world.put(object, now);
                let key = ObjectKey::new("", self.node.name.clone());
                let Some(node) = world.nodes.get(&key) else { return Ok(()) };
                (node.whole().unwrap_or_default(), node.meta.written)
            }
        };
        let key = format!("{}{}", self.joined.base, wire::object(Kind::Node, &self.node.key()));
        let txn = Txn {
            compares: vec![Compare::unchanged(key.clone(), modified)],
            then: vec![Op::put(key, wire::encode(value, written))],
            ..Txn::default()
        };
        let etcd = self.joined.etcd.clone();
        self.wait(async move { etcd.txn(&txn).await }).map(|_| ())
    }

    /// Says how the pods are, while it is heard of; gives how many statuses were written.
    fn report(&mut self, told: &mut Vec<Diagnostic>) -> usize {
        let Some((created, _)) = self.beat else { return 0 };
        let mut written = 0;
        let reports = self.local.reports();
        for some in reports.chunks(MOST) {
            let key = |report: &Report| format!("{}{}", self.joined.base, report.key);
            let beat = format!("{}{}", self.joined.base, wire::beat(&self.node.name));
            let mut compares = vec![Compare::same(beat, created)];
            compares.extend(some.iter().map(|it| Compare::unchanged(key(it), it.modified)));
            let then = some.iter().map(|it| Op::put(key(it), it.value.clone())).collect();
            let (etcd, txn) = (self.joined.etcd.clone(), Txn { compares, then, otherwise: Vec::new() });
            match self.wait(async move { etcd.txn(&txn).await }) {
                Ok(done) if done.succeeded => {
                    written += some.len();
                    some.iter().for_each(|it| self.local.reported(it.clone(), done.revision));
                }
                // What is there now is heard of soon.
                Ok(_) => {}
                Err(error) => told.push(error),
            }
        }
        written
    }

    fn save(&mut self, told: &mut Vec<Diagnostic>) {
        match self.local.save() {
            Ok(changed) => self.stale |= changed,
            Err(error) => told.push(error),
        }
    }

    fn wait<T: Send + 'static>(
        &self,
        asked: impl Future<Output = Result<T, Trouble>> + Send + 'static,
    ) -> Result<T, Diagnostic> {
        Ok(self.joined.thread.wait(asked).ok_or_else(broke)??)
    }
}
