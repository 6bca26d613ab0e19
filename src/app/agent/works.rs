//! What is being done to the pods of the node: one thread a pod, so that one that hangs holds up
//! no other, and what fails is tried again ever more seldom.
//!
//! Nothing is decided here: what is to run comes from the store, what runs from the runtime, and
//! the difference is mended. What is right is not touched.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::diagnostic::Diagnostic;
use crate::kube::{Name, ObjectKey};
use crate::target::runtime::{Observed, Playable, Runtime, State};

/// A container that ends again and again is started again after so long, and a play that fails is
/// tried again: the first, each twice as long as the one before, and the longest (a kubelet's).
const BACKOFF: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(300));
/// The first after a play that failed.
const SOON: Duration = Duration::from_secs(1);
/// What has run for so long does well.
const WELL: Duration = Duration::from_secs(600);

/// Wakes whoever waits, from any thread.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Play,
    Restart,
    Refresh,
    Stop,
}

impl Work {
    fn done(self) -> Option<&'static str> {
        match self {
            Work::Play => Some("pods started"),
            Work::Restart => Some("pods restarted"),
            Work::Stop => Some("pods stopped"),
            // Of most there is nothing to renew.
            Work::Refresh => None,
        }
    }

    /// What cannot be done, of a pod.
    fn failed(self, pod: &ObjectKey) -> String {
        let done = match self {
            Work::Play => "started",
            Work::Restart => "started again",
            Work::Refresh => "given what has changed",
            Work::Stop => "stopped",
        };
        format!("the pod `{pod}` cannot be {done}")
    }
}

/// How often something was tried, and when it may be again.
struct Tries {
    count: u32,
    next: Instant,
}

/// The runtime, and what is being done with it.
pub(super) struct Works {
    runtime: Arc<dyn Runtime>,
    wake: Wake,
    clock: fn() -> Instant,
    busy: BTreeMap<ObjectKey, (Work, JoinHandle<Result<(), Diagnostic>>)>,
    plays: BTreeMap<ObjectKey, Tries>,
    restarts: BTreeMap<ObjectKey, Tries>,
    /// What went wrong with a pod last.
    errors: BTreeMap<ObjectKey, Diagnostic>,
    /// Why the runtime could not be asked, if so.
    unlisted: Option<Diagnostic>,
}

impl Works {
    pub(super) fn new(runtime: Arc<dyn Runtime>, wake: Wake, clock: fn() -> Instant) -> Self {
        Works {
            runtime,
            wake,
            clock,
            busy: BTreeMap::new(),
            plays: BTreeMap::new(),
            restarts: BTreeMap::new(),
            errors: BTreeMap::new(),
            unlisted: None,
        }
    }

    /// What it is that runs pods.
    pub(super) fn name(&self) -> String {
        self.runtime.name()
    }

    /// What went wrong with a pod last, if it is not over.
    pub(super) fn error(&self, pod: &ObjectKey) -> Option<&Diagnostic> {
        self.errors.get(pod)
    }

    /// How long a container of a pod that has ended is left alone still, if it is.
    pub(super) fn backs_off(&self, pod: &ObjectKey) -> Option<Duration> {
        let now = (self.clock)();
        self.restarts.get(pod).map(|tries| tries.next).filter(|next| *next > now).map(|next| next - now)
    }

    /// What is wrong with the runtime itself, and with its pods.
    pub(super) fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.unlisted.iter().chain(self.errors.values())
    }

    /// Whether something is being done.
    pub(super) fn is_busy(&self) -> bool {
        !self.busy.is_empty()
    }

    /// Waits until all that is being done is done.
    pub(super) fn wait(&self) {
        while self.busy.values().any(|(_, thread)| !thread.is_finished()) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// When the next thing is tried again that failed.
    pub(super) fn next(&self) -> Option<Duration> {
        let now = (self.clock)();
        let all = self.plays.values().chain(self.restarts.values()).map(|tries| tries.next);
        all.filter(|next| *next > now).min().map(|next| next - now)
    }

    /// Takes in what has been done: the works that went well, and the errors that are new.
    pub(super) fn collect(&mut self, done: &mut Vec<&'static str>, told: &mut Vec<Diagnostic>) {
        let finished: Vec<ObjectKey> =
            self.busy.iter().filter(|(_, (_, it))| it.is_finished()).map(|(key, _)| key.clone()).collect();
        for key in finished {
            let Some((work, thread)) = self.busy.remove(&key) else { continue };
            let crashed =
                |_| Err(Diagnostic::error("runtime-failed", format!("what was done to `{key}` broke off")));
            match thread.join().unwrap_or_else(crashed) {
                Ok(()) => {
                    done.extend(work.done());
                    self.errors.remove(&key);
                    if work == Work::Play {
                        self.plays.remove(&key);
                    }
                }
                Err(error) => {
                    if self.errors.get(&key) != Some(&error) {
                        let message = format!("{}: {}", work.failed(&key), error.message);
                        told.push(Diagnostic { message, ..error.clone() });
                    }
                    self.errors.insert(key.clone(), error);
                    if work == Work::Play {
                        later(&mut self.plays, &key, SOON, (self.clock)());
                    }
                }
            }
        }
    }

    /// What runs now; nothing where the runtime cannot be asked, which is told once.
    pub(super) fn list(&mut self, told: &mut Vec<Diagnostic>) -> Option<Vec<Observed>> {
        match self.runtime.list() {
            Ok(pods) => {
                self.unlisted = None;
                Some(pods)
            }
            Err(error) => {
                if self.unlisted.as_ref() != Some(&error) {
                    told.push(error.clone());
                }
                self.unlisted = Some(error);
                None
            }
        }
    }

    /// Mends what differs: `wanted` are the marks of the pods that are to run, `pod` gives one
    /// with all that it takes. With `renew`, what runs is given what has changed of that.
    pub(super) fn mend(
        &mut self,
        renew: bool,
        wanted: &BTreeMap<ObjectKey, Name>,
        seen: &[Observed],
        mut pod: impl FnMut(&ObjectKey) -> Result<Option<Playable>, Diagnostic>,
    ) -> Result<(), Diagnostic> {
        let now = (self.clock)();
        let gone = |key: &ObjectKey| !wanted.contains_key(key);
        self.plays.retain(|key, _| !gone(key));
        self.restarts.retain(|key, _| !gone(key));
        let there: BTreeMap<&ObjectKey, &Observed> = seen.iter().map(|pod| (&pod.key, pod)).collect();
        self.errors.retain(|key, _| !gone(key) || there.contains_key(key));
        // One that goes may have the port, or the volume, of the one that comes in its place.
        let mut leaving: BTreeSet<(Name, String)> = BTreeSet::new();
        for observed in seen.iter().filter(|observed| gone(&observed.key)) {
            leaving.insert(family(&observed.key));
            self.begin(Work::Stop, &observed.key, |runtime, key| runtime.stop(key));
        }
        leaving.extend(
            self.busy.iter().filter(|(_, (work, _))| *work == Work::Stop).map(|(key, _)| family(key)),
        );
        for (key, mark) in wanted {
            match there.get(key) {
                Some(observed) if *observed.mark == **mark => {
                    self.restart(observed, now);
                    if let Some(playable) = if renew { pod(key)? } else { None } {
                        self.begin(Work::Refresh, key, move |runtime, _| runtime.refresh(&playable));
                    }
                }
                _ if leaving.contains(&family(key)) || self.busy.contains_key(key) => {}
                _ if self.plays.get(key).is_some_and(|tries| tries.next > now) => {}
                _ => {
                    if let Some(playable) = pod(key)? {
                        self.begin(Work::Play, key, move |runtime, _| runtime.play(&playable));
                    }
                }
            }
        }
        Ok(())
    }

    /// Starts containers again that ended, as a kubelet does: at once, then ever more seldom.
    fn restart(&mut self, observed: &Observed, now: Instant) {
        let key = &observed.key;
        let mut lasting = observed.containers.iter().filter(|container| !container.init);
        if !lasting.any(|container| matches!(container.state, State::Ended(_))) {
            if self.restarts.get(key).is_some_and(|tries| now.duration_since(tries.next.min(now)) > WELL) {
                self.restarts.remove(key);
            }
            return;
        }
        if self.busy.contains_key(key) || self.restarts.get(key).is_some_and(|tries| tries.next > now) {
            return;
        }
        later(&mut self.restarts, key, BACKOFF.0, now);
        self.begin(Work::Restart, key, |runtime, key| runtime.restart(key));
    }

    fn begin(
        &mut self,
        work: Work,
        key: &ObjectKey,
        act: impl FnOnce(&dyn Runtime, &ObjectKey) -> Result<(), Diagnostic> + Send + 'static,
    ) {
        if self.busy.contains_key(key) {
            return;
        }
        let (runtime, wake, of) = (self.runtime.clone(), self.wake.clone(), key.clone());
        let run = move || {
            let done = act(&*runtime, &of);
            wake();
            done
        };
        match std::thread::Builder::new().spawn(run) {
            Ok(thread) => {
                self.busy.insert(key.clone(), (work, thread));
            }
            Err(error) => {
                let what = format!("nothing can be done to `{key}`: no thread can be had: {error}");
                self.errors.insert(key.clone(), Diagnostic::error("runtime-failed", what));
            }
        }
    }
}

/// Puts the next try off: for `first`, then for twice as long each time.
fn later(tries: &mut BTreeMap<ObjectKey, Tries>, key: &ObjectKey, first: Duration, now: Instant) {
    let it = tries.entry(key.clone()).or_insert(Tries { count: 0, next: now });
    it.next = now + (first * 2_u32.pow(it.count.min(16))).min(BACKOFF.1);
    it.count += 1;
}

/// The pods of one daemonset: their names differ in what follows the last dash.
fn family(pod: &ObjectKey) -> (Name, String) {
    let stem = pod.name.rsplit_once('-').map_or(&*pod.name, |(stem, _)| stem);
    (pod.namespace.clone(), stem.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Mutex;

    use super::*;
    use crate::target::runtime::{Container, Ended, Phase};

    /// One that does what it is told at once, and notes it.
    #[derive(Default)]
    struct Told {
        pods: Mutex<BTreeMap<ObjectKey, Observed>>,
        said: Mutex<Vec<String>>,
        refuses: Mutex<BTreeSet<ObjectKey>>,
    }

    impl Runtime for Told {
        fn name(&self) -> String {
            "told".to_owned()
        }
        fn list(&self) -> Result<Vec<Observed>, Diagnostic> {
            Ok(self.pods.lock().unwrap().values().cloned().collect())
        }
        fn play(&self, pod: &Playable) -> Result<(), Diagnostic> {
            self.said.lock().unwrap().push(format!("play {}", pod.key));
            if self.refuses.lock().unwrap().contains(&pod.key) {
                return Err(Diagnostic::error("image-missing", "there is no image"));
            }
            let running = Container { state: State::Running(None), ..Container::default() };
            let observed = Observed {
                key: pod.key.clone(),
                mark: pod.mark.clone(),
                phase: Phase::Running,
                containers: vec![running],
                ..Observed::default()
            };
            self.pods.lock().unwrap().insert(pod.key.clone(), observed);
            Ok(())
        }
        fn restart(&self, pod: &ObjectKey) -> Result<(), Diagnostic> {
            self.said.lock().unwrap().push(format!("restart {pod}"));
            let mut pods = self.pods.lock().unwrap();
            pods.get_mut(pod).unwrap().containers[0].state = State::Running(None);
            Ok(())
        }
        fn stop(&self, pod: &ObjectKey) -> Result<(), Diagnostic> {
            self.said.lock().unwrap().push(format!("stop {pod}"));
            self.pods.lock().unwrap().remove(pod);
            Ok(())
        }
    }

    struct Stage {
        runtime: Arc<Told>,
        works: Works,
        told: Vec<Diagnostic>,
    }

    impl Stage {
        fn new() -> Self {
            let runtime = Arc::new(Told::default());
            let works = Works::new(runtime.clone(), Arc::new(|| {}), Instant::now);
            Stage { runtime, works, told: Vec::new() }
        }

        /// Mends until all is done, once; gives what was said to the runtime.
        fn turn(&mut self, wanted: &[(&str, &str)]) -> Vec<String> {
            let key = |name: &str| ObjectKey::new("default", name);
            let wanted = wanted.iter().map(|(name, mark)| (key(name), Name::from(*mark))).collect();
            let seen = self.works.list(&mut self.told).unwrap();
            let marks: BTreeMap<ObjectKey, Name> = wanted;
            let pod = |key: &ObjectKey| {
                let mark = marks[key].to_string();
                Ok(Some(Playable {
                    key: key.clone(),
                    mark,
                    manifest: serde_json::Value::Null,
                    objects: vec![],
                }))
            };
            self.works.mend(false, &marks, &seen, pod).unwrap();
            self.works.wait();
            self.works.collect(&mut Vec::new(), &mut self.told);
            let mut said = std::mem::take(&mut *self.runtime.said.lock().unwrap());
            said.sort();
            said
        }
    }

    #[test]
    fn what_differs_is_mended_and_what_is_right_is_left_alone() {
        let mut stage = Stage::new();
        assert_eq!(
            stage.turn(&[("web-1", "a"), ("log-1", "a")]),
            ["play default/log-1", "play default/web-1"]
        );
        assert_eq!(stage.turn(&[("web-1", "a"), ("log-1", "a")]), [""; 0]);
        // The old one goes first; the other daemonset's comes at once.
        let next = [("web-2", "a"), ("log-1", "a"), ("new-1", "a")];
        assert_eq!(stage.turn(&next), ["play default/new-1", "stop default/web-1"]);
        assert_eq!(stage.turn(&next), ["play default/web-2"]);
        // Another mark under the same name.
        assert_eq!(stage.turn(&[("web-2", "b"), ("log-1", "a"), ("new-1", "a")]), ["play default/web-2"]);
        assert!(stage.told.is_empty());
    }

    #[test]
    fn what_ends_is_started_again_at_once_and_then_ever_more_seldom() {
        let mut stage = Stage::new();
        stage.turn(&[("web-1", "a")]);
        let end = |stage: &Stage| {
            let mut pods = stage.runtime.pods.lock().unwrap();
            pods.values_mut().next().unwrap().containers[0].state = State::Ended(Ended::default());
        };
        end(&stage);
        assert_eq!(stage.turn(&[("web-1", "a")]), ["restart default/web-1"]);
        end(&stage);
        assert_eq!(stage.turn(&[("web-1", "a")]), [""; 0]);
        assert!(stage.works.next().unwrap() > Duration::from_secs(8));
    }

    #[test]
    fn what_fails_is_told_once_and_tried_again_and_others_go_on() {
        let mut stage = Stage::new();
        stage.runtime.refuses.lock().unwrap().insert(ObjectKey::new("default", "web-1"));
        let wanted = [("web-1", "a"), ("log-1", "a")];
        assert_eq!(stage.turn(&wanted).len(), 2);
        assert_eq!((stage.told.len(), stage.turn(&wanted).len()), (1, 0));
        assert_eq!(stage.works.errors().count(), 1);
        std::thread::sleep(SOON);
        assert_eq!(stage.turn(&wanted), ["play default/web-1"]);
        assert_eq!(stage.told.len(), 1);
        stage.turn(&[("log-1", "a")]);
        assert_eq!(stage.works.errors().count(), 0);
    }
}
