//! `rollout history`: the templates that a daemonset had.

use std::collections::BTreeSet;
use std::io::Write as _;

use dsrules::app::rollout::{history, unknown};
use dsrules::kube::Revision;
use dsrules::report::{self, RevisionLine, Table};
use serde_json::Value;

use super::options::{Shown, Which};
use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};

/// Lists the revisions, or shows one.
pub fn run(which: &Which, revision: i64, shown: &Shown, context: &mut Context) -> Result<Exit, Failure> {
    let mut found = history(&context.database, &which.keys()?)?;
    for (_, revisions) in found.iter_mut().filter(|_| revision > 0) {
        if !revisions.iter().any(|it| it.revision == revision) {
            return Err(unknown(revision, revisions.iter().map(|it| it.revision)).into());
        }
    }
    let histories = found.iter().map(|(key, revisions)| {
        let lines = lines(revisions).into_iter().filter(|line| revision == 0 || line.revision == revision);
        (key, lines.map(|line| if revision > 0 { line } else { line.bare() }).collect())
    });
    if shown.document(&report::rollout_history_document(histories), context)? {
        return Ok(Exit::Done);
    }
    for (key, revisions) in &found {
        let name = &key.name;
        if let Some(found) = revisions.iter().find(|it| revision > 0 && it.revision == revision) {
            writeln!(context.out, "daemonset.apps/{name} with revision #{revision}")?;
            writeln!(context.fitted(), "{}", report::describe_template(template(found)))?;
            continue;
        }
        writeln!(context.out, "daemonset.apps/{name}")?;
        table(&lines(revisions)).write(&mut context.fitted(), "", true)?;
        writeln!(context.out)?;
    }
    Ok(Exit::Done)
}

/// The revisions, each with what it changed.
fn lines(revisions: &[Revision]) -> Vec<RevisionLine<'_>> {
    let mut before: Option<&Value> = None;
    let line = |it| {
        let template = template(it);
        let changed = before.replace(template).map(|before| changes(before, template));
        RevisionLine {
            revision: it.revision,
            name: &it.meta.key.name,
            change_cause: it.value["metadata"]["annotations"]["kubernetes.io/change-cause"].as_str(),
            images: images(template),
            changed,
            template: Some(template),
        }
    };
    revisions.iter().map(line).collect()
}

fn table(lines: &[RevisionLine<'_>]) -> Table {
    let mut table = Table::new(["REVISION", "CHANGE-CAUSE", "IMAGES", "CHANGED"]).gap(2);
    for it in lines {
        table.row([
            it.revision.to_string(),
            it.change_cause.unwrap_or("<none>").to_owned(),
            it.images.join(","),
            it.changed.as_ref().map_or_else(|| "-".to_owned(), |changed| listed(changed)),
        ]);
    }
    table
}

fn template(revision: &Revision) -> &Value {
    &revision.value["data"]["spec"]["template"]
}

/// The images of a template's containers, in order.
fn images(template: &Value) -> Vec<String> {
    let containers = template["spec"]["containers"].as_array().into_iter().flatten();
    containers.map(|it| it["image"].as_str().unwrap_or("<none>").to_owned()).collect()
}

/// The fields in which two templates differ, as `containers[main].image`.
fn changes(before: &Value, after: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(before, after, "", &mut found);
    found
}

fn compare(before: &Value, after: &Value, path: &str, found: &mut Vec<String>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).filter(|key| *key != "$patch").collect();
            for key in keys {
                let inner = match path {
                    // What matters stands in the spec; the rest says where it stands.
                    "" if key == "spec" => String::new(),
                    "" => key.clone(),
                    path if key.contains(['.', '/']) => format!("{path}[{key}]"),
                    path => format!("{path}.{key}"),
                };
                compare(&before[key], &after[key], &inner, found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() && names(a) == names(b) => {
            for (nth, (one, other)) in a.iter().zip(b).enumerate() {
                let name = one["name"].as_str().map_or_else(|| nth.to_string(), ToOwned::to_owned);
                compare(one, other, &format!("{path}[{name}]"), found);
            }
        }
        _ => found.push(path.to_owned()),
    }
}

fn names(list: &[Value]) -> Vec<&Value> {
    list.iter().map(|it| &it["name"]).collect()
}

/// The first few, and how many more there are.
fn listed(fields: &[String]) -> String {
    const SHOWN: usize = 3;
    let mut text = fields.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if fields.len() > SHOWN {
        text.push_str(&format!(" and {} more", fields.len() - SHOWN));
    }
    if text.is_empty() { "-".to_owned() } else { text }
}
