//! A tree whose writing ends in the middle: the process is killed, the power is cut, a disk
//! is full or broken. Whatever was done by then, each file is as it was or as it is to be,
//! and the next run does what is left.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use dsrules::kube::{Kind, Name, ObjectKey};
use dsrules::target::tree::{Destination, Format, Step, TreeReport, Wanted, Witness, sync_seen};
use proptest::prelude::*;
use serde_json::{Value, json};

#[path = "tree/disk.rs"]
mod disk;
#[path = "reliability/figure.rs"]
#[allow(dead_code)]
mod figure;

use disk::{Disk, Loss};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Nothing,
    /// From the n-th step on nothing is done: the process was killed.
    Killed(usize),
    /// The n-th step alone fails, with this number.
    Once(usize, i32),
    /// From the n-th step on there is no room.
    Full(usize),
}

/// What there is no room for.
fn takes_room(step: &Step) -> bool {
    matches!(step, Step::MakeFolder(_) | Step::Make(_) | Step::Fill(..) | Step::Rename { .. })
}

const EIO: i32 = 5;
const EACCES: i32 = 13;
const ENOSPC: i32 = 28;

struct Onlooker {
    together: bool,
    fault: Fault,
    count: Mutex<usize>,
    steps: Mutex<Vec<Step>>,
}

impl Onlooker {
    fn new(together: bool, fault: Fault) -> Arc<Self> {
        Arc::new(Onlooker { together, fault, count: Mutex::default(), steps: Mutex::default() })
    }
}

impl Witness for Onlooker {
    fn before(&self, step: Step) -> io::Result<()> {
        let mut count = self.count.lock().unwrap();
        let nth = *count;
        *count += 1;
        match self.fault {
            Fault::Killed(from) if nth >= from => return Err(io::Error::other("killed")),
            Fault::Once(at, code) if nth == at => return Err(io::Error::from_raw_os_error(code)),
            Fault::Full(from) if nth >= from && takes_room(&step) => {
                return Err(io::Error::from_raw_os_error(ENOSPC));
            }
            _ => {}
        }
        self.steps.lock().unwrap().push(step);
        Ok(())
    }

    fn together(&self) -> Option<bool> {
        Some(self.together)
    }
}

/// Which pods are to be where: (node, pod) to what their files say.
type Pods = BTreeMap<(u8, u8), u8>;

#[derive(Clone, Debug)]
struct Case {
    format: Format,
    together: bool,
    before: Pods,
    after: Pods,
}

impl Case {
    fn follow(&self, dir: &Path, pods: &Pods, onlooker: Arc<Onlooker>) -> TreeReport {
        let mut wanted: BTreeMap<Name, Vec<ObjectKey>> = BTreeMap::new();
        let mut values = BTreeMap::new();
        let config_map = Kind::other("v1", "ConfigMap").unwrap();
        for ((node, name), says) in pods {
            let key = ObjectKey::new("ns", format!("p{node}{name}"));
            wanted.entry(format!("n{node}").into()).or_default().push(key.clone());
            let config = ObjectKey::new("ns", format!("c{node}{name}{says}"));
            values.insert((Kind::Pod, key), pod(*node, *name, &config));
            values.insert(
                (config_map, config),
                json!({ "data": { "key": format!("value {says}"), "other": "same" } }),
            );
        }
        let wanted = Wanted { pods: wanted, whole: true };
        // What stands in the files is not to say where the tree is written.
        let at = (self.format != Format::Plain).then(|| "/pods".into());
        let tree = Destination { format: self.format, at, ..Destination::plain(dir) };
        sync_seen(
            &tree,
            &wanted,
            &mut |kind, key| Ok(values.get(&(kind, key.clone())).cloned()),
            Some(onlooker),
        )
        .unwrap()
    }

    fn quietly(&self, dir: &Path, pods: &Pods) -> TreeReport {
        self.follow(dir, pods, Onlooker::new(self.together, Fault::Nothing))
    }

    /// A folder with the tree as it was before, and a file of others.
    fn begun(&self) -> tempfile::TempDir {
        let dir = place();
        fs::create_dir(dir.path().join("n0")).unwrap();
        fs::write(dir.path().join("n0/ns_foreign.yaml"), "mine").unwrap();
        self.quietly(dir.path(), &self.before);
        dir
    }

    /// What is there before and after, and the steps between.
    fn way(&self) -> (Seen, Seen, Vec<Step>) {
        let dir = self.begun();
        let before = look(dir.path());
        let onlooker = Onlooker::new(self.together, Fault::Nothing);
        let report = self.follow(dir.path(), &self.after, onlooker.clone());
        assert!(unexpected(&report).is_empty(), "{:?}", report.problems);
        let steps = std::mem::take(&mut *onlooker.steps.lock().unwrap());
        (before, look(dir.path()), steps)
    }

    /// Looks whether what is there is what may be there, and whether another run mends it.
    fn check(&self, dir: &Path, before: &Seen, after: &Seen, when: &str) {
        let seen = look(dir);
        for (path, text) in &seen {
            let is_hidden = path.split('/').any(|name| name.starts_with('.'));
            let may_be = [before.get(path), after.get(path)];
            assert!(is_hidden || may_be.contains(&Some(text)), "{when}: `{path}` is torn: {text:?}");
        }
        for path in before.keys().filter(|path| after.contains_key(*path)) {
            assert!(seen.contains_key(path), "{when}: `{path}` is neither old nor new");
        }
        for path in after.keys().filter(|path| !before.contains_key(*path) && path.ends_with(".yaml")) {
            let mounted = path.trim_end_matches(".yaml").replace('/', "/.dsrules.files/") + "/";
            if seen.contains_key(path) {
                for (path, text) in after.iter().filter(|(path, _)| path.starts_with(&mounted)) {
                    assert_eq!(seen.get(path), Some(text), "{when}: {path} is mounted");
                }
            }
        }
        for (path, text) in
            seen.iter().filter(|(path, _)| path.ends_with("/.dsrules") && !path.starts_with('.'))
        {
            assert!(serde_json::from_str::<Value>(text).is_ok(), "{when}: `{path}` is torn");
        }
        let report = self.quietly(dir, &self.after);
        assert!(unexpected(&report).is_empty(), "{when}: {:?}", report.problems);
        assert_eq!(&look(dir), after, "{when}");
        assert_eq!(self.quietly(dir, &self.after).changes, [], "{when}");
    }
}

/// An empty folder, in memory where that can be: what is to last is played on a model, and
/// thousands of small trees are much to ask of a disk.
fn place() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn pod(node: u8, name: u8, config: &ObjectKey) -> Value {
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": format!("p{node}{name}"), "namespace": "ns" },
        "spec": { "nodeName": format!("n{node}"), "containers": [{ "name": "c", "image": "i:1",
            "volumeMounts": [{ "name": "config", "mountPath": "/etc/c" }] }],
            "volumes": [{ "name": "config", "configMap": { "name": config.name } }] } })
}

/// What each file says, by path.
type Seen = BTreeMap<String, String>;

fn look(dir: &Path) -> Seen {
    let entries = walkdir::WalkDir::new(dir).min_depth(1).into_iter().map(Result::unwrap);
    let files = entries.filter(|entry| !entry.file_type().is_dir());
    let text = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
    files.map(|it| (it.path().strip_prefix(dir).unwrap().display().to_string(), text(it.path()))).collect()
}

/// What is not only said of references.
fn unexpected(report: &TreeReport) -> Vec<&dsrules::diagnostic::Diagnostic> {
    report.problems.iter().filter(|told| told.is_error()).collect()
}

fn pods(of: &[(u8, u8, u8)]) -> Pods {
    of.iter().map(|(node, name, says)| ((*node, *name), *says)).collect()
}

/// Each kind of thing that can be done, in both ways of writing.
fn cases() -> Vec<Case> {
    // A folder of others, one that goes, one that changes in all ways, one that is new.
    let before = pods(&[(0, 0, 0), (1, 0, 0), (1, 1, 0), (2, 0, 0), (2, 1, 0), (2, 2, 0)]);
    let after = pods(&[(0, 1, 0), (2, 0, 0), (2, 1, 1), (2, 3, 1), (3, 0, 0), (3, 1, 1)]);
    let mut cases = Vec::new();
    for format in [Format::Plain, Format::KubePlay] {
        for together in [true, false] {
            let (before, after) = (before.clone(), after.clone());
            cases.push(Case { format, together, before: Pods::new(), after: after.clone() });
            cases.push(Case { format, together, before: before.clone(), after: Pods::new() });
            cases.push(Case { format, together, before, after });
        }
    }
    cases
}

/// Cuts the power after each step, with what may be lost then; gives how often.
fn cut_everywhere(case: &Case, seeds: u64) -> usize {
    let (before, after, steps) = case.way();
    let mut disk = Disk::of(case.begun().path());
    let mut cuts = 1;
    for at in 0..=steps.len() {
        let open = disk.open();
        let mut losses = vec![Loss::Nothing, Loss::All];
        losses.extend((0..open).rev().take(2).flat_map(|nth| [Loss::But(nth), Loss::Only(nth)]));
        losses.extend((0..seeds).map(|seed| Loss::Some(seed + at as u64 * 31)));
        for loss in losses {
            let dir = place();
            disk.cut(loss, dir.path());
            let when =
                format!("{:?} {} cut before {:?}, {loss:?}", case.format, case.together, steps.get(at));
            case.check(dir.path(), &before, &after, &when);
            cuts += 1;
        }
        if let Some(step) = steps.get(at) {
            disk.take(step);
        }
    }
    // When the run has ended, nothing can be lost.
    let dir = place();
    disk.cut(Loss::All, dir.path());
    assert_eq!(look(dir.path()), after, "{case:?}");
    cuts
}

#[test]
fn the_power_may_be_cut_at_any_time() {
    let seeds = if figure::is_full() { 30 } else { 2 };
    let cuts: usize = cases().iter().map(|case| cut_everywhere(case, seeds)).sum();
    let text = "0 torn or empty files, right after the next run";
    figure::figure("R4", format!("{cuts} losses of power, at every step of the writer: {text}"));
}

fn some_pods() -> impl Strategy<Value = Pods> {
    proptest::collection::btree_map((0..3_u8, 0..3_u8), 0..2_u8, 0..7)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_power_may_be_cut_at_any_time_whatever_is_written(
        before in some_pods(), after in some_pods(), together in any::<bool>(), plain in any::<bool>()
    ) {
        let format = if plain { Format::Plain } else { Format::KubePlay };
        cut_everywhere(&Case { format, together, before, after }, 1);
    }
}

/// Does it with each fault at each step, until one comes too late; gives what was said.
fn fail_everywhere(case: &Case, fault: impl Fn(usize) -> Fault, mut said: impl FnMut(&TreeReport, &str)) {
    let (before, after, steps) = case.way();
    for (at, step) in steps.iter().enumerate() {
        let dir = case.begun();
        let report = case.follow(dir.path(), &case.after, Onlooker::new(case.together, fault(at)));
        let when = format!("{:?} {} {:?} at {:?}", case.format, case.together, fault(at), step);
        said(&report, &when);
        case.check(dir.path(), &before, &after, &when);
    }
}

#[test]
fn a_run_that_is_killed_at_any_step_is_mended_by_the_next() {
    for case in cases() {
        fail_everywhere(&case, Fault::Killed, |_, _| {});
    }
}

#[test]
fn any_step_may_fail_and_is_told_once() {
    for case in cases() {
        for code in [EIO, EACCES] {
            let tell = |report: &TreeReport, when: &str| {
                assert!(unexpected(report).len() <= 1, "{when}: {:?}", report.problems);
            };
            fail_everywhere(&case, |at| Fault::Once(at, code), tell);
        }
    }
}

#[test]
fn a_disk_that_fills_up_is_told_once() {
    for case in cases() {
        fail_everywhere(&case, Fault::Full, |report, when| {
            assert!(unexpected(report).len() <= 1, "{when}: {:?}", report.problems);
            if let [told] = unexpected(report)[..] {
                assert!(told.notes[0].contains("No space left"), "{when}: {told:?}");
            }
        });
    }
}

#[test]
fn few_files_may_be_open() {
    let dir = place();
    let node = |nth: usize| format!("apiVersion: v1\nkind: Node\nmetadata: {{name: n{nth:03}}}\n---\n");
    let nodes: String = (0..300).map(node).collect();
    fs::write(dir.path().join("nodes.yaml"), nodes).unwrap();
    for image in ["x:1", "x:2"] {
        let daemonset = format!(
            "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{name: agent}}\nspec: {{selector: {{matchLabels: {{a: b}}}}, \
             updateStrategy: {{rollingUpdate: {{maxUnavailable: 100%}}}}, template: {{metadata: {{labels: {{a: b}}}}, \
             spec: {{containers: [{{name: c, image: '{image}'}}]}}}}}}\n"
        );
        fs::write(dir.path().join("agent.yaml"), daemonset).unwrap();
        let done = std::process::Command::new("sh")
            .args([
                "-c",
                "ulimit -n 64; exec \"$0\" apply . --db x.db --tree out",
                env!("CARGO_BIN_EXE_dsrules"),
            ])
            .current_dir(dir.path())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let seen = look(&dir.path().join("out"));
        let pods = seen.iter().filter(|(path, text)| path.ends_with(".yaml") && text.contains(image));
        assert_eq!(pods.count(), 300);
        assert_eq!(seen.len(), 600, "each with its index");
    }
}
