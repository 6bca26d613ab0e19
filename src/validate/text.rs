//! The forms of names: DNS labels, qualified names, label values, ports, paths.
//!
//! Each function gives the reasons why a text is not of the form, as an API server
//! counts them; none means that it is.

/// A DNS label as most names of things within an object must be.
pub(super) fn dns_label(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    too_long(text, 63, &mut wrong);
    if !is_dns_label(text) {
        let detail = if is_dns_subdomain(text) {
            "must not contain dots"
        } else {
            "must be lower-case letters, digits and `-`, and start and end with a letter or digit"
        };
        wrong.push(detail.to_owned());
    }
    wrong
}

/// A DNS label of the older form, as the name of a service must be.
pub(super) fn host_label(text: &str) -> Vec<String> {
    let mut wrong = dns_label(text);
    if wrong.is_empty() && !text.starts_with(|c: char| c.is_ascii_lowercase()) {
        wrong.push("must start with a letter".to_owned());
    }
    wrong
}

/// A DNS subdomain, as the names of most objects must be.
pub(super) fn dns_subdomain(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    too_long(text, 253, &mut wrong);
    if !is_dns_subdomain(text) {
        wrong.push(
            "must be lower-case letters, digits, `-` and `.`, and start and end with a letter or digit"
                .to_owned(),
        );
    }
    wrong
}

/// A label key, an annotation key, a resource: a name with an optional `domain/`.
pub(super) fn qualified_name(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let parts: Vec<&str> = text.split('/').collect();
    let name = match parts.as_slice() {
        [name] => *name,
        [prefix, name] => {
            if prefix.is_empty() {
                wrong.push("the part before `/` must not be empty".to_owned());
            } else {
                wrong.extend(
                    dns_subdomain(prefix).into_iter().map(|why| format!("the part before `/` {why}")),
                );
            }
            *name
        }
        _ => {
            wrong.push(
                "may have one `/` only, between a domain and a name, like `example.com/name`".to_owned(),
            );
            return wrong;
        }
    };
    if name.is_empty() {
        wrong.push("the name must not be empty".to_owned());
    }
    too_long(name, 63, &mut wrong);
    if !is_name(name) {
        wrong.push(
            "the name must be letters, digits, `-`, `_` and `.`, and start and end with a letter or digit"
                .to_owned(),
        );
    }
    wrong
}

/// The value of a label.
pub(super) fn label_value(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    too_long(text, 63, &mut wrong);
    if !text.is_empty() && !is_name(text) {
        wrong.push(
            "must be empty or letters, digits, `-`, `_` and `.`, and start and end with a letter or digit"
                .to_owned(),
        );
    }
    wrong
}

/// The name of a port.
pub(super) fn port_name(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    too_long(text, 15, &mut wrong);
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        wrong.push("must be lower-case letters, digits and `-`".to_owned());
    }
    if !text.bytes().any(|b| b.is_ascii_lowercase()) {
        wrong.push("must have at least one letter".to_owned());
    }
    if text.contains("--") {
        wrong.push("must not have `--` in it".to_owned());
    }
    if text.starts_with('-') || text.ends_with('-') {
        wrong.push("must not start or end with `-`".to_owned());
    }
    wrong
}

/// The name of an environment variable.
pub(super) fn env_name(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let first =
        text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'-' | b'.' | b'_'));
    if !first || !text.bytes().all(is_key_byte) {
        wrong.push("must be letters, digits, `_`, `-` and `.`, and not start with a digit".to_owned());
    }
    leaves_folder(text, &mut wrong);
    wrong
}

/// A key of a ConfigMap or Secret.
pub(super) fn config_key(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    too_long(text, 253, &mut wrong);
    if text.is_empty() || !text.bytes().all(is_key_byte) {
        wrong.push("must be letters, digits, `_`, `-` and `.`".to_owned());
    }
    leaves_folder(text, &mut wrong);
    wrong
}

/// The name of an HTTP header.
pub(super) fn header_name(text: &str) -> Vec<String> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Vec::new();
    }
    vec!["must be letters, digits and `-`".to_owned()]
}

/// The name of a kernel setting.
pub(super) fn is_sysctl(text: &str) -> bool {
    let segment = |part: &str| {
        let bytes = part.as_bytes();
        let edge = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        bytes.first().is_some_and(edge)
            && bytes.last().is_some_and(edge)
            && bytes.iter().all(|b| edge(b) || matches!(b, b'-' | b'_'))
    };
    text.len() <= 253 && text.split(['.', '/']).all(segment)
}

fn is_key_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_')
}

fn leaves_folder(text: &str, wrong: &mut Vec<String>) {
    if text == "." || text == ".." {
        wrong.push(format!("must not be `{text}`"));
    } else if text.starts_with("..") {
        wrong.push("must not start with `..`".to_owned());
    }
}

fn too_long(text: &str, limit: usize, wrong: &mut Vec<String>) {
    if text.len() > limit {
        wrong.push(format!("must be no more than {limit} characters"));
    }
}

fn is_dns_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    let edge = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    bytes.first().is_some_and(edge)
        && bytes.last().is_some_and(edge)
        && bytes.iter().all(|b| edge(b) || *b == b'-')
}

fn is_dns_subdomain(text: &str) -> bool {
    text.split('.').all(is_dns_label)
}

fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.iter().all(|&b| is_key_byte(b))
}

/// Whether a path has a `..` in it.
pub(super) fn has_backsteps(path: &str) -> bool {
    path.split('/').any(|part| part == "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_told_apart() {
        assert!(dns_label("a-1").is_empty() && dns_subdomain("a.b-1").is_empty());
        for wrong in ["", "A", "-a", "a-", "a.b", "a_b", "ä", "a\n"] {
            assert_eq!(dns_label(wrong).len(), 1, "{wrong:?}");
        }
        for wrong in ["a..b", ".a", "a.", "a.-b"] {
            assert_eq!(dns_subdomain(wrong).len(), 1, "{wrong:?}");
        }
        assert_eq!(dns_label(&"A".repeat(64)).len(), 2);
        assert!(qualified_name("example.com/My_name.1").is_empty());
        assert_eq!(qualified_name("").len(), 2);
        assert_eq!(qualified_name("/").len(), 3);
        assert_eq!(qualified_name("a/b/c").len(), 1);
        assert!(label_value("").is_empty() && label_value("a_B.c-1").is_empty());
        assert_eq!(label_value("-a").len(), 1);
        assert_eq!(port_name("").len(), 2);
        assert_eq!(port_name("1-").len(), 2);
        assert_eq!(env_name("1A").len(), 1);
        assert_eq!(env_name("..").len(), 1);
        assert_eq!(config_key("..a").len(), 1);
        assert!(is_sysctl("net.ipv4/ip_forward") && !is_sysctl("net..a"));
    }
}
