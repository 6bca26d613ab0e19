//! When to look: what is heard together is looked at together, and time passes too.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::sleep;

use super::view::{Look, Manifest, View};
use super::watches::{Piece, Watches};
use crate::app::cluster::kinds::Read;
use crate::app::cluster::observe::Detail;
use crate::app::listener::{Listener, Silent};
use crate::app::manifests::Manifests;
use crate::app::options::Options;
use crate::app::rules;
use crate::cluster::{Cluster, Heard};
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
/// So many ticks after a watch broke it is taken to go on: one on which nothing happens says nothing.
const SILENT: u32 = 40;
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
        let Ready { following, program, mut manifest } = self;
        let mut first = true;
        loop {
            let now = (following.clock)();
            let detail = Detail::of(&following.rules, &following.manifests);
            let options = Options { now, ..following.options.clone() };
            let mut driver = Driver {
                following: &following,
                watches: Watches::new(cluster, &detail, now),
                view: View::new(&program, manifest, options),
                failed: BTreeMap::new(),
                troubled: None,
                hashes: following.manifests.hashes(),
                first,
            };
            match driver.run(&mut stop, told).await? {
                Some(changed) => manifest = changed,
                None => return Ok(()),
            }
            first = driver.first;
        }
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
    /// How many ticks ago something went wrong that has not been heard of since.
    troubled: Option<(&'static str, u32)>,
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
        loop {
            let heard = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return Ok(None),
                heard = self.watches.next() => heard,
                () = sleep(TICK) => None,
            };
            match heard {
                Some((read, heard)) => {
                    self.hear(read, heard, told)?;
                    self.rest(told).await?;
                }
                None => {
                    ticks += 1;
                    self.silence(told)?;
                    if ticks % FILES == 0
                        && let Some(changed) = self.files(told)?
                    {
                        return Ok(Some(changed));
                    }
                }
            }
            let is_due = due.is_some_and(|due| due <= (self.following.clock)());
            if self.watches.is_whole() && (self.first || self.view.has_news() || is_due) {
                self.look(told)?;
                due = self.view.due();
                if self.following.once {
                    return Ok(None);
                }
            }
        }
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
                Some(unknown) if self.failed.insert(read.plural, 0).is_none() => {
                    self.watches.without(read);
                    let Diagnostic { message, notes, help, .. } = error;
                    let mut warning = Diagnostic::warning("not-read", message).because(unknown);
                    warning.notes.extend(notes);
                    told(Told::Trouble(Diagnostic { help, ..warning }))
                }
                Some(_) => Ok(()),
            },
            Heard::Broken(error) => self.broken(read, error, told),
            heard => {
                self.failed.remove(read.plural);
                if self.troubled.is_some_and(|(plural, _)| plural == read.plural) {
                    self.troubled = None;
                    told(Told::Mended)?;
                }
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
            return Err(vec![error].into());
        }
        if self.first || self.troubled.replace((read.plural, 0)).is_some() {
            return Ok(());
        }
        let warning = Diagnostic::warning(error.code, error.message);
        let warning = error.notes.into_iter().fold(warning, Diagnostic::because);
        told(Told::Trouble(
            warning.help("it is tried again until it goes on; what is shown meanwhile may be old"),
        ))
    }

    fn silence<E>(&mut self, told: &mut Tell<'_, E>) -> Result<(), E> {
        match &mut self.troubled {
            Some((_, ticks)) if *ticks >= SILENT => {
                self.troubled = None;
                told(Told::Mended)
            }
            Some((_, ticks)) => {
                *ticks += 1;
                Ok(())
            }
            None => Ok(()),
        }
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
            Ok(changed) => Ok(Some(changed)),
            Err(errors) => {
                errors.into_iter().try_for_each(|error| told(Told::Trouble(error)))?;
                Ok(None)
            }
        }
    }
}
