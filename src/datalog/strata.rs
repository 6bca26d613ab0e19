//! The order of evaluation: relations that depend on each other are one stratum, and a
//! stratum comes after all it depends on.
//!
//! A relation that depends on its own absence has no meaning, so negation inside a
//! stratum is an error that shows the circle. The strata are the strongly connected parts
//! of what needs what, by an algorithm that does not recurse: a chain of rules may be long.

use std::collections::{BTreeMap, VecDeque};

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;

use super::program::{Atom, Body, Literal, Program, RelationId};
use super::source::Span;
use crate::diagnostic::Diagnostic;

/// Relations to evaluate together.
#[derive(Debug, Clone)]
pub(super) struct Stratum {
    pub relations: Vec<RelationId>,
    /// The rules that derive them, by their place in the program.
    pub rules: Vec<usize>,
    /// Whether a rule of the stratum uses a relation of the stratum.
    pub recursive: bool,
    /// For each relation the rules of the stratum that use it, with the place in the body.
    pub uses: BTreeMap<RelationId, Vec<(usize, usize)>>,
}

impl Stratum {
    /// Whether it is where a relation is derived.
    pub fn has(&self, relation: RelationId) -> bool {
        self.relations.binary_search(&relation).is_ok()
    }
}

/// A rule's use of a relation.
#[derive(Debug, Clone, Copy)]
struct Edge {
    to: usize,
    negative: bool,
    span: Span,
}

/// All relations in an order in which they can be evaluated.
pub(super) fn stratify(body: &Body) -> Result<Vec<Stratum>, Diagnostic> {
    let mut edges: Vec<Vec<Edge>> = vec![Vec::new(); body.declarations.len()];
    for rule in &body.rules {
        for literal in &rule.body {
            if let Some((atom, negative)) = atom(literal) {
                let edge = Edge { to: atom.relation.index(), negative, span: atom.span };
                edges[rule.head.relation.index()].push(edge);
            }
        }
    }
    let component = components(&edges);
    for (from, edges_from) in edges.iter().enumerate() {
        for edge in edges_from {
            if edge.negative && component[edge.to] == component[from] {
                return Err(circle(body, &edges, &component, from, *edge));
            }
        }
    }
    let count = component.iter().max().map_or(0, |last| last + 1);
    let empty = Stratum { relations: vec![], rules: vec![], recursive: false, uses: BTreeMap::new() };
    let mut strata = vec![empty; count];
    for (relation, at) in component.iter().enumerate() {
        strata[*at].relations.push(body.declarations[relation].id);
        strata[*at].recursive |= edges[relation].iter().any(|edge| component[edge.to] == *at);
    }
    for (at, rule) in body.rules.iter().enumerate() {
        let stratum = &mut strata[component[rule.head.relation.index()]];
        stratum.rules.push(at);
        for (place, literal) in rule.body.iter().enumerate() {
            if let Some((atom, _)) = atom(literal) {
                stratum.uses.entry(atom.relation).or_default().push((at, place));
            }
        }
    }
    Ok(strata)
}

fn atom(literal: &Literal) -> Option<(&Atom, bool)> {
    match literal {
        Literal::Positive(atom) => Some((atom, false)),
        Literal::Negative(atom) => Some((atom, true)),
        Literal::Comparison(_) => None,
    }
}

/// For each node its strongly connected component; what a component depends on has a
/// lower number.
fn components(edges: &[Vec<Edge>]) -> Vec<usize> {
    let place = |node: usize| u32::try_from(node).unwrap_or(u32::MAX);
    let all =
        edges.iter().enumerate().flat_map(|(from, edges)| edges.iter().map(move |edge| (from, edge.to)));
    let mut graph: DiGraph<(), ()> = DiGraph::from_edges(all.map(|(from, to)| (place(from), place(to))));
    while graph.node_count() < edges.len() {
        graph.add_node(());
    }
    let mut component = vec![0; edges.len()];
    for (at, nodes) in kosaraju_scc(&graph).into_iter().enumerate() {
        nodes.into_iter().for_each(|node| component[node.index()] = at);
    }
    component
}

fn circle(body: &Body, edges: &[Vec<Edge>], component: &[usize], from: usize, bad: Edge) -> Diagnostic {
    let name = |relation: usize| body.declarations[relation].name.clone();
    let mut steps = vec![format!("`{}` needs that `{}` does not hold", name(from), name(bad.to))];
    let mut error =
        Diagnostic::error("negation-in-recursion", format!("`{}` depends on its own absence", name(from)))
            .at(body.place(bad.span));
    for (node, edge) in path(edges, component, bad.to, from) {
        let not = if edge.negative { "that `" } else { "`" };
        let end = if edge.negative { "` does not hold" } else { "`" };
        steps.push(format!("`{}` needs {not}{}{end}", name(node), name(edge.to)));
        error = error.related(body.place(edge.span), format!("`{}` needs `{}`", name(node), name(edge.to)));
    }
    error
        .because(steps.join(", "))
        .help("derive the negated relation without the other one: what is negated must be finished before")
}

/// The shortest way from one node to another inside a component.
fn path(edges: &[Vec<Edge>], component: &[usize], from: usize, to: usize) -> Vec<(usize, Edge)> {
    let mut came: Vec<Option<(usize, Edge)>> = vec![None; edges.len()];
    let mut waiting = VecDeque::from([from]);
    while let Some(node) = waiting.pop_front() {
        if node == to {
            break;
        }
        for edge in &edges[node] {
            if component[edge.to] == component[from] && edge.to != from && came[edge.to].is_none() {
                came[edge.to] = Some((node, *edge));
                waiting.push_back(edge.to);
            }
        }
    }
    let mut steps = Vec::new();
    let mut node = to;
    while node != from {
        let Some(step) = came[node] else { break };
        steps.push(step);
        node = step.0;
    }
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
        let own = |id: &&RelationId| stratum.relations.contains(id);
        let below = stratum.uses.keys().filter(|id| !own(id)).map(|id| depth[id.index()] + 1);
        let level = below.max().unwrap_or(0);
        stratum.relations.iter().for_each(|id| depth[id.index()] = level);
        levels.resize_with(levels.len().max(level + 1), Vec::new);
        levels[level].push(stratum);
    }
    levels
}

/// For each relation, whether one of the wanted ones depends on it.
pub(super) fn needed(program: &Program, wanted: &[RelationId]) -> Vec<bool> {
    let mut needed = vec![false; program.body.declarations.len()];
    let mut waiting: Vec<RelationId> = wanted.to_vec();
    let mut uses: Vec<Vec<RelationId>> = vec![Vec::new(); needed.len()];
    for rule in program.rules() {
        for literal in &rule.body {
            if let Literal::Positive(atom) | Literal::Negative(atom) = literal {
                uses[rule.head.relation.index()].push(atom.relation);
            }
        }
    }
    while let Some(id) = waiting.pop() {
        if needed.get(id.index()) == Some(&false) {
            needed[id.index()] = true;
            waiting.extend(&uses[id.index()]);
        }
    }
    needed
}
