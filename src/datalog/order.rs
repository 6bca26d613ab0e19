//! Which order of atoms looks at the fewest rows, as far as estimates tell.
//!
//! All orders of up to [`MOST`] atoms are compared, the best way to each set of atoms
//! being found once; a longer body is ordered one atom at a time. One greedy step is not
//! enough: two relations may each be cheap to join next, and only one of them keeps the
//! third from multiplying everything.

use super::open_body::{OpenBody, columns, constants};

/// So many atoms are put into the best order; `2^MOST` sets are looked at.
const MOST: usize = 8;

/// An order that finds rows as they are sorted may look at so many times more: what comes
/// sorted need not be sorted, and a look into an index is then next to the one before.
const SORTED: f64 = 1.25;

/// To put a row into a new index costs so many times as much as to look at one. Only a
/// rule that starts from nothing minds: from a few rows, the next time it is there.
const INDEX: f64 = 2.0;

/// An atom to be put in its place.
struct Joined {
    at: usize,
    variables: u32,
    wanted: u32,
}

/// The cost of a set of atoms joined in the best order.
#[derive(Clone, Copy)]
struct Best {
    cost: f64,
    bindings: f64,
    last: usize,
}

impl OpenBody<'_> {
    /// The atoms that are not dealt with, in the order they should be joined.
    pub fn order(&self) -> Vec<usize> {
        let joined = |at| Joined { at, variables: self.variables(at), wanted: self.wanted(at) };
        let joined: Vec<Joined> = self.open().map(joined).collect();
        let best = if joined.len() <= MOST {
            let (best, cost) = self.exhaustive(&joined, None);
            let first = self.sorting(&joined).filter(|_| self.is_fresh(&joined));
            let sorted = first.map(|first| self.exhaustive(&joined, Some(first)));
            sorted.filter(|(_, sorted)| *sorted <= cost * SORTED).map_or(best, |(order, _)| order)
        } else {
            self.greedy(&joined)
        };
        best.into_iter().map(|nth| joined[nth].at).collect()
    }

    /// Whether nothing is bound that an atom has.
    fn is_fresh(&self, joined: &[Joined]) -> bool {
        joined.iter().all(|atom| atom.variables & self.bound == 0)
    }

    /// The atom to start with for rows in the head's order: with the head's first variable,
    /// in front if possible.
    fn sorting(&self, joined: &[Joined]) -> Option<usize> {
        let variable = 1 << self.head.first()?.0;
        let place = |nth: &usize| {
            let (_, terms) = self.table(joined[*nth].at)?;
            (0..terms.len()).find(|at| columns(&terms[*at..=*at], variable) != 0)
        };
        (0..joined.len()).filter(|nth| place(nth).is_some()).min_by_key(place)
    }

    /// What it costs to make the index that a join with an atom needs, if there is none yet.
    fn index(&self, atom: &Joined, known: u32) -> f64 {
        let Some((table, terms)) = self.table(atom.at) else { return 0.0 };
        let bound = columns(terms, known) | constants(terms);
        let fits = |order: &[usize]| {
            order[..bound.count_ones() as usize].iter().all(|column| bound & 1 << column != 0)
        };
        if table.order(fits).is_some() { 0.0 } else { table.fan_out(0) * INDEX }
    }

    /// By how much a join with an atom multiplies the bindings.
    fn factor(&self, atom: &Joined, known: u32) -> f64 {
        let (rows, each) = self.fan_out(atom.at, known, atom.wanted & !known);
        // Whether there is a row is a test.
        if atom.wanted & !known == 0 { rows.min(1.0) } else { rows / each }
    }

    /// The best order, of those that start with `first` if there is one, and what it costs.
    fn exhaustive(&self, joined: &[Joined], first: Option<usize>) -> (Vec<usize>, f64) {
        let all = 1usize << joined.len();
        let fresh = self.is_fresh(joined);
        let mut best: Vec<Option<Best>> = vec![None; all];
        best[0] = Some(Best { cost: 0.0, bindings: 1.0, last: 0 });
        for set in 0..all {
            let Some(so_far) = best[set] else { continue };
            let of_set = |nth: &usize| set & 1 << nth != 0;
            let known =
                (0..joined.len()).filter(of_set).fold(self.bound, |known, nth| known | joined[nth].variables);
            let may_follow =
                |nth: &usize| !of_set(nth) && (set != 0 || first.is_none_or(|first| first == *nth));
            for nth in (0..joined.len()).filter(may_follow) {
                let bindings = so_far.bindings * self.factor(&joined[nth], known);
                let index = if fresh { self.index(&joined[nth], known) } else { 0.0 };
                let cost = so_far.cost + so_far.bindings + bindings + index;
                let place = &mut best[set | 1 << nth];
                if place.is_none_or(|found| cost < found.cost) {
                    *place = Some(Best { cost, bindings, last: nth });
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

    fn greedy(&self, joined: &[Joined]) -> Vec<usize> {
        let (mut left, mut known) = ((0..joined.len()).collect::<Vec<_>>(), self.bound);
        let mut order = Vec::new();
        while !left.is_empty() {
            let factor = |at: &usize| self.factor(&joined[left[*at]], known);
            let least = (0..left.len()).min_by(|a, b| factor(a).total_cmp(&factor(b))).unwrap_or(0);
            let next = left.remove(least);
            known |= joined[next].variables;
            order.push(next);
        }
        order
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use super::super::program::{Literal, Rule};
    use super::super::rows::RowSet;
    use super::super::table::Table;
    use super::super::{Program, Source};
    use super::*;

    fn order_of(rule: &Rule, tables: &[Option<Arc<Table>>]) -> Vec<usize> {
        OpenBody::new(Some(&rule.head), &rule.body, tables).order()
    }

    /// `rows` rows over so many values for each column, as evenly as can be.
    fn table(rows: u32, values: &[u32]) -> Option<Arc<Table>> {
        let mut set = RowSet::new(values.len());
        for row in 0..rows {
            let column = |at: usize| row.wrapping_mul([1, 7919, 104_729][at]) % values[at];
            set.push((0..values.len()).map(column));
        }
        set.sort();
        Some(Arc::new(Table::new(values.len(), set)))
    }

    #[test]
    fn of_equal_orders_the_one_that_finds_rows_sorted_is_taken() {
        let text = ".type T\n.decl few(b: T) input\n.decl many(a: T, b: T) input\n\
            .decl product(a: T, b: T) output\nproduct(A, B) :- few(B), many(A, _).\n\
            .decl some(a: T, b: T) output\nsome(A, B) :- few(B), many(A, B).\n";
        let loaded = Program::load(&[Source { file: "t.dl", text, builtin: true, folder: "" }]);
        let program = loaded.program.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
        let tables = vec![table(10, &[10]), table(10_000, &[100, 1000]), None, None];
        let orders = program.rules().map(|rule| order_of(rule, &tables));
        // To start with `many` costs a product nothing, but it would look at all of it for a join.
        assert_eq!(orders.collect::<Vec<_>>(), [[1, 0], [0, 1]]);
    }

    #[test]
    fn a_join_that_multiplies_is_put_off_until_it_does_not() {
        let text = ".type T\n.decl uid(d: T, u: T) input\n.decl pod(p: T, l: T) input\n\
            .decl controller(p: T, u: T) input\n.decl set(l: T, n: T) input\n\
            .decl space(d: T, n: T) input\n.decl r(d: T, p: T) output\n\
            r(D, P) :- uid(D, U), controller(P, U), pod(P, L), set(L, N), space(D, N).\n";
        let program =
            Program::load(&[Source { file: "t.dl", text, builtin: true, folder: "" }]).program.unwrap();
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
        let found = order_of(rule, &tables);
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
