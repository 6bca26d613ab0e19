//! A store that stays open: what changed goes in, what follows from it is committed.
//!
//! World, facts and what the rules derived stay in memory between changes, so a change
//! costs what it touches. After an error nothing of that is trusted: the next change
//! begins with the store again.

use std::collections::BTreeSet;

use super::bound::Before;
use super::follow;
use super::gone::with_given;
use super::history::record::{self, Heard};
use super::load::load;
use super::options::Options;
use super::placed::Kept;
use super::planning::{self, finish};
use super::put::put_all;
use super::schedule::{self, Coming};
use super::standing::standing;
use super::tick::Tick;
use super::warned::{Warned, Warnings};
use crate::datalog::{Constraint, Declaration, Program, Row, Symbols};
use crate::diagnostic::{Diagnostic, counted};
use crate::kube::{Kind, ObjectKey};
use crate::plan::{FINDINGS_TOLD, Judged, Plan, Reconciler, constraint};
use crate::policy::relations;
use crate::reach::Derived;
use crate::reason::Reasoner;
use crate::state::{Delta, Gone, OwnFile, World};
use crate::target::Memory;
use crate::target::etcd::CONFLICT;
use crate::target::tree::Destination;

/// An open store with all that is known of it.
pub struct Session {
    store: Box<dyn Memory>,
    program: Program,
    /// The user's files that go with the input, until they are saved.
    own: Option<Vec<OwnFile>>,
    /// The tree that follows, where there is one.
    tree: Option<Destination>,
    state: Option<State>,
    /// Whether who asks has looked at what there is, and is to be told when it is other than that.
    strict: bool,
    /// What was warned of.
    warned: Warned,
    /// The violations that refused the last plan.
    refused: Vec<Judged>,
    /// What was written by the last change; nothing where that is too much to be named.
    touched: Option<BTreeSet<(Kind, ObjectKey)>>,
    /// What the last change recorded events about.
    told: BTreeSet<(Kind, ObjectKey)>,
}

struct State {
    world: World,
    reasoner: Reasoner,
    reconciler: Reconciler,
    placed: Kept,
}

impl Session {
    /// A session on a store that was opened to be written. `own` are the user's files
    /// that go with its input; the program has been made with them.
    #[must_use]
    pub fn new(store: Box<dyn Memory>, program: Program, own: Vec<OwnFile>) -> Self {
        Session {
            store,
            program,
            own: Some(own),
            tree: None,
            state: None,
            strict: false,
            warned: Warned::default(),
            refused: Vec::new(),
            touched: None,
            told: BTreeSet::new(),
        }
    }

    /// The same with a tree that follows the store: what cannot be written there is not
    /// committed.
    #[must_use]
    pub fn followed_by(mut self, tree: Option<Destination>) -> Self {
        self.tree = tree;
        self
    }

    /// The same for one who looks at what there is before each change: where that is other than
    /// it was, the change is refused as [`CONFLICT`].
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Goes on with other rules, and with the user's files they were made with; all is
    /// derived anew.
    pub fn replace_rules(&mut self, program: Program, own: Vec<OwnFile>) {
        self.program = program;
        self.own = Some(own);
        self.state = None;
    }

    /// When its rules may answer otherwise though nothing but the time changes after `now`,
    /// when they were asked last.
    #[must_use]
    pub fn tick(&self, now: i64) -> Option<Tick> {
        let reasoner = &self.state.as_ref()?.reasoner;
        Tick::after(&self.program, reasoner.evaluation()?, reasoner.symbols(), now)
    }

    /// The violations that refused the last plan; of each relation the first.
    #[must_use]
    pub fn refused(&self) -> &[Judged] {
        &self.refused
    }

    /// The objects that the last change wrote or took away, where they are not so many that
    /// nobody has named them.
    #[must_use]
    pub fn touched(&self) -> Option<&BTreeSet<(Kind, ObjectKey)>> {
        self.touched.as_ref()
    }

    /// What the last change recorded events about.
    #[must_use]
    pub fn told(&self) -> &BTreeSet<(Kind, ObjectKey)> {
        &self.told
    }

    /// The rules.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &dyn Memory {
        &*self.store
    }

    /// The world as it was committed last, if it is known.
    #[must_use]
    pub fn world(&self) -> Option<&World> {
        self.state.as_ref().map(|state| &state.world)
    }

    /// The world as it was committed last, with what was derived of it, if it is known.
    #[must_use]
    pub fn derived(&self) -> Option<(&World, Derived<'_>)> {
        let State { world, reasoner, .. } = self.state.as_ref()?;
        let (program, symbols) = (reasoner.program(), reasoner.symbols());
        Some((world, Derived { program, symbols, evaluation: reasoner.evaluation()? }))
    }

    /// Changes the world before the next change is taken in, and says whether it did; what was
    /// changed is saved with that.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn amend(
        &mut self,
        options: &Options,
        change: impl FnOnce(&mut World, &dyn Memory) -> bool,
    ) -> Result<bool, Diagnostic> {
        self.ensure(options)?;
        let Session { state, store, .. } = self;
        Ok(state.as_mut().is_some_and(|state| change(&mut state.world, &**store)))
    }

    /// The rules with what was derived last.
    #[must_use]
    pub fn reasoner(&self) -> Option<&Reasoner> {
        self.state.as_ref().map(|state| &state.reasoner)
    }

    /// Takes a change in, reconciles the world and commits, all or nothing. `id` is the
    /// input that the files belong to.
    ///
    /// # Errors
    /// When a bound is passed or the store cannot be written; then nothing has changed.
    pub fn apply(
        &mut self,
        id: &str,
        change: Delta,
        options: &Options,
    ) -> Result<(Plan, Warnings), Diagnostic> {
        self.refused.clear();
        self.store.begin()?;
        let Some(mut state) = self.begun(options, (&change).into())? else {
            self.store.rollback();
            return Ok(Default::default());
        };
        match self.carry_out(&mut state, id, change, options) {
            Ok(done) => {
                let is_all = self.store.settle(&mut state.world)?;
                if !is_all {
                    self.touched = None;
                }
                self.state = is_all.then_some(state);
                self.ensure(options)?;
                Ok(done)
            }
            Err(error) => {
                self.store.rollback();
                Err(error)
            }
        }
    }

    /// The world that a change is made to, with the transaction begun: others may have written to a
    /// shared store until then. Where who asks has looked at what there was, that is told.
    fn begun(&mut self, options: &Options, coming: Coming<'_>) -> Result<Option<State>, Diagnostic> {
        let ready = self.store.moment().and_then(|(version, _)| {
            if let Some(state) = self.state.take_if(|state| state.world.stored != version)
                && (self.strict || !state.world.dirty.objects.is_empty())
            {
                return Err(changed());
            }
            self.ready(options, coming)
        });
        if ready.is_err() {
            self.store.rollback();
        }
        ready.map(|()| self.state.take())
    }

    /// Takes in what others wrote where the store is shared; says whether that was anything.
    ///
    /// # Errors
    /// When they cannot be asked.
    pub fn follow(&mut self) -> Result<bool, Diagnostic> {
        let changed = self.store.follow()?;
        if changed {
            self.state = None;
        }
        Ok(changed)
    }

    /// Reads the world, if it is not known.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn ensure(&mut self, options: &Options) -> Result<(), Diagnostic> {
        if self.state.is_some() { Ok(()) } else { self.ready(options, Coming::default()) }
    }

    /// Reads the world, if it is not known, or not as is needed for what is coming: the
    /// scheduler is asked from now on, or no longer.
    fn ready(&mut self, options: &Options, coming: Coming<'_>) -> Result<(), Diagnostic> {
        let suits = |state: &State| {
            relations::schedules(state.reasoner.program())
                == schedule::simulates(options, &state.world, coming)
        };
        if self.state.as_ref().is_some_and(suits) {
            return Ok(());
        }
        let world = load(&*self.store, &self.program, options, coming)?;
        let program = schedule::asked(&self.program, options, &world, coming);
        self.state = Some(State {
            world,
            reasoner: Reasoner::new(&program, options.grouping).limited(options.limits),
            reconciler: Reconciler::default(),
            placed: Kept::of(self.store.placement()?),
        });
        Ok(())
    }

    /// What leaves the input `id`, with what that still has in the namespaces among it.
    fn gone(&self, id: &str, change: &Delta) -> Result<Gone, Diagnostic> {
        let objects = change.gone.clone();
        if objects.iter().all(|(kind, _)| *kind != Kind::Namespace) {
            return Ok(Gone { objects, ..Gone::default() });
        }
        let before = self.store.input(id)?;
        let known = before.objects.keys().map(|(kind, key)| (*kind, key));
        Ok(with_given(objects, known.chain(change.objects.iter().map(|it| (it.kind, &it.key)))))
    }

    fn carry_out(
        &mut self,
        state: &mut State,
        id: &str,
        change: Delta,
        options: &Options,
    ) -> Result<(Plan, Warnings), Diagnostic> {
        let State { world, reasoner, reconciler, placed } = state;
        world.turns.clone_from(&options.turns);
        let before = Before::applying(world);
        let gone = self.gone(id, &change)?;
        let objects = put_all(world, change.objects, &gone, options);
        let (plan, reconciled) = finish(world, objects, &before, reasoner, reconciler, options)?;
        let mut warnings = self.judge(reasoner, world, &plan, options)?;
        self.touched = (!world.dirty.made).then(|| world.dirty.objects.clone());
        self.told = world.dirty.events.iter().map(|event| (event.of, event.about.clone())).collect();
        let heard = Heard::of_delta(id, &change.files, self.own.as_deref());
        let account = record::account(&*self.store, &heard, &plan, world, options)?;
        self.store.save(world)?;
        follow::guard(self.tree.as_ref(), &*self.store)?;
        if let Some(own) = &self.own {
            self.store.save_own_files(id, own)?;
        }
        self.store.change_input(id, &change.files)?;
        let (before, after) = placed.follow(reasoner, &reconciled);
        self.store.save_placement(Some(&before), &after)?;
        self.store.remember(&account)?;
        self.store.commit()?;
        self.own = None;
        self.warned.tell(&mut warnings);
        Ok((plan, warnings))
    }

    /// What constraints say of a plan: of warnings what is new. Violations refuse it.
    fn judge(
        &mut self,
        reasoner: &mut Reasoner,
        world: &World,
        plan: &Plan,
        options: &Options,
    ) -> Result<Warnings, Diagnostic> {
        let mut first = |_: &Declaration, rows: Vec<Row>, symbols: &Symbols| {
            constraint::first(rows, options.told, symbols)
        };
        let mut news = self.warned.news();
        let mut judged = Vec::new();
        if !options.ignore_violations {
            self.refused = planning::judged(reasoner, plan, &[Constraint::Violation], &mut first, options)?;
            self.refused.retain(Judged::refuses);
            if let Some(error) = refusal(&self.refused) {
                return Err(error);
            }
        }
        let mut new =
            |declaration: &Declaration, rows, symbols: &Symbols| news.choose(declaration, rows, symbols);
        let kinds: &[Constraint] = match options.ignore_violations {
            true => &[Constraint::Violation, Constraint::Warning],
            false => &[Constraint::Warning],
        };
        judged.extend(planning::judged(reasoner, plan, kinds, &mut new, options)?);
        judged.extend(standing(reasoner, world, &mut new));
        Ok(news.warnings(judged))
    }
}

/// The error for a plan that is refused: the first violation, with the others below it.
fn refusal(refused: &[Judged]) -> Option<Diagnostic> {
    let first = refused.first()?;
    let (mut error, told) = first.grouped(FINDINGS_TOLD).next()?;
    if let Some(row) = first.findings.first() {
        error.notes.insert(0, format!("it is the row {}", row.fact));
    }
    let all: usize = refused.iter().map(|it| it.count).sum();
    if all > told {
        error.notes.push(format!("and {}", counted(all - told, "more violation")));
    }
    Some(error)
}

/// That a shared store is not as it was looked at.
fn changed() -> Diagnostic {
    Diagnostic::error(CONFLICT, "the store was changed by somebody else meanwhile")
        .because("what is there is not what this was asked of")
        .help("ask again: it begins with what is there now")
}
