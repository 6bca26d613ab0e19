//! What happened, as a person reads it: a run a paragraph, the last one first.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use super::data::API_VERSION;
use super::paint::Paint;
use crate::app::history::{Led, Logged, Moved, RunLog};
use crate::diagnostic::{counted, visible};
use crate::kube::{Kind, timestamp};
use crate::plan::Change;

/// So many of what a run was told to change are shown, unless all is asked for.
const SHOWN: usize = 5;

/// How a log is shown.
#[derive(Debug, Clone, Copy)]
pub struct LogLook<'a> {
    /// Colour.
    pub paint: Paint,
    /// Whether all of it is shown.
    pub wide: bool,
    /// Files below are named from here on.
    pub here: Option<&'a Path>,
}

/// All runs.
///
/// # Errors
/// Where writing fails.
pub fn log_text(logged: &Logged, look: LogLook<'_>, out: &mut dyn Write) -> io::Result<()> {
    for (nth, run) in logged.runs.iter().enumerate() {
        if nth > 0 {
            writeln!(out)?;
        }
        run_text(run, look, out)?;
    }
    if logged.more {
        writeln!(out, "\n{}", look.paint.dim("earlier runs are not shown: --limit shows more"))?;
    }
    Ok(())
}

/// A run.
///
/// # Errors
/// Where writing fails.
pub fn run_text(log: &RunLog, look: LogLook<'_>, out: &mut dyn Write) -> io::Result<()> {
    let LogLook { paint, here, .. } = look;
    let run = &log.run;
    let by = [&run.user, &run.host].into_iter().filter(|it| !it.is_empty()).map(String::as_str);
    let by = by.collect::<Vec<_>>().join("@");
    let by = if by.is_empty() { String::new() } else { format!(" by {}", visible(&by)) };
    let head = format!("@{} {}", run.run, timestamp(run.time));
    let command = if run.command.is_empty() { "changed" } else { &run.command };
    writeln!(out, "{}  {}{by}", paint.strong(head), visible(command))?;
    if !run.input.is_empty() {
        let input: Vec<_> = run.input.lines().map(|path| shown(path, here)).collect();
        writeln!(out, "  {}", paint.dim(format!("of {}", input.join(", "))))?;
    }
    let most = if look.wide { usize::MAX } else { SHOWN };
    for led in log.led.iter().take(most) {
        writeln!(out, "  {}", visible(&led_line(led, here)))?;
    }
    if log.led.len() > most {
        let more = counted(log.led.len() - most, "more object");
        writeln!(out, "  {}", paint.dim(format!("and {more} changed: -o wide shows all")))?;
    }
    for rules in &log.rules {
        writeln!(out, "  {}: other rules or facts", visible(&shown(rules, here)))?;
    }
    log.groups.iter().try_for_each(|group| moved_text(group, look, out))
}

/// An object that a run was told to change, with the place that says so.
#[must_use]
pub fn led_line(led: &Led, here: Option<&Path>) -> String {
    let place = match &led.file {
        Some(file) if led.line > 0 => format!("{}:{}: ", shown(file, here), led.line),
        Some(file) => format!("{}: ", shown(file, here)),
        None => String::new(),
    };
    let object = format!("{}/{}", led.kind.resource(), key(led.kind, led));
    if led.field.is_empty() {
        return format!("{place}{object} {}", led.change.word());
    }
    let value = |text: &str| if text.is_empty() { "nothing".to_owned() } else { text.to_owned() };
    format!("{place}{object} {}: {} -> {}", led.field, value(&led.was), value(&led.is))
}

fn key(kind: Kind, led: &Led) -> String {
    if kind.namespaced() {
        format!("{}/{}", led.key.namespace, led.key.name)
    } else {
        led.key.name.to_string()
    }
}

/// What came or went for one reason.
fn moved_text(moved: &Moved, look: LogLook<'_>, out: &mut dyn Write) -> io::Result<()> {
    let paint = look.paint;
    let Some(first) = moved.first.first() else { return Ok(()) };
    let group = &first.group;
    let name = group.daemonset.as_ref().map_or_else(String::new, |key| format!(" of {key}"));
    let what = if moved.count == 1 {
        let on = first.node.as_ref().map_or_else(String::new, |node| format!(" on {node}"));
        format!("{} {}{on}", group.verb, first.object)
    } else {
        let what = if group.pod { "pod" } else { "object" };
        format!("{} {}{name}", group.verb, counted(moved.count, what))
    };
    let line = match &*group.verb {
        "create" => paint.good(format!("+ {what}")),
        "delete" | "evict" | "preempt" => paint.bad(format!("- {what}")),
        _ => paint.changed(format!("~ {what}")),
    };
    writeln!(out, "  {line}")?;
    let reason = if moved.count == 1 { first.reason() } else { group.of_all() };
    writeln!(out, "      {} {}", visible(&reason), paint.dim(format!("[{}]", group.rule)))?;
    if let Some(cause) = &group.cause {
        writeln!(out, "      {}", visible(cause))?;
    }
    if moved.count > 1 {
        let on = moved.first.iter().map(|it| match &it.node {
            Some(node) => node.to_string(),
            None => it.object.to_string(),
        });
        let mut on: Vec<String> = on.collect();
        if moved.count > on.len() {
            on.push(format!("and {} more", moved.count - on.len()));
        }
        writeln!(out, "      {}", paint.dim(visible(&on.join(", "))))?;
    }
    Ok(())
}

/// A path from `here` on, if it is below.
fn shown(file: &str, here: Option<&Path>) -> String {
    let below = here.and_then(|here| Path::new(file).strip_prefix(here).ok());
    match below {
        Some(below) if below.as_os_str().is_empty() => ".".to_owned(),
        Some(below) => below.display().to_string(),
        None => file.to_owned(),
    }
}

/// All runs, for programs.
#[must_use]
pub fn log_document(logged: &Logged) -> Value {
    let runs: Vec<Value> = logged.runs.iter().map(run_document).collect();
    json!({ "apiVersion": API_VERSION, "kind": "Log", "runs": runs, "more": logged.more })
}

/// A run, for programs.
#[must_use]
pub fn run_document(log: &RunLog) -> Value {
    #[derive(Serialize)]
    struct Files<'a> {
        path: &'a str,
        sha256: &'a str,
    }
    let run = &log.run;
    let files: Vec<_> = run.files.iter().map(|(path, sha256)| Files { path, sha256 }).collect();
    let led: Vec<_> = log.led.iter().map(led_document).collect();
    let moves: Vec<_> = log.groups.iter().map(moved_document).collect();
    json!({
        "run": run.run, "time": timestamp(run.time), "command": run.command, "user": run.user,
        "host": run.host, "input": run.input.lines().collect::<Vec<_>>(), "files": files,
        "came": run.came, "went": run.went, "changed": led, "rules": log.rules, "moves": moves,
    })
}

fn led_document(led: &Led) -> Value {
    let mut document = json!({
        "kind": led.kind.name(), "namespace": &*led.key.namespace, "name": &*led.key.name,
        "change": led.change, "file": led.file, "line": (led.line > 0).then_some(led.line),
    });
    if led.change == Change::Configured && !led.field.is_empty() {
        document["field"] = json!(led.field);
        document["was"] = json!(led.was);
        document["is"] = json!(led.is);
    }
    document
}

fn moved_document(moved: &Moved) -> Value {
    let Some(first) = moved.first.first() else { return Value::Null };
    let group = &first.group;
    let objects: Vec<_> = moved
        .first
        .iter()
        .map(|it| {
            json!({ "namespace": &*it.object.namespace, "name": &*it.object.name, "node": it.node,
                "reason": it.reason() })
        })
        .collect();
    json!({
        "verb": group.verb, "daemonset": group.daemonset.as_ref().map(ToString::to_string),
        "rule": group.rule, "cause": group.cause, "count": moved.count, "objects": objects,
    })
}
