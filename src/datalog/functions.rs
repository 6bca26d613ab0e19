//! What is worked out from texts.
//!
//! A function has no value where there is none to be had: the number of a text that is no
//! number, a part that is not there. Then the part of the body that needs it is false.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use regex::{Regex, RegexBuilder};

use super::units;

/// A function of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// `lower(T)`: the text in lower case.
    Lower,
    /// `length(T)`: how many characters a text has.
    Length,
    /// `split(T, "/", I)`: the part of that number, from 0, or from the end, from -1.
    Split,
    /// `to_number(T)`: the number that a text writes.
    ToNumber,
    /// `to_cpu(T)`: thousandths of a CPU, as `500m` or `1.5` writes them.
    ToCpu,
    /// `to_amount(T)`: whole units or bytes, as `64Mi` writes them.
    ToAmount,
    /// `to_seconds(T)`: a duration, as `90s` or `1h` writes it.
    ToSeconds,
    /// `to_time(T)`: seconds of Unix time.
    ToTime,
    /// `version(T)`, or `v"1.2.3"`: a version, to be compared.
    Version,
    /// `minute_in(Time, "Europe/Berlin")`: the minute of the day there.
    MinuteIn,
    /// `weekday_in(Time, "Europe/Berlin")`: the day of the week there, as `Monday`.
    WeekdayIn,
    /// `date_in(Time, "Europe/Berlin")`: the date there, as `2026-12-24`.
    DateIn,
    /// `as(X, Type)`: the same value as one of another type. The type is a text.
    As,
}

/// What kind of value an expression has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Number,
    Text,
    Version,
}

impl Function {
    /// All of them, by name.
    pub(super) const ALL: [(&'static str, Function); 13] = [
        ("lower", Function::Lower),
        ("length", Function::Length),
        ("split", Function::Split),
        ("to_number", Function::ToNumber),
        ("to_cpu", Function::ToCpu),
        ("to_amount", Function::ToAmount),
        ("to_seconds", Function::ToSeconds),
        ("to_time", Function::ToTime),
        ("version", Function::Version),
        ("minute_in", Function::MinuteIn),
        ("weekday_in", Function::WeekdayIn),
        ("date_in", Function::DateIn),
        ("as", Function::As),
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, it)| *it == self).map_or("", |(name, _)| name)
    }

    /// What it takes.
    pub(super) fn takes(self) -> &'static [Sort] {
        match self {
            Function::Split => &[Sort::Text, Sort::Text, Sort::Number],
            Function::MinuteIn | Function::WeekdayIn | Function::DateIn => &[Sort::Number, Sort::Text],
            Function::As => &[Sort::Text, Sort::Text],
            _ => &[Sort::Text],
        }
    }

    /// Whether it is about a time at some place.
    pub(super) fn has_zone(self) -> bool {
        matches!(self, Function::MinuteIn | Function::WeekdayIn | Function::DateIn)
    }

    /// How one writes it.
    pub(super) fn written(self) -> &'static str {
        match self {
            Function::Split => "a text, what parts it, and the number of the part: `split(Text, \"/\", 0)`",
            Function::MinuteIn | Function::WeekdayIn | Function::DateIn => {
                "a time in seconds and a time zone: `minute_in(Now, \"Europe/Berlin\")`"
            }
            Function::As => "a value and a type: `as(Rack, Value)`",
            _ => "one text: `lower(Text)`",
        }
    }

    /// What it gives.
    pub(super) fn gives(self) -> Sort {
        match self {
            Function::Lower | Function::Split => Sort::Text,
            Function::WeekdayIn | Function::DateIn | Function::As => Sort::Text,
            Function::Version => Sort::Version,
            _ => Sort::Number,
        }
    }
}

/// How one text is asked about another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextTest {
    /// `starts_with(T, "a")`
    StartsWith,
    /// `ends_with(T, "a")`
    EndsWith,
    /// `contains(T, "a")`
    Contains,
    /// `matches(T, "a.*")`: a regular expression finds something in the text.
    Matches,
}

impl TextTest {
    pub(super) const ALL: [(&'static str, TextTest); 4] = [
        ("starts_with", TextTest::StartsWith),
        ("ends_with", TextTest::EndsWith),
        ("contains", TextTest::Contains),
        ("matches", TextTest::Matches),
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, it)| *it == self).map_or("", |(name, _)| name)
    }

    /// Whether it holds of two texts; `matches` has its own way.
    pub(super) fn holds(self, text: &str, other: &str) -> bool {
        match self {
            TextTest::StartsWith => text.starts_with(other),
            TextTest::EndsWith => text.ends_with(other),
            TextTest::Contains => text.contains(other),
            TextTest::Matches => false,
        }
    }
}

/// A regular expression, as it was written and ready to be used.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// As it was written.
    pub written: Arc<str>,
    regex: Regex,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Eq for Pattern {}

/// The most memory that a regular expression may take.
const MAX_PATTERN: usize = 1 << 20;

impl Pattern {
    /// Reads one, or says in a line what is wrong with it.
    pub(super) fn new(written: &str) -> Result<Self, String> {
        let regex = RegexBuilder::new(written).size_limit(MAX_PATTERN).dfa_size_limit(MAX_PATTERN).build();
        let reason = |error: regex::Error| {
            let shown = error.to_string();
            let last = shown.lines().last().unwrap_or("").trim();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        };
        Ok(Pattern { written: written.into(), regex: regex.map_err(reason)? })
    }

    pub(super) fn finds(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

/// The part of that number of a text.
pub(super) fn split<'a>(text: &'a str, by: &str, at: i128) -> Option<&'a str> {
    if by.is_empty() {
        return None;
    }
    let mut parts = text.split(by);
    if let Ok(at) = usize::try_from(at) {
        return parts.nth(at);
    }
    let from_end = usize::try_from(-1 - at).ok()?;
    let count = parts.clone().count();
    parts.nth(count.checked_sub(from_end + 1)?)
}

/// The text in lower case.
pub(super) fn lower(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.chars().any(|c| c.to_lowercase().ne([c])) { text.to_lowercase().into() } else { text }
}

/// The number that a text is read as.
pub(super) fn read(function: Function, text: &str) -> Option<i64> {
    match function {
        Function::Length => i64::try_from(text.chars().count()).ok(),
        Function::ToNumber => text.parse().ok(),
        Function::ToCpu => units::cpu(text),
        Function::ToAmount => units::amount(text),
        Function::ToSeconds => units::seconds(text),
        Function::ToTime => time(text),
        _ => None,
    }
}

/// Seconds of Unix time: `2026-12-24T18:00Z`, with an offset, with `[Europe/Berlin]`, or a
/// date alone, which is its midnight in UTC.
pub(super) fn time(text: &str) -> Option<i64> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.as_second());
    }
    if let Ok(time) = text.parse::<Zoned>() {
        return Some(time.timestamp().as_second());
    }
    let is_date = text.len() == "2026-12-24".len();
    let date = text.parse::<Date>().ok().filter(|_| is_date)?;
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}

/// A version, as its parts compare: its numbers, and what comes before or after them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    numbers: Vec<u64>,
    /// Before, with the names of a pre-release, or not.
    stage: Stage,
    /// The numbers of a build, as `91` in `5.15.0-91-generic`.
    build: Vec<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Before(Vec<Name>),
    Release,
}

/// A part of a pre-release: numbers come before words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Number(u64),
    Word(String),
}

/// Words that a pre-release starts with. Other words behind a version say who built it.
const BEFORE: [&str; 8] = ["alpha", "beta", "dev", "nightly", "pre", "preview", "rc", "snapshot"];

impl Version {
    /// The version that a text is, perhaps behind `v` or `containerd://`.
    pub fn read(text: &str) -> Option<Version> {
        let text = text.rsplit_once("://").map_or(text, |(_, rest)| rest);
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        // What follows `+` says how it was built, and not what it is.
        let text = text.split_once('+').map_or(text, |(version, _)| version);
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (numbers, rest) = text.split_at(end);
        let numbers = numbers.trim_end_matches('.').split('.').map(|part| part.parse().ok());
        let mut numbers = numbers.collect::<Option<Vec<u64>>>()?;
        // `5.10` is `5.10.0`.
        while numbers.last() == Some(&0) {
            numbers.pop();
        }
        let names: Vec<&str> = rest.split(['-', '.', '~', '_']).filter(|name| !name.is_empty()).collect();
        let word = names.first().map_or("", |name| name.trim_end_matches(|c: char| c.is_ascii_digit()));
        if BEFORE.contains(&word.to_ascii_lowercase().as_str()) {
            return Some(Version { numbers, stage: Stage::Before(before(&names)), build: Vec::new() });
        }
        let build = names.iter().map_while(|name| name.parse().ok()).collect();
        Some(Version { numbers, stage: Stage::Release, build })
    }
}

/// The names of a pre-release; `rc1` is `rc.1`.
fn before(names: &[&str]) -> Vec<Name> {
    let mut found = Vec::new();
    for name in names {
        let word = name.trim_end_matches(|c: char| c.is_ascii_digit());
        if !word.is_empty() {
            found.push(Name::Word(word.to_ascii_lowercase()));
        }
        found.extend(name[word.len()..].parse().ok().map(Name::Number));
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn versions_come_one_after_the_other() {
        let rising = [
            "4.18.0-513.el8.x86_64",
            "5.4.0",
            "5.10.3-alpha",
            "5.10.3-alpha.2",
            "5.10.3-beta",
            "5.10.3-rc.2",
            "5.10.3-rc10",
            "5.10.3",
            "5.15.0-91-generic",
            "5.15.0-100-generic",
            "v5.15.1+k3s1",
            "containerd://6.0",
            "10",
        ];
        let rising: Vec<Version> = rising.iter().map(|text| Version::read(text).unwrap()).collect();
        assert!(rising.windows(2).all(|pair| pair[0] < pair[1]), "{rising:#?}");
        for (one, other) in [("5.10", "v5.10.0"), ("1.30.2+k3s1", "1.30.2"), ("1.29.3-eks-adc7111", "1.29.3")]
        {
            assert_eq!(Version::read(one), Version::read(other), "{one} {other}");
        }
        for none in ["", "latest", "v", "1..2", "-1"] {
            assert_eq!(Version::read(none), None, "{none}");
        }
    }

    #[test]
    fn times_are_read_with_and_without_a_zone() {
        assert_eq!(time("2026-12-24T18:00Z"), Some(1_798_135_200));
        assert_eq!(time("2026-12-24T18:00:00+01:00"), Some(1_798_131_600));
        assert_eq!(time("2026-12-24T18:00[Europe/Berlin]"), Some(1_798_131_600));
        assert_eq!(time("2026-12-24"), Some(1_798_070_400));
        for none in ["", "2026-12-24T18:00", "tomorrow", "2026-13-01", "2026-12-24T18:00[Nowhere/At]"] {
            assert_eq!(time(none), None, "{none}");
        }
    }

    #[test]
    fn parts_are_counted_from_both_ends() {
        let part = |at| split("a/b/c", "/", at);
        assert_eq!(
            [part(0), part(2), part(3), part(-1), part(-3), part(-4)],
            [Some("a"), Some("c"), None, Some("c"), Some("a"), None]
        );
        assert_eq!(split("abc", "", 0), None);
    }
}
