//! Why a daemonset has a pod on a node, or has none: from the rules that decided it.
//!
//! ```text
//!   world -> evaluate, the pair in question by name -> datalog::explain::tree -> steps, causes
//! ```
//! Nothing is remembered from planning: the rules are asked again. Steps are the rules'
//! own sentences with the facts under them; causes say what keeps a pod off, each with
//! what would mend it. How it looks is the business of `report/`.

mod ask;
mod blocker;
mod cause;
mod grouped;
mod leaf;
mod levers;
mod pair;
mod pods;
mod sentences;
mod steps;
mod summary;

use std::fmt;

use serde::Serialize;

use crate::kube::{Kind, Name, ObjectKey};

pub use blocker::blocker;
pub use cause::{Cause, TermCause};
pub use grouped::{Also, Group, Named};
pub use pair::{of_pod, pair};
pub use pods::PodState;
pub use summary::{OnNode, Running, Summary, node, summary};

/// All there is to say about a daemonset and a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The daemonset.
    pub daemonset: ObjectKey,
    /// The node.
    pub node: Name,
    /// Whether a pod should be there.
    pub eligible: bool,
    /// How things stand, in one sentence.
    pub headline: String,
    /// The pods of the daemonset that are there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pods: Vec<PodState>,
    /// Why, from the rules.
    pub steps: Vec<Step>,
    /// What keeps a pod off; empty if one should be there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Told>,
}

/// A cause as data and as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// What it is.
    pub cause: Cause,
    /// What is wrong, without names: `has the taint a=b:NoSchedule, which is not tolerated`.
    pub says: String,
    /// What would mend it, where something is known to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

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
    fn new(mark: Mark, text: impl Into<String>) -> Self {
        Step { mark, text: text.into(), rule: None, source: None, from: None, parts: Vec::new() }
    }
}

impl Explanation {
    /// Calls `place` for the source of every fact and puts what it gives into `from`.
    pub fn locate(&mut self, place: &mut dyn FnMut(&SourceField) -> Option<String>) {
        locate(&mut self.steps, place);
    }
}

fn locate(steps: &mut [Step], place: &mut dyn FnMut(&SourceField) -> Option<String>) {
    for step in steps {
        if let Some(source) = &step.source {
            step.from = place(source);
        }
        locate(&mut step.parts, place);
    }
}
