//! What may go on behind what is typed: commands, relations, the values of their columns,
//! variables and words of the language.

use std::collections::BTreeSet;

use dsrules::app::Questions;
use dsrules::datalog::{Program, Sort, words};

use super::commands::COMMANDS;

/// So many values are offered.
const MOST: usize = 200;

/// What may stand in place of the last bytes of what is typed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Completion {
    /// Where that begins.
    pub from: usize,
    /// How each looks in a list, and what it is.
    pub with: Vec<(String, String)>,
}

/// Where a text ends.
#[derive(Debug, Default, PartialEq, Eq)]
struct End {
    /// Where its last name begins, or the quote of a text that is not closed.
    from: usize,
    /// Whether that is a text.
    quoted: bool,
    /// The relation whose arguments are not closed, and what stands before this one.
    within: Option<(String, Vec<Option<String>>)>,
    variables: BTreeSet<String>,
}

/// All that may go on behind `typed`.
pub(super) fn complete(questions: &mut Questions, typed: &str) -> Completion {
    if typed.trim_start().starts_with(':') {
        return of_command(questions, typed);
    }
    let end = end(typed);
    let prefix = &typed[end.from..];
    let is_value = end.quoted || prefix.is_empty() || prefix.starts_with(|c: char| c.is_ascii_digit());
    let mut with = Vec::new();
    if let Some((relation, before)) = end.within.as_ref().filter(|_| is_value) {
        let values = questions.values(relation, before).into_iter();
        with.extend(values.filter(|value| value.starts_with(prefix)).take(MOST).map(|value| plain(&value)));
    }
    if !end.quoted {
        let begun = end.variables.iter().filter(|name| name.starts_with(prefix) && *name != prefix);
        with.extend(begun.map(|name| plain(name)));
        if end.within.is_none() && !prefix.is_empty() {
            with.extend(relations(questions.program(), prefix, "("));
            with.extend(words_of(typed, prefix));
        }
    }
    Completion { from: end.from, with }
}

fn plain(name: &str) -> (String, String) {
    (name.to_owned(), name.to_owned())
}

/// The words of the language that begin so: qualifiers where something is declared.
fn words_of(typed: &str, prefix: &str) -> Vec<(String, String)> {
    let declares = typed.trim_start().starts_with('.');
    let known = words().filter(|(word, sort)| match sort {
        Sort::Directive => false,
        Sort::Qualifier => declares && word.starts_with(prefix),
        _ => word.starts_with(prefix),
    });
    known.map(|(word, _)| plain(word)).collect()
}

/// Relations for users that begin so, their own first; and those of the tool's own rules where
/// nothing else does.
fn relations(program: &Program, prefix: &str, behind: &str) -> Vec<(String, String)> {
    let all = |own: bool, exported: bool| {
        let all =
            program.declarations().filter(move |it| it.builtin != own && (own || it.exported == exported));
        all.filter(|it| it.name.starts_with(prefix))
            .map(|it| (it.to_string(), format!("{}{behind}", it.name)))
    };
    let found: Vec<_> = all(true, true).chain(all(false, true)).collect();
    if found.is_empty() { all(false, false).collect() } else { found }
}

fn of_command(questions: &mut Questions, typed: &str) -> Completion {
    let start = typed.len() - typed.trim_start().len();
    let Some((command, rest)) = typed[start..].split_once(char::is_whitespace) else {
        let named = COMMANDS.iter().filter(|(name, ..)| name.starts_with(&typed[start..]));
        let shown = |(name, takes, _): &(&str, &str, &str)| (format!("{name} {takes}"), (*name).to_owned());
        return Completion { from: start, with: named.map(shown).collect() };
    };
    let from = typed.len() - rest.len();
    let prefix = rest.trim_start();
    let at = typed.len() - prefix.len();
    let words = |words: &[&str]| {
        let begun = words.iter().filter(|word| word.starts_with(prefix));
        begun.map(|word| ((*word).to_owned(), (*word).to_owned())).collect()
    };
    match command {
        ":why" => {
            let found = complete(questions, rest);
            Completion { from: from + found.from, ..found }
        }
        ":show" => Completion { from: at, with: relations(questions.program(), prefix, "") },
        ":planned" => Completion { from: at, with: words(&["on", "off"]) },
        ":limit" => Completion { from: at, with: words(&["off"]) },
        _ => Completion { from: typed.len(), with: Vec::new() },
    }
}

/// Looks at a text from its start: at what is open where it ends.
fn end(typed: &str) -> End {
    let mut end = End::default();
    let mut open = Vec::new();
    let mut name = "";
    while end.from < typed.len() {
        let rest = &typed[end.from..];
        let Some(length) = length(rest) else {
            end.quoted = rest.starts_with('"');
            break;
        };
        let token = &rest[..length];
        step(&mut open, name, token);
        if token.starts_with(|c: char| c.is_ascii_uppercase()) {
            end.variables.insert(token.to_owned());
        }
        name = if token.starts_with(is_letter) { token } else { "" };
        end.from += length;
    }
    let last = open.pop().filter(|(name, _)| !name.is_empty());
    end.within = last.map(|(name, all)| {
        let before = &all[..all.len() - 1];
        (name, before.iter().map(|text| constant(text)).collect())
    });
    end
}

/// Goes past a token: what stands in each of the arguments that are open.
fn step(open: &mut Vec<(String, Vec<String>)>, name: &str, token: &str) {
    match (token, open.last_mut()) {
        ("(", _) => open.push((name.to_owned(), vec![String::new()])),
        (")", _) => drop(open.pop()),
        (",", Some((_, all))) => all.push(String::new()),
        (_, Some((_, all))) => all.iter_mut().last().into_iter().for_each(|last| last.push_str(token)),
        _ => {}
    }
}

/// A constant, if an argument is one.
fn constant(text: &str) -> Option<String> {
    let text = text.trim();
    let is = text.starts_with('"') || text.starts_with(|c: char| c.is_ascii_digit());
    is.then(|| text.to_owned())
}

/// How long the first token of a text is; none if it may go on.
fn length(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    match first {
        '"' => quoted(text),
        c if is_letter(c) => text.find(|c| !is_letter(c)),
        c => Some(c.len_utf8()),
    }
}

fn is_letter(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == ':'
}

/// How long a text in quotes is; none if it is not closed.
fn quoted(text: &str) -> Option<usize> {
    let mut escaped = false;
    let close = text.char_indices().skip(1).find(|(_, c)| {
        let closes = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        closes
    });
    close.map(|(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_is_known() {
        let within = |typed: &str| {
            let end = end(typed);
            let (name, before) = end.within.unwrap_or_default();
            let before: Vec<String> = before.into_iter().map(|it| it.unwrap_or("_".to_owned())).collect();
            format!(
                "{name}({}) {}{}",
                before.join(","),
                &typed[end.from..],
                if end.quoted { " text" } else { "" }
            )
        };
        for (typed, expected) in [
            ("nod", "() nod"),
            ("node(", "node() "),
            ("node(N), node_label(N, \"zo", "node_label(_) \"zo text"),
            ("node_label(N, \"a,(b\", ", "node_label(_,\"a,(b\") "),
            ("node_label(\"a\", K", "node_label(\"a\") K"),
            ("node(N), ", "() "),
            ("team::far(N, 5, 1", "team::far(_,5) 1"),
        ] {
            assert_eq!(within(typed), expected, "{typed}");
        }
        assert_eq!(end("node(Node), X = \"Y\", ").variables.into_iter().collect::<Vec<_>>(), ["Node", "X"]);
    }
}
