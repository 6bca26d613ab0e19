//! What a page shows of an output, held against the output.

use std::sync::LazyLock;

use regex::Regex;

/// Where a built-in rule stands.
static RULE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(rules/\w+\.dl):\d+").unwrap());

/// A line that stands for any lines.
const ANY: &str = "...";

/// Whether a page shows what is printed.
pub fn fits(shown: &[String], printed: &str) -> bool {
    let printed: Vec<&str> = printed.trim_end().lines().collect();
    let last = shown.iter().rposition(|line| !line.is_empty()).map_or(0, |at| at + 1);
    lines_fit(&shown[..last], &printed)
}

fn lines_fit(shown: &[String], printed: &[&str]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((any, rest)) if any == ANY => (0..=printed.len()).any(|at| lines_fit(rest, &printed[at..])),
        Some((line, rest)) => {
            printed.split_first().is_some_and(|(said, more)| line_fits(line, said) && lines_fit(rest, more))
        }
    }
}

fn line_fits(shown: &str, printed: &str) -> bool {
    let (shown, printed) = (RULE.replace_all(shown, "$1"), RULE.replace_all(printed.trim_end(), "$1"));
    let begun = shown.strip_suffix('…').is_some_and(|begin| printed.starts_with(begin));
    begun || shown == printed
}

/// What a page shows from now on: what it shows now where that is still right but for the places
/// of rules, and otherwise as much of each piece between two `...` as can be found again.
pub fn renewed(shown: &[String], printed: &str) -> Vec<String> {
    let printed: Vec<&str> = printed.trim_end().lines().map(str::trim_end).collect();
    let blank = shown.iter().rev().take_while(|line| line.is_empty()).count();
    let pieces: Vec<&[String]> = shown[..shown.len() - blank].split(|line| line == ANY).collect();
    let (mut lines, mut at) = (Vec::new(), 0);
    for (number, piece) in pieces.iter().enumerate() {
        let rest = printed.get(at..).unwrap_or(&[]);
        let (is_first, is_last) = (number == 0, number + 1 == pieces.len());
        let from = match piece.first() {
            _ if is_first => 0,
            Some(first) => rest.iter().position(|line| line_fits(first, line)).unwrap_or(match is_last {
                true => rest.len().saturating_sub(piece.len()),
                false => rest.len(),
            }),
            None => rest.len(),
        };
        let height =
            if is_last && !piece.is_empty() || pieces.len() == 1 { rest.len() - from } else { piece.len() };
        let taken = rest.iter().skip(from).take(height);
        lines.extend(taken.zip(piece.iter().map(Some).chain(std::iter::repeat(None))).map(|(line, was)| {
            let short = was.filter(|was| was.ends_with('…') && line_fits(was, line));
            short.cloned().unwrap_or_else(|| (*line).to_owned())
        }));
        if !is_last {
            lines.push(ANY.to_owned());
        }
        at += from + height;
    }
    lines.extend(std::iter::repeat_n(String::new(), blank));
    lines
}

#[test]
fn dots_stand_for_lines_and_an_ellipsis_for_the_rest_of_one() {
    let lines = |text: &str| text.lines().map(ToOwned::to_owned).collect::<Vec<_>>();
    assert!(fits(&lines("a\n...\nd"), "a\nb\nc\nd\n"));
    assert!(fits(&lines("a\n...\nd\n"), "a\nd\n"));
    assert!(fits(&lines("a …\n"), "a long one\n") && fits(&lines("a …\n"), "a …\n"));
    assert!(fits(&lines("it  [rules/x.dl:3]"), "it  [rules/x.dl:14]\n"));
    assert!(!fits(&lines("a\n...\ne"), "a\nb\nc\nd\n") && !fits(&lines("a"), "a\nb\n") && !fits(&[], "a\n"));
    assert!(!fits(&lines("it  [own.dl:3]"), "it  [own.dl:14]\n"));
}

#[test]
fn what_is_renewed_fits_and_keeps_what_is_left_out() {
    let lines = |text: &str| text.lines().map(ToOwned::to_owned).collect::<Vec<_>>();
    for (shown, printed, renewed_to) in [
        ("a\n...\nd", "a2\nb\nc\nd\n", "a2\n...\nd"),
        ("a\n...\nd", "a\nb\nc\nd2\n", "a\n...\nd2"),
        ("a\n...\nd\n...", "a\nb\nd\ne\n", "a\n...\nd\n..."),
        ("...\nsum\n  x", "much\nsum\n  y\n  z\n", "...\nsum\n  y\n  z"),
        ("a", "a\nb\n", "a\nb"),
        ("", "a\nb\n", "a\nb"),
        ("a …", "a long\n", "a …"),
        ("[rules/x.dl:3]", "[rules/x.dl:14]\n", "[rules/x.dl:14]"),
    ] {
        assert_eq!(renewed(&lines(shown), printed).join("\n"), renewed_to);
        assert!(fits(&renewed(&lines(shown), printed), printed), "{shown}");
    }
}
