//! `commands`: what the program costs as a command, its time and its peak memory, on stores of
//! many nodes; beside another build of it where `DSRULES_BEFORE` names one.
//!
//! `cargo bench -- commands` measures 10,000 and 100,000 nodes, each with 20 daemonsets, of which
//! each node runs 17; `cargo bench -- commands 1000000` other numbers of nodes. Each command
//! runs three times, from 1,000,000 nodes on once (`DSRULES_RUNS=2` says how often): the
//! quickest counts, and the most memory. The two builds take turns, each with a store of its own.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

use crate::generate;
use crate::timing::{ratio, show};

const DAEMONSETS: usize = 20;
const NODES_A_FILE: usize = 1_000;
/// The node that is changed and asked about.
const NODE: usize = 4_242;

/// What `{node}` and `{input}` stand for is put in; `change` is done to the input before each run.
struct Asked {
    name: &'static str,
    arguments: &'static [&'static str],
    change: bool,
    cold: bool,
}

const fn asked(name: &'static str, arguments: &'static [&'static str]) -> Asked {
    Asked { name, arguments, change: false, cold: false }
}

/// In this order, as each goes on from the store that the one before it leaves.
const ASKED: &[Asked] = &[
    Asked { cold: true, ..asked("apply, cold", &["apply", "{input}"]) },
    asked("apply, unchanged", &["apply", "{input}"]),
    Asked { change: true, ..asked("plan, one node of one file changed", &["plan", "{input}"]) },
    Asked { change: true, ..asked("apply, one node of one file changed", &["apply", "{input}"]) },
    asked("explain DAEMONSET NODE", &["explain", "-n", "fleet", "ds-0003", "{node}"]),
    asked("describe node", &["describe", "node", "{node}"]),
    asked("get pods of one node", &["get", "pods", "-A", "--field-selector", "spec.nodeName={node}"]),
    asked("get pods -l app=ds-0003", &["get", "pods", "-A", "-l", "app=ds-0003"]),
    asked("get node NAME", &["get", "node", "{node}"]),
    asked("rollout status", &["rollout", "status", "-n", "fleet", "daemonset/ds-0003"]),
    asked("query with a constant", &["query", "eligible(DaemonSet, \"{node}\")"]),
];

/// A build that is measured, with its store.
struct Build {
    name: &'static str,
    program: PathBuf,
    store: PathBuf,
}

/// What a command took: nothing known where it failed.
#[derive(Debug, Clone)]
struct Cost {
    time: Duration,
    kilobytes: u64,
}

pub fn run(sizes: &[usize]) {
    let sizes = if sizes.is_empty() { &[10_000, 100_000] } else { sizes };
    println!("\n### commands\n");
    for nodes in sizes {
        let folder = tempfile::tempdir().expect("a place for files");
        table(*nodes, folder.path());
    }
}

fn table(nodes: usize, folder: &Path) {
    let input = folder.join("input");
    write_input(nodes, &input).expect("the input can be written");
    let mut builds = vec![build("now", env!("CARGO_BIN_EXE_dsrules").into(), folder)];
    builds.extend(std::env::var_os("DSRULES_BEFORE").map(|path| build("before", path.into(), folder)));
    let heads: Vec<String> = builds.iter().map(|it| format!(" {} | memory |", it.name)).collect();
    let ratios = if builds.len() > 1 { " now / before |" } else { "" };
    println!("| {nodes} nodes x {DAEMONSETS} daemonsets |{}{ratios}", heads.concat());
    println!("|---|{}", "---|".repeat(builds.len() * 2 + usize::from(builds.len() > 1)));
    let (mut errors, mut changes) = (Vec::new(), 0);
    for asked in ASKED {
        let costs = measure(asked, nodes, &input, &builds, &mut changes);
        println!("| {} |{}", asked.name, cells(&costs));
        let failed = builds.iter().zip(costs).filter_map(|(build, cost)| Some((build.name, cost.err()?)));
        errors.extend(failed.map(|(build, error)| format!("{}, {build}: {error}", asked.name)));
    }
    for build in &builds {
        let bytes = std::fs::metadata(&build.store).map_or(0, |found| found.len());
        println!("\nThe store ({}) has {} MB.", build.name, bytes / 1_000_000);
    }
    errors.iter().for_each(|error| println!("\n{error}"));
    println!();
}

fn build(name: &'static str, program: PathBuf, folder: &Path) -> Build {
    Build { name, program, store: folder.join(format!("{name}.db")) }
}

/// Time and memory of each build, and how one is to the other.
fn cells(costs: &[Result<Cost, String>]) -> String {
    let cell = |cost: &Result<Cost, String>| match cost {
        Ok(cost) => format!(" {} | {} MB |", show(cost.time), cost.kilobytes / 1_000),
        Err(_) => " failed | |".to_owned(),
    };
    let ratio = match costs {
        [Ok(now), Ok(before)] => format!(" {} |", ratio(now.time, before.time)),
        [_, _] => " |".to_owned(),
        _ => String::new(),
    };
    costs.iter().map(cell).collect::<String>() + &ratio
}

/// The best of some runs of each build, in turns.
fn measure(
    asked: &Asked,
    nodes: usize,
    input: &Path,
    builds: &[Build],
    changes: &mut usize,
) -> Vec<Result<Cost, String>> {
    let mut best: Vec<Option<Result<Cost, String>>> = vec![None; builds.len()];
    for _ in 0..runs(nodes) {
        if asked.change {
            *changes += 1;
            write_nodes(nodes, NODE / NODES_A_FILE, *changes, input).expect("the input can be written");
        }
        for (build, best) in builds.iter().zip(&mut best) {
            let cost = once(asked, input, build);
            *best = Some(match (best.take(), cost) {
                (Some(Ok(best)), Ok(cost)) => {
                    Ok(Cost { time: best.time.min(cost.time), kilobytes: best.kilobytes.max(cost.kilobytes) })
                }
                (Some(Err(error)), _) | (_, Err(error)) => Err(error),
                (None, cost) => cost,
            });
        }
    }
    best.into_iter().flatten().collect()
}

fn runs(nodes: usize) -> usize {
    let said = std::env::var("DSRULES_RUNS").ok().and_then(|runs| runs.parse().ok());
    said.unwrap_or(if nodes >= 1_000_000 { 1 } else { 3 })
}

/// One run, in a process that starts nothing else, so that what its children took is what
/// the command took.
fn once(asked: &Asked, input: &Path, build: &Build) -> Result<Cost, String> {
    if asked.cold {
        let _ = std::fs::remove_file(&build.store);
    }
    let node = format!("node-{NODE:06}");
    let input = input.to_string_lossy();
    let arguments = asked.arguments.iter().map(|it| it.replace("{node}", &node).replace("{input}", &input));
    let done = Command::new(std::env::current_exe().expect("this program has a file"))
        .arg("child")
        .arg(&build.program)
        .args(["--quiet", "--db"])
        .arg(&build.store)
        .args(arguments)
        .output()
        .expect("this program runs");
    measured(&done).map(|(time, kilobytes)| Cost { time, kilobytes })
}

/// Time and kilobytes of a command that is run in a folder, whose kubeconfig it takes.
pub fn cost(program: &Path, folder: &Path, arguments: &[&str]) -> Result<(Duration, u64), String> {
    let done = Command::new(std::env::current_exe().expect("this program has a file"))
        .current_dir(folder)
        .env("KUBECONFIG", folder.join("kubeconfig"))
        .arg("child")
        .arg(program)
        .args(arguments)
        .output()
        .expect("this program runs");
    measured(&done)
}

/// What `child` printed.
fn measured(done: &Output) -> Result<(Duration, u64), String> {
    let said = String::from_utf8_lossy(&done.stdout);
    let mut numbers = said.split_whitespace().map(str::parse::<u64>);
    match (done.status.success(), numbers.next(), numbers.next()) {
        (true, Some(Ok(nanoseconds)), Some(Ok(kilobytes))) => {
            Ok((Duration::from_nanos(nanoseconds), kilobytes))
        }
        _ => Err(String::from_utf8_lossy(&done.stderr).lines().next().unwrap_or("failed").to_owned()),
    }
}

/// `child PROGRAM ARGUMENT...`: runs the command, and prints its nanoseconds and its kilobytes
/// at their most.
pub fn child(arguments: &[String]) -> ! {
    let [program, arguments @ ..] = arguments else { panic!("child PROGRAM ARGUMENT...") };
    let start = Instant::now();
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).status();
    let time = start.elapsed();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the system says what children took");
    println!("{} {}", time.as_nanos(), usage.max_rss());
    std::process::exit(status.ok().and_then(|status| status.code()).unwrap_or(1))
}

/// A folder with the nodes in files of a thousand each, and a file of the daemonsets.
fn write_input(nodes: usize, folder: &Path) -> io::Result<()> {
    std::fs::create_dir(folder)?;
    std::fs::write(folder.join("daemonsets.json"), generate::list(0, DAEMONSETS))?;
    (0..nodes.div_ceil(NODES_A_FILE)).try_for_each(|file| write_nodes(nodes, file, 0, folder))
}

/// One file of nodes; from the first change on one of them has a label that says which it is.
fn write_nodes(nodes: usize, file: usize, change: usize, folder: &Path) -> io::Result<()> {
    let of = file * NODES_A_FILE..nodes.min((file + 1) * NODES_A_FILE);
    let label = format!(r#""labels":{{"change":"{change}","#);
    let node = |nth: usize| match (nth, change) {
        (NODE, 1..) => generate::node(nth).replacen(r#""labels":{"#, &label, 1),
        _ => generate::node(nth),
    };
    std::fs::write(folder.join(format!("nodes-{file:04}.json")), generate::list_of(of.map(node)))
}
