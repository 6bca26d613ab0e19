//! The steps of an explanation: what rests on what, and where each fact stands.

use std::fmt;

use serde::Serialize;

use crate::diagnostic::counted;
use crate::kube::{Kind, ObjectKey};

/// What a step says of what stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// It holds, and speaks for a pod.
    Yes,
    /// It speaks against a pod.
    No,
    /// A fact.
    Fact,
    /// Something that is not there.
    Missing,
}

/// One step of an explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What it says of it.
    pub mark: Mark,
    /// The sentence, or the fact.
    pub text: String,
    /// The rule, as `rules/placement.dl:120`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The object that the fact is from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceField>,
    /// Where that stands, as `nodes.yaml:12`: whoever knows the files fills it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What it rests on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Step>,
}

/// A field of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SourceField {
    /// The object's kind.
    pub kind: Kind,
    /// The object.
    pub key: ObjectKey,
    /// The way to the field.
    pub path: Vec<Segment>,
}

/// One step of the way to a field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum Segment {
    /// A field or a key.
    Field(String),
    /// An element of a list.
    Index(usize),
}

/// `node/a spec.taints[0]`.
impl fmt::Display for SourceField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} ", self.kind.resource(), self.key.name)?;
        for (at, segment) in self.path.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                // A label's key has dots of its own.
                Segment::Field(name) if name.contains('.') => write!(f, "[{name}]")?,
                Segment::Field(name) if at == 0 => f.write_str(name)?,
                Segment::Field(name) => write!(f, ".{name}")?,
            }
        }
        Ok(())
    }
}

impl Step {
    pub(super) fn new(mark: Mark, text: impl Into<String>) -> Self {
        Step { mark, text: text.into(), rule: None, source: None, from: None, parts: Vec::new() }
    }
}

/// Calls `place` for the source of every fact and puts what it gives into `from`.
pub fn locate(steps: &mut [Step], place: &mut dyn FnMut(&SourceField) -> Option<String>) {
    for step in steps {
        if let Some(source) = &step.source {
            step.from = place(source);
        }
        locate(&mut step.parts, place);
    }
}

/// Leaves away what lies deeper than so many levels, and says how much that is.
pub fn trim(steps: &mut [Step], depth: usize) {
    for step in steps {
        if depth > 1 {
            trim(&mut step.parts, depth - 1);
        } else if !step.parts.is_empty() {
            let below = counted(count(&step.parts), "line");
            step.parts = vec![Step::new(Mark::Fact, format!("… {below} below, left away by --depth"))];
        }
    }
}

fn count(steps: &[Step]) -> usize {
    steps.iter().map(|step| 1 + count(&step.parts)).sum()
}
