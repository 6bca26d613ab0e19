//! The shape of the code, as docs/architecture.md draws it: who may know whom, and what
//! is found only in one place. Most checks have a twin that sees them fail.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "tidy/bodies.rs"]
mod bodies;
#[path = "tidy/circles.rs"]
mod circles;
#[path = "tidy/made_up.rs"]
mod made_up;
#[path = "tidy/way.rs"]
mod way;

use circles::{Circle, circles};

/// Every module of the library in data-flow order, as `src/lib.rs` lists them, and what it
/// may know of the ones before it. A module that is missing here is an error: say where it
/// stands.
const MAY_KNOW: [(&str, &[&str]); 25] = [
    ("diagnostic", &[]),
    ("yaml", &["diagnostic"]),
    ("cores", &[]),
    ("meter", &[]),
    ("hash", &[]),
    ("kube", &["hash"]),
    ("validate", &["kube"]),
    ("manifest", &["diagnostic", "cores", "meter", "hash", "kube", "validate"]),
    ("state", &["kube"]),
    ("source", &["diagnostic", "kube", "manifest", "state"]),
    ("datalog", &["diagnostic", "cores"]),
    ("policy", &["diagnostic", "kube", "state", "datalog"]),
    ("facts", &["kube", "state", "datalog", "policy"]),
    ("reason", &["diagnostic", "kube", "state", "datalog", "policy", "facts"]),
    ("plan", &["diagnostic", "meter", "hash", "kube", "state", "datalog", "policy", "facts", "reason"]),
    ("reach", &["diagnostic", "hash", "kube", "state", "datalog", "policy"]),
    ("explain", &["diagnostic", "kube", "state", "datalog", "policy", "facts"]),
    ("etcd", &["diagnostic"]),
    ("target", &["diagnostic", "yaml", "cores", "meter", "hash", "kube", "state", "etcd"]),
    ("cluster", &["diagnostic"]),
    (
        "app",
        &[
            "diagnostic",
            "hash",
            "kube",
            "validate",
            "manifest",
            "state",
            "source",
            "datalog",
            "policy",
            "facts",
            "reason",
            "plan",
            "reach",
            "explain",
            "etcd",
            "target",
            "cluster",
        ],
    ),
    ("report", &["diagnostic", "yaml", "kube", "plan", "reach", "explain", "target", "app"]),
    ("serve", &["diagnostic", "hash", "kube", "state", "app", "report"]),
    ("lsp", &["diagnostic", "state", "datalog", "policy"]),
    ("cli", &["cli"]),
];

/// A file has one idea, and so at most so many lines.
const MOST_LINES: usize = 500;

/// Files that a program wrote.
const GENERATED: [&str; 1] = ["src/etcd/api.rs"];

/// A Rust file of `src/`.
struct File {
    path: PathBuf,
    /// The library's module it belongs to; empty for lib.rs and main.rs.
    module: String,
    text: String,
}

impl File {
    fn new(path: &str, text: &str) -> Self {
        let first = path.split('/').nth(1).unwrap_or("").trim_end_matches(".rs");
        let module = if matches!(first, "lib" | "main") { "" } else { first };
        File { path: path.into(), module: module.to_owned(), text: text.to_owned() }
    }

    /// The lines of code with their numbers: no comments, and nothing after the unit
    /// tests begin.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .take_while(|line| line.trim() != "#[cfg(test)]")
            .zip(1..)
            .map(|(line, number)| (number, line))
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// Every line of code that has one of `words`, unless the file is under `homes`.
    fn finds(&self, words: &[&str], homes: &[&str], why: &str) -> Vec<String> {
        if homes.iter().any(|home| self.path.starts_with(home)) {
            return Vec::new();
        }
        self.code()
            .filter(|(_, line)| words.iter().any(|word| line.contains(word)))
            .map(|(number, line)| format!("{}:{number}: {why}: {}", self.path.display(), line.trim()))
            .collect()
    }
}

fn sources() -> Vec<File> {
    fn walk(dir: &Path, out: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, out);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                out.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    walk(&root.join("src"), &mut paths);
    paths.sort();
    let read = |path: &PathBuf| {
        File::new(path.strip_prefix(root).unwrap().to_str().unwrap(), &fs::read_to_string(path).unwrap())
    };
    let files: Vec<File> = paths.iter().map(read).collect();
    assert!(files.len() > 20, "the walk found the sources");
    files
}

fn none(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

/// The modules that a file names after `crate::`.
fn known(file: &File) -> BTreeMap<String, usize> {
    let mut known = BTreeMap::new();
    for (number, line) in file.code() {
        for (at, _) in line.match_indices("crate::") {
            let name = line[at + "crate::".len()..].chars().take_while(|c| c.is_alphanumeric() || *c == '_');
            known.entry(name.collect()).or_insert(number);
        }
    }
    known
}

fn wrong_direction(file: &File) -> Vec<String> {
    if file.module.is_empty() {
        return Vec::new();
    }
    let Some((_, may)) = MAY_KNOW.iter().find(|(module, _)| *module == file.module) else {
        return vec![format!("{}: `{}` has no place in MAY_KNOW", file.path.display(), file.module)];
    };
    known(file)
        .into_iter()
        .filter(|(name, _)| *name != file.module && !may.contains(&name.as_str()))
        .map(|(name, line)| {
            format!("{}:{line}: `{}` must not know `{name}`", file.path.display(), file.module)
        })
        .collect()
}

const WRITES: [&str; 8] = [
    "fs::write",
    "File::create",
    "OpenOptions",
    "fs::rename",
    "remove_file",
    "remove_dir",
    "create_dir",
    "set_permissions",
];
const SQL: [&str; 6] = ["SELECT ", "INSERT ", "DELETE FROM", "CREATE TABLE", "PRAGMA ", "rusqlite"];
const PRINTS: [&str; 5] = ["println!", "print!", "stdout()", "stderr()", "dbg!("];
const OUTSIDE: [&str; 8] = [
    "env::var",
    "env::args",
    "env::current_dir",
    "stdin()",
    "SystemTime::now",
    "Timestamp::now",
    "Instant::now",
    "Zoned::now",
];
const OPENS: [&str; 2] = ["Store::open", "Store::in_memory"];

/// Whether a line takes `Store` from its module: who does not open one knows a `Memory`.
fn names_the_store(line: &str) -> bool {
    let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
    line.contains("sqlite::") && words.any(|word| word == "Store")
}

/// Words of the API that rules decide by. Where they stand otherwise, they are read, checked,
/// written or shown, not decided by.
const POLICY: [&str; 7] = [
    "\"NoExecute\"",
    "\"NoSchedule\"",
    "\"RollingUpdate\"",
    "\"OnDelete\"",
    "\"Failed\"",
    "\"Succeeded\"",
    "\"Orphan\"",
];
const READS_POLICY_WORDS: [&str; 8] = [
    "src/kube",
    "src/validate",
    "src/manifest",
    "src/report",
    // A pod's state, told beside what the rules say.
    "src/explain/pods.rs",
    // The propagation policies by their names.
    "src/state/cascade.rs",
    // Taints as a what-if writes them.
    "src/app/whatif/edit.rs",
    // The phases, as a status has them.
    "src/target/runtime.rs",
];

fn problems(file: &File) -> Vec<String> {
    let mut all = wrong_direction(file);
    all.extend(file.finds(
        &WRITES,
        &[
            "src/target/tree",
            // What a command keeps aside for as long as it runs.
            "src/target/aside.rs",
            "src/target/podman/files.rs",
            "src/target/reports",
            "src/target/slots.rs",
            "src/target/sqlite/lock.rs",
            "src/target/sqlite/private.rs",
            // A revision as a folder for the time of a command.
            "src/source/revision.rs",
            "src/cli/commands/init.rs",
            "src/cli/commands/man.rs",
            "src/cli/commands/rules/fmt.rs",
            "src/cli/commands/test.rs",
        ],
        "writes files",
    ));
    all.extend(file.finds(&SQL, &["src/target/sqlite", "src/policy/sqlite.rs"], "holds SQL"));
    all.extend(file.finds(&PRINTS, &["src/cli"], "prints"));
    all.extend(file.finds(&OUTSIDE, &["src/cli"], "reads the clock or the environment"));
    all.extend(file.finds(&OPENS, &["src/target", "src/app/open.rs"], "opens a store"));
    if !["src/target/sqlite", "src/target/etcd", "src/app/open.rs"]
        .iter()
        .any(|home| file.path.starts_with(home))
    {
        let named = file.code().filter(|(_, line)| names_the_store(line));
        all.extend(named.map(|(number, _)| format!("{}:{number}: names the store", file.path.display())));
    }
    if file.path.starts_with("src/cli/commands") {
        all.extend(bodies::long(&file.path.display().to_string(), &file.text));
    }
    all.extend(file.finds(&POLICY, &READS_POLICY_WORDS, "decides by a word of the API, which is for rules"));
    let is_generated = GENERATED.iter().any(|path| file.path == Path::new(path));
    if file.text.lines().count() > MOST_LINES && !is_generated {
        all.push(format!("{}: has more than {MOST_LINES} lines", file.path.display()));
    }
    if !file.text.starts_with("//!") {
        all.push(format!("{}: does not open with what it is (`//!`)", file.path.display()));
    }
    all
}

#[test]
fn every_module_keeps_to_its_place() {
    none(sources().iter().flat_map(problems).collect());
}

#[test]
fn modules_stand_in_data_flow_order() {
    for (at, (module, may)) in MAY_KNOW.iter().enumerate().take(MAY_KNOW.len() - 1) {
        for other in *may {
            let before = MAY_KNOW[..at].iter().any(|(name, _)| name == other);
            assert!(before, "`{module}` knows `{other}`, which stands behind it");
        }
    }
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let listed: Vec<&str> = lib
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    let order: Vec<&str> = MAY_KNOW.iter().map(|(name, _)| *name).filter(|name| *name != "cli").collect();
    assert_eq!(listed, order, "src/lib.rs lists the modules in this order");
}

/// A circle of files, as it is told.
fn told(circle: Circle) -> String {
    let (files, steps) = (circle.files.join("\n    "), circle.steps.join("\n    "));
    format!("files depend on each other:\n    {files}\nfor example\n    {steps}")
}

#[test]
fn no_files_go_round_in_circles() {
    let files: Vec<(String, String)> =
        sources().into_iter().map(|file| (file.path.to_str().unwrap().to_owned(), file.text)).collect();
    none(circles(&files).into_iter().map(told).collect());
}

#[test]
fn the_way_to_the_tree_is_as_the_map_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let map = fs::read_to_string(root.join("docs/architecture.md")).unwrap();
    let (_, way) = map.split_once("to a file in the tree\n").unwrap();
    let steps = way::steps(way.split("\n## ").next().unwrap());
    assert!(steps.len() > 20, "the steps were found");
    none(way::wrong(&steps, |file| fs::read_to_string(root.join(file)).ok()));
}

#[test]
fn main_is_short() {
    let main = sources().into_iter().find(|file| file.path.ends_with("main.rs")).unwrap();
    assert!(main.text.lines().count() < 30);
}

#[test]
fn each_check_can_fail() {
    let cases = [
        ("src/datalog/x.rs", "//! x\nuse crate::kube::Name;", "must not know `kube`"),
        ("src/target/x.rs", "//! x\nuse crate::report::Paint;", "must not know `report`"),
        ("src/nowhere/x.rs", "//! x", "has no place in MAY_KNOW"),
        ("src/manifest/x.rs", "//! x\nstd::fs::write(a, b);", "writes files"),
        ("src/plan/x.rs", "//! x\nif phase == \"Failed\" {}", "decides by a word of the API"),
        ("src/facts/x.rs", "//! x\nlet it = effect == \"NoExecute\";", "decides by a word of the API"),
        ("src/plan/x.rs", "//! x\nlet q = \"SELECT 1\";", "holds SQL"),
        ("src/plan/x.rs", "//! x\nprintln!(\"x\");", "prints"),
        ("src/plan/x.rs", "//! x\nlet now = Timestamp::now();", "reads the clock"),
        ("src/app/x.rs", "//! x\nlet here = env::current_dir();", "reads the clock or the environment"),
        ("src/app/x.rs", "//! x\nlet store = Store::open(path, &open)?;", "opens a store"),
        ("src/app/x.rs", "//! x\nuse crate::target::sqlite::{Missing, Store};", "names the store"),
        ("src/plan/x.rs", "use std::fmt;", "does not open with what it is"),
        ("src/cli/x.rs", "//! x\nuse crate::plan::Plan;", "must not know `plan`"),
    ];
    for (path, text, expected) in cases {
        let found = problems(&File::new(path, text));
        assert!(found.iter().any(|problem| problem.contains(expected)), "{path}: {found:?}");
    }
    let long = format!("//! x\n{}", "\n".repeat(500));
    let run = format!("//! x\nfn run() {{\n{}}}\n", "    line();\n".repeat(30));
    assert_eq!(problems(&File::new("src/cli/commands/x.rs", &run)).len(), 1);
    assert_eq!(problems(&File::new("src/cli/x.rs", &run)), Vec::<String>::new());
    assert_eq!(problems(&File::new("src/plan/x.rs", &long)).len(), 1);
    let tests = "//! x\n// println!\n#[cfg(test)]\nmod tests { fn f() { println!(); } }";
    assert_eq!(problems(&File::new("src/plan/x.rs", tests)), Vec::<String>::new());
}
