//! YAML and JSON are read as kubectl reads them: the same values, and the same texts refused.
//!
//! `yaml-kubectl/corpus.rs` makes the texts from the grammar; `yaml-kubectl/recorded.jsonl`
//! has what kubectl 1.32 made of each (`kubectl annotate --local`, which needs no cluster).
//! Where kubectl is there, some are compared with it at every run, and with
//! `DSRULES_RECORD=1` all of them are recorded again.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "yaml-kubectl/corpus.rs"]
mod corpus;
#[path = "yaml-kubectl/kubectl.rs"]
mod kubectl;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use dsrules::manifest::{FieldValidation, Input, Options, read};
use serde_json::Value;

use kubectl::Answer;

fn recorded_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/yaml-kubectl/recorded.jsonl")
}

/// What dsrules makes of a text; kinds and fields that it does not know are no errors.
fn ours(bytes: &[u8]) -> Answer {
    let options = Options { validate: FieldValidation::Ignore, ..Options::default() };
    let input = Input::Text { name: "f.yaml".into(), bytes: bytes.to_vec().into() };
    let reading = read(&[input], &options);
    let mut errors = reading.diagnostics.iter().filter(|one| one.is_error() && one.code != "no-objects");
    match errors.next() {
        Some(error) => Answer::Refused(error.to_string()),
        None => Answer::Read(reading.objects.into_iter().map(|object| object.value).collect()),
    }
}

fn same(a: &Answer, b: &Answer) -> bool {
    match (a, b) {
        (Answer::Refused(_), Answer::Refused(_)) => true,
        // An object that is there twice is one object.
        (Answer::Read(a), Answer::Read(b)) if a.len() < b.len() => {
            b.iter().all(|b| a.iter().any(|a| equal(a, b)))
        }
        (Answer::Read(a), Answer::Read(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        _ => false,
    }
}

/// Equal, with numbers by what they are.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || (!(a.is_i64() && b.is_i64()) && a.as_f64() == b.as_f64())
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().zip(b).all(|((key, a), (same_key, b))| key == same_key && equal(a, b))
        }
        _ => a == b,
    }
}

fn assert_same(what: &str, pairs: impl Iterator<Item = (Vec<u8>, Answer)>) -> usize {
    let mut count = 0;
    let mut wrong = Vec::new();
    for (bytes, theirs) in pairs {
        count += 1;
        let ours = ours(&bytes);
        if !same(&ours, &theirs) {
            wrong.push(format!(
                "{:?}\n  {what}: {theirs}\n  dsrules: {ours}",
                String::from_utf8_lossy(&bytes)
            ));
        }
    }
    let shown: String = wrong.iter().take(40).map(|one| format!("---------- {one}\n")).collect();
    assert!(wrong.is_empty(), "{} of {count} texts are read differently:\n{shown}", wrong.len());
    count
}

#[test]
fn as_kubectl_was_recorded() {
    if std::env::var_os("DSRULES_RECORD").is_some() {
        let texts = corpus::texts();
        let answers = kubectl::ask_all(&texts);
        let lines: String =
            texts.iter().zip(&answers).map(|(text, answer)| kubectl::line(text, answer)).collect();
        fs::write(recorded_file(), lines).unwrap();
    }
    let recorded = fs::read_to_string(recorded_file()).unwrap();
    let pairs: Vec<(Vec<u8>, Answer)> = recorded.lines().map(kubectl::from_line).collect();
    let texts = corpus::texts();
    assert!(texts.len() >= 800, "{} texts", texts.len());
    assert!(
        pairs.iter().map(|(text, _)| text).eq(&texts),
        "the texts changed: record them again with DSRULES_RECORD=1, where kubectl is"
    );
    let refused = pairs.iter().filter(|(_, answer)| matches!(answer, Answer::Refused(_))).count();
    assert!(refused >= 200, "{refused} are refused");
    assert_same("recorded", pairs.into_iter());
}

#[test]
fn as_kubectl_reads_them_here() {
    if !kubectl::is_there() {
        // Past the test harness, which shows nothing of a test that passes.
        let line = "skipped: as_kubectl_reads_them_here: kubectl is not on this machine, only its recorded answers are compared";
        writeln!(std::io::stderr(), "{line}").unwrap();
        return;
    }
    let (every, from): (usize, usize) = match std::env::var("DSRULES_FUZZ") {
        Ok(seed) => (0, seed.parse().unwrap()),
        Err(_) => (17, 0),
    };
    let texts: Vec<Vec<u8>> = match every {
        // As many new ones as there is patience for.
        0 => corpus::random(from as u64, 1_500).into_iter().collect(),
        _ => corpus::texts().into_iter().step_by(every).collect(),
    };
    let answers = kubectl::ask_all(&texts);
    assert_same("kubectl", texts.into_iter().zip(answers));
}

/// Files of users: whether they are valid, and what is told of them.
#[test]
fn files_of_users() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/yaml-kubectl/cases");
    let mut told = String::new();
    let mut files: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        let done = assert_cmd::Command::new(assert_cmd::cargo::cargo_bin!("dsrules"))
            .current_dir(&folder)
            .env("NO_COLOR", "1")
            .args(["validate", name])
            .output()
            .unwrap();
        let text = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
        told += &format!("$ dsrules validate {name}    # {}\n{text}\n", done.status.code().unwrap());
    }
    insta::with_settings!({
        snapshot_path => "../snapshots",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!("yaml-kubectl__files_of_users", told);
    });
}

#[test]
fn anchors_that_no_alias_names_cost_nothing() {
    use std::fmt::Write as _;
    let mut text = "apiVersion: v1\nkind: Node\nmetadata:\n  name: a\n".to_owned();
    (0..300_000).for_each(|nth| writeln!(text, "k{nth}: &a& x").unwrap());
    // go-yaml takes no `&` in the name of an anchor.
    assert!(matches!(ours(text.as_bytes()), Answer::Refused(_)));
    let Answer::Refused(why) = ours(text.replace("&a& x", "&a x").as_bytes()) else { unreachable!() };
    assert!(why.contains("more than the 3145728 that an API server takes"), "{why}");
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: [".to_owned()
        + &"&a x, ".repeat(300_000)
        + "]\n";
    assert!(matches!(ours(text.as_bytes()), Answer::Read(objects) if objects.len() == 1));
}
