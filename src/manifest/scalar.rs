//! What a plain YAML scalar means to Kubernetes.
//!
//! Kubernetes reads YAML with go-yaml 2, which follows YAML 1.1: a bare `on`, `yes` or
//! `n` is a boolean, `0777` is octal, `1_000` is a thousand, a date stays a string. A
//! number then goes through JSON, where `1.0` becomes `1`.

use serde_json::{Number, Value};

/// Why a scalar cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// An integer that 64 bits with a sign cannot hold.
    TooLarge,
    /// `.nan` or `.inf`, which JSON and so Kubernetes do not have.
    NotANumber,
    /// An explicit tag that the text does not fit, as `!!int x`.
    Tag,
}

/// What a plain (unquoted, untagged) scalar is.
pub(super) fn resolve(text: &str) -> Result<Value, Refusal> {
    let Some(&first) = text.as_bytes().first() else {
        return Ok(Value::Null);
    };
    match first {
        b'~' | b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' => {
            Ok(word(text).unwrap_or_else(|| Value::from(text)))
        }
        b'.' => {
            if is_infinite_or_nan(text) {
                return Err(Refusal::NotANumber);
            }
            Ok(float(text).unwrap_or_else(|| Value::from(text)))
        }
        b'0'..=b'9' | b'+' | b'-' => {
            if is_infinite_or_nan(text) {
                return Err(Refusal::NotANumber);
            }
            number(text)
        }
        _ => Ok(Value::from(text)),
    }
}

/// What a scalar with a core tag (`int`, `bool`, …) is.
pub(super) fn resolve_tagged(tag: &str, text: &str) -> Result<Value, Refusal> {
    if tag == "str" || tag == "timestamp" {
        return Ok(Value::from(text));
    }
    if tag == "binary" {
        return decode_base64(text).map(Value::from).ok_or(Refusal::Tag);
    }
    let value = resolve(text)?;
    let fits = match tag {
        "int" => value.is_i64(),
        "float" => value.is_number(),
        "bool" => value.is_boolean(),
        "null" => value.is_null(),
        _ => return Ok(Value::from(text)),
    };
    if fits { Ok(value) } else { Err(Refusal::Tag) }
}

fn word(text: &str) -> Option<Value> {
    Some(match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => true.into(),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => false.into(),
        "~" | "null" | "Null" | "NULL" => Value::Null,
        _ => return None,
    })
}

fn is_infinite_or_nan(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

fn number(text: &str) -> Result<Value, Refusal> {
    let plain = text.replace('_', "");
    let (negative, digits) = match plain.as_bytes().first() {
        Some(b'-') => (true, &plain[1..]),
        Some(b'+') => (false, &plain[1..]),
        _ => (false, plain.as_str()),
    };
    let (radix, digits_only) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if !digits_only.is_empty() && digits_only.chars().all(|c| c.is_digit(radix)) {
        let signed = if negative { format!("-{digits_only}") } else { digits_only.to_owned() };
        return match i64::from_str_radix(&signed, radix) {
            Ok(integer) => Ok(integer.into()),
            Err(_) => Err(Refusal::TooLarge),
        };
    }
    if is_float(digits)
        && let Some(value) = float(&plain)
    {
        return Ok(value);
    }
    Ok(Value::from(text))
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

fn float(text: &str) -> Option<Value> {
    let value: f64 = text.parse().ok()?;
    value.is_finite().then(|| number_of(value))
}

/// A float as it comes out of JSON again: without a fraction it is an integer.
fn number_of(value: f64) -> Value {
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= WHOLE {
        #[allow(clippy::cast_possible_truncation)]
        return Value::from(value as i64);
    }
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

fn decode_base64(text: &str) -> Option<String> {
    let mut bits: u32 = 0;
    let mut held = 0;
    let mut out = Vec::new();
    for byte in text.bytes().filter(|b| !b.is_ascii_whitespace() && *b != b'=') {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(((bits >> held) & 0xff) as u8);
        }
    }
    String::from_utf8(out).ok()
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
        assert_eq!(resolve("9223372036854775808"), Err(Refusal::TooLarge));
        assert_eq!(resolve("-.INF"), Err(Refusal::NotANumber));
        assert_eq!(resolve(".nan"), Err(Refusal::NotANumber));
    }

    #[test]
    fn tags_are_obeyed() {
        assert_eq!(resolve_tagged("str", "yes"), Ok(json!("yes")));
        assert_eq!(resolve_tagged("int", "yes"), Err(Refusal::Tag));
        assert_eq!(resolve_tagged("float", "1"), Ok(json!(1)));
        assert_eq!(resolve_tagged("binary", "aGk="), Ok(json!("hi")));
    }
}
