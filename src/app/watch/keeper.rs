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
use crate::kube::Name;
use crate::manifest::{self, Places};
use crate::plan::{About, Judged, Plan};
use crate::policy::{Asked, relations};
use crate::source::{Folder, Hint, Scan};
use crate::state::World;
use crate::target::tree::{self, Destination, TreeReport, Wanted};

use super::rules::Rules;
use crate::app::listener::Listener;
use crate::app::manifests::beside;
use crate::app::open::Database;
use crate::app::request::locate;
use crate::app::tick::Tick;
use crate::app::warned::Warnings;

/// Rules that are asked again and again as time passes are so after so many times what it
/// took, and those that are asked at one time after that many.
const SPARED: u32 = 20;
const SPARED_ONCE: u32 = 2;

/// Everything is looked at so often even if nothing is heard: links may lead to where
/// nobody watches.
pub const REGULARLY: Duration = Duration::from_secs(30);
/// How often to look while the folder is not there.
pub const SOON: Duration = Duration::from_millis(500);

/// A folder that is to be followed.
#[derive(Debug, Clone)]
pub struct Watch {
    /// The store.
    pub database: Database,
    /// The folder, by its full path.
    pub root: PathBuf,
    /// Under which the store remembers what the folder brought.
    pub id: String,
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

/// What one step came to.
#[derive(Default)]
pub struct Step {
    /// The files that differ.
    pub files: Vec<String>,
    /// Files that are in error no longer.
    pub mended: Vec<String>,
    /// Errors that are new.
    pub told: Vec<Diagnostic>,
    /// What was done.
    pub plan: Plan,
    /// What rules warn of that is new, and what is over.
    pub warnings: Warnings,
    /// The violations that refused what was to be done, if that is new.
    pub refused: Vec<Judged>,
    /// What was done to the tree.
    pub tree: Option<TreeReport>,
    /// The files for other programs that were written.
    pub exported: Vec<PathBuf>,
    /// Why nothing was done, if so.
    pub error: Option<Diagnostic>,
}

impl Keeper {
    /// Opens the store and reads the rules; of the folder nothing is known yet.
    ///
    /// # Errors
    /// Everything that is wrong with the rules or the store.
    pub fn new(watch: Watch, listener: &dyn Listener) -> Result<Self, Vec<Diagnostic>> {
        let store = watch.database.write_or_make("dsrules watch")?;
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

    /// Whether the last look went well and no file is in error.
    pub fn is_sound(&self) -> bool {
        self.failure.is_none()
            && self.unwritten.is_empty()
            && self.folder.is_some()
            && self.broken().is_empty()
    }

    /// The files that are in error, of manifests and of rules.
    pub fn broken(&self) -> Vec<String> {
        let manifests = self.folder.iter().flat_map(|folder| folder.errors().map(|(file, _)| file));
        manifests.chain(self.rules.broken()).collect()
    }

    /// Where rules and facts may change.
    pub fn places(&self) -> &BTreeSet<PathBuf> {
        self.rules.places()
    }

    /// The error that the last look ended with.
    pub fn failure(&self) -> Option<&Diagnostic> {
        self.failure.as_ref()
    }

    /// Files that could not be read, though they may be the next time.
    pub fn unread(&self) -> impl Iterator<Item = &Diagnostic> {
        self.folder.iter().flat_map(Folder::unread)
    }

    /// How long until the next look after `now`, in seconds of Unix time, if there is a
    /// reason for one without an event: time that something waits for, or what went wrong
    /// and may go well, tried at first soon and then ever more seldom.
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
        again.into_iter().chain(due).min()
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

    /// Looks at what may have changed and applies it.
    pub fn look(&mut self, hint: &Hint, options: &Options) -> Step {
        let look = self.look_once(hint, options);
        let undone = self.failure.is_some() || !self.unwritten.is_empty() || self.unread().next().is_some();
        self.tries = if undone { self.tries.saturating_add(1) } else { 0 };
        look
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

    /// A look that could not be made.
    pub fn failed(&mut self, error: Diagnostic) -> Step {
        let mut look = Step::default();
        if self.failure.as_ref() != Some(&error) {
            look.error = Some(error.clone());
            self.failure = Some(error);
        }
        look
    }

    fn try_look(&mut self, hint: &Hint, options: &Options, look: &mut Step) -> Result<(), Diagnostic> {
        self.session.ensure(options)?;
        let anew = self.folder.is_none();
        if anew {
            let before = self.session.store().input(&self.watch.id)?;
            let folder = Folder::new(&self.watch.root, self.watch.reading.clone(), before);
            self.folder = Some(folder.allowing_empty(options.allow_empty));
        }
        let Some(folder) = self.folder.as_mut() else { return Ok(()) };
        let hint = if anew { &Hint::Everything } else { hint };
        let had = folder.objects();
        let Scan { change, files, broken, mended } = folder.scan(hint, self.session.world())?;
        let beside: Vec<PathBuf> =
            [self.watch.root.as_path()].into_iter().chain(folder.folders()).map(Path::to_owned).collect();
        let nothing = change.objects.is_empty() && change.gone.is_empty() && change.files.is_empty();
        look.told = broken;
        if had > 0 && folder.objects() == 0 && !options.allow_empty {
            let all =
                if had == 1 { "the one object".to_owned() } else { format!("all of the {had} objects") };
            let what = format!("the folder has lost {all} it had");
            return Err(Diagnostic::error("empty-input", what)
                .help("nothing was changed; if everything is to be removed, say `--allow-empty`"));
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
            || other_rules
            || self.has_ticked(options.now)
            || (self.waits && matches!(hint, Hint::Everything))
        {
            let start = (self.watch.clock)();
            (look.plan, look.warnings) = self.session.apply(&self.watch.id, change, options)?;
            self.locate(&mut look.warnings.came);
            (self.asked, self.took) = (options.now, (self.watch.clock)().duration_since(start));
            self.due = None;
            self.waits = !look.plan.waiting.is_empty();
            let awaited = look.plan.waiting.iter().flat_map(|waiting| &waiting.nodes);
            let due = look.plan.evictions.iter().map(|it| it.at);
            let ends = awaited.filter_map(|it| it.until).chain(due);
            self.ends = ends.filter(|at| *at > options.now).min();
            self.write_exports(look, options.now);
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
        let nodes: BTreeSet<Name> = actions.filter_map(|action| action.node.clone()).collect();
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
