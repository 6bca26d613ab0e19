//! `dsrules explain`: why a pod is there, or is not, from the rules that decided it.

use std::io::Write;

use clap::{Args, ValueEnum};
use dsrules::app;
use dsrules::diagnostic::{Diagnostic, visible};
use dsrules::explain;
use dsrules::kube::{Kind, ObjectKey};
use dsrules::report::{self, Detail};

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::world::{Seen, WorldArgs};

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A daemonset and a node, a daemonset for all nodes, `node/NAME`, or `pod NAME`
    #[arg(value_name = "DAEMONSET [NODE] | node/NAME | pod NAME", required = true, num_args = 1..=2)]
    what: Vec<String>,
    /// The namespace to look in
    #[arg(long, short = 'n', value_name = "NAMESPACE", default_value = "default")]
    namespace: String,
    /// How to show it
    #[arg(long, short = 'o', value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    output: Format,
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

/// Explains.
pub fn run(args: &ExplainArgs, context: &mut Context) -> Result<Exit, Failure> {
    let seen = args.world.load(&args.namespace, context)?;
    let words: Vec<&str> = args.what.iter().map(String::as_str).collect();
    match words.as_slice() {
        [pod, name] if Kind::from_resource(pod) == Some(Kind::Pod) => of_pod(args, name, &seen, context),
        [node, name] if is_word_of(node, Kind::Node) && !is_daemonset(args, node, &seen) => {
            on_node(args, name, &seen, context)
        }
        [node, daemonset] if is_of(node, Kind::Node) || is_of(daemonset, Kind::DaemonSet) => {
            let what = format!("`{node}` stands where the daemonset is to be named");
            Err(Diagnostic::error("the-wrong-way-round", what)
                .help(format!("the daemonset comes first: `dsrules explain {daemonset} {node}`"))
                .into())
        }
        [daemonset, node] => {
            let daemonset = daemonset_key(args, daemonset);
            pair(args, &daemonset, node_name(node), &seen, context)
        }
        [one] => match one.split_once('/') {
            Some((kind, name)) if Kind::from_resource(kind) == Some(Kind::Pod) => {
                of_pod(args, name, &seen, context)
            }
            Some((kind, name)) if is_word_of(kind, Kind::Node) => on_node(args, name, &seen, context),
            _ => summary(args, &daemonset_key(args, one), &seen, context),
        },
        _ => Err(Diagnostic::error("nothing-named", "no daemonset was named")
            .help("write `dsrules explain DAEMONSET NODE`")
            .into()),
    }
}

/// Whether a word names a kind.
fn is_word_of(word: &str, kind: Kind) -> bool {
    Kind::from_resource(word) == Some(kind)
}

/// Whether there is a daemonset of this name, which comes before a kind's.
fn is_daemonset(args: &ExplainArgs, word: &str, seen: &Seen) -> bool {
    seen.world.daemonsets.contains_key(&daemonset_key(args, word))
}

/// Whether a word is `TYPE/NAME` of this kind.
fn is_of(word: &str, kind: Kind) -> bool {
    word.split_once('/').is_some_and(|(named, _)| Kind::from_resource(named) == Some(kind))
}

/// `NAME` or `node/NAME`.
fn node_name(word: &str) -> &str {
    match word.split_once('/') {
        Some((kind, name)) if Kind::from_resource(kind) == Some(Kind::Node) => name,
        _ => word,
    }
}

/// `NAME`, `daemonset/NAME` or `NAMESPACE/NAME`.
fn daemonset_key(args: &ExplainArgs, word: &str) -> ObjectKey {
    match word.split_once('/') {
        Some((kind, name)) if Kind::from_resource(kind) == Some(Kind::DaemonSet) => {
            ObjectKey::new(args.namespace.as_str(), name)
        }
        Some((namespace, name)) => ObjectKey::new(namespace, name),
        None => ObjectKey::new(args.namespace.as_str(), word),
    }
}

fn of_pod(args: &ExplainArgs, name: &str, seen: &Seen, context: &mut Context) -> Result<Exit, Failure> {
    let key = ObjectKey::new(args.namespace.as_str(), name);
    if !seen.world.pods.contains_key(&key) {
        return Err(seen.missing(Kind::Pod, &key).into());
    }
    let no = |what: &str| Diagnostic::error("not-a-daemon-pod", format!("the pod `{name}` {what}"));
    match explain::of_pod(&seen.world, &key) {
        Some((daemonset, Some(node))) => {
            let (daemonset, node) = (daemonset.meta.key.clone(), node.meta.key.name.clone());
            pair(args, &daemonset, &node, seen, context)
        }
        Some((_, None)) => Err(no("is on no node that there is").into()),
        None => Err(no("belongs to no daemonset that there is")
            .help("`dsrules describe pod NAME` shows its owner")
            .into()),
    }
}

fn pair(
    args: &ExplainArgs,
    daemonset: &ObjectKey,
    node: &str,
    seen: &Seen,
    context: &mut Context,
) -> Result<Exit, Failure> {
    let node_key = ObjectKey::new("", node);
    let (found, on) = (seen.world.daemonsets.get(daemonset), seen.world.nodes.get(&node_key));
    let (Some(found), Some(on)) = (found, on) else {
        let mut problems = Vec::new();
        let swapped = (ObjectKey::new(args.namespace.as_str(), node), ObjectKey::new("", &*daemonset.name));
        if seen.world.daemonsets.contains_key(&swapped.0) && seen.world.nodes.contains_key(&swapped.1) {
            let what = format!("`{}` is a node, and `{node}` is a daemonset", swapped.1);
            return Err(Diagnostic::error("the-wrong-way-round", what)
                .help(format!("the daemonset comes first: `dsrules explain {node} {}`", swapped.1))
                .into());
        }
        if found.is_none() {
            problems.push(seen.missing(Kind::DaemonSet, daemonset));
        }
        if on.is_none() {
            problems.push(seen.missing(Kind::Node, &node_key));
        }
        return Err(problems.into());
    };
    let mut explanation = explain::pair(&seen.program, &seen.world, found, on, context.seconds())?;
    seen.locate(&mut explanation)?;
    let paint = context.paint;
    let out = &mut context.out;
    match args.output {
        Format::Text => report::explanation(&explanation, None, paint, &mut context.fitted())?,
        Format::Wide => {
            let text = |place: &str| {
                let mut rules = seen.program.rules();
                let rule = rules.find(|rule| format!("{}:{}", rule.file, rule.line) == place)?;
                Some(rule.text.to_string())
            };
            report::explanation(&explanation, Some(&text), paint, &mut context.fitted())?;
        }
        Format::Json => report::write_json(&report::explanation_document(&explanation), out)?,
        Format::Yaml => report::write_yaml(&report::explanation_document(&explanation), out)?,
        Format::Dot => report::explanation_dot(&explanation, out)?,
    }
    Ok(Exit::Done)
}

fn on_node(args: &ExplainArgs, name: &str, seen: &Seen, context: &mut Context) -> Result<Exit, Failure> {
    let key = ObjectKey::new("", name);
    let Some(node) = seen.world.nodes.get(&key) else {
        return Err(seen.missing(Kind::Node, &key).into());
    };
    let node = explain::node(&seen.program, &seen.world, node, context.seconds())?;
    let paint = context.paint;
    let out = &mut context.out;
    match args.output {
        Format::Text | Format::Wide => {
            report::on_node(&node, args.output == Format::Wide, paint, &mut context.fitted())?;
        }
        Format::Json => report::write_json(&report::on_node_document(&node), out)?,
        Format::Yaml => report::write_yaml(&report::on_node_document(&node), out)?,
        Format::Dot => return Err(no_graph("all daemonsets of a node", "a daemonset")),
    }
    Ok(Exit::Done)
}

/// There is no graph of many things.
fn no_graph(what: &str, name: &str) -> Failure {
    Diagnostic::error("no-graph", format!("a summary over {what} is no graph"))
        .help(format!("name {name} as well, or leave `-o dot` away"))
        .into()
}

fn summary(args: &ExplainArgs, key: &ObjectKey, seen: &Seen, context: &mut Context) -> Result<Exit, Failure> {
    let Some(daemonset) = seen.world.daemonsets.get(key) else {
        return Err(seen.missing(Kind::DaemonSet, key).into());
    };
    let summary = explain::summary(&seen.program, &seen.world, daemonset, context.seconds())?;
    let waiting = app::waiting(&seen.world, &seen.program, context.seconds())?;
    let waiting = waiting.into_iter().find(|it| it.daemonset == *key);
    let document = || {
        let mut document = serde_json::to_value(report::summary_document(&summary))?;
        if let Some(waiting) = &waiting {
            document["waiting"] = serde_json::to_value(report::waiting_line(waiting))?;
        }
        Ok::<_, std::io::Error>(document)
    };
    let paint = context.paint;
    match args.output {
        Format::Text | Format::Wide => {
            let out = &mut context.fitted();
            report::summary(&summary, args.output == Format::Wide, paint, out)?;
            if let Some(waiting) = &waiting {
                let detail = if args.output == Format::Wide { Detail::Wide } else { Detail::Short };
                writeln!(out, "\n{} {}", paint.changed("waiting:"), visible(&waiting.reason))?;
                report::awaited(waiting, detail, paint, out)?;
            }
        }
        Format::Json => report::write_json(&document()?, &mut context.out)?,
        Format::Yaml => report::write_yaml(&document()?, &mut context.out)?,
        Format::Dot => return Err(no_graph("all nodes", "a node")),
    }
    Ok(Exit::Done)
}
