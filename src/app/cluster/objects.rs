//! Pages of a cluster as objects: by the reader of manifests, so that all that is said of a
//! file's objects is said of these too, with the object in place of the line.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::kinds::Read;
use crate::diagnostic::{Diagnostic, Place, counted};
use crate::kube::{Kind, Name, Object, ObjectKey, Origin, controlling};
use crate::manifest::{self, FieldValidation, Input, Options};

/// So many fields that are not known are named.
const SHOWN: usize = 5;

#[derive(Deserialize)]
struct Items<'p> {
    #[serde(borrow, default)]
    items: Option<Vec<&'p RawValue>>,
}

/// The fields of an object, each as it came.
type Fields<'o> = BTreeMap<Cow<'o, str>, &'o RawValue>;

/// What is to be said of objects that were read, though they can be used.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Fields that are not known, each with how many objects have it and the place of one.
    unknown: BTreeMap<String, (usize, Option<Place>)>,
    others: Vec<Diagnostic>,
}

/// The objects of a page, but for pods that `pod` takes as they came.
///
/// # Errors
/// When one of them is none that can be read: it is not left out, as nobody would know of it.
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
        let rest: Vec<&RawValue> = items.into_iter().filter(|item| !pod(item.get())).collect();
        return pods(&rest, cluster);
    }
    let inputs: Vec<Input> = items.iter().map(|item| input(read, item.get(), cluster)).collect();
    let options = Options { validate: FieldValidation::Warn, ..Options::default() };
    let mut reading = manifest::read(&inputs, &options);
    for found in &mut reading.diagnostics {
        // The line of a page is no place that anybody could look at.
        found.place = found.place.take().map(|place| Place::file(place.file));
        found.related.clear();
    }
    if reading.has_errors() {
        reading.diagnostics.retain(Diagnostic::is_error);
        return Err(reading.diagnostics);
    }
    heard.add(reading.diagnostics);
    let mut objects = reading.objects;
    objects.retain(|object| {
        // Other controllers keep revisions too.
        object.kind != Kind::ControllerRevision
            || controlling(&object.value).is_none_or(|owner| owner["kind"] == "DaemonSet")
    });
    Ok(objects)
}

/// Pods as they are: there are very many, and what runs in a cluster is not to be found fault
/// with. One without a name is none.
fn pods(items: &[&RawValue], cluster: &str) -> Result<Vec<Object>, Vec<Diagnostic>> {
    let mut objects = Vec::with_capacity(items.len());
    let file: Name = format!("cluster {cluster}: pods").into();
    for item in items {
        let mut value: Value = serde_json::from_str(item.get()).unwrap_or_default();
        let meta = value.get_mut("metadata").and_then(Value::as_object_mut);
        let text = |meta: &Map<String, Value>, name| meta.get(name).and_then(Value::as_str).map(Name::from);
        let key = meta.and_then(|meta| {
            meta.remove("managedFields");
            Some(ObjectKey { namespace: text(meta, "namespace")?, name: text(meta, "name")? })
        });
        let Some(key) = key else {
            let wrong = Diagnostic::error(
                "bad-answer",
                format!("the cluster `{cluster}` sends a pod without a name"),
            );
            return Err(vec![wrong.at(Place::file(file))]);
        };
        if let Some(fields) = value.as_object_mut() {
            fields.insert("apiVersion".to_owned(), "v1".into());
            fields.insert("kind".to_owned(), "Pod".into());
        }
        let origin = Origin { file: file.clone(), document: 0, path: String::new() };
        objects.push(Object { kind: Kind::Pod, key, value, origin });
    }
    Ok(objects)
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
            if one.code == "unknown-field" {
                let entry = self.unknown.entry(one.message).or_insert((0, one.place));
                entry.0 += 1;
            } else {
                self.others.push(one);
            }
        }
    }

    /// All of it: what is not known in one warning, as an API server that is newer than this
    /// program has it in every object.
    pub(super) fn told(self) -> Vec<Diagnostic> {
        let mut told = self.others;
        if !self.unknown.is_empty() {
            let warning = Diagnostic::warning(
                "newer-schema",
                "the cluster has fields that this version of dsrules does not know: nothing is decided by them",
            );
            let fields = self.unknown.iter().take(SHOWN);
            let warning = fields.fold(warning, |warning, (message, (count, place))| {
                let first = place.as_ref().map(|place| format!(", first {}", place.file)).unwrap_or_default();
                warning.because(format!("{message}: in {}{first}", counted(count, "object")))
            });
            told.push(match self.unknown.len().saturating_sub(SHOWN) {
                0 => warning,
                more => warning.because(format!("and {} more", counted(more, "field"))),
            });
        }
        told
    }
}
