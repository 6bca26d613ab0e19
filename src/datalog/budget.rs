//! What an evaluation may use, and what is told when it wants more.
//!
//! A rule of three lines can ask for more than any machine has. So everything that grows
//! is counted: rows that a rule looks at, over all rounds of a recursion; rows of a
//! relation, and what they take; all rows and indexes together; and time, by a clock
//! that the caller hands in. Rows are counted before they are looked at, and memory
//! while it is small, so that what is too much is refused before it is taken.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::late::MOST;
use super::program::{Program, RelationId, Rule};
use super::recorder::Recorder;
use super::source::Span;
use crate::diagnostic::Diagnostic;

/// What an evaluation may use before it is refused.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Rows of one relation: 50 million by default.
    pub rows_per_relation: usize,
    /// Rows one rule may look at in one evaluation, a recursive one in all of its rounds.
    /// Two billion by default, which is in the order of a minute.
    pub rows_per_rule: u64,
    /// Bytes of the rows of one relation: 400 MB by default, which are 50 million rows of
    /// two columns or 12 million of eight.
    pub bytes_per_relation: usize,
    /// Bytes of all rows and indexes together: 4 GB by default.
    pub bytes: usize,
    /// Whether somebody asked for so many; else whoever knows what the rules are given may
    /// give them less ([`Limits::unless_asked`]).
    pub asked: bool,
    /// How long an evaluation may take; without one, as long as its rows take.
    pub deadline: Option<Deadline>,
    /// Whoever wants to know which rule is run: told of each before it is.
    pub watch: Option<fn(&Rule)>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            rows_per_relation: 50_000_000,
            rows_per_rule: 2_000_000_000,
            bytes_per_relation: 400_000_000,
            bytes: 4_000_000_000,
            asked: false,
            deadline: None,
            watch: None,
        }
    }
}

impl Limits {
    /// The default with other bounds on the rows of a relation: who asks for more gets the
    /// memory that so many rows of two columns take.
    #[must_use]
    pub fn of_rows(rows_per_relation: usize) -> Self {
        let default = Limits::default();
        let bytes = rows_per_relation.saturating_mul(size_of::<u64>());
        Limits {
            rows_per_relation,
            bytes_per_relation: default.bytes_per_relation.max(bytes),
            bytes: default.bytes.max(bytes.saturating_mul(4)),
            asked: rows_per_relation > default.rows_per_relation,
            ..default
        }
    }

    /// The same with all rows and indexes in so many bytes.
    #[must_use]
    pub fn of_bytes(self, bytes: usize) -> Self {
        Limits { bytes, bytes_per_relation: self.bytes_per_relation.min(bytes), asked: true, ..self }
    }

    /// The same in no more than so many bytes, unless somebody asked for others.
    #[must_use]
    pub fn unless_asked(self, bytes: usize) -> Self {
        if self.asked { self } else { Limits { asked: false, ..self.of_bytes(bytes.min(self.bytes)) } }
    }
}

/// How long one evaluation, one update or one query may take: each starts anew.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    /// How long.
    pub allowed: Duration,
    /// The clock it is measured by, as `Instant::now`.
    pub clock: fn() -> Instant,
}

/// Why a run ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// It looked at more rows than it may.
    Looked,
    /// It is late.
    Late,
    /// It derived so many rows, more than a relation may have.
    Rows(usize),
    /// The rows of its head take so many bytes.
    Bytes(usize),
    /// All rows take so many bytes.
    All(usize),
    /// A number that is worked out there has more bits than it may.
    Overflow(Bits, Span),
    /// It works out more values than there may be.
    Values,
    /// Whoever takes what it finds wants no more.
    Enough,
}

/// How many bits numbers have: in a row, or on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bits {
    Row,
    Way,
}

/// The limits of one evaluation, and what is left of them.
pub(super) struct Budget {
    pub limits: Limits,
    /// When it must be done, by that clock.
    until: Option<(Instant, fn() -> Instant)>,
    /// By rule: rows that it may still look at.
    left: Vec<AtomicU64>,
    /// What counts and times the runs, if somebody asks.
    pub recorder: Option<Recorder>,
}

/// A run that began.
pub(super) struct Began {
    since: Option<Instant>,
    left: u64,
}

/// So many rows are looked at between two looks at the clock.
const BETWEEN: u64 = 1 << 18;

/// What one run of a rule may still use.
pub(super) struct Meter {
    left: Cell<u64>,
    /// The clock is looked at once no more than this is left.
    next: Cell<u64>,
    until: Option<(Instant, fn() -> Instant)>,
    stop: Cell<Option<Stop>>,
}

impl Budget {
    /// All of it, for so many rules.
    pub fn new(limits: &Limits, rules: usize) -> Self {
        let until = limits.deadline.map(|deadline| {
            let start = (deadline.clock)();
            (start.checked_add(deadline.allowed).unwrap_or(start), deadline.clock)
        });
        let left = (0..rules).map(|_| AtomicU64::new(limits.rows_per_rule)).collect();
        Budget { limits: *limits, until, left, recorder: None }
    }

    /// What is left to a rule.
    pub fn meter(&self, rule: usize) -> Meter {
        let left = self.left.get(rule).map_or(0, |left| left.load(Ordering::Relaxed));
        // Looked at once at the start: many short runs are late too.
        Meter { left: Cell::new(left), next: Cell::new(left), until: self.until, stop: Cell::new(None) }
    }

    /// A run of a rule begins: whoever watches is told, and the clock is read if somebody counts.
    pub fn begin(&self, rule: &Rule, meter: &Meter) -> Began {
        if let Some(watch) = self.limits.watch {
            watch(rule);
        }
        Began { since: self.recorder.as_ref().map(Recorder::now), left: meter.left.get() }
    }

    /// It ends, and has found so many rows.
    pub fn end(&self, rule: usize, began: &Began, meter: &Meter, found: u64) {
        if let Some((recorder, since)) = self.recorder.as_ref().zip(began.since) {
            recorder.add(rule, since, began.left.saturating_sub(meter.left.get()), found);
        }
    }

    /// Takes what a run used from what is left to its rule. No rule runs on two cores.
    pub fn take(&self, rule: usize, meter: &Meter) {
        if let Some(left) = self.left.get(rule) {
            left.store(meter.left.get(), Ordering::Relaxed);
        }
    }

    /// What is wrong with so many rows of so many bytes each, beside `held` bytes.
    pub fn refuses(&self, rows: usize, width: usize, held: impl FnOnce() -> usize) -> Option<Stop> {
        let bytes = rows.saturating_mul(width);
        if rows > self.limits.rows_per_relation {
            return Some(Stop::Rows(rows));
        }
        if bytes > self.limits.bytes_per_relation {
            return Some(Stop::Bytes(bytes));
        }
        // Less than that of everything is not worth adding everything up.
        if bytes <= self.limits.bytes / 1024 {
            return None;
        }
        let all = held().saturating_add(bytes);
        (all > self.limits.bytes).then_some(Stop::All(all))
    }

    /// What is told of a rule that was stopped, or of a relation without one to blame.
    pub fn error(&self, stop: Stop, program: &Program, id: RelationId, rule: Option<&Rule>) -> Diagnostic {
        let declaration = program.declaration(id);
        let (name, limits) = (&declaration.name, &self.limits);
        let would = |what: &str, bytes, limit| {
            let (bytes, limit) = (megabytes(bytes), megabytes(limit));
            (format!("{what} `{name}` would take at least {bytes}, the limit is {limit}"), "made")
        };
        let text =
            |span: Span| program.body.texts.get(span.source as usize).map_or("", |text| text.slice(span));
        if let Some(error) = worked_out(stop, &format!("`{name}`"), text) {
            return at(error, program, id, rule);
        }
        let (message, done) = match stop {
            Stop::Looked | Stop::Enough | Stop::Overflow(..) | Stop::Values => {
                (format!("a rule for `{name}` looks at more than {} rows", limits.rows_per_rule), "looked at")
            }
            Stop::Late => {
                let allowed = limits.deadline.map_or(Duration::ZERO, |deadline| deadline.allowed);
                (format!("a rule for `{name}` is not done after {allowed:?}"), "looked at")
            }
            Stop::Rows(rows) => {
                let limit = limits.rows_per_relation;
                (format!("`{name}` would have at least {rows} rows, the limit is {limit}"), "made")
            }
            Stop::Bytes(bytes) => would("the rows of", bytes, limits.bytes_per_relation),
            Stop::All(bytes) => would("all rows with those of", bytes, limits.bytes),
        };
        let code = if stop == Stop::Late { "rules-too-slow" } else { "too-many-rows" };
        let more = match stop {
            Stop::Bytes(_) | Stop::All(_) => "; `--max-memory` gives the rules more",
            _ => "",
        };
        let help = format!(
            "a part of the rule may share no variable with the others, so that all pairs are {done}{more}"
        );
        at(Diagnostic::error(code, message).help(help), program, id, rule)
    }
}

/// An error with the rule to blame for it, or the relation.
fn at(error: Diagnostic, program: &Program, id: RelationId, rule: Option<&Rule>) -> Diagnostic {
    match rule {
        Some(rule) => error.at(program.place(rule)).because(format!("the rule is `{}`", rule.text)),
        None => error.at(program.place_of(program.declaration(id))),
    }
}

/// What is told of a rule, or a query, that works out what it cannot. `text` is what stands at
/// a place.
pub(super) fn worked_out<'t>(stop: Stop, name: &str, text: impl Fn(Span) -> &'t str) -> Option<Diagnostic> {
    Some(match stop {
        Stop::Overflow(bits, span) => {
            let (bits, because) = match bits {
                Bits::Row => (64, format!("numbers are from {} to {}", i64::MIN, i64::MAX)),
                Bits::Way => (128, "numbers have 64 bits in a row, and 128 on the way".to_owned()),
            };
            let message = format!("a number worked out for {name} is beyond {bits} bits");
            Diagnostic::error("number-overflow", message)
                .because(format!("it comes from `{}`", text(span)))
                .because(because)
                .help("divide first, as in `sum Amount / 1000 : { … }`, or leave out what is so large: `Amount < 1000000`")
        }
        Stop::Values => Diagnostic::error(
            "too-many-values",
            format!("more than {MOST} different values are worked out, here for {name}"),
        )
        .help("a rule that counts on from its own rows needs an end: `N < 100`"),
        _ => return None,
    })
}

impl Meter {
    /// Counts a look, and the rows it is at.
    pub fn spend(&self, rows: usize) {
        let left = self.left.get().saturating_sub(1 + rows as u64);
        self.left.set(left);
        if left <= self.next.get() {
            self.check();
        }
    }

    #[cold]
    fn check(&self) {
        let left = self.left.get();
        self.next.set(left.saturating_sub(BETWEEN));
        if left == 0 {
            self.stop(Stop::Looked);
        } else if self.until.is_some_and(|(until, clock)| clock() > until) {
            self.stop(Stop::Late);
        }
    }

    /// Ends the run early.
    pub fn stop(&self, why: Stop) {
        self.stop.set(self.stop.get().or(Some(why)));
    }

    pub fn stopped(&self) -> Option<Stop> {
        self.stop.get()
    }

    pub fn is_stopped(&self) -> bool {
        self.stop.get().is_some()
    }
}

fn megabytes(bytes: usize) -> String {
    match bytes / 1_000_000 {
        0 => format!("{bytes} bytes"),
        megabytes => format!("{megabytes} MB"),
    }
}
