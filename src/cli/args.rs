//! The command line: every command with its arguments.

use clap::{Parser, Subcommand, builder::styling};

use super::commands::{
    agent, apply, blame, capacity, completions, controller, delete, describe, diff, explain, fleet, get,
    help, init, log, lsp, man, plan, query, reach, report, restore, rollout, rules, serve, show, snapshot,
    test, validate, version, watch,
};
use super::options::global::Global;

const EXIT_CODES: &str = "\
Exit codes:
  0  done, or nothing to do
  1  an error; nothing was changed (but for what --keep-going went on with)
  2  there are changes (only with --detailed-exitcode), answers (query --exit-code), or
     something to look after (fleet --exit-code)
  3  rules of your own call the plan a violation; nothing was changed
  4  the store was changed; what was to follow, the tree or the output, failed
  130, 143  interrupted; it is said whether anything was changed

First steps:
  dsrules init ours                        write a small folder to begin with
  dsrules apply -R examples/cluster        read a cluster, put pods on its nodes
  dsrules get pods -A -o wide              see them
  dsrules explain fluent-bit gpu-a-01 -n logging
                                           ask why one is there, or is not";

const STYLES: styling::Styles = styling::Styles::styled()
    .header(styling::Style::new().bold())
    .usage(styling::Style::new().bold())
    .literal(styling::AnsiColor::Cyan.on_default())
    .placeholder(styling::Style::new());

/// Which node must run which DaemonSet pod, why, and what has to change.
///
/// dsrules reads Kubernetes manifests into one SQLite file, derives by rules which node
/// should run which daemon pods, and plans and applies the difference. It needs no
/// control plane.
#[derive(Debug, Parser)]
#[command(name = "dsrules", version, after_help = EXIT_CODES, styles = STYLES, max_term_width = 100)]
#[command(disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a small working folder to begin with, whose comments teach
    Init(init::InitArgs),
    /// Read manifests and put every pod where it belongs
    Apply(apply::ApplyArgs),
    /// Show what apply would do, and why; nothing is written
    Plan(plan::PlanArgs),
    /// Show a plan that was kept with `plan --out`
    Show(show::ShowArgs),
    /// Show what a change of manifests, rules or nodes does to the fleet: two folders, or revisions
    Diff(diff::DiffArgs),
    /// Keep the store equal to a folder of manifests, until it is stopped
    Watch(watch::WatchArgs),
    /// Keep the daemonsets of a shared store at what the rules say, with others that do
    Controller(controller::ControllerArgs),
    /// Keep this machine at what the manifests of a fleet say of its node
    Agent(agent::AgentArgs),
    /// Serve the store, a folder or files by the Kubernetes API, for kubectl
    Serve(serve::ServeArgs),
    /// Write down what there is in a live cluster, to look at it later, or in a shared store, to keep it
    Snapshot(snapshot::SnapshotArgs),
    /// Fill an empty shared store with what a snapshot of one has
    Restore(restore::RestoreArgs),
    /// Check manifests as an API server would; nothing is read or written beside them
    Validate(validate::ValidateArgs),
    /// Show objects
    Get(get::GetArgs),
    /// Show objects with all that belongs to them
    Describe(describe::DescribeArgs),
    /// Say where clients find a daemonset or a service: addresses, ports, and whether they are ready
    Reach(reach::ReachArgs),
    /// Show what daemon pods and others take of the nodes, and what a plan adds
    Capacity(capacity::CapacityArgs),
    /// Show how every daemonset stands on every node, and what a plan changes; as a page with -o html
    Report(report::ReportArgs),
    /// Delete objects and what belongs to them
    Delete(delete::DeleteArgs),
    /// Say why a daemonset's pod is on a node, or is not
    Explain(explain::ExplainArgs),
    /// Say since when a daemonset stands on a node as it does, and by whose change
    Blame(blame::BlameArgs),
    /// Show what happened: which run made each pod come or go, and whose change led to it
    Log(log::LogArgs),
    /// Ask any question in the language of the rules
    Query(query::QueryArgs),
    /// Show how daemonsets stand on all machines, as their agents report it
    Fleet(fleet::FleetArgs),
    /// Follow, undo or repeat a daemonset's rollout
    Rollout(rollout::RolloutArgs),
    /// Test that plans are as expected, for rules and manifests of your own
    Test(test::TestArgs),
    /// Show the rules that decide
    Rules(rules::RulesArgs),
    /// Serve an editor of rule files by the Language Server Protocol
    Lsp(lsp::LspArgs),
    /// Write the completion script of a shell
    Completions(completions::CompletionsArgs),
    /// Print the version
    #[command(hide = true)]
    Version(version::VersionArgs),
    /// Print the help of a command
    #[command(hide = true)]
    Help(help::HelpArgs),
    /// Write the manual pages
    Man(man::ManArgs),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
