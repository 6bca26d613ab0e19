//! Texts that begin with a version: `5.15.0-91`, `v1.30.2+k3s1`.

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

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn versions_begin_a_text() {
        assert_eq!(version("5.15.0-91-generic"), Some([5, 15, 0]));
        assert_eq!(version("v1.30.2+k3s1"), Some([1, 30, 2]));
        assert_eq!(version("535"), Some([535, 0, 0]));
        assert_eq!(version("containerd://1.7"), None);
        assert_eq!(version(""), None);
    }
}
