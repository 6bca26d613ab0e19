//! `triangle`: a query in a circle over a skewed graph, where a join of two relations
//! after the other makes what the third throws away.
//!
//! Hubs with thousands of spokes each, edges both ways, and here and there an edge from
//! one spoke to the next, which closes a triangle. Two edges in a row through a hub are
//! millions; of edges that close one there are hundreds.

use datafrog::Relation;
use dsrules::datalog::{Evaluation, Facts, Limits, Program, Source, Symbols};
use rustc_hash::FxHashSet;

use crate::timing::{median, ratio, show};

const HUBS: u32 = 20;
const SPOKES: u32 = 4_990;
/// Of each hub, spokes with an edge to the next one.
const CLOSED: u32 = 20;

const RULE: &str = ".decl e(a: number, b: number) input\n\
    .decl q(a: number, b: number, c: number) output\n\
    q(A, B, C) :- e(A, B), e(B, C), e(C, A).\n";

pub fn run() {
    println!("\n### triangle\n");
    println!("| edges | triangles | two after the other (datafrog's `from_join`) | dsrules (leapjoin) | |");
    println!("|---|---|---|---|---|");
    let edges = edges();
    let found = leapjoin(&edges);
    assert_eq!(binary(&edges), found);
    let (slow, fast) = (median(3, || binary(&edges)), median(9, || leapjoin(&edges)));
    println!("| {} | {found} | {} | {} | {} |", edges.len(), show(slow), show(fast), ratio(slow, fast));
}

fn edges() -> Vec<(u32, u32)> {
    let mut edges = Vec::new();
    for hub in 0..HUBS {
        let first = HUBS + hub * SPOKES;
        for spoke in first..first + SPOKES {
            edges.extend([(hub, spoke), (spoke, hub)]);
        }
        edges.extend((first..first + CLOSED).map(|spoke| (spoke, spoke + 1)));
    }
    edges.sort_unstable();
    assert_eq!(edges.len(), 200_000);
    edges
}

/// All rows of the query, from edges in memory, indexes and all.
fn leapjoin(edges: &[(u32, u32)]) -> usize {
    let program = Program::load(&[Source { file: "triangle.dl", text: RULE, builtin: true, folder: "" }]);
    let program = program.program.expect("a sound rule");
    let [edge, query] = ["e", "q"].map(|name| program.relation(name).expect("declared"));
    let (mut symbols, mut facts) = (Symbols::new(), Facts::new());
    for (from, to) in edges {
        facts.insert(edge, &[symbols.number(i64::from(*from)), symbols.number(i64::from(*to))]);
    }
    let done = Evaluation::new(&program, &mut symbols, facts, &[query], &Limits::default());
    done.expect("within the limits").len(query)
}

/// The join of two edges, each pair of which is looked up among the edges: nothing is
/// stored, which is the best that a join of two after the other can do.
fn binary(edges: &[(u32, u32)]) -> usize {
    let there: FxHashSet<(u32, u32)> = edges.iter().copied().collect();
    let backwards: Relation<(u32, u32)> = edges.iter().map(|(from, to)| (*to, *from)).collect();
    let forwards: Relation<(u32, u32)> = edges.iter().copied().collect();
    let mut found = Vec::new();
    Relation::<()>::from_join(&backwards, &forwards, |b, a, c| {
        if there.contains(&(*c, *a)) {
            found.push((*a, *b, *c));
        }
    });
    found.len()
}
