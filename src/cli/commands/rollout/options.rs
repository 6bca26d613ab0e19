//! Which daemonsets a rollout is about, and the options of what changes them.

use std::io;

use clap::Args;
use dsrules::app::rollout::named;
use dsrules::diagnostic::Diagnostic;
use dsrules::kube::ObjectKey;
use dsrules::report;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::options::bounds::BoundArgs;
use crate::cli::options::dry_run::DryRun;
use crate::cli::options::output::DataFormat;
use crate::cli::options::tree::TreeArgs;

/// Which daemonset.
#[derive(Debug, Clone, Args)]
pub struct Which {
    /// The daemonset: `daemonset/NAME`
    #[arg(value_name = "daemonset/NAME", required = true, num_args = 1..)]
    resources: Vec<String>,
    /// The namespace it is in
    #[arg(long, short = 'n', value_name = "NAMESPACE", default_value = "default")]
    namespace: String,
}

/// How the commands that only look show what they found.
#[derive(Debug, Clone, Args)]
pub struct Shown {
    /// Show it as a document, for programs
    #[arg(long, short = 'o', value_name = "FORMAT", value_enum)]
    output: Option<DataFormat>,
}

impl Shown {
    /// Writes a document, if that is wanted.
    pub fn document(&self, document: &impl Serialize, context: &mut Context) -> io::Result<bool> {
        match self.output {
            Some(DataFormat::Json) => report::write_json(document, &mut context.out)?,
            Some(DataFormat::Yaml) => report::write_yaml(document, &mut context.out)?,
            None => return Ok(false),
        }
        Ok(true)
    }
}

/// Options of the commands that change something.
#[derive(Debug, Clone, Args)]
pub struct Changing {
    /// Only show what would be done
    #[arg(long, value_name = "HOW", value_enum, default_value_t = DryRun::None)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "client")]
    pub dry_run: DryRun,
    #[command(flatten)]
    pub bounds: BoundArgs,
    #[command(flatten)]
    pub tree: TreeArgs,
}

impl Which {
    /// The keys of the daemonsets that were named.
    pub fn keys(&self) -> Result<Vec<ObjectKey>, Diagnostic> {
        named(&self.resources, &self.namespace)
    }
}
