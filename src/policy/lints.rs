//! What rules are warned of, by name; and what a person does not want to hear.
//!
//! ```text
//!   // allow: unknown-constant        over a rule or a declaration, or behind it on its line
//!   //! allow: singleton-variable     in the head of a file: all of it
//! ```
//! An error is never silenced.

use crate::diagnostic::{Diagnostic, Place, nearest};
use crate::state::OwnFile;

/// Every warning about rules, with what it says; `docs/rules.md` has the same table.
pub const LINTS: &[(&str, &str)] = &[
    ("always-false", "a comparison, or two of them together, never hold"),
    ("always-true", "a comparison holds whatever its values are"),
    ("division-by-zero", "a rule divides by a zero that stands there"),
    ("duplicate-rule", "two rules, or two ways of one, say the same"),
    ("empty-relation", "no rule derives a relation of your own"),
    ("never-fired", "a rule derives nothing from the given cluster, before or after a plan (a note)"),
    ("no-facts", "an input of your own has no facts"),
    ("no-header", "the first line of a table of facts looks like a header and is none"),
    ("no-namespace", "a daemonset, pod or revision is named without its namespace"),
    ("shadowed-name", "a relation of your own has the name of one that the tool exports"),
    ("singleton-variable", "a variable stands at one place alone"),
    ("stray-sentence", "a sentence stands over nothing"),
    (
        "unknown-constant",
        "nothing in the given cluster has ever had a name, key or value that a rule asks for",
    ),
    ("unknown-field", "a rule asks for a field that no object of the type has"),
    ("unknown-lint", "an `allow:` names what is no lint"),
    ("unknown-name", "a fact of your own is about a node or daemonset that is not there"),
    ("unused-parameter", "no rule uses a parameter"),
    ("unused-relation", "no rule uses a relation or an input of your own"),
];

/// The name of a lint as it was typed.
///
/// # Errors
/// When there is none of that name.
pub fn lint(name: &str) -> Result<&'static str, Diagnostic> {
    if let Some((known, _)) = LINTS.iter().find(|(known, _)| *known == name) {
        return Ok(known);
    }
    let error = Diagnostic::error("unknown-lint", format!("there is no lint `{name}`"));
    Err(match nearest(name, LINTS.iter().map(|(known, _)| *known)) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("`dsrules rules check --list` names all of them"),
    })
}

/// Takes out what the texts say that nobody wants to hear.
pub fn silence(found: &mut Vec<Diagnostic>, files: &[OwnFile]) {
    if found.iter().all(Diagnostic::is_error) {
        return;
    }
    found.retain(|it| {
        let place = it.place.as_ref().filter(|_| !it.is_error());
        let file = place.and_then(|place| files.iter().find(|file| file.path == place.file));
        let allowed = place.zip(file).is_some_and(|(place, file)| allows(&file.text, place.line, it.code));
        !allowed
    });
}

/// Warns about what a text does not want to hear and nobody says: a slip of the pen would silence
/// nothing.
pub(super) fn unknown(file: &OwnFile, found: &mut Vec<Diagnostic>) {
    let mut start = 0;
    for line in file.text.split_inclusive('\n') {
        for name in line.find("//").and_then(|at| allowed(&line[at..])).into_iter().flat_map(names) {
            if let Err(error) = lint(name) {
                // Both are parts of one text.
                let at = start + (name.as_ptr() as usize - line.as_ptr() as usize);
                let place = Place::of_span(&*file.path, &file.text, at, at + name.len());
                let warning = Diagnostic::warning("unknown-lint", error.message).at(place);
                found.push(Diagnostic { help: error.help, ..warning });
            }
        }
        start += line.len();
    }
}

/// The names that a comment allows: `// allow: a, b` or `//! allow: a, b`.
fn allowed(comment: &str) -> Option<&str> {
    let comment = comment.strip_prefix("//")?;
    comment.strip_prefix('!').unwrap_or(comment).trim_start().strip_prefix("allow:")
}

fn names(listed: &str) -> impl Iterator<Item = &str> {
    listed.split(',').map(str::trim).filter(|name| !name.is_empty())
}

/// Whether a text says so of what stands on a line, or of all of it.
fn allows(text: &str, line: u32, code: &str) -> bool {
    let whole = |line: &&str| line.trim_start().starts_with("//!");
    let said = |line: &str, sign: &str| {
        let at = line.find(sign)?;
        line[at + sign.len()..]
            .trim_start()
            .strip_prefix("allow:")
            .map(|listed| names(listed).any(|name| name == code))
    };
    if text.lines().filter(whole).any(|line| said(line, "//!") == Some(true)) {
        return true;
    }
    let lines: Vec<&str> = text.lines().collect();
    let Some(at) = (line as usize).checked_sub(1).filter(|at| *at < lines.len()) else { return false };
    // What stands over it without a gap, up to where the rule before it ends.
    let is_comment = |line: &str| line.trim_start().starts_with("//");
    let ends = |line: &str| {
        let code = line.split("//").next().unwrap_or_default().trim();
        code.is_empty() || code.ends_with('.') || code.starts_with('.')
    };
    let above = lines[..at].iter().rev().take_while(|line| is_comment(line) || !ends(line));
    above.chain([&lines[at]]).any(|line| said(line, "//") == Some(true))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_comment_silences_what_it_stands_over_or_behind() {
        let text = "//! allow: no-header\na(X) :- b(X).\n// allow: x, y\n/// Says.\nc(X) :-\n    d(X).\n\ne(X) :- f(X). // allow: z\n";
        let allowed = |line, code| allows(text, line, code);
        assert!(allowed(2, "no-header") && allowed(8, "no-header"));
        assert!(allowed(5, "x") && allowed(6, "y") && allowed(8, "z"));
        assert!(!allowed(2, "x") && !allowed(8, "x") && !allowed(5, "z") && !allowed(99, "x"));
    }

    #[test]
    fn an_unknown_name_is_told_what_was_meant() {
        assert_eq!(lint("no-facts").ok(), Some("no-facts"));
        assert_eq!(lint("no-fact").unwrap_err().help.as_deref(), Some("did you mean `no-facts`?"));
    }

    #[test]
    fn the_names_are_sorted() {
        assert!(LINTS.is_sorted());
    }
}
