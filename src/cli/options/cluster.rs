//! `--cluster`: a live cluster in place of the store.

use std::env;
use std::path::PathBuf;

use clap::Args;
use dsrules::app::cluster::{Detail, folder, observe};
use dsrules::cluster::Access;
use dsrules::diagnostic::Diagnostic;
use dsrules::target::aside;

use crate::cli::context::Context;
use crate::cli::exit::Failure;
use crate::cli::interrupt;

/// Why nothing is pruned in a cluster.
pub const NO_PRUNING: &str = "a cluster does not say what these manifests brought before: `--remove KIND/NAME` plans \
    without an object, and `--base OLD NEW` compares two folders without a cluster";

/// Which cluster is looked at, if one is.
#[derive(Debug, Clone, Args)]
pub struct ClusterArgs {
    /// Look at a live cluster in place of the database, as a context of the kubeconfig names it: at
    /// the current one where none is named. Nothing is changed in it
    #[arg(long, value_name = "CONTEXT", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub cluster: Option<String>,
    /// The kubeconfig [default: what KUBECONFIG says, else ~/.kube/config]
    #[arg(long, value_name = "FILE", requires = "cluster")]
    pub kubeconfig: Option<PathBuf>,
}

impl ClusterArgs {
    /// The cluster that is meant, if one is.
    pub fn access(&self) -> Option<Access> {
        let context = self.cluster.clone()?;
        Some(access(self.kubeconfig.clone(), Some(context).filter(|name| !name.is_empty())))
    }

    /// Refuses what says nothing of a cluster: each flag, whether it was given, and why it cannot be.
    pub fn refuse(&self, flags: &[(&str, bool, &str)]) -> Result<(), Diagnostic> {
        let given = flags.iter().find(|(_, given, _)| self.cluster.is_some() && *given);
        let Some((flag, _, why)) = given else { return Ok(()) };
        let what = format!("`{flag}` and `--cluster` do not go together");
        Err(Diagnostic::error("with-cluster", what).help(*why))
    }

    /// Reads the cluster, if one is meant; it is then what there is in place of a store.
    pub fn observe(&self, detail: Detail, context: &mut Context) -> Result<(), Failure> {
        let Some(access) = self.access().filter(|_| !context.looks_at_a_cluster()) else { return Ok(()) };
        let progress = crate::cli::progress::Progress::begin(context.quiet);
        let folder = folder()?;
        let path = folder.path().to_owned();
        interrupt::first(move || aside::remove(&path));
        let observed = observe(&access, folder, detail, context.seconds(), context);
        drop(progress);
        context.look_at(observed?);
        Ok(())
    }
}

/// The cluster that a context of a kubeconfig names.
pub fn access(kubeconfig: Option<PathBuf>, context: Option<String>) -> Access {
    let in_pod = env::var_os("KUBERNETES_SERVICE_HOST").is_some();
    if let Some(file) = kubeconfig {
        return Access { files: vec![file], lenient: false, context, in_pod: false };
    }
    let named = env::var_os("KUBECONFIG").filter(|named| !named.is_empty());
    let files: Vec<PathBuf> = match named {
        Some(named) => env::split_paths(&named).filter(|path| !path.as_os_str().is_empty()).collect(),
        None => env::home_dir().map(|home| home.join(".kube/config")).into_iter().collect(),
    };
    Access { files, lenient: true, context, in_pod }
}
