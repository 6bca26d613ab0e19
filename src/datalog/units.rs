//! Numbers with a unit: `100m`, `1.5Gi`, `30d`.

/// Seconds of Unix time.
pub(super) const TIME: &str = "Time";
/// Seconds that pass.
pub(super) const SECONDS: &str = "Seconds";
/// A minute of the day.
pub(super) const MINUTE: &str = "Minute";
/// How much of something: thousandths of a CPU, bytes, pieces.
pub(super) const AMOUNT: &str = "Amount";

/// Thousandths of a CPU.
const CPUS: [(&str, i64); 2] = [("m", 1), ("cpu", 1000)];

/// Bytes, or pieces.
const AMOUNTS: [(&str, i64); 12] = [
    ("k", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
    ("P", 1_000_000_000_000_000),
    ("E", 1_000_000_000_000_000_000),
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("Pi", 1 << 50),
    ("Ei", 1 << 60),
];

/// Seconds.
const TIMES: [(&str, i64); 5] = [("s", 1), ("min", 60), ("h", 3_600), ("d", 86_400), ("w", 604_800)];

/// What is wrong with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// There is no such unit.
    Unit,
    /// It is beyond 64 bits.
    Large,
    /// It is no whole number of what it counts.
    Fraction,
    /// It is no number at all.
    Digits,
}

/// The number that is written with one of all units, or with none.
pub(super) fn literal(text: &str) -> Result<i64, Wrong> {
    number(text, &|unit| {
        factor(&CPUS, unit).or_else(|| factor(&AMOUNTS, unit)).or_else(|| factor(&TIMES, unit))
    })
}

/// The type whose unit a number is written in, if it is: `2k` may be of anything. A text in
/// quotes is a time.
pub(super) fn unit(text: &str) -> Option<&'static str> {
    let unit = text.trim_start_matches(|c: char| !c.is_ascii_alphabetic() && c != '"');
    let is_in = |units: &[(&str, i64)]| units.iter().any(|(name, _)| *name == unit);
    if unit.starts_with('"') {
        Some(TIME)
    } else if is_in(&TIMES) {
        Some(SECONDS)
    } else if is_in(&CPUS) || is_in(&AMOUNTS) && unit.ends_with('i') {
        Some(AMOUNT)
    } else {
        None
    }
}

/// Thousandths of a CPU: `500m`, `1.5`.
pub(super) fn cpu(text: &str) -> Option<i64> {
    let of_one = |unit: &str| factor(&AMOUNTS, unit)?.checked_mul(1000);
    let own = |unit: &str| factor(&CPUS, unit).filter(|_| !unit.is_empty());
    number(text, &|unit| own(unit).or_else(|| of_one(unit))).ok()
}

/// Whole units: `64Mi`, `3`.
pub(super) fn amount(text: &str) -> Option<i64> {
    number(text, &|unit| factor(&AMOUNTS, unit)).ok()
}

/// Seconds: `90s`, `1h`, `90`.
pub(super) fn seconds(text: &str) -> Option<i64> {
    number(text, &|unit| factor(&TIMES, unit)).ok()
}

/// How many a unit of a list is; without a unit it is one.
fn factor(units: &[(&str, i64)], unit: &str) -> Option<i64> {
    if unit.is_empty() { Some(1) } else { units.iter().find(|(name, _)| *name == unit).map(|(_, it)| *it) }
}

fn number(text: &str, factor: &dyn Fn(&str) -> Option<i64>) -> Result<i64, Wrong> {
    let (minus, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let end = digits.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(digits.len());
    let (digits, unit) = digits.split_at(end);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || fraction.contains('.') || digits.ends_with('.') {
        return Err(Wrong::Digits);
    }
    let factor = i128::from(factor(unit).ok_or(Wrong::Unit)?);
    let fraction = fraction.trim_end_matches('0');
    let scale = u32::try_from(fraction.len()).ok().and_then(|places| 10i128.checked_pow(places));
    let scale = scale.filter(|scale| *scale <= 1_000_000_000_000_000_000).ok_or(Wrong::Fraction)?;
    let parsed = format!("{whole}{fraction}").parse::<i128>().map_err(|_| Wrong::Large)?;
    let product = parsed.checked_mul(factor).ok_or(Wrong::Large)?;
    if product % scale != 0 {
        return Err(Wrong::Fraction);
    }
    let value = product / scale;
    i64::try_from(if minus { -value } else { value }).map_err(|_| Wrong::Large)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_whole_one_of_what_it_counts() {
        for (text, number) in [
            ("7", 7),
            ("100m", 100),
            ("1.5cpu", 1500),
            ("64Mi", 67_108_864),
            ("1.5Gi", 1_610_612_736),
            ("2k", 2000),
            ("7Ei", 8_070_450_532_247_928_832),
            ("30s", 30),
            ("5min", 300),
            ("0.5h", 1800),
            ("30d", 2_592_000),
            ("2.0", 2),
        ] {
            assert_eq!(literal(text), Ok(number), "{text}");
        }
        for (text, of) in [
            ("7", None),
            ("2k", None),
            ("-30d", Some("Seconds")),
            ("5min", Some("Seconds")),
            ("100m", Some("Amount")),
            ("1.5Gi", Some("Amount")),
            ("\"2026-12-24\"", Some("Time")),
        ] {
            assert_eq!(unit(text), of, "{text}");
        }
        for (text, wrong) in [
            ("1.5", Wrong::Fraction),
            ("0.5s", Wrong::Fraction),
            ("8Ei", Wrong::Large),
            ("99999999999999999999", Wrong::Large),
            ("5x", Wrong::Unit),
            ("5mi", Wrong::Unit),
            ("1.2.3", Wrong::Digits),
        ] {
            assert_eq!(literal(text), Err(wrong), "{text}");
        }
        assert_eq!(
            [cpu("1.5"), cpu("500m"), cpu("2k"), cpu("64Mi"), cpu("x")],
            [Some(1500), Some(500), Some(2_000_000), Some(67_108_864_000), None]
        );
        assert_eq!(
            [amount("64Mi"), amount("3"), amount("100m"), amount("-2")],
            [Some(67_108_864), Some(3), None, Some(-2)]
        );
        assert_eq!([seconds("1h"), seconds("90"), seconds("5m")], [Some(3600), Some(90), None]);
    }
}
