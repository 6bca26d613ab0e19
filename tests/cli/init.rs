//! `dsrules init`: the folder that it writes is `examples/start`, works, and takes nobody's place.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::session::Session;

fn files(folder: &Path) -> BTreeMap<String, String> {
    let walk = walkdir::WalkDir::new(folder).into_iter().map(|entry| entry.unwrap());
    let files = walk.filter(|entry| entry.file_type().is_file());
    let name = |path: &Path| path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
    files.map(|entry| (name(entry.path()), fs::read_to_string(entry.path()).unwrap())).collect()
}

#[test]
fn a_new_folder_plans_applies_and_passes_its_tests() {
    let mut session = Session::new();
    session.ok("init ours");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/start");
    assert_eq!(files(&session.path("ours")), files(&example));
    session.ok("plan ours/fleet");
    session.ok("explain local-db spot-1 -f ours/fleet");
    session.ok("validate ours/fleet");
    session.ok("test ours/tests");
    session.ok("rules check ours/policy -f ours/fleet");
    session.say("once more, and nothing is written over");
    session.fails("init ours");
    assert_eq!(files(&session.path("ours")), files(&example));
    session.snapshot("init");
}

#[test]
fn every_command_of_its_readme_runs() {
    let session = Session::new();
    assert_eq!(session.quietly("init").code, 0);
    let readme = fs::read_to_string(session.path("README.md")).unwrap();
    let commands: Vec<&str> =
        readme.lines().filter_map(|line| line.trim().strip_prefix("dsrules ")).collect();
    assert_eq!(commands.len(), 6);
    for line in commands {
        let line = line.split("  ").next().unwrap();
        let said = session.quietly(line);
        assert_eq!(said.code, 0, "{line}: {}{}", said.out, said.err);
    }
}

#[test]
fn one_file_that_is_there_keeps_all_from_being_written() {
    let session = Session::new();
    session.write("here/policy/own.dl", "mine");
    let said = session.quietly("init here");
    assert_eq!(said.code, 1);
    assert!(said.err.contains("`here/policy/own.dl` is there already"), "{}", said.err);
    assert_eq!(files(&session.path("here")).len(), 1);
    session.write("file", "");
    let said = session.quietly("init file");
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(said.err.contains("name a folder that you may write to"), "{}", said.err);
}
