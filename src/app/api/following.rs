//! A folder that is served: a store of its own follows it as `dsrules watch` has one do, and
//! what clients write stands beside what the files say, never in its place.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::refused::{Reason, Refused};
use super::resource::Resource;
use crate::app::listener::Listener;
use crate::app::options::Options;
use crate::app::session::Session;
use crate::app::watch::{Keeper, REGULARLY, SOON, Step, Watch};
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, ObjectKey};
use crate::source::{Events, Hint};
use crate::state::{Delta, World};

/// Events are acted on once none has come for so long,
const REST: Duration = Duration::from_millis(100);
/// or once the first is so old.
const PATIENCE: Duration = Duration::from_secs(2);

/// A folder that is to be followed.
pub struct Followed {
    /// The folder, and the store that follows it.
    pub watch: Watch,
    /// Hears what each step came to, and how long it took.
    pub told: Told,
}

/// Hears what a step came to.
pub type Told = Box<dyn FnMut(Step, &Keeper, Duration) + Send>;

/// When events came, the first and the last that nobody has acted on.
type Heard = Arc<Mutex<Option<(Instant, Instant)>>>;

/// A folder that is followed.
pub(super) struct Following {
    keeper: Keeper,
    events: Events,
    heard: Heard,
    told: Told,
    clock: fn() -> Instant,
    /// When all of it was looked at last.
    looked: Option<Instant>,
    /// When it is to be looked at though nothing is heard.
    again: Option<Instant>,
}

/// Keeps what is told until somebody is there to hear it.
#[derive(Default)]
struct Kept(RefCell<Vec<Diagnostic>>);

impl Listener for Kept {
    fn tell(&self, found: Vec<Diagnostic>) {
        self.0.borrow_mut().extend(found);
    }

    fn note(&self, _: &str) {}

    fn stage(&self, _: &'static str) {}
}

impl Following {
    /// Begins with a first look.
    ///
    /// # Errors
    /// Everything that is wrong with the rules.
    pub(super) fn new(followed: Followed, options: &Options) -> Result<Following, Vec<Diagnostic>> {
        let Followed { watch, told } = followed;
        let clock = watch.clock;
        let heard = Heard::default();
        let wake = {
            let heard = heard.clone();
            move || {
                let now = clock();
                let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                *heard = Some((heard.map_or(now, |(first, _)| first), now));
            }
        };
        let events = Events::new(&watch.root, watch.reading.recursive, wake);
        let kept = Kept::default();
        let keeper = Keeper::new(watch, &kept)?;
        let mut following = Following { keeper, events, heard, told, clock, looked: None, again: None };
        following.step(options, kept.0.into_inner());
        Ok(following)
    }

    /// What is known.
    pub(super) fn session(&self) -> &Session {
        self.keeper.session()
    }

    /// Looks at the folder, where there is reason to; says whether it did.
    pub(super) fn look(&mut self, options: &Options) -> bool {
        self.step(options, Vec::new())
    }

    fn step(&mut self, options: &Options, told: Vec<Diagnostic>) -> bool {
        let start = (self.clock)();
        let mut step = match self.events.ensure() {
            Err(missing) if self.again.is_none_or(|again| again <= start) => self.keeper.failed(missing),
            Err(_) => return false,
            Ok(anew) => match self.reason(anew, start) {
                Some(hint) => {
                    if hint == Hint::Everything {
                        self.looked = Some(start);
                    }
                    self.keeper.look(&hint, options)
                }
                None => return false,
            },
        };
        step.told.extend(told);
        if self.events.also(self.keeper.places()) {
            // Rules may have changed after they were read and before they were watched.
            self.wait(Some(Duration::ZERO));
        } else {
            let again = self.keeper.retry(options.now);
            self.wait(if self.keeper.failure().is_some() { again.or(Some(SOON)) } else { again });
        }
        self.tell(step, start);
        true
    }

    /// What to look at now, if anything.
    fn reason(&mut self, anew: bool, now: Instant) -> Option<Hint> {
        let is_old = |at: Instant, age: Duration| now.saturating_duration_since(at) >= age;
        if anew || self.looked.is_none_or(|looked| is_old(looked, REGULARLY)) {
            return Some(Hint::Everything);
        }
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.is_some_and(|(first, last)| is_old(last, REST) || is_old(first, PATIENCE)) {
            *heard = None;
            return Some(self.events.take());
        }
        let is_due = self.again.is_some_and(|again| again <= now);
        is_due.then(|| if self.keeper.is_sound() { self.events.take() } else { Hint::Everything })
    }

    fn wait(&mut self, time: Option<Duration>) {
        self.again = time.map(|time| (self.clock)() + time);
    }

    fn tell(&mut self, step: Step, start: Instant) {
        let took = (self.clock)().saturating_duration_since(start);
        (self.told)(step, &self.keeper, took);
    }

    /// Takes in what a client writes.
    ///
    /// # Errors
    /// As [`Session::apply`].
    pub(super) fn take(&mut self, id: &str, change: Delta, options: &Options) -> Result<(), Diagnostic> {
        let start = (self.clock)();
        let step = self.keeper.take(id, change, options)?;
        let again = self.keeper.retry(options.now);
        self.wait(again);
        self.tell(step, start);
        Ok(())
    }

    /// Changes the world before a client's change is taken in.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) fn amend(
        &mut self,
        options: &Options,
        change: impl FnOnce(&mut World) -> bool,
    ) -> Result<(), Diagnostic> {
        self.keeper.amend(options, |world, _| change(world))
    }

    /// Looks at whether a client may write an object, or take it away: what a file says is
    /// changed in the file.
    ///
    /// # Errors
    /// When a file has it, or it is not known what files have.
    pub(super) fn admit(
        &self,
        it: &Resource,
        kind: Kind,
        key: &ObjectKey,
        goes: bool,
    ) -> Result<(), Refused> {
        let Some(folder) = self.keeper.folder() else {
            let message = "it is not known what the folder has, as it cannot be read";
            return Err(Refused { retry: Some(1), ..Refused::new(Reason::ServiceUnavailable, message) });
        };
        if folder.claims(kind, key) {
            let held = folder.holding(&BTreeSet::from([(kind, key.clone())]));
            let file = held.first().map(|(_, _, file)| file.display().to_string()).unwrap_or_default();
            let why = format!("it stands in the file `{file}`, which is followed: change it there");
            return Err(Refused::forbidden(it, &key.name, &why));
        }
        if goes && kind == Kind::Namespace && folder.claims_in(&key.name) {
            let why = "files of the folder that is followed have objects in it";
            return Err(Refused::forbidden(it, &key.name, why));
        }
        Ok(())
    }
}
