//! `TYPE`, `TYPE NAME...`, `TYPE/NAME...`, `TYPE,TYPE`: which objects a person means.

use super::open::Database;
use crate::diagnostic::{Diagnostic, nearest};
use crate::kube::{Kind, ObjectKey};
use crate::target::Memory;

/// A kind of thing that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// Objects of a kind.
    Kind(Kind),
    /// Events, which are no objects of a manifest.
    Event,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// All objects of these kinds.
    All(Vec<Resource>),
    /// Objects by name.
    Named(Vec<(Resource, String)>),
}

/// The kinds that people ask for most, first in a hint.
const FIRST: [Kind; 3] = [Kind::Node, Kind::DaemonSet, Kind::Pod];

/// The words for kinds, for a hint.
fn words() -> Vec<&'static str> {
    let mut kinds = Kind::ALL;
    let rank = |kind: &Kind| FIRST.iter().position(|first| first == kind).unwrap_or(FIRST.len());
    kinds.sort_by_key(|kind| (rank(kind), kind.info().plural));
    kinds.into_iter().map(|kind| kind.info().plural).chain(["events"]).collect()
}

/// The words, as a hint lists them.
fn listed() -> String {
    words().iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// What kubectl's users mean by `words`.
///
/// # Errors
/// When they name no kind.
pub fn wanted(words: &[String]) -> Result<Wanted, Diagnostic> {
    let Some((first, names)) = words.split_first() else {
        return Err(Diagnostic::error("no-resource", "no kind was named")
            .help(format!("name one of {}, or `all`", listed())));
    };
    if words.iter().any(|word| word.contains('/')) {
        return words.iter().map(|word| slashed(word)).collect::<Result<_, _>>().map(Wanted::Named);
    }
    if first == "all" && names.is_empty() {
        return Ok(Wanted::All(vec![Resource::Kind(Kind::Pod), Resource::Kind(Kind::DaemonSet)]));
    }
    let mut kinds = first.split(',').map(resource).collect::<Result<Vec<_>, _>>()?;
    if names.is_empty() {
        kinds.dedup();
        return Ok(Wanted::All(kinds));
    }
    Ok(Wanted::Named(kinds.iter().flat_map(|kind| names.iter().map(|name| (*kind, name.clone()))).collect()))
}

/// The same, where the store may have kinds that are not managed.
///
/// # Errors
/// When they name no kind, managed or of an object that there is.
pub fn wanted_of(words: &[String], database: &Database) -> Result<Wanted, Diagnostic> {
    let known = wanted(words);
    if known.as_ref().is_err_and(|error| error.code == "unknown-resource") {
        // A kind is known by its words once it is met. Without a store there is none.
        let met = database.read().and_then(|store| store.kinds());
        return if met.is_ok() { wanted(words) } else { known };
    }
    known
}

fn slashed(word: &str) -> Result<(Resource, String), Diagnostic> {
    match word.split_once('/') {
        Some((kind, name)) if !name.is_empty() && !name.contains('/') => {
            Ok((resource(kind)?, name.to_owned()))
        }
        Some(_) => Err(Diagnostic::error("bad-name", format!("`{word}` is not TYPE/NAME"))
            .help("write it as `daemonset/NAME`; a namespace is named with `-n`")),
        None => Err(Diagnostic::error("mixed-names", format!("`{word}` stands among TYPE/NAME arguments"))
            .help(format!("write it as `TYPE/{word}`, or name one type and then names: `TYPE NAME NAME`"))),
    }
}

/// The key of an object of a kind, in a namespace if it has one.
pub(super) fn key_of(kind: Kind, namespace: &str, name: &str) -> ObjectKey {
    ObjectKey::new(if kind.namespaced() { namespace } else { "" }, name)
}

/// The resource that `word` names.
fn resource(word: &str) -> Result<Resource, Diagnostic> {
    if let Some(kind) = Kind::from_resource(word) {
        return Ok(Resource::Kind(kind));
    }
    if matches!(word.to_ascii_lowercase().as_str(), "event" | "events" | "ev" | "events.events.k8s.io") {
        return Ok(Resource::Event);
    }
    let error =
        Diagnostic::error("unknown-resource", format!("the server doesn't have a resource type `{word}`"));
    Err(match nearest(word, words()) {
        Some(meant) => error.help(format!("did you mean `{meant}`?")),
        None => error.help(format!("there are {}", listed())),
    })
}

/// kubectl's words for an object that is not there: `pods "a" not found`.
pub(super) fn not_found(kind: Kind, name: &str) -> Diagnostic {
    let dot = if kind.info().group().is_empty() { "" } else { "." };
    let (plural, group) = (kind.info().plural, kind.info().group());
    Diagnostic::error("not-found", format!("{plural}{dot}{group} \"{name}\" not found"))
}

/// [`not_found`], with where it is instead, or what has nearly that name.
pub(super) fn missing(kind: Kind, key: &ObjectKey, store: &dyn Memory) -> Result<Diagnostic, Diagnostic> {
    let keys = store.keys(kind)?;
    let error = not_found(kind, &key.name);
    let kinds = kind.info().plural;
    Ok(error.help(match meant(key, keys.iter()) {
        Some(meant) => meant,
        None if Kind::from_resource(&key.name).is_some() => {
            format!("to name two types, write them as one word: `{kinds},{}`", key.name)
        }
        None if keys.is_empty() => format!("there are no {kinds} at all"),
        None if !kind.namespaced() => format!("`dsrules get {kinds}` shows what there is"),
        None if keys.iter().any(|other| other.namespace == key.namespace) => {
            let of =
                if &*key.namespace == "default" { String::new() } else { format!(" -n {}", key.namespace) };
            format!("`dsrules get {kinds}{of}` shows what there is")
        }
        None => format!("`dsrules get {kinds} -A` shows what there is"),
    }))
}

/// What a person means by a name that nothing has: where it is, or what is called nearly so.
pub(super) fn meant<'k>(key: &ObjectKey, keys: impl Iterator<Item = &'k ObjectKey>) -> Option<String> {
    let (here, elsewhere): (Vec<&ObjectKey>, Vec<&ObjectKey>) =
        keys.partition(|other| other.namespace == key.namespace);
    let same: Vec<&str> =
        elsewhere.iter().filter(|other| other.name == key.name).map(|other| &*other.namespace).collect();
    if let [namespace] = same.as_slice() {
        return Some(format!("it is in another namespace: `-n {namespace}`"));
    }
    if !same.is_empty() {
        return Some(format!("it is in other namespaces: {}", same.join(", ")));
    }
    if let Some(name) = alike(&key.name, &here) {
        return Some(format!("did you mean `{name}`?"));
    }
    let name = alike(&key.name, &elsewhere)?;
    let other = elsewhere.iter().find(|other| &*other.name == name)?;
    Some(format!("did you mean `{name}`, in another namespace: `-n {}`?", other.namespace))
}

/// So many letters of a name say which one is meant.
const SHORTEST: usize = 3;

/// The name that is nearest, or else the only one that begins so.
fn alike<'k>(name: &str, keys: &[&'k ObjectKey]) -> Option<&'k str> {
    let names = || keys.iter().map(|key| &*key.name);
    let mut longer = names().filter(|other| name.len() >= SHORTEST && other.starts_with(name));
    nearest(name, names()).or_else(|| longer.next().filter(|_| longer.next().is_none()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(ToOwned::to_owned).collect()
    }

    #[test]
    fn kubectls_ways_to_name_things_are_understood() {
        use Resource::{Event, Kind as Of};
        let named = |all: &[(Resource, &str)]| {
            Wanted::Named(all.iter().map(|(kind, name)| (*kind, (*name).to_owned())).collect())
        };
        let cases = [
            ("po", Wanted::All(vec![Of(Kind::Pod)])),
            ("nodes,ds,ev", Wanted::All(vec![Of(Kind::Node), Of(Kind::DaemonSet), Event])),
            ("ds a b", named(&[(Of(Kind::DaemonSet), "a"), (Of(Kind::DaemonSet), "b")])),
            ("daemonset.apps/a no/b", named(&[(Of(Kind::DaemonSet), "a"), (Of(Kind::Node), "b")])),
            ("all", Wanted::All(vec![Of(Kind::Pod), Of(Kind::DaemonSet)])),
        ];
        for (line, expected) in cases {
            assert_eq!(wanted(&words(line)).unwrap(), expected, "{line}");
        }
    }

    #[test]
    fn what_is_not_understood_says_a_way_out() {
        let cases = [
            ("", "no kind was named"),
            ("dameonsets", "did you mean `daemonsets`?"),
            ("pods/a/b", "is not TYPE/NAME"),
            ("pods/", "is not TYPE/NAME"),
            ("pods/a b", "write it as `TYPE/b`"),
        ];
        for (line, expected) in cases {
            let told = wanted(&words(line)).unwrap_err().to_string();
            assert!(told.contains(expected), "{line}: {told}");
        }
    }

    #[test]
    fn what_is_meant_is_near_or_begins_so_or_is_elsewhere() {
        let keys = [
            ("a", "fluentd-elasticsearch"),
            ("a", "node-exporter"),
            ("b", "agent-of-b-1"),
            ("b", "agent-of-b-2"),
            ("c", "x"),
            ("d", "x"),
        ]
        .map(|(namespace, name)| ObjectKey::new(namespace, name));
        for (namespace, name, expected) in [
            ("a", "node-exporte", Some("did you mean `node-exporter`?")),
            ("a", "fluentd", Some("did you mean `fluentd-elasticsearch`?")),
            ("b", "fluentd", Some("did you mean `fluentd-elasticsearch`, in another namespace: `-n a`?")),
            ("b", "node-exporter", Some("it is in another namespace: `-n a`")),
            ("a", "x", Some("it is in other namespaces: c, d")),
            ("b", "agent", None),
            ("a", "no", None),
        ] {
            let meant = meant(&ObjectKey::new(namespace, name), keys.iter());
            assert_eq!(meant.as_deref(), expected, "{namespace}/{name}");
        }
    }

    #[test]
    fn a_missing_object_reads_as_kubectl_says_it() {
        assert_eq!(not_found(Kind::DaemonSet, "a").message, "daemonsets.apps \"a\" not found");
        assert_eq!(not_found(Kind::Pod, "a").message, "pods \"a\" not found");
    }
}
