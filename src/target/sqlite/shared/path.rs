//! Keys of rows as paths: parts between slashes, of which none has one.

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;

use crate::hash::sha256;

/// What stands for an empty part: no name is this.
const EMPTY: &str = "_";

/// Gives a connection the functions `path_part`, of a text, and `path_hash`, of any values.
pub(in crate::target::sqlite) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("path_part", 1, flags, |arguments| match arguments.get_raw(0) {
        ValueRef::Text(text) => Ok(part(&String::from_utf8_lossy(text))),
        ValueRef::Integer(number) => Ok(number.to_string()),
        _ => Ok(EMPTY.to_owned()),
    })?;
    connection.create_scalar_function("path_hash", -1, flags, |arguments| {
        let mut text = String::new();
        for nth in 0..arguments.len() {
            match arguments.get_raw(nth) {
                ValueRef::Text(bytes) => text.push_str(&part(&String::from_utf8_lossy(bytes))),
                ValueRef::Integer(number) => text.push_str(&number.to_string()),
                _ => {}
            }
            text.push('/');
        }
        let mut hash = sha256(text);
        hash.truncate(24);
        Ok(hash)
    })
}

/// A text as a part of a path.
pub(super) fn part(text: &str) -> String {
    let is_plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '@' | '=' | '+');
    if text.is_empty() {
        return EMPTY.to_owned();
    }
    if text != EMPTY && text.chars().all(is_plain) {
        return text.to_owned();
    }
    let mut part = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_plain(c) && text != EMPTY {
            part.push(c);
        } else {
            let mut bytes = [0; 4];
            c.encode_utf8(&mut bytes).bytes().for_each(|byte| part.push_str(&format!("%{byte:02X}")));
        }
    }
    part
}

/// The text that a part of a path stands for, if it is one.
pub(super) fn text(part: &str) -> Option<String> {
    if part == EMPTY {
        return Some(String::new());
    }
    if part.is_empty() {
        return None;
    }
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_comes_back_from_its_part(written in "\\PC{0,12}|[_%/]{0,3}") {
            let part = part(&written);
            prop_assert!(!part.contains('/') && !part.is_empty());
            prop_assert_eq!(text(&part).unwrap(), written);
        }
    }

    #[test]
    fn what_is_no_part_is_none() {
        for wrong in ["", "%", "%4", "%zz", "%FF"] {
            assert_eq!(text(wrong), None, "{wrong}");
        }
    }
}
