//! What every command that makes a plan can be told: own rules, bounds, who is ready.

use clap::{Args, ValueEnum};
use dsrules::app::{Manifests, MaxDelete, Options, Request, Schedule};
use dsrules::plan::Readiness;

use super::rules::RuleArgs;
use crate::cli::context::Context;

/// Options of every command that makes a plan.
#[derive(Debug, Clone, Args)]
pub struct BoundArgs {
    #[command(flatten)]
    pub rules: RuleArgs,
    /// Go on although rules of your own call the plan a violation
    #[arg(long)]
    ignore_violations: bool,
    /// Refuse a plan that deletes more pods for good, as `10` or `5%` [default: 50%, from 20 pods on]
    #[arg(long, value_name = "N|P%", value_parser = max_delete)]
    max_delete: Option<MaxDelete>,
    /// Who says that a created pod is ready: nobody has to (a rollout is played to its end), or Pod
    /// manifests of the input (a rollout waits for them)
    #[arg(long, value_name = "HOW", value_enum, default_value_t = Ready::Assume)]
    readiness: Ready,
    /// Who says whether a created pod fits on its node: nobody has to (it is bound), or the rules of
    /// the default scheduler (it is bound, preempts others, or stays pending and says why) [default:
    /// simulate, where some node says in its status what is allocatable; else assume]
    #[arg(long, value_name = "HOW", value_enum)]
    schedule: Option<Scheduling>,
}

/// `--schedule`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scheduling {
    // Nobody has to: every pod is bound to the node that it is meant for
    Assume,
    // The default scheduler's rules: a pod that does not fit preempts others or stays pending
    Simulate,
}

/// `--readiness`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Ready {
    // Nobody has to: it is taken as ready, so a rollout is played to its end
    Assume,
    // Pod manifests in the input do; until then a rollout waits
    Observe,
}

impl BoundArgs {
    /// Whether no bound is given.
    pub fn is_plain(&self) -> bool {
        !self.ignore_violations
            && self.max_delete.is_none()
            && self.readiness == Ready::Assume
            && self.schedule.is_none()
    }

    /// What is asked of a command that makes a plan and writes nothing.
    pub fn request(&self, manifests: Manifests, id: String, prune: bool, context: &Context) -> Request {
        Request {
            database: context.database.clone(),
            manifests,
            id,
            takes_over: false,
            keep_going: false,
            remind: !context.quiet,
            rules: self.rules.asked(),
            tree: None,
            exports: Vec::new(),
            options: Options { prune, ..self.options(context) },
        }
    }

    /// As the library takes them.
    pub fn options(&self, context: &Context) -> Options {
        Options {
            readiness: match self.readiness {
                Ready::Assume => Readiness::Assume,
                Ready::Observe => Readiness::Observe,
            },
            schedule: self.schedule.map(|it| match it {
                Scheduling::Assume => Schedule::Assume,
                Scheduling::Simulate => Schedule::Simulate,
            }),
            max_delete: self.max_delete,
            ignore_violations: self.ignore_violations,
            limits: self.rules.limits(),
            whole: self.rules.whole,
            by: context.by(),
            ..Options::at(context.seconds())
        }
    }
}

fn max_delete(text: &str) -> Result<MaxDelete, String> {
    let number = |text: &str| text.parse::<usize>().map_err(|_| "not a number (`10`) or a percentage (`5%`)");
    Ok(match text.strip_suffix('%') {
        Some(percent) => match number(percent)? {
            percent @ 0..=100 => MaxDelete::Percent(percent),
            _ => return Err("a percentage is at most 100%".to_owned()),
        },
        None => MaxDelete::Pods(number(text)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_numbers_or_percentages() {
        assert_eq!(max_delete("10"), Ok(MaxDelete::Pods(10)));
        assert_eq!(max_delete("5%"), Ok(MaxDelete::Percent(5)));
        for wrong in ["", "%", "-1", "101%", "5.5%", "ten"] {
            assert!(max_delete(wrong).is_err(), "{wrong}");
        }
    }
}
