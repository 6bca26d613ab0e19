//! The folder and the store kept together: one look after the other.
//!
//! A look that fails leaves the store as it was and is made again from the start: what
//! is known of folder and store is dropped, because only the store is certain.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dsrules::app::Options;
use dsrules::app::session::Session;
use dsrules::diagnostic::Diagnostic;
use dsrules::kube::Name;
use dsrules::manifest;
use dsrules::plan::Plan;
use dsrules::source::{Folder, Hint, Scan};
use dsrules::state::World;
use dsrules::target::tree::{self, TreeReport, Wanted};

use super::pause::{REGULARLY, SOON};
use super::rules::Rules;

/// Rules that ask for the time are asked again after so many times what it took.
const SPARED: u32 = 20;

/// What keeps the store equal to the folder.
pub struct Keeper {
    session: Session,
    root: PathBuf,
    /// Under which the store remembers what the folder brought.
    id: String,
    reading: manifest::Options,
    folder: Option<Folder>,
    rules: Rules,
    tree: Option<PathBuf>,
    /// Whether all of the tree must be compared, not just the nodes of a plan.
    whole_tree: bool,
    /// The error that the last look ended with.
    failure: Option<Diagnostic>,
    waits: bool,
    /// When the rules were asked last, in seconds of Unix time.
    asked: i64,
    /// How long that took: rules that ask for the time are not asked all the time.
    took: Duration,
    /// How many looks in a row left something undone that may be done the next time.
    tries: u32,
}

/// What one look came to.
#[derive(Default)]
pub struct Look {
    /// The files that differ.
    pub files: Vec<String>,
    /// Files that are in error no longer.
    pub mended: Vec<String>,
    /// Errors that are new.
    pub told: Vec<Diagnostic>,
    /// What was done.
    pub plan: Plan,
    /// What was done to the tree.
    pub tree: Option<TreeReport>,
    /// Why nothing was done, if so.
    pub error: Option<Diagnostic>,
}

impl Keeper {
    /// Nothing is known yet.
    pub fn new(
        session: Session,
        rules: Rules,
        root: PathBuf,
        id: String,
        reading: manifest::Options,
        tree: Option<PathBuf>,
    ) -> Self {
        let whole_tree = true;
        let (folder, failure, waits, asked, took, tries) = (None, None, false, 0, Duration::ZERO, 0);
        Keeper {
            session,
            root,
            id,
            reading,
            folder,
            rules,
            tree,
            whole_tree,
            failure,
            waits,
            asked,
            took,
            tries,
        }
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
        self.failure.is_none() && self.folder.is_some() && self.broken().is_empty()
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

    /// Whether something waits for time to pass.
    pub fn waits(&self) -> bool {
        self.waits || self.session.world().is_some_and(|world| !world.backoff.is_empty())
    }

    /// Files that could not be read, though they may be the next time.
    pub fn unread(&self) -> impl Iterator<Item = &Diagnostic> {
        self.folder.iter().flat_map(Folder::unread)
    }

    /// How long until the next look, if there is a reason for one without an event: time
    /// that something waits for, or what went wrong and may go well, tried at first soon
    /// and then ever more seldom.
    pub fn retry(&self) -> Option<Duration> {
        if self.waits() {
            return Some(SOON);
        }
        let doubled = 1 << self.tries.saturating_sub(1).min(10);
        let again = (self.tries > 0).then(|| (SOON * doubled).min(REGULARLY));
        let tick = self.session.tick().map(|tick| tick.left(self.asked).max(self.took * SPARED));
        again.into_iter().chain(tick).min()
    }

    /// Whether a rule may answer otherwise only because time has passed.
    fn has_ticked(&self, now: i64) -> bool {
        self.session.tick().is_some_and(|tick| tick.has_passed(self.asked, now))
    }

    /// Looks at what may have changed and applies it.
    pub fn look(&mut self, hint: &Hint, options: &Options) -> Look {
        let look = self.look_once(hint, options);
        let undone = self.failure.is_some() || self.unread().next().is_some();
        self.tries = if undone { self.tries.saturating_add(1) } else { 0 };
        look
    }

    fn look_once(&mut self, hint: &Hint, options: &Options) -> Look {
        let mut look = Look::default();
        match self.try_look(hint, options, &mut look) {
            Ok(()) => {
                self.failure = None;
                look
            }
            Err(error) => {
                // What was found is not in the store: it is to be found again.
                self.folder = None;
                let failed = self.failed(error);
                // The same failure again is no news, and neither is what led to it.
                let files = if failed.error.is_some() { look.files } else { Vec::new() };
                Look { told: look.told, files, ..failed }
            }
        }
    }

    /// A look that could not be made.
    pub fn failed(&mut self, error: Diagnostic) -> Look {
        let mut look = Look::default();
        if self.failure.as_ref() != Some(&error) {
            look.error = Some(error.clone());
            self.failure = Some(error);
        }
        look
    }

    fn try_look(&mut self, hint: &Hint, options: &Options, look: &mut Look) -> Result<(), Diagnostic> {
        self.session.ensure(options)?;
        let anew = self.folder.is_none();
        if anew {
            let before = self.session.store().input(&self.id)?;
            let folder = Folder::new(&self.root, self.reading.clone(), before);
            self.folder = Some(folder.allowing_empty(options.allow_empty));
        }
        let Some(folder) = self.folder.as_mut() else { return Ok(()) };
        let hint = if anew { &Hint::Everything } else { hint };
        let had = folder.objects();
        let Scan { change, files, broken, mended } = folder.scan(hint, self.session.world())?;
        let beside: Vec<PathBuf> =
            [self.root.as_path()].into_iter().chain(folder.folders()).map(Path::to_owned).collect();
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
            self.session.replace_rules(policy.program, policy.own);
        }
        // Also without a change there may be something to do: time passes.
        if !nothing
            || anew
            || other_rules
            || self.waits
            || self.has_ticked(options.now)
            || self.session.world().is_some_and(|world| !world.backoff.is_empty())
        {
            let start = Instant::now();
            look.plan = self.session.apply(&self.id, change, options)?;
            (self.asked, self.took) = (options.now, start.elapsed());
            self.waits = !look.plan.waiting.is_empty();
        }
        self.write_tree(look)
    }

    fn write_tree(&mut self, look: &mut Look) -> Result<(), Diagnostic> {
        let (Some(tree), Some(world)) = (&self.tree, self.session.world()) else { return Ok(()) };
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
