//! `dsrules explain DAEMONSET NODE`: why a pod is there, or is not.

use clap::{Args, ValueEnum};
use dsrules::diagnostic::Diagnostic;
use dsrules::explain::explain;
use dsrules::model::{Kind, ObjectKey};
use dsrules::report::{self, Detail};

use super::context::Context;
use super::exit::{Exit, Failure};
use super::resources::{Resource, missing, resource};
use super::rules::RuleArgs;

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The daemonset: NAME or daemonset/NAME
    daemonset: String,
    /// The node: NAME or node/NAME
    node: String,
    /// The namespace of the daemonset
    #[arg(long, short = 'n', value_name = "NAMESPACE", default_value = "default")]
    namespace: String,
    /// How to show it; wide shows every step, down to the facts
    #[arg(long, short = 'o', value_name = "FORMAT", value_enum)]
    output: Option<Format>,
    #[command(flatten)]
    rules: RuleArgs,
}

/// `-o` of `explain`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    // JSON, with a version field
    Json,
    // YAML, with a version field
    Yaml,
    // Every step, down to the facts
    Wide,
}

/// Explains one pair.
pub fn run(args: &ExplainArgs, context: &mut Context) -> Result<Exit, Failure> {
    let daemonset = ObjectKey::new(args.namespace.as_str(), bare(&args.daemonset, Kind::DaemonSet)?);
    let node = bare(&args.node, Kind::Node)?;
    let program = args.rules.load(context)?;
    let store = context.read()?;
    let world = store.load()?;
    let Some(explanation) = explain(&world, &program, &daemonset, node, context.seconds())? else {
        let node = ObjectKey::new("", node);
        let mut problems = Vec::new();
        for (kind, key, there) in [
            (Kind::DaemonSet, &daemonset, world.daemonsets.contains_key(&daemonset)),
            (Kind::Node, &node, world.nodes.contains_key(&node)),
        ] {
            if !there {
                problems.push(missing(kind, key, &store)?);
            }
        }
        return Err(problems.into());
    };
    match args.output {
        Some(Format::Json) => {
            report::write_json(&report::explanation_document(&explanation), &mut context.out)?
        }
        Some(Format::Yaml) => {
            report::write_yaml(&report::explanation_document(&explanation), &mut context.out)?
        }
        output => {
            let wide = output == Some(Format::Wide) || context.verbose;
            let detail = if wide { Detail::Wide } else { Detail::Short };
            report::explanation(&explanation, detail, context.paint, &mut context.out)?;
        }
    }
    Ok(Exit::Done)
}

/// The name alone, whether or not its kind stands before it.
fn bare(word: &str, kind: Kind) -> Result<&str, Diagnostic> {
    match word.split_once('/') {
        None => Ok(word),
        Some((of, name)) if resource(of)? == Resource::Kind(kind) => Ok(name),
        Some(_) => Err(Diagnostic::error("bad-name", format!("`{word}` is no {kind}"))
            .help("first the daemonset, then the node: `dsrules explain fluentd worker-1 -n kube-system`")),
    }
}
