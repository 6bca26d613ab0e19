//! Moments that are over, as they are typed.

use clap::Args;
use dsrules::kube::time;
use dsrules::state::Moment;

/// `--at`.
#[derive(Debug, Clone, Args)]
pub struct AtArgs {
    /// As it was at a moment that is over: `2h` or `30d` ago, a time in RFC 3339, or as a run of
    /// `dsrules log` left it, as `@12`
    #[arg(long, value_name = "MOMENT", value_parser = at)]
    pub at: Option<At>,
}

/// A span of time in seconds, in days too: `2h`, `90d`, `4w`.
pub fn seconds(text: &str) -> Result<i64, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let wrong = || "not a span of time; write it as `10m`, `2h`, `90d` or `4w`".to_owned();
    let number: i64 = number.parse().map_err(|_| wrong())?;
    let of = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return Err(wrong()),
    };
    number.checked_mul(of).ok_or_else(wrong)
}

/// A time that is over, or a span until now: that one is negative until it is known what is now.
pub fn past(text: &str) -> Result<i64, String> {
    let wrong = || "not a time; write `2h`, `30d`, or RFC 3339 as `2026-03-02T09:00:00Z`".to_owned();
    time(text).filter(|time| *time >= 0).or_else(|| seconds(text).ok().map(|span| -span)).ok_or_else(wrong)
}

/// The time that [`past`] meant.
pub fn span(past: i64, now: i64) -> i64 {
    if past < 0 { now.saturating_add(past) } else { past }
}

/// A moment as `--at` takes it.
#[derive(Debug, Clone, Copy)]
pub enum At {
    /// As a run left it.
    Run(u64),
    /// As [`past`] takes it.
    Time(i64),
}

impl At {
    /// The moment, and the time that it is taken to be then, where that is known.
    pub fn moment(self, now: i64) -> Moment {
        match self {
            At::Run(run) => Moment::Run(run),
            At::Time(time) => Moment::Time(span(time, now)),
        }
    }
}

/// `@12`, `2h`, or a time in RFC 3339.
pub fn at(text: &str) -> Result<At, String> {
    if let Some(run) = text.strip_prefix('@') {
        return run.parse().map(At::Run).map_err(|_| "not a run; write it as `@12`".to_owned());
    }
    past(text).map(At::Time).map_err(|_| {
        "not a moment; write `2h` or `30d` ago, RFC 3339 as `2026-03-02T09:00:00Z`, or a run as `@12`"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn moments_are_spans_times_and_runs() {
        assert_eq!(at("@7").unwrap().moment(0), Moment::Run(7));
        assert_eq!(at("2h").unwrap().moment(10_000), Moment::Time(2_800));
        assert_eq!(at("1970-01-01T00:01:00Z").unwrap().moment(10_000), Moment::Time(60));
        assert_eq!(seconds("90d").unwrap(), 7_776_000);
        for wrong in ["@", "@x", "yesterday", "2", "-2h", "2y", "9999999999999999d"] {
            assert!(at(wrong).is_err(), "{wrong}");
        }
    }
}
