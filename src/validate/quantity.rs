//! Resource quantities: `500m`, `1.5Gi`, `2e3`.
//!
//! Kept exactly, in billionths, as an API server does: what is smaller is rounded up,
//! what is larger than 2^63-1 is cut to it.

use serde_json::Value;

const NANO: i128 = 1_000_000_000;
const MOST: i128 = i64::MAX as i128 * NANO;

/// An amount of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Quantity {
    nanos: i128,
}

impl Quantity {
    /// The quantity that a manifest has; `None` if it is none.
    pub(super) fn of(value: &Value) -> Option<Quantity> {
        match value {
            Value::String(text) => Quantity::parse(text),
            Value::Number(number) => Quantity::parse(&number.to_string()),
            _ => None,
        }
    }

    /// Reads a quantity.
    pub(super) fn parse(text: &str) -> Option<Quantity> {
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let digits_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, suffix) = rest.split_at(digits_end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let scale = Scale::of(suffix)?;
        let nanos = scale.apply(whole, fraction);
        Some(Quantity { nanos: if negative { -nanos } else { nanos } })
    }

    /// Less than nothing.
    pub(super) fn is_negative(self) -> bool {
        self.nanos < 0
    }

    /// Nothing.
    pub(super) fn is_zero(self) -> bool {
        self.nanos == 0
    }

    /// Rounded up to whole thousandths, which is as fine as amounts of resources get.
    pub(super) fn to_milli(self) -> Quantity {
        const MICRO: i128 = NANO / 1000;
        let down = self.nanos.div_euclid(MICRO) * MICRO;
        let away = if self.nanos.rem_euclid(MICRO) == 0 || self.nanos < 0 { down } else { down + MICRO };
        Quantity { nanos: away }
    }

    /// Whether there is no fraction, counted in thousandths.
    pub(super) fn is_whole(self) -> bool {
        self.to_milli().nanos % NANO == 0
    }

    /// The whole value, rounded up.
    pub(super) fn value(self) -> i128 {
        let down = self.nanos.div_euclid(NANO);
        if self.nanos.rem_euclid(NANO) == 0 { down } else { down + 1 }
    }

    /// Whether it is `1` of a unit: `1`, `1k`, `1Mi`, ….
    pub(super) fn is_one_unit(text: &str) -> bool {
        let Some(quantity) = Quantity::parse(text) else { return false };
        let binary = text.ends_with('i');
        let exponent = text.bytes().any(|b| b == b'e')
            || text.bytes().filter(|b| *b == b'E').count() == 1 && !text.ends_with(['E', 'i']);
        let base: i128 = if binary { 1024 } else { 1000 };
        let mut unit = NANO;
        for power in 0..=6 {
            if quantity.nanos == unit {
                return !exponent || power == 0;
            }
            unit *= base;
        }
        false
    }
}

enum Scale {
    /// Times a power of ten.
    Ten(i32),
    /// Times a power of 1024.
    Binary(u32),
}

impl Scale {
    fn of(suffix: &str) -> Option<Scale> {
        Some(match suffix {
            "" => Scale::Ten(0),
            "n" => Scale::Ten(-9),
            "u" => Scale::Ten(-6),
            "m" => Scale::Ten(-3),
            "k" => Scale::Ten(3),
            "M" => Scale::Ten(6),
            "G" => Scale::Ten(9),
            "T" => Scale::Ten(12),
            "P" => Scale::Ten(15),
            "E" => Scale::Ten(18),
            "Ki" => Scale::Binary(1),
            "Mi" => Scale::Binary(2),
            "Gi" => Scale::Binary(3),
            "Ti" => Scale::Binary(4),
            "Pi" => Scale::Binary(5),
            "Ei" => Scale::Binary(6),
            _ => {
                let exponent = suffix.strip_prefix(['e', 'E'])?;
                Scale::Ten(exponent.parse().ok()?)
            }
        })
    }

    /// `whole.fraction` at this scale, in billionths, rounded up and cut at the top.
    fn apply(&self, whole: &str, fraction: &str) -> i128 {
        let digits = format!("{whole}{fraction}");
        let digits = digits.trim_start_matches('0');
        if digits.is_empty() {
            return 0;
        }
        let shift = match self {
            Scale::Ten(power) => i64::from(*power),
            Scale::Binary(_) => 0,
        };
        // The value is `digits` times ten to the power of `point`, in billionths.
        let point = shift + 9 - i64::try_from(fraction.len()).unwrap_or(i64::MAX / 2);
        let factor: i128 = match self {
            Scale::Ten(_) => 1,
            Scale::Binary(power) => 1024_i128.pow(*power),
        };
        if i64::try_from(digits.len()).unwrap_or(i64::MAX).saturating_add(point) > 60 {
            return MOST;
        }
        let Ok(mut value) = digits.chars().take(38).collect::<String>().parse::<i128>() else { return MOST };
        let dropped = i64::try_from(digits.chars().count().saturating_sub(38)).unwrap_or(0);
        let Some(scaled) = value.checked_mul(factor) else { return MOST };
        value = scaled;
        let mut point = point + dropped;
        while point > 0 {
            let Some(larger) = value.checked_mul(10) else { return MOST };
            value = larger;
            point -= 1;
        }
        let mut inexact = dropped > 0;
        while point < 0 && value > 0 {
            inexact |= value % 10 != 0;
            value /= 10;
            point += 1;
        }
        (value + i128::from(inexact)).min(MOST)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parse(text: &str) -> Quantity {
        Quantity::parse(text).unwrap()
    }

    #[test]
    fn quantities_of_all_forms_are_compared_exactly() {
        for (a, b) in [
            ("1", "1000m"),
            ("1Ki", "1024"),
            ("0.5", "500m"),
            ("1.5Gi", "1536Mi"),
            ("2e3", "2k"),
            ("1E", "1000P"),
            ("+1", "1"),
            (".5", "500m"),
            ("5.", "5"),
            ("1e-3", "1m"),
            ("1E3", "1k"),
        ] {
            assert_eq!(parse(a), parse(b), "{a} {b}");
        }
        assert!(parse("1Gi") > parse("1G"));
        assert!(parse("-1").is_negative() && parse("0").is_zero());
        assert!(parse("1").is_whole() && !parse("1.5").is_whole());
        assert_eq!(parse("0.0000000001"), parse("1n"));
        assert_eq!(parse("0.0001").to_milli(), parse("1m"));
        assert_eq!(parse("1e400"), parse("99999999999999999999999E"));
        assert_eq!(parse(&"9".repeat(500)), parse("1e400"));
        assert_eq!(parse("1500m").value(), 2);
        for wrong in ["", "-", ".", "1.2.3", "1 Gi", "1gi", "1KI", "Gi", "1e", "0x1", "--1", "1mm", "NaN"] {
            assert_eq!(Quantity::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn units_of_one() {
        for one in ["1", "1k", "1Mi", "1000", "1024Ki", "1E"] {
            assert!(Quantity::is_one_unit(one), "{one}");
        }
        for other in ["2", "1024", "1e3", "1m", "x"] {
            assert!(!Quantity::is_one_unit(other), "{other}");
        }
    }
}
