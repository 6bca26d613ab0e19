//! What is packed: files that Cargo.toml and the Dockerfile name are there, and packages have in them
//! what docs/install.md says. Nothing is built here but packages of the program that the tests have.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "podman/machine.rs"]
mod machine;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use machine::Machine;
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Says so past the test harness, which shows nothing of a test that passes.
fn skipped(why: &str) {
    std::io::stderr().write_all(format!("skipped: {why}\n").as_bytes()).unwrap();
}

fn has(program: &str, argument: &str) -> bool {
    Command::new(program).arg(argument).output().is_ok_and(|it| it.status.success())
}

fn well(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(status.success(), "{command:?}\n{}{}", text(&stdout), text(&stderr));
    text(&stdout)
}

/// What `[package.metadata.deb]` names, as patterns of files, and where they go.
fn assets() -> Vec<(String, String)> {
    let said = well(
        Command::new(env!("CARGO")).args(["metadata", "--no-deps", "--format-version=1"]).current_dir(root()),
    );
    let said: Value = serde_json::from_str(&said).unwrap();
    let assets = said["packages"][0]["metadata"]["deb"]["assets"].as_array().unwrap().clone();
    let text = |it: &Value| it.as_str().unwrap().to_owned();
    assets.iter().map(|it| (text(&it[0]), text(&it[1]))).collect()
}

/// What the program writes of itself, in a folder.
fn write_pages(folder: &Path) {
    well(Command::new(root().join("packaging/pages")).arg(env!("CARGO_BIN_EXE_dsrules")).arg(folder));
}

/// The files that a pattern means, as cargo-deb reads it.
fn files(pattern: &str, pages: &Path) -> Vec<PathBuf> {
    if pattern == "target/release/dsrules" {
        return vec![env!("CARGO_BIN_EXE_dsrules").into()];
    }
    let (base, pattern) = match pattern.strip_prefix("target/packaging/") {
        Some(rest) => (pages, rest),
        None => (root(), pattern),
    };
    let (folder, name) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    let (folder, depth) = folder.strip_suffix("/**").map_or((folder, 1), |folder| (folder, usize::MAX));
    let name = wildmatch::WildMatch::new(name);
    let walk = walkdir::WalkDir::new(base.join(folder)).min_depth(1).max_depth(depth).into_iter();
    let found = walk.filter_map(Result::ok).filter(|it| it.file_type().is_file());
    found
        .filter(|it| name.matches(it.file_name().to_str().unwrap()))
        .map(walkdir::DirEntry::into_path)
        .collect()
}

#[test]
fn every_file_of_the_debian_package_is_there() {
    let pages = tempfile::tempdir().unwrap();
    write_pages(pages.path());
    let assets = assets();
    for (pattern, _) in &assets {
        assert!(!files(pattern, pages.path()).is_empty(), "Cargo.toml packs `{pattern}`, and there is none");
    }
    let packed: BTreeSet<PathBuf> = assets.iter().flat_map(|(it, _)| files(it, pages.path())).collect();
    for written in files("target/packaging/**/*", pages.path()) {
        assert!(packed.contains(&written), "{} is in no package", written.display());
    }
    for page in fs::read_dir(root().join("docs")).unwrap().map(|it| it.unwrap().path()) {
        assert!(page.is_dir() || packed.contains(&page), "{} is in no package", page.display());
    }
}

#[test]
fn a_debian_package_has_the_program_its_pages_and_the_examples() {
    if !has("cargo-deb", "--version") || !has("dpkg-deb", "--version") {
        return skipped("there is no cargo-deb, or no dpkg-deb");
    }
    write_pages(&root().join("target/packaging"));
    let made = tempfile::tempdir().unwrap();
    let package = made.path().join("dsrules.deb");
    let mut deb = Command::new("cargo-deb");
    deb.args(["deb", "--no-build", "--no-strip", "--locked", "--profile=dev", "--output"]).arg(&package);
    well(deb.current_dir(root()));
    let listed = well(Command::new("dpkg-deb").arg("--contents").arg(&package));
    for name in [
        "./usr/bin/dsrules",
        "./usr/share/man/man1/dsrules.1.gz",
        "./usr/share/man/man1/dsrules-rollout-undo.1.gz",
        "./usr/share/bash-completion/completions/dsrules",
        "./usr/share/zsh/vendor-completions/_dsrules",
        "./usr/share/fish/vendor_completions.d/dsrules.fish",
        "./usr/share/doc/dsrules/copyright",
        "./usr/share/doc/dsrules/docs/start.md",
        "./usr/share/doc/dsrules/examples/systemd/dsrules-agent.service",
        "./usr/share/doc/dsrules/examples/policies/canary-first/policy.dl",
    ] {
        assert!(listed.lines().any(|line| line.ends_with(name)), "{name} is not in\n{listed}");
    }
    let unpacked = made.path().join("unpacked");
    well(Command::new("dpkg-deb").arg("--extract").args([&package, &unpacked]));
    assert!(well(Command::new(unpacked.join("usr/bin/dsrules")).arg("version")).starts_with("dsrules "));
}

/// The lines of the Dockerfile's last stage, by their words.
fn last_stage(text: &str) -> Vec<Vec<&str>> {
    let stage = text.rsplit("\nFROM ").next().unwrap();
    stage
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_whitespace().collect())
        .collect()
}

#[test]
fn the_image_is_one_file_and_not_run_by_root() {
    let text = fs::read_to_string(root().join("Dockerfile")).unwrap();
    let stage = last_stage(&text);
    assert_eq!(stage[0], ["scratch"], "nothing but what is copied");
    let user = stage.iter().find(|line| line.first() == Some(&"USER")).unwrap()[1];
    // By its number, as Kubernetes asks of `runAsNonRoot`: there is no /etc/passwd.
    assert!(user.split(':').all(|id| id.parse::<u32>().is_ok_and(|id| id > 0)), "{user}");
    // Cargo.toml names these, so a build without them fails.
    let ignored = fs::read_to_string(root().join(".dockerignore")).unwrap();
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("name = \"conformance\"") && ignored.contains("\n!tests/conformance.rs\n"));
    assert!(
        !ignored.lines().any(|line| ["src", "rules", "examples", "benches", "schema.sql"].contains(&line))
    );
}

/// A static program: dsrules, where somebody has built it as docs/install.md says, and whether it is.
fn static_program(folder: &Path) -> (PathBuf, bool) {
    let built = root().join("target/x86_64-unknown-linux-musl");
    let built = ["release", "debug"].iter().map(|it| built.join(it).join("dsrules")).find(|it| it.exists());
    if let Some(program) = built {
        return (program, true);
    }
    let (source, program) = (folder.join("stand-in.rs"), folder.join("stand-in"));
    fs::write(&source, STAND_IN).unwrap();
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition=2024", "-Ctarget-feature=+crt-static", "-o"]).args([&program, &source]);
    well(&mut rustc);
    (program, false)
}

/// What runs in the image where no static dsrules is built.
const STAND_IN: &str = r#"
fn main() {
    std::fs::write("dsrules.db", "").expect("the working folder is its user's");
    println!("dsrules of {} arguments", std::env::args().count());
}
"#;

#[test]
fn the_image_runs_as_its_user() {
    if !machine::is_there("the_image_runs_as_its_user") {
        return;
    }
    let machine = Machine::new();
    // What the first stage would leave, and the last stage over it.
    let first = machine.path("first");
    fs::create_dir_all(first.join("out/work")).unwrap();
    let (program, is_ours) = static_program(&machine.path(""));
    fs::copy(program, first.join("out/dsrules")).unwrap();
    let text = fs::read_to_string(root().join("Dockerfile")).unwrap();
    let stage = text.rsplit("\nFROM ").next().unwrap().replace("--from=build ", "");
    fs::write(first.join("Dockerfile"), format!("FROM {stage}")).unwrap();
    machine.says(&["build", "--quiet", "--isolation=chroot", "--tag=dsrules-test", first.to_str().unwrap()]);
    let examples = format!("{}:/work/examples:ro", root().join("examples").display());
    let run = |arguments: &[&str]| {
        let options = ["run", "--rm", "--network=none", "-v", &examples, "dsrules-test"];
        machine.says(&[&options[..], arguments].concat())
    };
    assert!(run(&["version"]).starts_with("dsrules "));
    if is_ours {
        assert!(run(&["plan", "examples/quickstart"]).contains("Plan: 3 to create"));
        assert!(run(&["apply", "examples/quickstart"]).contains("Applied: 3 created"));
    } else {
        skipped("no dsrules in target/x86_64-unknown-linux-musl: another program stood for it in the image");
    }
}
