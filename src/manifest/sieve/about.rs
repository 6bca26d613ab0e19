//! Which node a text, or an object, is about.

use memchr::memmem::Finder;
use serde_json::Value;

use crate::kube::{Kind, ObjectKey, Pod};

/// The kinds that are about one node each.
const OF_A_NODE: [&[u8]; 2] = [b"Node", b"Pod"];

/// A node's name, to be looked for.
pub(in crate::manifest) struct About {
    name: Finder<'static>,
}

impl About {
    pub(in crate::manifest) fn new(node: &str) -> Self {
        About { name: Finder::new(node).into_owned() }
    }

    /// Whether a text of this kind is certainly about another node: it is about one, and the
    /// name is not in it.
    pub(super) fn is_elsewhere(&self, kind: &[u8], text: &[u8]) -> bool {
        OF_A_NODE.contains(&kind) && !self.is_named(text) && !has_escapes(text)
    }

    /// Whether the name stands in it as a whole.
    pub(super) fn is_named(&self, text: &[u8]) -> bool {
        let length = self.name.needle().len();
        let is_part =
            |byte: Option<&u8>| byte.is_some_and(|it| it.is_ascii_alphanumeric() || b"-.".contains(it));
        self.name.find_iter(text).any(|at| {
            !is_part(at.checked_sub(1).and_then(|before| text.get(before))) && !is_part(text.get(at + length))
        })
    }
}

/// Whether characters are written in another way, in which the name might be.
fn has_escapes(text: &[u8]) -> bool {
    memchr::memchr_iter(b'\\', text)
        .any(|at| matches!(text.get(at + 1), Some(b'x' | b'u' | b'U' | b'\n' | b'\r')))
}

/// Whether an object is there for this node: of Nodes it is the node itself, of Pods those
/// that are bound to it or meant for it, of all others each one.
pub(in crate::manifest) fn concerns(node: &str, kind: Kind, key: &ObjectKey, value: &Value) -> bool {
    match kind {
        Kind::Node => *key.name == *node,
        Kind::Pod => Pod::target_of(&value["spec"]).is_some_and(|target| *target == *node),
        _ => true,
    }
}
