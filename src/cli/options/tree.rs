//! `--tree DIR`: the folder of Pod manifests that follows the store.

use std::path::PathBuf;

use clap::Args;

/// A folder to be kept equal to the store.
#[derive(Debug, Clone, Args)]
pub struct TreeArgs {
    /// Keep DIR/<node>/<namespace>_<pod>.yaml equal to the store; a plan shows what would change there
    #[arg(long, value_name = "DIR", env = "DSRULES_TREE")]
    tree: Option<PathBuf>,
}

impl TreeArgs {
    /// The folder, if one was named.
    pub fn folder(&self) -> Option<PathBuf> {
        self.tree.clone()
    }
}
