//! `--rules`, `--facts` and `dsrules.yaml`: the user's own policy for a command.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use dsrules::app::Planned;
use dsrules::datalog::{Deadline, Limits, Program};
use dsrules::diagnostic::{Diagnostic, counted};
use dsrules::policy::{self, Asked, Found};
use dsrules::state::OwnFile;
use dsrules::target::sqlite::Store;

use super::duration::duration;
use super::input::absolute;
use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};

/// A user's own rules, for every command that runs rules.
#[derive(Debug, Clone, Args)]
pub struct RuleArgs {
    /// Rules of your own, beside the built-in ones: a .dl file, or a folder of them with
    /// their facts/*.csv
    #[arg(long, value_name = "PATH", env = "DSRULES_RULES", value_delimiter = ':')]
    rules: Vec<PathBuf>,
    /// Facts for inputs of your own: a .csv file named after the input, or a folder of them
    #[arg(long, value_name = "PATH")]
    facts: Vec<PathBuf>,
    /// Stop a rule that derives more rows than this
    #[arg(long, value_name = "N", default_value_t = Limits::default().rows_per_relation)]
    max_rows: usize,
    /// Stop rules that take longer than this each time they are asked, as `30s`
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,
}

/// A program, and the user's files in it that go with the input at hand.
pub struct Policy {
    /// The files, by their full paths.
    pub own: Vec<OwnFile>,
    /// The built-in rules with these and with what other inputs brought.
    pub program: Program,
}

impl RuleArgs {
    /// What rules may derive.
    pub fn limits(&self) -> Limits {
        let deadline = self.timeout.map(|allowed| Deadline { allowed, clock: Instant::now });
        Limits { deadline, ..Limits::of_rows(self.max_rows) }
    }

    /// What was named.
    pub fn asked(&self) -> Asked {
        let named = |paths: &[PathBuf]| {
            paths.iter().filter(|path| !path.as_os_str().is_empty()).cloned().collect::<Vec<_>>()
        };
        Asked { rules: named(&self.rules), facts: named(&self.facts), beside: Vec::new() }
    }

    /// The same with one file more.
    pub fn and(&self, file: Option<&Path>) -> Self {
        let known = self.rules.iter().any(|rules| file.is_some_and(|file| file.starts_with(rules)));
        let more = file.filter(|_| !known).map(Path::to_owned);
        RuleArgs { rules: self.rules.iter().cloned().chain(more).collect(), ..self.clone() }
    }

    /// What was named here or by a `dsrules.yaml` beside the manifests.
    pub fn find(&self, beside: &[PathBuf]) -> Found {
        policy::find(&Asked { beside: beside.to_vec(), ..self.asked() })
    }

    /// Whether only the built-in rules are meant, also by a `dsrules.yaml` beside the
    /// manifests.
    pub fn are_none(&self, beside: &[PathBuf]) -> bool {
        let found = self.find(beside);
        found.files.is_empty() && found.problems.is_empty()
    }

    /// The program of a command without manifests: with the rules that the inputs of the
    /// store brought.
    pub fn of_store(&self, store: &Store, context: &Context) -> Result<Program, Failure> {
        Ok(self.with(&[], None, Some(store), context)?.program)
    }

    /// The program of these options alone.
    pub fn alone(&self, context: &Context) -> Result<Program, Failure> {
        Ok(self.with(&[], None, None, context)?.program)
    }

    /// The program of a command with manifests: with a `dsrules.yaml` beside them and
    /// with what the store's inputs but this one brought.
    pub fn with(
        &self,
        beside: &[PathBuf],
        input: Option<&str>,
        store: Option<&Store>,
        context: &Context,
    ) -> Result<Policy, Failure> {
        let (policy, warnings) = Policy::of(self.find(beside).into_files()?, input, store)?;
        if !warnings.is_empty() {
            context.tell(warnings);
        }
        Ok(policy)
    }
}

impl Policy {
    /// The program with these files and with what the store's inputs but this one
    /// brought; and what there is to warn about.
    pub fn of(
        shown: Vec<OwnFile>,
        input: Option<&str>,
        store: Option<&Store>,
    ) -> Result<(Policy, Vec<Diagnostic>), Vec<Diagnostic>> {
        let full = |file: &OwnFile| absolute(Path::new(&*file.path)).into();
        let own: Vec<OwnFile> =
            shown.iter().map(|file| OwnFile { path: full(file), ..file.clone() }).collect();
        let mut all = match store {
            Some(store) => store.own_files(input).map_err(|error| vec![error])?,
            None => Vec::new(),
        };
        all.retain(|stored| !own.iter().any(|it| it.path == stored.path));
        all.extend(shown);
        let loaded = policy::load(&all);
        match loaded.program {
            Some(program) => Ok((Policy { own, program }, loaded.diagnostics)),
            None => Err(loaded.diagnostics),
        }
    }
}

/// Tells what the user's rules say of a plan; the exit if they refuse it.
pub fn judge(planned: &mut Planned, context: &Context) -> Option<Exit> {
    let refused = planned.is_refused();
    let said = std::mem::take(&mut planned.said);
    if !said.is_empty() {
        let violations = planned.violations;
        context.tell_of(said, violations);
        if refused {
            let rules = counted(violations, "violation");
            context.tell(vec![Diagnostic::note(
                "refused",
                format!("{rules} of your own rules: such a plan is not carried out"),
            )]);
        }
    }
    refused.then_some(Exit::Violated)
}
