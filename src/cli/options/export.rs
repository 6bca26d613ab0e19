//! `--export FORM=PATH`: files for other programs that follow the store.

use clap::Args;
use dsrules::app::{Export, Exported};

use crate::cli::context::Context;

/// Files to be kept up to date.
#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
    /// Keep a file up to date for other programs, whole or not at all: prometheus-sd=PATH (targets
    /// for Prometheus' file_sd_configs), hosts=PATH, dns-zone=PATH or json=PATH; with
    /// FORM:NAMESPACE/DAEMONSET=PATH of one daemonset; may be given several times
    #[arg(long, value_name = "FORM=PATH")]
    pub export: Vec<Export>,
}

/// Says which files were written, and tells which could not be; whether there are such.
pub fn told(exported: Vec<Exported>, context: &Context) -> bool {
    let mut failed = Vec::new();
    for Exported { path, result } in exported {
        match result {
            Ok(true) => context.note(&format!("wrote {}", path.display())),
            Ok(false) => {}
            Err(error) => failed.push(error),
        }
    }
    let any = !failed.is_empty();
    context.tell(failed);
    any
}
