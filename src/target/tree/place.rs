//! Names that have become paths: checked once, at the door.
//!
//! Kubernetes' own names are all fine. Objects may come from anywhere, so a name that
//! could lead out of the tree, hide in it or not exist on a disk is refused here.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;

use crate::diagnostic::Diagnostic;
use crate::kube::ObjectKey;

/// What file systems take for one name, in bytes.
const LONGEST: usize = 255;

/// How the names of units begin and end.
pub(super) const UNIT: &str = "dsrules-";
const UNITS: [&str; 3] = [".service", ".kube", ".target"];

/// A node's name that is safe as a folder's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeFolder(String);

/// The name of a file of ours: `<namespace>_<pod>.yaml`, or that of a unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileName(String);

impl NodeFolder {
    /// The folder of a node.
    ///
    /// # Errors
    /// When the name cannot be a folder's.
    pub fn new(node: &str) -> Result<Self, Diagnostic> {
        match unfit(node) {
            None => Ok(NodeFolder(node.to_owned())),
            Some(why) => Err(refuse(format!("the node `{node}` can have no folder in the tree"), why)),
        }
    }
}

impl FileName {
    /// The file of a pod.
    ///
    /// # Errors
    /// When the names cannot be a file's.
    pub fn new(key: &ObjectKey) -> Result<Self, Diagnostic> {
        let name = format!("{}_{}.yaml", key.namespace, key.name);
        let why = unfit(&key.namespace).or_else(|| unfit(&key.name)).or_else(|| unfit(&name)).or_else(|| {
            // `a_b` and `c` would be the same file as `a` and `b_c`.
            key.namespace.contains('_').then_some("its namespace contains `_`")
        });
        match why {
            None => Ok(FileName(name)),
            Some(why) => Err(refuse(format!("the pod `{key}` can have no file in the tree"), why)),
        }
    }
}

impl FileName {
    /// The file of a unit.
    ///
    /// # Errors
    /// When the name cannot be a file's.
    pub(super) fn unit(name: String) -> Result<Self, Diagnostic> {
        // What is escaped in it begins with a backslash, and that only.
        match unfit(&name.replace('\\', "")).or_else(|| too_long(&name)) {
            None => Ok(FileName(name)),
            Some(why) => Err(refuse(format!("the unit `{name}` can have no file in the tree"), why)),
        }
    }

    /// Whether a file of this name may be ours.
    pub(super) fn may_be_ours(name: &str) -> bool {
        let is_unit = |suffix: &&str| name.starts_with(UNIT) && name.ends_with(*suffix);
        name.ends_with(".yaml") && name.contains('_') || UNITS.iter().any(is_unit)
    }
}

fn refuse(message: String, why: &str) -> Diagnostic {
    Diagnostic::error("tree-name", message).because(why).help("give it a name that Kubernetes allows")
}

fn too_long(name: &str) -> Option<&'static str> {
    (name.len() > LONGEST).then_some("its name is longer than the 255 bytes that a file's may have")
}

/// Why a text cannot be a file's name; `None` when it can.
fn unfit(name: &str) -> Option<&'static str> {
    if let Some(why) = too_long(name) {
        Some(why)
    } else if name.is_empty() {
        Some("its name is empty")
    } else if name.starts_with('.') {
        Some("its name begins with a dot")
    } else if name.contains(['/', '\\', ':']) {
        Some("its name contains `/`, `\\` or `:`")
    } else if name.contains(char::is_control) {
        Some("its name contains a control character")
    } else {
        None
    }
}

impl Deref for NodeFolder {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Deref for FileName {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for FileName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["", ".", "..", ".hidden", "a/b", "/etc", "a\\b", "c:x", "a\0b", "a\nb", &"x".repeat(256)]
        {
            assert!(NodeFolder::new(name).is_err(), "{name:?}");
            assert!(FileName::new(&ObjectKey::new("default", name)).is_err(), "{name:?}");
            assert!(FileName::new(&ObjectKey::new(name, "pod")).is_err(), "{name:?}");
        }
        assert!(FileName::new(&ObjectKey::new("a_b", "c")).is_err());
        // Each part is short enough, both together are not.
        assert!(FileName::new(&ObjectKey::new("n".repeat(63), "p".repeat(253))).is_err());
    }

    #[test]
    fn kubernetes_names_are_taken() {
        assert_eq!(NodeFolder::new("ip-10-0-0-1.eu.example").as_deref(), Ok("ip-10-0-0-1.eu.example"));
        let file = FileName::new(&ObjectKey::new("kube-system", "a.b-1"));
        assert_eq!(file.as_deref(), Ok("kube-system_a.b-1.yaml"));
    }
}
