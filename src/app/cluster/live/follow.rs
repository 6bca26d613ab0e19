//! When to look: what is heard together is looked at together, and time passes too.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::view::{Look, Manifest, View};
use super::watches::{Piece, Watches};
use crate::app::cluster::kinds::{READ, Read};
use crate::app::cluster::observe::Detail;
use crate::app::listener::{Listener, Silent};
use crate::app::manifests::Manifests;
use crate::app::options::Options;
use crate::app::rules;
use crate::cluster::{Cluster, Heard, asked_for, pause};
use crate::datalog::Program;
use crate::diagnostic::Diagnostic;
use crate::policy::Asked;
use crate::state::World;

/// It is looked so often whether time has changed something.
const TICK: Duration = Duration::from_secs(1);
/// It is looked so often whether the files of manifests have changed.
const FILES: u32 = 2;
/// So often a kind may fail before anything was heard of it: nobody is there, then.
const TRIES: usize = 3;
/// So long after it was tried again a watch is taken to go on: one on which nothing happens says
/// nothing.
const SILENT: Duration = Duration::from_secs(2);
/// What never comes to rest is looked at after so many times of rest.
const PATIENCE: u32 = 20;

/// How a cluster is followed.
pub struct Following {
    /// Manifests that are put on top of it.
    pub manifests: Manifests,
    /// The user's own rules.
    pub rules: Asked,
    /// How it is looked at, but for the time.
    pub options: Options,
    /// What is heard is looked at when nothing more came for so long.
    pub rest: Duration,
    /// Whether one look is all.
    pub once: bool,
    /// The time, in seconds of Unix time.
    pub clock: Box<dyn Fn() -> i64>,
    /// Where it is asked how much time has passed.
    pub timer: fn() -> Instant,
}

/// Who is told what happens.
pub type Tell<'t, E> = dyn FnMut(Told<'_>) -> Result<(), E> + 't;

/// What is told on the way.
pub enum Told<'a> {
    /// What a look came to, with the world that it was at, and whether it is the first.
    Look(&'a Look, &'a World, bool),
    /// Something may not be read, and it goes without.
    Unread(Diagnostic),
    /// Something is wrong that may pass.
    Trouble(Diagnostic),
    /// All is well again.
    Mended,
}

/// A cluster that is to be followed, with rules and manifests that are sound.
pub struct Ready {
    following: Following,
    program: Program,
    manifest: Manifest,
}

impl Following {
    /// Reads rules and manifests.
    ///
    /// # Errors
    /// When they are not sound.
    pub fn ready(self, listener: &dyn Listener) -> Result<Ready, Vec<Diagnostic>> {
        let manifest = manifest(&self.manifests, listener)?;
        let found = rules::find(&self.rules, &self.manifests.beside());
        let program = rules::with(found, None, None, listener)?.program;
        Ok(Ready { following: self, program, manifest })
    }
}

impl Ready {
    /// Looks at a cluster for as long as `stop` does not say to end.
    ///
    /// # Errors
    /// When the cluster does not answer at the start or does not let us read what is needed, or a
    /// rule derives too much; and what `told` fails with.
    pub async fn follow<E: From<Vec<Diagnostic>>>(
        self,
        cluster: &Cluster,
        mut stop: watch::Receiver<bool>,
        told: &mut Tell<'_, E>,
    ) -> Result<(), E> {
        let Ready { following, program, manifest } = self;
        let of = |now: i64| Options { now, ..following.options.clone() };
        let detail = Detail::of(&following.rules, &following.manifests);
        let now = (following.clock)();
        let mut driver = Driver {
            following: &following,
            watches: Watches::new(cluster, &detail, now),
            view: View::new(&program, manifest, of(now)),
            failed: BTreeMap::new(),
            refused: BTreeSet::new(),
            silent: BTreeMap::new(),
            cut: false,
            misread: false,
            hashes: following.manifests.hashes(),
            first: true,
        };
        while let Some(changed) = driver.run(&mut stop, told).await? {
            let now = (following.clock)();
            let view = View::edited(driver.view, &program, changed, of(now));
            driver = Driver { watches: Watches::new(cluster, &detail, now), view, ..driver };
        }
        Ok(())
    }
}

/// What manifests say, by what it is about.
fn manifest(manifests: &Manifests, listener: &dyn Listener) -> Result<Manifest, Vec<Diagnostic>> {
    if manifests.is_empty() {
        return Ok(Manifest::new());
    }
    let reading = manifests.read(listener)?;
    if reading.has_errors() {
        return Err(reading.diagnostics);
    }
    Ok(reading.objects.into_iter().map(|it| ((it.kind, it.key), it.value)).collect())
}

struct Driver<'f> {
    following: &'f Following,
    watches: Watches,
    view: View,
    /// How often each kind has failed since it was heard of.
    failed: BTreeMap<&'static str, usize>,
    /// Kinds that may not be read.
    refused: BTreeSet<&'static str>,
    /// Kinds that are not heard of for now, with when they are taken to go on if nothing is heard.
    silent: BTreeMap<&'static str, Option<Instant>>,
    /// Whether that was told.
    cut: bool,
    /// Whether manifests were found to be wrong.
    misread: bool,
    /// The manifests as they were read.
    hashes: Option<Vec<(std::path::PathBuf, String)>>,
    first: bool,
}

impl Driver<'_> {
    /// Goes on until it is to end, or the manifests say something else, which it then gives.
    async fn run<E: From<Vec<Diagnostic>>>(
        &mut self,
        stop: &mut watch::Receiver<bool>,
        told: &mut Tell<'_, E>,
    ) -> Result<Option<Manifest>, E> {
        let (mut due, mut ticks) = (None, 0);
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let heard = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return Ok(None),
                _ = tick.tick() => None,
                heard = self.watches.next() => heard,
            };
            match heard {
                Some((read, heard)) => {
                    self.hear(read, heard, told)?;
                    self.rest(told).await?;
                }
                None => {
                    ticks += 1;
                    if ticks % FILES == 0
                        && let Some(changed) = self.files(told)?
                    {
                        return Ok(Some(changed));
                    }
                }
            }
            self.silence(told)?;
            let is_due = due.is_some_and(|due| due <= (self.following.clock)());
            if self.is_whole() && (self.first || self.view.has_news() || is_due) {
                self.look(told)?;
                due = self.view.due();
                if self.following.once {
                    return Ok(None);
                }
            }
        }
    }

    /// Whether all is seen as it is: a node of today and its pods of before would be taken for
    /// something to be done.
    fn is_whole(&self) -> bool {
        let is_needed = |read: &&Read| read.unknown.is_none();
        // At first all was listed just now.
        self.watches.is_whole()
            && (self.first || !READ.iter().filter(is_needed).any(|it| self.silent.contains_key(it.plural)))
    }

    fn look<E: From<Vec<Diagnostic>>>(&mut self, told: &mut Tell<'_, E>) -> Result<(), E> {
        let began = (self.following.timer)();
        let mut look = self.view.look((self.following.clock)()).map_err(|error| vec![error])?;
        look.took = (self.following.timer)().saturating_duration_since(began);
        told(Told::Look(&look, self.view.world(), std::mem::take(&mut self.first)))
    }

    /// Takes in what else comes until nothing more does.
    async fn rest<E: From<Vec<Diagnostic>>>(&mut self, told: &mut Tell<'_, E>) -> Result<(), E> {
        for _ in 0..PATIENCE {
            sleep(self.following.rest).await;
            let mut more = false;
            while let Some((read, heard)) = self.watches.ready() {
                self.hear(read, heard, told)?;
                more = true;
            }
            if !more {
                break;
            }
        }
        Ok(())
    }

    fn hear<E: From<Vec<Diagnostic>>>(
        &mut self,
        read: &'static Read,
        heard: Heard<Piece>,
        told: &mut Tell<'_, E>,
    ) -> Result<(), E> {
        match heard {
            Heard::Refused(error) => match read.unknown {
                None => Err(vec![error].into()),
                Some(unknown) => {
                    self.watches.without(read);
                    self.silent.remove(read.plural);
                    if !self.refused.insert(read.plural) {
                        return Ok(());
                    }
                    let Diagnostic { message, notes, help, .. } = error;
                    let mut warning = Diagnostic::warning("not-read", message).because(unknown);
                    warning.notes.extend(notes);
                    told(Told::Unread(Diagnostic { help, ..warning }))
                }
            },
            Heard::Broken(error) => self.broken(read, error, told),
            Heard::Old => {
                self.silent.insert(read.plural, None);
                Ok(())
            }
            heard => {
                self.failed.remove(read.plural);
                self.silent.remove(read.plural);
                let now = (self.following.clock)();
                self.view.hear(read, heard, now).map_err(|error| vec![error].into())
            }
        }
    }

    /// A kind is not heard of for now. At the start that is an error, if it stays so.
    fn broken<E: From<Vec<Diagnostic>>>(
        &mut self,
        read: &'static Read,
        error: Diagnostic,
        told: &mut Tell<'_, E>,
    ) -> Result<(), E> {
        let failed = self.failed.entry(read.plural).or_default();
        *failed += 1;
        if self.first && *failed >= TRIES {
            // Where nobody is, all kinds are the same.
            let notes = error.notes.into_iter().filter(|note| *note != asked_for(read.plural));
            return Err(vec![Diagnostic { notes: notes.collect(), ..error }].into());
        }
        let goes_on = (self.following.timer)() + pause(*failed) + SILENT;
        self.silent.insert(read.plural, Some(goes_on));
        if self.first || std::mem::replace(&mut self.cut, true) {
            return Ok(());
        }
        let warning = Diagnostic::warning(error.code, error.message);
        let warning = error.notes.into_iter().fold(warning, Diagnostic::because);
        told(Told::Trouble(
            warning.help("it is tried again until it goes on; what is shown meanwhile may be old"),
        ))
    }

    /// Takes kinds of which nothing is heard to go on, when they have had the time.
    fn silence<E>(&mut self, told: &mut Tell<'_, E>) -> Result<(), E> {
        let now = (self.following.timer)();
        self.silent.retain(|_, goes_on| goes_on.is_none_or(|goes_on| goes_on > now));
        let goes_on = self.silent.is_empty() && std::mem::take(&mut self.cut);
        if goes_on && !self.misread { told(Told::Mended) } else { Ok(()) }
    }

    /// What manifests say that have changed; what is wrong with them is told, and what they said
    /// before stays.
    fn files<E: From<Vec<Diagnostic>>>(&mut self, told: &mut Tell<'_, E>) -> Result<Option<Manifest>, E> {
        let manifests = &self.following.manifests;
        if manifests.is_empty() {
            return Ok(None);
        }
        let hashes = manifests.hashes();
        if hashes == self.hashes {
            return Ok(None);
        }
        self.hashes = hashes;
        match manifest(manifests, &Silent) {
            Ok(changed) => {
                if std::mem::take(&mut self.misread) && !self.cut {
                    told(Told::Mended)?;
                }
                Ok(Some(changed))
            }
            Err(errors) => {
                self.misread = true;
                errors.into_iter().try_for_each(|error| told(Told::Trouble(error)))?;
                Ok(None)
            }
        }
    }
}
