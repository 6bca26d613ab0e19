//! In which order the parts of a rule are looked at, and by which index.
//!
//! The order comes from actual sizes (see `order`). Whatever can be tested is tested at
//! once, in the same step, so a binding that fails is never stored: comparisons,
//! negated atoms, atoms whose variables are all bound, and atoms whose other variables
//! nobody needs afterwards (existence is enough).
//!
//! It decides only speed, never the result.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::order::order;
use super::program::{Atom, Comparison, Literal, Operator, RelationId, Sum, Term, Variable};
use super::symbols::{Sym, Symbols, Value};
use super::table::Table;

/// What the bindings start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// Nothing is bound.
    Nothing,
    /// Rows of the atom of this literal are handed in.
    Literal(usize),
    /// Rows of the head are handed in.
    Head,
}

/// A value that is known when it is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Known {
    Constant(Sym),
    Slot(usize),
}

/// What is done with a column of a row.
#[derive(Debug, Clone, Copy)]
pub(super) enum Take {
    /// It must be this.
    Constant(Sym),
    /// It becomes the value of the slot.
    Bind(usize),
    /// It must be the value of the slot.
    Same(usize),
}

/// A test of a binding.
#[derive(Debug, Clone)]
pub(super) enum Filter {
    /// Whether there is a row with this prefix in an index.
    Rows { wanted: bool, relation: RelationId, index: usize, prefix: Vec<Known> },
    /// A comparison.
    Compare(Compare),
}

/// A comparison ready to be evaluated.
#[derive(Debug, Clone)]
pub(super) struct Compare {
    left: Vec<(bool, Operand)>,
    operator: Operator,
    right: Vec<(bool, Operand)>,
}

#[derive(Debug, Clone)]
enum Operand {
    Slot(usize),
    Text(Arc<str>),
    Number(i64),
}

/// A join with an atom.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub relation: RelationId,
    pub index: usize,
    /// The first columns of the index, which are known.
    pub prefix: Vec<Known>,
    /// What is done with others of its columns.
    pub take: Vec<(usize, Take)>,
    /// Of rows that are equal in so many first columns one is enough.
    pub distinct: usize,
    pub filters: Vec<Filter>,
}

/// How a rule is evaluated.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// A constant of the rule occurs nowhere: it cannot derive anything.
    pub never: bool,
    pub slots: usize,
    /// What is done with the columns of the rows handed in.
    pub start: Vec<(usize, Take)>,
    pub start_filters: Vec<Filter>,
    pub steps: Vec<Step>,
}

/// The tables, by [`RelationId`].
pub(super) type Tables = Vec<Option<Arc<Table>>>;

/// Plans a rule and builds the indexes it needs.
pub(super) fn plan(
    head: Option<&Atom>,
    body: &[Literal],
    variables: usize,
    start: Start,
    symbols: &Symbols,
    tables: &[Option<Arc<Table>>],
) -> Plan {
    let done = BTreeSet::new();
    let plan = Plan { never: false, slots: variables, start: vec![], start_filters: vec![], steps: vec![] };
    let mut planner = Planner { body, head, symbols, tables, bound: BTreeSet::new(), done, plan };
    planner.start(start);
    planner.plan.start_filters = planner.filters();
    let bound = |variable| planner.bound.contains(&variable);
    for next in order(body, head, bound, |at| planner.done.contains(&at), tables) {
        // A test of a step before may have dealt with it.
        if let (false, Literal::Positive(atom)) = (planner.done.contains(&next), &body[next]) {
            let mut step = planner.step(next, atom);
            step.filters = planner.filters();
            planner.plan.steps.push(step);
        }
    }
    planner.plan
}

struct Planner<'a> {
    body: &'a [Literal],
    head: Option<&'a Atom>,
    symbols: &'a Symbols,
    tables: &'a [Option<Arc<Table>>],
    bound: BTreeSet<Variable>,
    /// Literals that are dealt with.
    done: BTreeSet<usize>,
    plan: Plan,
}

impl Planner<'_> {
    fn start(&mut self, start: Start) {
        let atom = match start {
            Start::Nothing => return,
            Start::Head => self.head,
            Start::Literal(at) => match &self.body[at] {
                Literal::Positive(atom) => {
                    self.done.insert(at);
                    Some(atom)
                }
                // A row of a negated atom tells where to look; whether none is there is still a question.
                Literal::Negative(atom) => Some(atom),
                Literal::Comparison(_) => None,
            },
        };
        for (at, term) in atom.iter().flat_map(|atom| atom.terms.iter().enumerate()) {
            let take = match term {
                Term::Any => continue,
                Term::Variable(variable) if self.bound.insert(*variable) => Take::Bind(variable.0),
                Term::Variable(variable) => Take::Same(variable.0),
                Term::Text(_) | Term::Number(_) => match constant(term, self.symbols) {
                    Some(sym) => Take::Constant(sym),
                    None => {
                        self.plan.never = true;
                        continue;
                    }
                },
            };
            self.plan.start.push((at, take));
        }
    }

    fn is_known(&self, term: &Term) -> bool {
        match term {
            Term::Variable(variable) => self.bound.contains(variable),
            Term::Any => false,
            Term::Text(_) | Term::Number(_) => true,
        }
    }

    /// Whether a variable matters after the literal `at`, or twice in it.
    fn is_needed(&self, variable: Variable, at: usize) -> bool {
        let in_literal = |literal: &Literal| match literal {
            Literal::Positive(atom) | Literal::Negative(atom) => {
                atom.variables().any(|found| found == variable)
            }
            Literal::Comparison(comparison) => comparison.variables().any(|found| found == variable),
        };
        let head = self.head.is_none_or(|head| head.variables().any(|found| found == variable));
        let twice = match &self.body[at] {
            Literal::Positive(atom) => atom.variables().filter(|found| *found == variable).count() > 1,
            _ => false,
        };
        let later = |(other, literal): (usize, &Literal)| {
            other != at && !self.done.contains(&other) && in_literal(literal)
        };
        head || twice || self.body.iter().enumerate().any(later)
    }

    /// Everything that can be tested now.
    fn filters(&mut self) -> Vec<Filter> {
        let mut filters = Vec::new();
        for (at, literal) in self.body.iter().enumerate() {
            if self.done.contains(&at) {
                continue;
            }
            match literal {
                Literal::Comparison(comparison) => {
                    if comparison.variables().all(|variable| self.bound.contains(&variable)) {
                        self.done.insert(at);
                        // Comparisons are the cheapest test: they come first.
                        filters.insert(0, Filter::Compare(compare(comparison)));
                    }
                }
                Literal::Negative(atom) | Literal::Positive(atom) => {
                    let wanted = matches!(literal, Literal::Positive(_));
                    let open = |term: &Term| match term {
                        Term::Variable(variable) => {
                            !self.bound.contains(variable) && (!wanted || self.is_needed(*variable, at))
                        }
                        _ => false,
                    };
                    if !atom.terms.iter().any(open) {
                        self.done.insert(at);
                        self.existence(atom, wanted, &mut filters);
                    }
                }
            }
        }
        filters
    }

    fn existence(&mut self, atom: &Atom, wanted: bool, filters: &mut Vec<Filter>) {
        let known: Vec<usize> = (0..atom.terms.len()).filter(|at| self.is_known(&atom.terms[*at])).collect();
        let (order, index) = self.index(atom.relation, &known, None);
        match self.known_values(atom, &order[..known.len()]) {
            Some(prefix) => filters.push(Filter::Rows { wanted, relation: atom.relation, index, prefix }),
            // The constant is nowhere, so no row is there.
            None if wanted => self.plan.never = true,
            None => {}
        }
    }

    fn known_values(&self, atom: &Atom, columns: &[usize]) -> Option<Vec<Known>> {
        let cell = |at: &usize| match &atom.terms[*at] {
            Term::Variable(variable) => Some(Known::Slot(variable.0)),
            term => constant(term, self.symbols).map(Known::Constant),
        };
        columns.iter().map(cell).collect()
    }

    fn step(&mut self, at: usize, atom: &Atom) -> Step {
        let (mut known, mut needed) = (Vec::new(), Vec::new());
        for (column, term) in atom.terms.iter().enumerate() {
            if self.is_known(term) {
                known.push(column);
            } else if let Term::Variable(variable) = term
                && self.is_needed(*variable, at)
            {
                needed.push(column);
            }
        }
        let (order, index) = self.index(atom.relation, &known, Some(&needed));
        let prefix = self.known_values(atom, &order[..known.len()]).unwrap_or_else(|| {
            self.plan.never = true;
            Vec::new()
        });
        let mut take = Vec::new();
        let mut last = known.len();
        for (place, column) in order.iter().enumerate().skip(known.len()) {
            if let Term::Variable(variable) = &atom.terms[*column]
                && needed.contains(column)
            {
                last = place + 1;
                let is_new = self.bound.insert(*variable);
                take.push((place, if is_new { Take::Bind(variable.0) } else { Take::Same(variable.0) }));
            }
        }
        self.done.insert(at);
        Step { relation: atom.relation, index, prefix, take, distinct: last, filters: vec![] }
    }

    /// An index with the known columns first, and behind them, if that saves work, the
    /// needed ones.
    fn index(
        &mut self,
        relation: RelationId,
        known: &[usize],
        needed: Option<&[usize]>,
    ) -> (Vec<usize>, usize) {
        let Some(table) = self.tables[relation.index()].as_ref() else { return (Vec::new(), 0) };
        let columns = table.columns();
        let first = |order: &[usize], wanted: &[usize]| {
            order[..wanted.len()].iter().all(|column| wanted.contains(column))
        };
        let mut wanted = known.to_vec();
        if let Some(needed) = needed
            && known.len() + needed.len() < columns
        {
            let both: Vec<usize> = known.iter().chain(needed).copied().collect();
            let mask = both.iter().fold(0, |mask, at| mask | 1 << at);
            if table.orders().iter().any(|order| first(order, known) && first(order, &both))
                || table.fan_out(mask) > 2.0
            {
                wanted = both;
            }
        }
        let fits = |order: &&[usize]| first(order, known) && first(order, &wanted);
        let mut order = table.orders().into_iter().find(fits).map(<[usize]>::to_vec).unwrap_or_default();
        if order.len() != columns {
            order = wanted.clone();
            order.extend((0..columns).filter(|column| !wanted.contains(column)));
        }
        let index = table.ensure(&order);
        (order, index)
    }
}

/// The symbol of a constant, if it occurs anywhere.
fn constant(term: &Term, symbols: &Symbols) -> Option<Sym> {
    match term {
        Term::Text(text) => symbols.find_text(text),
        Term::Number(number) => symbols.find_number(*number),
        Term::Variable(_) | Term::Any => None,
    }
}

/// The values a head is made of; constants must have been interned.
pub(super) fn head_values(head: &Atom, symbols: &mut Symbols) -> Vec<Known> {
    let cell = |term: &Term| match term {
        Term::Variable(variable) => Known::Slot(variable.0),
        Term::Text(text) => Known::Constant(symbols.text(text)),
        Term::Number(number) => Known::Constant(symbols.number(*number)),
        // Refused when the program was checked.
        Term::Any => Known::Constant(0),
    };
    head.terms.iter().map(cell).collect()
}

pub(super) fn compare(comparison: &Comparison) -> Compare {
    let side = |sum: &Sum| {
        let operand = |term: &Term| match term {
            Term::Variable(variable) => Operand::Slot(variable.0),
            Term::Text(text) => Operand::Text(text.clone()),
            Term::Number(number) => Operand::Number(*number),
            Term::Any => Operand::Number(0),
        };
        sum.parts.iter().map(|(minus, term)| (*minus, operand(term))).collect()
    };
    Compare { left: side(&comparison.left), operator: comparison.operator, right: side(&comparison.right) }
}

impl Compare {
    /// Whether it holds. Sums are exact: they are added up in 128 bits. What is no number
    /// makes a sum, and so the comparison, false.
    pub fn holds(&self, binding: &[Sym], symbols: &Symbols) -> bool {
        if let ([(_, Operand::Slot(left))], [(_, Operand::Slot(right))]) = (&self.left[..], &self.right[..]) {
            match self.operator {
                Operator::Equal => return binding[*left] == binding[*right],
                Operator::NotEqual => return binding[*left] != binding[*right],
                _ => {}
            }
        }
        if let ([(_, left)], [(_, right)]) = (&self.left[..], &self.right[..]) {
            return self.ordered(&value(left, binding, symbols), &value(right, binding, symbols));
        }
        match (sum(&self.left, binding, symbols), sum(&self.right, binding, symbols)) {
            (Some(left), Some(right)) => self.ordered(&left, &right),
            _ => false,
        }
    }

    fn ordered<T: Ord>(&self, left: &T, right: &T) -> bool {
        match self.operator {
            Operator::Equal => left == right,
            Operator::NotEqual => left != right,
            Operator::Less => left < right,
            Operator::AtMost => left <= right,
            Operator::Greater => left > right,
            Operator::AtLeast => left >= right,
        }
    }
}

fn value<'a>(operand: &'a Operand, binding: &[Sym], symbols: &'a Symbols) -> Value<'a> {
    match operand {
        Operand::Slot(slot) => symbols.value(binding[*slot]),
        Operand::Text(text) => Value::Text(text),
        Operand::Number(number) => Value::Number(*number),
    }
}

fn sum(parts: &[(bool, Operand)], binding: &[Sym], symbols: &Symbols) -> Option<i128> {
    let mut total = 0;
    for (minus, operand) in parts {
        let Value::Number(number) = value(operand, binding, symbols) else { return None };
        total += if *minus { -i128::from(number) } else { i128::from(number) };
    }
    Some(total)
}
