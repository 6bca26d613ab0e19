//! The folder and the store kept together: one look after the other.
//!
//! A look that fails leaves the store as it was and is made again from the start: what
//! is known of folder and store is dropped, because only the store is certain.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::app::export::{Export, Exported, export};
use crate::app::options::Options;
use crate::app::session::Session;
use crate::datalog::Program;
use crate::diagnostic::Diagnostic;
use crate::kube::{Name, Object};
use crate::manifest::{self, Places};
use crate::plan::{About, Judged};
use crate::policy::{Asked, relations};
use crate::source::{Folder, Hint, OwnNode, Scan, being_checked_out};
use crate::state::{Delta, World};
use crate::target::Memory;
use crate::target::tree::{self, Destination, Wanted};

use super::lost::Counts;
use super::node;
use super::rules::Rules;
use super::step::{REGULARLY, SOON, Step};
use crate::app::listener::Listener;
use crate::app::manifests::beside;
use crate::app::open::Database;
use crate::app::request::locate;
use crate::app::tick::Tick;

/// Rules that are asked again and again as time passes are so after so many times what it
/// took, and those that are asked at one time after that many.
const SPARED: u32 = 20;
const SPARED_ONCE: u32 = 2;

/// A shared store is looked at so often.
const OTHERS: Duration = Duration::from_secs(2);

/// A folder that is to be followed.
#[derive(Debug, Clone)]
pub struct Watch {
    /// The store.
    pub database: Database,
    /// The folder, by its full path.
    pub root: PathBuf,
    /// Under which the store remembers what the folder brought.
    pub id: String,
    /// What a second writer is told is writing, as `dsrules watch`.
    pub holder: String,
    /// The one node that it is followed for, if it is not for all.
    pub node: Option<OwnNode>,
    /// How it is read.
    pub reading: manifest::Options,
    /// The user's own rules.
    pub rules: Asked,
    /// The folder of Pod manifests that follows the store.
    pub tree: Option<Destination>,
    /// Files for other programs that follow the store.
    pub exports: Vec<Export>,
    /// Where it is asked how much time has passed.
    pub clock: fn() -> Instant,
}

/// The program, asked for what files for other programs need, where there are such.
fn asked(watch: &Watch, program: Program) -> Program {
    if watch.exports.is_empty() { program } else { relations::reaching(&program) }
}

/// What keeps the store equal to the folder.
pub struct Keeper {
    session: Session,
    watch: Watch,
    folder: Option<Folder>,
    rules: Rules,
    /// Whether all of the tree must be compared, not just the nodes of a plan.
    whole_tree: bool,
    /// What could not be written for other programs, as it was told last.
    unwritten: Vec<Diagnostic>,
    /// The Node of the node that it is followed for, where it is not one of the folder's.
    given: Option<Object>,
    /// Whether something else is other than it was.
    stirred: bool,
    /// The error that the last look ended with.
    failure: Option<Diagnostic>,
    waits: bool,
    /// When the first of what the last plan waits for is over by itself.
    ends: Option<i64>,
    /// When time that passes may change something, once that was asked for.
    due: Option<Option<Tick>>,
    /// When the rules were asked last, in seconds of Unix time.
    asked: i64,
    /// How long that took: rules that ask for the time are not asked all the time.
    took: Duration,
    /// How many looks in a row left something undone that may be done the next time.
    tries: u32,
}

impl Keeper {
    /// Looks at what may have changed and applies it.
    pub fn look(&mut self, hint: &Hint, options: &Options) -> Step {
        let look = self.look_once(hint, options);
        let undone = self.failure.is_some() || !self.unwritten.is_empty() || self.unread().next().is_some();
        self.tries = if undone { self.tries.saturating_add(1) } else { 0 };
        look
    }

    /// A look that could not be made.
    pub fn failed(&mut self, error: Diagnostic) -> Step {
        let mut look = Step::default();
        if self.failure.as_ref() != Some(&error) {
            look.error = Some(error.clone());
            self.failure = Some(error);
        }
        look
    }

    /// How long until the next look after `now`, in seconds of Unix time, if there is a reason
    /// for one without an event.
    pub fn retry(&mut self, now: i64) -> Option<Duration> {
        let doubled = 1 << self.tries.saturating_sub(1).min(10);
        let again = (self.tries > 0).then(|| (SOON * doubled).min(REGULARLY));
        if self.due.is_none() {
            self.due = Some(self.next());
        }
        let due = self.due.flatten().map(|tick| {
            let left = Duration::from_secs(u64::try_from(tick.at.saturating_sub(now)).unwrap_or(0));
            left.max(self.took * if tick.again { SPARED } else { SPARED_ONCE })
        });
        // What others write to a shared store is not heard of.
        let others = self.watch.database.shared.is_some().then_some(OTHERS);
        again.into_iter().chain(due).chain(others).min()
    }

    /// Whether the last look went well and nothing is in error.
    pub fn is_sound(&self) -> bool {
        self.failure.is_none()
            && self.unwritten.is_empty()
            && self.folder.is_some()
            && self.broken().is_empty()
    }

    /// Where rules and facts may change.
    pub fn places(&self) -> &BTreeSet<PathBuf> {
        self.rules.places()
    }

    /// Opens the store and reads the rules; of the folder nothing is known yet.
    ///
    /// # Errors
    /// Everything that is wrong with the rules or the store.
    pub fn new(watch: Watch, listener: &dyn Listener) -> Result<Self, Vec<Diagnostic>> {
        let store = watch.database.write_or_make(&watch.holder)?;
        if watch.reading.secrets {
            store.keep_private()?;
        }
        let beside = beside(std::slice::from_ref(&watch.root), &watch.reading);
        let (rules, policy, warnings) = Rules::new(&watch.rules, &watch.root, &beside, &watch.id, &*store)?;
        listener.tell(warnings);
        Ok(Keeper {
            session: Session::new(store, asked(&watch, policy.program), policy.own)
                .followed_by(watch.tree.clone()),
            rules,
            watch,
            folder: None,
            whole_tree: true,
            unwritten: Vec::new(),
            given: None,
            stirred: false,
            failure: None,
            waits: false,
            ends: None,
            due: None,
            asked: 0,
            took: Duration::ZERO,
            tries: 0,
        })
    }

    /// The folder, once it was looked at.
    pub fn folder(&self) -> Option<&Folder> {
        self.folder.as_ref()
    }

    /// The world as it was committed last.
    pub fn world(&self) -> Option<&World> {
        self.session.world()
    }

    /// Takes this for the node's own Node, where the folder has none.
    pub fn give(&mut self, node: Option<Object>) {
        self.given = node;
    }

    /// Changes what is known of the world, which the next look or [`settle`](Keeper::settle)
    /// takes in.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(in crate::app) fn amend(
        &mut self,
        options: &Options,
        change: impl FnOnce(&mut World, &dyn Memory) -> bool,
    ) -> Result<(), Diagnostic> {
        self.stirred |= self.session.amend(options, change)?;
        Ok(())
    }

    /// Has the next look ask the rules again, whatever has changed.
    pub(in crate::app) fn stir(&mut self) {
        self.stirred = true;
    }

    /// What is known.
    pub(in crate::app) fn session(&self) -> &Session {
        &self.session
    }

    /// Takes in what is otherwise without a look at the folder, and sees to the tree.
    ///
    /// # Errors
    /// As [`Session::apply`], and when the tree cannot be used.
    pub(in crate::app) fn settle(&mut self, step: &mut Step, options: &Options) -> Result<(), Diagnostic> {
        self.session.ensure(options)?;
        if self.stirred || self.has_ticked(options.now) {
            self.apply(None, Delta::default(), options, step)?;
        }
        self.write_tree(step)
    }

    /// Takes in what another than the folder brings, under whose name the store remembers it.
    ///
    /// # Errors
    /// As [`settle`](Keeper::settle).
    pub(in crate::app) fn take(
        &mut self,
        id: &str,
        change: Delta,
        options: &Options,
    ) -> Result<Step, Diagnostic> {
        let mut step = Step::default();
        self.apply(Some(id), change, options, &mut step)?;
        self.write_tree(&mut step)?;
        Ok(step)
    }

    /// Takes a change in, the folder's or another's.
    fn apply(
        &mut self,
        id: Option<&str>,
        change: Delta,
        options: &Options,
        step: &mut Step,
    ) -> Result<(), Diagnostic> {
        let start = (self.watch.clock)();
        let id = id.unwrap_or(&self.watch.id);
        let (plan, mut warnings) = self.session.apply(id, change, options)?;
        self.stirred = false;
        self.locate(&mut warnings.came);
        (self.asked, self.took) = (options.now, (self.watch.clock)().duration_since(start));
        self.due = None;
        self.waits = !plan.waiting.is_empty();
        let awaited = plan.waiting.iter().flat_map(|waiting| &waiting.nodes);
        let due = plan.evictions.iter().map(|it| it.at);
        let ends = awaited.filter_map(|it| it.until).chain(due);
        self.ends = ends.filter(|at| *at > options.now).min();
        step.add(plan, warnings);
        self.write_exports(step, options.now);
        Ok(())
    }

    /// The files that are in error, of manifests and of rules.
    pub fn broken(&self) -> Vec<String> {
        let manifests = self.folder.iter().flat_map(|folder| folder.errors().map(|(file, _)| file));
        manifests.chain(self.rules.broken()).collect()
    }

    /// The error that the last look ended with.
    pub fn failure(&self) -> Option<&Diagnostic> {
        self.failure.as_ref()
    }

    /// Files that could not be read, though they may be the next time.
    pub fn unread(&self) -> impl Iterator<Item = &Diagnostic> {
        self.folder.iter().flat_map(Folder::unread)
    }

    /// When time that passes may change something.
    fn next(&self) -> Option<Tick> {
        let world = self.session.world()?;
        let ends = world.backoff.values().map(|it| it.since.saturating_add(it.seconds));
        let ends = ends.chain(self.ends).filter(|at| *at > self.asked).min();
        let ends = ends.map(|at| Tick { at, again: false });
        ends.into_iter().chain(self.session.tick(self.asked)).min()
    }

    /// Whether something may be otherwise only because time has passed.
    fn has_ticked(&self, now: i64) -> bool {
        now < self.asked || self.due.flatten().is_some_and(|tick| tick.at <= now)
    }

    fn look_once(&mut self, hint: &Hint, options: &Options) -> Step {
        let mut look = Step::default();
        match self.try_look(hint, options, &mut look) {
            Ok(()) => {
                self.failure = None;
                look
            }
            Err(error) => {
                let heard = matches!(hint, Hint::Paths(paths) if !paths.is_empty()) && !look.files.is_empty();
                if heard {
                    // Somebody made another edit, and it was not applied either.
                    self.failure = None;
                }
                let failed = self.failed(error);
                // The same failure again is no news, and neither is what led to it.
                // What was found is not in the store: it is to be found again.
                if failed.error.is_none() {
                    self.folder = None;
                    return Step { told: look.told, ..failed };
                }
                let mut refused = self.session.refused().to_vec();
                self.locate(&mut refused);
                self.folder = None;
                Step { told: look.told, files: look.files, refused, ..failed }
            }
        }
    }

    fn try_look(&mut self, hint: &Hint, options: &Options, look: &mut Step) -> Result<(), Diagnostic> {
        self.stirred |= self.session.follow()?;
        self.session.ensure(options)?;
        let anew = self.folder.is_none();
        if anew {
            let before = self.session.store().input(&self.watch.id)?;
            let folder = Folder::new(&self.watch.root, self.watch.reading.clone(), before);
            self.folder = Some(folder.allowing_empty(options.allow_empty));
        }
        let Some(folder) = self.folder.as_mut() else { return Ok(()) };
        let hint = if anew { &Hint::Everything } else { hint };
        let had = Counts::of(folder);
        let busy = being_checked_out(&self.watch.root);
        let Scan { mut change, files, broken, mended } = folder.scan(hint, self.session.world())?;
        if let Some(node) = &self.watch.node {
            node::put(node, self.given.as_ref(), &mut change, folder, &self.session)?;
        }
        let beside: Vec<PathBuf> =
            [self.watch.root.as_path()].into_iter().chain(folder.folders()).map(Path::to_owned).collect();
        let nothing = change.objects.is_empty() && change.gone.is_empty() && change.files.is_empty();
        look.told = broken;
        // What git has not written yet is not gone.
        if !change.gone.is_empty()
            && let Some(error) = busy.or_else(|| being_checked_out(&self.watch.root))
        {
            return Err(error);
        }
        if !options.allow_empty {
            had.check(folder, self.watch.node.is_some())?;
        }
        look.files = files;
        look.mended = mended;
        let reread = self.rules.reread(&beside, self.session.store());
        look.files.extend(reread.files);
        look.mended.extend(reread.mended);
        look.told.extend(reread.told);
        let other_rules = reread.policy.is_some();
        if let Some(policy) = reread.policy {
            self.session.replace_rules(asked(&self.watch, policy.program), policy.own);
        }
        // Also without a change there may be something to do: time passes.
        if !nothing
            || anew
            || self.stirred
            || other_rules
            || self.has_ticked(options.now)
            || (self.waits && matches!(hint, Hint::Everything))
        {
            self.apply(None, change, options, look)?;
        } else if !self.unwritten.is_empty() {
            self.write_exports(look, options.now);
        }
        self.write_tree(look)
    }

    /// Says where the objects stand that findings are about.
    fn locate(&self, judged: &mut [Judged]) {
        let Some(folder) = self.folder.as_ref() else { return };
        let findings = judged.iter_mut().flat_map(|it| &mut it.findings);
        let about: Vec<&mut About> = findings.flat_map(|it| &mut it.objects).collect();
        if about.is_empty() {
            return;
        }
        let held = folder.holding(&about.iter().map(|it| (it.kind, it.key.clone())).collect());
        locate(&Places::of(held, &self.watch.reading), about);
    }

    /// Brings the files for other programs up to date; what fails is told once, and tried again.
    fn write_exports(&mut self, look: &mut Step, now: i64) {
        let Some((world, derived)) = self.session.derived() else { return };
        let mut failed = Vec::new();
        for Exported { path, result } in export(&self.watch.exports, world, derived, now) {
            match result {
                Ok(true) => look.exported.push(path),
                Ok(false) => {}
                Err(error) => failed.push(error),
            }
        }
        look.told.extend(failed.iter().filter(|it| !self.unwritten.contains(it)).cloned());
        self.unwritten = failed;
    }

    fn write_tree(&mut self, look: &mut Step) -> Result<(), Diagnostic> {
        let (Some(tree), Some(world)) = (&self.watch.tree, self.session.world()) else { return Ok(()) };
        let actions = look.plan.waves.iter().flat_map(|wave| &wave.actions);
        let mut nodes: BTreeSet<Name> = actions.filter_map(|action| action.node.clone()).collect();
        // Those of other nodes are for others, and what stands for ours is looked at each time.
        if let Some(own) = &self.watch.node {
            nodes = [own.name.clone()].into();
            self.whole_tree = false;
        }
        if nodes.is_empty() && !self.whole_tree {
            return Ok(());
        }
        let store = self.session.store();
        let report = if self.whole_tree {
            tree::sync_tree(tree, store)?
        } else {
            tree::sync_some(tree, store, &Wanted::on_nodes(world, &nodes))?
        };
        self.whole_tree = report.problems.iter().any(Diagnostic::is_error);
        look.told.extend(report.problems.iter().cloned());
        look.tree = Some(report);
        Ok(())
    }
}
