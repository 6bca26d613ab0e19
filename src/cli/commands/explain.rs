//! `dsrules explain`: why a pod or a row of a relation is there, or is not, from the rules
//! that decided it.

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use dsrules::app::cluster::Detail as Kept;
use dsrules::app::{Because, Manifests, Sight, Why, explain};
use dsrules::datalog::{Program, Typed};
use dsrules::diagnostic::{Diagnostic, visible};
use dsrules::explain::{Explanation, OnNode, Rows, Summary, trim};
use dsrules::plan::Waiting;
use dsrules::report::{self, Detail};

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::moment::AtArgs;
use crate::cli::options::world::WorldArgs;

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A daemonset and a node, a daemonset for all nodes, `node/NAME`, `pod NAME`, or a row of a
    /// relation, as 'eligible("ns/agent", Node)'
    #[arg(
        value_name = "DAEMONSET [NODE] | node/NAME | pod NAME | RELATION(...)",
        required = true,
        num_args = 1..=2
    )]
    what: Vec<String>,
    /// The namespace to look in
    #[arg(long, short = 'n', value_name = "NAMESPACE", default_value = "default")]
    namespace: String,
    /// How to show it
    #[arg(long, short = 'o', value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    output: Format,
    /// How many levels of reasons are shown
    #[arg(long, value_name = "LEVELS", value_parser = clap::value_parser!(u16).range(1..))]
    depth: Option<u16>,
    /// How many rows of a relation are explained
    #[arg(long, value_name = "ROWS", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    limit: u16,
    /// Look for a row of a relation in the state that a plan leads to, as violations see it; they,
    /// and what asks for `planned`, are looked for there anyway
    #[arg(long)]
    planned: bool,
    #[command(flatten)]
    at: AtArgs,
    #[command(flatten)]
    world: WorldArgs,
}

/// `-o` of `explain`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    // A tree
    Text,
    // A tree with the text of each rule and the field of each fact; all nodes by name
    Wide,
    // JSON, with a version field
    Json,
    // YAML, with a version field
    Yaml,
    // A graph for Graphviz
    Dot,
}

/// What is kept of the pods of a cluster: of a row of a relation it is not known what it is about.
fn kept(args: &ExplainArgs) -> Kept {
    let is_plain = !args.planned && !args.what.iter().any(|word| word.contains('('));
    if is_plain { Kept::of(&args.world.rules.asked(), &Manifests::default()) } else { Kept::Whole }
}

/// Where to look.
fn sight(args: &ExplainArgs, context: &mut Context) -> Result<Sight, Failure> {
    if let Some(at) = args.at.at {
        args.world.refuse_past()?;
        context.look_back(at)?;
    }
    args.world.cluster.observe(kept(args), context)?;
    let mut sight = args.world.sight(&args.namespace, context)?;
    let asked = args.what.join(" ");
    if Typed::of(&asked).rules {
        sight.rules.typed.push(asked);
    }
    Ok(sight)
}

/// Explains.
pub fn run(args: &ExplainArgs, context: &mut Context) -> Result<Exit, Failure> {
    let sight = sight(args, context)?;
    let why = Why {
        words: args.what.clone(),
        namespace: args.namespace.clone(),
        here: std::env::current_dir().ok(),
        now: context.seconds(),
        most: args.limit.into(),
        planned: args.planned,
    };
    let seen = why.look(&sight, context)?;
    let depth = args.depth.map_or(usize::MAX, usize::from);
    match explain(&why, &seen)? {
        Because::Pair(mut explanation) => {
            trim(&mut explanation.steps, depth);
            pair(&explanation, args.output, &seen.program, context)?;
        }
        Because::Rows(mut found) => {
            found.rows.iter_mut().for_each(|told| trim(&mut told.steps, depth));
            rows(&found, args.output, &seen.program, context)?;
        }
        Because::Node(node) => on_node(&node, args.output, context)?,
        Because::DaemonSet(it, waiting) => summary(&it, waiting.as_ref(), args.output, context)?,
    }
    Ok(Exit::Done)
}

fn pair(
    explanation: &Explanation,
    output: Format,
    program: &Program,
    context: &mut Context,
) -> Result<(), Failure> {
    let paint = context.paint;
    let out = &mut context.out;
    match output {
        Format::Text => report::explanation(explanation, None, paint, &mut context.fitted())?,
        Format::Wide => {
            let text = |place: &str| text_of(program, place);
            report::explanation(explanation, Some(&text), paint, &mut context.fitted())?;
        }
        Format::Json => report::write_json(&report::explanation_document(explanation), out)?,
        Format::Yaml => report::write_yaml(&report::explanation_document(explanation), out)?,
        Format::Dot => report::explanation_dot(explanation, out)?,
    }
    Ok(())
}

/// The text of the rule at a place.
fn text_of(program: &Program, place: &str) -> Option<String> {
    let rule = program.rules().find(|rule| format!("{}:{}", rule.file, rule.line) == place)?;
    Some(rule.text.to_string())
}

/// Shows why rows are there, or not.
pub fn rows(rows: &Rows, output: Format, program: &Program, context: &mut Context) -> Result<(), Failure> {
    let paint = context.paint;
    let out = &mut context.out;
    match output {
        Format::Text => report::rows(rows, None, paint, &mut context.fitted())?,
        Format::Wide => {
            let text = |place: &str| text_of(program, place);
            report::rows(rows, Some(&text), paint, &mut context.fitted())?;
        }
        Format::Json => report::write_json(&report::rows_document(rows), out)?,
        Format::Yaml => report::write_yaml(&report::rows_document(rows), out)?,
        Format::Dot => report::rows_dot(rows, out)?,
    }
    Ok(())
}

fn on_node(node: &OnNode, output: Format, context: &mut Context) -> Result<(), Failure> {
    let paint = context.paint;
    let out = &mut context.out;
    match output {
        Format::Text | Format::Wide => {
            report::on_node(node, output == Format::Wide, paint, &mut context.fitted())?;
        }
        Format::Json => report::write_json(&report::on_node_document(node), out)?,
        Format::Yaml => report::write_yaml(&report::on_node_document(node), out)?,
        Format::Dot => return Err(no_graph("all daemonsets of a node", "a daemonset")),
    }
    Ok(())
}

/// There is no graph of many things.
fn no_graph(what: &str, name: &str) -> Failure {
    Diagnostic::error("no-graph", format!("a summary over {what} is no graph"))
        .help(format!("name {name} as well, or leave `-o dot` away"))
        .into()
}

fn summary(
    summary: &Summary,
    waiting: Option<&Waiting>,
    output: Format,
    context: &mut Context,
) -> Result<(), Failure> {
    let document = || {
        let mut document = serde_json::to_value(report::summary_document(summary))?;
        if let Some(waiting) = waiting {
            document["waiting"] = serde_json::to_value(report::waiting_line(waiting))?;
        }
        Ok::<_, io::Error>(document)
    };
    let paint = context.paint;
    match output {
        Format::Text | Format::Wide => {
            let out = &mut context.fitted();
            report::summary(summary, output == Format::Wide, paint, out)?;
            if let Some(waiting) = waiting {
                let detail = if output == Format::Wide { Detail::Wide } else { Detail::Short };
                writeln!(out, "\n{} {}", paint.changed("waiting:"), visible(&waiting.reason))?;
                report::awaited(waiting, detail, paint, out)?;
            }
        }
        Format::Json => report::write_json(&document()?, &mut context.out)?,
        Format::Yaml => report::write_yaml(&document()?, &mut context.out)?,
        Format::Dot => return Err(no_graph("all nodes", "a node")),
    }
    Ok(())
}
