//! Pages of a cluster as objects: by the reader of manifests, so that all that is said of a
//! file's objects is said of these too, with the object in place of the line.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::kinds::Read;
use crate::diagnostic::{Diagnostic, Place, counted};
use crate::kube::{Kind, Name, Object, ObjectKey, Origin, controlling};
use crate::manifest::{self, FieldValidation, Input, Options};

/// So many things of a sort are named.
const SHOWN: usize = 5;

#[derive(Deserialize)]
struct Items<'p> {
    #[serde(borrow, default)]
    items: Option<Vec<&'p RawValue>>,
}

/// The fields of an object, each as it came.
type Fields<'o> = BTreeMap<Cow<'o, str>, &'o RawValue>;

/// What is said of objects, each with how many have it and the place of one.
type Said = BTreeMap<String, (usize, Option<Place>)>;

/// What is to be said of objects that were read, though they can be used.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Fields that are not known.
    unknown: Said,
    /// What would be refused of a manifest.
    refused: Said,
    /// What else is to be said, with how many objects it is said of.
    others: BTreeMap<String, (Diagnostic, usize)>,
}

/// The objects of a page, but for pods that `pod` takes as they came.
///
/// # Errors
/// When one of them has no name: it is not left out, as nobody would know of it.
pub(super) fn objects(
    read: &Read,
    text: &[u8],
    cluster: &str,
    heard: &mut Heard,
    pod: &mut dyn FnMut(&str) -> bool,
) -> Result<Vec<Object>, Vec<Diagnostic>> {
    let broken = |error: serde_json::Error| {
        Diagnostic::error(
            "bad-answer",
            format!("the cluster `{cluster}` sends {} that cannot be read", read.plural),
        )
        .because(error.to_string())
    };
    let items: Items<'_> = serde_json::from_slice(text).map_err(broken)?;
    let items = items.items.unwrap_or_default();
    if items.is_empty() {
        return Ok(Vec::new());
    }
    if read.kind == "Pod" {
        // There are very many, and what runs in a cluster is not to be found fault with.
        let rest = items.into_iter().filter(|item| !pod(item.get()));
        return rest.map(|item| plain(read, item.get(), cluster).map_err(|error| vec![error])).collect();
    }
    let inputs: Vec<Input> = items.iter().map(|item| input(read, item.get(), cluster)).collect();
    let options = Options { validate: FieldValidation::Warn, ..Options::default() };
    let mut reading = manifest::read(&inputs, &options);
    for found in &mut reading.diagnostics {
        // The line of a page is no place that anybody could look at.
        found.place = found.place.take().map(|place| Place::file(place.file));
        found.related.clear();
    }
    let mut objects = reading.objects;
    // An older server let it in, or a newer one: the cluster lives with it, and so can a plan.
    let odd: BTreeSet<&Name> = reading.files.iter().filter(|it| !it.complete).map(|it| &it.path).collect();
    for (item, input) in items.iter().zip(&inputs) {
        if matches!(input, Input::Text { name, .. } if odd.contains(name)) {
            objects.push(plain(read, item.get(), cluster).map_err(|error| vec![error])?);
        }
    }
    heard.add(reading.diagnostics);
    objects.retain(|object| {
        // Other controllers keep revisions too.
        object.kind != Kind::ControllerRevision
            || controlling(&object.value).is_none_or(|owner| owner["kind"] == "DaemonSet")
    });
    Ok(objects)
}

/// What has fields in every object that has it.
const MAPPINGS: [&str; 14] = [
    "/metadata/labels",
    "/metadata/annotations",
    "/spec",
    "/spec/selector",
    "/spec/template",
    "/spec/template/metadata",
    "/spec/template/metadata/labels",
    "/spec/template/metadata/annotations",
    "/spec/template/spec",
    "/status",
    "/data",
    "/data/spec",
    "/data/spec/template",
    "/data/spec/template/spec",
];

/// Leaves out what has no fields where there must be some.
pub(super) fn leave_out(value: &mut Value) {
    for way in MAPPINGS {
        let (above, name) = way.rsplit_once('/').unwrap_or_default();
        let above = value.pointer_mut(above).and_then(Value::as_object_mut);
        if let Some(above) = above.filter(|above| above.get(name).is_some_and(|it| !it.is_object())) {
            above.remove(name);
        }
    }
}

/// An object as it came, whatever stands in its fields. One without a name is none.
fn plain(read: &Read, item: &str, cluster: &str) -> Result<Object, Diagnostic> {
    let mut value: Value = serde_json::from_str(item).unwrap_or_default();
    let file: Name = format!("cluster {cluster}: {}", read.plural).into();
    let kind = Kind::from_name(read.kind).or_else(|| Kind::other(&read.api_version(), read.kind));
    let meta = value.get_mut("metadata").and_then(Value::as_object_mut);
    let text = |meta: &Map<String, Value>, name| meta.get(name).and_then(Value::as_str).map(Name::from);
    let key = meta.and_then(|meta| {
        meta.remove("managedFields");
        let namespace = text(meta, "namespace").unwrap_or_default();
        Some(ObjectKey { namespace, name: text(meta, "name").filter(|name| !name.is_empty())? })
    });
    let is_whole =
        |kind: Kind, key: &ObjectKey| kind.is_other() || kind.namespaced() != key.namespace.is_empty();
    let Some((kind, key)) = kind.zip(key).filter(|(kind, key)| is_whole(*kind, key)) else {
        let what = read.kind.to_ascii_lowercase();
        return Err(Diagnostic::error(
            "bad-answer",
            format!("the cluster `{cluster}` sends a {what} without a name"),
        )
        .at(Place::file(file)));
    };
    leave_out(&mut value);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("apiVersion".to_owned(), read.api_version().into());
        fields.insert("kind".to_owned(), read.kind.into());
    }
    Ok(Object { kind, key, value, origin: Origin { file, document: 0, path: String::new() } })
}

/// An object as the reader takes it: in a list of its kind it does not say what it is. Who set
/// which field is most of its text, and decides nothing.
fn input(read: &Read, item: &str, cluster: &str) -> Input {
    let object: Fields<'_> = serde_json::from_str(item).unwrap_or_default();
    let meta = object.get("metadata").map(|meta| meta.get());
    let meta: Fields<'_> = meta.and_then(|meta| serde_json::from_str(meta).ok()).unwrap_or_default();
    let text = |name: &str| meta.get(name).and_then(|it| serde_json::from_str(it.get()).ok());
    let (namespace, name): (Option<String>, Option<String>) = (text("namespace"), text("name"));
    let (namespace, name) = (namespace.unwrap_or_default(), name.unwrap_or_default());
    let space = if namespace.is_empty() { "" } else { "/" };
    let what = read.kind.to_ascii_lowercase();
    let place = format!("cluster {cluster}: {what} {namespace}{space}{name}");
    let text = if object.is_empty() { item.to_owned() } else { whole(read, &object, &meta) };
    Input::Text { name: place.into(), bytes: Arc::new(text.into_bytes()) }
}

/// The text of an object that says what it is, and not who set which field.
fn whole(read: &Read, object: &Fields<'_>, meta: &Fields<'_>) -> String {
    let mut text = String::with_capacity(object.values().map(|it| it.get().len() + 20).sum());
    text.push('{');
    if !object.contains_key("kind") {
        let _ = write!(text, "\"apiVersion\":\"{}\",\"kind\":\"{}\",", read.api_version(), read.kind);
    }
    for (name, value) in object {
        if name == "metadata" && !meta.is_empty() {
            text.push_str("\"metadata\":{");
            for (name, value) in meta.iter().filter(|(name, _)| *name != "managedFields") {
                let _ = write!(text, "{}:{},", Value::from(&**name), value.get());
            }
            text.truncate(text.trim_end_matches(',').len());
            text.push_str("},");
        } else {
            let _ = write!(text, "{}:{},", Value::from(&**name), value.get());
        }
    }
    text.truncate(text.trim_end_matches(',').len());
    text.push('}');
    text
}

impl Heard {
    fn add(&mut self, found: Vec<Diagnostic>) {
        for one in found {
            let said = match one.code {
                "unknown-field" => &mut self.unknown,
                _ if one.is_error() => &mut self.refused,
                _ => {
                    self.others.entry(one.message.clone()).or_insert((one, 0)).1 += 1;
                    continue;
                }
            };
            said.entry(one.message).or_insert((0, one.place)).0 += 1;
        }
    }

    /// All of it, each in one warning, as what is so of one object is so of very many: an API
    /// server that is newer than this program has more fields in each.
    pub(super) fn told(self) -> Vec<Diagnostic> {
        let refused = Diagnostic::warning(
            "odd-object",
            "the cluster has objects that an API server would not take today: they are taken as they are",
        );
        let unknown = Diagnostic::warning(
            "newer-schema",
            "the cluster has fields that this version of dsrules does not know: nothing is decided by them",
        );
        let of_more = |(found, count): (Diagnostic, usize)| match count {
            1 => found,
            more => found.because(format!("so it is in {}", counted(more, "object"))),
        };
        let mut told: Vec<Diagnostic> = self.others.into_values().map(of_more).collect();
        told.extend(because(refused, self.refused, "more things that are wrong"));
        told.extend(because(unknown, self.unknown, "more fields"));
        told
    }
}

/// A warning with the first of what is said; none where there is nothing.
fn because(warning: Diagnostic, said: Said, more: &str) -> Option<Diagnostic> {
    let rest = said.len().saturating_sub(SHOWN);
    let note = |(message, (count, place)): (String, (usize, Option<Place>))| {
        let first = place.map(|place| format!(", first {}", place.file)).unwrap_or_default();
        format!("{message}: in {}{first}", counted(count, "object"))
    };
    (!said.is_empty()).then(|| {
        let warning = said.into_iter().take(SHOWN).map(note).fold(warning, Diagnostic::because);
        if rest == 0 { warning } else { warning.because(format!("and {rest} {more}")) }
    })
}
