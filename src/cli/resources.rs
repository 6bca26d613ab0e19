//! `TYPE`, `TYPE NAME...`, `TYPE/NAME...`, `TYPE,TYPE`: which objects a person means.

use dsrules::diagnostic::{Diagnostic, nearest};
use dsrules::model::{Kind, ObjectKey};
use dsrules::store::Store;

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

/// The words for kinds, for a hint.
const WORDS: [&str; 6] = ["nodes", "daemonsets", "pods", "controllerrevisions", "namespaces", "events"];

/// What kubectl's users mean by `words`.
pub fn wanted(words: &[String]) -> Result<Wanted, Diagnostic> {
    let Some((first, names)) = words.split_first() else {
        return Err(Diagnostic::error("no-resource", "no kind was named")
            .help(format!("name one of {}, or `all`", WORDS.map(|word| format!("`{word}`")).join(", "))));
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

/// The resource that `word` names.
pub fn resource(word: &str) -> Result<Resource, Diagnostic> {
    if let Some(kind) = Kind::from_resource(word) {
        return Ok(Resource::Kind(kind));
    }
    if matches!(word.to_ascii_lowercase().as_str(), "event" | "events" | "ev" | "events.events.k8s.io") {
        return Ok(Resource::Event);
    }
    let error =
        Diagnostic::error("unknown-resource", format!("the server doesn't have a resource type `{word}`"));
    Err(match nearest(word, WORDS) {
        Some(meant) => error.help(format!("did you mean `{meant}`?")),
        None => error.help(format!("there are {}", WORDS.map(|word| format!("`{word}`")).join(", "))),
    })
}

/// kubectl's words for an object that is not there: `pods "a" not found`.
pub fn not_found(kind: Kind, name: &str) -> Diagnostic {
    let (plural, group) = match kind.resource().split_once('.') {
        Some((singular, group)) => (format!("{singular}s"), format!(".{group}")),
        None => (format!("{}s", kind.resource()), String::new()),
    };
    Diagnostic::error("not-found", format!("{plural}{group} \"{name}\" not found"))
}

/// [`not_found`], with where it is instead, or what has nearly that name.
pub fn missing(kind: Kind, key: &ObjectKey, store: &Store) -> Result<Diagnostic, Diagnostic> {
    let (mut elsewhere, mut names) = (Vec::new(), Vec::new());
    store.objects(kind, None, &mut |other, _| {
        if other.name == key.name {
            elsewhere.push(other.namespace.to_string());
        } else if other.namespace == key.namespace {
            names.push(other.name.to_string());
        }
        Ok(())
    })?;
    let error = not_found(kind, &key.name);
    Ok(match (elsewhere.as_slice(), nearest(&key.name, names.iter().map(String::as_str))) {
        ([namespace], _) => error.help(format!("it is in another namespace: `-n {namespace}`")),
        ([_, ..], _) => error.help(format!("it is in other namespaces: {}", elsewhere.join(", "))),
        (_, Some(meant)) => error.help(format!("did you mean `{meant}`?")),
        _ => error.help(format!("`dsrules get {}s` shows what there is", kind.name().to_lowercase())),
    })
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
    fn a_missing_object_reads_as_kubectl_says_it() {
        assert_eq!(not_found(Kind::DaemonSet, "a").message, "daemonsets.apps \"a\" not found");
        assert_eq!(not_found(Kind::Pod, "a").message, "pods \"a\" not found");
    }
}
