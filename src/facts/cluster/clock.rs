//! The time as a user's rules may ask about it: the date and the hour, in UTC.

use crate::facts::encoder::Encoder;
use crate::kube::calendar;
use crate::policy::relations;

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

impl Encoder {
    /// What time it is at `now`, in seconds of Unix time.
    pub(in crate::facts) fn clock(&mut self, now: i64) {
        let (time, year) = calendar(now);
        let minute = i64::from(time.hour()) * 60 + i64::from(time.minute());
        let minute = self.symbols.number(minute);
        self.row(relations::minute_of_day, &[minute]);
        let day = time.weekday().to_monday_zero_offset();
        let day = usize::try_from(day).ok().and_then(|day| DAYS.get(day)).copied().unwrap_or("");
        let day = self.text(day);
        self.row(relations::weekday, &[day]);
        let date = [year, i64::from(time.month()), i64::from(time.day())];
        let date = date.map(|part| self.symbols.number(part));
        self.row(relations::date, &date);
    }
}
