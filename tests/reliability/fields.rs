//! R17: every field of every kind, and every wrong type in it: what Kubernetes' own types cannot
//! hold is an error that names the field, what they can is never called a wrong type, and nothing
//! panics.
//!
//! The types are read from `src/kube/schema.txt`, which `tests/schema.rs` compares with
//! k8s-openapi; what an API server takes for each is said once more here.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use dsrules::manifest::{Input, Options, Reading, read};
use serde_json::{Value, json};

use crate::base::{Place, figure, is_full, times};

const KINDS: [&str; 5] = ["Node", "DaemonSet", "Pod", "ControllerRevision", "Service"];

/// Type to its fields, each with its shape.
type Types<'t> = BTreeMap<&'t str, Vec<(&'t str, &'t str)>>;

fn types() -> Types<'static> {
    let table = include_str!("../../src/kube/schema.txt");
    let mut types = Types::new();
    let mut owner = "";
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix("  ").and_then(|line| line.split_once(' ')) {
            Some((field, rest)) => {
                let shape = rest.split(" = ").next().unwrap().trim_start_matches('*');
                types.get_mut(owner).unwrap().push((field, shape));
            }
            None => {
                owner = line;
                types.insert(owner, Vec::new());
            }
        }
    }
    types
}

/// A step on the way to a field.
#[derive(Clone, Debug)]
enum Step {
    Field(&'static str),
    First,
    Key,
}

/// A place of a kind: the way to it, and the shape of what stands there.
#[derive(Clone, Debug)]
struct Spot {
    kind: &'static str,
    way: Vec<Step>,
    shape: &'static str,
}

impl Spot {
    /// As it is told to people.
    fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.way {
            match step {
                Step::Field(name) if path.is_empty() => path.push_str(name),
                Step::Field(name) => write!(path, ".{name}").unwrap(),
                Step::First => path.push_str("[0]"),
                Step::Key => path.push_str("[k]"),
            }
        }
        path
    }

    /// An object with this text there, as JSON.
    fn object(&self, text: &str) -> String {
        let mut object = base(self.kind);
        let mut at = &mut object;
        for step in &self.way {
            at = match step {
                Step::Field(name) => {
                    &mut (if at.is_object() {
                        at
                    } else {
                        *at = json!({});
                        at
                    })[*name]
                }
                Step::Key => {
                    &mut (if at.is_object() {
                        at
                    } else {
                        *at = json!({});
                        at
                    })["k"]
                }
                Step::First => {
                    if at.as_array().is_none_or(Vec::is_empty) {
                        *at = json!([null]);
                    }
                    &mut at[0]
                }
            };
        }
        *at = json!("@@");
        object.to_string().replace("\"@@\"", text)
    }
}

/// A sound object of the kind.
fn base(kind: &str) -> Value {
    let spec = json!({ "containers": [{ "name": "c", "image": "i:1" }] });
    let template = json!({ "metadata": { "labels": { "a": "b" } }, "spec": spec });
    let (version, namespace) = match kind {
        "Node" => ("v1", None),
        "Pod" | "Service" => ("v1", Some("default")),
        _ => ("apps/v1", Some("default")),
    };
    let mut object = json!({ "apiVersion": version, "kind": kind, "metadata": { "name": "x" } });
    if let Some(namespace) = namespace {
        object["metadata"]["namespace"] = json!(namespace);
    }
    match kind {
        "DaemonSet" => {
            object["spec"] = json!({ "selector": { "matchLabels": { "a": "b" } }, "template": template })
        }
        "Pod" => object["spec"] = spec,
        "Service" => object["spec"] = json!({ "ports": [{ "port": 80 }] }),
        "ControllerRevision" => {
            object["revision"] = json!(1);
            object["data"] = json!({ "spec": { "template": template } });
        }
        _ => {}
    }
    object
}

/// All places of a shape and below it.
fn walk(types: &Types<'static>, spot: Spot, open: &mut Vec<&'static str>, all: &mut Vec<Spot>) {
    all.push(spot.clone());
    let below = |step: Step, shape| {
        let mut way = spot.way.clone();
        way.push(step);
        Spot { way, shape, ..spot }
    };
    if let Some(shape) = spot.shape.strip_prefix("[]") {
        return walk(types, below(Step::First, shape), open, all);
    }
    if let Some(shape) = spot.shape.strip_prefix("{}") {
        return walk(types, below(Step::Key, shape), open, all);
    }
    let Some(fields) = types.get(spot.shape).filter(|_| !open.contains(&spot.shape)) else { return };
    open.push(spot.shape);
    for (field, shape) in fields {
        walk(types, below(Step::Field(field), shape), open, all);
    }
    open.pop();
}

fn spots() -> Vec<Spot> {
    let types = types();
    let mut all = Vec::new();
    for kind in KINDS {
        walk(&types, Spot { kind, way: Vec::new(), shape: kind }, &mut Vec::new(), &mut all);
    }
    // What says which kind it is, and the whole of it, has tests of its own.
    all.retain(|spot| !matches!(&*spot.path(), "" | "kind" | "apiVersion"));
    all
}

/// What is put there, as JSON.
const VALUES: [(&str, &str); 9] = [
    ("null", "null"),
    ("a list", "[]"),
    ("a mapping", "{}"),
    ("an empty text", "\"\""),
    ("-1", "-1"),
    ("1e999", "1e999"),
    ("true", "true"),
    ("a text", "\"x\""),
    ("a fraction", "1.5"),
];

/// Whether an API server can read the value into a field of the shape: what `json.Unmarshal` and
/// the types' own `UnmarshalJSON` say.
fn fits(shape: &str, text: &str) -> bool {
    let is_text = text.starts_with('"');
    let is_number = text.starts_with(['-', '1']);
    match (shape, text) {
        (_, "1e999") => false,
        (_, "null") | ("any", _) => true,
        ("string", _) => is_text,
        ("bool", _) => text == "true",
        ("int32" | "int64", _) => text == "-1",
        ("float", _) => is_number,
        ("int-or-string", _) => is_text || text == "-1",
        ("quantity", _) => is_number,
        ("time" | "microtime", _) => false,
        (shape, text) if shape.starts_with("[]") => text == "[]",
        (_, text) => text == "{}",
    }
}

fn read_text(text: String) -> Reading {
    let input = Input::Text { name: "x.json".into(), bytes: text.into_bytes().into() };
    read(&[input], &Options::default())
}

/// What is wrong with what is said of it, if anything is.
fn wrong(spot: &Spot, text: &str, reading: &Reading) -> Option<String> {
    let path = spot.path();
    let errors: Vec<_> = reading.diagnostics.iter().filter(|it| it.is_error()).collect();
    let named = format!("`{path}`");
    let names = |it: &&&dsrules::diagnostic::Diagnostic| {
        it.message.contains(&named) || it.notes.iter().any(|note| note.contains(&named))
    };
    let shown = || errors.iter().map(|it| format!("{}: {}", it.code, it.message)).collect::<Vec<_>>();
    let said = |what: &str| {
        Some(format!("{} {path} ({}) = {text:.40}: {what}: {:?}", spot.kind, spot.shape, shown()))
    };
    if fits(spot.shape, text) {
        let wrong = errors.iter().filter(names).any(|it| it.code == "wrong-type");
        return if wrong { said("an API server can read it") } else { None };
    }
    if errors.is_empty() {
        return said("an API server cannot read it");
    }
    // What is no JSON number has a line and no field.
    let placed = errors.iter().any(|it| it.place.as_ref().is_some_and(|place| place.line > 0));
    let is_named = errors.iter().filter(names).count() > 0;
    if is_named || text == "1e999" && placed { None } else { said("the field is not named") }
}

#[test]
fn every_field_takes_every_wrong_type() {
    let spots = spots();
    let step = if is_full() { 1 } else { 11 };
    let mut found = Vec::new();
    let mut tried = 0;
    for (nth, (spot, (_, text))) in
        spots.iter().flat_map(|spot| VALUES.iter().map(move |it| (spot, it))).enumerate()
    {
        if nth % step == 0 {
            tried += 1;
            found.extend(wrong(spot, text, &read_text(spot.object(text))));
        }
    }
    assert!(found.is_empty(), "{} of {tried}:\n{}", found.len(), found[..found.len().min(60)].join("\n"));
    figure(
        "R17",
        format!(
            "{} fields, {tried} of {} pairs of field and value: right and named",
            spots.len(),
            spots.len() * VALUES.len()
        ),
    );
}

#[test]
fn every_field_takes_what_is_far_too_much() {
    let spots = spots();
    let step = if is_full() { 1 } else { 97 };
    let long = format!("\"{}\"", "x".repeat(1 << 20));
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let mapped = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
    let mut tried = 0;
    for spot in spots.iter().step_by(step) {
        for text in [&deep, &mapped] {
            let reading = read_text(spot.object(text));
            let code = reading.diagnostics.first().map(|it| it.code);
            assert_eq!(code, Some("nesting"), "{} {}", spot.kind, spot.path());
        }
        let reading = read_text(spot.object(&long));
        if !fits(spot.shape, "\"x\"") {
            assert!(reading.has_errors(), "{} {}: a mebibyte is taken", spot.kind, spot.path());
        }
        let longest = reading.diagnostics.iter().map(|it| it.render(false).len()).max().unwrap_or(0);
        assert!(longest < 10_000, "{} {}: {longest} bytes are said", spot.kind, spot.path());
        tried += 3;
    }
    figure(
        "R17",
        format!(
            "{tried} of {} with 1 MiB of text or 10,000 levels: refused or taken, said in under 10 kB",
            spots.len() * 3
        ),
    );
}

/// The same by the program: what it ends with, and that the field stands in what is said.
#[test]
fn the_program_ends_with_0_or_1() {
    let spots = spots();
    let place = Place::light();
    let count = times(40, 2_000);
    let pairs = spots.len() * VALUES.len();
    let mut codes = BTreeMap::<i32, usize>::new();
    for nth in 0..count {
        let at = nth * pairs / count;
        let (spot, (_, text)) = (&spots[at / VALUES.len()], VALUES[at % VALUES.len()]);
        place.write("x.json", spot.object(text));
        let said = place.run("validate x.json");
        let what = format!("{} {} = {text}: {said:?}", spot.kind, spot.path());
        assert!(said.is_orderly() && matches!(said.code, Some(0 | 1)), "{what}");
        if !fits(spot.shape, text) {
            assert!(said.code == Some(1), "{what}");
            assert!(
                text == "1e999" || said.err.contains(&spot.path()) || said.out.contains(&spot.path()),
                "{what}"
            );
        }
        *codes.entry(said.code.unwrap()).or_default() += 1;
    }
    figure("R17", format!("{count} runs of `validate`: exit codes {codes:?}"));
}
