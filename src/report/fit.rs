//! Lines that are no wider than a terminal: what is too long goes on below, under the last
//! column of a table or a little further in than its sentence.
//!
//! Nothing is cut off. Where the width is not known, as in a pipe, lines stay as they are.

use std::io::{self, Write};

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Narrower than this nothing is made: a line of two letters helps nobody.
const NARROWEST: usize = 20;
/// So much room a last column needs to be a column on the lines below.
const ROOM: usize = 24;

/// A writer that breaks lines which are too long.
pub struct Fit<'a> {
    out: &'a mut dyn Write,
    width: Option<usize>,
    line: Vec<u8>,
}

impl<'a> Fit<'a> {
    /// Breaks lines at a width, if there is one.
    pub fn new(out: &'a mut dyn Write, width: Option<usize>) -> Self {
        Fit { out, width: width.map(|width| width.max(NARROWEST)), line: Vec::new() }
    }

    fn line(&mut self, width: usize) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        match std::str::from_utf8(&line) {
            Ok(text) => self.out.write_all(broken(text, width).as_bytes()),
            Err(_) => self.out.write_all(&line),
        }
    }
}

impl Write for Fit<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(width) = self.width else { return self.out.write(bytes) };
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.line(width)?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(width) = self.width
            && !self.line.is_empty()
        {
            self.line(width)?;
        }
        self.out.flush()
    }
}

impl Drop for Fit<'_> {
    fn drop(&mut self) {
        // What is wrong with the output is said by whoever writes to it next.
        let _ = self.flush();
    }
}

/// What a person takes for one letter, or a colour that takes no room.
fn pieces(text: &str) -> impl Iterator<Item = (&str, usize)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.graphemes(true).next()?;
        let (end, width) = match rest.strip_prefix("\u{1b}[") {
            Some(colour) => (colour.find('m').map_or(rest.len(), |at| at + 3), 0),
            None => (first.len(), first.width()),
        };
        let (piece, behind) = rest.split_at(end);
        rest = behind;
        Some((piece, width))
    })
}

fn wide(text: &str) -> usize {
    pieces(text).map(|(_, width)| width).sum()
}

/// One line as several, each no wider than `width`.
fn broken(line: &str, width: usize) -> String {
    let text = line.strip_suffix('\n').unwrap_or(line);
    if wide(text) <= width {
        return line.to_owned();
    }
    let hang = hang(text, width);
    let mut out = String::new();
    let mut column = 0;
    for (spaces, word) in words(text) {
        let mut word = word;
        if column > 0 && column + spaces + wide(word) > width && column > hang {
            out.push('\n');
            out.push_str(&" ".repeat(hang));
            column = hang;
        } else {
            out.push_str(&" ".repeat(spaces));
            column += spaces;
        }
        while column + wide(word) > width {
            let (first, rest) = cut(word, width.saturating_sub(column).max(1));
            out.push_str(first);
            out.push('\n');
            out.push_str(&" ".repeat(hang));
            column = hang;
            word = rest;
        }
        out.push_str(word);
        column += wide(word);
    }
    out.push_str(&line[text.len()..]);
    out
}

/// Where the lines below begin: under the last column, or a little further in.
fn hang(text: &str, width: usize) -> usize {
    let mut column = 0;
    let mut last = None;
    let mut indent = 0;
    for (at, (spaces, word)) in words(text).enumerate() {
        column += spaces;
        if at == 0 {
            indent = spaces;
        } else if spaces >= 3 && column + ROOM <= width {
            last = Some(column);
        }
        column += wide(word);
    }
    last.unwrap_or_else(|| (indent + 4).min(width / 4))
}

/// Words with the spaces before each.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let trimmed = rest.trim_start_matches(' ');
        let spaces = rest.len() - trimmed.len();
        if trimmed.is_empty() {
            return None;
        }
        let (word, behind) = trimmed.split_at(trimmed.find(' ').unwrap_or(trimmed.len()));
        rest = behind;
        Some((spaces, word))
    })
}

/// A word that is too long by itself, behind a sign where one can be read on.
fn cut(word: &str, room: usize) -> (&str, &str) {
    let (mut at, mut column, mut good) = (0, 0, 0);
    for (piece, width) in pieces(word) {
        if column + width > room && at > 0 {
            break;
        }
        at += piece.len();
        column += width;
        if matches!(piece, "/" | ":" | "=" | "," | "." | "-" | "_") {
            good = at;
        }
    }
    word.split_at(if good > at / 2 { good } else { at })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Fit, wide};
    use std::io::Write;

    const LINES: &str = "✗ gpu-a-01 has the taint nvidia.com/gpu=present:NoSchedule, which logging/fluent-bit does not tolerate  [rules/placement.dl:254]
  • toleration node-role.kubernetes.io/control-plane:NoSchedule is for another key  [examples/cluster/daemonsets/logging/fluent-bit.yaml:31]
  - delete   worker-a-01   fluent-bit-7jxhg7hcqh   it may not stay on worker-a-01: it has a taint that drives out what does not tolerate it.
NAMESPACE     DAEMONSET               DESIRED   CURRENT   READY   UP-TO-DATE   AVAILABLE
short
";

    fn fitted(text: &str, width: Option<usize>) -> String {
        let mut out = Vec::new();
        let mut fit = Fit::new(&mut out, width);
        // As it comes: in pieces that end anywhere.
        for part in text.as_bytes().chunks(7) {
            fit.write_all(part).unwrap();
        }
        drop(fit);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_nothing_is_lost() {
        let letters = |text: &str| text.split_whitespace().collect::<String>();
        for width in 40..=200 {
            let out = fitted(LINES, Some(width));
            for line in out.lines() {
                assert!(wide(line) <= width, "{width}: {line}");
            }
            assert_eq!(letters(&out), letters(LINES), "{width}");
        }
        assert_eq!(fitted(LINES, None), LINES);
        assert_eq!(fitted(LINES, Some(200)), LINES);
    }

    #[test]
    fn a_last_column_goes_on_under_itself() {
        let line = "  - delete   worker-a-01   it may not stay there: it has a taint that drives it out\n";
        assert_eq!(
            fitted(line, Some(60)),
            "  - delete   worker-a-01   it may not stay there: it has a
                           taint that drives it out\n"
        );
        assert_eq!(
            fitted(line, Some(40)),
            "  - delete   worker-a-01   it may not\n             stay there: it has a taint\n             that drives it out\n"
        );
    }

    #[test]
    fn no_letter_is_broken_and_wide_ones_take_their_room() {
        let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}";
        let flag = "\u{1f1ef}\u{1f1f5}";
        let line = format!(
            "  {}  {}\n",
            "漢字かな交じり文".repeat(5),
            [family, flag, "e\u{301}"].concat().repeat(9)
        );
        for width in 20..=90 {
            let out = fitted(&line, Some(width));
            for line in out.lines() {
                assert!(wide(line) <= width, "{width}: {line}");
                assert!(!line.trim_start().starts_with(['\u{200d}', '\u{301}']), "{width}: {line}");
            }
            assert_eq!(out.matches(family).count(), 9, "{width}: {out}");
            assert_eq!(out.matches("e\u{301}").count(), 9, "{width}: {out}");
        }
    }

    #[test]
    fn colours_take_no_room() {
        let line = "\u{1b}[31m✗\u{1b}[0m \u{1b}[1mword\u{1b}[0m\n";
        assert_eq!(fitted(line, Some(20)), line);
        assert_eq!(wide(line.trim_end()), 6);
    }
}
