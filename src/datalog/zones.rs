//! Times as a clock on the wall shows them somewhere: the minute, the day, the date.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use super::functions::Function;

/// The time zone of a name, as `Europe/Berlin`.
fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

/// Whether there is a time zone of that name.
pub(super) fn is_zone(name: &str) -> bool {
    zone(name).is_some()
}

/// The names of all time zones.
pub(super) fn zones() -> Vec<String> {
    jiff::tz::db().available().map(|name| name.to_string()).collect()
}

/// What a clock shows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Minute(i64),
    Text(String),
}

/// What a function of a time gives there; not beyond the year 9999, or where there is no such
/// zone.
pub(super) fn shown(function: Function, seconds: i128, name: &str) -> Option<Shown> {
    let there = there(seconds, name)?;
    Some(match function {
        Function::MinuteIn => Shown::Minute(i64::from(there.hour()) * 60 + i64::from(there.minute())),
        Function::WeekdayIn => Shown::Text(there.strftime("%A").to_string()),
        Function::DateIn => Shown::Text(there.date().to_string()),
        _ => return None,
    })
}

/// The next time at which it gives something else.
pub(super) fn next(function: Function, seconds: i128, name: &str) -> Option<i128> {
    let there = there(seconds, name)?;
    Some(match function {
        Function::MinuteIn => seconds + 60 - i128::from(there.second()),
        _ => there.checked_add(1.day()).ok()?.start_of_day().ok()?.timestamp().as_second().into(),
    })
}

fn there(seconds: i128, name: &str) -> Option<Zoned> {
    let time = Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?;
    Some(time.to_zoned(zone(name)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-29T00:59:30Z, half a minute before clocks in Berlin go from 2 to 3.
    const BEFORE: i128 = 1_774_745_970;

    #[test]
    fn a_clock_shows_what_it_shows_there() {
        let text = |text: &str| Some(Shown::Text(text.to_owned()));
        for (zone, minute, day, date) in [
            ("UTC", 59, "Sunday", "2026-03-29"),
            ("Europe/Berlin", 119, "Sunday", "2026-03-29"),
            ("America/New_York", 20 * 60 + 59, "Saturday", "2026-03-28"),
            ("Asia/Kathmandu", 6 * 60 + 44, "Sunday", "2026-03-29"),
        ] {
            assert_eq!(shown(Function::MinuteIn, BEFORE, zone), Some(Shown::Minute(minute)), "{zone}");
            assert_eq!(shown(Function::WeekdayIn, BEFORE, zone), text(day), "{zone}");
            assert_eq!(shown(Function::DateIn, BEFORE, zone), text(date), "{zone}");
        }
        assert_eq!(shown(Function::MinuteIn, BEFORE + 30, "Europe/Berlin"), Some(Shown::Minute(180)));
        assert_eq!(shown(Function::MinuteIn, BEFORE, "Europe/Nowhere"), None);
        assert_eq!(shown(Function::MinuteIn, i128::MAX, "UTC"), None);
        assert!(is_zone("Europe/Berlin") && zones().iter().any(|it| it == "Europe/Berlin"));
    }

    #[test]
    fn what_is_next_is_told() {
        assert_eq!(next(Function::MinuteIn, BEFORE, "Europe/Berlin"), Some(BEFORE + 30));
        // The day has 23 hours.
        assert_eq!(next(Function::DateIn, BEFORE, "Europe/Berlin"), Some(BEFORE + 30 + 21 * 3600));
        assert_eq!(next(Function::WeekdayIn, BEFORE, "UTC"), Some(BEFORE + 30 + 23 * 3600));
    }
}
