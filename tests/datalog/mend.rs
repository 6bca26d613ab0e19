//! Does what an explanation says is wrong with an absent row, until the row is there.
//!
//! It goes by what is named: the rules that were tried, with the values they were tried with,
//! and the parts that fail. A fact that is missing is added, one that stands in the way is
//! taken away. What has no value, and what a comparison that fails is about, may be any value
//! with which the comparisons of the rule hold.

use std::collections::BTreeSet;

use dsrules::datalog::explain::{Goal, Part, Tried};

use super::explained::{Case, bodies, bound, cells, is_false, row_of};
use super::naive::{self, Binding, Data, Row, Val, bindings, folded, matched, value};
use super::random::{Aggregate, Atom, Choices, Comparison, Expression, First, Literal, Rule, Term};
use super::search::{LOOKS, Open, Search, positives};

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    Done,
    /// No values make the comparisons hold, whatever the facts are.
    Never,
    /// It was not found how.
    Unknown,
}

/// So many ways through one rule are tried.
const WAYS: usize = 40;
/// So many in all for one explanation, and so many evaluations.
const ALL_LOOKS: usize = 20_000;
const EVALUATIONS: usize = 50;
/// So deep do rows rest on others.
const DEPTH: usize = 12;

type Entry = (String, Row);

pub struct Mender<'a> {
    pub case: &'a Case,
    pub input: Data,
    pub choices: &'a mut Choices,
    added: BTreeSet<Entry>,
    taken: BTreeSet<Entry>,
    /// The rows that are being mended, from the outside in.
    above: Vec<Entry>,
    /// Looks at values, and evaluations, so far.
    looks: usize,
    evaluations: usize,
}

impl<'a> Mender<'a> {
    pub fn new(case: &'a Case, input: Data, choices: &'a mut Choices) -> Self {
        let (added, taken) = Default::default();
        Mender { case, input, choices, added, taken, above: Vec::new(), looks: 0, evaluations: 0 }
    }

    fn explain(&mut self, relation: &str, row: &Row) -> Goal {
        self.evaluations += 1;
        self.case.explain(relation, row)
    }

    fn is_enough(&self) -> bool {
        self.looks > ALL_LOOKS || self.evaluations > EVALUATIONS
    }

    /// Does what is named for a row to be there.
    pub fn want(&mut self, goal: &Goal, row: &Row) -> End {
        let entry = (goal.relation.clone(), row.clone());
        if self.case.has(&goal.relation, row) {
            return End::Done;
        }
        if goal.input {
            return self.add(entry);
        }
        if self.is_enough() {
            return End::Unknown;
        }
        if goal.note.is_some() {
            // Told elsewhere, or of another row.
            let goal = self.explain(&goal.relation, row);
            assert!(goal.note.is_none(), "{} is not explained", goal.fact);
            return self.want(&goal, row);
        }
        if self.above.contains(&entry) || self.above.len() > DEPTH {
            return if self.above.contains(&entry) { End::Never } else { End::Unknown };
        }
        self.every_rule_is_told(goal);
        self.above.push(entry);
        let mut end = End::Never;
        let mut tried: Vec<&Tried> = goal.rules.iter().collect();
        self.shuffle(&mut tried);
        for tried in tried {
            let rule = self.case.rule(tried);
            for body in bodies(rule) {
                if end != End::Done {
                    end = self.through(tried, rule, &body, row).max_unless_done(end);
                }
            }
        }
        self.above.pop();
        end
    }

    /// A rule that is not told cannot be that row.
    fn every_rule_is_told(&self, goal: &Goal) {
        if goal.note.is_some() {
            return;
        }
        let cells = cells(goal);
        for rule in self.case.rules.rules.iter().filter(|rule| rule.head.relation == goal.relation) {
            let told = goal.rules.iter().any(|tried| std::ptr::eq(self.case.rule(tried), rule));
            let row: Option<Row> = cells.iter().cloned().collect();
            let can = row.is_none_or(|row| matched(&rule.head, &row, &Binding::new()).is_some());
            assert!(told || !can || cells.contains(&None), "{}: a rule is left out", goal.fact);
        }
    }

    /// Makes a rule hold, with the values that it was tried with first.
    fn through(&mut self, tried: &Tried, rule: &Rule, body: &[Literal], row: &Row) -> End {
        let Some(head) = matched(&rule.head, row, &Binding::new()) else { return End::Never };
        let known = bound(tried);
        let mut loose: BTreeSet<String> =
            body.iter().filter(|literal| is_false(literal, &known)).flat_map(variables_of).collect();
        for _ in 0..2 {
            // What follows from others is another value when these are.
            let names =
                body.iter().map(variables_of).filter(|names| names.iter().any(|it| loose.contains(it)));
            loose = names.flatten().collect::<BTreeSet<_>>().union(&loose).cloned().collect();
        }
        let (ways, is_all) = self.assignments(body, &head, &known, &loose, WAYS);
        let mut end = if is_all { End::Never } else { End::Unknown };
        for way in ways {
            let before = (self.input.clone(), self.added.clone(), self.taken.clone());
            match self.apply(tried, body, &way, &known) {
                End::Done => return End::Done,
                other => end = end.max(other),
            }
            (self.input, self.added, self.taken) = before;
            if self.is_enough() {
                return End::Unknown;
            }
        }
        end
    }

    /// Makes the parts of a body hold for these values.
    fn apply(&mut self, tried: &Tried, body: &[Literal], way: &Binding, known: &Binding) -> End {
        // Which of the ways of a rule with `;` it is, is not told.
        let is_only_way = self.case.rule(tried).ways.is_empty();
        let is_as_told = |atom: &Atom| {
            is_only_way
                && atom.terms.iter().all(|term| match term {
                    Term::Variable(name) => known.get(name).is_some_and(|it| Some(it) == way.get(name)),
                    _ => true,
                })
        };
        let rows: Vec<(&Atom, Row)> = body
            .iter()
            .filter_map(|literal| match literal {
                Literal::Positive(atom) => Some((atom, self.filled(atom, way))),
                _ => None,
            })
            .collect();
        for (atom, row) in rows {
            if self.case.has(&atom.relation, &row) {
                continue;
            }
            let named = tried.parts.iter().find_map(|part| match part {
                Part::Row(goal) if !goal.holds && goal.relation == atom.relation && fits(goal, &row) => {
                    Some(goal)
                }
                _ => None,
            });
            assert!(named.is_some() || !is_as_told(atom), "{atom:?} is not named for {way:?}\n{tried:#?}");
            let end = match named {
                Some(goal) => self.want(goal, &row),
                None => {
                    let goal = self.explain(&atom.relation, &row);
                    self.want(&goal, &row)
                }
            };
            if end != End::Done {
                return end;
            }
        }
        for literal in body {
            let Literal::Negative(atom) = literal else { continue };
            let rows = self.case.data.get(&atom.relation).into_iter().flatten();
            let rows: Vec<Row> = rows.filter(|row| matched(atom, row, way).is_some()).cloned().collect();
            let named = tried.parts.iter().find_map(|part| match part {
                Part::Not(goal) if goal.holds && goal.relation == atom.relation => Some(goal),
                _ => None,
            });
            assert!(
                rows.is_empty() || named.is_some() || !is_as_told(atom),
                "{atom:?} is not named\n{tried:#?}"
            );
            for row in rows {
                let end = match named.filter(|goal| row_of(goal) == row) {
                    Some(goal) => self.take(goal),
                    None => {
                        let goal = self.explain(&atom.relation, &row);
                        self.take(&goal)
                    }
                };
                if end != End::Done {
                    return end;
                }
            }
        }
        for literal in body {
            if !self.is_so(literal, way, &self.case.data) && !self.settled(literal, way) {
                return End::Unknown;
            }
        }
        End::Done
    }

    /// Whether an aggregate has the value that is wanted, or `first` takes what is wanted.
    fn is_so(&self, literal: &Literal, way: &Binding, data: &Data) -> bool {
        match literal {
            Literal::Aggregate(it) => {
                folded(it, way, data).is_some_and(|found| way.get(&it.result).is_none_or(|it| *it == found))
            }
            Literal::First(_) => {
                let mut is_so = false;
                bindings(std::slice::from_ref(literal), 0, way.clone(), data, &mut |_| is_so = true);
                is_so
            }
            _ => true,
        }
    }

    /// Adds and takes away rows of what stands in braces until it is as wanted.
    fn settled(&mut self, literal: &Literal, way: &Binding) -> bool {
        let (Literal::Aggregate(Aggregate { ways, .. }) | Literal::First(First { ways, .. })) = literal
        else {
            return true;
        };
        let start = (self.input.clone(), self.added.clone(), self.taken.clone());
        for _ in 0..4 {
            for _ in 0..6 {
                let Some(body) = self.choices.one(ways) else { return false };
                let mut outside = way.clone();
                if let Literal::First(first) = literal
                    && self.choices.pick(3) == 0
                {
                    // Another one may be in front of it.
                    first.values.iter().for_each(|name| _ = outside.remove(name));
                }
                if self.choices.pick(3) == 0 {
                    let mut all = Vec::new();
                    bindings(body, 0, outside, &self.case.data, &mut |way| all.push(way.clone()));
                    let atoms: Vec<&Atom> = positives(body).collect();
                    let (Some(way), Some(atom)) = (self.choices.one(&all), self.choices.one(&atoms)) else {
                        continue;
                    };
                    let rows = self.case.data.get(&atom.relation).into_iter().flatten();
                    let rows: Vec<&Row> = rows.filter(|row| matched(atom, row, way).is_some()).collect();
                    let Some(row) = self.choices.one(&rows) else { continue };
                    {
                        let goal = self.explain(&atom.relation, row);
                        self.take(&goal)
                    };
                } else {
                    let none = (Binding::new(), BTreeSet::new());
                    let body = &self.with_value(literal, body, way);
                    let (ways, _) = self.assignments(body, &outside, &none.0, &none.1, 3);
                    let Some(way) = self.choices.one(&ways) else { continue };
                    for atom in positives(body) {
                        let row = self.filled(atom, way);
                        if !self.case.has(&atom.relation, &row) {
                            {
                                let goal = self.explain(&atom.relation, &row);
                                self.want(&goal, &row)
                            };
                        }
                    }
                }
                self.evaluations += 1;
                if self.is_enough() {
                    return false;
                }
                let data = naive::evaluate(&self.case.rules, &self.input);
                if data.is_some_and(|data| self.is_so(literal, way, &data)) {
                    return true;
                }
            }
            (self.input, self.added, self.taken) = start.clone();
        }
        false
    }

    /// The body of an aggregate, mostly with the value that it lacks.
    fn with_value(&mut self, literal: &Literal, body: &[Literal], way: &Binding) -> Vec<Literal> {
        let mut body = body.to_vec();
        if let Literal::Aggregate(it) = literal
            && let (Some(value), Some(Val::Number(wanted))) = (&it.value, way.get(&it.result))
            && self.choices.pick(4) > 0
        {
            let lacks = match folded(it, way, &self.case.data) {
                Some(Val::Number(sum)) if it.name == "sum" => wanted.saturating_sub(sum),
                _ => *wanted,
            };
            let right = vec![Expression::Term(Term::Constant(Val::Number(lacks)))];
            body.push(Literal::Comparison(Comparison { left: value.clone(), operator: "=", right }));
        }
        body
    }

    /// Takes away what stands in the way: of each way in which it holds, one part.
    fn take(&mut self, goal: &Goal) -> End {
        if goal.input {
            let entry = (goal.relation.clone(), row_of(goal));
            if self.added.contains(&entry) {
                return End::Unknown;
            }
            self.input.entry(entry.0.clone()).or_default().remove(&entry.1);
            self.taken.insert(entry);
            return End::Done;
        }
        for tried in &goal.rules {
            let mut parts: Vec<&Part> = tried.parts.iter().collect();
            self.shuffle(&mut parts);
            let is_gone = parts.into_iter().any(|part| match part {
                Part::Row(goal) => self.take(goal) == End::Done,
                Part::Not(goal) if cells(goal).iter().all(Option::is_some) => {
                    self.want(goal, &row_of(goal)) == End::Done
                }
                _ => false,
            });
            if !is_gone {
                return if tried.is_fact { End::Never } else { End::Unknown };
            }
        }
        if goal.rules.is_empty() { End::Unknown } else { End::Done }
    }

    fn add(&mut self, entry: Entry) -> End {
        if self.taken.contains(&entry) {
            return End::Unknown;
        }
        let unique = self.case.rules.relations.iter().find(|relation| relation.name == entry.0);
        let unique = unique.map(|relation| relation.unique.clone()).unwrap_or_default();
        let rows = self.input.entry(entry.0.clone()).or_default();
        // Of those that may not both be there it is the new one.
        let is_same = |row: &Row| !unique.is_empty() && unique.iter().all(|at| row[*at] == entry.1[*at]);
        if rows.iter().any(|row| is_same(row) && self.added.contains(&(entry.0.clone(), row.clone()))) {
            return End::Unknown;
        }
        rows.retain(|row| !is_same(row));
        rows.insert(entry.1.clone());
        self.added.insert(entry);
        End::Done
    }

    /// The row of an atom: with `_`, one that is there, or else any.
    fn filled(&mut self, atom: &Atom, way: &Binding) -> Row {
        let rows = self.case.data.get(&atom.relation).into_iter().flatten();
        if let Some(row) = rows.into_iter().find(|row| matched(atom, row, way).is_some()) {
            return row.clone();
        }
        let relation = self.case.rules.relations.iter().find(|it| it.name == atom.relation).unwrap();
        let terms = atom.terms.iter().zip(&relation.numbers);
        let any = |choices: &mut Choices, number: bool| {
            choices.one(&self.case.domain[usize::from(number)]).cloned().unwrap()
        };
        terms.map(|(term, number)| value(term, way).unwrap_or_else(|| any(self.choices, *number))).collect()
    }

    /// Values of all variables of a body with which its comparisons hold: at first those that
    /// are known; and whether these are all.
    pub fn assignments(
        &mut self,
        body: &[Literal],
        fixed: &Binding,
        known: &Binding,
        loose: &BTreeSet<String>,
        most: usize,
    ) -> (Vec<Binding>, bool) {
        let names: BTreeSet<String> = body.iter().flat_map(binders_of).collect();
        let mut names: Vec<Open<'_>> = names
            .into_iter()
            .filter(|name| !fixed.contains_key(name))
            .map(|name| {
                let mut values = self.case.domain[usize::from(is_number(&name))].clone();
                self.shuffle(&mut values);
                if let Some(first) = known.get(&name) {
                    values.retain(|value| value != first);
                    values.insert(if loose.contains(&name) { values.len() } else { 0 }, first.clone());
                }
                let total = body.iter().find_map(|literal| match literal {
                    Literal::Aggregate(it) if it.result == name => Some(it),
                    _ => None,
                });
                Open { name, values, total }
            })
            .collect();
        // What is compared comes first.
        let compared: BTreeSet<String> = body.iter().flat_map(variables_of).collect();
        names.sort_by_key(|open| (open.total.is_some(), !compared.contains(&open.name)));
        let mut search = Search {
            data: &self.case.data,
            shapes: &self.case.shapes,
            names: &names,
            body,
            found: Vec::new(),
            most,
            looks: 0,
        };
        search.from(0, fixed.clone());
        let is_all = search.looks < LOOKS && search.found.len() < most;
        self.looks += search.looks;
        (search.found, is_all)
    }

    fn shuffle<T>(&mut self, all: &mut [T]) {
        for at in (1..all.len()).rev() {
            all.swap(at, self.choices.pick(at + 1));
        }
    }
}

impl End {
    fn max_unless_done(self, before: End) -> End {
        if self == End::Done { End::Done } else { self.max(before) }
    }
}

pub fn is_number(name: &str) -> bool {
    name.starts_with(['D', 'N', 'M', 'K'])
}

fn fits(goal: &Goal, row: &Row) -> bool {
    cells(goal).iter().zip(row).all(|(cell, value)| cell.as_ref().is_none_or(|it| it == value))
}

/// The variables that a literal gives values to, but for those that follow from others.
fn binders_of(literal: &Literal) -> Vec<String> {
    let names = |terms: &[Term]| {
        let name = |term: &Term| if let Term::Variable(name) = term { Some(name.clone()) } else { None };
        terms.iter().filter_map(name).collect::<Vec<_>>()
    };
    match literal {
        Literal::Positive(atom) => names(&atom.terms),
        Literal::Aggregate(it) if it.used => vec![it.result.clone()],
        Literal::First(it) => it.values.clone(),
        _ => Vec::new(),
    }
}

fn variables_of(literal: &Literal) -> Vec<String> {
    fn walk(it: &Expression, found: &mut Vec<String>) {
        match it {
            Expression::Term(Term::Variable(name)) => found.push(name.clone()),
            Expression::Term(_) | Expression::Pattern(_) => {}
            Expression::Negate(inner) | Expression::Call(_, inner, _) => walk(inner, found),
            Expression::Binary(left, _, right) => {
                walk(left, found);
                walk(right, found);
            }
        }
    }
    let mut found = Vec::new();
    if let Literal::Comparison(it) = literal {
        walk(&it.left, &mut found);
        it.right.iter().for_each(|right| walk(right, &mut found));
    }
    found
}
