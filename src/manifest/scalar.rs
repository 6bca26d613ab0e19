//! What a plain YAML scalar means to Kubernetes.
//!
//! Kubernetes reads YAML with go-yaml 2, which follows YAML 1.1: a bare `on`, `yes` or
//! `n` is a boolean, `0777` is octal, `1_000` is a thousand, a date stays a string. A
//! number then goes through JSON, where `1.0` becomes `1`.

use serde_json::{Number, Value};

use crate::kube::decode_base64;

/// Why a scalar cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// `.nan` or `.inf`, which JSON and so Kubernetes do not have.
    NotANumber,
    /// An explicit tag that the text does not fit, as `!!int x`.
    Tag,
    /// A key that JSON has no text for: nothing, or a number beyond 64 bits with a sign.
    Key,
}

/// What go-yaml takes a scalar for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Scalar {
    Null,
    Bool(bool),
    Integer(i64),
    /// Beyond what a sign leaves room for.
    Large(u64),
    Float(f64),
    Text,
}

/// What a plain (unquoted, untagged) scalar is.
pub(super) fn resolve(text: &str) -> Result<Value, Refusal> {
    value(read(text), text)
}

/// What a scalar with a tag (`tag:yaml.org,2002:int`, `!own`, …) is.
pub(super) fn resolve_tagged(tag: &str, text: &str) -> Result<Value, Refusal> {
    value(read_tagged(tag, text)?, text).and_then(|value| match core(tag) {
        Some("binary") => binary(text).map(Value::from).ok_or(Refusal::Tag),
        _ => Ok(value),
    })
}

/// What a plain key, or one with a tag, becomes in JSON, where all keys are strings.
pub(super) fn key(tag: Option<&str>, text: &str) -> Result<String, Refusal> {
    Ok(match tag.map_or_else(|| Ok(read(text)), |tag| read_tagged(tag, text))? {
        Scalar::Null | Scalar::Large(_) => return Err(Refusal::Key),
        Scalar::Bool(bool) => bool.to_string(),
        Scalar::Integer(integer) => integer.to_string(),
        Scalar::Float(float) => short_float(float),
        Scalar::Text => match resolve_tagged(tag.unwrap_or("!"), text)? {
            Value::String(text) => text,
            _ => text.to_owned(),
        },
    })
}

/// Whether a number was read as one that does not have all its digits.
pub(super) fn loses_digits(text: &str, value: &Value) -> bool {
    value.is_f64() && matches!(read(text), Scalar::Large(_) | Scalar::Float(_)) && {
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_') || digits.starts_with("0x")
    }
}

/// What follows the prefix of YAML's own tags.
fn core(tag: &str) -> Option<&str> {
    tag.strip_prefix("tag:yaml.org,2002:")
}

fn value(scalar: Scalar, text: &str) -> Result<Value, Refusal> {
    Ok(match scalar {
        Scalar::Null => Value::Null,
        Scalar::Bool(bool) => bool.into(),
        Scalar::Integer(integer) => integer.into(),
        #[allow(clippy::cast_precision_loss)]
        Scalar::Large(large) => number_of(large as f64),
        Scalar::Float(float) if float.is_finite() => number_of(float),
        Scalar::Float(_) => return Err(Refusal::NotANumber),
        Scalar::Text => text.into(),
    })
}

fn read_tagged(tag: &str, text: &str) -> Result<Scalar, Refusal> {
    let Some(tag @ ("int" | "float" | "bool" | "null" | "timestamp")) = core(tag) else {
        return Ok(Scalar::Text);
    };
    let scalar = read(text);
    #[allow(clippy::cast_precision_loss)]
    match (tag, scalar) {
        ("int", Scalar::Integer(_) | Scalar::Large(_))
        | ("float", Scalar::Float(_))
        | ("bool", Scalar::Bool(_))
        | ("null", Scalar::Null) => Ok(scalar),
        ("float", Scalar::Integer(integer)) => Ok(Scalar::Float(integer as f64)),
        ("timestamp", Scalar::Text) if is_time(text) => Ok(scalar),
        _ => Err(Refusal::Tag),
    }
}

/// A date, or a date and a time of day.
fn is_time(text: &str) -> bool {
    let (date, time) = text.split_at(text.find(['T', 't', ' ']).unwrap_or(text.len()));
    let mut parts = date.splitn(3, '-');
    let mut digits = |least: usize, most: usize| {
        parts.next().is_some_and(|part| {
            (least..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    let date = digits(4, 4) && digits(1, 2) && digits(1, 2);
    date && (time.is_empty() || time[1..].bytes().next().is_some_and(|byte| byte.is_ascii_digit()))
}

fn read(text: &str) -> Scalar {
    let Some(&first) = text.as_bytes().first() else {
        return Scalar::Null;
    };
    match first {
        b'~' | b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' => word(text),
        b'.' | b'0'..=b'9' | b'+' | b'-' => {
            if let Some(float) = name_of_float(text) {
                Scalar::Float(float)
            } else if first == b'.' {
                float(text)
            } else {
                number(text)
            }
        }
        _ => Scalar::Text,
    }
}

fn word(text: &str) -> Scalar {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Scalar::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Scalar::Bool(false)
        }
        "~" | "null" | "Null" | "NULL" => Scalar::Null,
        _ => Scalar::Text,
    }
}

fn name_of_float(text: &str) -> Option<f64> {
    match text {
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Some(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Some(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => Some(f64::NAN),
        _ => None,
    }
}

fn number(text: &str) -> Scalar {
    let plain = text.replace('_', "");
    let (sign, digits) = match plain.as_bytes().first() {
        Some(b'-') => ("-", &plain[1..]),
        Some(b'+') => ("+", &plain[1..]),
        _ => ("", plain.as_str()),
    };
    let (radix, digits_only) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits_only.bytes().all(|byte| char::from(byte).is_digit(radix)) {
        if let Ok(integer) = i64::from_str_radix(&format!("{sign}{digits_only}"), radix) {
            return Scalar::Integer(integer);
        }
        if let ("", Ok(large)) = (sign, u64::from_str_radix(digits_only, radix)) {
            return Scalar::Large(large);
        }
    }
    if is_float(digits) { float(&plain) } else { Scalar::Text }
}

/// go-yaml's own idea of a float: no signs but one, no names, no hexadecimal.
fn is_float(digits: &str) -> bool {
    let (mantissa, exponent) = match digits.find(['e', 'E']) {
        Some(at) => (&digits[..at], Some(&digits[at + 1..])),
        None => (digits, None),
    };
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some((whole, part)) => {
            all_digits(whole) && all_digits(part) && !(whole.is_empty() && part.is_empty())
        }
        None => !mantissa.is_empty() && all_digits(mantissa),
    };
    let exponent_fits = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && all_digits(digits)
    });
    mantissa_fits && exponent_fits
}

/// A float, if it is one and not too large for that.
fn float(text: &str) -> Scalar {
    match text.parse::<f64>() {
        Ok(float) if float.is_finite() => Scalar::Float(float),
        _ => Scalar::Text,
    }
}

/// A float as it comes out of JSON again: without a fraction it is an integer.
pub(super) fn number_of(value: f64) -> Value {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if value.fract() == 0.0
        && value.abs() <= BEYOND
        && let Ok(integer) = value.to_string().parse::<i64>()
    {
        return integer.into();
    }
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

/// A float as a key: as few digits as 32 bits need, with an exponent where Go writes one.
fn short_float(value: f64) -> String {
    #[allow(clippy::cast_possible_truncation)]
    let short = value as f32;
    if !short.is_finite() {
        let name = if short.is_nan() { ".nan" } else { ".inf" };
        return if short < 0.0 { format!("-{name}") } else { name.to_owned() };
    }
    let scientific = format!("{short:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return short.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// What base64 says as a text; what is none becomes U+FFFD.
fn binary(text: &str) -> Option<String> {
    Some(String::from_utf8_lossy(&decode_base64(text)?).into_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn plain_scalars_are_read_as_go_yaml_reads_them() {
        let cases: &[(&str, Value)] = &[
            ("", Value::Null),
            ("~", Value::Null),
            ("null", Value::Null),
            ("nULL", json!("nULL")),
            ("yes", json!(true)),
            ("y", json!(true)),
            ("On", json!(true)),
            ("oN", json!("oN")),
            ("off", json!(false)),
            ("N", json!(false)),
            ("yes please", json!("yes please")),
            ("0", json!(0)),
            ("-0", json!(0)),
            ("12", json!(12)),
            ("+12", json!(12)),
            ("0777", json!(511)),
            ("0o777", json!(511)),
            ("08", json!(8)),
            ("0x1F", json!(31)),
            ("-0x1F", json!(-31)),
            ("0b101", json!(5)),
            ("1_000", json!(1000)),
            ("1.0", json!(1)),
            ("1.10", json!(1.1)),
            ("1e3", json!(1000)),
            (".5", json!(0.5)),
            ("-.5", json!(-0.5)),
            (".", json!(".")),
            ("1.2.3", json!("1.2.3")),
            ("1:30", json!("1:30")),
            ("10.0.0.0/8", json!("10.0.0.0/8")),
            ("-", json!("-")),
            ("--flag", json!("--flag")),
            ("0x", json!("0x")),
            ("2024-01-02", json!("2024-01-02")),
            ("1Gi", json!("1Gi")),
            ("9223372036854775807", json!(i64::MAX)),
            ("-9223372036854775808", json!(i64::MIN)),
            ("inf", json!("inf")),
            ("0x1p-2", json!("0x1p-2")),
        ];
        for (text, value) in cases {
            assert_eq!(&resolve(text).unwrap(), value, "{text}");
        }
        let large = resolve("9223372036854775808").unwrap();
        assert_eq!(large, json!(9_223_372_036_854_775_808.0));
        assert!(loses_digits("9223372036854775808", &large) && !loses_digits("1e30", &json!(1e30)));
        assert_eq!(resolve("-.INF"), Err(Refusal::NotANumber));
        assert_eq!(resolve(".nan"), Err(Refusal::NotANumber));
    }

    #[test]
    fn tags_are_obeyed() {
        let tagged = |tag: &str, text| resolve_tagged(&format!("tag:yaml.org,2002:{tag}"), text);
        assert_eq!(tagged("str", "yes"), Ok(json!("yes")));
        assert_eq!(tagged("int", "yes"), Err(Refusal::Tag));
        assert_eq!(tagged("float", "1"), Ok(json!(1)));
        assert_eq!(tagged("binary", "aGk="), Ok(json!("hi")));
        assert_eq!(tagged("binary", "aGk"), Err(Refusal::Tag));
        assert_eq!(tagged("timestamp", "soon"), Err(Refusal::Tag));
        assert_eq!(resolve_tagged("!own", "1"), Ok(json!("1")));
    }

    #[test]
    fn keys_are_strings() {
        for (text, key) in [
            ("1", "1"),
            ("0x10", "16"),
            ("yes", "true"),
            ("1.50", "1.5"),
            ("1.23456789", "1.2345679"),
            ("1000000.0", "1e+06"),
            ("1e20", "1e+20"),
            ("-.INF", "-.inf"),
            ("a", "a"),
        ] {
            assert_eq!(super::key(None, text).as_deref(), Ok(key));
        }
        assert_eq!(super::key(None, "~"), Err(Refusal::Key));
        assert_eq!(super::key(None, "9223372036854775808"), Err(Refusal::Key));
    }
}
