//! Reading a corpus and running its cases.

use std::io::Read;
use std::path::PathBuf;

use dsrules::datalog::Program;
use dsrules::facts::Grouping;
use dsrules::kube::{Kind, Object, ObjectKey, Origin};
use dsrules::reason::Reasoner;
use dsrules::state::World;
use serde_json::Value;

/// Compares one case; the error says what disagrees.
pub type Check = fn(&Program, &Value) -> Result<(), String>;

/// Runs all cases of a corpus and prints the disagreements: (agreed, cases).
pub fn run(name: &str, check: Check) -> (usize, usize) {
    let program = dsrules::policy::builtin::load(&[]).program.expect("the built-in rules load");
    let cases = read(name);
    let mut agreed = 0;
    for case in &cases {
        match check(&program, case) {
            Ok(()) => agreed += 1,
            Err(difference) => println!("{}\n{difference}\n", case["id"].as_str().unwrap_or("?")),
        }
    }
    (agreed, cases.len())
}

/// All cases of a corpus.
pub fn read(name: &str) -> Vec<Value> {
    let folder = std::env::var_os("DSRULES_CONFORMANCE_DIR").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance")),
        PathBuf::from,
    );
    let own = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance"));
    // A folder need not have all of them.
    let folders = [folder, own];
    let has = |folder: &&PathBuf| {
        ["jsonl", "jsonl.gz"].iter().any(|end| folder.join(format!("{name}.{end}")).exists())
    };
    let folder = folders.iter().find(has).unwrap_or(&folders[1]);
    let plain = folder.join(format!("{name}.jsonl"));
    let packed = folder.join(format!("{name}.jsonl.gz"));
    let mut text = String::new();
    if plain.exists() {
        text = std::fs::read_to_string(&plain).unwrap();
    } else {
        let file = std::fs::File::open(&packed).unwrap_or_else(|e| panic!("{}: {e}", packed.display()));
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    }
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Puts an object into the world as its manifest has it.
pub fn put(world: &mut World, value: &Value, now: i64) -> ObjectKey {
    let name = value["kind"].as_str().unwrap();
    let other = || Kind::other(value["apiVersion"].as_str().unwrap(), name);
    let kind = Kind::from_name(name).or_else(other).unwrap();
    let namespace =
        if kind.namespaced() { value["metadata"]["namespace"].as_str().unwrap_or("default") } else { "" };
    let key = ObjectKey::new(namespace, value["metadata"]["name"].as_str().unwrap());
    let origin = Origin { file: "case".into(), document: 0, path: String::new() };
    world.put(Object { kind, key: key.clone(), value: value.clone(), origin }, now);
    key
}

/// A reasoner that has derived everything from the world.
pub fn derive(program: &Program, world: &World, grouping: Grouping, now: i64) -> Reasoner {
    let mut reasoner = Reasoner::new(program, grouping);
    reasoner.derive(world, &world.changed, now).unwrap();
    reasoner
}

/// The time of a case in seconds of Unix time.
pub fn time(value: &Value) -> i64 {
    dsrules::kube::seconds(value).unwrap()
}

/// Two values that should be equal, shown when they are not.
pub fn same(what: &str, expected: &Value, got: &Value) -> Result<(), String> {
    if expected == got {
        Ok(())
    } else {
        Err(format!("  {what}\n    expected {expected}\n    got      {got}"))
    }
}

/// Sorted names as JSON.
pub fn names<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> Value {
    let mut names: Vec<String> = names.into_iter().map(|name| name.as_ref().to_owned()).collect();
    names.sort();
    Value::from(names)
}

/// A status as the corpora print it.
pub fn status(status: &dsrules::kube::Status) -> Value {
    serde_json::to_value(status).unwrap()
}
