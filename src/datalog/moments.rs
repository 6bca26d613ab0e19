//! When rules may answer otherwise only because a number has grown: that of a clock, which
//! is the one row of a relation of one column.
//!
//! A rule that compares the clock's number with others changes its answer where the two
//! sides meet. For each way in which the other sides have values that is worked out: a side
//! is `a * clock + b` until a division in it comes to another quotient. What else a rule
//! does with the number may be another thing at any time.
//!
//! Only atoms that the compared values come from are joined, and what tests these values; so
//! a moment that is found may be one at which nothing happens, and none is missed.

use std::collections::{BTreeMap, BTreeSet};

use super::compare::{BEYOND, number, text};
use super::define::{defined, definitions};
use super::evaluation::Evaluation;
use super::functions::Function;
use super::program::{
    Arithmetic, Atom, Comparison, Expression, Literal, Operator, RelationId, Rule, Term, Variable,
};
use super::symbols::{Sym, Symbols};
use super::zones::{Shown, next as next_shown, shown};

/// When something may be otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// With any other number of the clock.
    Any,
    /// When the clock has this number, and not before.
    At(i64),
    /// With none.
    Never,
}

/// When the rules that are evaluated may answer otherwise, at the earliest, though nothing
/// but the clock's number has grown; that is `now`.
#[must_use]
pub fn next_moment<'r>(
    evaluation: &Evaluation,
    symbols: &Symbols,
    rules: impl Iterator<Item = &'r Rule>,
    clock: RelationId,
    now: i64,
) -> Moment {
    let mut next = Moment::Never;
    for rule in rules.filter(|rule| evaluation.has(rule.head.relation)) {
        next = next.min(of_rule(evaluation, symbols, rule, clock, now));
        if next == Moment::Any {
            break;
        }
    }
    next
}

fn of_rule(evaluation: &Evaluation, symbols: &Symbols, rule: &Rule, clock: RelationId, now: i64) -> Moment {
    let timed = match Timed::of(rule, clock) {
        Ok(Some(timed)) => timed,
        Ok(None) => return Moment::Never,
        Err(Untold) => return Moment::Any,
    };
    let mut next = Moment::Never;
    let mut meet = |binding: &[Sym]| {
        for comparison in &timed.compared {
            next = next.min(timed.change(comparison, binding, symbols, now));
        }
        next != Moment::Any
    };
    let body = timed.others(rule);
    if body.is_empty() {
        meet(&vec![BEYOND; rule.variables.len()]);
    } else if evaluation.solve(&body, rule.variables.len(), symbols, &mut meet).is_some() {
        // It was too much to be looked at, or the answer is known.
        return Moment::Any;
    }
    next
}

/// That it cannot be told in advance.
struct Untold;

/// A rule as it depends on the clock.
struct Timed<'r> {
    clock: RelationId,
    /// The variables that depend on it, each with what it is worth; the clock's own with nothing.
    known: BTreeMap<Variable, Option<&'r Expression>>,
    /// The comparisons that depend on it.
    compared: Vec<&'r Comparison>,
}

/// A number as it depends on the clock's: `a * clock + b`, until the clock has the number
/// `until`.
#[derive(Clone, Copy)]
struct Line {
    a: i128,
    b: i128,
    until: i128,
}

impl<'r> Timed<'r> {
    /// Nothing where it does not depend on the clock.
    fn of(rule: &'r Rule, clock: RelationId) -> Result<Option<Self>, Untold> {
        let mut timed = Timed { clock, known: BTreeMap::new(), compared: Vec::new() };
        for literal in &rule.body {
            match (literal, literal.atom().filter(|atom| atom.relation == clock)) {
                (_, None) => {}
                (Literal::Positive(Atom { terms, .. }), Some(_)) => match &terms[..] {
                    [Term::Variable(variable)] => drop(timed.known.insert(*variable, None)),
                    [Term::Any] => {}
                    _ => return Err(Untold),
                },
                (_, Some(_)) => return Err(Untold),
            }
        }
        let defining = definitions(&rule.body);
        for (at, variable) in &defining {
            let Literal::Comparison(comparison) = &rule.body[*at] else { continue };
            let value = defined(comparison, |it| it != *variable).map(|(_, value)| value);
            if let Some(value) = value.filter(|value| timed.is_timed(value.variables())) {
                timed.known.insert(*variable, Some(value));
            }
        }
        let joins = |literal: &Literal| {
            literal.atom().is_some_and(|atom| atom.relation != clock && timed.is_timed(atom.variables()))
        };
        if timed.is_timed(rule.head.variables()) || rule.body.iter().any(joins) {
            return Err(Untold);
        }
        let is_defining = |at: usize| defining.iter().any(|(defines, _)| *defines == at);
        for (at, literal) in rule.body.iter().enumerate() {
            if let Literal::Comparison(comparison) = literal
                && !is_defining(at)
                && timed.is_timed(comparison.variables())
            {
                timed.compared.push(comparison);
            }
        }
        Ok(Some(timed).filter(|timed| !timed.compared.is_empty()))
    }

    fn is_timed(&self, mut variables: impl Iterator<Item = Variable>) -> bool {
        variables.any(|variable| self.known.contains_key(&variable))
    }

    /// What gives the other values of the comparisons, and what tests these.
    fn others(&self, rule: &Rule) -> Vec<Literal> {
        let values = self.known.values().copied().flatten().flat_map(Expression::variables);
        let compared = self.compared.iter().flat_map(|comparison| comparison.variables());
        let mut wanted: BTreeSet<Variable> =
            values.chain(compared).filter(|it| !self.known.contains_key(it)).collect();
        let mut kept: BTreeSet<usize> = BTreeSet::new();
        for (at, variable) in definitions(&rule.body).into_iter().rev() {
            if let Literal::Comparison(comparison) = &rule.body[at]
                && wanted.contains(&variable)
            {
                wanted.extend(comparison.variables());
                kept.insert(at);
            }
        }
        let is_other = |literal: &Literal| match literal {
            Literal::Comparison(comparison) => !self.is_timed(comparison.variables()),
            _ => literal.atom().is_some_and(|atom| atom.relation != self.clock),
        };
        let mut bound = wanted.clone();
        for (at, literal) in rule.body.iter().enumerate().filter(|(_, literal)| is_other(literal)) {
            if let Some(atom) =
                literal.positive().filter(|atom| atom.variables().any(|it| wanted.contains(&it)))
            {
                bound.extend(atom.variables());
                kept.insert(at);
            }
        }
        let is_bound = |literal: &Literal| match literal {
            Literal::Comparison(comparison) => comparison.variables().all(|it| bound.contains(&it)),
            _ => literal.atom().is_some_and(|atom| atom.variables().all(|it| bound.contains(&it))),
        };
        kept.extend((0..rule.body.len()).filter(|at| is_other(&rule.body[*at]) && is_bound(&rule.body[*at])));
        kept.into_iter().map(|at| rule.body[at].clone()).collect()
    }

    /// When a comparison may come to hold, or hold no more.
    fn change(&self, comparison: &Comparison, binding: &[Sym], symbols: &Symbols, now: i64) -> Moment {
        if matches!(comparison.operator, Operator::Text(..)) {
            return Moment::Any;
        }
        let right: Vec<&Expression> = match &comparison.right {
            Expression::List(items) => items.iter().collect(),
            right => vec![right],
        };
        let of = |right: &Expression| -> Result<Option<i128>, Untold> {
            let days =
                (self.day(&comparison.left, binding, symbols, now)?, self.day(right, binding, symbols, now)?);
            match days {
                (Some(one), Some(other)) => return Ok(Some(one.min(other))),
                (Some(ends), None) if !self.is_timed(right.variables()) => return Ok(Some(ends)),
                (None, Some(ends)) if !self.is_timed(comparison.left.variables()) => return Ok(Some(ends)),
                _ => {}
            }
            let sides = (
                self.line(&comparison.left, binding, symbols, now)?,
                self.line(right, binding, symbols, now)?,
            );
            // What is not defined is so whatever the time is.
            let (Some(left), Some(right)) = sides else { return Ok(None) };
            let (a, b) = (left.a - right.a, left.b.checked_sub(right.b).ok_or(Untold)?);
            let until = left.until.min(right.until);
            let meets = met(a, b, comparison.operator);
            Ok(meets.into_iter().chain([until]).filter(|it| *it > i128::from(now)).min())
        };
        let mut next = Moment::Never;
        for right in right {
            match of(right) {
                Err(Untold) => return Moment::Any,
                Ok(at) => next = next.min(at.map_or(Moment::Never, moment)),
            }
        }
        next
    }

    /// The time that a function with a time zone is asked about, the zone, and until when its
    /// answer stays; nothing where there is none.
    fn there(
        &self,
        function: Function,
        items: &[Expression],
        binding: &[Sym],
        symbols: &Symbols,
        now: i64,
    ) -> Result<Option<(i128, String, i128)>, Untold> {
        let [time, zone] = items else { return Err(Untold) };
        if self.is_timed(zone.variables()) {
            return Err(Untold);
        }
        let Some(zone) = text(zone, binding, symbols) else { return Ok(None) };
        let Some(line) = self.line(time, binding, symbols, now)? else { return Ok(None) };
        if line.a != 1 {
            return Err(Untold);
        }
        let time = line.b + i128::from(now);
        let Some(ends) = next_shown(function, time, &zone) else { return Ok(None) };
        Ok(Some((time, zone, line.until.min(ends - line.b))))
    }

    /// When the day that a side names ends; nothing where it names none.
    fn day(
        &self,
        side: &Expression,
        binding: &[Sym],
        symbols: &Symbols,
        now: i64,
    ) -> Result<Option<i128>, Untold> {
        match side {
            Expression::Term(Term::Variable(variable), _) => match self.known.get(variable).copied() {
                Some(Some(value)) => self.day(value, binding, symbols, now),
                _ => Ok(None),
            },
            Expression::Call(function @ (Function::WeekdayIn | Function::DateIn), items, _) => {
                let there = self.there(*function, items, binding, symbols, now)?;
                Ok(there.map(|(.., until)| until))
            }
            _ => Ok(None),
        }
    }

    /// What an expression is worth at any time from now on; nothing where it is not defined.
    fn line(
        &self,
        expression: &Expression,
        binding: &[Sym],
        symbols: &Symbols,
        now: i64,
    ) -> Result<Option<Line>, Untold> {
        let constant = |b: Option<i128>| b.map(|b| Line { a: 0, b, until: i128::MAX });
        if !self.is_timed(expression.variables()) {
            return Ok(constant(number(expression, binding, symbols)));
        }
        let (left, sign, right) = match expression {
            Expression::Term(Term::Variable(variable), _) => {
                return match self.known.get(variable).copied().flatten() {
                    Some(value) => self.line(value, binding, symbols, now),
                    None => Ok(Some(Line { a: 1, b: 0, until: i128::MAX })),
                };
            }
            Expression::Negate(inner) => {
                let line = self.line(inner, binding, symbols, now)?;
                return Ok(line.map(|it| Line { a: -it.a, b: -it.b, ..it }));
            }
            Expression::Binary(left, sign, right) => (left, sign, right),
            // A minute stays what it is until the next one.
            Expression::Call(function @ Function::MinuteIn, items, _) => {
                let Some((time, zone, until)) = self.there(*function, items, binding, symbols, now)? else {
                    return Ok(None);
                };
                return Ok(match shown(*function, time, &zone) {
                    Some(Shown::Minute(minute)) => Some(Line { a: 0, b: minute.into(), until }),
                    _ => None,
                });
            }
            _ => return Err(Untold),
        };
        let sides = (self.line(left, binding, symbols, now)?, self.line(right, binding, symbols, now)?);
        let (Some(left), Some(right)) = sides else { return Ok(None) };
        let until = left.until.min(right.until);
        let line = |a: Option<i128>, b: Option<i128>| match (a, b) {
            (Some(a), Some(b)) => Ok(Some(Line { a, b, until })),
            _ => Err(Untold),
        };
        match sign {
            Arithmetic::Add => line(left.a.checked_add(right.a), left.b.checked_add(right.b)),
            Arithmetic::Subtract => line(left.a.checked_sub(right.a), left.b.checked_sub(right.b)),
            Arithmetic::Multiply if left.a == 0 => {
                line(right.a.checked_mul(left.b), right.b.checked_mul(left.b))
            }
            Arithmetic::Multiply if right.a == 0 => {
                line(left.a.checked_mul(right.b), left.b.checked_mul(right.b))
            }
            // It is never defined.
            Arithmetic::Divide | Arithmetic::Modulo
                if (right.a, right.b, right.until) == (0, 0, i128::MAX) =>
            {
                Ok(None)
            }
            Arithmetic::Divide | Arithmetic::Modulo if right.a == 0 && right.b != 0 => {
                let (quotient, ends) = left.quotient(right.b, now).ok_or(Untold)?;
                let until = until.min(ends);
                let rest = left.b.checked_sub(quotient.checked_mul(right.b).ok_or(Untold)?).ok_or(Untold)?;
                Ok(Some(match sign {
                    Arithmetic::Divide => Line { a: 0, b: quotient, until },
                    _ => Line { a: left.a, b: rest, until },
                }))
            }
            _ => Err(Untold),
        }
    }
}

impl Line {
    /// What it divided by `by` comes to now, and when it comes to something else.
    fn quotient(self, by: i128, now: i64) -> Option<(i128, i128)> {
        let at = |time: i128| Some(self.a.checked_mul(time)?.checked_add(self.b)? / by);
        let now = i128::from(now);
        let quotient = at(now)?;
        if self.a == 0 {
            return Some((quotient, i128::MAX));
        }
        // About zero it is the same for twice as long.
        let (mut same, mut other) = (now, now.checked_add(2 * (by / self.a).abs() + 2)?);
        while other - same > 1 {
            let middle = same + (other - same) / 2;
            if at(middle)? == quotient { same = middle } else { other = middle }
        }
        Some((quotient, other))
    }
}

/// The clock's numbers at which `a * clock + b` comes to compare with zero so, or no longer.
fn met(a: i128, b: i128, operator: Operator) -> Vec<i128> {
    let (a, b, operator) = match a {
        0 => return Vec::new(),
        1.. => (a, b, operator),
        _ => match operator {
            Operator::Less => (-a, -b, Operator::Greater),
            Operator::AtMost => (-a, -b, Operator::AtLeast),
            Operator::Greater => (-a, -b, Operator::Less),
            Operator::AtLeast => (-a, -b, Operator::AtMost),
            other => (-a, -b, other),
        },
    };
    let (below, above) = ((-b).div_euclid(a), -b.div_euclid(a));
    match operator {
        Operator::Less | Operator::AtLeast => vec![above],
        Operator::Greater | Operator::AtMost => vec![below + 1],
        _ if below == above => vec![below, below + 1],
        _ => Vec::new(),
    }
}

fn moment(at: i128) -> Moment {
    i64::try_from(at).map_or(Moment::Never, Moment::At)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::{Facts, Limits, Program, Source};
    use super::*;

    const TEXT: &str = ".type N\n.decl clock(t: number) input\n.decl made(n: N, t: number) input\n\
        .decl big(n: N) input\n.decl found(n: N) output\n";

    /// The rows of `found` at a time, and when it may be another one.
    fn at(rule: &str, now: i64) -> (Vec<String>, Moment) {
        let text = format!("{TEXT}{rule}\n");
        let loaded = Program::load(&[Source { file: "t.dl", text: &text, builtin: false, folder: "" }]);
        let program = loaded.program.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
        let mut symbols = Symbols::new();
        let mut facts = Facts::new();
        let relation = |name: &str| program.relation(name).unwrap();
        for (name, time) in [("a", 100), ("b", 130), ("c", 7), ("d", 1_000)] {
            facts.insert(relation("made"), &[symbols.text(name), symbols.number(time)]);
        }
        facts.insert(relation("big"), &[symbols.text("b")]);
        facts.insert(relation("clock"), &[symbols.number(now)]);
        let wanted = [relation("found")];
        let done = Evaluation::new(&program, &mut symbols, facts, &wanted, &Limits::default()).unwrap();
        let mut rows: Vec<String> =
            done.rows(wanted[0]).map(|row| symbols.value(row[0]).to_string()).collect();
        rows.sort();
        (rows, next_moment(&done, &symbols, program.rules(), relation("clock"), now))
    }

    const TOLD: [&str; 19] = [
        "found(N) :- made(N, T), clock(W), W < T + 30.",
        "found(N) :- made(N, T), clock(W), T + 30 <= W.",
        "found(N) :- made(N, T), clock(W), W - T > 30, W - T < 45.",
        "found(N) :- made(N, T), clock(W), Age = W - T, Age >= 20.",
        "found(N) :- made(N, T), clock(W), W = T + 12.",
        "found(N) :- made(N, T), clock(W), 2 * W != 3 * T.",
        "found(N) :- made(N, T), clock(W), (W - T) / 7 > 4.",
        "found(N) :- made(N, T), clock(W), (W - T) % 40 < 11.",
        "found(N) :- made(N, T), clock(W), -W / 9 % 3 = -(T % 2).",
        "found(N) :- made(N, T), clock(W), W > 150; made(N, T), clock(W), W in [T, 77].",
        "found(N) :- made(N, T), clock(W), big(N), W > T + 9.",
        "found(N) :- made(N, _), clock(W), !big(N), W > 111.",
        "found(N) :- made(N, T), clock(W), End = T * 2 - 50, Part = W / 20, Part > End.",
        "found(N) :- made(N, T), clock(W), W / 0 > T.",
        "found(N) :- made(N, T), clock(W), minute_in(W + T, \"Asia/Kathmandu\") % 2 = 0.",
        "found(N) :- made(N, _), clock(W), M = minute_in(W, \"UTC\"), M < 3.",
        "found(N) :- made(N, T), clock(W), weekday_in(W + 86100 - T, \"UTC\") = \"Friday\".",
        "found(N) :- made(N, T), clock(W), Day = date_in(W + 86100 - T, \"UTC\"), Day not in [\"1970-01-02\"].",
        "found(N) :- made(N, T), clock(W), T - 3 * W > -301, 500 - 2 * W <= T * 3.",
    ];

    #[test]
    fn no_answer_changes_before_the_moment_that_is_told() {
        for rule in TOLD {
            let mut now = 0;
            let mut changes = 0;
            while now < 400 {
                let (rows, next) = at(rule, now);
                let until = match next {
                    Moment::At(next) => next.min(400),
                    Moment::Never => 400,
                    Moment::Any => panic!("it can be told: {rule}"),
                };
                assert!(until > now, "{rule}: {until} after {now}");
                for time in now..until {
                    assert_eq!(at(rule, time).0, rows, "{rule}: between {now} and {until}, at {time}");
                }
                changes += 1;
                now = until;
            }
            assert!(changes < 200, "{rule} is asked {changes} times");
        }
    }

    #[test]
    fn what_cannot_be_told_may_be_at_any_time() {
        for rule in [
            ".decl age(n: N, t: number)\nage(N, A) :- made(N, T), clock(W), A = W - T.\nfound(N) :- age(N, 5).",
            "found(N) :- made(N, T), clock(T).",
            "found(N) :- made(N, T), clock(W), W * W > T.",
            "found(N) :- made(N, T), !clock(T).",
            "found(N) :- made(N, _), clock(77).",
        ] {
            assert_eq!(at(rule, 3).1, Moment::Any, "{rule}");
        }
    }

    #[test]
    fn what_the_clock_does_not_change_is_never_another_one() {
        assert_eq!(at("found(N) :- made(N, _), clock(_).", 3).1, Moment::Never);
        assert_eq!(at("found(N) :- made(N, T), clock(W), W > T.", 2_000).1, Moment::Never);
        assert_eq!(at("found(N) :- made(N, T), T > 5.", 3).1, Moment::Never);
    }
}
