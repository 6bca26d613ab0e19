//! Machine forms: JSON and YAML documents, with a version field where they are ours.
//!
//! Lists of objects are written as `kubectl get -o json` writes them. A plan is a
//! `kind: Plan` of `apiVersion: dsrules.dev/v1`: fields may be added to it, none is
//! renamed or removed while the version stays.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};

use serde::Serialize;
use serde_json::{Value, json};

use super::eviction::{EvictionLine, eviction_line};
use super::finding::{FindingLine, finding_lines, said_line};
use super::key::Key;
use super::waiting::{BlockedLine, WaitingLine};
use crate::diagnostic::{Diagnostic, acts};
use crate::kube::{ObjectKey, Status};
use crate::plan::{Burst, Change, Judged, Plan, Verb, bursts};
use crate::yaml::to_yaml;

/// The version of every document of our own.
pub(super) const API_VERSION: &str = "dsrules.dev/v1";

/// Objects as one `v1` List.
#[must_use]
pub fn list(items: Vec<Value>) -> Value {
    json!({ "apiVersion": "v1", "items": items, "kind": "List", "metadata": { "resourceVersion": "" } })
}

/// Writes a List of any length as indented JSON, item by item: the same text that
/// [`write_json`] makes of [`list`].
#[derive(Debug, Default)]
pub struct ListWriter {
    items: usize,
}

impl ListWriter {
    /// Writes one item, and what comes before it.
    ///
    /// # Errors
    /// Where writing fails.
    pub fn item(&mut self, item: &Value, out: &mut dyn Write) -> io::Result<()> {
        let before = if self.items == 0 { "{\n    \"apiVersion\": \"v1\",\n    \"items\": [" } else { "," };
        self.items += 1;
        let mut text = Vec::new();
        write_json(item, &mut text)?;
        write!(out, "{before}")?;
        for line in String::from_utf8_lossy(&text).lines() {
            write!(out, "\n        {line}")?;
        }
        Ok(())
    }

    /// Writes the end.
    ///
    /// # Errors
    /// Where writing fails.
    pub fn end(self, out: &mut dyn Write) -> io::Result<()> {
        if self.items == 0 {
            return write_json(&list(Vec::new()), out);
        }
        let metadata =
            "    \"kind\": \"List\",\n    \"metadata\": {\n        \"resourceVersion\": \"\"\n    }";
        writeln!(out, "\n    ],\n{metadata}\n}}")
    }
}

/// Writes a List of any length as YAML, item by item.
///
/// # Errors
/// Where writing fails.
pub fn list_yaml(items: impl Iterator<Item = Value>, out: &mut dyn Write) -> io::Result<()> {
    let mut items = items.peekable();
    let none = if items.peek().is_none() { " []" } else { "" };
    writeln!(out, "apiVersion: v1\nitems:{none}")?;
    for item in items {
        for (nth, line) in to_yaml(&item).lines().enumerate() {
            let before = if nth == 0 { "- " } else { "  " };
            writeln!(out, "{}{line}", if line.is_empty() { "" } else { before })?;
        }
    }
    writeln!(out, "kind: List\nmetadata:\n  resourceVersion: \"\"")
}

/// Writes a List of any length as JSON, as [`ListWriter`] does.
///
/// # Errors
/// Where writing fails.
pub fn list_json(items: impl Iterator<Item = Value>, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = ListWriter::default();
    for item in items {
        writer.item(&item, out)?;
    }
    writer.end(out)
}

/// Writes `value` as indented JSON. What could act on a terminal is escaped, which
/// within JSON changes nothing.
///
/// # Errors
/// Where writing fails.
pub fn write_json(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut out = Escaped(BufWriter::new(out));
    let indented = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, indented))?;
    writeln!(out)?;
    out.flush()
}

/// Writes `value` as one line of JSON, as [`write_json`] does.
///
/// # Errors
/// Where writing fails.
pub fn write_json_line(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut line = Escaped(Vec::new());
    serde_json::to_writer(&mut line, value)?;
    writeln!(line)?;
    out.write_all(&line.0)
}

/// JSON on its way out: what would act on a terminal becomes an escape, which means the same.
struct Escaped<W>(W);

impl<W: Write> Write for Escaped<W> {
    // Texts come whole, or cut where they have an ASCII letter to escape.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.0.write_all(escaped(text).as_bytes())?,
            Err(_) => self.0.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn escaped(json: &str) -> Cow<'_, str> {
    if !json.contains(acts) {
        return json.into();
    }
    // Beyond U+FFFF an escape is a pair.
    let escape = |c: char| c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect();
    json.chars().map(|c| if acts(c) { escape(c) } else { c.to_string() }).collect()
}

/// Writes `value` as YAML.
///
/// # Errors
/// Where writing fails.
pub fn write_yaml(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(to_yaml(&serde_json::to_value(value)?).as_bytes())
}

/// A plan as a document; `rule` names the rule of an action. With what constraints and
/// others say of it, and what it changes in the file tree, if one was named.
pub fn plan_document(
    plan: &Plan,
    judged: &[Judged],
    said: &[Diagnostic],
    tree: Option<Vec<FileLine>>,
) -> impl Serialize {
    let count = |verb: &[Verb]| {
        plan.waves.iter().flat_map(|wave| &wave.actions).filter(|action| verb.contains(&action.verb)).count()
    };
    Document {
        api_version: API_VERSION,
        kind: "Plan",
        summary: Summary {
            create: count(&[Verb::Create]),
            delete: count(&[Verb::Delete]),
            adopt: count(&[Verb::Adopt]),
            release: count(&[Verb::Release]),
            relabel: count(&[Verb::Relabel]),
            evict: count(&[Verb::Evict]),
            preempt: count(&[Verb::Preempt]),
            bind: count(&[Verb::Bind]),
            objects: plan.objects.iter().filter(|object| object.change != Change::Unchanged).count(),
            causes_omitted: plan.causes_omitted,
            violations: judged.iter().filter(|it| it.is_error()).map(|it| it.count).sum(),
            warnings: judged.iter().filter(|it| !it.is_error()).map(|it| it.count).sum::<usize>()
                + said.len(),
            refused: judged.iter().any(Judged::refuses),
        },
        objects: plan
            .objects
            .iter()
            .map(|object| ObjectLine {
                kind: object.kind.name(),
                key: object.key.clone().into(),
                change: object.change,
            })
            .collect(),
        waves: plan
            .waves
            .iter()
            .map(|wave| WaveLine {
                actions: wave
                    .actions
                    .iter()
                    .map(|action| ActionLine {
                        daemonset: action.daemonset.clone().map(Into::into),
                        action: action.verb.name(),
                        node: action.node.as_deref().map(ToOwned::to_owned),
                        object: action.object.clone().into(),
                        reason: action.reason(),
                        cause: action
                            .daemonset
                            .clone()
                            .zip(action.node.clone())
                            .filter(|_| action.verb == Verb::Delete)
                            .and_then(|pair| plan.causes.get(&pair).cloned()),
                        rule: action.because.rule.clone(),
                    })
                    .collect(),
                bursts: bursts(wave).into_iter().map(burst_line).collect(),
            })
            .collect(),
        statuses: plan
            .statuses
            .iter()
            .map(|(key, status)| StatusLine { daemonset: key.clone().into(), status: status.clone() })
            .collect(),
        waiting: plan.waiting.iter().map(super::waiting::waiting_line).collect(),
        evictions: plan.evictions.iter().map(eviction_line).collect(),
        blocked: plan.kept_off.iter().map(super::waiting::blocked_line).collect(),
        left_alone: plan
            .left_alone
            .iter()
            .map(|(key, why)| LeftAloneLine { daemonset: key.clone().into(), reason: why.clone() })
            .collect(),
        violations: finding_lines(judged, true),
        warnings: finding_lines(judged, false).into_iter().chain(said.iter().map(said_line)).collect(),
        tree,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    api_version: &'static str,
    kind: &'static str,
    summary: Summary,
    objects: Vec<ObjectLine>,
    waves: Vec<WaveLine>,
    statuses: Vec<StatusLine>,
    waiting: Vec<WaitingLine>,
    /// Pods that are evicted later.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evictions: Vec<EvictionLine>,
    /// Nodes that rules of the user's keep daemonsets off.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    blocked: Vec<BlockedLine>,
    /// Daemonsets for which nothing is done at all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_alone: Vec<LeftAloneLine>,
    /// Rows of the user's constraints that refuse the plan.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    violations: Vec<FindingLine>,
    /// Rows of those that do not, and what else is warned of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<FindingLine>,
    /// What changes in the file tree, where one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    tree: Option<Vec<FileLine>>,
}

#[derive(Serialize)]
struct LeftAloneLine {
    daemonset: Key,
    reason: String,
}

/// A file of the tree that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileLine {
    /// The path below the tree's folder.
    pub path: String,
    /// `created`, `rewritten` or `removed`.
    pub change: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    create: usize,
    delete: usize,
    adopt: usize,
    release: usize,
    relabel: usize,
    #[serde(skip_serializing_if = "is_none")]
    evict: usize,
    #[serde(skip_serializing_if = "is_none")]
    preempt: usize,
    #[serde(skip_serializing_if = "is_none")]
    bind: usize,
    objects: usize,
    /// Deletes whose cause is not given, as there are too many different ones.
    #[serde(skip_serializing_if = "is_none")]
    causes_omitted: usize,
    #[serde(skip_serializing_if = "is_none")]
    violations: usize,
    #[serde(skip_serializing_if = "is_none")]
    warnings: usize,
    /// Whether the violations keep it from being carried out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    refused: bool,
}

// serde asks with a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_none(count: &usize) -> bool {
    *count == 0
}

#[derive(Serialize)]
struct ObjectLine {
    kind: &'static str,
    #[serde(flatten)]
    key: Key,
    change: Change,
}

#[derive(Serialize)]
struct WaveLine {
    actions: Vec<ActionLine>,
    /// How Kubernetes' controller would send them.
    bursts: Vec<BurstLine>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BurstLine {
    daemonset: Key,
    create: usize,
    delete: usize,
    syncs: usize,
    slow_start: Vec<usize>,
}

fn burst_line((daemonset, burst): (&ObjectKey, Burst)) -> BurstLine {
    BurstLine {
        daemonset: daemonset.clone().into(),
        create: burst.creates,
        delete: burst.deletes,
        syncs: burst.syncs,
        slow_start: burst.slow_start,
    }
}

#[derive(Serialize)]
struct ActionLine {
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    daemonset: Option<Key>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    object: Key,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    rule: String,
}

#[derive(Serialize)]
struct StatusLine {
    daemonset: Key,
    status: Status,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::plan::{Action, Wave};

    #[test]
    fn a_list_written_item_by_item_is_the_list() {
        for count in 0..3 {
            let items: Vec<Value> = (0..count).map(|nth| json!({ "a": [nth, "x\ny"], "b": {} })).collect();
            let (mut whole, mut parts) = (Vec::new(), Vec::new());
            let mut writer = ListWriter::default();
            items.iter().for_each(|item| writer.item(item, &mut parts).unwrap());
            writer.end(&mut parts).unwrap();
            write_json(&list(items), &mut whole).unwrap();
            assert_eq!(String::from_utf8(parts).unwrap(), String::from_utf8(whole).unwrap());
        }
    }

    #[test]
    fn json_has_no_character_that_acts_on_a_terminal_and_still_reads_back() {
        let value = json!({ "message": "a\u{1b}[31m\u{9b}\u{202e}ü" });
        let mut out = Vec::new();
        write_json(&value, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("a\\u001b[31m\\u009b\\u202eü"), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn a_plan_document_says_its_version_and_names_the_rule() {
        let action = Action {
            daemonset: Some(ObjectKey::new("ns", "ds")),
            verb: Verb::Create,
            node: Some("a".into()),
            object: ObjectKey::new("ns", "ds-1"),
            because: std::sync::Arc::new(crate::plan::Because {
                sentence: "because".into(),
                rule: "rule 7".to_owned(),
            }),
        };
        let plan = Plan { waves: vec![Wave { time: 5, actions: vec![action] }], ..Plan::default() };
        let mut out = Vec::new();
        write_json(&plan_document(&plan, &[], &[], None), &mut out).unwrap();
        let read: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(read["apiVersion"], "dsrules.dev/v1");
        assert_eq!(read["summary"]["create"], 1);
        assert_eq!(
            read["waves"][0]["actions"][0],
            json!({ "action": "create", "daemonset": { "namespace": "ns", "name": "ds" }, "node": "a",
                    "object": { "namespace": "ns", "name": "ds-1" }, "reason": "because", "rule": "rule 7" })
        );
    }
}
