//! A pod for a machine without an API server: what it refers to has taken the place of the
//! references, or it is said why that cannot be.
//!
//! ```text
//!  pod, what the manifests hold  ->  pod, files of its volumes   (or: what stands in the way)
//! ```
//! The values of ConfigMaps and Secrets go into the environment, their files into folders
//! that are mounted from the machine, and so does what the downward API says; a claim
//! becomes the path of its volume. What is taken by whom is a table (`table.rs`), and
//! nothing else here knows it. What cannot be taken refuses the pod by the field's name:
//! a daemon that runs without its password runs wrong.
//!
//! Podman needs more: it expands no `$(NAME)`, and an `emptyDir` is a volume of podman's
//! own, by a name that all pods share. So names are expanded here,
//! and such volumes are told apart by the pod's name.
//!
//! Not here: where files are written, and whether; how many pods say the same.

mod content;
mod downward;
mod env;
mod expand;
mod made;
mod pod;
mod table;
mod volumes;
mod work;

use serde_json::Value;

pub use made::{DataFile, Finding, Runtime, Standalone};
pub(super) use pod::{without_node_affinity, without_server};
pub use work::Lookup;

use crate::diagnostic::Diagnostic;
use pod::CONTAINERS;
use table::At;
use work::Work;

/// The pod as `runtime` takes it, with the files of its volumes in folders below `folder`,
/// a full path of the machine that runs it.
///
/// # Errors
/// What `lookup` fails with.
pub fn standalone(
    pod: Value,
    runtime: Runtime,
    folder: &str,
    lookup: Lookup<'_>,
) -> Result<Standalone, Diagnostic> {
    let namespace = pod["metadata"]["namespace"].as_str().unwrap_or("default").to_owned();
    let whole = pod.clone();
    let mut pod = without_server(pod);
    let mut spec = pod["spec"].take();
    let mut work = Work { runtime, folder, namespace, whole, made: Standalone::default(), lookup };
    if runtime != Runtime::Cluster {
        work.account(&mut spec)?;
        without_node_affinity(&mut spec);
    }
    work.fields(At::Spec, "spec", &mut spec);
    if runtime != Runtime::Cluster {
        work.volumes(&mut spec)?;
        for list in CONTAINERS {
            for (nth, container) in
                spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten().enumerate()
            {
                work.container(&format!("spec.{list}[{nth}]"), container)?;
            }
        }
    }
    pod["spec"] = spec;
    work.made.pod = pod;
    Ok(work.made)
}
