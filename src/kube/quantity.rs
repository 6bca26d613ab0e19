//! Texts that are numbers after all: quantities (`500m`, `16Gi`) and versions (`5.15.0-91`).

use super::Name;
use super::resource::Quantity;

/// A quantity of a resource as a whole number: thousandths of a CPU for `cpu` (and what
/// ends in `.cpu`), units (bytes, pieces) for everything else, rounded up as Kubernetes
/// rounds; what is too large for that is the most there is. `None` if it is no quantity.
#[must_use]
pub fn amount(resource: &str, quantity: &str) -> Option<i64> {
    let nanos = Quantity::parse(quantity)?.nanos();
    let unit: i128 = if resource == "cpu" || resource.ends_with(".cpu") { 1_000_000 } else { 1_000_000_000 };
    let whole = nanos.div_euclid(unit) + i128::from(nanos.rem_euclid(unit) != 0);
    Some(i64::try_from(whole).unwrap_or(if whole < 0 { i64::MIN } else { i64::MAX }))
}

/// The version that a text begins with: `v1.30.2` is 1, 30, 2; `535.104` is 535, 104, 0.
/// Only what begins with a number (and perhaps a `v`) and goes on as a version does.
#[must_use]
pub fn version(text: &str) -> Option<[i64; 3]> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let mut parts = text[..end].split('.').filter(|part| !part.is_empty()).map(str::parse::<i64>);
    let major = parts.next()?.ok()?;
    let mut next = || parts.next().and_then(Result::ok).unwrap_or(0);
    Some([major, next(), next()])
}

/// An image's repository, tag and digest; what is not there is empty.
#[must_use]
pub fn image_parts(image: &str) -> [Name; 3] {
    let (rest, digest) = image.split_once('@').unwrap_or((image, ""));
    // A colon before the last slash is a registry's port.
    match rest.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => [repository.into(), tag.into(), digest.into()],
        _ => [rest.into(), "".into(), digest.into()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn versions_begin_a_text() {
        assert_eq!(version("5.15.0-91-generic"), Some([5, 15, 0]));
        assert_eq!(version("v1.30.2+k3s1"), Some([1, 30, 2]));
        assert_eq!(version("535"), Some([535, 0, 0]));
        assert_eq!(version("containerd://1.7"), None);
        assert_eq!(version(""), None);
    }

    #[test]
    fn images_have_parts() {
        let parts = |image| image_parts(image).map(|part| part.to_string()).join("|");
        assert_eq!(parts("registry:5000/a/b:1.2"), "registry:5000/a/b|1.2|");
        assert_eq!(parts("a/b@sha256:00"), "a/b||sha256:00");
        assert_eq!(parts("busybox"), "busybox||");
    }
}
