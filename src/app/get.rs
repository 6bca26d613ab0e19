//! Get: what the store holds.

use std::collections::BTreeMap;
use std::io;

use serde_json::Value;

use super::fields::FieldSelector;
use super::open::Database;
use super::resources::{Resource, Wanted, key_of, missing};
use super::selector::LabelSelector;
use super::slices;
use crate::diagnostic::Diagnostic;
use crate::kube::{ENDPOINT_SLICE, Kind, Name};
use crate::target::sqlite::StoredEvent;
use crate::target::{Memory, Selected, VisitObject};

/// What is looked for.
#[derive(Debug, Clone)]
pub struct Lookup {
    /// The store.
    pub database: Database,
    /// The namespace, if not all of them.
    pub namespace: Option<String>,
    /// Only objects with these labels.
    pub selector: Option<LabelSelector>,
    /// Only objects with these fields.
    pub fields: Option<FieldSelector>,
    /// The time, in seconds of Unix time.
    pub now: i64,
}

/// What was found of one resource.
pub type Group = (Resource, Vec<Value>);

/// A store that is looked into.
pub struct Lookups {
    lookup: Lookup,
    store: Box<dyn Memory>,
}

/// Why a visit did not come to its end.
pub enum Unvisited {
    /// The store cannot be read.
    Store(Diagnostic),
    /// What was shown cannot be written.
    Output(io::Error),
}

impl Lookup {
    /// Opens the store.
    ///
    /// # Errors
    /// When it is not there, or is not sound.
    pub fn open(self) -> Result<Lookups, Diagnostic> {
        let store = self.database.read()?;
        Ok(Lookups { lookup: self, store })
    }
}

impl Lookups {
    /// All that was asked for, and what is wrong with names that nothing has.
    ///
    /// # Errors
    /// When it cannot be asked so, and when the store is not sound.
    pub fn find(&self, wanted: &Wanted) -> Result<(Vec<Group>, Vec<Diagnostic>), Diagnostic> {
        let (mut groups, problems) = match wanted {
            Wanted::All(resources) => {
                let all = |resource: &Resource| self.all(*resource).map(|objects| (*resource, objects));
                (resources.iter().map(all).collect::<Result<Vec<Group>, Diagnostic>>()?, Vec::new())
            }
            Wanted::Named(names) => self.named(names)?,
        };
        for (resource, objects) in &mut groups {
            if let Resource::Kind(kind) = resource {
                self.check(*kind)?;
            }
            objects.retain(|object| self.is_selected(object));
        }
        Ok((groups, problems))
    }

    fn named(&self, names: &[(Resource, String)]) -> Result<(Vec<Group>, Vec<Diagnostic>), Diagnostic> {
        let Some(namespace) = &self.lookup.namespace else {
            return Err(Diagnostic::error("name-in-all-namespaces", "a name was given together with `-A`")
                .help("a name is looked up in one namespace: leave `-A` away and name it with `-n`"));
        };
        let (mut groups, mut problems): (Vec<Group>, Vec<_>) = (Vec::new(), Vec::new());
        for (resource, name) in names {
            let Resource::Kind(kind) = *resource else {
                return Err(Diagnostic::error("event-name", "events have no names here")
                    .help("show them all with `dsrules get events`, or `dsrules describe daemonset NAME`"));
            };
            let key = key_of(kind, namespace, name);
            let stored = self.store.object(kind, &key)?;
            let Some(object) =
                stored.or(self.derived(kind, Some(namespace))?.into_iter().find(is_named(name)))
            else {
                problems.push(missing(kind, &key, &*self.store)?);
                continue;
            };
            match groups.last_mut() {
                Some((last, objects)) if last == resource => objects.push(object),
                _ => groups.push((*resource, vec![object])),
            }
        }
        Ok((groups, problems))
    }

    fn all(&self, resource: Resource) -> Result<Vec<Value>, Diagnostic> {
        let namespace = self.lookup.namespace.as_deref();
        match resource {
            Resource::Kind(kind) => {
                let mut objects = Vec::new();
                self.check(kind)?;
                self.visit(kind, &mut |_, object| {
                    objects.push(object);
                    Ok(())
                })?;
                objects.extend(self.derived(kind, namespace)?);
                Ok(objects)
            }
            Resource::Event => Ok(self
                .store
                .events(None)?
                .iter()
                .filter(|event| namespace.is_none_or(|namespace| *namespace == *event.about.namespace))
                .map(StoredEvent::object)
                .collect()),
        }
    }

    /// The objects of a kind that are stored nowhere, as they are derived.
    fn derived(&self, kind: Kind, namespace: Option<&str>) -> Result<Vec<Value>, Diagnostic> {
        if kind.name() != ENDPOINT_SLICE {
            return Ok(Vec::new());
        }
        slices::derived(&*self.store, namespace, self.lookup.now)
    }

    /// Visits the objects of a kind as they are read: two million pods in the memory of a
    /// few thousand.
    ///
    /// # Errors
    /// When the store cannot be read, or the visitor fails, which ends the visit.
    pub fn each(&self, kind: Kind, visit: &mut dyn FnMut(&Value) -> io::Result<()>) -> Result<(), Unvisited> {
        self.check(kind).map_err(Unvisited::Store)?;
        let mut failed = None;
        let namespace = self.lookup.namespace.as_deref();
        let derived = self.derived(kind, namespace).map_err(Unvisited::Store)?;
        let mut each = |object: Value| {
            if self.is_selected(&object) {
                visit(&object).map_err(|error| {
                    failed = Some(error);
                    Diagnostic::error("output", "the output cannot be written")
                })?;
            }
            Ok(())
        };
        let read = self.visit(kind, &mut |_, object| each(object));
        let read = read.and_then(|()| derived.into_iter().try_for_each(&mut each));
        match (failed, read) {
            (Some(error), _) => Err(Unvisited::Output(error)),
            (None, read) => read.map_err(Unvisited::Store),
        }
    }

    /// Whether objects of a kind can be asked for so.
    fn check(&self, kind: Kind) -> Result<(), Diagnostic> {
        self.lookup.fields.as_ref().map_or(Ok(()), |fields| fields.check(kind))
    }

    fn is_selected(&self, object: &Value) -> bool {
        let Lookup { selector, fields, .. } = &self.lookup;
        selector.as_ref().is_none_or(|it| it.matches(object))
            && fields.as_ref().is_none_or(|it| it.matches(object))
    }

    /// Visits the objects of a kind, or only those among which all are that are selected, where
    /// the store finds these.
    fn visit(&self, kind: Kind, visit: VisitObject<'_>) -> Result<(), Diagnostic> {
        let Lookup { selector, fields, namespace, .. } = &self.lookup;
        let namespace = namespace.as_deref();
        let field = |path: &str| fields.as_ref()?.value(path).filter(|value| !value.is_empty());
        if let (Some(name), Some(namespace)) = (field("metadata.name"), namespace) {
            let key = key_of(kind, namespace, name);
            return self.store.object(kind, &key)?.map_or(Ok(()), |object| visit(key, object));
        }
        if kind != Kind::Pod {
            return self.store.objects(kind, namespace, visit);
        }
        if let Some(node) = field("spec.nodeName") {
            return self.store.pods(&Selected::On(node), namespace, visit);
        }
        match selector {
            Some(selector) => {
                let fits =
                    |labels: &BTreeMap<Name, Name>| selector.fits(|key| labels.get(key).map(|it| &**it));
                self.store.pods(&Selected::With(&fits), namespace, visit)
            }
            None => self.store.objects(kind, namespace, visit),
        }
    }

    /// A namespace that has what the one that was asked for has not.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn elsewhere(&self, kinds: &[Kind]) -> Result<Option<String>, Diagnostic> {
        elsewhere(kinds, &*self.store)
    }
}

/// Whether an object has a name.
fn is_named(name: &str) -> impl Fn(&Value) -> bool + '_ {
    move |object| object["metadata"]["name"] == name
}

/// A namespace that has objects of these kinds.
pub(super) fn elsewhere(kinds: &[Kind], store: &dyn Memory) -> Result<Option<String>, Diagnostic> {
    for kind in kinds.iter().filter(|kind| kind.namespaced()) {
        let mut found = None;
        let read = store.objects(*kind, None, &mut |key, _| {
            found = Some(key.namespace.to_string());
            // One is enough.
            Err(Diagnostic::note("found", "there is one"))
        });
        match found {
            Some(_) => return Ok(found),
            None => read?,
        }
    }
    Ok(None)
}
