//! What a change does to the fleet, as a person reads it on a terminal.

use std::io::{self, Write};

use super::words::{because, rollout, sign, summary, value};
use crate::app::diff::{Diff, Move};
use crate::diagnostic::{counted, visible};
use crate::kube::Name;
use crate::report::waiting::waiting_text;
use crate::report::{Detail, Look, Paint};

/// So many nodes, and fields of an object, are named.
const SHOWN: usize = 8;

/// Writes it, from what changed to what comes of that; the last line is the sum.
///
/// # Errors
/// Where writing fails.
pub fn diff_text(diff: &Diff, look: Look, out: &mut dyn Write) -> io::Result<()> {
    changed(diff, look, out)?;
    moves(diff, look, out)?;
    rollouts(diff, look, out)?;
    let waiting = &diff.outcome.plan.waiting;
    waiting.iter().try_for_each(|it| waiting_text(it, look, out))?;
    if !waiting.is_empty() {
        writeln!(out)?;
    }
    writeln!(out, "{}", look.paint.strong(summary(diff)))
}

/// Objects and rules that are other than before.
fn changed(diff: &Diff, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if diff.objects.is_empty() && diff.own.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}", look.paint.strong("Changed"))?;
    for it in &diff.objects {
        let head = format!("{} {}", sign(it.change), it.kind.resource());
        writeln!(out, "  {}/{}", signed(sign(it.change), &head, look.paint), it.key)?;
        let shown = if look.detail == Detail::Wide { it.fields.len() } else { SHOWN.min(it.fields.len()) };
        for field in it.fields.iter().take(shown) {
            let (from, to) = (value(field.from.as_ref()), value(field.to.as_ref()));
            writeln!(out, "      {}: {} -> {}", visible(&field.path), visible(&from), visible(&to))?;
        }
        more(it.fields.len() - shown, "field", "      ", look.paint, out)?;
    }
    for it in &diff.own {
        let head = signed(sign(it.change), &format!("{} rules", sign(it.change)), look.paint);
        writeln!(out, "  {head} {}", visible(&it.file))?;
    }
    writeln!(out)
}

fn signed(sign: &str, text: &str, paint: Paint) -> String {
    match sign {
        "+" => paint.good(text),
        "-" => paint.bad(text),
        _ => paint.changed(text),
    }
}

/// Pods that come and go.
fn moves(diff: &Diff, look: Look, out: &mut dyn Write) -> io::Result<()> {
    for (gained, title, sign) in [(true, "Pods that come", "+"), (false, "Pods that go", "-")] {
        let of: Vec<&Move> = diff.moves.iter().filter(|it| it.gained == gained).collect();
        if of.is_empty() {
            continue;
        }
        writeln!(out, "{}", look.paint.strong(title))?;
        for it in of {
            let on = counted(it.nodes.len(), "node");
            let head = signed(sign, &format!("{sign} {}", it.daemonset), look.paint);
            let because = because(it);
            let because = if because.is_empty() { String::new() } else { format!(": {}", visible(&because)) };
            writeln!(out, "  {head} on {on}{because}")?;
            names(&it.nodes, look, out)?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Pods that are replaced where they are.
fn rollouts(diff: &Diff, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if diff.rollouts.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}", look.paint.strong("Pods that are replaced"))?;
    for it in &diff.rollouts {
        let head = look.paint.changed(format!("~ {}", it.daemonset));
        writeln!(out, "  {head}: {}", visible(&rollout(it)))?;
        if look.detail == Detail::Wide {
            for (wave, number) in it.waves.iter().zip(1..) {
                writeln!(out, "      wave {number}: {}", visible(&wave.join(", ")))?;
            }
        }
    }
    writeln!(out)
}

/// The names of nodes, the first of them, or all.
fn names(nodes: &[Name], look: Look, out: &mut dyn Write) -> io::Result<()> {
    let shown = if look.detail == Detail::Wide { nodes.len() } else { SHOWN.min(nodes.len()) };
    let (first, rest) = nodes.split_at(shown);
    writeln!(out, "      {}", visible(&first.join(", ")))?;
    more(rest.len(), "node", "      ", look.paint, out)
}

fn more(count: usize, noun: &str, indent: &str, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    if count == 0 {
        return Ok(());
    }
    let more = format!("… and {} more; -o wide shows all", counted(count, noun));
    writeln!(out, "{indent}{}", paint.dim(more))
}
