//! `--rules`, `--facts`, `--param`: the user's own policy for a command.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args};
use dsrules::datalog::{Deadline, Limits};
use dsrules::kube::amount;
use dsrules::policy::{self, Asked};

use super::duration::duration;
use crate::cli::progress::Progress;

/// A user's own rules, for every command that runs rules.
#[derive(Debug, Clone, Args)]
pub struct RuleArgs {
    /// Look at all of the store, however little is asked or changed: it comes to the same
    #[arg(long, hide = true, env = "DSRULES_WHOLE", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    pub whole: bool,
    /// Rules of your own, beside the built-in ones: a .dl file, or a folder of them with
    /// their facts/*.csv
    #[arg(long, value_name = "PATH", env = "DSRULES_RULES", value_delimiter = ':')]
    rules: Vec<PathBuf>,
    /// Facts for inputs of your own: a .csv file named after the input, or a folder of them
    #[arg(long, value_name = "PATH")]
    facts: Vec<PathBuf>,
    /// A value for a parameter of the rules (`.param`), as `quota=3`, `grace=30d` or `module::quota=3`
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = policy::setting)]
    params: Vec<String>,
    /// Stop a rule that derives more rows than this
    #[arg(long, value_name = "N", default_value_t = Limits::default().rows_per_relation)]
    max_rows: usize,
    /// Stop rules whose rows and indexes take more memory than this, as `256Mi` [default: what goes with
    /// the size of the cluster, from 32 MiB to 4 GB]
    #[arg(long, value_name = "SIZE", value_parser = memory)]
    max_memory: Option<usize>,
    /// Stop rules that take longer than this each time they are asked, as `30s`
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,
}

impl RuleArgs {
    /// What rules may derive.
    pub fn limits(&self) -> Limits {
        let deadline = self.timeout.map(|allowed| Deadline { allowed, clock: Instant::now });
        let limits = Limits { deadline, watch: Some(Progress::rule), ..Limits::of_rows(self.max_rows) };
        self.max_memory.map_or(limits, |bytes| limits.of_bytes(bytes))
    }

    /// What was named.
    pub fn asked(&self) -> Asked {
        let named = |paths: &[PathBuf]| {
            paths.iter().filter(|path| !path.as_os_str().is_empty()).cloned().collect::<Vec<_>>()
        };
        Asked {
            rules: named(&self.rules),
            facts: named(&self.facts),
            params: self.params.clone(),
            ..Asked::default()
        }
    }

    /// The same with one file more.
    pub fn asked_with(&self, file: Option<&Path>) -> Asked {
        let mut asked = self.asked();
        let known = |file: &&Path| asked.rules.iter().any(|rules| file.starts_with(rules));
        if let Some(file) = file.filter(|file| !known(file)) {
            asked.rules.push(file.to_owned());
        }
        asked
    }
}

/// A number of bytes, with a unit or without.
fn memory(text: &str) -> Result<usize, String> {
    let bytes = amount("memory", text).and_then(|bytes| usize::try_from(bytes).ok());
    bytes.ok_or_else(|| "not a size; write it as `256Mi` or `1G`".to_owned())
}
