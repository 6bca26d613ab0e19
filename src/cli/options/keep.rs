//! For how long a store remembers what happened.

use clap::Args;
use dsrules::app::Options;

use super::moment::seconds;

/// `--keep`.
#[derive(Debug, Clone, Args)]
pub struct KeepArgs {
    /// Remember what happened for so long, as `90d`, here and from now on [default: as before, at
    /// first 30d]
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    keep: Option<i64>,
}

impl KeepArgs {
    /// How a plan is made, with what is put on record of it.
    pub fn with(&self, mut options: Options) -> Options {
        options.by.keep = self.keep;
        options
    }
}
