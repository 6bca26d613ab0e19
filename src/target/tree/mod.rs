//! Carrying out what was decided: the file tree that follows the store.
//!
//! `<tree>/<node>/<namespace>_<pod>.yaml` is a Pod manifest that a standalone kubelet
//! or `podman kube play` takes. The tree is written after the store's commit and from
//! the store alone, and it is level-triggered: what is there is compared with what is
//! to be there, and the difference is mended. So a crash anywhere, or a hand in the
//! files, is mended by the next run, and a run with nothing to do writes nothing.
//!
//! Only files that dsrules wrote are changed or removed. They are known by an index in
//! their folder (`.dsrules`) and by their first line, which names their own place, so a
//! copy somewhere else is nobody's. Each write says what it expects: a file that is
//! created must not be there, one that is replaced or removed must be ours.
//!
//! As a [`Target`](crate::target::Target) it is a [`Tree`]: one pod at a time, each with
//! the version that it is expected in.

mod batch;
mod data;
mod disk;
mod durable;
mod files;
mod folder;
mod format;
mod index;
mod leftovers;
mod manifest;
mod mend;
mod objects;
mod one;
mod place;
mod planned;
mod pods;
mod remembered;
mod report;
mod single;
mod stop;
mod systemd;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use cap_fs_ext::DirExt;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde_json::Value;

pub use disk::{Step, Witness};
pub use format::{Destination, Format};
pub use objects::Tree;
pub use place::{FileName, NodeFolder};
pub use planned::{compare_stored, compare_tree};
pub use pods::Read;
pub use report::{Done, TreeChange, TreeReport};
pub use single::{read_file, write_file};

use crate::diagnostic::{Diagnostic, Place};
use crate::kube::{Kind, Name, ObjectKey};
use crate::meter;
use crate::state::World;
use crate::target::memory::Memory;
use batch::Batches;
use disk::Handle;
use files::Files;
use mend::Job;
use pods::{Alike, Maker};

/// The pods that are to be in the tree.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// By node.
    pub pods: BTreeMap<Name, Vec<ObjectKey>>,
    /// Whether `pods` is all there is: the files of other nodes go then.
    pub whole: bool,
}

impl Wanted {
    /// All pods of the store that are bound to a node and stay there: those of daemonsets
    /// and those that nobody owns. Pods of other controllers are not for dsrules to run.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn from_store(store: &dyn Memory) -> Result<Self, Diagnostic> {
        Ok(Wanted { pods: store.bound_pods(Kind::DaemonSet.name())?, whole: true })
    }

    /// The same of a world.
    #[must_use]
    pub fn of_world(world: &World) -> Self {
        let nodes = world.pods.values().filter_map(|pod| pod.node.clone()).collect();
        Wanted { whole: true, ..Wanted::on_nodes(world, &nodes) }
    }

    /// The same of a world, for these nodes only.
    #[must_use]
    pub fn on_nodes(world: &World, nodes: &BTreeSet<Name>) -> Self {
        let mut pods: BTreeMap<Name, Vec<ObjectKey>> =
            nodes.iter().map(|node| (node.clone(), Vec::new())).collect();
        for pod in world.pods.values().filter(|pod| pod.meta.deleting.is_none()) {
            let owner = pod.meta.controller.as_ref();
            if owner.is_none_or(|owner| &*owner.kind == Kind::DaemonSet.name())
                && let Some(on) = pod.node.as_ref().and_then(|node| pods.get_mut(node))
            {
                on.push(pod.meta.key.clone());
            }
        }
        Wanted { pods, whole: false }
    }
}

/// Is given what is to stand in a node's folder.
type Visit<'v> = &'v mut dyn FnMut(Job);

/// Makes the tree equal to what the store holds.
///
/// # Errors
/// When the tree's folder itself cannot be used or the store cannot be read; then
/// nothing was changed. What fails for one node or pod is in the report.
pub fn sync_tree(tree: &Destination, store: &dyn Memory) -> Result<TreeReport, Diagnostic> {
    sync_some(tree, store, &Wanted::from_store(store)?)
}

/// The same for the pods in `wanted`.
///
/// # Errors
/// As [`sync_tree`].
pub fn sync_some(tree: &Destination, store: &dyn Memory, wanted: &Wanted) -> Result<TreeReport, Diagnostic> {
    sync(tree, wanted, &mut reader(store)?)
}

/// Why what the store holds cannot be written in the format of the tree, if it cannot. The
/// store may be in the middle of a transaction.
///
/// # Errors
/// When the store cannot be read.
pub fn refusal_of_store(tree: &Destination, store: &dyn Memory) -> Result<Option<Diagnostic>, Diagnostic> {
    refusal(tree, &Wanted::from_store(store)?, &mut reader(store)?)
}

/// The same with objects from anywhere: `read` gives one, or `None` when it is gone.
///
/// # Errors
/// As [`sync_tree`], and what `read` fails with.
pub fn sync(tree: &Destination, wanted: &Wanted, read: Read<'_>) -> Result<TreeReport, Diagnostic> {
    sync_seen(tree, wanted, read, None)
}

/// The same while somebody looks on, as a test does.
///
/// # Errors
/// As [`sync`].
pub fn sync_seen(
    tree: &Destination,
    wanted: &Wanted,
    read: Read<'_>,
    witness: Option<Arc<dyn Witness>>,
) -> Result<TreeReport, Diagnostic> {
    let root = open_root(&tree.folder, wanted.pods.values().any(|pods| !pods.is_empty()), witness)?;
    let Some(root) = root else { return Ok(TreeReport::default()) };
    leftovers::clean(&root);
    let mut batches = Batches::new(&root, tree.folder.display().to_string());
    meter::begin(wanted.pods.len());
    let said = each(tree, wanted, read, &mut |job| batches.add(job))?;
    let mut report = TreeReport::default();
    if wanted.whole && !said.is_refused {
        for node in folder::others(&root, &wanted.pods, true, &mut report) {
            batches.add(Job { node, files: Files::default(), report: TreeReport::default() });
        }
    }
    let mut done = batches.finish();
    done.add(report);
    done.add(said);
    Ok(done)
}

/// What [`sync`] would do; nothing is done.
///
/// # Errors
/// As [`sync`].
pub fn compare(tree: &Destination, wanted: &Wanted, read: Read<'_>) -> Result<TreeReport, Diagnostic> {
    let mut report = TreeReport::default();
    let Some(root) = open_root(&tree.folder, false, None)? else {
        let said = each(tree, wanted, read, &mut |job| {
            report.add(job.report);
            folder::all_new(&job.node, &job.files, &mut report);
        })?;
        report.add(said);
        return Ok(report);
    };
    let said = each(tree, wanted, read, &mut |job| {
        report.add(job.report);
        folder::compare(&root, &job.node, &job.files, &mut report);
    })?;
    if wanted.whole && !said.is_refused {
        for node in folder::others(&root, &wanted.pods, false, &mut report) {
            folder::compare(&root, &node, &Files::default(), &mut report);
        }
    }
    report.add(said);
    Ok(report)
}

/// Calls `visit` with what is to stand in each node's folder; not at all where any pod is
/// refused, as all that is refused is found first.
fn each(
    destination: &Destination,
    wanted: &Wanted,
    read: Read<'_>,
    visit: Visit<'_>,
) -> Result<TreeReport, Diagnostic> {
    if let Some(told) = refusal(destination, wanted, read)? {
        return Ok(TreeReport { problems: vec![told], is_refused: true, ..TreeReport::default() });
    }
    let mut report = TreeReport::default();
    let mut maker = Maker::new(destination);
    let mut nodes = Alike::default();
    for (node, keys) in &wanted.pods {
        let node = match NodeFolder::new(node) {
            Ok(node) => node,
            Err(told) => {
                report.problems.push(told);
                continue;
            }
        };
        let mut said = std::mem::take(&mut report);
        nodes.note(&node, "nodes", &mut said);
        let files = maker.files(&node, keys, read, &mut said)?;
        visit(Job { node, files, report: said });
    }
    report.problems.extend(maker.tell());
    Ok(report)
}

/// Why the pods in `wanted` cannot be written in the format of the tree, if they cannot:
/// all that is refused of all of them.
///
/// # Errors
/// What `read` fails with.
pub fn refusal(
    destination: &Destination,
    wanted: &Wanted,
    read: Read<'_>,
) -> Result<Option<Diagnostic>, Diagnostic> {
    // In a plain tree nothing is refused.
    if destination.format.runtime().is_none() {
        return Ok(None);
    }
    let mut maker = Maker::new(destination);
    for (node, keys) in &wanted.pods {
        // A name that can have no folder is told when the tree is written.
        if let Ok(node) = NodeFolder::new(node) {
            maker.files(&node, keys, read, &mut TreeReport::default())?;
        }
    }
    Ok(maker.refusal())
}

/// A reader of what the store holds.
pub(super) fn reader(
    store: &dyn Memory,
) -> Result<impl FnMut(Kind, &ObjectKey) -> Result<Option<Value>, Diagnostic>, Diagnostic> {
    let mut pods = store.read_pods()?;
    Ok(move |kind: Kind, key: &ObjectKey| match kind {
        Kind::Pod => pods(key),
        kind => store.object(kind, key),
    })
}

/// The tree's folder, made if it is missing and `make` says so.
fn open_root(
    path: &Path,
    make: bool,
    witness: Option<Arc<dyn Witness>>,
) -> Result<Option<Handle>, Diagnostic> {
    let shown = path.display().to_string();
    let refuse = |what: &str| {
        Diagnostic::error("tree-folder", format!("the tree `{shown}` {what}"))
            .at(Place::file(shown.as_str()))
            .help("name a folder with `--tree`; it is made if it is missing")
    };
    match path.symlink_metadata() {
        Ok(found) if found.is_symlink() => return Err(refuse("is a link, and links are not followed")),
        Ok(found) if !found.is_dir() => return Err(refuse("is not a folder")),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if !make {
                return Ok(None);
            }
            Dir::create_ambient_dir_all(path, ambient_authority())
                .map_err(|error| refuse("cannot be made").because(error.to_string()))?;
        }
        Err(error) => return Err(refuse("cannot be opened").because(error.to_string())),
    }
    let cannot = |error: std::io::Error| refuse("cannot be opened").because(error.to_string());
    // Through its parent, so that a link which has just taken its place is not followed.
    let (parent, name) = (path.parent().filter(|p| !p.as_os_str().is_empty()), path.file_name());
    let dir = match name {
        Some(name) => {
            let parent = parent.unwrap_or(Path::new("."));
            Dir::open_ambient_dir(parent, ambient_authority()).and_then(|dir| dir.open_dir_nofollow(name))
        }
        // `/`, `.` and `..` are no links.
        None => Dir::open_ambient_dir(path, ambient_authority()),
    };
    Ok(Some(Handle::new(dir.map_err(cannot)?, witness)))
}
