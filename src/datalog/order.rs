//! Which order of joins looks at the fewest rows, as far as estimates tell.
//!
//! All orders of up to [`MOST`] atoms are compared, the best way to each set of atoms
//! being found once; a longer body is ordered one atom at a time. One greedy step is not
//! enough: two relations may each be cheap to join next, and only one of them keeps the
//! third from multiplying everything.

use std::sync::Arc;

use super::program::{Atom, Literal, Term, Variable};
use super::table::Table;

/// So many atoms are put into the best order; `2^MOST` sets are looked at.
const MOST: usize = 8;

/// An order that finds rows as they are sorted may look at so many times more: what comes
/// sorted need not be sorted, and a look into an index is then next to the one before.
const SORTED: f64 = 1.25;

/// To put a row into a new index costs so many times as much as to look at one. Only a
/// rule that starts from nothing minds: from a few rows, the next time it is there.
const INDEX: f64 = 2.0;

/// What matters of an atom here. Variables and columns are bits.
struct Joined<'a> {
    literal: usize,
    table: Option<&'a Table>,
    /// For each column the bit of its variable, or none for `_`, or all for a constant.
    columns: Vec<Column>,
    variables: u32,
    /// Variables that nothing else needs.
    own: u32,
}

enum Column {
    Known,
    Variable(u32),
    Any,
}

/// The positive literals that are not `done`, in the order they should be joined.
pub(super) fn order(
    body: &[Literal],
    head: Option<&Atom>,
    bound: impl Fn(Variable) -> bool,
    done: impl Fn(usize) -> bool,
    tables: &[Option<Arc<Table>>],
) -> Vec<usize> {
    let mut known = 0;
    let mut joined = Vec::new();
    for (literal, atom) in positive(body).filter(|(at, _)| !done(*at)) {
        let columns = atom.terms.iter().map(|term| match term {
            Term::Any => Column::Any,
            Term::Variable(variable) => Column::Variable(1 << variable.0),
            Term::Text(_) | Term::Number(_) => Column::Known,
        });
        let variables = bits(atom.variables());
        known |= bits(atom.variables().filter(|variable| bound(*variable)));
        let elsewhere = body.iter().enumerate().filter(|(at, _)| *at != literal && !done(*at));
        let elsewhere = elsewhere.fold(0, |bits, (_, literal)| bits | variables_of(literal));
        let needed = head.map_or(u32::MAX, |head| bits(head.variables())) | elsewhere;
        let table = tables[atom.relation.index()].as_deref();
        joined.push(Joined {
            literal,
            table,
            columns: columns.collect(),
            variables,
            own: variables & !needed,
        });
    }
    let best = if joined.len() <= MOST {
        let (best, cost) = exhaustive(&joined, known, None);
        let first = head.filter(|_| known == 0).and_then(|head| sorting(&joined, head));
        let sorted = first.map(|first| exhaustive(&joined, known, Some(first)));
        sorted.filter(|(_, sorted)| *sorted <= cost * SORTED).map_or(best, |(order, _)| order)
    } else {
        greedy(&joined, known)
    };
    best.into_iter().map(|at| joined[at].literal).collect()
}

/// The atom to start with for rows in the head's order: with the head's first variable,
/// in front if possible.
fn sorting(joined: &[Joined<'_>], head: &Atom) -> Option<usize> {
    let variable = 1 << head.variables().next()?.0;
    let place = |atom: &Joined<'_>| {
        atom.columns.iter().position(|column| matches!(column, Column::Variable(bit) if *bit == variable))
    };
    (0..joined.len()).filter(|at| place(&joined[*at]).is_some()).min_by_key(|at| place(&joined[*at]))
}

fn positive(body: &[Literal]) -> impl Iterator<Item = (usize, &Atom)> {
    body.iter().enumerate().filter_map(|(at, literal)| match literal {
        Literal::Positive(atom) => Some((at, atom)),
        _ => None,
    })
}

fn bits(variables: impl Iterator<Item = Variable>) -> u32 {
    variables.fold(0, |bits, variable| bits | 1 << variable.0)
}

fn variables_of(literal: &Literal) -> u32 {
    match literal {
        Literal::Positive(atom) | Literal::Negative(atom) => bits(atom.variables()),
        Literal::Comparison(comparison) => bits(comparison.variables()),
    }
}

impl Joined<'_> {
    /// What it costs to make the index that a join with it needs, if there is none yet.
    fn index(&self, known: u32) -> f64 {
        let is_bound = |column: &Column| match column {
            Column::Known => true,
            Column::Variable(bit) => known & bit != 0,
            Column::Any => false,
        };
        let bound: Vec<usize> = (0..self.columns.len()).filter(|at| is_bound(&self.columns[*at])).collect();
        let Some(table) = self.table else { return 0.0 };
        let fits = |order: &[usize]| order[..bound.len()].iter().all(|at| bound.contains(at));
        if table.orders().into_iter().any(fits) { 0.0 } else { table.fan_out(0) * INDEX }
    }

    /// By how much a join with it multiplies the bindings.
    fn factor(&self, known: u32) -> f64 {
        let Some(table) = self.table else { return 0.0 };
        let (mut bound, mut taken) = (0, 0);
        for (at, column) in self.columns.iter().enumerate() {
            match column {
                Column::Known => bound |= 1 << at,
                Column::Variable(bit) if known & bit != 0 => bound |= 1 << at,
                Column::Variable(bit) if self.own & bit == 0 => taken |= 1 << at,
                Column::Variable(_) | Column::Any => {}
            }
        }
        if taken == 0 {
            // Whether there is a row is a test.
            return if table.len() == 0 { 0.0 } else { 1.0 };
        }
        table.fan_out(bound) / table.fan_out(bound | taken)
    }
}

/// The cost of a set of atoms joined in the best order.
#[derive(Clone, Copy)]
struct Best {
    cost: f64,
    bindings: f64,
    last: usize,
}

impl Best {
    fn joined(self, atom: &Joined<'_>, at: usize, known: u32, fresh: bool) -> Best {
        let bindings = self.bindings * atom.factor(known);
        let index = if fresh { atom.index(known) } else { 0.0 };
        Best { cost: self.cost + self.bindings + bindings + index, bindings, last: at }
    }
}

const NOTHING: Best = Best { cost: 0.0, bindings: 1.0, last: 0 };

/// The best order, of those that start with `first` if there is one, and what it costs.
fn exhaustive(joined: &[Joined<'_>], known: u32, first: Option<usize>) -> (Vec<usize>, f64) {
    let all = 1usize << joined.len();
    let fresh = known == 0;
    let mut best: Vec<Option<Best>> = vec![None; all];
    best[0] = Some(NOTHING);
    for set in 0..all {
        let Some(so_far) = best[set] else { continue };
        let of_set = |at: &usize| set & 1 << at != 0;
        let known = (0..joined.len()).filter(of_set).fold(known, |known, at| known | joined[at].variables);
        let may_follow = |at: &usize| !of_set(at) && (set != 0 || first.is_none_or(|first| first == *at));
        for at in (0..joined.len()).filter(may_follow) {
            let next = so_far.joined(&joined[at], at, known, fresh);
            let place = &mut best[set | 1 << at];
            if place.is_none_or(|found| next.cost < found.cost) {
                *place = Some(next);
            }
        }
    }
    let mut order = Vec::new();
    let mut set = all - 1;
    while let (true, Some(found)) = (set != 0, best[set]) {
        order.push(found.last);
        set &= !(1 << found.last);
    }
    order.reverse();
    (order, best[all - 1].map_or(0.0, |best| best.cost))
}

fn greedy(joined: &[Joined<'_>], mut known: u32) -> Vec<usize> {
    let mut left: Vec<usize> = (0..joined.len()).collect();
    let mut order = Vec::new();
    while !left.is_empty() {
        let factors: Vec<f64> = left.iter().map(|at| joined[*at].factor(known)).collect();
        let least = (0..left.len()).min_by(|a, b| factors[*a].total_cmp(&factors[*b])).unwrap_or(0);
        let next = left.remove(least);
        known |= joined[next].variables;
        order.push(next);
    }
    order
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::rows::RowSet;
    use super::super::{Program, Source};
    use super::*;

    /// `rows` rows over so many values for each column, as evenly as can be.
    fn table(rows: u32, values: &[u32]) -> Option<Arc<Table>> {
        let mut set = RowSet::new(values.len());
        for row in 0..rows {
            let column = |at: usize| row.wrapping_mul([1, 7919, 104_729][at]) % values[at];
            set.push(&(0..values.len()).map(column).collect::<Vec<_>>());
        }
        set.sort();
        Some(Arc::new(Table::new(values.len(), set)))
    }

    #[test]
    fn of_equal_orders_the_one_that_finds_rows_sorted_is_taken() {
        let text = ".type T\n.decl few(b: T) input\n.decl many(a: T, b: T) input\n\
            .decl product(a: T, b: T) output\nproduct(A, B) :- few(B), many(A, _).\n\
            .decl some(a: T, b: T) output\nsome(A, B) :- few(B), many(A, B).\n";
        let loaded = Program::load(&[Source { file: "t.dl", text, builtin: true }]);
        let program = loaded.program.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
        let tables = vec![table(10, &[10]), table(10_000, &[100, 1000]), None, None];
        let orders =
            program.rules().map(|rule| order(&rule.body, Some(&rule.head), |_| false, |_| false, &tables));
        // To start with `many` costs a product nothing, but it would look at all of it for a join.
        assert_eq!(orders.collect::<Vec<_>>(), [[1, 0], [0, 1]]);
    }

    #[test]
    fn a_join_that_multiplies_is_put_off_until_it_does_not() {
        let text = ".type T\n.decl uid(d: T, u: T) input\n.decl pod(p: T, l: T) input\n\
            .decl controller(p: T, u: T) input\n.decl set(l: T, n: T) input\n\
            .decl space(d: T, n: T) input\n.decl r(d: T, p: T) output\n\
            r(D, P) :- uid(D, U), controller(P, U), pod(P, L), set(L, N), space(D, N).\n";
        let program = Program::load(&[Source { file: "t.dl", text, builtin: true }]).program.unwrap();
        // A hundred daemonsets with a hundred pods each, all in one namespace.
        let tables = vec![
            table(100, &[100, 100]),
            table(10_000, &[10_000, 100]),
            table(10_000, &[10_000, 100]),
            table(100, &[100, 1]),
            table(100, &[100, 1]),
            None,
        ];
        let rule = program.rules().next().unwrap();
        let found = order(&rule.body, Some(&rule.head), |_| false, |_| false, &tables);
        let name = |at: &usize| match &rule.body[*at] {
            Literal::Positive(atom) => &*program.declaration(atom.relation).name,
            _ => "",
        };
        let names: Vec<&str> = found.iter().map(name).collect();
        let place = |name: &str| names.iter().position(|found| *found == name).unwrap();
        // From the namespace to its label sets is a factor of a hundred, and so is from there
        // to their pods: a million bindings where ten thousand would do.
        assert!(place("set") < place("space") || place("set") > place("pod"), "{names:?}");
    }
}
