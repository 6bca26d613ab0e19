//! Resource quantities: `500m`, `1.5Gi`, `2e3`.
//!
//! Kept exactly, in billionths, as an API server does: what is smaller is rounded up,
//! what is larger than 2^63-1 is cut to it. Written in Kubernetes' canonical form, which
//! keeps the family of the suffix: `1024Mi` is `1Gi`, `1000m` is `1`, but `1e3` is not `1k`.

use serde_json::Value;

const NANO: i128 = 1_000_000_000;
const MOST: i128 = i64::MAX as i128 * NANO;

/// A quantity of a resource as a whole number: thousandths of a CPU for `cpu` (and what
/// ends in `.cpu`), units (bytes, pieces) for everything else, rounded up as Kubernetes
/// rounds; what is too large for that is the most there is. `None` if it is no quantity.
#[must_use]
pub fn amount(resource: &str, quantity: &str) -> Option<i64> {
    let (nanos, unit) = (Quantity::parse(quantity)?.nanos, unit(resource));
    let whole = nanos.div_euclid(unit) + i128::from(nanos.rem_euclid(unit) != 0);
    Some(i64::try_from(whole).unwrap_or(if whole < 0 { i64::MIN } else { i64::MAX }))
}

/// The text of an amount, the other way round: the shortest, in powers of 1024 where it is
/// `binary` and comes out even.
#[must_use]
pub fn amount_text(resource: &str, amount: i64, binary: bool) -> String {
    Quantity { nanos: i128::from(amount) * unit(resource) }.text(binary)
}

/// To which side an amount is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// Up, as what is needed.
    Up,
    /// Down, as what is left.
    Down,
    /// To the nearer one.
    Near,
}

/// The text of an amount of bytes to one place, as a person says it: `4.8Gi`.
#[must_use]
pub fn bytes_text(amount: i128, round: Round) -> String {
    let (mut unit, mut name) = (1_i128, "");
    for next in ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"] {
        if amount >= unit * 1024 {
            (unit, name) = (unit * 1024, next);
        }
    }
    let more = match round {
        Round::Up => unit - 1,
        Round::Down => 0,
        Round::Near => unit / 2,
    };
    let tenths = (amount * 10 + more).div_euclid(unit);
    match tenths % 10 {
        0 => format!("{}{name}", tenths / 10),
        tenth => format!("{}.{tenth}{name}", tenths / 10),
    }
}

/// What is counted of a resource, in billionths.
fn unit(resource: &str) -> i128 {
    if resource == "cpu" || resource.ends_with(".cpu") { NANO / 1000 } else { NANO }
}

/// An amount of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Quantity {
    nanos: i128,
}

impl Quantity {
    /// The quantity that a manifest has; `None` if it is none.
    pub(crate) fn of(value: &Value) -> Option<Quantity> {
        match value {
            Value::String(text) => Quantity::parse(text),
            Value::Number(number) => Quantity::parse(&number.to_string()),
            _ => None,
        }
    }

    /// Reads a quantity.
    pub(crate) fn parse(text: &str) -> Option<Quantity> {
        Some(Parts::of(text)?.quantity())
    }

    /// Less than nothing.
    pub(crate) fn is_negative(self) -> bool {
        self.nanos < 0
    }

    /// Nothing.
    pub(crate) fn is_zero(self) -> bool {
        self.nanos == 0
    }

    /// Rounded up to whole thousandths, which is as fine as amounts of resources get.
    pub(crate) fn to_milli(self) -> Quantity {
        const MICRO: i128 = NANO / 1000;
        let down = self.nanos.div_euclid(MICRO) * MICRO;
        let away = if self.nanos.rem_euclid(MICRO) == 0 || self.nanos < 0 { down } else { down + MICRO };
        Quantity { nanos: away }
    }

    /// Whether there is no fraction, counted in thousandths.
    pub(crate) fn is_whole(self) -> bool {
        self.to_milli().nanos % NANO == 0
    }

    /// The whole value, rounded up.
    pub(crate) fn value(self) -> i128 {
        let down = self.nanos.div_euclid(NANO);
        if self.nanos.rem_euclid(NANO) == 0 { down } else { down + 1 }
    }

    /// Its shortest text, in powers of 1024 where it is `binary` and comes out even.
    fn text(self, binary: bool) -> String {
        if self.is_zero() {
            return "0".to_owned();
        }
        let sign = if self.is_negative() { "-" } else { "" };
        let text = if binary { self.binary() } else { None };
        text.unwrap_or_else(|| decimal(sign, self.nanos.unsigned_abs().to_string(), -9, false))
    }

    /// Its text in powers of 1024, where it is a whole number of at least one of them.
    fn binary(self) -> Option<String> {
        if self.nanos % NANO != 0 || self.nanos.abs() < 1024 * NANO {
            return None;
        }
        let (mut units, mut step) = (self.nanos.abs() / NANO, 0);
        while units % 1024 == 0 {
            units /= 1024;
            step += 1;
        }
        let suffix = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].get(step)?;
        Some(format!("{}{units}{suffix}", if self.is_negative() { "-" } else { "" }))
    }

    /// Whether it is `1` of a unit: `1`, `1k`, `1Mi`, ….
    pub(crate) fn is_one_unit(text: &str) -> bool {
        let Some(quantity) = Quantity::parse(text) else { return false };
        let binary = text.ends_with('i');
        let exponent = Parts::of(text).is_some_and(|parts| is_exponent(parts.suffix));
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

/// The parts of a quantity's text.
struct Parts<'t> {
    negative: bool,
    whole: &'t str,
    fraction: &'t str,
    suffix: &'t str,
    scale: Scale,
}

impl<'t> Parts<'t> {
    fn of(text: &'t str) -> Option<Self> {
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
        Some(Parts { negative, whole, fraction, suffix, scale })
    }

    fn quantity(&self) -> Quantity {
        let nanos = self.scale.apply(self.whole, self.fraction);
        Quantity { nanos: if self.negative { -nanos } else { nanos } }
    }

    /// The digits and the power of ten that they are of, where Kubernetes counts exactly,
    /// however large the number is: up to 18 digits, down to `least`.
    fn exact(&self, least: i64) -> Option<(String, i64)> {
        let Scale::Ten(power) = self.scale else { return None };
        let digits = format!("{}{}", self.whole.trim_start_matches('0'), self.fraction);
        let power = i64::from(power) - i64::try_from(self.fraction.len()).ok()?;
        (digits.len() <= 18 && power >= least).then_some((digits, power))
    }
}

/// How finely a quantity is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Precision {
    /// In billionths, as any quantity.
    Nano,
    /// In thousandths, as those of a list of resources (SetDefaults_ResourceList).
    Milli,
}

/// A quantity in the form in which an API server writes it (Quantity.CanonicalizeBytes);
/// `None` if it is none.
pub(super) fn canonical(text: &str, precision: Precision) -> Option<String> {
    let parts = Parts::of(text)?;
    let quantity = parts.quantity();
    if quantity.is_zero() {
        return Some("0".to_owned());
    }
    let sign = if parts.negative { "-" } else { "" };
    let (least, quantity) = match precision {
        Precision::Nano => (-9, quantity),
        Precision::Milli => (-3, quantity.to_milli()),
    };
    let (digits, power) = match parts.exact(least) {
        Some(exact) => exact,
        None => (quantity.nanos.unsigned_abs().to_string(), -9),
    };
    if matches!(parts.scale, Scale::Binary(_))
        && let Some(text) = quantity.binary()
    {
        return Some(text);
    }
    let exponent = is_exponent(parts.suffix);
    Some(decimal(sign, digits, power, exponent))
}

/// `digits` times ten to the power of `power`, with the suffix that leaves the fewest
/// digits, or an exponent.
fn decimal(sign: &str, mut digits: String, mut power: i64, exponent: bool) -> String {
    let significant = digits.trim_end_matches('0').len();
    power += i64::try_from(digits.len() - significant).unwrap_or(0);
    digits.truncate(significant);
    while power % 3 != 0 {
        digits.push('0');
        power -= 1;
    }
    let digits = digits.trim_start_matches('0');
    let suffixes = [
        (-9, "n"),
        (-6, "u"),
        (-3, "m"),
        (0, ""),
        (3, "k"),
        (6, "M"),
        (9, "G"),
        (12, "T"),
        (15, "P"),
        (18, "E"),
    ];
    match suffixes.iter().find(|(of, _)| *of == power) {
        Some((_, suffix)) if power == 0 || !exponent => format!("{sign}{digits}{suffix}"),
        _ => format!("{sign}{digits}e{power}"),
    }
}

/// Whether a suffix is an exponent, as `e3`; `E` alone is a unit.
fn is_exponent(suffix: &str) -> bool {
    suffix.len() > 1 && suffix.starts_with(['e', 'E']) && suffix != "Ei"
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
    fn bytes_are_told_to_one_place() {
        let told =
            |amount: i64| [Round::Up, Round::Down, Round::Near].map(|round| bytes_text(amount.into(), round));
        assert_eq!(told(0), ["0", "0", "0"]);
        assert_eq!(told(1023), ["1023", "1023", "1023"]);
        assert_eq!(told(8 << 30), ["8Gi", "8Gi", "8Gi"]);
        assert_eq!(told((8 << 30) - 1), ["8Gi", "7.9Gi", "8Gi"]);
        assert_eq!(told(1848 << 20), ["1.9Gi", "1.8Gi", "1.8Gi"]);
        assert_eq!(told(i64::MAX), ["8Ei", "7.9Ei", "8Ei"]);
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
    fn the_canonical_form_keeps_the_family_of_the_suffix() {
        for (text, expected) in [
            ("1000m", "1"),
            ("0.5", "500m"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("1000M", "1G"),
            (".001Ki", "1024m"),
            (".000001Ki", "1024u"),
            (".000000000001Ki", "2n"),
            ("1Ki", "1Ki"),
            ("0.5Ki", "512"),
            ("1536", "1536"),
            ("1.5Ki", "1536"),
            ("1e3", "1e3"),
            ("1E3", "1e3"),
            ("12e4", "120e3"),
            ("1000e0", "1e3"),
            ("100e-1", "10"),
            ("1k", "1k"),
            ("1000", "1k"),
            ("0010", "10"),
            ("100E", "100E"),
            ("1073741824", "1073741824"),
            ("0Ki", "0"),
            ("0.000", "0"),
            ("-2000m", "-2"),
            ("+1", "1"),
            ("0.1n", "1n"),
            ("99999999999999999999", "9223372036854775807"),
            ("8Ei", "9223372036854775807"),
            ("1.0001", "1000100u"),
        ] {
            assert_eq!(canonical(text, Precision::Nano).as_deref(), Some(expected), "{text}");
            let again = canonical(expected, Precision::Nano);
            assert_eq!(again.as_deref(), Some(expected), "{text} again");
        }
        assert_eq!(canonical("1.0001", Precision::Milli).as_deref(), Some("1001m"));
        assert_eq!(canonical("1u", Precision::Milli).as_deref(), Some("1m"));
        assert_eq!(canonical("100E", Precision::Milli).as_deref(), Some("100E"));
        assert_eq!(canonical("1x", Precision::Nano), None);
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

    #[test]
    fn quantities_are_whole_numbers() {
        for (quantity, units, millis) in [
            ("4", 4, 4000),
            ("500m", 1, 500),
            ("0.1", 1, 100),
            ("1.5", 2, 1500),
            ("16Gi", 17_179_869_184, 17_179_869_184_000),
            ("1.5Ki", 1536, 1_536_000),
            ("1e3", 1000, 1_000_000),
            ("12E2", 1200, 1_200_000),
            ("1k", 1000, 1_000_000),
            ("250u", 1, 1),
        ] {
            assert_eq!(amount("memory", quantity), Some(units), "{quantity}");
            assert_eq!(amount("cpu", quantity), Some(millis), "{quantity}");
        }
        for wrong in ["", "x", "1x", "--1", "1.2.3", "1e", "1e999999999999"] {
            assert_eq!(amount("memory", wrong), None, "{wrong}");
        }
        assert_eq!(amount("cpu", "99999999999Ei"), Some(i64::MAX));
    }

    #[test]
    fn what_is_beyond_64_bits_is_the_largest_number() {
        for most in ["8Ei", "10E", "9223372036854775808", "1e400", &"9".repeat(400)] {
            assert_eq!(amount("memory", most), Some(i64::MAX), "{most}");
            assert_eq!(amount("cpu", most), Some(i64::MAX), "{most}");
            assert_eq!(amount("cpu", &format!("-{most}")), Some(i64::MIN), "-{most}");
        }
        assert_eq!(amount("cpu", "10P"), Some(i64::MAX));
        assert_eq!(amount("memory", "10P"), Some(10_000_000_000_000_000));
        for least in ["1e-400", "0.0000000001"] {
            assert_eq!(amount("memory", least), Some(1), "{least}");
        }
    }

    #[test]
    fn an_amount_is_written_as_it_is_read() {
        for (resource, text, binary) in [
            ("cpu", "100m", false),
            ("cpu", "2", false),
            ("cpu", "4k", false),
            ("requests.cpu", "1500m", false),
            ("memory", "1536Mi", true),
            ("memory", "1Gi", true),
            ("memory", "1500M", false),
            ("memory", "1k", true),
            ("pods", "0", false),
            ("memory", "-2Ki", true),
        ] {
            let amount = amount(resource, text).unwrap();
            assert_eq!(amount_text(resource, amount, binary), text, "{amount}");
        }
    }
}
