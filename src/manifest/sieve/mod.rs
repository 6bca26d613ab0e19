//! What of a text is about one node: all others' Nodes and Pods are passed over as text.
//!
//! ```text
//!  file ── line by line ──> a document, an item of a list ── is it about us? ──> kept
//!                                                             └─ no: forgotten, unparsed
//! ```
//! An agent reads the manifests of a whole fleet for the sake of its own node. It holds one
//! document at a time, and what is not about its node costs it a look for its name and no
//! parsing. What cannot be told by its text alone is kept: it is told apart once it is parsed
//! ([`concerns`]), so nothing here decides anything but how much is parsed.

mod about;
mod json;
mod kept;
mod yaml;

use std::io::{self, BufRead, BufReader, Read};

use sha2::{Digest, Sha256};

pub(super) use about::{About, concerns};
pub(super) use kept::{Kept, Lines};

use crate::hash::hex;

/// What was kept of a text, and what the text was.
pub(super) struct Sieved {
    pub(super) kept: Kept,
    pub(super) sha256: String,
    pub(super) bytes: u64,
}

/// How much is read at once.
const BUFFER: usize = 256 << 10;

/// Reads to the end and keeps what may be about the node; no more than `most` bytes of it.
///
/// # Errors
/// When reading fails; `FileTooLarge` when more is to be kept than that.
pub(super) fn sieve(reader: impl Read, node: &str, most: u64) -> io::Result<Sieved> {
    let mut reader = BufReader::with_capacity(BUFFER, Hashed::new(reader));
    let mut kept = Kept::new(most);
    through(&mut reader, &About::new(node), &mut kept, false)?;
    let hashed = reader.into_inner();
    Ok(Sieved { kept, sha256: hex(&hashed.hash.finalize()), bytes: hashed.bytes })
}

/// Whether nothing in it is about the node, and something about others.
///
/// # Errors
/// When reading fails.
pub(super) fn is_elsewhere(reader: impl Read, node: &str) -> io::Result<bool> {
    let mut kept = Kept::new(u64::MAX);
    through(&mut BufReader::with_capacity(BUFFER, reader), &About::new(node), &mut kept, true)?;
    Ok(kept.passed > 0 && kept.is_blank())
}

/// With `first`, goes no further than to the first that is kept.
fn through(reader: &mut impl BufRead, about: &About, kept: &mut Kept, first: bool) -> io::Result<()> {
    let start = reader.fill_buf()?;
    let start = start.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(start);
    if start.trim_ascii_start().first() == Some(&b'{') {
        json::sieve(reader, about, kept, first)
    } else {
        yaml::sieve(reader, about, kept, first)
    }
}

/// Hashes what goes through.
struct Hashed<R> {
    reader: R,
    hash: Sha256,
    bytes: u64,
}

impl<R> Hashed<R> {
    fn new(reader: R) -> Self {
        Hashed { reader, hash: Sha256::new(), bytes: 0 }
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.hash.update(&buffer[..count]);
        self.bytes += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn kept(text: &str, node: &str) -> String {
        let sieved = sieve(text.as_bytes(), node, u64::MAX).unwrap();
        assert_eq!(sieved.bytes, text.len() as u64);
        assert_eq!(sieved.sha256, crate::hash::sha256(text));
        String::from_utf8(sieved.kept.bytes).unwrap()
    }

    fn node(name: &str) -> String {
        format!("apiVersion: v1\nkind: Node\nmetadata:\n  name: {name}\n")
    }

    #[test]
    fn documents_about_others_are_passed_over() {
        let text = ["n1", "n10", "n2"].map(node).join("---\n");
        assert_eq!(kept(&text, "n1"), node("n1"));
        assert_eq!(kept(&text, "n2"), format!("---\n{}", node("n2")));
        assert_eq!(kept(&text, "n"), "");
        assert!(is_elsewhere(text.as_bytes(), "n").unwrap());
        assert!(!is_elsewhere(text.as_bytes(), "n1").unwrap());
        assert!(!is_elsewhere(&b""[..], "n1").unwrap());
        let other = "kind: DaemonSet\nmetadata: { name: a }\n";
        assert_eq!(kept(&format!("{text}---\n{other}"), "x"), format!("---\n{other}"));
    }

    #[test]
    fn pods_of_others_are_passed_over() {
        let pod = |node: &str| format!("kind: Pod\nmetadata: {{ name: p }}\nspec: {{ nodeName: {node} }}\n");
        let text = format!("{}---\n{}", pod("a"), pod("b"));
        assert_eq!(kept(&text, "a"), pod("a"));
        // One that is not bound and may be meant for it.
        let pinned = "kind: Pod\nspec:\n  affinity: { values: [\"a\"] }\n";
        assert_eq!(kept(pinned, "a"), pinned);
    }

    #[test]
    fn what_the_text_does_not_tell_is_kept() {
        for text in [
            "{kind: Node, metadata: {name: b}}\n",
            "? kind\n: Node\n",
            "kind: &k Node\nmetadata: {name: b}\n",
            "kind: Node\nkind: Pod\n",
            "kind: Node\nmetadata: {name: \"\\x61\"}\n",
            "--- x\nkind: Node\nmetadata: {name: b}\n",
            "metadata:\n  kind: Node\n",
            "kind: NodeList\nitems:\n- metadata: {name: b}\n",
        ] {
            assert_eq!(kept(text, "a"), text);
        }
        for text in ["kind: \"Node\"  # c\n", "'kind': Node\r\n", "kind: 'Pod'"] {
            assert_eq!(kept(text, "a"), "", "{text:?}");
        }
    }

    #[test]
    fn items_of_lists_are_told_apart() {
        for indent in ["", "  "] {
            let item = |name: &str| {
                format!(
                    "{indent}- apiVersion: v1\n{indent}  kind: Node\n{indent}  metadata:\n{indent}    name: {name}\n"
                )
            };
            let list = |names: &[&str]| {
                let items: String = names.iter().map(|name| item(name)).collect();
                format!("apiVersion: v1\nitems:\n{items}kind: List\nmetadata: {{}}\n")
            };
            assert_eq!(kept(&list(&["a", "b", "c"]), "b"), list(&["b"]));
            assert_eq!(kept(&list(&["a"]), "b"), list(&[]));
        }
    }

    #[test]
    fn json_is_told_apart_too() {
        let node = |name: &str| format!(r#"{{"kind":"Node","metadata":{{"name":"{name}","x":"}}\"]"}}}}"#);
        let list = |names: &[&str]| {
            let items: Vec<String> = names.iter().map(|name| node(name)).collect();
            format!("{{\"kind\":\"List\",\n\"items\": [{}\n], \"apiVersion\":\"v1\"}}\n", items.join(",\n "))
        };
        assert_eq!(kept(&list(&["a", "b", "c"]), "a"), list(&["a"]));
        assert_eq!(kept(&list(&["a", "b", "c"]), "c"), list(&["c"]).replace("[{", "[\n {"));
        assert_eq!(kept(&list(&["a", "b"]), "y"), list(&[]));
        assert_eq!(kept(&list(&["a", "b", "c", "b"]).replace('b', "a"), "a").matches("Node").count(), 3);
        assert_eq!(kept(&format!("{}\n{}", node("a"), node("b")), "b").trim(), node("b"));
        let daemonset = r#"{"kind":"DaemonSet","items":["a"]}"#;
        assert_eq!(kept(daemonset, "x"), daemonset);
        for broken in ["{\"kind\":", "{]}}}", "{\"items\": [{\"kind\":\"Node\"", "{} x"] {
            assert_eq!(kept(broken, "x"), broken);
        }
    }

    #[test]
    fn lines_are_those_of_the_file() {
        let text = format!("{}---\n{}---\nbroken: [\n", node("a"), node("b"));
        let sieved = sieve(text.as_bytes(), "c", u64::MAX).unwrap();
        assert_eq!(sieved.kept.bytes, b"---\nbroken: [\n");
        let lines = sieved.kept.lines;
        assert_eq!((lines.original(1), lines.original(2)), (10, 11));
        assert_eq!(Lines::default().original(7), 7);
    }

    #[test]
    fn no_more_is_kept_than_is_allowed() {
        let text = "a: b\n".repeat(100);
        assert!(sieve(text.as_bytes(), "c", 10).is_err());
        // Others may be as large as they like.
        let many = vec![node("a"); 9].join("---\n");
        assert!(sieve(many.as_bytes(), "c", 60).is_ok());
    }
}
