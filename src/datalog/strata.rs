//! The order of evaluation: relations that depend on each other are one stratum, and a
//! stratum comes after all it depends on.
//!
//! A relation that depends on its own absence has no meaning, so negation inside a
//! stratum is an error that shows the circle. The strata are the strongly connected parts
//! of what needs what, by an algorithm that does not recurse: a chain of rules may be long.

use std::collections::{BTreeMap, VecDeque};

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, EdgeIndex, EdgeReference, NodeIndex};
use petgraph::visit::{Dfs, EdgeRef};

use super::program::{Body, Program, RelationId, Stratum};
use super::source::Span;
use crate::diagnostic::Diagnostic;

/// What a rule's use of a relation asks.
#[derive(Debug, Clone, Copy)]
struct Use {
    negative: bool,
    span: Span,
}

/// Which relation uses which, by their places among the declarations.
type Uses = DiGraph<(), Use>;

fn uses(body: &Body) -> Uses {
    let mut graph = Uses::new();
    body.declarations.iter().for_each(|_| _ = graph.add_node(()));
    for rule in &body.rules {
        let from = NodeIndex::new(rule.head.relation.index());
        for literal in &rule.body {
            if let Some(atom) = literal.atom() {
                // What is folded must be complete, as what is negated. That a group has no value
                // is asked only beside which value it has.
                let lifted = body.declaration(atom.relation).within.is_some();
                let negative = literal.positive().is_none() && !lifted || rule.fold.is_some();
                graph.add_edge(
                    from,
                    NodeIndex::new(atom.relation.index()),
                    Use { negative, span: atom.span },
                );
            }
        }
    }
    graph
}

/// All relations in an order in which they can be evaluated.
pub(super) fn stratify(body: &Body) -> Result<Vec<Stratum>, Diagnostic> {
    let graph = uses(body);
    // What a component depends on comes before it.
    let components = kosaraju_scc(&graph);
    let mut component = vec![0; graph.node_count()];
    for (at, nodes) in components.iter().enumerate() {
        nodes.iter().for_each(|node| component[node.index()] = at);
    }
    let inside =
        |edge: &EdgeReference<'_, Use>| component[edge.source().index()] == component[edge.target().index()];
    let bad = graph.edge_references().filter(|edge| edge.weight().negative && inside(edge));
    if let Some(bad) = bad.min_by_key(|edge| (edge.source(), edge.id())) {
        return Err(circle(body, &graph, inside, bad));
    }
    let empty = Stratum { relations: vec![], rules: vec![], recursive: false, uses: BTreeMap::new() };
    let mut strata = vec![empty; components.len()];
    for (declaration, at) in body.declarations.iter().zip(&component) {
        strata[*at].relations.push(declaration.id);
    }
    for edge in graph.edge_references().filter(inside) {
        strata[component[edge.source().index()]].recursive = true;
    }
    for (at, rule) in body.rules.iter().enumerate() {
        let stratum = &mut strata[component[rule.head.relation.index()]];
        stratum.rules.push(at);
        for (place, literal) in rule.body.iter().enumerate() {
            if let Some(atom) = literal.atom() {
                stratum.uses.entry(atom.relation).or_default().push((at, place));
            }
        }
    }
    Ok(strata)
}

fn circle(
    body: &Body,
    graph: &Uses,
    inside: impl Fn(&EdgeReference<'_, Use>) -> bool,
    bad: EdgeReference<'_, Use>,
) -> Diagnostic {
    if body.declarations[bad.source().index()].within.is_some() {
        return around_an_aggregate(body, graph, inside, bad);
    }
    let name = |node: NodeIndex| &body.declarations[node.index()].name;
    let (from, to) = (name(bad.source()), name(bad.target()));
    let mut steps = vec![format!("`{from}` needs that `{to}` does not hold")];
    let mut error =
        Diagnostic::error("negation-in-recursion", format!("`{from}` depends on its own absence"))
            .at(body.place(bad.weight().span));
    for edge in path(graph, inside, bad.target(), bad.source()) {
        let Some((from, to)) = graph.edge_endpoints(edge) else { continue };
        // The two relations of an aggregate are one thing to people.
        if name(from) == name(to) {
            continue;
        }
        let not = if graph[edge].negative { "that `" } else { "`" };
        let end = if graph[edge].negative { "` does not hold" } else { "`" };
        steps.push(format!("`{}` needs {not}{}{end}", name(from), name(to)));
        let needs = format!("`{}` needs `{}`", name(from), name(to));
        error = error.related(body.place(graph[edge].span), needs);
    }
    error
        .because(steps.join(", "))
        .help("derive the negated relation without the other one: what is negated must be finished before")
}

/// An aggregate over what depends on its value. Between the relations that people know stand
/// those of the aggregate, which have its text for a name.
fn around_an_aggregate(
    body: &Body,
    graph: &Uses,
    inside: impl Fn(&EdgeReference<'_, Use>) -> bool,
    bad: EdgeReference<'_, Use>,
) -> Diagnostic {
    let name = |node: NodeIndex| {
        let declaration = &body.declarations[node.index()];
        &body.declaration(declaration.within.unwrap_or(declaration.id)).name
    };
    let from = name(bad.source());
    let mut error = Diagnostic::error(
        "aggregate-in-recursion",
        format!("`{from}` depends on an aggregate over what depends on `{from}`"),
    )
    .at(body.place(bad.weight().span));
    let mut circle = vec![format!("`{from}`")];
    for edge in path(graph, inside, bad.target(), bad.source()) {
        let Some((from, to)) = graph.edge_endpoints(edge) else { continue };
        let (from, to) = (name(from), name(to));
        if from != to {
            circle.push(format!("`{to}`"));
            let needs = format!("`{from}` needs `{to}`");
            error = error.related(body.place(graph[edge].span), needs);
        }
    }
    let from = circle[0].clone();
    error
        .because(if circle.len() == 1 { format!("{from} needs itself") } else { circle.join(" needs ") })
        .help("let the aggregate look at relations that do not need its value: they must be finished before")
}

/// The shortest way from one relation to another inside a stratum.
fn path(
    graph: &Uses,
    inside: impl Fn(&EdgeReference<'_, Use>) -> bool,
    from: NodeIndex,
    to: NodeIndex,
) -> Vec<EdgeIndex> {
    let mut came: BTreeMap<NodeIndex, (NodeIndex, EdgeIndex)> = BTreeMap::new();
    let mut waiting = VecDeque::from([from]);
    while let Some(node) = waiting.pop_front().filter(|node| *node != to) {
        let mut edges: Vec<EdgeReference<'_, Use>> = graph.edges(node).filter(&inside).collect();
        edges.sort_by_key(EdgeRef::id);
        for edge in edges {
            if edge.target() != from && !came.contains_key(&edge.target()) {
                came.insert(edge.target(), (node, edge.id()));
                waiting.push_back(edge.target());
            }
        }
    }
    let back = |(node, _): &(NodeIndex, EdgeIndex)| came.get(node).copied();
    let mut steps: Vec<EdgeIndex> =
        std::iter::successors(came.get(&to).copied(), back).map(|(_, edge)| edge).collect();
    steps.reverse();
    steps
}

impl Program {
    /// Whether what `wanted` derive depends on the relation: facts of others are not read.
    pub fn needed(&self, wanted: &[RelationId]) -> impl Fn(RelationId) -> bool + use<> {
        let needed = needed(self, wanted);
        move |relation| needed.get(relation.index()).copied().unwrap_or(false)
    }
}

/// The needed strata in levels: none of a level depends on another one of it.
pub(super) fn levels<'a>(program: &'a Program, needed: &[bool]) -> Vec<Vec<&'a Stratum>> {
    let mut depth = vec![0; needed.len()];
    let mut levels: Vec<Vec<&Stratum>> = Vec::new();
    let strata = program.body.strata.iter();
    for stratum in strata.filter(|stratum| stratum.relations.iter().any(|id| needed[id.index()])) {
        let below = stratum.uses.keys().filter(|id| !stratum.has(**id)).map(|id| depth[id.index()] + 1);
        let level = below.max().unwrap_or(0);
        stratum.relations.iter().for_each(|id| depth[id.index()] = level);
        levels.resize_with(levels.len().max(level + 1), Vec::new);
        levels[level].push(stratum);
    }
    levels
}

/// For each relation, whether one of the wanted ones depends on it.
pub(super) fn needed(program: &Program, wanted: &[RelationId]) -> Vec<bool> {
    let graph = uses(&program.body);
    let mut needed = vec![false; graph.node_count()];
    let mut search = Dfs::empty(&graph);
    search.stack = wanted.iter().map(|id| NodeIndex::new(id.index())).collect();
    search.stack.retain(|node| node.index() < needed.len());
    while let Some(node) = search.next(&graph) {
        needed[node.index()] = true;
    }
    needed
}
