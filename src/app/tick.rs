//! How often the rules of a user ask what time it is: a watcher looks again when it has
//! passed, though nothing else has changed.

use std::time::Duration;

use crate::datalog::{Atom, Literal, Program};
use crate::policy::relations;

/// What a rule of a user asks the clock for, the finest of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tick {
    /// The second (`now`).
    Second,
    /// The minute, or the day that begins with one.
    Minute,
}

impl Tick {
    /// What the rules of a user ask for; those that are built in say by themselves what
    /// waits for time.
    #[must_use]
    pub fn of(program: &Program) -> Option<Tick> {
        let own = program.rules().filter(|rule| !rule.builtin);
        let atoms = own.flat_map(|rule| &rule.body).filter_map(|part| match part {
            Literal::Positive(atom) | Literal::Negative(atom) => Some(atom),
            Literal::Comparison(_) => None,
        });
        let by_the_minute =
            [relations::minute_of_day, relations::weekday, relations::date].map(|it| program.id(it));
        let tick = |atom: &Atom| match atom.relation {
            id if id == program.id(relations::now) => Some(Tick::Second),
            id if by_the_minute.contains(&id) => Some(Tick::Minute),
            _ => None,
        };
        atoms.filter_map(tick).min()
    }

    fn seconds(self) -> i64 {
        match self {
            Tick::Second => 1,
            Tick::Minute => 60,
        }
    }

    /// Whether the answer may be another one at `now` than it was at `before`, both in
    /// seconds of Unix time.
    #[must_use]
    pub fn has_passed(self, before: i64, now: i64) -> bool {
        before.div_euclid(self.seconds()) != now.div_euclid(self.seconds())
    }

    /// How long until the answer may be another one, at `now` in seconds of Unix time.
    #[must_use]
    pub fn left(self, now: i64) -> Duration {
        let left = self.seconds() - now.rem_euclid(self.seconds());
        Duration::from_secs(left.unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::policy::builtin::{UserRules, load};

    fn of(text: &str) -> Option<Tick> {
        let own = [UserRules { file: "own.dl".to_owned(), text: text.to_owned() }];
        Tick::of(&load(&own).program.unwrap())
    }

    #[test]
    fn the_finest_question_counts() {
        assert_eq!(of(""), None);
        let early = "/// early.\nblocked(D, N) :- daemonset(D), node(N), minute_of_day(M), M < 9.\n";
        assert_eq!(of(early), Some(Tick::Minute));
        let young = "/// young.\nhold(D, N) :- daemonset(D), node_created(N, T), now(W), T + 5 > W.\n";
        assert_eq!(of(&format!("{early}{young}")), Some(Tick::Second));
        let sunday = "/// not then.\nblocked(D, N) :- daemonset(D), node(N), !weekday(\"Sunday\").\n";
        assert_eq!(of(sunday), Some(Tick::Minute));
    }

    #[test]
    fn a_minute_passes_where_the_next_begins() {
        assert!(!Tick::Minute.has_passed(60, 119));
        assert!(Tick::Minute.has_passed(119, 120));
        assert_eq!(Tick::Minute.left(119), Duration::from_secs(1));
        assert_eq!(Tick::Minute.left(120), Duration::from_secs(60));
        assert!(Tick::Minute.has_passed(120, 60), "a clock may be set back");
    }
}
