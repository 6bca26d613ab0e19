//! What `plan` and `apply` have in common: the input, the bounds, how it is shown.

use std::path::PathBuf;

use clap::Args;
use dsrules::app::{Options, Request, id_of};
use dsrules::diagnostic::Diagnostic;

use super::bounds::BoundArgs;
use super::input::InputArgs;
use super::output::PlanFormat;
use super::tree::{TreeArgs, needs_secrets};
use crate::cli::context::Context;

/// Options of `plan` and `apply`.
#[derive(Debug, Clone, Args)]
pub struct PlanningArgs {
    #[command(flatten)]
    pub input: InputArgs,
    /// Go on with the objects that are right when others are wrong; the exit code is 1 all the same
    #[arg(long)]
    pub keep_going: bool,
    #[command(flatten)]
    bounds: BoundArgs,
    /// Remove objects that an earlier apply of the same input brought and that left it
    #[arg(long)]
    pub prune: bool,
    /// With --prune: let the input lose all of its objects
    #[arg(long)]
    allow_empty: bool,
    /// Take it for this input of an earlier apply, rather than for the one of its own paths
    #[arg(long, value_name = "PATH")]
    input_of: Vec<PathBuf>,
    /// How to show it; wide shows every line, and sarif, github and junit what rules of your own say of it
    #[arg(long, short = 'o', value_name = "FORMAT", value_enum)]
    pub output: Option<PlanFormat>,
}

impl PlanningArgs {
    /// Whether it is taken for another input.
    pub fn takes_over(&self) -> bool {
        !self.input_of.is_empty()
    }

    /// Whether nothing is said of how to plan: no option that is in a kept plan already.
    pub fn is_plain(&self) -> bool {
        let PlanningArgs { keep_going, prune, allow_empty, input_of, .. } = self;
        !keep_going && !prune && !allow_empty && input_of.is_empty() && self.bounds.is_plain()
    }

    /// As the library takes it.
    pub fn request(&self, tree: &TreeArgs, context: &Context) -> Result<Request, Diagnostic> {
        let own = !self.takes_over();
        let all = context.verbose || self.output.is_some_and(PlanFormat::is_for_programs);
        let bounds = self.bounds.options(context);
        let tree = tree.destination()?;
        let mut manifests = self.input.manifests()?;
        manifests.options.secrets = needs_secrets(tree.as_ref());
        Ok(Request {
            database: context.database.clone(),
            manifests,
            id: if own { self.input.id() } else { id_of(self.input_of.iter()) },
            takes_over: !own,
            keep_going: self.keep_going,
            remind: !context.quiet,
            rules: self.bounds.rules.asked(),
            tree,
            exports: Vec::new(),
            options: Options {
                prune: self.prune,
                allow_empty: self.allow_empty,
                lists: all || self.output == Some(PlanFormat::Wide),
                told: if all { usize::MAX } else { bounds.told },
                ..bounds
            },
        })
    }
}
