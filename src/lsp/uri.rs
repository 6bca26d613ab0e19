//! `file:` URIs and paths.

use std::path::{Path, PathBuf};

/// Where a document is kept: by its path, or by what else it is called.
pub(super) fn key(uri: &str) -> PathBuf {
    path_of(uri).unwrap_or_else(|| PathBuf::from(uri))
}

/// The path of a `file:` URI.
fn path_of(uri: &str) -> Option<PathBuf> {
    let rest = uri.strip_prefix("file://")?;
    // A host may stand before the path; it is this one.
    let path = &rest[rest.find('/')?..];
    let mut bytes = Vec::with_capacity(path.len());
    let mut left = path.as_bytes();
    while let Some((byte, rest)) = left.split_first() {
        let escaped = (*byte == b'%').then(|| rest.get(..2)).flatten();
        let decoded =
            escaped.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(decoded.unwrap_or(*byte));
        left = if decoded.is_some() { &rest[2..] } else { rest };
    }
    let path = String::from_utf8(bytes).ok().filter(|path| !path.contains('\0'))?;
    // `/C:/policy` is `C:/policy`.
    let drive = path.as_bytes().get(2) == Some(&b':') && cfg!(windows);
    Some(PathBuf::from(if drive { path.trim_start_matches('/') } else { path.as_str() }))
}

/// The `file:` URI of a path.
pub(super) fn uri_of(path: &Path) -> String {
    let mut uri = "file://".to_owned();
    let path = path.to_string_lossy().replace('\\', "/");
    if !path.starts_with('/') {
        uri.push('/');
    }
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                uri.push(char::from(byte))
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_plain_is_escaped() {
        for path in ["/a/b.dl", "/with space/ö%20.dl", "/a:b#c?d.dl"] {
            assert_eq!(path_of(&uri_of(Path::new(path))).as_deref(), Some(Path::new(path)));
        }
        assert_eq!(uri_of(Path::new("/ö x")), "file:///%C3%B6%20x");
        assert_eq!(path_of("file://host/a%zz%"), Some("/a%zz%".into()));
        for none in ["untitled:Untitled-1", "file://", "", "file:///%ff", "file:///%00"] {
            assert_eq!(path_of(none), None, "{none}");
        }
    }
}
