//! What is being done, on a terminal, when it takes longer than a person waits gladly.
//!
//! There is one line for the whole command; the library tells stages by name, and each rule
//! before it is run, through plain functions, so the line is kept here. Where it counts what it
//! does, the line says how far it is, how fast, and how long what is left will take.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use dsrules::datalog::Rule;
use dsrules::diagnostic::visible;
use dsrules::meter::{self, Count};
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
static DOES: Mutex<Doing> = Mutex::new(Doing { stage: "", counts: 0, rule: None });

/// Of less time nobody knows how fast it is.
const KNOWN: Duration = Duration::from_millis(500);

/// What is done now.
struct Doing {
    stage: &'static str,
    /// How many counts were begun before it.
    counts: usize,
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
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
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
                let mut pace = Pace::new(meter::now());
                while let Some(bar) = weak.upgrade() {
                    let pace = pace.follow(meter::now());
                    bar.set_message(DOES.lock().unwrap_or_else(PoisonError::into_inner).shown(pace));
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
        *does = Doing { stage: name, counts: meter::now().nth, rule: None };
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
    fn shown(&self, pace: &Pace) -> String {
        if let Some(far) = pace.far().filter(|_| pace.count.nth > self.counts) {
            return format!("{} {far}", self.stage);
        }
        let Some((text, file, line)) = &self.rule else { return self.stage.to_owned() };
        let text: Vec<&str> = text.split_whitespace().collect();
        let text = text.join(" ");
        let cut =
            text.char_indices().nth(RULE_SHOWN).map_or(text.clone(), |(at, _)| format!("{}…", &text[..at]));
        let gap = if self.stage.is_empty() { "" } else { ": " };
        visible(&format!("{}{gap}{cut} [{file}:{line}]", self.stage)).into_owned()
    }
}

/// How fast a count goes.
struct Pace {
    count: Count,
    /// When it was first seen, and what was done then.
    since: (Instant, usize),
    taken: Duration,
}

impl Pace {
    fn new(count: Count) -> Pace {
        Pace { count, since: (Instant::now(), count.done), taken: Duration::ZERO }
    }

    fn follow(&mut self, count: Count) -> &Pace {
        if count.nth != self.count.nth {
            *self = Pace::new(count);
        }
        (self.count, self.taken) = (count, self.since.0.elapsed());
        self
    }

    /// `312 of 1000, 45/s, 15 s left`; nothing of what is not counted, or done.
    #[allow(clippy::cast_precision_loss)] // of a pace that is shown
    fn far(&self) -> Option<String> {
        let Count { done, all, .. } = self.count;
        let left = all.checked_sub(done).filter(|left| *left > 0)?;
        let far = format!("{done} of {all}");
        let new = done.saturating_sub(self.since.1);
        if new == 0 || self.taken < KNOWN {
            return Some(far);
        }
        let rate = new as f64 / self.taken.as_secs_f64();
        let pace = if rate < 10.0 { format!("{rate:.1}") } else { format!("{rate:.0}") };
        let seconds = Duration::try_from_secs_f64(left as f64 / rate).map_or(u64::MAX, |left| left.as_secs());
        let time = match seconds {
            0..60 => format!("{} s", seconds.max(1)),
            60..3600 => format!("{} min", seconds.div_ceil(60)),
            _ => format!("{} h", seconds.div_ceil(3600)),
        };
        Some(format!("{far}, {pace}/s, {time} left"))
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
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_line_names_the_stage_and_the_rule() {
        let long: Arc<str> = format!("far(A, C) :-\n    far(A, B), {}.", "edge(B, C), ".repeat(9)).into();
        let mut doing = Doing { stage: "planning", counts: 1, rule: None };
        let pace = &Pace::new(Count { nth: 1, done: 3, all: 9 });
        assert_eq!(doing.shown(pace), "planning");
        doing.rule = Some((long, "own.dl".into(), 3));
        let expected = "planning: far(A, C) :- far(A, B), edge(B, C), edge(B, C), edge(B, C), … [own.dl:3]";
        assert_eq!(doing.shown(pace), expected);
        // What is counted since the stage began says more.
        doing.counts = 0;
        assert_eq!(doing.shown(pace), "planning 3 of 9");
    }

    #[test]
    fn a_count_has_its_pace_and_the_time_that_is_left() {
        let pace = |done: usize, all: usize, seconds: f64| {
            let since = (Instant::now(), 0);
            Pace { count: Count { nth: 1, done, all }, since, taken: Duration::from_secs_f64(seconds) }.far()
        };
        assert_eq!(pace(0, 0, 3.0), None);
        assert_eq!(pace(7, 7, 3.0), None);
        assert_eq!(pace(0, 7, 3.0).unwrap(), "0 of 7");
        assert_eq!(pace(300, 1000, 4.0).unwrap(), "300 of 1000, 75/s, 9 s left");
        assert_eq!(pace(1, 1000, 4.0).unwrap(), "1 of 1000, 0.2/s, 2 h left");
        assert_eq!(pace(100, 1000, 40.0).unwrap(), "100 of 1000, 2.5/s, 6 min left");
    }
}
