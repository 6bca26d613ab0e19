//! An explanation as one screen: the rules' own sentences, indented as they follow from
//! each other, each with the place of its rule.

use std::io::{self, Write};

use super::{Detail, Paint};
use crate::datalog::explain::{Attempt, Derivation, Failure, RuleRef, Subgoal, WhyNot};
use crate::explain::{Answer, Checked, Explanation};

/// Reasons deeper than this are left to [`Detail::Wide`].
const DEPTH: usize = 5;

/// Writes what the rules say of one daemonset on one node.
///
/// # Errors
/// Where writing fails.
pub fn explanation(it: &Explanation, detail: Detail, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let (daemonset, node) = (&it.daemonset, &it.node);
    let should = matches!(it.should_run, Answer::Yes(_));
    let verdict = match (should, it.pods.as_slice()) {
        (true, []) => "should run a pod here, and has none yet: the next apply creates it".to_owned(),
        (true, pods) => format!("should run a pod here, and does: {}", pods.join(", ")),
        (false, []) => "should not run a pod here, and does not".to_owned(),
        (false, pods) if matches!(it.may_stay, Some(Answer::Yes(_))) => {
            format!("would not be started here, but what is here may stay: {}", pods.join(", "))
        }
        (false, pods) => format!("should not run a pod here; the next apply deletes {}", pods.join(", ")),
    };
    writeln!(out, "{}", paint.strong(format!("{daemonset} on {node}")))?;
    writeln!(out, "  {}", if should { paint.good(verdict) } else { paint.changed(verdict) })?;
    let mut tree = Tree { lines: Vec::new(), detail };
    tree.answer(&it.should_run, 0);
    if let (false, Some(may_stay)) = (should, &it.may_stay) {
        tree.answer(may_stay, 0);
    }
    writeln!(out)?;
    tree.write(paint, out)?;
    let terms = format!("Terms of the required node affinity of {daemonset}, of which one has to match:");
    let taints = format!("Taints of {node}, all of which have to be tolerated:");
    for (heading, answers, no) in
        [(terms, &it.terms, "does not match"), (taints, &it.taints, "is not tolerated")]
    {
        if answers.is_empty() {
            continue;
        }
        writeln!(out, "\n{heading}")?;
        let mut tree = Tree { lines: Vec::new(), detail };
        for Checked { what, answer } in answers {
            match answer {
                Answer::Yes(derivation) => tree.derivation(derivation, 0),
                Answer::No(why_not) => {
                    tree.line(0, false, &format!("{what} {no}"), None);
                    tree.blockers(why_not, 1);
                }
            }
        }
        tree.write(paint, out)?;
    }
    Ok(())
}

struct Line {
    depth: usize,
    holds: bool,
    text: String,
    place: String,
}

struct Tree {
    lines: Vec<Line>,
    detail: Detail,
}

impl Tree {
    fn answer(&mut self, answer: &Answer, depth: usize) {
        match answer {
            Answer::Yes(derivation) => self.derivation(derivation, depth),
            Answer::No(why_not) => self.why_not(why_not, depth),
        }
    }

    fn line(&mut self, depth: usize, holds: bool, text: &str, rule: Option<&RuleRef>) {
        let place = rule.map(|rule| format!("{}:{}", rule.file, rule.line)).unwrap_or_default();
        let line = Line { depth, holds, text: text.to_owned(), place };
        // Rules that say the same as the one they follow from say nothing new.
        if self.lines.last().is_some_and(|last| last.text == line.text && last.holds == holds) {
            return;
        }
        self.lines.push(line);
    }

    fn too_deep(&self, depth: usize) -> bool {
        self.detail == Detail::Short && depth > DEPTH
    }

    /// A row that is there. What was written in a manifest speaks through the sentence
    /// of the rule that used it, so it has a line of its own only in full.
    fn derivation(&mut self, derivation: &Derivation, depth: usize) {
        if self.too_deep(depth) {
            return;
        }
        let shown = derivation
            .sentence
            .as_deref()
            .or_else(|| (self.detail == Detail::Wide).then_some(derivation.fact.as_str()));
        let inner = match shown {
            Some(text) => {
                self.line(depth, true, text, derivation.rule.as_ref());
                depth + 1
            }
            None => depth,
        };
        self.subgoals(&derivation.because, inner);
    }

    fn subgoals(&mut self, subgoals: &[Subgoal], depth: usize) {
        for subgoal in subgoals {
            match subgoal {
                Subgoal::Row(derivation) => self.derivation(derivation, depth),
                Subgoal::Absent(fact) if self.detail == Detail::Wide => self.line(depth, false, fact, None),
                Subgoal::Comparison(text) if self.detail == Detail::Wide => {
                    self.line(depth, true, text, None);
                }
                Subgoal::Absent(_) | Subgoal::Comparison(_) => {}
            }
        }
    }

    /// A row that is not there: each rule that could have given it, and what it missed.
    fn why_not(&mut self, why_not: &WhyNot, depth: usize) {
        if self.too_deep(depth) {
            return;
        }
        if why_not.attempts.is_empty() && self.detail == Detail::Wide {
            self.line(depth, false, &why_not.fact, None);
        }
        for attempt in &why_not.attempts {
            self.attempt(attempt, depth);
        }
    }

    /// Of a row that is not there, only what stands against it; in full, all of it.
    fn blockers(&mut self, why_not: &WhyNot, depth: usize) {
        if self.detail == Detail::Wide {
            return self.why_not(why_not, depth);
        }
        for attempt in &why_not.attempts {
            if let Failure::Blocked(derivation) = &attempt.fails {
                self.derivation(derivation, depth);
            }
        }
    }

    fn attempt(&mut self, attempt: &Attempt, depth: usize) {
        let text = attempt.sentence.as_deref().unwrap_or(&attempt.rule.text);
        self.line(depth, false, text, Some(&attempt.rule));
        if self.detail == Detail::Wide {
            self.subgoals(&attempt.holds, depth + 1);
        }
        match &attempt.fails {
            Failure::Missing(why_not) => self.why_not(why_not, depth + 1),
            Failure::Blocked(derivation) => self.derivation(derivation, depth + 1),
            Failure::Comparison(text) => self.line(depth + 1, false, text, None),
        }
    }

    /// Each line behind a sign for whether it is so, its rule's place at the right.
    fn write(&self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        let width = |line: &Line| line.depth * 2 + line.text.chars().count();
        let widest = self.lines.iter().map(width).max().unwrap_or(0).min(96);
        for line in &self.lines {
            let sign = if line.holds { paint.good("yes") } else { paint.bad("no ") };
            let gap = " ".repeat(widest.saturating_sub(width(line)) + 3);
            let indent = " ".repeat(line.depth * 2);
            let text = crate::diagnostic::visible(&line.text);
            let end = if line.place.is_empty() {
                String::new()
            } else {
                format!("{gap}{}", paint.dim(&line.place))
            };
            writeln!(out, "  {sign} {indent}{text}{end}")?;
        }
        Ok(())
    }
}
