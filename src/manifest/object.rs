//! A document -> the objects in it: by kind, out of lists, with their keys.
//!
//! Kinds that dsrules does not read are counted. A kind it reads under an apiVersion
//! that Kubernetes no longer serves is an error, and its fields are looked at all the same;
//! a missing kind, apiVersion or name is one, too. Whether the fields are right is not
//! looked at here.

use std::collections::BTreeMap;

use serde_json::Value;

use super::foreign;
use super::options::Options;
use super::problem::{Problem, Spot};
use super::schema::Finding;
use super::versions;
use crate::diagnostic::{Severity, nearest};
use crate::kube::{Kind, ObjectKey};
use crate::validate::path::FieldPath;
use crate::validate::path::Part;

/// An object of a kind that is read, and where it starts.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) kind: Kind,
    pub(super) key: ObjectKey,
    pub(super) value: Value,
    pub(super) at: At,
    /// Whether something is wrong with it that its fields do not show.
    pub(super) refused: bool,
}

/// Where an object is: the start of a value in the text, the way from there, and the
/// whole way from the document's root.
#[derive(Debug, Clone)]
pub(super) struct At {
    pub(super) document: u32,
    pub(super) start: Spot,
    pub(super) inside: FieldPath,
    pub(super) path: FieldPath,
}

/// What came out of a piece of text.
#[derive(Debug, Default)]
pub(super) struct Harvest {
    pub(super) found: Vec<Found>,
    pub(super) others: BTreeMap<String, usize>,
    pub(super) findings: Vec<(At, Finding)>,
    pub(super) problems: Vec<Problem>,
    /// How many more things are wrong than were kept, and whether any is an error.
    pub(super) hidden: usize,
    pub(super) hides_errors: bool,
}

impl Harvest {
    /// Adds what came out of the next piece; of what is wrong, no more than is shown.
    pub(super) fn add(&mut self, mut other: Harvest, most: usize) {
        self.found.extend(other.found);
        for (kind, count) in other.others {
            *self.others.entry(kind).or_default() += count;
        }
        self.hidden += other.hidden;
        self.hides_errors |= other.hides_errors;
        let is_error = |problem: &Problem| problem.severity == Severity::Error;
        let room = most.saturating_sub(self.problems.len());
        let cut = other.problems.split_off(room.min(other.problems.len()));
        self.hidden += cut.len();
        self.hides_errors |= cut.iter().any(is_error);
        self.problems.extend(other.problems);
        let room = most.saturating_sub(self.findings.len());
        let cut = other.findings.split_off(room.min(other.findings.len()));
        self.hidden += cut.len();
        self.hides_errors |= cut.iter().any(|(_, finding)| is_error(&finding.problem));
        self.findings.extend(other.findings);
    }

    fn refuse(&mut self, at: At, path: FieldPath, part: Part, problem: Problem) {
        self.findings.push((at, Finding { path, part, problem }));
    }
}

/// The kind and apiVersion that the items of a typed list have when they do not say so.
pub(super) type Implied<'a> = Option<(&'a str, &'a str)>;

/// What the items of this list are when they do not say so: a `NodeList` has Nodes.
pub(super) fn implied(list: &Value) -> Option<(String, String)> {
    let kind = list["kind"].as_str()?.strip_suffix("List")?;
    let version = list["apiVersion"].as_str()?;
    (!kind.is_empty()).then(|| (kind.to_owned(), version.to_owned()))
}

/// Whether a value is a list of objects.
pub(super) fn is_list(value: &Value) -> bool {
    value["kind"].as_str().is_some_and(|kind| kind.ends_with("List"))
        && (value["items"].is_array() || value["items"].is_null())
}

/// Whether lists of this kind can be nothing but lists of objects.
fn is_builtin_list(kind: &str) -> bool {
    kind.strip_suffix("List").is_some_and(|of| of.is_empty() || Kind::from_name(of).is_some())
}

/// Sorts a value into what it is. `items` are the spots of a list's items, if known.
pub(super) fn take(
    mut value: Value,
    at: At,
    items: &[Spot],
    implied_by: Implied<'_>,
    options: &Options,
    out: &mut Harvest,
) {
    let namespace = options.default_namespace.as_str();
    if value.is_null() {
        return;
    }
    if let Some(problem) = foreign::json_patch(&value) {
        out.refuse(at, FieldPath::default(), Part::Value, problem);
        return;
    }
    let Some(map) = value.as_object_mut() else {
        let problem = Problem::new(
            "not-an-object",
            "this is no Kubernetes object, which is a mapping with `apiVersion` and `kind`",
        )
        .help("a manifest starts with `apiVersion: apps/v1` and `kind: DaemonSet`");
        out.refuse(at, FieldPath::default(), Part::Value, problem);
        return;
    };
    if let Some((kind, version)) = implied_by
        && !map.contains_key("kind")
        && !map.contains_key("apiVersion")
    {
        map.insert("kind".to_owned(), kind.into());
        map.insert("apiVersion".to_owned(), version.into());
    }
    if let Some(problem) = foreign::document(&value).or_else(|| foreign::no_object(&value)) {
        out.refuse(at, FieldPath::default(), Part::Value, problem);
        return;
    }
    let (Some(kind), Some(version)) = (text(&value, "kind", &at, out), text(&value, "apiVersion", &at, out))
    else {
        return;
    };
    if is_list(&value) {
        let implied = implied(&value);
        let implied = implied.as_ref().map(|(kind, version)| (kind.as_str(), version.as_str()));
        let list = value.get_mut("items").map(Value::take);
        let Some(Value::Array(list)) = list else { return };
        for (index, item) in list.into_iter().enumerate() {
            let path = at.path.clone().field("items").index(index);
            let (start, inside) = match items.get(index) {
                Some(&spot) => (spot, FieldPath::default()),
                None => (at.start, at.inside.clone().field("items").index(index)),
            };
            let at = At { document: at.document, start, inside, path };
            take(item, at, &[], implied, options, out);
        }
        return;
    }
    if is_builtin_list(&kind) && value.get("items").is_some() {
        let problem = Problem::new("wrong-type", "`items` must be a list")
            .help("each object stands on a line of its own, after `- `");
        out.refuse(at, FieldPath::default().field("items"), Part::Value, problem);
        return;
    }
    match recognise(&kind, &version) {
        Ok(Some(kind)) => {
            if let Some(problem) = foreign::patch(kind, &value) {
                out.refuse(at, FieldPath::default(), Part::Value, problem);
                return;
            }
            let refused = version != kind.api_version();
            if refused {
                let path = FieldPath::default().field("apiVersion");
                out.refuse(at.clone(), path, Part::Value, versions::problem(kind, &version, &value));
            }
            named(kind, value, at, refused, namespace, out);
        }
        Ok(None) if let Some((kind, key)) = other(&kind, &version, &value, namespace) => {
            let value = if options.secrets { value } else { open(kind, value) };
            out.found.push(Found { kind, key, value, at, refused: false });
        }
        Ok(None) => {
            // Shown in one line, whatever somebody called it.
            const LONGEST: usize = 100;
            let name = format!("{version}/{kind}").chars().take(LONGEST).collect();
            *out.others.entry(name).or_default() += 1;
        }
        Err(wrong) => {
            let (path, problem) = *wrong;
            out.refuse(at, path, Part::Value, problem);
        }
    }
}

/// A field that every object must have, as text.
fn text(value: &Value, name: &'static str, at: &At, out: &mut Harvest) -> Option<String> {
    let path = FieldPath::default().field(name);
    let example = if name == "kind" { "kind: DaemonSet" } else { "apiVersion: apps/v1" };
    let problem = match &value[name] {
        Value::String(text) if !text.is_empty() => return Some(text.clone()),
        Value::Null | Value::String(_) => {
            let near = value.as_object().and_then(|map| nearest(name, map.keys().map(String::as_str)));
            let problem = Problem::new("missing-field", format!("an object must have `{name}`"));
            match near {
                Some(near) if near != name => problem.help(format!("`{near}` should be `{name}`")),
                _ => problem.help(format!("add a line like `{example}`")),
            }
        }
        _ => Problem::new("wrong-type", format!("`{name}` must be a string"))
            .help(format!("write it like `{example}`")),
    };
    out.refuse(at.clone(), path, Part::Value, problem);
    None
}

/// Whether an object is of a kind that is only counted, and cannot hold others.
pub(super) fn is_ignored(kind: &str, version: &str) -> bool {
    let named = !kind.is_empty() && !version.is_empty();
    named && !is_builtin_list(kind) && matches!(recognise(kind, version), Ok(None))
}

/// The kind that is read, be it under a version that is not served, or `None` for one
/// that is only counted.
fn recognise(kind: &str, version: &str) -> Result<Option<Kind>, Box<(FieldPath, Problem)>> {
    // Groups with a dot in their name may have any kind; these may not.
    let builtin = !version.contains('.');
    if let Some(known) = Kind::from_name(kind) {
        return Ok((builtin || version == known.api_version()).then_some(known));
    }
    let misspelt = Kind::ALL.into_iter().map(Kind::name).filter(|name| {
        let same = name.eq_ignore_ascii_case(kind);
        same || (builtin && name.len() > 4 && nearest(kind, [*name]).is_some())
    });
    if let Some(meant) = misspelt.min().filter(|_| builtin) {
        let problem = Problem::new("unknown-kind", format!("there is no kind `{kind}`"))
            .help(format!("did you mean `{meant}`?"));
        return Err(Box::new((FieldPath::default().field("kind"), problem)));
    }
    Ok(None)
}

/// Kind and key of an object that is not managed, where it is sound enough to be kept.
fn other(kind: &str, version: &str, value: &Value, default: &str) -> Option<(Kind, ObjectKey)> {
    let kind = Kind::other(version, kind)?;
    let meta = &value["metadata"];
    let is_segment = |name: &str| {
        (1..=253).contains(&name.len())
            && !matches!(name, "." | "..")
            && !name.contains(|it: char| matches!(it, '/' | '%') || it.is_control() || it.is_whitespace())
    };
    let name = meta["name"].as_str().filter(|name| is_segment(name))?;
    let namespace = match &meta["namespace"] {
        Value::Null => "",
        Value::String(namespace) if namespace.is_empty() || is_segment(namespace) => namespace,
        _ => return None,
    };
    let namespace = match (kind.namespaced(), namespace) {
        (false, _) => "",
        (true, "") => default,
        (true, namespace) => namespace,
    };
    Some((kind, ObjectKey::new(namespace, name)))
}

/// What may be kept of an object: of a Secret all but what is secret.
fn open(kind: Kind, mut value: Value) -> Value {
    const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
    if kind.name() == "Secret" {
        for field in ["data", "stringData"] {
            let entries = value.get_mut(field).and_then(Value::as_object_mut);
            entries.into_iter().flatten().for_each(|(_, secret)| *secret = "".into());
        }
        if let Some(annotations) = value["metadata"].get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove(APPLIED);
        }
    }
    value
}

/// An object must have a name of its own, or applying twice would make two.
fn named(kind: Kind, value: Value, at: At, refused: bool, namespace: &str, out: &mut Harvest) {
    let meta = &value["metadata"];
    let path = FieldPath::default().field("metadata");
    let name = match &meta["name"] {
        Value::String(name) => name.clone(),
        // The wrong type is found with all the others.
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => String::new(),
        Value::Null if meta["generateName"].is_string() => {
            let problem =
                Problem::new("generated-name", "`metadata.generateName` would give a new name at every run")
                    .help("write `metadata.name`");
            out.refuse(at, path.field("generateName"), Part::Key, problem);
            return;
        }
        Value::Null => String::new(),
    };
    let namespace = match &meta["namespace"] {
        Value::String(namespace) if !namespace.is_empty() => namespace.as_str(),
        _ if kind.namespaced() => namespace,
        _ => "",
    };
    let namespace = if kind.namespaced() { namespace } else { "" };
    out.found.push(Found { kind, key: ObjectKey::new(namespace, name), value, at, refused });
}
