//! Explanations and answers: as a tree, a graph, a table, and as documents.

use std::io::{self, Write};

use serde::Serialize;

use super::data::API_VERSION;
use super::{Paint, Table};
use crate::diagnostic::{counted, visible};
use crate::explain::{Explanation, Group, Mark, Named, OnNode, PodState, Rows, Step, Summary};

/// A document of ours: its version, its kind, and what it says.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a, T: Serialize> {
    api_version: &'static str,
    kind: &'static str,
    #[serde(flatten)]
    content: &'a T,
}

/// An explanation as a document.
pub fn explanation_document(explanation: &Explanation) -> impl Serialize + '_ {
    Document { api_version: API_VERSION, kind: "Explanation", content: explanation }
}

/// A summary as a document.
pub fn summary_document(summary: &Summary) -> impl Serialize + '_ {
    Document { api_version: API_VERSION, kind: "ExplanationSummary", content: summary }
}

/// A node's daemonsets as a document.
pub fn on_node_document(node: &OnNode) -> impl Serialize + '_ {
    Document { api_version: API_VERSION, kind: "ExplanationOfNode", content: node }
}

/// Rows of a relation as a document.
pub fn rows_document(rows: &Rows) -> impl Serialize + '_ {
    Document { api_version: API_VERSION, kind: "ExplanationOfRows", content: rows }
}

/// Gives the text of the rule at a place such as `rules/placement.dl:120`.
pub type RuleText<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Writes an explanation for a person. With `wide` each sentence has the text of its rule
/// under it, and each fact the field that it is from.
///
/// # Errors
/// Where writing fails.
pub fn explanation(
    explanation: &Explanation,
    wide: Option<RuleText<'_>>,
    paint: Paint,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "{}", paint.strong(&explanation.headline))?;
    for pod in &explanation.pods {
        let ready = if pod.ready { "ready" } else { "not ready" };
        let template = if pod.current { "current" } else { "a former" };
        writeln!(
            out,
            "{}",
            paint.dim(format!("  {}: {}, {ready}, {template} template{}", pod.name, pod.state(), due(pod)))
        )?;
    }
    writeln!(out)?;
    for step in &explanation.steps {
        tree(step, 0, wide, paint, out)?;
    }
    let ways: Vec<&String> = explanation.causes.iter().filter_map(|told| told.mend.as_ref()).collect();
    match ways.as_slice() {
        [] => {}
        [only] => writeln!(out, "\nFor a pod there: {}.", visible(only))?,
        many => {
            writeln!(out, "\nFor a pod there, all of these:")?;
            for mend in many {
                writeln!(out, "  - {}", visible(mend))?;
            }
        }
    }
    Ok(())
}

/// Writes why rows are there, or why there is none, for a person; `wide` as for an explanation.
///
/// # Errors
/// Where writing fails.
pub fn rows(rows: &Rows, wide: Option<RuleText<'_>>, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    for (at, told) in rows.rows.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{}\n", paint.strong(headline(rows, &told.row)))?;
        for step in &told.steps {
            tree(step, 0, wide, paint, out)?;
        }
    }
    for note in &rows.notes {
        writeln!(out, "\n{} {}", paint.changed("~"), visible(note))?;
    }
    if rows.more > 0 {
        let name = &rows.relation;
        writeln!(out, "\nand {} of {name}", counted(rows.more, "more row"))?;
    }
    Ok(())
}

/// When the taints of its node drive a pod out, if they do.
fn due(pod: &PodState) -> String {
    pod.evicted_at.as_ref().map_or_else(String::new, |at| format!(", evicted at {at}"))
}

fn headline(rows: &Rows, row: &str) -> String {
    let what = if rows.holds { "holds" } else { "does not hold" };
    format!("{} {what}", visible(row))
}

/// Steps with what they rest on.
///
/// # Errors
/// Where writing fails.
pub(super) fn steps_text(steps: &[Step], paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    steps.iter().try_for_each(|step| tree(step, 0, None, paint, out))
}

fn tree(
    step: &Step,
    depth: usize,
    wide: Option<RuleText<'_>>,
    paint: Paint,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (mark, text) = match step.mark {
        Mark::Yes => (paint.good("✓"), visible(&step.text).into_owned()),
        Mark::No => (paint.bad("✗"), visible(&step.text).into_owned()),
        Mark::Missing => (paint.bad("-"), visible(&step.text).into_owned()),
        Mark::Fact => (paint.dim("•"), visible(&step.text).into_owned()),
    };
    let place = step.from.as_ref().or(step.rule.as_ref());
    let place = place.map_or_else(String::new, |place| format!("  {}", paint.dim(format!("[{place}]"))));
    writeln!(out, "{}{mark} {text}{place}", "  ".repeat(depth))?;
    if let Some(rule_text) = wide {
        let rule = step.rule.as_deref().and_then(rule_text);
        let field = step.source.as_ref().map(ToString::to_string);
        // Where no file is known, the field stands in its place already.
        let field = field.filter(|field| step.from.as_ref() != Some(field));
        for line in rule.iter().chain(&field).flat_map(|text| text.lines()) {
            let line = visible(line);
            writeln!(out, "{}  {}", "  ".repeat(depth), paint.dim(format!("| {line}")))?;
        }
    }
    step.parts.iter().try_for_each(|part| tree(part, depth + 1, wide, paint, out))
}

/// Writes an explanation as a graph for Graphviz.
///
/// # Errors
/// Where writing fails.
pub fn explanation_dot(explanation: &Explanation, out: &mut dyn Write) -> io::Result<()> {
    let root = (explanation.headline.clone(), explanation.steps.as_slice());
    graph(&[root], explanation.eligible, out)
}

/// Writes why rows are there as a graph for Graphviz, with a root for each.
///
/// # Errors
/// Where writing fails.
pub fn rows_dot(rows: &Rows, out: &mut dyn Write) -> io::Result<()> {
    let roots = rows.rows.iter().map(|told| (headline(rows, &told.row), told.steps.as_slice()));
    graph(&roots.collect::<Vec<_>>(), rows.holds, out)
}

fn graph(roots: &[(String, &[Step])], holds: bool, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "digraph explanation {{")?;
    writeln!(out, "  rankdir=LR; node [shape=box, fontname=\"sans-serif\"];")?;
    let colour = if holds { "darkgreen" } else { "firebrick" };
    let mut next = 0;
    for (headline, steps) in roots {
        let root = next;
        next += 1;
        writeln!(out, "  n{root} [label={}, color={colour}, penwidth=2];", label(headline, None))?;
        for step in *steps {
            dot(step, root, &mut next, out)?;
        }
    }
    writeln!(out, "}}")
}

fn dot(step: &Step, above: usize, next: &mut usize, out: &mut dyn Write) -> io::Result<()> {
    let this = *next;
    *next += 1;
    let colour = match step.mark {
        Mark::Yes => "darkgreen",
        Mark::No | Mark::Missing => "firebrick",
        Mark::Fact => "gray40",
    };
    let place = step.from.as_ref().or(step.rule.as_ref());
    writeln!(out, "  n{this} [label={}, color={colour}];", label(&step.text, place.map(String::as_str)))?;
    writeln!(out, "  n{above} -> n{this};")?;
    step.parts.iter().try_for_each(|part| dot(part, this, next, out))
}

fn label(text: &str, place: Option<&str>) -> String {
    let escaped = |text: &str| visible(text).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " ");
    match place {
        Some(place) => format!("\"{}\\n{}\"", escaped(text), escaped(place)),
        None => format!("\"{}\"", escaped(text)),
    }
}

/// Writes a summary for a person; with `wide` every node is named.
///
/// # Errors
/// Where writing fails.
pub fn summary(summary: &Summary, wide: bool, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let most = if wide { usize::MAX } else { LISTED };
    let it = summary.daemonset.to_string();
    let (eligible, nodes) = (summary.eligible.len(), summary.nodes);
    let nodes = counted(nodes, "node");
    writeln!(out, "{}", paint.strong(format!("{it} should run on {eligible} of {nodes}")))?;
    if let Some(why) = &summary.left_alone {
        writeln!(out, "  {} it is left alone: {}", paint.changed("~"), visible(why))?;
    } else if !summary.without_pod.is_empty() {
        let names = listed(&summary.without_pod, most);
        writeln!(out, "  {} {names} {}", paint.changed("~"), paint.dim("(no pod there yet)"))?;
    }
    for (doing, nodes) in &summary.not_running {
        let each = if nodes.len() == 1 { "1 node" } else { &format!("{} nodes, each", nodes.len()) };
        writeln!(out, "  {} {each} has a pod that {doing}: {}", paint.changed("~"), listed(nodes, most))?;
    }
    for group in &summary.others {
        writeln!(out)?;
        let each = if group.names.names().len() == 1 { "" } else { ", each" };
        let lead = format!("{}{each}", counted(group.names.names().len(), "node"));
        group_text(group, &lead, &format!("with a pod of {}", summary.daemonset.name), most, paint, out)?;
    }
    Ok(())
}

/// Writes what runs on a node for a person; with `wide` every daemonset is named.
///
/// # Errors
/// Where writing fails.
pub fn on_node(node: &OnNode, wide: bool, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let most = if wide { usize::MAX } else { LISTED };
    let name = &node.node;
    let (eligible, all) = (node.eligible.len(), counted(node.daemonsets, "daemonset"));
    writeln!(out, "{}", paint.strong(format!("{name} should run {eligible} of {all}")))?;
    let mut table = Table::new([""; 2]);
    for it in &node.eligible {
        let pods = it.pods.iter().map(|pod| {
            let ready = if pod.ready { "ready" } else { "not ready" };
            let former = if pod.current { "" } else { ", a former template" };
            let waits = pod.waits.as_ref().map_or_else(String::new, |why| format!(", waits: {why}"));
            format!("{}: {}, {ready}{former}{waits}{}", pod.name, pod.state(), due(pod))
        });
        let pods: Vec<String> = pods.collect();
        let (mark, pods) = match (pods.as_slice(), &it.left_alone) {
            (_, Some(why)) => (paint.dim("•"), format!("left alone: {why}")),
            ([], _) => (paint.changed("~"), "no pod there yet".to_owned()),
            (some, _) => (paint.good("✓"), some.join("; ")),
        };
        table.row([format!("{mark} {}", it.daemonset), pods]);
    }
    if !table.is_empty() {
        writeln!(out)?;
        table.write(out, "", false)?;
    }
    for group in &node.others {
        writeln!(out)?;
        let lead = format!("{}: it", counted(group.names.names().len(), "daemonset"));
        group_text(group, &lead, "with a pod there all the same", most, paint, out)?;
    }
    if node.other_pods > 0 {
        writeln!(out, "\nBeside them it has {} of no daemonset.", counted(node.other_pods, "pod"))?;
    }
    Ok(())
}

fn group_text(
    group: &Group,
    lead: &str,
    with_pod: &str,
    most: usize,
    paint: Paint,
    out: &mut dyn Write,
) -> io::Result<()> {
    let names = group.names.names();
    let because = group.because.first().map_or("is kept off, and no rule says why", String::as_str);
    writeln!(out, "{} {lead} {}", paint.bad("✗"), visible(because))?;
    writeln!(out, "    {}", listed(names, most))?;
    for also in &group.also {
        let (count, all) = (also.names.len(), also.names.len() == names.len());
        let lead = match (&group.names, count) {
            (Named::Daemonsets(_), _) if all => "it also".to_owned(),
            (Named::Daemonsets(_), _) => format!("for {count} of them it also"),
            (Named::Nodes(_), _) if names.len() == 1 => "it also".to_owned(),
            (Named::Nodes(_), _) if all => "each of them also".to_owned(),
            (Named::Nodes(_), 1) => "1 of them also".to_owned(),
            (Named::Nodes(_), _) => format!("each of {count} also"),
        };
        let who = if all { String::new() } else { format!(": {}", listed(&also.names, most)) };
        writeln!(out, "  {lead} {}{who}", visible(&also.because))?;
    }
    if !group.with_pod.is_empty() {
        writeln!(out, "    {}", paint.changed(format!("{with_pod}: {}", listed(&group.with_pod, most))))?;
    }
    Ok(())
}

/// So many names are written out where not all are asked for.
const LISTED: usize = 8;

fn listed(names: &[crate::kube::Name], most: usize) -> String {
    let shown: Vec<&str> = names.iter().take(most).map(|name| &**name).collect();
    let more = names.len().saturating_sub(most);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", visible(&shown.join(", ")))
}
