//! Get and list: by name, by selectors, in pages, as of a version.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::engine::Engine;
use super::entry::Entry;
use super::fields::Fields;
use super::refused::{Cause, Reason, Refused};
use super::replica::Objects;
use super::resource::RESOURCES;
use crate::app::selector::LabelSelector;
use crate::kube::ObjectKey;

/// Which objects of a resource are meant.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// The resource's place.
    pub resource: usize,
    /// The namespace; empty for all, and where there is none.
    pub namespace: String,
    /// By labels.
    pub labels: LabelSelector,
    /// By fields.
    pub fields: Fields,
}

impl Chosen {
    /// Whether an object is meant.
    #[must_use]
    pub fn has(&self, key: &ObjectKey, entry: &Entry) -> bool {
        (self.namespace.is_empty() || *self.namespace == *key.namespace)
            && self.labels.fits(|label| entry.labels.get(label).map(|value| &**value))
            && self.fields.fit(key, entry)
    }
}

/// How a resourceVersion of a list is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// At least as new.
    NotOlderThan,
    /// That and no other.
    Exact,
}

/// How much of a list is wanted, and of when.
#[derive(Debug, Clone, Default)]
pub struct Paging {
    /// So many objects at most; 0 for all.
    pub limit: usize,
    /// Where the page before ended.
    pub resume: String,
    /// The version, as it was asked for.
    pub version: Option<(u64, Option<Match>)>,
}

/// A list, or a page of one.
#[derive(Debug)]
pub struct Listed {
    /// The version that the list is of.
    pub version: u64,
    /// The objects in key order.
    pub items: Vec<Arc<Entry>>,
    /// Where the next page begins; empty on the last one.
    pub resume: String,
    /// How many objects are on the pages after it, where that is known.
    pub remaining: Option<usize>,
}

impl Engine {
    /// One object.
    ///
    /// # Errors
    /// When there is none.
    pub fn get(&mut self, resource: usize, key: &ObjectKey) -> Result<Arc<Entry>, Refused> {
        self.wants(resource)?;
        let found = self.replica().get(resource, key).cloned();
        found.ok_or_else(|| Refused::not_found(&RESOURCES[resource], &key.name))
    }

    /// The objects that are meant.
    ///
    /// # Errors
    /// When a version is asked for that is no longer known or not yet there.
    pub fn list(&mut self, chosen: &Chosen, paging: &Paging) -> Result<Listed, Refused> {
        self.wants(chosen.resource)?;
        let Start { as_of, was, after, rest: counted } = self.begin(chosen.resource, paging)?;
        let mut rest = merged(self.replica().objects(chosen.resource), &was, chosen, after.as_ref());
        let mut items = Vec::new();
        let (mut last, mut more) = (None, None);
        for (key, entry) in rest.by_ref().filter(|(key, entry)| chosen.has(key, entry)) {
            if paging.limit > 0 && items.len() >= paging.limit {
                more = last.take();
                break;
            }
            last = Some(key.clone());
            items.push(entry.clone());
        }
        let Some(end) = more else {
            return Ok(Listed { version: as_of, items, resume: String::new(), remaining: None });
        };
        let is_counted = chosen.fields.is_empty() && chosen.labels.is_empty();
        // Counted once, on the first page: each page would cost as much as all of them.
        let counted = counted.and_then(|counted| counted.checked_sub(items.len()));
        let remaining = is_counted.then(|| counted.unwrap_or_else(|| rest.count() + 1));
        Ok(Listed { version: as_of, items, resume: token(as_of, &end, remaining), remaining })
    }

    /// Of when a list is, and where it begins.
    fn begin(&self, resource: usize, paging: &Paging) -> Result<Start, Refused> {
        let newest = self.replica().version();
        let of = |as_of, after, rest| {
            let was = self.replica().otherwise(resource, as_of)?;
            Ok(Start { as_of, was, after, rest })
        };
        if !paging.resume.is_empty() {
            let (version, key, rest) = parse_token(&paging.resume)?;
            // Goes on with things as they are now, which was what the client agreed to.
            let Some(version) = version else { return of(newest, Some(key), None) };
            return of(version, Some(key.clone()), rest).map_err(|_| lost(&key));
        }
        match paging.version {
            Some((version, _)) if version > newest => Err(Refused::too_new(version, newest)),
            Some((version, Some(Match::Exact))) => of(version, None, None),
            _ => of(newest, None, None),
        }
    }
}

/// Where a list begins.
struct Start {
    /// The version that it is of.
    as_of: u64,
    /// What was otherwise then.
    was: BTreeMap<ObjectKey, Option<Arc<Entry>>>,
    /// The key that it begins after.
    after: Option<ObjectKey>,
    /// How many objects are left, where somebody has counted.
    rest: Option<usize>,
}

/// Objects in key order as they were, behind a key; of one namespace, or of all.
fn merged<'a>(
    now: &'a Objects,
    was: &'a BTreeMap<ObjectKey, Option<Arc<Entry>>>,
    chosen: &'a Chosen,
    start: Option<&ObjectKey>,
) -> impl Iterator<Item = (&'a ObjectKey, &'a Arc<Entry>)> + 'a {
    let first = match start {
        Some(key) => Bound::Excluded(key.clone()),
        None => Bound::Included(ObjectKey::new(&*chosen.namespace, "")),
    };
    let is_meant = move |key: &ObjectKey| chosen.namespace.is_empty() || *chosen.namespace == *key.namespace;
    let mut old =
        was.range((first.clone(), Bound::Unbounded)).take_while(move |(key, _)| is_meant(key)).peekable();
    let mut new = now
        .range((first, Bound::Unbounded))
        .take_while(move |(key, _)| is_meant(key))
        .filter(|(key, _)| !was.contains_key(*key))
        .peekable();
    std::iter::from_fn(move || {
        loop {
            let from_old = match (old.peek(), new.peek()) {
                (Some((old, _)), Some((new, _))) => old < new,
                (old, _) => old.is_some(),
            };
            if !from_old {
                return new.next();
            }
            if let Some((key, Some(entry))) = old.next() {
                return Some((key, entry));
            }
        }
    })
}

fn token(version: u64, key: &ObjectKey, rest: Option<usize>) -> String {
    let rest = rest.map_or_else(String::new, |rest| format!(":{rest}"));
    format!("{version}:{}:{}{rest}", key.namespace, key.name)
}

fn parse_token(text: &str) -> Result<(Option<u64>, ObjectKey, Option<usize>), Refused> {
    let wrong = || Refused::new(Reason::BadRequest, format!("continue key is not valid: {text}"));
    let parts: Vec<&str> = text.split(':').collect();
    let (version, namespace, name, rest) = match parts.as_slice() {
        [version, namespace, name] => (*version, *namespace, *name, None),
        [version, namespace, name, rest] => {
            (*version, *namespace, *name, Some(rest.parse().map_err(|_| wrong())?))
        }
        _ => return Err(wrong()),
    };
    let version = match version {
        "-1" => None,
        number => Some(number.parse().map_err(|_| wrong())?),
    };
    Ok((version, ObjectKey::new(namespace, name), rest))
}

/// A list that cannot be gone on with as it began.
fn lost(key: &ObjectKey) -> Refused {
    let message = "The provided continue parameter is too old to display a consistent list result. You can \
        start a new list without the continue parameter, or use the continue token in this response to \
        retrieve the remainder of the results. Continuing with the provided token results in an inconsistent \
        list - objects that were created, modified, or deleted between the time the first chunk was returned \
        and now may show up in the list.";
    Refused {
        resume: Some(format!("-1:{}:{}", key.namespace, key.name)),
        ..Refused::new(Reason::Expired, message)
    }
}

impl Paging {
    /// Reads what a list was asked with.
    ///
    /// # Errors
    /// When that is no number, or does not go together.
    pub fn parse(limit: &str, resume: &str, version: &str, how: &str) -> Result<Paging, Refused> {
        let limit = match limit {
            "" => 0,
            text => text.parse().map_err(|_| {
                let message = format!("strconv.ParseInt: parsing {text:?}: invalid syntax");
                Refused::new(Reason::BadRequest, message)
            })?,
        };
        let how = match how {
            "" => None,
            "Exact" => Some(Match::Exact),
            "NotOlderThan" => Some(Match::NotOlderThan),
            other => {
                let allowed = "supported values: \"Exact\", \"NotOlderThan\", \"\"";
                let what = format!("Unsupported value: \"{other}\": {allowed}");
                return Err(options("resourceVersionMatch", &what, "FieldValueNotSupported"));
            }
        };
        let forbidden = |why: &str| {
            Err(options("resourceVersionMatch", &format!("Forbidden: {why}"), "FieldValueForbidden"))
        };
        let version = parse_version(version)?;
        match (how, &version) {
            (Some(_), _) if !resume.is_empty() => {
                return forbidden("resourceVersionMatch is forbidden when continue is provided");
            }
            (Some(_), None) => {
                return forbidden("resourceVersionMatch is forbidden unless resourceVersion is provided");
            }
            (Some(Match::Exact), Some(0)) => {
                return forbidden("resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
            }
            _ => {}
        }
        if !resume.is_empty() && version.is_some_and(|version| version > 0) {
            let message = "specifying resource version is not allowed when using continue";
            return Err(Refused::new(Reason::BadRequest, message));
        }
        // A list in pages that names a version without a word on it means that one.
        let how =
            if limit > 0 && version.is_some_and(|it| it > 0) { how.or(Some(Match::Exact)) } else { how };
        Ok(Paging { limit, resume: resume.to_owned(), version: version.map(|version| (version, how)) })
    }
}

/// Where a watch begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// With what changed after this version.
    After(u64),
    /// With all that there is.
    All,
    /// With all that there is, at this version or a later one, and a word on where that ends.
    List(u64),
    /// With what changes from now on.
    Now,
}

impl Begin {
    /// Reads what a watch was asked with.
    ///
    /// # Errors
    /// When the version is no number, or it does not go together.
    pub fn parse(version: &str, how: &str, initial: Option<bool>) -> Result<Begin, Refused> {
        let version = parse_version(version)?.filter(|version| *version > 0);
        let wrong = |what: &str| {
            Err(options("resourceVersionMatch", &format!("Forbidden: {what}"), "FieldValueForbidden"))
        };
        match (initial, how) {
            (Some(_), "NotOlderThan") | (None, "") => {}
            (Some(_), _) => {
                return wrong("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
            }
            (None, _) => {
                return wrong(
                    "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
                );
            }
        }
        Ok(match (initial, version) {
            (Some(true), version) => Begin::List(version.unwrap_or(0)),
            (_, Some(version)) => Begin::After(version),
            (Some(false), None) => Begin::Now,
            (None, None) => Begin::All,
        })
    }
}

/// A resourceVersion, where one was named.
///
/// # Errors
/// When it is no number.
pub fn parse_version(text: &str) -> Result<Option<u64>, Refused> {
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = || {
        let message = format!(
            "resourceVersion: Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": invalid syntax"
        );
        Refused::new(Reason::BadRequest, message)
    };
    text.parse().map(Some).map_err(|_| wrong())
}

/// An option of a list that is wrong.
fn options(field: &str, what: &str, reason: &'static str) -> Refused {
    let message = format!("ListOptions.meta.k8s.io \"\" is invalid: {field}: {what}");
    Refused {
        about: Some((String::new(), "meta.k8s.io", "ListOptions")),
        causes: vec![Cause { reason, message: what.to_owned(), field: field.to_owned() }],
        ..Refused::new(Reason::Invalid, message)
    }
}
