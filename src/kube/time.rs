//! Times as Kubernetes reads and prints them, in seconds of Unix time.
//!
//! What is a time is what Go's `time.Parse(time.RFC3339, …)` takes: the years 0000 to
//! 9999 whole, which is more than a time library's range once an offset comes in.

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
const DAY: i64 = 86_400;
/// After so many seconds, and years, the calendar is the same again.
const CYCLE: (i64, i64) = (146_097 * DAY, 400);

/// Seconds of Unix time of a time in RFC 3339, as Go reads it: an hour may have one digit,
/// fractions may follow a comma and are cut off, an offset may go to 24:60; there is no
/// second 60, and no `t` and `z`.
#[must_use]
pub fn time(text: &str) -> Option<i64> {
    let mut rest = Rest(text.as_bytes());
    let year = rest.digits(4)?;
    rest.expect(b'-')?;
    let month = rest.digits(2)?;
    rest.expect(b'-')?;
    let day = rest.digits(2)?;
    rest.expect(b'T')?;
    let hour = rest.digits(2).or_else(|| rest.digits(1)).filter(|hour| *hour < 24)?;
    rest.expect(b':')?;
    let minute = rest.digits(2).filter(|minute| *minute < 60)?;
    rest.expect(b':')?;
    let second = rest.digits(2).filter(|second| *second < 60)?;
    rest.fraction();
    let offset = rest.offset()?;
    if !rest.0.is_empty() {
        return None;
    }
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let days = date.duration_since(EPOCH.date()).as_secs();
    Some(days + span(hour, minute) + i64::from(second) - offset)
}

fn span(hours: i16, minutes: i16) -> i64 {
    i64::from(hours) * 3600 + i64::from(minutes) * 60
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn digits(&mut self, count: usize) -> Option<i16> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        let number = digits.iter().try_fold(0, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + i16::from(digit - b'0'))
        })?;
        self.0 = rest;
        Some(number)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(&[byte])?;
        Some(())
    }

    fn fraction(&mut self) {
        if let [b'.' | b',', digits @ ..] = self.0 {
            let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
            if end > 0 {
                self.0 = &digits[end..];
            }
        }
    }

    fn offset(&mut self) -> Option<i64> {
        if self.expect(b'Z').is_some() {
            return Some(0);
        }
        let sign = if self.expect(b'-').is_some() {
            -1
        } else {
            self.expect(b'+')?;
            1
        };
        let hours = self.digits(2).filter(|hours| *hours <= 24)?;
        self.expect(b':')?;
        let minutes = self.digits(2).filter(|minutes| *minutes <= 60)?;
        Some(sign * span(hours, minutes))
    }
}

/// Seconds of Unix time as Kubernetes prints them: RFC 3339, UTC, whole seconds.
#[must_use]
pub fn timestamp(seconds: i64) -> String {
    let (time, year) = calendar(seconds);
    let sign = if year < 0 { "-" } else { "" };
    format!("{sign}{:04}-{}Z", year.unsigned_abs(), time.strftime("%m-%dT%H:%M:%S"))
}

/// A time as a lease has it (metav1.MicroTime), given since the beginning of Unix time.
#[must_use]
pub fn micros(unix: std::time::Duration) -> String {
    let seconds = timestamp(i64::try_from(unix.as_secs()).unwrap_or(0));
    format!("{}.{:06}Z", seconds.trim_end_matches('Z'), unix.subsec_micros())
}

/// Seconds of Unix time on the calendar, in UTC: a time with the right day, weekday and
/// hour, and the year that it is.
#[must_use]
pub fn calendar(seconds: i64) -> (DateTime, i64) {
    // A year that the calendar knows, a number of whole cycles away.
    let (length, years) = CYCLE;
    let (cycles, within) = (seconds.div_euclid(length), seconds.rem_euclid(length));
    let time = EPOCH.checked_add(SignedDuration::from_secs(within)).unwrap_or(EPOCH);
    (time, i64::from(time.year()) + cycles * years)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_what_go_takes_for_one() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
            ("9999-12-31T23:59:59-23:59", 253_402_387_139),
            ("0000-01-01T00:00:00Z", -62_167_219_200),
            ("0001-01-01T00:00:00Z", -62_135_596_800),
            ("0000-01-01T00:00:00+24:60", -62_167_309_200),
            ("2024-02-29T12:00:00+02:00", 1_709_200_800),
            ("2026-03-02T09:00:00.999999999999Z", 1_772_442_000),
            ("2026-03-02T09:00:00,5Z", 1_772_442_000),
            ("2026-03-02T9:00:00Z", 1_772_442_000),
            ("1969-12-31T23:59:59.5Z", -1),
        ] {
            assert_eq!(time(text), Some(seconds), "{text}");
        }
    }

    #[test]
    fn no_time_is_what_go_refuses() {
        for text in [
            "",
            "now",
            "2026-03-02",
            "2026-03-02T09:00Z",
            "2026-03-02 09:00:00Z",
            "2026-03-02t09:00:00Z",
            "2026-03-02T09:00:00z",
            "2026-03-02T09:00:00",
            "2026-03-02T09:00:60Z",
            "2026-06-30T23:59:60Z",
            "2026-03-02T24:00:00Z",
            "2026-03-02T09:60:00Z",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-3-2T09:00:00Z",
            "12026-03-02T09:00:00Z",
            "-2026-03-02T09:00:00Z",
            "2026-03-02T09:00:00.Z",
            "2026-03-02T09:00:00+2:00",
            "2026-03-02T09:00:00+0200",
            "2026-03-02T09:00:00+25:00",
            "2026-03-02T09:00:00+02:61",
            "2026-03-02T09:00:00Z ",
            "2026-03-02T09:00:00+02:00[Europe/Berlin]",
            "２026-03-02T09:00:00Z",
        ] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_is_printed_as_it_was_read() {
        for text in [
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "1582-10-15T12:30:00Z",
            "1969-12-31T23:59:59Z",
            "2000-02-29T23:59:59Z",
            "9999-12-31T23:59:59Z",
        ] {
            assert_eq!(time(text).map(timestamp).as_deref(), Some(text));
        }
        assert_eq!(timestamp(253_402_300_800), "10000-01-01T00:00:00Z");
        assert_eq!(timestamp(-62_167_219_201), "-0001-12-31T23:59:59Z");
        assert!(timestamp(i64::MIN).starts_with("-2922"));
        assert!(timestamp(i64::MAX).starts_with("2922"));
    }
}
