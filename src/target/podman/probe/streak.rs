//! What answers in a row come to: one bad answer does not yet make a container unwell, nor
//! one good answer well, if its probe asks for more.

/// The answers of one probe so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Streak {
    last: Option<bool>,
    length: u32,
    /// What they have come to: well, unwell, or nothing yet.
    pub(super) is_well: Option<bool>,
}

impl Streak {
    /// Hears an answer; `success` good ones or `failure` bad ones in a row settle it.
    pub(super) fn hear(&mut self, is_good: bool, success: u32, failure: u32) {
        self.length = if self.last == Some(is_good) { self.length.saturating_add(1) } else { 1 };
        self.last = Some(is_good);
        if self.length >= if is_good { success } else { failure } {
            self.is_well = Some(is_good);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each answer of `+` and `-` leaves: `?`, `+` or `-`.
    fn heard(answers: &str, success: u32, failure: u32) -> String {
        let mut streak = Streak::default();
        let hear = |answer| {
            streak.hear(answer == '+', success, failure);
            streak.is_well.map_or('?', |is_well| if is_well { '+' } else { '-' })
        };
        answers.chars().map(hear).collect()
    }

    #[test]
    fn thresholds_are_counted_in_a_row() {
        assert_eq!(heard("+-+--+---+", 1, 3), "++++++++-+");
        assert_eq!(heard("---", 1, 3), "??-");
        assert_eq!(heard("++-+++", 3, 1), "??---+");
        assert_eq!(heard("+--++", 2, 2), "??--+");
    }
}
