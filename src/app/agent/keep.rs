//! One look of an agent: what runs, the source, its own Node, its turn; then what differs is mended
//! and told.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::needs::playable;
use super::neighbours::BEAT;
use super::said;
use super::seen::{Seen, wanted};
use super::turns::{Pace, Turns};
use super::works::{Wake, Works};
use crate::app::listener::Listener;
use crate::app::options::Options;
use crate::app::watch::{Keeper, Look, Step, Watch};
use crate::diagnostic::Diagnostic;
use crate::manifest;
use crate::source::{Hint, OwnNode, being_checked_out};
use crate::state::Change;
use crate::target::reports::{Report, Reports};
use crate::target::runtime::{Observed, Runtime};
use crate::target::sqlite::make_folder;
use crate::target::tree::Destination;

/// The folder that the machine's files are in.
const MACHINE: &str = "/";
/// So often what runs is looked at by one that looks once: what is started has its status then.
const ROUNDS: usize = 5;

/// What an agent is asked to do.
pub struct Request {
    /// The folder, the store, the rules and the tree.
    pub watch: Watch,
    /// The node that it is on.
    pub node: OwnNode,
    /// How often to look at what runs, though nothing was heard.
    pub interval: Duration,
    /// Whether it looks once, and waits for what it does.
    pub once: bool,
    /// What runs the pods, if they are run here.
    pub runtime: Option<Arc<dyn Runtime>>,
    /// How rollouts keep their pace.
    pub pace: Pace,
    /// Where it reports to, if to anywhere.
    pub reports: Option<Reports>,
    /// Wakes the loop.
    pub wake: Wake,
}

/// Keeps one node at what the rules say.
pub struct Agent {
    keeper: Keeper,
    node: OwnNode,
    root: PathBuf,
    reading: manifest::Options,
    tree: Option<Destination>,
    clock: fn() -> Instant,
    interval: Duration,
    once: bool,
    works: Option<Works>,
    seen: Seen,
    turns: Turns,
    reports: Option<Reports>,
    /// The report that was written last, and when.
    reported: Option<(Report, Instant)>,
    boot: String,
    /// What is wrong with the file of the node and with the reports, once that was told.
    known: BTreeSet<String>,
}

impl Agent {
    /// Opens its store, which is made if there is none, and reads the rules.
    ///
    /// # Errors
    /// When another agent keeps this node, and everything that is wrong with the rules or
    /// the store.
    pub fn new(request: Request, listener: &dyn Listener) -> Result<Self, Vec<Diagnostic>> {
        let Request { watch, node, interval, once, runtime, pace, reports, wake } = request;
        make_folder(&watch.database.path)?;
        let clock = watch.clock;
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let agent = Agent {
            root: watch.root.clone(),
            reading: watch.reading.clone(),
            tree: watch.tree.clone(),
            keeper: Keeper::new(watch, listener).map_err(|errors| taken(errors, &node))?,
            turns: Turns::new(node.name.clone(), pace),
            works: runtime.map(|runtime| Works::new(runtime, wake, clock)),
            seen: Seen::default(),
            reported: None,
            boot: boot.trim().to_owned(),
            known: BTreeSet::new(),
            node,
            clock,
            interval,
            once,
            reports,
        };
        Ok(agent)
    }

    /// Tells an error once, for as long as it stands; `about` is what it is about.
    fn tell(&mut self, about: &str, error: Option<Diagnostic>, told: &mut Vec<Diagnostic>) {
        let id = error.as_ref().map(|error| format!("{about} {}", error.message));
        let is_known = id.as_ref().is_some_and(|id| self.known.contains(id));
        self.known.retain(|known| !known.starts_with(about));
        self.known.extend(id);
        told.extend(error.filter(|_| !is_known));
    }

    /// Reads its own Node, where that is not one of the folder's. One that cannot be read stays
    /// as it was.
    fn read_node(&mut self, told: &mut Vec<Diagnostic>) {
        let error = match self.node.elsewhere(Path::new(MACHINE), &self.reading) {
            Ok(node) => {
                self.keeper.give(Some(node));
                None
            }
            Err(error) => Some(error),
        };
        self.tell("node", error, told);
    }

    /// Takes in what runs; gives it.
    fn observe(&mut self, options: &Options, step: &mut Step) -> Option<Vec<Observed>> {
        let works = self.works.as_mut()?;
        works.collect(&mut step.ran, &mut step.told);
        let pods = works.list(&mut step.told)?;
        let (seen, node) = (&mut self.seen, &self.node.name);
        let time = (options.now, (self.clock)());
        let amended =
            self.keeper.amend(options, |world, store| seen.take_in(world, node, &pods, works, store, time));
        step.told.extend(amended.err());
        Some(pods)
    }

    /// Does what the rules want of the runtime.
    fn mend(&mut self, pods: &[Observed], step: &mut Step) {
        let renew = step.plan.objects.iter().any(|object| object.change != Change::Unchanged);
        let session = self.keeper.session();
        let (Some(works), Some(world)) = (&mut self.works, session.world()) else { return };
        let marks = wanted(world, &self.node.name);
        let pod = |key: &_| playable(session.store(), key, marks.get(key).map_or("", |mark| mark));
        step.told.extend(works.mend(renew, &marks, pods, pod).err());
    }

    /// One round: what runs is taken in, the source is looked at, what differs is begun.
    fn round(&mut self, source: Source<'_>, options: &Options) -> Step {
        let mut before = Step::default();
        let pods = self.observe(options, &mut before);
        let mut told = std::mem::take(&mut before.told);
        let busy = being_checked_out(&self.root);
        let asked = Options { turns: Some(self.turns.as_facts()), ..options.clone() };
        let mut step = match (source, busy) {
            (Source::Missing(error), _) | (Source::There(_), Some(error)) => self.keeper.failed(error),
            (Source::There(hint), None) => {
                self.read_node(&mut told);
                self.keeper.look(hint, &asked)
            }
        };
        if self.keeper.failure().is_some() {
            self.settle(&mut step, &asked);
        }
        if self.turns.advance(self.keeper.session(), options.now, (self.clock)()) {
            self.keeper.stir();
            let asked = Options { turns: Some(self.turns.as_facts()), ..options.clone() };
            self.settle(&mut step, &asked);
        }
        if let Some(pods) = pods {
            self.mend(&pods, &mut step);
        }
        step.ran.extend(before.ran);
        step.told.splice(..0, told);
        self.report(options.now, &mut step.told);
        step
    }

    /// Sees to all but the folder.
    fn settle(&mut self, step: &mut Step, options: &Options) {
        let error = self.keeper.settle(step, options).err();
        self.tell("settle", error, &mut step.told);
    }

    /// Reports how the node stands, where that is another way than before, or long ago.
    fn report(&mut self, now: i64, told: &mut Vec<Diagnostic>) {
        let Some(reports) = self.reports.clone() else { return };
        let runs = self.works.as_ref().map_or_else(|| "tree".to_owned(), Works::name);
        let mut report = said::report(self.keeper.session(), &self.node.name, &runs, &self.boot, now);
        let failure = self.keeper.failure().map(|failure| failure.message.clone());
        let broken = self.keeper.broken().into_iter().map(|file| format!("`{file}` is in error"));
        let of_works = self.works.iter().flat_map(Works::errors).map(|error| error.message.clone());
        report.errors = failure.into_iter().chain(broken).chain(of_works).collect();
        let instant = (self.clock)();
        let beat = match &self.reported {
            Some((before, at)) => {
                let same =
                    Report { beat: before.beat, time: before.time.clone(), ..report.clone() } == *before;
                if same && instant.duration_since(*at) < BEAT {
                    return;
                }
                before.beat + 1
            }
            // Another agent may have reported before: its beat is not this one's.
            None => reports.of(&self.node.name).map_or(1, |before| before.beat + 1),
        };
        report.beat = beat;
        let error = reports.write(&report).err();
        if error.is_none() {
            self.reported = Some((report, instant));
        }
        self.tell("reports", error, told);
    }

    /// Rounds until all that was begun is done and seen.
    fn rounds(&mut self, source: Source<'_>, options: &Options) -> Step {
        let mut step = self.round(source, options);
        for _ in 0..ROUNDS {
            let Some(works) = self.works.as_ref().filter(|works| self.once && works.is_busy()) else { break };
            works.wait();
            step.extend(self.round(Source::There(&Hint::default()), options));
        }
        step
    }
}

/// The folder, as it is looked at.
enum Source<'h> {
    There(&'h Hint),
    Missing(Diagnostic),
}

impl Look for Agent {
    fn look(&mut self, hint: &Hint, options: &Options) -> Step {
        self.rounds(Source::There(hint), options)
    }

    fn failed(&mut self, error: Diagnostic, options: &Options) -> Step {
        self.rounds(Source::Missing(error), options)
    }

    fn retry(&mut self, now: i64) -> Option<Duration> {
        let works = self.works.as_ref().and_then(Works::next);
        let beat = self.reports.as_ref().map(|_| BEAT);
        let own = self.keeper.retry(now);
        [Some(self.interval), own, works, beat].into_iter().flatten().min()
    }

    fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    fn is_sound(&self) -> bool {
        self.keeper.is_sound()
            && self.known.is_empty()
            && self.works.iter().all(|it| it.errors().next().is_none())
    }

    fn places(&self) -> BTreeSet<PathBuf> {
        let tree = self.tree.iter().map(|tree| tree.folder.join(&*self.node.name));
        self.keeper.places().iter().cloned().chain(tree).chain(self.node.file.clone()).collect()
    }
}

/// Names the node where its store is in use: then somebody keeps it already.
fn taken(errors: Vec<Diagnostic>, node: &OwnNode) -> Vec<Diagnostic> {
    let name = |error: Diagnostic| {
        if error.code != "store-locked" {
            return error;
        }
        let message = format!("the node `{}` has an agent already", node.name);
        let told = Diagnostic::error("agent-runs", message).because(error.message);
        let told = error.notes.into_iter().fold(told, Diagnostic::because);
        told.help(
            "one agent keeps a node: stop the other one first, or give this one another `--node` and `--db`",
        )
    };
    errors.into_iter().map(name).collect()
}
