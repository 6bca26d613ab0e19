//! Explain: why a pod is there, or is not; what a node or a daemonset comes to; why any row
//! of any relation is there.

use std::path::{Path, PathBuf};

use super::listener::Listener;
use super::planning::{self, waiting};
use super::question::{self, Names};
use super::resources::not_found;
use super::seen::{Seen, Sight};
use crate::datalog::{Limits, Program, Query, RelationId, Typed};
use crate::diagnostic::{Diagnostic, nearest};
use crate::explain::{self, Explanation, OnNode, Rows, Summary};
use crate::kube::{Kind, Name, ObjectKey};
use crate::plan::{Waiting, constraint};
use crate::policy::relations;
use crate::state::Part;
use crate::target::Memory;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Why {
    /// A daemonset and a node, a daemonset, a node or a pod, as a person names them; or an
    /// atom of the rules.
    pub words: Vec<String>,
    /// The namespace of what names none.
    pub namespace: String,
    /// The folder from which files are named, if they are below it.
    pub here: Option<PathBuf>,
    /// The time, in seconds of Unix time.
    pub now: i64,
    /// So many rows of a relation are explained.
    pub most: usize,
    /// Whether a row is looked for in the state that a plan leads to, with what is planned.
    pub planned: bool,
}

/// Where rows are looked for.
pub struct Looked<'a> {
    /// Files below this folder are named from there on.
    pub here: Option<&'a Path>,
    /// The time, in seconds of Unix time.
    pub now: i64,
    /// Whether that is the state that a plan leads to, also where nothing asks for it.
    pub planned: bool,
}

/// What is answered.
pub enum Because {
    /// Of a daemonset and a node.
    Pair(Box<Explanation>),
    /// Of a node and all daemonsets.
    Node(OnNode),
    /// Of a daemonset and all nodes, with what it waits for.
    DaemonSet(Box<Summary>, Option<Waiting>),
    /// Of the rows of a relation.
    Rows(Rows),
}

/// Answers.
///
/// # Errors
/// When something that is named is not there, and when the rules derive too much.
pub fn explain(why: &Why, seen: &Seen) -> Result<Because, Vec<Diagnostic>> {
    let words: Vec<&str> = why.words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [first, ..] if first.contains('(') => {
            let looked = Looked { here: why.here.as_deref(), now: why.now, planned: why.planned };
            explain_rows(&words.join(" "), seen, why.most, &looked).map(Because::Rows)
        }
        _ if why.planned => Err(vec![
            Diagnostic::error(
                "nothing-planned",
                "`--planned` is about the row of a relation, and none is named",
            )
            .help("write `dsrules explain 'RELATION(VALUE, ...)' --planned`"),
        ]),
        _ if words.iter().all(|word| word.trim().is_empty()) => Err(vec![nothing_named()]),
        [pod, name] if is_word_of(pod, Kind::Pod) => why.of_pod(name, seen),
        [node, name] if is_word_of(node, Kind::Node) && !why.is_daemonset(node, seen) => {
            why.on_node(name, seen)
        }
        [node, daemonset] if is_of(node, Kind::Node) || is_of(daemonset, Kind::DaemonSet) => {
            let what = format!("`{node}` stands where the daemonset is to be named");
            Err(vec![wrong_way_round(&what, daemonset, node)])
        }
        [daemonset, node] => why.pair(&why.daemonset(daemonset), node_name(node), seen),
        [one] => match one.split_once('/') {
            Some((kind, name)) if is_word_of(kind, Kind::Pod) => why.of_pod(name, seen),
            Some((kind, name)) if is_word_of(kind, Kind::Node) => why.on_node(name, seen),
            _ => why.summary(&why.daemonset(one), seen),
        },
        _ => Err(vec![nothing_named()]),
    }
}

fn nothing_named() -> Diagnostic {
    Diagnostic::error("nothing-named", "nothing was named that could be explained")
        .help("write `dsrules explain DAEMONSET NODE`, or `dsrules explain 'RELATION(VALUE, ...)'`")
}

/// Answers for up to `most` rows that an atom of the rules fits: `too_many("n1")`,
/// `too_many(Node)`. What a constraint says, and what asks for `planned`, is looked for in the
/// state that a plan leads to.
///
/// # Errors
/// When it is no atom or names what is not there, and when the rules derive too much.
pub fn explain_rows(
    atom: &str,
    seen: &Seen,
    most: usize,
    looked: &Looked<'_>,
) -> Result<Rows, Vec<Diagnostic>> {
    if let Some(denied) = denied(atom) {
        return Err(vec![denied]);
    }
    let query = Query::compile(&seen.program, atom)?;
    let Some(atom) = query.atom() else {
        return Err(vec![
            Diagnostic::error("not-one-relation", "one relation can be explained, and this is more than that")
                .help("write `RELATION(VALUE, ...)`, as `eligible(\"ns/agent\", \"n1\")`; `dsrules query` answers the rest"),
        ]);
    };
    let program = &seen.program;
    let Looked { here, now, .. } = *looked;
    let world = seen.world_for(&query)?;
    let mut rows = if looked.planned || asks_ahead(program, &query) {
        let world = seen.to_plan(world.into_owned(), now)?;
        let (world, plan) = planning::ahead(world, program, now, Limits::default())?;
        let planned: Vec<_> = constraint::changes(&plan).collect();
        let mut rows = explain::rows(program, &world, atom, most, now, Some(&planned))?;
        rows.notes.push("looked for in the state that the plan leads to, as violations see it".to_owned());
        rows
    } else {
        explain::rows(program, &world, atom, most, now, None)?
    };
    if !rows.holds && !rows.unknown.is_empty() {
        return Err(rows.unknown.iter().map(|(kind, name)| unknown(*kind, name, seen)).collect());
    }
    let mut trees: Vec<_> = rows.rows.iter_mut().map(|told| &mut told.steps).collect();
    seen.locate(&mut trees, here)?;
    Ok(rows)
}

/// Whether a query is about the state that a plan leads to.
fn asks_ahead(program: &Program, query: &Query) -> bool {
    let asked = query.relations();
    asked.iter().any(|id| program.declaration(*id).constraint.is_some()) || asks_planned(program, &asked)
}

/// Whether some relations rest on what is planned.
pub(super) fn asks_planned(program: &Program, asked: &[RelationId]) -> bool {
    program.needed(asked)(program.id(relations::planned))
}

/// The error for what is asked with `!`: a row that is not there is told by itself.
fn denied(text: &str) -> Option<Diagnostic> {
    let asked = if Typed::of(text).rules { text.rsplit_once("?-")?.1 } else { text };
    let row = asked.trim().strip_prefix('!')?.trim();
    let error = Diagnostic::error("denied-row", format!("`!{row}` is no row, so there is no reason for it"));
    Some(error.help(format!("ask for `{row}`: if it is not there, it is said why")))
}

/// An object that an atom names and that is not there.
fn unknown(kind: Kind, name: &str, seen: &Seen) -> Diagnostic {
    let keys: Vec<String> = match seen.keys(kind) {
        Ok(keys) => keys.iter().map(ToString::to_string).collect(),
        Err(error) => return error,
    };
    let elsewhere = keys.iter().find(|key| key.ends_with(&format!("/{name}"))).map(String::as_str);
    match elsewhere.or_else(|| nearest(name, keys.iter().map(String::as_str))) {
        Some(near) => not_found(kind, name).help(format!("did you mean `{near}`?")),
        None => not_found(kind, name),
    }
}

/// What to write where a word is no daemonset's name and a relation's.
fn as_relation(program: &Program, relation: RelationId, name: &str) -> String {
    let values = vec!["_"; program.declaration(relation).columns.len()].join(", ");
    format!("a relation has that name, and stands with its values: `dsrules explain '{name}({values})'`")
}

/// Whether a word names a kind.
fn is_word_of(word: &str, kind: Kind) -> bool {
    Kind::from_resource(word) == Some(kind)
}

/// Whether a word is `TYPE/NAME` of this kind.
fn is_of(word: &str, kind: Kind) -> bool {
    word.split_once('/').is_some_and(|(named, _)| is_word_of(named, kind))
}

/// `NAME` or `node/NAME`.
fn node_name(word: &str) -> &str {
    match word.split_once('/') {
        Some((kind, name)) if is_word_of(kind, Kind::Node) => name,
        _ => word,
    }
}

fn wrong_way_round(what: &str, daemonset: &str, node: &str) -> Diagnostic {
    Diagnostic::error("the-wrong-way-round", what)
        .help(format!("the daemonset comes first: `dsrules explain {daemonset} {node}`"))
}

impl Why {
    /// Loads what it is about.
    ///
    /// # Errors
    /// As [`Sight::load`].
    pub fn look(&self, sight: &Sight, listener: &dyn Listener) -> Result<Seen, Vec<Diagnostic>> {
        sight.load_part(listener, &|program, store| self.part(program, store))
    }

    /// The part of a store that it is about, by the words alone: what is wrong with them is
    /// said later.
    pub(super) fn part(&self, program: &Program, store: &dyn Memory) -> Result<Part, Diagnostic> {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        let mut names = Names::default();
        match words.as_slice() {
            _ if self.planned => return Ok(Part::default()),
            [first, ..] if first.contains('(') => {
                return match Query::compile(program, &words.join(" ")) {
                    Ok(query) if !asks_ahead(program, &query) => question::of_query(program, &query, store),
                    _ => Ok(Part::default()),
                };
            }
            [pod, name] if is_word_of(pod, Kind::Pod) => _ = names.pods.insert(self.key(name)),
            // Which is which is seen when they are there.
            [one, other] => {
                let nodes = [*one, *other].map(|word| Name::from(node_name(word)));
                names.nodes.extend(nodes);
                names.nodes.insert(self.daemonset(one).name);
            }
            [one] => match one.split_once('/') {
                Some((kind, name)) if is_word_of(kind, Kind::Pod) => _ = names.pods.insert(self.key(name)),
                Some((kind, name)) if is_word_of(kind, Kind::Node) => _ = names.nodes.insert(name.into()),
                _ => return Ok(Part::default()),
            },
            _ => return Ok(Part::default()),
        }
        if question::is_local(program, &explain::asked(program)) {
            names.part(store)
        } else {
            Ok(Part::default())
        }
    }

    /// `NAME`, `daemonset/NAME` or `NAMESPACE/NAME`.
    fn daemonset(&self, word: &str) -> ObjectKey {
        match word.split_once('/') {
            Some((kind, name)) if is_word_of(kind, Kind::DaemonSet) => self.key(name),
            Some((namespace, name)) => ObjectKey::new(namespace, name),
            None => self.key(word),
        }
    }

    fn key(&self, name: &str) -> ObjectKey {
        ObjectKey::new(self.namespace.as_str(), name)
    }

    /// Whether there is a daemonset of this name, which comes before a kind's.
    fn is_daemonset(&self, word: &str, seen: &Seen) -> bool {
        seen.world.daemonsets.contains_key(&self.daemonset(word))
    }

    fn of_pod(&self, name: &str, seen: &Seen) -> Result<Because, Vec<Diagnostic>> {
        let key = self.key(name);
        if !seen.world.pods.contains_key(&key) {
            return Err(vec![seen.missing(Kind::Pod, &key)]);
        }
        let no = |what: &str| Diagnostic::error("not-a-daemon-pod", format!("the pod `{name}` {what}"));
        match explain::of_pod(&seen.world, &key) {
            Some((daemonset, Some(node))) => self.pair(&daemonset.meta.key, &node.meta.key.name, seen),
            Some((_, None)) => Err(vec![no("is on no node that there is")]),
            None => Err(vec![
                no("belongs to no daemonset that there is")
                    .help("`dsrules describe pod NAME` shows its owner"),
            ]),
        }
    }

    fn pair(&self, daemonset: &ObjectKey, node: &str, seen: &Seen) -> Result<Because, Vec<Diagnostic>> {
        let node_key = ObjectKey::new("", node);
        let world = &seen.world;
        let (found, on) = (world.daemonsets.get(daemonset), world.nodes.get(&node_key));
        let (Some(found), Some(on)) = (found, on) else {
            let swapped = ObjectKey::new("", &*daemonset.name);
            if world.daemonsets.contains_key(&self.key(node)) && world.nodes.contains_key(&swapped) {
                let what = format!("`{swapped}` is a node, and `{node}` is a daemonset");
                return Err(vec![wrong_way_round(&what, node, &swapped.to_string())]);
            }
            let daemonset = found.is_none().then(|| seen.missing(Kind::DaemonSet, daemonset));
            let node = on.is_none().then(|| seen.missing(Kind::Node, &node_key));
            return Err(daemonset.into_iter().chain(node).collect());
        };
        let mut explanation = explain::pair(&seen.program, world, found, on, self.now)?;
        seen.locate(&mut [&mut explanation.steps], self.here.as_deref())?;
        Ok(Because::Pair(Box::new(explanation)))
    }

    fn on_node(&self, name: &str, seen: &Seen) -> Result<Because, Vec<Diagnostic>> {
        let key = ObjectKey::new("", name);
        let Some(node) = seen.world.nodes.get(&key) else {
            return Err(vec![seen.missing(Kind::Node, &key)]);
        };
        Ok(Because::Node(explain::node(&seen.program, &seen.world, node, self.now)?))
    }

    fn summary(&self, key: &ObjectKey, seen: &Seen) -> Result<Because, Vec<Diagnostic>> {
        let Some(daemonset) = seen.world.daemonsets.get(key) else {
            let missing = seen.missing(Kind::DaemonSet, key);
            return Err(vec![match seen.program.relation(&key.name) {
                Some(relation) => missing.help(as_relation(&seen.program, relation, &key.name)),
                None => missing,
            }]);
        };
        let summary = Box::new(explain::summary(&seen.program, &seen.world, daemonset, self.now)?);
        let waiting = waiting(&seen.world, &seen.program, self.now)?;
        Ok(Because::DaemonSet(summary, waiting.into_iter().find(|it| it.daemonset == *key)))
    }
}
