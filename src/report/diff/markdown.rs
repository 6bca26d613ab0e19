//! What a change does to the fleet, as a comment on a pull request.
//!
//! The first lines say all that matters; the rest is folded, and as long as there is room for.
//! Names, paths and values come from whoever wrote the change: they stand in code spans, where
//! nothing acts, and what rules say has every sign escaped, so that nobody is mentioned, no
//! picture is loaded and no table breaks.

use std::fmt::Write as _;

use super::words::{Counts, because, rollout, shortened, sign, summary, value};
use crate::app::diff::{Diff, Move};
use crate::diagnostic::{counted, visible};
use crate::kube::Name;

/// The most bytes that are written: a comment on GitHub has at most 65,536 characters.
pub const MOST: usize = 60_000;

/// What is kept for closing what was opened, and for saying what was left out.
const RESERVE: usize = 600;
/// So many names are told of a list, and so many letters of one text.
const NAMES: usize = 40;
const LETTERS: usize = 400;
/// So many daemonsets stand in the table above the folds.
const ROWS: usize = 20;

/// The whole comment; `base` and `head` are what the two sides are called.
#[must_use]
pub fn diff_markdown(diff: &Diff, base: &str, head: &str) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "### dsrules: {} → {}\n", code(&shortened(base, 80)), code(&shortened(head, 80)));
    let _ = writeln!(out, "**{}**\n", prose(&summary(diff)));
    refused(diff, &mut out);
    table(diff, &mut out);
    for (title, rows) in folds(diff) {
        fold(&title, &rows, &mut out);
    }
    out
}

/// What rules say of it, which is not folded.
fn refused(diff: &Diff, out: &mut String) {
    let mut lines = Vec::new();
    let violations = diff.outcome.violations();
    if violations > 0 {
        let what = if diff.outcome.is_refused() { "Refused" } else { "Ignored" };
        lines.push(format!("**{what}: {} of your own rules**", counted(violations, "violation")));
    }
    for judged in &diff.outcome.judged {
        let mark = if judged.is_error() { "❌" } else { "⚠️" };
        for it in judged.findings.iter().take(10) {
            let rule = if it.rule.is_empty() { String::new() } else { format!(" ({})", code(&it.rule)) };
            lines.push(format!("{mark} {}{rule}", prose(&it.sentence)));
        }
        if judged.count > 10 {
            lines.push(format!("{mark} … and {} more", judged.count - 10));
        }
    }
    lines.extend(diff.outcome.said.iter().map(|said| format!("⚠️ {}", prose(&said.message))));
    for line in &lines {
        if out.len() + line.len() < MOST / 4 {
            let _ = writeln!(out, "> {line}  ");
        }
    }
    if !lines.is_empty() {
        out.push('\n');
    }
}

/// One row a daemonset that something happens to.
fn table(diff: &Diff, out: &mut String) {
    let moved = |daemonset, gained: bool| -> usize {
        let of = diff.moves.iter().filter(|it| it.daemonset == daemonset && it.gained == gained);
        of.map(|it| it.nodes.len()).sum()
    };
    let mut rows = Vec::new();
    for (daemonset, (before, after)) in &diff.pods {
        let (gained, lost) = (moved(daemonset.clone(), true), moved(daemonset.clone(), false));
        let rollout = diff.rollouts.iter().find(|it| it.daemonset == *daemonset);
        if gained + lost == 0 && rollout.is_none() {
            continue;
        }
        let number =
            |sign: &str, count: usize| if count == 0 { String::new() } else { format!("{sign}{count}") };
        let replaced = rollout.map_or_else(String::new, |it| match it.waves.len() {
            0 => "0".to_owned(),
            1 => it.replaced().to_string(),
            waves => format!("{} in {waves} waves", it.replaced()),
        });
        rows.push(format!(
            "| {} | {before} | {after} | {} | {} | {replaced} |",
            code(&daemonset.to_string()),
            number("+", gained),
            number("−", lost)
        ));
    }
    if rows.is_empty() {
        return;
    }
    out.push_str("| DaemonSet | pods before | after | come | go | replaced |\n|---|--:|--:|--:|--:|--:|\n");
    for row in rows.iter().take(ROWS) {
        let _ = writeln!(out, "{row}");
    }
    if rows.len() > ROWS {
        let _ = writeln!(out, "\n… and {} more\n", counted(rows.len() - ROWS, "daemonset"));
    }
    out.push('\n');
}

/// What is folded: a title and its lines.
fn folds(diff: &Diff) -> Vec<(String, Vec<String>)> {
    let counts = Counts::of(diff);
    let of = |gained: bool| diff.moves.iter().filter(|it| it.gained == gained).map(moved).collect();
    let rollouts = diff.rollouts.iter();
    let rollouts =
        rollouts.map(|it| format!("- {}: {}", code(&it.daemonset.to_string()), prose(&rollout(it))));
    let waiting = diff.outcome.plan.waiting.iter();
    let waiting = waiting.map(|it| format!("- {}: {}", code(&it.daemonset.to_string()), prose(&it.reason)));
    vec![
        (format!("Pods that come ({})", counts.gained), of(true)),
        (format!("Pods that go ({})", counts.lost), of(false)),
        (format!("Pods that are replaced ({})", counts.replaced), rollouts.collect()),
        (format!("Waiting ({})", diff.outcome.plan.waiting.len()), waiting.collect()),
        (format!("Changed objects and rules ({})", diff.objects.len() + diff.own.len()), changed(diff)),
    ]
}

fn moved(it: &Move) -> String {
    let because = because(it);
    let because = if because.is_empty() { String::new() } else { format!(": {}", prose(&because)) };
    let daemonset = code(&it.daemonset.to_string());
    format!("- {daemonset} on {}{because}<br>{}", counted(it.nodes.len(), "node"), names(&it.nodes))
}

fn changed(diff: &Diff) -> Vec<String> {
    let mut lines = Vec::new();
    for it in &diff.objects {
        lines.push(format!("- {} {}", sign(it.change), code(&format!("{}/{}", it.kind.resource(), it.key))));
        for field in &it.fields {
            let (from, to) = (value(field.from.as_ref()), value(field.to.as_ref()));
            lines.push(format!("  - {}: {} → {}", code(&field.path), code(&from), code(&to)));
        }
    }
    lines.extend(diff.own.iter().map(|it| format!("- {} rules {}", sign(it.change), code(&it.file))));
    // A sign at the start of an item would be a list of its own.
    lines
        .into_iter()
        .map(|line| {
            line.replace("- + ", "- ➕ ")
                .replace("- - `", "- ➖ `")
                .replace("- - rules", "- ➖ rules")
                .replace("- ~ ", "- ✏️ ")
        })
        .collect()
}

/// A fold with as many lines as there is room for.
fn fold(title: &str, lines: &[String], out: &mut String) {
    if lines.is_empty() || out.len() + RESERVE >= MOST {
        return;
    }
    let _ = writeln!(out, "<details><summary>{title}</summary>\n");
    let mut left = lines.len();
    for line in lines {
        if out.len() + line.len() + RESERVE >= MOST {
            break;
        }
        let _ = writeln!(out, "{line}");
        left -= 1;
    }
    if left > 0 {
        let _ = writeln!(out, "\n… and {} more, which `dsrules diff -o wide` shows", counted(left, "line"));
    }
    out.push_str("\n</details>\n\n");
}

fn names(nodes: &[Name]) -> String {
    let mut told: Vec<String> = nodes.iter().take(NAMES).map(|node| code(node)).collect();
    if nodes.len() > NAMES {
        told.push(format!("and {} more", nodes.len() - NAMES));
    }
    told.join(", ")
}

/// A text in which nothing acts: a code span, whose fence is longer than any in it. A table
/// takes `\|` for a bar even there.
fn code(text: &str) -> String {
    let text = visible(&shortened(text, LETTERS)).replace(['\n', '\r'], " ").replace('|', "\\|");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let gap = if text.starts_with('`') || text.ends_with('`') || text.trim().is_empty() { " " } else { "" };
    format!("{fence}{gap}{text}{gap}{fence}")
}

/// A sentence as it is: each sign that could mean something is escaped, and what would become
/// a mention or a link is parted.
fn prose(text: &str) -> String {
    let text = visible(&shortened(text, LETTERS)).replace(['\n', '\r'], " ");
    let mut out = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '@' | '#' => {
                out.push('\\');
                out.push(c);
                out.push_str("<!-- -->");
            }
            ':' if rest.peek() == Some(&'/') => out.push_str(":<!-- -->"),
            '.' if out.to_ascii_lowercase().ends_with("www") => out.push_str("<!-- -->."),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '|' | '~' | '!' | '$' | '^' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_span_holds_any_text() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`a"), "`` `a ``");
        assert_eq!(code("a|b\nc"), "`a\\|b c`");
        assert_eq!(code(""), "`  `");
    }

    #[test]
    fn prose_mentions_nobody_and_links_nowhere() {
        assert_eq!(prose("@team #1"), "\\@<!-- -->team \\#<!-- -->1");
        assert_eq!(prose("https://x.y www.z"), "https:<!-- -->//x.y www<!-- -->.z");
        assert_eq!(prose("![x](y) <img> `c` a|b"), "\\!\\[x\\](y) &lt;img&gt; \\`c\\` a\\|b");
    }

    #[test]
    fn a_fold_ends_before_the_comment_is_too_long() {
        let lines: Vec<String> = (0..2000).map(|nth| format!("- {nth} {}", "x".repeat(100))).collect();
        let mut out = String::new();
        for _ in 0..3 {
            fold("many", &lines, &mut out);
        }
        assert!(out.len() <= MOST, "{}", out.len());
        assert_eq!(out.matches("<details>").count(), out.matches("</details>").count());
        assert!(out.contains("more, which `dsrules diff -o wide` shows"));
    }
}
