//! What a URL asks for behind its path.

use std::collections::BTreeMap;

/// The parameters of a URL; of one that is said twice the first.
#[derive(Debug, Clone, Default)]
pub struct Asked(BTreeMap<String, String>);

impl Asked {
    /// Reads what stands behind the question mark.
    pub fn parse(query: Option<&str>) -> Asked {
        let mut asked = BTreeMap::new();
        for pair in query.unwrap_or("").split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let plain = |text: &str| decoded(&text.replace('+', " ")).unwrap_or_else(|| text.to_owned());
            asked.entry(plain(name)).or_insert_with(|| plain(value));
        }
        Asked(asked)
    }

    /// The value of a parameter, empty where it is not there.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |value| value)
    }

    /// Whether a parameter says yes, as conversion of URLs to options has it.
    pub fn is(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !matches!(&*value.to_ascii_lowercase(), "false" | "0"))
    }
}

/// A text without its percent signs; `None` where they are wrong, or what comes of it is no UTF-8.
pub fn decoded(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        if *first != b'%' {
            bytes.push(*first);
            rest = after;
            continue;
        }
        let digits = std::str::from_utf8(after.get(..2)?).ok()?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &after[2..];
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_read() {
        let asked = Asked::parse(Some("a=b%2Cc%3D&watch&limit=5&x=1+2&bad=%zz&watch=false&no=0"));
        assert_eq!((asked.text("a"), asked.text("limit"), asked.text("none")), ("b,c=", "5", ""));
        assert_eq!((asked.text("x"), asked.text("bad")), ("1 2", "%zz"));
        assert!(asked.is("watch") && !asked.is("no") && !asked.is("none"));
        assert_eq!(decoded("%e4%f"), None);
    }
}
