//! A cluster as it is seen, and what the rules want of it that is not so.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::watches::{Kept, Piece, kind_of};
use crate::app::api::Typed;
use crate::app::cluster::kinds::Read;
use crate::app::cluster::merged::applied;
use crate::app::load::{wants_details, wants_whole};
use crate::app::options::Options;
use crate::app::planning;
use crate::app::standing::standing;
use crate::app::tick::Tick;
use crate::app::warned::{Warned, Warnings};
use crate::cluster::Heard;
use crate::datalog::{Constraint, Declaration, Program, Row, Symbols};
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, Object, ObjectKey, Origin};
use crate::plan::{Action, Plan, Tally, Touched, Waiting, Wave, pass_over, waiting};
use crate::policy::relations;
use crate::reason::Reasoner;
use crate::state::{Dirty, World};

/// So many objects are named that something was heard of.
const NAMED: usize = 3;

/// What became of objects since the last look.
#[derive(Debug, Default)]
pub struct News {
    /// The first of them, each with its kind and whether it is there.
    pub named: Vec<(Kind, ObjectKey, bool)>,
    /// How many there are in all.
    pub count: usize,
    /// Whether the manifests are others: all is looked at anew.
    pub edited: bool,
}

/// What a look came to.
#[derive(Debug, Default)]
pub struct Look {
    /// What was heard.
    pub news: News,
    /// What is wanted from now on.
    pub came: Vec<Action>,
    /// What is wanted no longer: it was done, or is out of place.
    pub over: Vec<Action>,
    /// How much is wanted in all.
    pub wanted: usize,
    /// What daemonsets wait for.
    pub waiting: Vec<Waiting>,
    /// Whether they wait for something else than before.
    pub waits_anew: bool,
    /// What rules warn of that is new, and what is over.
    pub warnings: Warnings,
    /// How long it took.
    pub took: Duration,
}

impl Look {
    /// Whether there is anything to tell.
    #[must_use]
    pub fn is_news(&self) -> bool {
        let Warnings { came, over, more_over, .. } = &self.warnings;
        !self.came.is_empty()
            || !self.over.is_empty()
            || self.waits_anew
            || !came.is_empty()
            || !over.is_empty()
            || *more_over > 0
    }
}

/// Manifests that are what-if, by what they are about.
pub(super) type Manifest = BTreeMap<(Kind, ObjectKey), Value>;

/// A cluster as it is seen.
pub(super) struct View {
    world: World,
    reasoner: Reasoner,
    tally: Tally,
    manifest: Manifest,
    /// What is wanted, by daemonset; what is of none, and what other controllers are to do, under
    /// none.
    wants: BTreeMap<Option<ObjectKey>, BTreeSet<Action>>,
    waiting: Vec<Waiting>,
    warned: Warned,
    news: News,
    asked: i64,
    options: Options,
}

impl View {
    /// Nothing is seen yet but what manifests say.
    pub fn new(program: &Program, manifest: Manifest, options: Options) -> Self {
        // Where a pod is, is seen: nobody has to be asked what a scheduler would say.
        let program = relations::assuming(program);
        let mut world = World { detailed: wants_details(&program), ..World::default() };
        world.whole = wants_whole(&program);
        let mut view = View {
            world,
            reasoner: Reasoner::new(&program, options.grouping).limited(options.limits),
            tally: Tally::default(),
            wants: BTreeMap::new(),
            waiting: Vec::new(),
            warned: Warned::default(),
            news: News::default(),
            asked: options.now,
            manifest: Manifest::new(),
            options,
        };
        let now = view.asked;
        manifest.iter().for_each(|((kind, key), value)| view.see(*kind, key.clone(), value.clone(), now));
        view.manifest = manifest;
        view
    }

    /// The same cluster with other manifests: what was wanted by now is known, so that what is told
    /// next is what is otherwise.
    pub fn edited(before: View, program: &Program, manifest: Manifest, options: Options) -> Self {
        let View { wants, waiting, warned, .. } = before;
        let news = News { edited: true, ..News::default() };
        View { wants, waiting, warned, news, ..View::new(program, manifest, options) }
    }

    /// The world as it is seen.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Whether something was heard since the last look.
    pub fn has_news(&self) -> bool {
        self.news.count > 0
    }

    /// Takes in what was heard.
    ///
    /// # Errors
    /// When a manifest cannot be put on top of what the cluster has now.
    pub fn hear(&mut self, read: &Read, heard: Heard<Piece>, now: i64) -> Result<(), Diagnostic> {
        let Some(kind) = kind_of(read) else { return Ok(()) };
        match heard {
            Heard::All(pieces) => {
                let there: BTreeSet<&ObjectKey> = pieces.iter().map(|it| &it.key).collect();
                let gone = self.world.keys(kind).into_iter().filter(|key| !there.contains(*key));
                let gone: Vec<ObjectKey> = gone.cloned().collect();
                gone.into_iter().for_each(|key| self.gone(kind, key, now));
                pieces.into_iter().try_for_each(|piece| self.put(kind, piece, now))
            }
            Heard::Put(piece) => self.put(kind, piece, now),
            Heard::Gone(Piece { key, uid, .. }) => {
                // One may have been made since under its name.
                if self.world.meta(kind, &key).is_some_and(|meta| meta.uid == *uid) {
                    self.gone(kind, key, now);
                }
                Ok(())
            }
            Heard::Old | Heard::Refused(_) | Heard::Broken(_) => Ok(()),
        }
    }

    fn put(&mut self, kind: Kind, Piece { key, kept, .. }: Piece, now: i64) -> Result<(), Diagnostic> {
        match kept {
            Kept::Pod(pod) => {
                self.world.remove(kind, &key);
                self.world.see_pod(*pod);
                self.note(kind, key, true);
            }
            // Other controllers keep revisions too.
            Kept::Object(value) if is_of_another(kind, &value) => {}
            Kept::Object(mut value) => {
                if let Some(manifest) = self.manifest.get(&(kind, key.clone())) {
                    value = applied(value, manifest, Typed::of(kind.name())).map_err(|why| {
                        let what = format!("{kind} `{key}` cannot be applied to that of the cluster");
                        Diagnostic::error("cannot-merge", what).because(why)
                    })?;
                }
                self.see(kind, key, value, now);
            }
        }
        Ok(())
    }

    fn gone(&mut self, kind: Kind, key: ObjectKey, now: i64) {
        match self.manifest.get(&(kind, key.clone())).cloned() {
            Some(manifest) => self.see(kind, key, manifest, now),
            None => {
                self.world.remove(kind, &key);
                self.note(kind, key, false);
            }
        }
    }

    /// What is said of an object now is all there is: nothing of what it was before stays.
    fn see(&mut self, kind: Kind, key: ObjectKey, value: Value, now: i64) {
        self.world.remove(kind, &key);
        let origin = Origin { file: "the cluster".into(), document: 0, path: String::new() };
        self.world.see(Object { kind, key: key.clone(), value, origin }, now);
        self.note(kind, key, true);
    }

    fn note(&mut self, kind: Kind, key: ObjectKey, is_there: bool) {
        // Nothing of this is saved.
        self.world.dirty = Dirty::default();
        self.world.incarnations.clear();
        self.news.count += 1;
        if self.news.named.len() < NAMED {
            self.news.named.push((kind, key, is_there));
        }
    }

    /// When time alone may change what is wanted, if it may.
    pub fn due(&self) -> Option<i64> {
        let tick = self.reasoner.evaluation().and_then(|evaluation| {
            Tick::after(self.reasoner.program(), evaluation, self.reasoner.symbols(), self.asked)
        });
        let nodes = self.waiting.iter().flat_map(|waiting| &waiting.nodes);
        let ends = nodes.filter_map(|it| it.until).filter(|at| *at > self.asked);
        ends.chain(tick.map(|tick| tick.at)).min()
    }

    /// What the rules say now.
    ///
    /// # Errors
    /// When a rule derives too much.
    pub fn look(&mut self, now: i64) -> Result<Look, Diagnostic> {
        self.asked = now;
        self.options.now = now;
        let changed = std::mem::take(&mut self.world.changed);
        let derived = self.reasoner.derive(&self.world, &changed, now)?;
        let touched = self.tally.follow(&self.reasoner, &derived, &self.world, &changed);
        let pass = pass_over(&self.reasoner, &self.world, &self.tally, &touched);
        let mut look = Look { news: std::mem::take(&mut self.news), ..Look::default() };
        self.want(&touched, pass.actions, pass.collected, &mut look);
        look.wanted = self.wants.values().map(BTreeSet::len).sum();
        let waits = waiting(&self.reasoner, &self.world);
        look.waits_anew = waits != self.waiting;
        look.waiting.clone_from(&waits);
        self.waiting = waits;
        look.warnings = self.judge(now)?;
        Ok(look)
    }

    /// Takes in what is wanted of the daemonsets that were looked at.
    fn want(&mut self, touched: &Touched, actions: Vec<Action>, collected: Vec<Action>, look: &mut Look) {
        let mut keys: BTreeSet<Option<ObjectKey>> = match touched {
            Touched::All => self.wants.keys().cloned().collect(),
            Touched::Only(keys) => keys.iter().cloned().map(Some).collect(),
        };
        let mut now: BTreeMap<Option<ObjectKey>, BTreeSet<Action>> = BTreeMap::new();
        for action in actions {
            now.entry(action.daemonset.clone()).or_default().insert(action);
        }
        // What others are to do is looked at as a whole each time.
        now.entry(None).or_default().extend(collected);
        keys.extend(now.keys().cloned());
        for key in keys {
            let before = self.wants.remove(&key).unwrap_or_default();
            let now = now.remove(&key).unwrap_or_default();
            look.came.extend(now.difference(&before).cloned());
            look.over.extend(before.difference(&now).cloned());
            if !now.is_empty() {
                self.wants.insert(key, now);
            }
        }
        look.came.sort();
        look.over.sort();
    }

    /// What constraints say of what is wanted: what is new, and what is over.
    fn judge(&mut self, now: i64) -> Result<Warnings, Diagnostic> {
        let actions = self.wants.values().flatten().cloned().collect();
        let plan = Plan { waves: vec![Wave { time: now, actions }], ..Plan::default() };
        let mut news = self.warned.news();
        let mut new = |declaration: &Declaration, rows: Vec<Row>, symbols: &Symbols| {
            news.choose(declaration, rows, symbols)
        };
        let kinds = [Constraint::Violation, Constraint::Warning];
        let mut judged = planning::judged(&mut self.reasoner, &plan, &kinds, &mut new, &self.options)?;
        judged.extend(standing(&self.reasoner, &self.world, &mut new));
        let mut warnings = news.warnings(judged);
        self.warned.tell(&mut warnings);
        Ok(warnings)
    }
}

fn is_of_another(kind: Kind, value: &Value) -> bool {
    kind == Kind::ControllerRevision
        && crate::kube::controlling(value).is_some_and(|owner| owner["kind"] != "DaemonSet")
}
