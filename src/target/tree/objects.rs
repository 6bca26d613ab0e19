//! The tree as a target of pods: a pod is a file, and its version is its folder and the
//! hash of what stands in it.
//!
//! It is written by the same steps as when the tree follows the store: only files of ours
//! are replaced or removed, the index names a file before it is there. While a batch is
//! written the tree's folder is locked, so that nobody writes between look and write. A
//! pod's key is looked for in the folder of its node alone: that no two nodes have it is
//! for the writer to know.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::disk::Handle;
use super::files::Text;
use super::place::{FileName, NodeFolder};
use super::{folder, leftovers, manifest, one, open_root};
use crate::diagnostic::{Diagnostic, Place};
use crate::hash::sha256;
use crate::kube::{Kind, ObjectKey};
use crate::target::contract::{Batch, Changed, Cursor, Found, Promises, Target, Visit};
use crate::target::object::Item;
use crate::target::write::{Refused, Version, Write};

/// The tree at a path.
#[derive(Debug, Clone)]
pub struct Tree {
    path: PathBuf,
}

impl Tree {
    /// The tree at `path`; its folder is made by the first pod.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Tree { path: path.to_owned() }
    }

    /// The pods of one node's folder, or the one with this key.
    fn pods(
        root: &Handle,
        node: &NodeFolder,
        wanted: Option<&ObjectKey>,
    ) -> Result<Vec<(ObjectKey, Found)>, Diagnostic> {
        let mut pods = Vec::new();
        for name in folder::own(root, node)? {
            let Some((namespace, pod)) = name.strip_suffix(".yaml").and_then(|it| it.split_once('_')) else {
                continue;
            };
            let key = ObjectKey::new(namespace, pod);
            if wanted.is_none_or(|wanted| *wanted == key)
                && let Some(text) = folder::read(root, node, &name)?
            {
                // What a hand has made of it may be no YAML; it is there all the same.
                let value = serde_yaml::from_str(&text).unwrap_or(Value::Null);
                pods.push((key, Found { value, version: version(node, &text) }));
            }
        }
        Ok(pods)
    }

    /// The folders of nodes.
    pub(super) fn nodes(root: &Handle) -> Result<Vec<NodeFolder>, Diagnostic> {
        let entries = root.entries().map_err(|error| folder::failed(".", "listed", &error))?;
        let folders = entries
            .filter_map(Result::ok)
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .filter_map(|entry| NodeFolder::new(entry.file_name().to_str()?).ok());
        let mut nodes: Vec<NodeFolder> = folders.collect();
        nodes.sort();
        Ok(nodes)
    }

    /// A pod on whatever node.
    fn find(root: &Handle, key: &ObjectKey) -> Result<Option<Found>, Diagnostic> {
        for node in Tree::nodes(root)? {
            if let Some((_, found)) = Tree::pods(root, &node, Some(key))?.pop() {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn carry_out(&self, root: &Handle, write: &Write<'_>) -> Result<(), Refused> {
        let (kind, key) = write.object();
        let refuse = |why: &str| {
            let told = format!("the {} `{key}` cannot be written into the tree", kind.resource());
            Diagnostic::error("tree-pod", told).at(Place::file(self.path.display().to_string())).because(why)
        };
        let pod = match write {
            Write::Create(Item::Pod(pod)) | Write::Replace(Item::Pod(pod), _) => Some(*pod),
            Write::Delete(Kind::Pod, ..) => None,
            _ => return Err(refuse("a tree holds pods").into()),
        };
        let expected = write.expected();
        let known = expected.and_then(Version::as_text).and_then(|text| text.split_once('/'));
        let node = known.map(|(node, _)| node).or_else(|| pod.and_then(|pod| pod.node.as_deref()));
        let Some(node) = node else {
            let found = Tree::find(root, key)?.map(|found| found.version);
            return Err(if write.expected().is_some() {
                write.conflict(&self.path.display().to_string(), found).into()
            } else {
                refuse("it is on no node").into()
            });
        };
        let (node, file) = (NodeFolder::new(node)?, FileName::new(key)?);
        let found = folder::read(root, &node, &file)?.map(|text| version(&node, &text));
        if found.as_ref() != expected {
            return Err(write.conflict(&self.path.display().to_string(), found).into());
        }
        let Some(pod) = pod else { return Ok(one::remove(root, &node, &file)?) };
        if pod.node.as_deref() != Some(&*node) {
            return Err(refuse("it is on another node: a pod does not move").into());
        }
        let Some(value) = Item::Pod(pod).value() else {
            return Err(refuse("its manifest is not in memory").into());
        };
        let text = manifest::text(&node, &file, value, &mut manifest::Notes::default());
        Ok(one::put(root, &node, &file, &Text::open(text))?)
    }
}

fn version(node: &NodeFolder, text: &str) -> Version {
    Version::text(&format!("{node}/{}", sha256(text)))
}

impl Target for Tree {
    fn promises(&self) -> Promises {
        Promises { kinds: &[Kind::Pod], batch: Batch::Sequence, most: usize::MAX, watches: false }
    }

    fn get(&self, kind: Kind, key: &ObjectKey) -> Result<Option<Found>, Diagnostic> {
        match open_root(&self.path, false, None)? {
            Some(root) if kind == Kind::Pod => Tree::find(&root, key),
            _ => Ok(None),
        }
    }

    fn list(&self, kind: Kind, visit: Visit<'_>) -> Result<Cursor, Diagnostic> {
        let mut pods = Vec::new();
        if let Some(root) = open_root(&self.path, false, None)?
            && kind == Kind::Pod
        {
            for node in Tree::nodes(&root)? {
                pods.extend(Tree::pods(&root, &node, None)?);
            }
        }
        pods.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (key, found) in pods {
            visit(key, found)?;
        }
        Ok(Cursor(String::new()))
    }

    /// A folder keeps no history.
    fn changes(&self, _: Kind, _: &Cursor, _: Changed<'_>) -> Result<Option<Cursor>, Diagnostic> {
        Ok(None)
    }

    fn write(&mut self, batch: &[Write<'_>]) -> Result<(), Refused> {
        let Some(first) = batch.first() else { return Ok(()) };
        let makes = batch.iter().any(|write| matches!(write, Write::Create(_)));
        let shown = self.path.display().to_string();
        let Some(root) = open_root(&self.path, makes, None)? else {
            return Err(first.conflict(&shown, None).into());
        };
        // Ends with the handle.
        let lock = root.itself().map(cap_std::fs::File::into_std).and_then(|lock| {
            lock.lock()?;
            Ok(lock)
        });
        let lock = lock.map_err(|error| folder::failed(&shown, "locked", &error))?;
        leftovers::clean(&root);
        let done = batch.iter().try_for_each(|write| self.carry_out(&root, write));
        // What was done before a failure stays, so it has to be on disk in any case.
        let flushed = root.flush().map_err(|error| folder::failed(&shown, "written to disk", &error));
        drop(lock);
        done.and_then(|()| Ok(flushed?))
    }
}
