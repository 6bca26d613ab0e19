//! Pages of a cluster as objects: by the reader of manifests, so that all that is said of a
//! file's objects is said of these too, with the object in place of the line.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::kinds::Read;
use crate::diagnostic::{Diagnostic, Place, counted};
use crate::kube::{Kind, Object, controlling};
use crate::manifest::{self, FieldValidation, Input, Options};

/// So many fields that are not known are named.
const SHOWN: usize = 5;

#[derive(Deserialize)]
struct Items<'p> {
    #[serde(borrow, default)]
    items: Option<Vec<&'p RawValue>>,
}

/// What has to be known of an object to say which one it is.
#[derive(Deserialize)]
struct Head<'o> {
    #[serde(borrow, default)]
    kind: Option<Cow<'o, str>>,
    #[serde(borrow, default)]
    metadata: Named<'o>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Named<'o> {
    #[serde(borrow)]
    name: Cow<'o, str>,
    #[serde(borrow)]
    namespace: Cow<'o, str>,
}

/// What is to be said of objects that were read, though they can be used.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Fields that are not known, each with how many objects have it and the place of one.
    unknown: BTreeMap<String, (usize, Option<Place>)>,
    others: Vec<Diagnostic>,
}

/// The objects of a page.
///
/// # Errors
/// When one of them is none that can be read: it is not left out, as nobody would know of it.
pub(super) fn objects(
    read: &Read,
    text: &[u8],
    cluster: &str,
    heard: &mut Heard,
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
    objects.retain_mut(|object| {
        if let Some(meta) = object.value.get_mut("metadata").and_then(Value::as_object_mut) {
            meta.remove("managedFields");
        }
        // Other controllers keep revisions too.
        object.kind != Kind::ControllerRevision
            || controlling(&object.value).is_none_or(|owner| owner["kind"] == "DaemonSet")
    });
    Ok(objects)
}

/// An object as the reader takes it: in a list of its kind it does not say what it is.
fn input(read: &Read, item: &str, cluster: &str) -> Input {
    let head: Option<Head<'_>> = serde_json::from_str(item).ok();
    let (kind, metadata) = head.map_or((None, Named::default()), |head| (head.kind, head.metadata));
    let space = if metadata.namespace.is_empty() { "" } else { "/" };
    let what = read.kind.to_ascii_lowercase();
    let name = format!("cluster {cluster}: {what} {}{space}{}", metadata.namespace, metadata.name);
    let fields = item.trim_start().strip_prefix('{').filter(|_| kind.is_none());
    let text = match fields {
        Some(fields) => {
            let comma = if fields.trim_start().starts_with('}') { "" } else { "," };
            format!("{{\"apiVersion\":\"{}\",\"kind\":\"{}\"{comma}{fields}", read.api_version(), read.kind)
        }
        None => item.to_owned(),
    };
    Input::Text { name: name.into(), bytes: Arc::new(text.into_bytes()) }
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
