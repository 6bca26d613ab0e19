//! `$(NAME)` in commands, arguments and values of the environment, as a kubelet expands it.

use std::collections::BTreeMap;

/// The text with `$(NAME)` as the value that it has; a name that has none stays as it is
/// written, and `$$` is a `$` that begins nothing.
pub(super) fn expand(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        let name = rest.strip_prefix('(').and_then(|inner| inner.split_once(')'));
        match name {
            Some((name, after)) => {
                match values.get(name) {
                    Some(value) => out.push_str(value),
                    None => out.extend(["$(", name, ")"]),
                }
                rest = after;
            }
            None => out.push('$'),
        }
    }
    out.push_str(rest);
    out
}

/// A text that a kubelet expands to just this.
pub(super) fn literal(text: &str) -> String {
    text.replace('$', "$$")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_expanded_as_a_kubelet_does() {
        let values = [("A", "1"), ("B", "$(A)")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let values = BTreeMap::from(values);
        for (text, expected) in [
            ("$(A)-$(B)-$(A)", "1-$(A)-1"),
            ("$(C)", "$(C)"),
            ("$$(A)", "$(A)"),
            ("$$$(A)", "$1"),
            ("$A ${A} $", "$A ${A} $"),
            ("$(A", "$(A"),
            ("ü$(A)ü", "ü1ü"),
        ] {
            assert_eq!(expand(text, &values), expected, "{text}");
        }
        for text in ["$(A)", "$$", "$", "a$b$$c", "$$(A)"] {
            assert_eq!(expand(&literal(text), &values), text);
        }
    }
}
