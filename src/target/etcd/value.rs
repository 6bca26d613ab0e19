//! Values as they stand in etcd: a format, a checksum, and JSON.

use crate::diagnostic::Diagnostic;

/// The format that is written.
const FORMAT: char = '1';

/// A value with its format and checksum in front, as `1:8f3a2b1c:{…}`.
#[must_use]
pub fn encode(json: &str) -> Vec<u8> {
    format!("{FORMAT}:{:08x}:{json}", crc32fast::hash(json.as_bytes())).into_bytes()
}

/// The JSON of a value.
///
/// # Errors
/// When it is of another format or program, or damaged.
pub fn decode<'v>(key: &str, value: &'v [u8]) -> Result<&'v str, Diagnostic> {
    let wrong = |code, what: &str, why: &str| {
        Diagnostic::error(code, format!("the value of `{key}` in etcd {what}")).because(why.to_owned())
    };
    let text = std::str::from_utf8(value).ok();
    let parts = text.and_then(|text| {
        let (format, rest) = text.split_once(':')?;
        let (sum, json) = rest.split_once(':')?;
        (format.len() <= 3 && format.bytes().all(|it| it.is_ascii_digit())).then_some((format, sum, json))
    });
    let Some((format, sum, json)) = parts else {
        return Err(wrong(
            "foreign-value",
            "is none of dsrules",
            "it does not begin with a format and a checksum",
        )
        .help("look at it with `etcdctl get`; if another program wrote it, name another prefix"));
    };
    if format != FORMAT.to_string() {
        return Err(wrong(
            "newer-store",
            "is of another dsrules",
            &format!("its format is {format}, this dsrules knows {FORMAT}"),
        )
        .help("use the newer dsrules"));
    }
    if u32::from_str_radix(sum, 16).ok() != Some(crc32fast::hash(json.as_bytes())) {
        return Err(wrong("damaged-value", "is damaged", "its checksum is another one")
            .help("nothing was changed; delete the key with `etcdctl del` and apply the manifests again, or restore a snapshot"));
    }
    Ok(json)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        assert_eq!(decode("k", &encode("{\"a\":1}")).unwrap(), "{\"a\":1}");
        let code = |value: &[u8]| decode("k", value).unwrap_err().code;
        assert_eq!(code(b"hello"), "foreign-value");
        assert_eq!(code(b"{\"a\":\"b:c:d\"}"), "foreign-value");
        assert_eq!(code(b"\xff"), "foreign-value");
        assert_eq!(code(b"2:00000000:{}"), "newer-store");
        let mut damaged = encode("{\"a\":1}");
        damaged[14] = b'b';
        assert_eq!(code(&damaged), "damaged-value");
    }
}
