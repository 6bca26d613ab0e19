//! Taints, tolerations, selector requirements and terms, as values.
//!
//! Each prints as the one text that stands for it everywhere: in facts two equal
//! requirements of different daemonsets are one symbol, and that symbol is what a
//! person reads in an explanation (`disk In (ssd)`, `dedicated=gpu:NoSchedule`).

use std::fmt;

use serde_json::Value;

use super::Name;
use super::views::{list, seconds, text};

/// core/v1 Taint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Taint {
    /// `key`.
    pub key: Name,
    /// `value`, empty where there is none.
    pub value: Name,
    /// `effect`.
    pub effect: Name,
    /// `timeAdded`, in seconds of Unix time; in a world, where it is not given, when the
    /// taint was first seen. It is told, but not in the text.
    pub since: Option<i64>,
}

impl Taint {
    /// What a taint may do, as a manifest says it.
    pub const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

    pub(super) fn from_value(value: &Value) -> Self {
        Taint {
            key: text(value, "key"),
            value: text(value, "value"),
            effect: text(value, "effect"),
            since: seconds(&value["timeAdded"]),
        }
    }
}

impl fmt::Display for Taint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        if !self.value.is_empty() {
            write!(f, "={}", self.value)?;
        }
        write!(f, ":{}", self.effect)
    }
}

/// core/v1 Toleration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Toleration {
    /// `key`; empty stands for every key.
    pub key: Name,
    /// `operator`; empty means `Equal`.
    pub operator: Name,
    /// `value`.
    pub value: Name,
    /// `effect`; empty stands for every effect.
    pub effect: Name,
    /// `tolerationSeconds`, which no placement asks for: it is told, but not in the text.
    pub seconds: Option<i64>,
}

impl Toleration {
    /// Reads one.
    #[must_use]
    pub fn from_value(value: &Value) -> Self {
        Toleration {
            key: text(value, "key"),
            operator: text(value, "operator"),
            value: text(value, "value"),
            effect: text(value, "effect"),
            seconds: value["tolerationSeconds"].as_i64(),
        }
    }
}

impl fmt::Display for Toleration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = if self.key.is_empty() { "*" } else { &self.key };
        match &*self.operator {
            "" | "Equal" => write!(f, "{key}={}", self.value)?,
            "Exists" => write!(f, "{key}")?,
            other => write!(f, "{key} {other} {}", self.value)?,
        }
        // Spelled-out defaults are another toleration to the API, so they are to us.
        match (&*self.operator, self.effect.is_empty()) {
            ("", true) => f.write_str(":* (Equal by default)"),
            ("", false) => write!(f, ":{} (Equal by default)", self.effect),
            (_, true) => f.write_str(":*"),
            (_, false) => write!(f, ":{}", self.effect),
        }
    }
}

/// One requirement of a label selector or of a node selector term.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Requirement {
    /// The label's key, or the field's name.
    pub key: Name,
    /// `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt`, `Lt`, or whatever was written.
    pub operator: Name,
    /// The values, in the order they were written.
    pub values: Vec<Name>,
}

impl Requirement {
    pub(super) fn from_value(value: &Value) -> Self {
        Requirement {
            key: text(value, "key"),
            operator: text(value, "operator"),
            values: list(value, "values").filter_map(|v| v.as_str().map(Name::from)).collect(),
        }
    }

    /// The requirement that a `matchLabels` or `nodeSelector` entry stands for.
    pub(super) fn equals(key: Name, value: Name) -> Self {
        Requirement { key, operator: "In".into(), values: vec![value] }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.key, self.operator)?;
        if !self.values.is_empty() {
            write!(f, " ({})", self.values.join(", "))?;
        }
        Ok(())
    }
}

/// core/v1 NodeSelectorTerm: all of its requirements together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term {
    /// `matchExpressions`, over the node's labels.
    pub expressions: Vec<Requirement>,
    /// `matchFields`, over the node's fields.
    pub fields: Vec<Requirement>,
}

impl Term {
    pub(crate) fn from_value(value: &Value) -> Self {
        Term {
            expressions: list(value, "matchExpressions").map(Requirement::from_value).collect(),
            fields: list(value, "matchFields").map(Requirement::from_value).collect(),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = self.expressions.iter().map(ToString::to_string).collect();
        parts.extend(self.fields.iter().map(|field| format!("field {field}")));
        if parts.is_empty() {
            return f.write_str("(an empty term)");
        }
        f.write_str(&parts.join(" and "))
    }
}

/// meta/v1 LabelSelector: `matchLabels` and `matchExpressions` together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    /// Every requirement; `matchLabels` first, as `In` with one value.
    pub requirements: Vec<Requirement>,
}

impl Selector {
    /// Reads one.
    #[must_use]
    pub fn from_value(value: &Value) -> Self {
        let labels = super::labels_of(&value["matchLabels"]);
        let mut requirements: Vec<Requirement> =
            labels.into_iter().map(|(key, value)| Requirement::equals(key, value)).collect();
        requirements.extend(list(value, "matchExpressions").map(Requirement::from_value));
        Selector { requirements }
    }
}
