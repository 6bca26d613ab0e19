//! What apply did: kubectl's line for each object, and how the daemonsets stand.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::{Detail, Look, Paint, Table};
use crate::kube::{Kind, ObjectKey, Status};
use crate::plan::{Applied, Change};

/// Objects of one kind that met the same fate and are shown one by one; of more, the
/// rest is counted.
const SHOWN: usize = 10;

/// One line for each object: `daemonset.apps/fluentd created`. Of a plan, only of those
/// that change. So many more of each kind are `unlisted`, as they are unchanged.
///
/// # Errors
/// Where writing fails.
pub fn applied(
    objects: &[Applied],
    unlisted: &BTreeMap<Kind, usize>,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Look { detail, paint, done } = look;
    let objects: Vec<&Applied> =
        objects.iter().filter(|object| done || object.change != Change::Unchanged).collect();
    let end = if done { "" } else { " (dry run)" };
    let mut counts: BTreeMap<(Kind, Change), usize> = BTreeMap::new();
    for (at, object) in objects.iter().enumerate() {
        let count = counts.entry((object.kind, object.change)).or_default();
        *count += 1;
        if *count <= SHOWN || detail == Detail::Wide {
            writeln!(
                out,
                "{}/{} {}{end}",
                object.kind.resource(),
                object.key.name,
                painted(paint, object.change, object.change.word())
            )?;
        }
        let last = objects.get(at + 1).is_none_or(|next| next.kind != object.kind);
        if last && detail == Detail::Short {
            for ((kind, change), count) in &mut counts {
                if *change == Change::Unchanged && *count > 0 {
                    *count += unlisted.get(kind).copied().unwrap_or(0);
                }
                if *count > SHOWN {
                    let rest = format!("{} more {}", *count - SHOWN, change.word());
                    writeln!(out, "{}: {}{end}", kind.resource(), painted(paint, *change, &rest))?;
                }
                *count = 0;
            }
        }
    }
    Ok(())
}

fn painted(paint: Paint, change: Change, text: &str) -> String {
    match change {
        Change::Created => paint.good(text),
        Change::Configured => paint.changed(text),
        Change::Unchanged => paint.dim(text),
        Change::Pruned | Change::Deleted => paint.bad(text),
    }
}

/// The daemonsets' statuses as a table, below an empty line.
///
/// # Errors
/// Where writing fails.
pub fn statuses(statuses: &[(ObjectKey, Status)], out: &mut dyn Write) -> io::Result<()> {
    let mut table =
        Table::new(["NAMESPACE", "DAEMONSET", "DESIRED", "CURRENT", "READY", "UP-TO-DATE", "AVAILABLE"]);
    for (key, status) in statuses {
        table.row([
            key.namespace.to_string(),
            key.name.to_string(),
            status.desired_number_scheduled.to_string(),
            status.current_number_scheduled.to_string(),
            status.number_ready.to_string(),
            status.updated_number_scheduled.to_string(),
            status.number_available.to_string(),
        ]);
    }
    if table.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    table.write(out, "", true)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn node(name: &str, change: Change) -> Applied {
        Applied { kind: Kind::Node, key: ObjectKey::new("", name), change }
    }

    fn text(objects: &[Applied], detail: Detail) -> String {
        let mut out = Vec::new();
        applied(objects, &BTreeMap::new(), Look { detail, paint: Paint(false), done: true }, &mut out)
            .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_object_has_kubectls_line() {
        let daemonset = Applied {
            kind: Kind::DaemonSet,
            key: ObjectKey::new("kube-system", "fluentd"),
            change: Change::Configured,
        };
        let objects = [node("a", Change::Unchanged), node("b", Change::Created), daemonset];
        assert_eq!(
            text(&objects, Detail::Short),
            "node/a unchanged\nnode/b created\ndaemonset.apps/fluentd configured\n"
        );
    }

    #[test]
    fn many_alike_are_counted_and_a_different_one_still_shows() {
        let mut objects: Vec<Applied> =
            (0..30).map(|n| node(&format!("n{n:02}"), Change::Unchanged)).collect();
        objects.push(node("z", Change::Created));
        let short = text(&objects, Detail::Short);
        assert!(short.ends_with("node/n09 unchanged\nnode/z created\nnode: 20 more unchanged\n"), "{short}");
        assert_eq!(text(&objects, Detail::Wide).lines().count(), 31);
    }
}
