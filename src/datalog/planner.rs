//! How the body of a rule is joined: variable by variable.
//!
//! A step binds a variable. Every atom that has it takes part: those that may have the
//! fewest values for it propose, and the others, negated atoms and comparisons keep what
//! they allow. Which atom proposes is decided anew for each binding, so a step never looks
//! at more values than the atom with the fewest has: joins in circles cost no more than
//! their worst answer (leapjoin, see `run`).
//!
//! Variables are taken in the order of atoms that promises the fewest rows (`order`).
//! Several are bound in one step where that comes to the same: those that only one atom
//! has, and those for which no other atom could ever propose fewer values.
//!
//! It decides only speed, never the result.

use std::sync::Arc;

use super::compare::{Compute, compare};
use super::define::{defined, definitions, in_atoms};
use super::open_body::{OpenBody, bit, columns, constants};
use super::plan::{Check, Known, Probe, Proposer, RulePlan, Start, Step, Take};
use super::program::{Atom, Literal, Term, Variable};
use super::symbols::{Sym, Symbols};
use super::table::Table;

/// Plans a rule.
pub(super) fn plan(
    head: Option<&Atom>,
    body: &[Literal],
    slots: usize,
    start: Start,
    symbols: &Symbols,
    tables: &[Option<Arc<Table>>],
) -> RulePlan {
    let plan = RulePlan { lasts: true, slots, ..RulePlan::default() };
    let mut planner = Planner {
        body: OpenBody::new(head, body, tables),
        symbols,
        definitions: definitions(body),
        in_atoms: in_atoms(body),
        plan,
    };
    planner.start(start, head);
    let mut first = planner.after(Vec::new(), planner.body.bound);
    for next in planner.body.order() {
        while planner.body.is_open(next) {
            let step = planner.next(next);
            planner.plan.steps.push(step);
        }
    }
    let mut plan = planner.plan;
    // What is worked out at the start comes before the first look, if there is any.
    let computes = first.checks.iter().any(|check| matches!(check, Check::Compute(_)));
    if start == Start::Nothing && !plan.steps.is_empty() && !computes {
        let step = plan.steps.remove(0);
        first.checks.extend(step.checks);
        first.early = step.early;
        plan.source = step.proposers.into_iter().next();
    }
    // An atom that takes part in the next step is asked there: nothing lies between.
    plan.steps.insert(0, first);
    for at in 0..plan.steps.len() {
        let (steps, later) = plan.steps.split_at_mut(at + 1);
        let in_next =
            |literal| later.first().is_some_and(|next| next.proposers.iter().any(|it| it.literal == literal));
        let step = &mut steps[at];
        let early = std::mem::take(&mut step.early).into_iter().filter(|(at, _)| !in_next(*at));
        step.checks.extend(early.map(|(_, look)| Check::Rows { wanted: true, look }));
        for proposer in step.proposers.iter_mut().filter(|it| in_next(it.literal)) {
            proposer.check = None;
        }
    }
    plan.checks = plan.steps.remove(0).checks;
    plan
}

/// A plan in the making.
struct Planner<'a> {
    body: OpenBody<'a>,
    symbols: &'a Symbols,
    /// The comparisons that define a variable, and the variables that atoms bind.
    definitions: Vec<(usize, Variable)>,
    in_atoms: u64,
    plan: RulePlan,
}

impl Planner<'_> {
    fn start(&mut self, start: Start, head: Option<&Atom>) {
        let atom = match start {
            Start::Nothing => return,
            Start::Head => head,
            Start::Literal(at) => match &self.body.literals[at] {
                Literal::Positive(atom) => {
                    self.body.done |= 1 << at;
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
                Term::Variable(variable) if self.body.bound & bit(*variable) != 0 => Take::Same(variable.0),
                Term::Variable(variable) => {
                    self.body.bound |= bit(*variable);
                    Take::Bind(variable.0)
                }
                Term::Text(_) | Term::Number(_) => match self.constant(term) {
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

    /// Whether an atom never has fewer values for a variable than another one has rows:
    /// nothing that is bound restricts it, and it has as many.
    fn loses(&self, at: usize, other: usize) -> bool {
        let rows = |at: usize| self.body.fan_out(at, 0, 0).0;
        self.body.variables(at) & self.body.bound == 0 && rows(at) >= rows(other)
    }

    /// The symbol of a constant, if it occurs anywhere.
    fn constant(&self, term: &Term) -> Option<Sym> {
        term.constant().and_then(|value| self.symbols.find(value))
    }

    /// The next step of those that bind the atom `at`.
    fn next(&mut self, at: usize) -> Step {
        let wanted = self.body.wanted(at);
        let rivals: Vec<usize> = self.body.having(wanted).filter(|it| *it != at).collect();
        let is_one = |bits: u32| bits.count_ones() == 1;
        let never_wins = |it: &usize| {
            is_one(self.body.variables(*it) & wanted)
                && self.body.twice(*it) & wanted == 0
                && self.loses(*it, at)
        };
        if rivals.iter().all(never_wins) {
            return self.step(&[at], wanted);
        }
        // Of the variables that other atoms have too, the one with the fewest values.
        let values = |variable: u32| {
            let values = self.body.having(variable).map(|it| {
                let (rows, each) = self.body.fan_out(it, self.body.bound, variable);
                rows / each
            });
            values.fold(f64::INFINITY, f64::min)
        };
        let is_shared = |it: &u32| *it != 0 && self.body.having(*it).count() > 1;
        let shared = (0..u32::BITS).map(|at| wanted & 1 << at).filter(is_shared);
        let variable = shared.min_by(|a, b| values(*a).total_cmp(&values(*b))).unwrap_or(wanted);
        // Each atom with the variable, but for those that never propose the fewest values.
        let once =
            |it: &usize| self.body.variables(*it) & variable != 0 && self.body.twice(*it) & variable == 0;
        let mut leapers: Vec<usize> = Vec::new();
        for other in std::iter::once(at).chain(rivals).filter(once) {
            if !leapers.iter().any(|it| self.loses(other, *it)) {
                leapers.retain(|it| !self.loses(*it, other));
                leapers.push(other);
            }
        }
        let one = match leapers[..] {
            [] => at,
            [one] => one,
            _ => return self.step(&leapers, variable),
        };
        // What no other atom has comes with it.
        let others =
            self.body.open().filter(|it| *it != one).fold(0, |all, it| all | self.body.variables(it));
        self.step(&[one], variable | self.body.wanted(one) & !others)
    }

    /// A step in which these atoms propose values for variables.
    fn step(&mut self, leapers: &[usize], variables: u32) -> Step {
        let proposers: Vec<Proposer> =
            leapers.iter().filter_map(|at| self.proposer(*at, variables, leapers.len() > 1)).collect();
        self.plan.never |= proposers.len() < leapers.len();
        self.body.bound |= variables;
        for at in leapers {
            if self.body.wanted(*at) == 0 {
                self.body.done |= 1 << at;
            }
        }
        self.after(proposers, variables)
    }

    fn proposer(&self, at: usize, variables: u32, strict: bool) -> Option<Proposer> {
        let strict = strict || self.body.wanted(at) != variables;
        let look = self.look(at, variables, strict)?;
        let (_, terms) = self.body.table(at)?;
        let mut take: Vec<(usize, usize)> = Vec::new();
        let mut same = Vec::new();
        let mut distinct = look.prefix.len();
        for (place, column) in look.order.iter().enumerate().skip(distinct) {
            if let Term::Variable(variable) = terms[*column]
                && variables & bit(variable) != 0
            {
                distinct = place + 1;
                match take.iter().find(|(_, slot)| *slot == variable.0) {
                    Some((first, _)) => same.push((*first, place)),
                    None => take.push((place, variable.0)),
                }
            }
        }
        let slots = take.iter().map(|(_, slot)| Known::Slot(*slot));
        let check = Probe { prefix: look.prefix.iter().copied().chain(slots).collect(), ..look.clone() };
        Some(Proposer { look, take, same, distinct, check: Some(check), literal: at })
    }

    /// The step of these proposers, with everything that can be tested behind it.
    fn after(&mut self, proposers: Vec<Proposer>, new: u32) -> Step {
        let mut checks = Vec::new();
        self.tests(&mut checks);
        while let Some(compute) = self.compute() {
            checks.push(Check::Compute(compute));
            self.tests(&mut checks);
        }
        let takes_part = |at: &usize| proposers.iter().all(|it| it.literal != *at);
        let early = self.body.having(new).filter(takes_part);
        let early = early.filter_map(|at| Some((at, self.look(at, 0, false)?))).collect();
        Step { proposers, checks, early }
    }

    /// The next value that can be worked out.
    fn compute(&mut self) -> Option<Compute> {
        let is_known = |variable: Variable| self.body.bound & bit(variable) != 0;
        let open = (0..self.body.literals.len()).filter(|at| self.body.is_open(*at));
        let (at, variable, compute, span) = open.into_iter().find_map(|at| {
            let Literal::Comparison(comparison) = &self.body.literals[at] else { return None };
            let (variable, value) = defined(comparison, is_known)?;
            let in_atom = self.in_atoms & 1 << variable.0 != 0;
            let defines = in_atom || self.definitions.contains(&(at, variable));
            defines.then(|| (at, variable, Compute::new(variable, value, !in_atom), comparison.span))
        })?;
        self.body.done |= 1 << at;
        self.body.bound |= bit(variable);
        if compute.is_new {
            self.plan.computed.push((variable.0, span));
        }
        Some(compute)
    }

    /// Everything that can be tested.
    fn tests(&mut self, checks: &mut Vec<Check>) {
        for (at, literal) in self.body.literals.iter().enumerate() {
            let is_known = match literal {
                Literal::Positive(_) => self.body.wanted(at) == 0,
                _ => self.body.variables(at) & !self.body.bound == 0,
            };
            if !is_known || !self.body.is_open(at) {
                continue;
            }
            self.body.done |= 1 << at;
            if let Literal::Comparison(comparison) = literal {
                checks.push(Check::Compare(compare(comparison)));
                continue;
            }
            let (wanted, look) = (matches!(literal, Literal::Positive(_)), self.look(at, 0, false));
            // A constant is nowhere, or the relation was not evaluated.
            self.plan.never |= wanted && look.is_none();
            self.plan.lasts &= look.is_some();
            checks.extend(look.map(|look| Check::Rows { wanted, look }));
        }
    }

    /// A look at an index with all columns first that are known, and behind them those of
    /// `new`, if that saves work or it must be so. None if there is nothing to look at: a
    /// constant is nowhere, or the relation was not evaluated.
    fn look(&self, at: usize, new: u32, strict: bool) -> Option<Probe> {
        let (table, terms) = self.body.table(at)?;
        let known = columns(terms, self.body.bound) | constants(terms);
        let both = known | columns(terms, new);
        let first = |order: &[usize], wanted: usize| {
            order[..wanted.count_ones() as usize].iter().all(|column| wanted & 1 << column != 0)
        };
        let fits = |order: &[usize], wanted: usize| first(order, known) && first(order, wanted);
        let saves = || table.order(|order| fits(order, both)).is_some() || table.fan_out(both) > 2.0;
        let all = (1 << terms.len()) - 1;
        let wanted = if both != known && both != all && (strict || saves()) { both } else { known };
        let order = table.order(|order| fits(order, wanted)).map_or_else(
            || {
                let of = |mask: usize| (0..terms.len()).filter(move |at| mask & 1 << at != 0);
                of(known).chain(of(wanted & !known)).chain(of(all & !wanted)).collect()
            },
            <[usize]>::to_vec,
        );
        let value = |at: &usize| match &terms[*at] {
            Term::Variable(variable) => Some(Known::Slot(variable.0)),
            term => self.constant(term).map(Known::Constant),
        };
        let prefix = order[..known.count_ones() as usize].iter().map(value).collect::<Option<_>>()?;
        let (Literal::Positive(atom) | Literal::Negative(atom)) = &self.body.literals[at] else {
            return None;
        };
        Some(Probe { relation: atom.relation, order, prefix })
    }
}
