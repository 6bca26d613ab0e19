//! What is being done, on a terminal, when it takes longer than a person waits gladly.
//!
//! There is one line for the whole command; the library tells stages by name, and each rule
//! before it is run, through plain functions, so the line is kept here.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use dsrules::datalog::Rule;
use dsrules::diagnostic::visible;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What takes no longer than this is not worth a line.
const SOON: Duration = Duration::from_secs(1);

/// So often the line is drawn again.
const TICK: Duration = Duration::from_millis(120);
/// So many characters of a rule are shown.
const RULE_SHOWN: usize = 60;

static LINE: Mutex<Option<ProgressBar>> = Mutex::new(None);
/// Whether somebody looks: only then it is worth remembering which rule is run.
static WATCHED: AtomicBool = AtomicBool::new(false);
static DOES: Mutex<Doing> = Mutex::new(Doing { stage: "", rule: None });

/// What is done now.
struct Doing {
    stage: &'static str,
    /// The text of a rule, its file and its line.
    rule: Option<(Arc<str>, Arc<str>, u32)>,
}

/// Shows the line until it is dropped.
pub struct Progress(());

impl Progress {
    /// Begins, if somebody looks.
    pub fn begin(quiet: bool) -> Progress {
        if !quiet && std::io::stderr().is_terminal() {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
                bar.set_style(style);
            }
            *LINE.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
            WATCHED.store(true, Ordering::Relaxed);
            let weak = bar.downgrade();
            drop(bar);
            // Whoever is done before that has dropped it.
            thread::spawn(move || {
                thread::sleep(SOON);
                if let Some(bar) = weak.upgrade() {
                    bar.set_draw_target(ProgressDrawTarget::stderr());
                }
                while let Some(bar) = weak.upgrade() {
                    bar.set_message(DOES.lock().unwrap_or_else(PoisonError::into_inner).shown());
                    bar.tick();
                    drop(bar);
                    thread::sleep(TICK);
                }
            });
        }
        Progress(())
    }

    /// The stage that begins now.
    pub fn stage(name: &'static str) {
        let mut does = DOES.lock().unwrap_or_else(PoisonError::into_inner);
        *does = Doing { stage: name, rule: None };
    }

    /// The rule that is run now.
    pub fn rule(rule: &Rule) {
        if WATCHED.load(Ordering::Relaxed) {
            let mut does = DOES.lock().unwrap_or_else(PoisonError::into_inner);
            does.rule = Some((rule.text.clone(), rule.file.clone(), rule.line));
        }
    }
}

impl Doing {
    fn shown(&self) -> String {
        let Some((text, file, line)) = &self.rule else { return self.stage.to_owned() };
        let text: Vec<&str> = text.split_whitespace().collect();
        let text = text.join(" ");
        let cut =
            text.char_indices().nth(RULE_SHOWN).map_or(text.clone(), |(at, _)| format!("{}…", &text[..at]));
        let gap = if self.stage.is_empty() { "" } else { ": " };
        visible(&format!("{}{gap}{cut} [{file}:{line}]", self.stage)).into_owned()
    }
}

/// Takes the line away, if there is one.
pub fn clear() {
    if let Some(bar) = LINE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        clear();
        WATCHED.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_the_stage_and_the_rule() {
        let long: Arc<str> = format!("far(A, C) :-\n    far(A, B), {}.", "edge(B, C), ".repeat(9)).into();
        let mut doing = Doing { stage: "planning", rule: None };
        assert_eq!(doing.shown(), "planning");
        doing.rule = Some((long, "own.dl".into(), 3));
        let expected = "planning: far(A, C) :- far(A, B), edge(B, C), edge(B, C), edge(B, C), … [own.dl:3]";
        assert_eq!(doing.shown(), expected);
    }
}
