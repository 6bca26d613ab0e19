//! The values of a rule's variables with which its comparisons hold, and nothing that must be
//! there is what must not.

use super::naive::{Binding, Data, Val, folded, value};
use super::random::{Aggregate, Atom, First, Literal, Term};
use super::shapes::{Shapes, follow};

/// So many values are tried of the variables of one rule.
pub const LOOKS: usize = 2_000;

/// A variable without a value, and those that it may have.
pub struct Open<'a> {
    pub name: String,
    pub values: Vec<Val>,
    /// What it is the result of.
    pub total: Option<&'a Aggregate>,
}

pub struct Search<'a> {
    pub shapes: &'a Shapes,
    pub data: &'a Data,
    pub names: &'a [Open<'a>],
    pub body: &'a [Literal],
    pub found: Vec<Binding>,
    pub most: usize,
    pub looks: usize,
}

impl Search<'_> {
    pub fn from(&mut self, at: usize, mut way: Binding) {
        self.looks += 1;
        if self.looks >= LOOKS || self.found.len() >= self.most || !self.is_open(self.body, &mut way) {
            return;
        }
        match self.names.get(at) {
            Some(Open { name, values, total }) => {
                let found = total.and_then(|total| folded(total, &way, self.data));
                let found = found.filter(|it| *it != Val::Beyond);
                for value in found.iter().chain(values) {
                    let mut way = way.clone();
                    way.insert(name.clone(), value.clone());
                    self.from(at + 1, way);
                }
            }
            None => self.found.push(way),
        }
    }

    /// Whether nothing fails yet; with what follows from the values that are known.
    fn is_open(&self, body: &[Literal], way: &mut Binding) -> bool {
        // What must be there may not be what must not.
        let is_in = |atom: &Atom, negated: &Atom| {
            let mut terms = atom.terms.iter().zip(&negated.terms);
            atom.relation == negated.relation
                && terms.all(|(term, negated)| match (term, negated) {
                    (_, Term::Any) => true,
                    (Term::Variable(name), Term::Variable(other)) if name == other => true,
                    _ => value(term, way).is_some_and(|it| value(negated, way) == Some(it)),
                })
        };
        let contradicts = |literal: &Literal| match literal {
            Literal::Negative(negated) => positives(body).any(|atom| is_in(atom, negated)),
            _ => false,
        };
        if body.iter().any(contradicts)
            || !follow(body, way)
            || !positives(body).all(|atom| self.shapes.can(atom, way))
        {
            return false;
        }
        body.iter().all(|literal| {
            let has_way =
                |ways: &[Vec<Literal>]| ways.iter().any(|body| self.is_open(body, &mut way.clone()));
            match literal {
                Literal::First(First { most: Term::Constant(Val::Number(..=0)), .. }) => false,
                Literal::First(first) => has_way(&first.ways),
                Literal::Aggregate(it) => match (it.name, way.get(&it.result)) {
                    ("count", Some(Val::Number(..0))) => false,
                    ("count" | "sum", Some(Val::Number(0)) | None) => true,
                    _ => has_way(&it.ways),
                },
                _ => true,
            }
        })
    }
}

pub fn positives(body: &[Literal]) -> impl Iterator<Item = &Atom> {
    body.iter().filter_map(|literal| if let Literal::Positive(atom) = literal { Some(atom) } else { None })
}
