//! What happened to a store: its runs, what each did, and why.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Change;
use crate::kube::{Kind, Name, ObjectKey};

/// Who runs a command, and which: given from outside, as nothing here knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct By {
    /// The command, as `apply --prune`: no names, and nothing that may be secret.
    pub command: String,
    /// The name of the user.
    pub user: String,
    /// The name of the machine.
    pub host: String,
    /// How long is remembered from now on, in seconds; as before where it is not given.
    pub keep: Option<i64>,
}

/// A run that changed the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Run {
    /// Its number: they are counted from 1.
    pub run: u64,
    /// When it was, in seconds of Unix time.
    pub time: i64,
    /// The command.
    pub command: String,
    /// Who ran it.
    pub user: String,
    /// On which machine.
    pub host: String,
    /// What it was given to read, as it was named.
    pub input: String,
    /// The files of that which changed, each with its SHA-256; nothing where it is gone.
    pub files: Vec<(Name, String)>,
    /// How many pods it made.
    pub came: usize,
    /// How many pods it took away.
    pub went: usize,
}

/// What is put on record of a run.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// When it was, in seconds of Unix time.
    pub time: i64,
    /// Who ran what.
    pub by: By,
    /// What it was given to read.
    pub input: String,
    /// The files of that which changed, each with its SHA-256.
    pub files: Vec<(Name, String)>,
    /// What it did.
    pub done: DoneLines,
}

/// A moment that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// As it was at a time, in seconds of Unix time.
    Time(i64),
    /// As a run left it.
    Run(u64),
}

/// What a run did, and what led to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// The objects that it was told to change.
    pub led: Vec<Led>,
    /// Files of the user's rules and facts that were other ones than before.
    pub rules: Vec<Name>,
    /// What came and went.
    pub moves: Vec<Move>,
}

/// An object that a run was told to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Led {
    /// Its kind.
    #[serde(with = "kind")]
    pub kind: Kind,
    /// Its key.
    pub key: ObjectKey,
    /// What became of it.
    pub change: Change,
    /// The file that said so.
    pub file: Option<Name>,
    /// The line in it; 0 where it is not known.
    pub line: u32,
    /// The first field that differs, as `spec.taints[0].effect`; empty of one that came or went.
    pub field: String,
    /// What it was.
    pub was: String,
    /// What it is.
    pub is: String,
}

/// What moves have alike: pods that one rule asks for are kept together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// What was done, as plans name it: `create`, `delete`.
    pub verb: Name,
    /// Whether it was done to pods.
    pub pod: bool,
    /// The daemonset it is about, where there is one.
    pub daemonset: Option<ObjectKey>,
    /// The sentence of the rule, with variables to be filled in.
    pub sentence: Name,
    /// Where the rule stands, as `rules/pods.dl:120`.
    pub rule: Name,
    /// Why a pod may no longer be there, where that is known.
    pub cause: Option<Name>,
}

/// Something that came or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// What it has alike with others.
    pub group: Arc<Group>,
    /// The node, where there is one.
    pub node: Option<Name>,
    /// What came or went.
    pub object: ObjectKey,
}

impl Move {
    /// Why: the rule's sentence with names in place of its variables.
    #[must_use]
    pub fn reason(&self) -> String {
        let daemonset = self.group.daemonset.as_ref().map_or("", |key| &key.name);
        filled(&self.group.sentence, daemonset, self.node.as_deref(), &self.object.name)
    }

    /// Whether a pod is there that was not.
    #[must_use]
    pub fn came(&self) -> bool {
        self.group.came()
    }

    /// Whether a pod is gone.
    #[must_use]
    pub fn went(&self) -> bool {
        self.group.went()
    }
}

impl Group {
    /// Why, said of all of them at once.
    #[must_use]
    pub fn of_all(&self) -> String {
        let daemonset = self.daemonset.as_ref().map_or("", |key| &key.name);
        filled(&self.sentence, daemonset, Some("each of these nodes"), "each of these pods")
    }

    fn came(&self) -> bool {
        self.pod && &*self.verb == "create"
    }

    fn went(&self) -> bool {
        self.pod && matches!(&*self.verb, "delete" | "evict" | "preempt")
    }
}

/// What a run did as lines of JSON, as it is kept: millions of pods may come at once.
#[derive(Debug, Clone, Default)]
pub struct DoneLines {
    /// The lines.
    pub text: String,
    /// How many pods came.
    pub came: usize,
    /// How many pods went.
    pub went: usize,
    group: Option<Group>,
}

/// One line.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Led {
        led: Box<Led>,
    },
    Rules {
        rules: Vec<Name>,
    },
    Group(Group),
    /// Node, namespace and name; the name goes on after the daemonset's where that is left away.
    Member(Option<Name>, String, String),
}

impl DoneLines {
    fn push(&mut self, line: &Line) {
        // Texts and numbers can be written.
        if let Ok(line) = serde_json::to_string(line) {
            self.text.push_str(&line);
            self.text.push('\n');
        }
    }

    /// An object that the run was told to change.
    pub fn led(&mut self, led: Led) {
        if led.kind == Kind::Pod {
            self.came += usize::from(led.change == Change::Created);
            self.went += usize::from(matches!(led.change, Change::Pruned | Change::Deleted));
        }
        self.push(&Line::Led { led: Box::new(led) });
    }

    /// Files of the user's rules and facts that were other ones than before.
    pub fn rules(&mut self, rules: Vec<Name>) {
        if !rules.is_empty() {
            self.push(&Line::Rules { rules });
        }
    }

    /// What the next things that came or went have alike.
    pub fn group(&mut self, group: Group) {
        self.push(&Line::Group(group.clone()));
        self.group = Some(group);
    }

    /// Something that came or went, of the last group.
    pub fn member(&mut self, node: Option<&Name>, object: &ObjectKey) {
        let Some(group) = &self.group else { return };
        self.came += usize::from(group.came());
        self.went += usize::from(group.went());
        let (mut namespace, mut name) = (&*object.namespace, &*object.name);
        if let Some(daemonset) = &group.daemonset
            && daemonset.namespace == object.namespace
            && let Some(rest) = name.strip_prefix(&*daemonset.name)
            && rest.starts_with('-')
        {
            (namespace, name) = ("", rest);
        }
        let member = (node, namespace, name);
        if let Ok(line) = serde_json::to_string(&member) {
            self.text.push_str(&line);
            self.text.push('\n');
        }
    }

    /// Reads lines, and of what came and went only what is `wanted`.
    ///
    /// # Errors
    /// When a line is none of ours.
    pub fn read(
        text: &str,
        mut wanted: impl FnMut(&Group, Option<&str>, &ObjectKey) -> bool,
    ) -> Result<Done, serde_json::Error> {
        let (mut done, mut group): (Done, Option<Arc<Group>>) = Default::default();
        for line in text.lines() {
            match serde_json::from_str(line)? {
                Line::Led { led } => done.led.push(*led),
                Line::Rules { rules } => done.rules = rules,
                Line::Group(it) => group = Some(Arc::new(it)),
                Line::Member(node, namespace, name) => {
                    let Some(group) = &group else { continue };
                    let object = match &group.daemonset {
                        Some(key) if name.starts_with('-') => {
                            ObjectKey::new(key.namespace.clone(), format!("{}{name}", key.name))
                        }
                        _ => ObjectKey::new(namespace, name),
                    };
                    if wanted(group, node.as_deref(), &object) {
                        done.moves.push(Move { group: group.clone(), node, object });
                    }
                }
            }
        }
        Ok(done)
    }
}

/// The sentence of a rule with names in place of its variables.
#[must_use]
pub fn filled(sentence: &str, daemonset: &str, node: Option<&str>, object: &str) -> String {
    [
        ("{DaemonSet}", daemonset),
        ("{Node}", node.unwrap_or("its node")),
        ("{Pod}", object),
        ("{Revision}", object),
    ]
    .into_iter()
    .fold(sentence.to_owned(), |text, (variable, name)| text.replace(variable, name))
}

/// A kind by its name.
mod kind {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::kube::Kind;

    pub fn serialize<S: Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(kind.name())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Kind, D::Error> {
        let name = String::deserialize(deserializer)?;
        Kind::known_as(&name).ok_or_else(|| D::Error::custom(format!("`{name}` is no kind")))
    }
}
