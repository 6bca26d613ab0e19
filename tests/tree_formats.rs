//! The formats of a tree: what stands in each, that one takes the place of another, that
//! what cannot be written is refused before anything is.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use dsrules::kube::{Kind, ObjectKey};
use dsrules::target::tree::{Destination, Format, TreeReport, Wanted, sync};
use serde_json::{Value, json};
use tempfile::TempDir;

#[path = "tree/killed.rs"]
mod killed;

const FORMATS: [&str; 6] = ["plain", "manifest", "static", "kube-play", "systemd", "quadlet"];

/// A folder with a store, manifests and a tree.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        let bench = Bench(tempfile::tempdir().unwrap());
        fs::create_dir(bench.path("in")).unwrap();
        for name in ["nodes.yaml", "daemons.yaml"] {
            let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tree-formats").join(name);
            fs::copy(from, bench.path("in").join(name)).unwrap();
        }
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_dsrules"))
            .args(args)
            .args(["--now", "2026-03-02T10:00:00Z"])
            .env("DSRULES_DB", self.path("db"))
            .current_dir(self.0.path())
            .output()
            .unwrap()
    }

    /// Applies with a tree of this format, without an error.
    fn apply(&self, format: &str) -> String {
        let output = self.run(&[
            "apply",
            "in",
            "--prune",
            "--tree",
            "pods",
            "--tree-format",
            format,
            "--tree-at",
            "/etc/dsrules/pods",
        ]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{format}: {said}");
        said
    }

    fn edit(&self, from: &str, to: &str) {
        let path = self.path("in/daemons.yaml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    /// Each path below the tree, with permissions where they are not those of any file, and
    /// what stands in it.
    fn tree(&self) -> BTreeMap<String, String> {
        look(&self.path("pods"))
    }
}

fn look(dir: &Path) -> BTreeMap<String, String> {
    let entries = walkdir::WalkDir::new(dir).min_depth(1).into_iter().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().is_file() && entry.file_name() != ".dsrules");
    files
        .map(|entry| {
            let path = entry.path().strip_prefix(dir).unwrap().display().to_string();
            (path, fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn assert(name: &str, text: String) {
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn each_format_has_its_files() {
    for format in FORMATS {
        let bench = Bench::new();
        let said = bench.apply(format);
        let mut out = said;
        for (path, text) in bench.tree().iter().filter(|(path, _)| path.starts_with("n1/")) {
            writeln!(out, "==> {:o} {path}\n{text}", mode(&bench.path("pods").join(path))).unwrap();
        }
        assert(&format!("tree_format_{}", format.replace('-', "_")), out);
        // And then it rests.
        let output = bench.run(&[
            "plan",
            "in",
            "--tree",
            "pods",
            "--tree-format",
            format,
            "--tree-at",
            "/etc/dsrules/pods",
            "--detailed-exitcode",
        ]);
        assert_eq!(output.status.code(), Some(0), "{format}: {}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn the_examples_of_the_page_are_what_is_written() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/formats.md")).unwrap();
    let mut seen = Vec::new();
    for part in page.split("\n### ").skip(1) {
        let (format, rest) = part.split_once('\n').unwrap();
        let bench = Bench::new();
        bench.apply(format);
        let tree = bench.tree();
        let lines: Vec<&str> = tree
            .iter()
            .filter(|(path, _)| path.starts_with("n1/"))
            .flat_map(|(_, text)| text.lines())
            .collect();
        let example = rest.split("```").nth(1).unwrap();
        for line in example.lines().skip(1) {
            assert!(lines.contains(&line), "{format}: {line}");
        }
        seen.push(format);
    }
    assert_eq!(seen, FORMATS);
}

#[test]
fn kubectl_reads_the_manifests() {
    let bench = Bench::new();
    bench.apply("manifest");
    let output = Command::new("kubectl")
        .args(["label", "--local", "-f"])
        .arg(bench.path("pods/n1"))
        .args(["a=b", "-o", "yaml"])
        .output();
    let Ok(output) = output else {
        println!("skipped: there is no kubectl to read manifests");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("nodeName: n1") && said.contains("name: door") && said.contains("a: b"), "{said}");
}

#[test]
fn one_format_takes_the_place_of_another() {
    let alone: Vec<_> = FORMATS
        .iter()
        .map(|format| {
            let bench = Bench::new();
            bench.apply(format);
            bench.tree()
        })
        .collect();
    let bench = Bench::new();
    for (from, _) in FORMATS.iter().enumerate() {
        for (to, format) in FORMATS.iter().enumerate() {
            bench.apply(FORMATS[from]);
            fs::write(bench.path("pods/n1/foreign.service"), "mine").unwrap();
            bench.apply(format);
            let mut tree = bench.tree();
            assert_eq!(tree.remove("n1/foreign.service").as_deref(), Some("mine"));
            assert_eq!(tree, alone[to], "{} -> {format}", FORMATS[from]);
        }
    }
}

#[test]
fn what_secrets_hold_is_for_the_owner_alone_and_goes_with_the_pod() {
    let bench = Bench::new();
    bench.apply("static");
    let node = bench.path("pods/n1");
    let pod = fs::read_dir(&node)
        .unwrap()
        .map(|it| it.unwrap().path())
        .find(|it| it.extension().is_some())
        .unwrap();
    let name = pod.file_stem().unwrap().to_str().unwrap().to_owned();
    let data = node.join(".dsrules.files");
    assert_eq!((mode(&pod), mode(&data)), (0o600, 0o700));
    let password = data.join(&name).join("door/password");
    assert_eq!((fs::read_to_string(&password).unwrap().as_str(), mode(&password)), ("hunter2", 0o400));
    assert_eq!(mode(&data.join(&name).join("door")), 0o755);

    assert_eq!(mode(&bench.path("db")), 0o600, "the store has it now");

    // A hand in the files is mended.
    fs::set_permissions(&password, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(data.join(&name).join("config/conf.d/app.conf"), "mine").unwrap();
    fs::write(data.join(&name).join("config/more"), "mine").unwrap();
    fs::set_permissions(&pod, fs::Permissions::from_mode(0o644)).unwrap();
    bench.apply("static");
    assert_eq!((mode(&password), mode(&pod)), (0o400, 0o600));
    assert_eq!(fs::read_to_string(data.join(&name).join("config/conf.d/app.conf")).unwrap(), "port = 80\n");
    assert!(!data.join(&name).join("config/more").exists());

    // What the manifests say is followed, and what is theirs no longer goes.
    bench.edit("hunter2", "swordfish");
    bench.apply("static");
    assert_eq!(fs::read_to_string(&password).unwrap(), "swordfish");
    assert!(fs::read_to_string(&pod).unwrap().contains("swordfish"));
    // A command that does not say the format keeps it.
    let before = bench.tree();
    let output = bench.run(&["apply", "in", "--tree", "pods"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(bench.tree(), before);
    let output = bench.run(&["delete", "daemonset/till", "--tree", "pods"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(bench.tree(), BTreeMap::new());
    assert!(!node.exists());
}

#[test]
fn what_cannot_be_written_is_refused_before_anything_is() {
    let bench = Bench::new();
    bench.edit("emptyDir: {}", "persistentVolumeClaim: {claimName: lost}");
    bench.edit("key: password}", "key: passwort}");
    let options = ["--tree", "pods", "--tree-format", "static"];
    let mut out = String::new();
    for command in [&["apply", "in"][..], &["plan", "in"], &["watch", "in", "--once"]] {
        let output = bench.run(&[command, &options].concat());
        writeln!(out, "$ dsrules {} {}", command.join(" "), options.join(" ")).unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        writeln!(out, "{said}exit {}", output.status.code().unwrap()).unwrap();
        assert!(!bench.path("pods").exists() || bench.tree().is_empty());
        let pods = bench.run(&["get", "pods", "-o", "name"]);
        assert_eq!(String::from_utf8_lossy(&pods.stdout), "", "nothing was committed");
    }
    assert("tree_format_refused", out);
    // Without a tree, or as a manifest, nothing is wrong with it.
    bench.apply("manifest");
    // What was not kept cannot be written: the store has no Secret's values, but for a tree.
    let output = bench.run(&[&["rollout", "restart", "daemonset/till"][..], &options].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("what the Secret `door` holds is not in the store"), "{said}");
    // An object that pods of the tree need cannot be taken from under them.
    bench.edit("persistentVolumeClaim: {claimName: lost}", "emptyDir: {}");
    bench.edit("key: passwort}", "key: password}");
    bench.apply("static");
    let before = bench.tree();
    let text = fs::read_to_string(bench.path("in/daemons.yaml")).unwrap();
    let without = text.split_once("---").unwrap().1;
    fs::write(bench.path("in/daemons.yaml"), without).unwrap();
    let output = bench.run(&[&["apply", "in", "--prune"][..], &options].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("the ConfigMap `settings` is in no manifest"), "{said}");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(bench.tree(), before);
}

/// A tree written by a library's caller, in formats that change.
fn follow(dir: &Path, format: Format, turn: u8) -> TreeReport {
    let mut objects: BTreeMap<(Kind, ObjectKey), Value> = BTreeMap::new();
    let config = Kind::other("v1", "ConfigMap").unwrap();
    objects
        .insert((config, ObjectKey::new("ns", "c")), json!({ "data": { "a": turn.to_string(), "b": "b" } }));
    let mut pods: BTreeMap<_, Vec<ObjectKey>> = BTreeMap::new();
    for node in 0..4_u8 {
        for name in 0..3_u8 {
            if (node + name + turn).is_multiple_of(3) {
                continue;
            }
            let (node, key) = (format!("n{node}"), ObjectKey::new("ns", format!("p{node}{name}")));
            let pod = json!({ "metadata": { "name": &*key.name, "namespace": "ns" }, "spec": { "nodeName": node,
                "containers": [{ "name": "c", "image": format!("i:{turn}"),
                    "volumeMounts": [{ "name": "v", "mountPath": "/v" }] }],
                "volumes": [{ "name": "v", "configMap": { "name": "c" } }] } });
            objects.insert((Kind::Pod, key.clone()), pod);
            pods.entry(node.as_str().into()).or_default().push(key);
        }
    }
    let tree = Destination { folder: dir.to_owned(), format, at: None };
    let wanted = Wanted { pods, whole: true };
    sync(&tree, &wanted, &mut |kind, key| Ok(objects.get(&(kind, key.clone())).cloned())).unwrap()
}

const TURNS: [Format; 4] = [Format::Systemd, Format::Static, Format::Plain, Format::Quadlet];

/// Not a test by itself: what the next one runs as a process of its own, and kills.
#[test]
#[ignore = "run by the test below"]
fn follower_process() {
    let Some(dir) = std::env::var_os("TREE_UNDER_TEST") else { return };
    for turn in 0_u8..200 {
        follow(Path::new(&dir), TURNS[usize::from(turn) % TURNS.len()], turn);
        killed::done(turn);
    }
}

#[test]
fn a_run_that_was_killed_between_two_formats_is_mended_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    for (turns, format) in
        [(0, Format::Static), (1, Format::Systemd), (2, Format::Plain), (5, Format::KubePlay)]
    {
        killed::killed_after(dir.path(), turns);

        let report = follow(dir.path(), format, 201);
        let is_told = |code: &str| format == Format::Plain && code == "tree-reference";
        assert!(report.problems.iter().all(|told| is_told(told.code)), "{:?}", report.problems);
        // Just what a tree has that was never anything else.
        let alone = tempfile::tempdir().unwrap();
        follow(alone.path(), format, 201);
        let here = |dir: &Path| -> BTreeMap<String, String> {
            let root = dir.display().to_string();
            look(dir).into_iter().map(|(path, text)| (path, text.replace(&root, "TREE"))).collect()
        };
        let without = |mut tree: BTreeMap<String, String>| {
            tree.values_mut().for_each(|text| {
                *text = text
                    .lines()
                    .filter(|line| !line.starts_with("X-Manifest="))
                    .collect::<Vec<_>>()
                    .join("\n");
            });
            tree
        };
        assert_eq!(without(here(dir.path())), without(here(alone.path())), "{format:?}");
        let all = walkdir::WalkDir::new(dir.path()).into_iter().map(Result::unwrap);
        let left: Vec<_> = all.filter(|it| it.file_name() == ".dsrules.tmp").collect();
        assert!(left.is_empty(), "{left:?}");
        assert!(follow(dir.path(), format, 201).changes.is_empty());
    }
}
