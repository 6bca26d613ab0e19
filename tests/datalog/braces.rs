//! Random aggregates and `first`, for random programs: over lower levels, in one or two ways,
//! with aggregates of their own.

use std::collections::BTreeSet;

use super::naive::Val;
use super::random::{
    Aggregate, Atom, Choices, Comparison, Expression, First, Literal, Relation, Rules, Term, known,
};

/// Variables of texts and of numbers.
type Names = [Vec<String>; 2];

/// So many variables may braces have.
const MOST: usize = 6;

/// What stands around braces.
pub struct Braces<'a> {
    pub rules: &'a Rules,
    pub below: &'a [&'a Relation],
    /// The variables that atoms outside bind.
    pub given: &'a Names,
    /// Whether atoms outside may say which groups there are.
    pub groups: bool,
    /// The values of other aggregates that are never beyond all numbers.
    pub exact: &'a [String],
}

impl Braces<'_> {
    pub fn aggregate(&self, choices: &mut Choices, at: usize) -> Option<Aggregate> {
        let (ways, all) = self.ways(choices, ["L", "M"], true)?;
        let value = match choices.pick(3) {
            0 => None,
            _ => number(choices, &all),
        };
        let names = ["sum", "min", "max", "mean"];
        let name = if value.is_none() { "count" } else { names[choices.pick(4)] };
        Some(Aggregate { result: format!("D{}", 7 + at), name, value, ways, used: false })
    }

    pub fn first(&self, choices: &mut Choices, at: usize) -> Option<First> {
        let (mut ways, all) = self.ways(choices, ["L", "M"], true)?;
        let mut values = Vec::new();
        for is_number in [false, true] {
            // What is taken has a name of its own outside, or joins with what is there.
            let Some(name) = choices.one(&all[usize::from(is_number)]).filter(|_| values.len() < 2).cloned()
            else {
                continue;
            };
            let new = match choices.one(&self.given[usize::from(is_number)]) {
                Some(given) if choices.pick(4) == 3 && !values.contains(given) => given.clone(),
                _ => format!("{}{}", if is_number { "N" } else { "X" }, 7 + at),
            };
            if ways.iter().any(|way| mentions(way, &new)) {
                continue;
            }
            ways.iter_mut().for_each(|way| rename(way, &name, &new));
            values.push(new);
        }
        if values.is_empty() {
            return None;
        }
        // Keys of what is left: a renamed one is among what is taken.
        let left = all
            .map(|names| names.into_iter().filter(|name| ways.iter().all(|way| binds(way, name))).collect());
        let mut keys = Vec::new();
        for _ in 0..choices.pick(3) {
            let key = match choices.pick(3) {
                0 => choices.one(&values).map(|name| variable(name)),
                1 => number(choices, &left),
                _ => choices.one(&left[0]).map(|name| variable(name)),
            };
            keys.extend(key.map(|key| (key, choices.pick(2) == 1)));
        }
        let most = match choices.one(&self.given[1]) {
            Some(name) if choices.pick(4) == 3 && !values.contains(name) => Term::Variable(name.clone()),
            _ => Term::Constant(Val::Number([1, 2, 3, 0][choices.pick(4)])),
        };
        Some(First { most, values, keys, ways })
    }

    /// Ways to hold, and the variables that all of them bind.
    fn ways(
        &self,
        choices: &mut Choices,
        names: [&str; 2],
        nests: bool,
    ) -> Option<(Vec<Vec<Literal>>, Names)> {
        let mut ways = Vec::new();
        let mut all: Option<Names> = None;
        let mut used = BTreeSet::new();
        for _ in 0..[1, 1, 1, 2][choices.pick(4)] {
            let (body, own) = self.way(choices, names, nests, &mut used)?;
            all = Some(match all {
                None => own,
                Some(all) => {
                    let both =
                        |at: usize| all[at].iter().filter(|name| own[at].contains(name)).cloned().collect();
                    [both(0), both(1)]
                }
            });
            ways.push(body);
        }
        // A way that does not say which groups there are leaves it to the atoms outside.
        let says = |way: &Vec<Literal>| {
            let names = self.given.iter().flatten();
            names.filter(|name| binds(way, name)).cloned().collect::<Vec<_>>()
        };
        let alike = self.groups || ways.iter().all(|way| says(way) == says(&ways[0]));
        (alike && used.len() <= MOST).then_some((ways, all?))
    }

    fn way(
        &self,
        choices: &mut Choices,
        names: [&str; 2],
        nests: bool,
        used: &mut BTreeSet<String>,
    ) -> Option<(Vec<Literal>, Names)> {
        let (mut body, mut own) = (Vec::new(), [Vec::new(), Vec::new()]);
        for _ in 0..1 + choices.pick(2) {
            let relation = choices.one(self.below)?;
            let terms = relation.numbers.iter().map(|number| {
                let at = usize::from(*number);
                let term = match choices.pick(6) {
                    0..=2 => Term::Variable(format!("{}{}", names[at], choices.pick(2))),
                    _ => known(choices, *number, self.given),
                };
                if let Term::Variable(name) = &term {
                    used.insert(name.clone());
                    if name.starts_with(names[at]) && !own[at].contains(name) {
                        own[at].push(name.clone());
                    }
                }
                term
            });
            let terms = terms.collect();
            body.push(Literal::Positive(Atom { relation: relation.name.clone(), terms }));
        }
        if let Some(value) = number(choices, &own).filter(|_| choices.pick(4) == 3) {
            let name = format!("{}5", names[1]);
            let left = variable(&name);
            body.push(Literal::Comparison(Comparison { left, operator: "=", right: vec![value] }));
            used.insert(name.clone());
            own[1].push(name);
        }
        if nests && choices.pick(4) == 3 {
            let given: Names = own.clone();
            let inner = Braces { given: &given, groups: true, exact: &[], ..*self };
            let (ways, all) = inner.ways(choices, ["J", "K"], false)?;
            let value = number(choices, &all);
            let name = if value.is_none() { "count" } else { ["min", "max"][choices.pick(2)] };
            let result = format!("{}6", names[1]);
            used.insert(result.clone());
            own[1].push(result.clone());
            body.push(Literal::Aggregate(Aggregate { result, name, value, ways, used: true }));
        }
        let mut tested = own.clone();
        if self.groups && choices.pick(3) == 2 {
            tested.iter_mut().zip(self.given).for_each(|(own, given)| own.extend(given.iter().cloned()));
            tested[1].extend(self.exact.iter().cloned());
            used.extend(tested.iter().flatten().cloned());
        }
        self.rules.tests(choices, self.below, &tested, &mut body);
        Some((body, own))
    }
}

/// A number that is never beyond all numbers, where its parts are not.
fn number(choices: &mut Choices, own: &Names) -> Option<Expression> {
    let constant = |number| Box::new(Expression::Term(Term::Constant(Val::Number(number))));
    match (choices.pick(5), choices.one(&own[1]), choices.one(&own[0])) {
        (3, Some(name), _) => Some(Expression::Binary(Box::new(variable(name)), "/", constant(2))),
        (4, Some(name), _) => Some(Expression::Binary(Box::new(variable(name)), "%", constant(3))),
        (_, Some(name), _) => Some(variable(name)),
        (1, None, Some(text)) => Some(Expression::Call("to_number", Box::new(variable(text)), 0)),
        (2.., None, Some(text)) => Some(Expression::Call("length", Box::new(variable(text)), 0)),
        _ => None,
    }
}

fn variable(name: &str) -> Expression {
    Expression::Term(Term::Variable(name.to_owned()))
}

fn binds(way: &[Literal], name: &str) -> bool {
    way.iter().any(|literal| match literal {
        Literal::Positive(atom) => {
            atom.terms.iter().any(|term| matches!(term, Term::Variable(it) if it == name))
        }
        Literal::Comparison(it) => {
            it.operator == "=" && matches!(&it.left, Expression::Term(Term::Variable(it)) if it == name)
        }
        Literal::Aggregate(it) => it.result == name,
        _ => false,
    })
}

fn mentions(way: &[Literal], name: &str) -> bool {
    // A name is no part of another one.
    format!("{way:?}").contains(&format!("\"{name}\""))
}

fn rename(way: &mut [Literal], from: &str, to: &str) {
    fn term(term: &mut Term, from: &str, to: &str) {
        if matches!(term, Term::Variable(name) if name == from) {
            *term = Term::Variable(to.to_owned());
        }
    }
    fn expression(it: &mut Expression, from: &str, to: &str) {
        match it {
            Expression::Term(it) => term(it, from, to),
            Expression::Pattern(_) => {}
            Expression::Negate(inner) | Expression::Call(_, inner, _) => expression(inner, from, to),
            Expression::Binary(left, _, right) => {
                expression(left, from, to);
                expression(right, from, to);
            }
        }
    }
    for literal in way {
        match literal {
            Literal::Positive(atom) | Literal::Negative(atom) => {
                atom.terms.iter_mut().for_each(|it| term(it, from, to));
            }
            Literal::Comparison(comparison) => {
                expression(&mut comparison.left, from, to);
                comparison.right.iter_mut().for_each(|it| expression(it, from, to));
            }
            Literal::Aggregate(aggregate) => {
                if aggregate.result == from {
                    to.clone_into(&mut aggregate.result);
                }
                aggregate.value.iter_mut().for_each(|it| expression(it, from, to));
                aggregate.ways.iter_mut().for_each(|way| rename(way, from, to));
            }
            Literal::First(_) => {}
        }
    }
}
