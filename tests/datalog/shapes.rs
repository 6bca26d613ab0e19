//! Which rows a relation can have at all, whatever the facts are.
//!
//! A shape has a value where every such row has it, and none where it may have any. Shapes
//! follow from the constants of the rules and from what is worked out of them; what is
//! negated or counted is not looked at. So a row without a shape is in no relation ever.

use std::collections::{BTreeMap, BTreeSet};

use super::explained::{bodies, is_known};
use super::naive::{Binding, Data, Val, bindings, holds};
use super::random::{Atom, Expression, Literal, Rules, Term};

/// Values of a row; none for any.
type Shape = Vec<Option<Val>>;

#[derive(Debug, Default)]
pub struct Shapes(BTreeMap<String, BTreeSet<Shape>>);

/// With more of them a relation may have any row.
const MOST: usize = 60;

impl Shapes {
    pub fn new(rules: &Rules) -> Self {
        let mut shapes = Shapes::default();
        for relation in rules.relations.iter().filter(|relation| rules.level(&relation.name) == 0) {
            shapes.0.insert(relation.name.clone(), BTreeSet::from([vec![None; relation.numbers.len()]]));
        }
        loop {
            let mut is_new = false;
            for rule in &rules.rules {
                for body in bodies(rule) {
                    let mut found = Vec::new();
                    shapes.each(&body, 0, Binding::new(), &mut |way| {
                        found.push(rule.head.terms.iter().map(|term| known(term, way)).collect::<Shape>());
                    });
                    let all = shapes.0.entry(rule.head.relation.clone()).or_default();
                    let before = all.len();
                    all.extend(found);
                    is_new |= all.len() > before;
                    if all.len() > MOST {
                        *all = BTreeSet::from([vec![None; rule.head.terms.len()]]);
                    }
                }
            }
            if !is_new {
                return shapes;
            }
        }
    }

    fn each(&self, body: &[Literal], at: usize, mut way: Binding, found: &mut dyn FnMut(&Binding)) {
        let Some(literal) = body.get(at) else {
            // Twice, as one may follow from another one.
            if follow(body, &mut way) && follow(body, &mut way) {
                found(&way);
            }
            return;
        };
        let Literal::Positive(atom) = literal else { return self.each(body, at + 1, way, found) };
        for shape in self.0.get(&atom.relation).into_iter().flatten() {
            let mut way = way.clone();
            let mut fits = true;
            for (term, value) in atom.terms.iter().zip(shape) {
                let Some(value) = value else { continue };
                match (term, known(term, &way)) {
                    (_, Some(known)) => fits &= known == *value,
                    (Term::Variable(name), None) => _ = way.insert(name.clone(), value.clone()),
                    _ => {}
                }
            }
            if fits {
                self.each(body, at + 1, way, found);
            }
        }
    }

    /// Whether there can be a row that an atom fits.
    pub fn can(&self, atom: &Atom, way: &Binding) -> bool {
        self.0.get(&atom.relation).into_iter().flatten().any(|shape| {
            let mut values = atom.terms.iter().zip(shape);
            values.all(|(term, value)| match (known(term, way), value) {
                (Some(known), Some(value)) => known == *value,
                _ => true,
            })
        })
    }
}

/// Whether no comparison fails; with the values that follow.
pub fn follow(body: &[Literal], way: &mut Binding) -> bool {
    for literal in body {
        let Literal::Comparison(it) = literal else { continue };
        if !it.right.iter().all(|right| is_known(right, way)) {
            continue;
        }
        match &it.left {
            Expression::Term(Term::Variable(name)) if it.operator == "=" && !way.contains_key(name) => {
                let mut value = None;
                let one = std::slice::from_ref(literal);
                bindings(one, 0, way.clone(), &Data::new(), &mut |way| value = way.get(name).cloned());
                let Some(value) = value.filter(|value| *value != Val::Beyond) else { return false };
                way.insert(name.clone(), value);
            }
            left if is_known(left, way) && !holds(it, way) => return false,
            _ => {}
        }
    }
    true
}

fn known(term: &Term, way: &Binding) -> Option<Val> {
    match term {
        Term::Any => None,
        Term::Variable(name) => way.get(name).cloned(),
        Term::Constant(value) => Some(value.clone()),
    }
}
