//! podman as what runs the pods of a node.
//!
//! ```text
//!  play:  accepted? -> resolved (`standalone`) -> images -> ports -> `podman kube play --replace`
//!  list:  `podman pod ps`, `podman ps`  +  kept (what was played)  +  probe (what containers answer)
//! ```
//! A pod is one that carries the label of this node; no other is listed, stopped or replaced.
//! podman's name of it is `NAMESPACE.NAME`. What podman 4.3 cannot do is done here: subPaths,
//! probes, credentials, a kubelet's way of starting again. What cannot be had at all is
//! refused by name (`accepted`).
//!
//! podman keeps the pods: they run on when this program ends, and are known again when it
//! starts. Nothing here runs longer than its time: a podman that hangs is stopped.

mod accepted;
mod command;
mod fault;
mod files;
mod images;
mod kept;
mod kube;
mod listed;
mod observe;
mod ports;
mod probe;
mod stop;
mod text;
mod version;
mod volumes;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use self::command::{CHANGE, Command, PULL};
use self::files::{Folder, VOLUMES};
use self::kept::Kept;
use self::listed::{Does, Listed, Run};
use self::observe::Known;
use self::probe::{Probe, Prober, Watch};
use self::version::Version;
use super::runtime::{Observed, Playable, Runtime};
use super::standalone::{self, standalone};
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, ObjectKey, list};

pub use fault::reason;

/// How long an answer of a probe is waited for when asking begins.
const FIRST_ANSWER: Duration = Duration::from_secs(1);

/// How podman is used.
#[derive(Debug, Clone)]
pub struct Options {
    /// The node whose pods they are.
    pub node: String,
    /// The program.
    pub program: String,
    /// Options that stand before every subcommand, as `--root=/srv/podman`.
    pub arguments: Vec<String>,
    /// A folder of the node's own, for what is mounted into pods.
    pub folder: PathBuf,
    /// What time it is, in seconds of Unix time.
    pub now: fn() -> i64,
}

/// The pods of a node, run by podman.
#[derive(Debug)]
pub struct Podman {
    node: String,
    command: Command,
    version: Version,
    folder: Folder,
    prober: Prober,
    now: fn() -> i64,
    /// The names of the pods that are being played.
    playing: Mutex<BTreeSet<String>>,
    /// What was asked of podman once: addresses of pods, and who ran out of memory.
    addresses: Mutex<BTreeMap<String, String>>,
    memory: Mutex<BTreeMap<(String, Option<i64>), bool>>,
}

impl Podman {
    /// Finds podman, which has to be there and new enough.
    ///
    /// # Errors
    /// When it is not, or the folder cannot be written.
    pub fn new(options: &Options) -> Result<Self, Diagnostic> {
        let folder = Folder::open(&options.folder)?;
        let command = Command {
            program: whole(&options.program),
            options: options.arguments.clone(),
            folder: folder.0.clone(),
        };
        let version = Version::of(&command)?;
        let prober = Prober::start(command.clone()).map_err(|error| {
            Diagnostic::error(
                "podman-failed",
                format!("probes cannot be asked: no thread can be had: {error}"),
            )
        })?;
        Ok(Podman {
            node: options.node.clone(),
            command,
            version,
            folder,
            prober,
            now: options.now,
            playing: Mutex::default(),
            addresses: Mutex::default(),
            memory: Mutex::default(),
        })
    }

    /// What is known of a listed pod, but for its probes.
    fn known(&self, pod: &Listed) -> Known {
        let kept = Kept::read(&self.folder, &pod.name);
        Known {
            restarts: kept::restarts(&self.folder, &pod.name),
            ip: kept.as_ref().and_then(|kept| self.address(pod, kept)),
            out_of_memory: self.out_of_memory(pod),
            health: BTreeMap::new(),
            is_playing: lock(&self.playing).contains(&pod.name),
            kept,
        }
    }

    /// The address of a pod: that of its node with the host's network.
    fn address(&self, pod: &Listed, kept: &Kept) -> Option<String> {
        if kept.spec()["hostNetwork"] == true {
            return kept.manifest["status"]["hostIP"].as_str().map(str::to_owned);
        }
        if !pod.infra_runs {
            return None;
        }
        let mut known = lock(&self.addresses);
        if !known.contains_key(&pod.infra) {
            let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
            let said =
                self.command.ask(&["inspect", "--type=container", "--format", format, &pod.infra]).ok()?;
            let first = said.split_whitespace().next()?.to_owned();
            known.insert(pod.infra.clone(), first);
        }
        known.get(&pod.infra).cloned()
    }

    /// The containers of a pod that were killed for the memory they took.
    fn out_of_memory(&self, pod: &Listed) -> Vec<String> {
        let killed = pod.runs.values().filter(|run| run.does == Does::Rest && run.code == 137);
        let asked = |run: &&Run| {
            let mut known = lock(&self.memory);
            *known.entry((run.id.clone(), run.exited)).or_insert_with(|| {
                let words = ["inspect", "--type=container", "--format", "{{.State.OOMKilled}}", &run.id];
                self.command.ask(&words).is_ok_and(|said| said.trim() == "true")
            })
        };
        killed.filter(asked).map(|run| run.id.clone()).collect()
    }

    /// The runs of a pod that have probes.
    fn watches(&self, pod: &Listed, known: &Known) -> Vec<Watch> {
        let Some(kept) = &known.kept else { return Vec::new() };
        let running = kept.containers("containers").filter_map(|(name, container)| {
            let run = pod.runs.get(name).filter(|run| run.does == Does::Run)?;
            let started = run.started?;
            let probe = |field: &str| Probe::of(&container[field], container, kept.spec()).ok().flatten();
            let watch = Watch {
                id: run.id.clone(),
                process: run.process,
                age: Duration::from_secs(u64::try_from((self.now)() - started).unwrap_or(0)),
                container: format!("{}-{name}", pod.name),
                address: known.ip.clone().unwrap_or_else(|| "127.0.0.1".to_owned()),
                startup: probe("startupProbe"),
                readiness: probe("readinessProbe"),
                liveness: probe("livenessProbe"),
            };
            let asks = watch.startup.is_some() || watch.readiness.is_some() || watch.liveness.is_some();
            asks.then_some(watch)
        });
        running.collect()
    }

    /// A pod with everything resolved that it names.
    fn document(&self, name: &str, pod: &Playable) -> Result<kube::Document, Diagnostic> {
        let home = self.folder.of(name);
        let mut lookup = |kind: Kind, key: &ObjectKey| {
            let is_meant = |object: &&Value| {
                let meta = &object["metadata"];
                // What stands in no namespace is asked for by an empty one.
                let namespace = meta["namespace"].as_str().unwrap_or("default");
                object["kind"] == kind.name()
                    && meta["name"] == *key.name
                    && (key.namespace.is_empty() || *key.namespace == *namespace)
            };
            Ok(pod.objects.iter().find(is_meant).cloned())
        };
        let folder = home.join(VOLUMES).display().to_string();
        let made = standalone(pod.manifest.clone(), standalone::Runtime::Podman, &folder, &mut lookup)?;
        accepted::resolved(&made)?;
        let about =
            kube::About { name, key: &pod.key, node: &self.node, mark: &pod.mark, whole: &pod.manifest };
        kube::document(about, &made, &home)
    }

    /// Plays a pod for which everything is resolved and brought.
    fn start(&self, name: &str, pod: &Kept, document: &kube::Document) -> Result<(), Diagnostic> {
        let before = Kept::read(&self.folder, name);
        // The same pod again keeps its directories, as with a kubelet.
        let is_same = before.is_some_and(|kept| kept.mark == pod.mark);
        if !is_same {
            self.folder.remove(name)?;
        }
        let group = kube::group(pod.spec());
        self.folder.write(name, &document.volumes.directories, &document.volumes.files, group)?;
        pod.write(&self.folder, name)?;
        if is_same {
            let again = pod.containers("containers").map(|(name, _)| (name.to_owned(), None));
            kept::count(&self.folder, name, again)?;
        }
        // Containers that prepare the others are waited for by podman.
        let within = if pod.containers("initContainers").next().is_some() { PULL } else { CHANGE };
        let words = ["kube", "play", "--replace", "--build=false", "-"];
        self.command.run(&words, &document.pod.to_string(), within).map(drop).map_err(|fault| {
            let mut told = fault.told();
            told.message =
                told.message.replace("`podman kube play`", &format!("`podman kube play` of `{name}`"));
            told
        })
    }

    /// Refuses a name that somebody else's pod has; whether there is one of ours.
    fn check_name(&self, name: &str) -> Result<bool, Diagnostic> {
        match listed::is_ours(&self.command, &self.node, name)? {
            Some(false) => Err(Diagnostic::error(
                "pod-name-taken",
                format!("podman has a pod `{name}` that is not of this node and not touched"),
            )
            .help(format!("remove it with `podman pod rm {name}`, or rename it"))),
            found => Ok(found.is_some()),
        }
    }
}

impl Runtime for Podman {
    fn name(&self) -> String {
        format!("podman {}", self.version)
    }

    fn list(&self) -> Result<Vec<Observed>, Diagnostic> {
        let pods = listed::listed(&self.command, &self.node)?;
        let mut all: Vec<(&Listed, Known)> = pods.iter().map(|pod| (pod, self.known(pod))).collect();
        let watches = all.iter().flat_map(|(pod, known)| self.watches(pod, known)).collect();
        self.prober.attend(watches, FIRST_ANSWER);
        for (pod, known) in &mut all {
            let health = |run: &Run| (run.id.clone(), self.prober.health(&run.id, run.process));
            known.health = pod.runs.values().map(health).collect();
        }
        let there: BTreeSet<&String> = pods.iter().map(|pod| &pod.infra).collect();
        lock(&self.addresses).retain(|infra, _| there.contains(infra));
        let ids: BTreeSet<&String> =
            pods.iter().flat_map(|pod| pod.runs.values().map(|run| &run.id)).collect();
        lock(&self.memory).retain(|(id, _), _| ids.contains(id));
        Ok(all.iter().map(|(pod, known)| observe::observed(pod, known)).collect())
    }

    fn play(&self, pod: &Playable) -> Result<(), Diagnostic> {
        let name = podman_name(&pod.key);
        let spec: &Value = &pod.manifest["spec"];
        accepted::check(&pod.manifest, self.version)?;
        let document = self.document(&name, pod)?;
        images::bring(&self.command, &self.folder, &name, spec, &pod.objects).inspect_err(|_| {
            // Of a pod that has never run nothing stays.
            if Kept::read(&self.folder, &name).is_none() {
                let _ = self.folder.remove(&name);
            }
        })?;
        let is_there = self.check_name(&name)?;
        let _playing = Playing::begin(&self.playing, &name);
        if is_there {
            stop::stop(&self.command, &self.folder, &name, self.now)?;
        }
        let manifest = with_address(pod);
        ports::check(spec, manifest["status"]["hostIP"].as_str())?;
        let kept = Kept { mark: pod.mark.clone(), manifest };
        self.start(&name, &kept, &document).inspect_err(|_| {
            // What is left of it would be in the way; that it cannot be removed is told by the next try.
            if matches!(self.check_name(&name), Ok(true)) {
                let _ = self.command.run(&["pod", "rm", "--force", "--time=0", &name], "", CHANGE);
            }
            let _ = self.folder.remove(&name);
        })
    }

    fn restart(&self, pod: &ObjectKey) -> Result<(), Diagnostic> {
        let pods = listed::listed(&self.command, &self.node)?;
        let Some(pod) = pods.iter().find(|it| it.key == *pod) else { return Ok(()) };
        let known = self.known(pod);
        let Some(kept) = &known.kept else { return Ok(()) };
        let again: Vec<(&str, &Run)> = kept
            .containers("containers")
            .filter_map(|(name, _)| Some((name, pod.runs.get(name)?)))
            .filter(|(_, run)| run.does == Does::Rest && kept.starts_again(run.code))
            .collect();
        if again.is_empty() {
            return Ok(());
        }
        let counted =
            again.iter().map(|(name, run)| ((*name).to_owned(), Some(observe::ended(Some(run), &known))));
        kept::count(&self.folder, &pod.name, counted)?;
        let names: Vec<String> = again.iter().map(|(name, _)| format!("{}-{name}", pod.name)).collect();
        let mut words = vec!["start"];
        words.extend(names.iter().map(String::as_str));
        self.command.run(&words, "", CHANGE).map(drop).map_err(|fault| fault.told())
    }

    fn refresh(&self, pod: &Playable) -> Result<(), Diagnostic> {
        let name = podman_name(&pod.key);
        if Kept::read(&self.folder, &name).is_none_or(|kept| kept.mark != pod.mark) {
            return Ok(());
        }
        let document = self.document(&name, pod)?;
        self.folder.renew(&name, &document.volumes.files, kube::group(&pod.manifest["spec"]))
    }

    fn stop(&self, pod: &ObjectKey) -> Result<(), Diagnostic> {
        let name = podman_name(pod);
        if listed::is_ours(&self.command, &self.node, &name)? == Some(true) {
            stop::stop(&self.command, &self.folder, &name, self.now)?;
        }
        self.folder.remove(&name)
    }
}

/// A pod that is being played, for as long as this is there.
struct Playing<'a>(&'a Mutex<BTreeSet<String>>, String);

impl<'a> Playing<'a> {
    fn begin(all: &'a Mutex<BTreeSet<String>>, name: &str) -> Self {
        lock(all).insert(name.to_owned());
        Playing(all, name.to_owned())
    }
}

impl Drop for Playing<'_> {
    fn drop(&mut self) {
        lock(self.0).remove(&self.1);
    }
}

/// A program that is named by a path, by its full path: podman runs in another folder.
fn whole(program: &str) -> String {
    match std::path::absolute(program) {
        Ok(path) if program.contains('/') => path.display().to_string(),
        _ => program.to_owned(),
    }
}

/// The pod with the address of its node, where that is known: with the host's network it is
/// the pod's own, which probes ask.
fn with_address(pod: &Playable) -> Value {
    let mut manifest = pod.manifest.clone();
    let node = pod.objects.iter().find(|object| object["kind"] == "Node");
    let addresses = node.into_iter().flat_map(|node| list(&node["status"], "addresses"));
    let mut internal = addresses.filter(|address| address["type"] == "InternalIP");
    if let Some(address) = internal.find_map(|address| address["address"].as_str())
        && manifest["status"]["hostIP"].is_null()
    {
        manifest["status"]["hostIP"] = address.into();
    }
    manifest
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What podman calls a pod. A namespace has no dot, so no two pods have one name.
fn podman_name(key: &ObjectKey) -> String {
    format!("{}.{}", key.namespace, key.name)
}
