//! The parts of an image's reference, as Kubernetes reads it (parsers.ParseImageName).

use super::names::Name;

/// Whether a container of this image is pulled anew each time: its tag is `latest`, or it
/// has neither tag nor digest. What is no image's reference has no tag.
pub(super) fn has_latest_tag(image: &str) -> bool {
    let (rest, digest) = image.split_once('@').map_or((image, None), |(rest, it)| (rest, Some(it)));
    let (name, tag) = match rest.rsplit_once(':') {
        // A colon before the last slash is a registry's port.
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (rest, None),
    };
    let is_sound = is_repository(name) && digest.is_none_or(is_digest) && tag.is_none_or(is_tag);
    is_sound && tag.map_or(digest.is_none(), |tag| tag == "latest")
}

/// A registry, where there is one, and a path.
fn is_repository(name: &str) -> bool {
    let hex = |c: u8| matches!(c, b'0'..=b'9' | b'a'..=b'f');
    if name.len() == 64 && name.bytes().all(hex) {
        // That is the id of an image.
        return false;
    }
    let path = match name.split_once('/') {
        Some((first, rest)) if is_registry(first) => {
            if !is_host(first) {
                return false;
            }
            rest
        }
        _ => name,
    };
    path.split('/').all(is_component)
}

/// Whether the first part of a name is a registry, and not of the path.
fn is_registry(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost" || first.bytes().any(|c| c.is_ascii_uppercase())
}

fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let label = |label: &str| {
        let inside = |c: u8| c.is_ascii_alphanumeric() || c == b'-';
        !label.is_empty() && label.bytes().all(inside) && !label.starts_with('-') && !label.ends_with('-')
    };
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_named = address.map_or_else(
        || host.split('.').all(label),
        |it| !it.is_empty() && it.bytes().all(|c| c.is_ascii_hexdigit() || c == b':'),
    );
    is_named && port.is_none_or(|port| !port.is_empty() && port.bytes().all(|c| c.is_ascii_digit()))
}

/// Lower-case words, with `.`, `_`, `__` or dashes between them.
fn is_component(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separators = text.split(is_word).filter(|it| !it.is_empty());
    text.starts_with(is_word)
        && text.ends_with(is_word)
        && separators.into_iter().all(|it| matches!(it, "." | "_" | "__") || it.bytes().all(|c| c == b'-'))
}

fn is_tag(tag: &str) -> bool {
    let inside = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'.' | b'-');
    !tag.is_empty() && tag.len() <= 128 && tag.bytes().all(inside) && !tag.starts_with(['.', '-'])
}

fn is_digest(digest: &str) -> bool {
    let Some((algorithm, hex)) = digest.split_once(':') else { return false };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return false,
    };
    hex.len() == length && hex.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
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
    fn latest_is_a_tag_or_none() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        for latest in
            ["a", "a:latest", "registry:5000/a", "localhost/a/b", "Reg.io/a__b:latest", "r.io:1/a-b.c"]
        {
            assert!(has_latest_tag(latest), "{latest}");
        }
        assert!(has_latest_tag(&format!("a:latest@{digest}")));
        for other in ["", "a:1", "A", "a/B", "a b", "r:5000/a:1", "a:", "a@sha256:00", "-a", "a..b", "r.io/"]
        {
            assert!(!has_latest_tag(other), "{other}");
        }
        assert!(!has_latest_tag(&format!("a@{digest}")));
        assert!(!has_latest_tag(&"0a".repeat(32)));
    }

    #[test]
    fn images_have_parts() {
        let parts = |image| image_parts(image).map(|part| part.to_string()).join("|");
        assert_eq!(parts("registry:5000/a/b:1.2"), "registry:5000/a/b|1.2|");
        assert_eq!(parts("a/b@sha256:00"), "a/b||sha256:00");
        assert_eq!(parts("busybox"), "busybox||");
    }
}
