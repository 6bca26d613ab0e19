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
use super::plan::{Check, Known, Look, Plan, Proposer, Start, Step, Take};
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
) -> Plan {
    let mut planner = Planner::new(head, body, symbols, tables);
    planner.plan.slots = slots;
    planner.start(start, head);
    let mut first = planner.after(Vec::new(), planner.bound);
    for next in planner.order() {
        while planner.is_open(next) {
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

/// The atoms of a body in the order in which they should be looked at, when some variables
/// are known.
pub(super) fn order(
    body: &[Literal],
    bound: impl Fn(Variable) -> bool,
    tables: &[Option<Arc<Table>>],
) -> Vec<usize> {
    let symbols = Symbols::new();
    let mut planner = Planner::new(None, body, &symbols, tables);
    let all = planner.variables.iter().fold(0, |all, (variables, _)| all | variables);
    planner.bound = (0..super::MAX_VARIABLES)
        .filter(|at| all & 1 << at != 0 && bound(Variable(*at)))
        .fold(0, |bound, at| bound | 1 << at);
    planner.order()
}

/// What is known while a rule is planned. Sets of variables, literals and columns are bits.
pub(super) struct Planner<'a> {
    body: &'a [Literal],
    symbols: &'a Symbols,
    tables: &'a [Option<Arc<Table>>],
    /// The variables of each literal, and those of an atom that stand there twice.
    variables: Vec<(u32, u32)>,
    /// The comparisons that define a variable, and the variables that atoms bind.
    definitions: Vec<(usize, Variable)>,
    in_atoms: u64,
    /// The variables of the head in order, and all that are asked for in the end.
    pub head: Vec<Variable>,
    asked: u32,
    pub bound: u32,
    /// Literals that are dealt with.
    done: u64,
    plan: Plan,
}

fn bit(variable: Variable) -> u32 {
    1 << variable.0
}

impl<'a> Planner<'a> {
    pub fn new(
        head: Option<&Atom>,
        body: &'a [Literal],
        symbols: &'a Symbols,
        tables: &'a [Option<Arc<Table>>],
    ) -> Self {
        let variables = |literal: &Literal| match literal {
            Literal::Positive(atom) | Literal::Negative(atom) => {
                atom.variables().fold((0, 0), |(all, twice), it| (all | bit(it), twice | all & bit(it)))
            }
            Literal::Comparison(comparison) => (comparison.variables().fold(0, |all, it| all | bit(it)), 0),
        };
        let variables = body.iter().map(variables).collect();
        // A query asks for all of its variables.
        let asked = head.map_or(u32::MAX, |head| head.variables().fold(0, |all, it| all | bit(it)));
        let head = head.into_iter().flat_map(Atom::variables).collect();
        let plan = Plan { lasts: true, ..Plan::default() };
        let (definitions, in_atoms) = (definitions(body), in_atoms(body));
        Planner {
            body,
            symbols,
            tables,
            variables,
            definitions,
            in_atoms,
            head,
            asked,
            bound: 0,
            done: 0,
            plan,
        }
    }

    fn start(&mut self, start: Start, head: Option<&Atom>) {
        let atom = match start {
            Start::Nothing => return,
            Start::Head => head,
            Start::Literal(at) => match &self.body[at] {
                Literal::Positive(atom) => {
                    self.done |= 1 << at;
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
                Term::Variable(variable) if self.bound & bit(*variable) != 0 => Take::Same(variable.0),
                Term::Variable(variable) => {
                    self.bound |= bit(*variable);
                    Take::Bind(variable.0)
                }
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

    fn is_open(&self, at: usize) -> bool {
        self.done & 1 << at == 0
    }

    /// The atoms that are not dealt with.
    pub fn open(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.body.len()).filter(|at| self.is_open(*at) && matches!(self.body[*at], Literal::Positive(_)))
    }

    /// Those of them that have one of these variables.
    fn having(&self, variables: u32) -> impl Iterator<Item = usize> + '_ {
        self.open().filter(move |at| self.variables(*at) & variables != 0)
    }

    /// The table of an atom, and its terms.
    pub fn table(&self, at: usize) -> Option<(&'a Table, &'a [Term])> {
        match &self.body[at] {
            Literal::Positive(atom) | Literal::Negative(atom) => {
                Some((self.tables[atom.relation.index()].as_deref()?, &atom.terms))
            }
            Literal::Comparison(_) => None,
        }
    }

    /// The variables of a literal.
    pub fn variables(&self, at: usize) -> u32 {
        self.variables[at].0
    }

    /// The variables that an atom has still to bind: not those that stand nowhere else, or
    /// only in what is dealt with.
    pub fn wanted(&self, at: usize) -> u32 {
        let (all, twice) = self.variables[at];
        let others = (0..self.body.len()).filter(|other| *other != at && self.is_open(*other));
        let needed = others.fold(self.asked | twice, |needed, other| needed | self.variables(other));
        all & needed & !self.bound
    }

    /// How many rows an atom has where these variables and its constants are known, and
    /// how many of them are different in others too; about.
    pub fn fan_out(&self, at: usize, known: u32, new: u32) -> (f64, f64) {
        let Some((table, terms)) = self.table(at) else { return (0.0, 1.0) };
        let known = columns(terms, known) | constants(terms);
        (table.fan_out(known), table.fan_out(known | columns(terms, new)))
    }

    /// Whether an atom never has fewer values for a variable than another one has rows:
    /// nothing that is bound restricts it, and it has as many.
    fn loses(&self, at: usize, other: usize) -> bool {
        let rows = |at: usize| self.fan_out(at, 0, 0).0;
        self.variables(at) & self.bound == 0 && rows(at) >= rows(other)
    }

    /// The next step of those that bind the atom `at`.
    fn next(&mut self, at: usize) -> Step {
        let wanted = self.wanted(at);
        let rivals: Vec<usize> = self.having(wanted).filter(|it| *it != at).collect();
        let is_one = |bits: u32| bits.count_ones() == 1;
        let never_wins = |it: &usize| {
            let (all, twice) = self.variables[*it];
            is_one(all & wanted) && twice & wanted == 0 && self.loses(*it, at)
        };
        if rivals.iter().all(never_wins) {
            return self.step(&[at], wanted);
        }
        // Of the variables that other atoms have too, the one with the fewest values.
        let values = |variable: u32| {
            let values = self.having(variable).map(|it| {
                let (rows, each) = self.fan_out(it, self.bound, variable);
                rows / each
            });
            values.fold(f64::INFINITY, f64::min)
        };
        let is_shared = |it: &u32| *it != 0 && self.having(*it).count() > 1;
        let shared = (0..u32::BITS).map(|at| wanted & 1 << at).filter(is_shared);
        let variable = shared.min_by(|a, b| values(*a).total_cmp(&values(*b))).unwrap_or(wanted);
        // Each atom with the variable, but for those that never propose the fewest values.
        let once = |it: &usize| {
            let (all, twice) = self.variables[*it];
            all & variable != 0 && twice & variable == 0
        };
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
        let others = self.open().filter(|it| *it != one).fold(0, |all, it| all | self.variables(it));
        self.step(&[one], variable | self.wanted(one) & !others)
    }

    /// A step in which these atoms propose values for variables.
    fn step(&mut self, leapers: &[usize], variables: u32) -> Step {
        let proposers: Vec<Proposer> =
            leapers.iter().filter_map(|at| self.proposer(*at, variables, leapers.len() > 1)).collect();
        self.plan.never |= proposers.len() < leapers.len();
        self.bound |= variables;
        for at in leapers {
            if self.wanted(*at) == 0 {
                self.done |= 1 << at;
            }
        }
        self.after(proposers, variables)
    }

    fn proposer(&self, at: usize, variables: u32, strict: bool) -> Option<Proposer> {
        let strict = strict || self.wanted(at) != variables;
        let look = self.look(at, variables, strict)?;
        let (_, terms) = self.table(at)?;
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
        let check = Look { prefix: look.prefix.iter().copied().chain(slots).collect(), ..look.clone() };
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
        let early = self.having(new).filter(takes_part);
        let early = early.filter_map(|at| Some((at, self.look(at, 0, false)?))).collect();
        Step { proposers, checks, early }
    }

    /// The next value that can be worked out.
    fn compute(&mut self) -> Option<Compute> {
        let is_known = |variable: Variable| self.bound & bit(variable) != 0;
        let open = (0..self.body.len()).filter(|at| self.is_open(*at));
        let (at, variable, compute) = open.into_iter().find_map(|at| {
            let Literal::Comparison(comparison) = &self.body[at] else { return None };
            let (variable, value) = defined(comparison, is_known)?;
            let in_atom = self.in_atoms & 1 << variable.0 != 0;
            let defines = in_atom || self.definitions.contains(&(at, variable));
            defines.then(|| (at, variable, Compute::new(variable, value, !in_atom)))
        })?;
        self.done |= 1 << at;
        self.bound |= bit(variable);
        if compute.is_new {
            self.plan.computed.push(variable.0);
        }
        Some(compute)
    }

    /// Everything that can be tested.
    fn tests(&mut self, checks: &mut Vec<Check>) {
        for (at, literal) in self.body.iter().enumerate() {
            let is_known = match literal {
                Literal::Positive(_) => self.wanted(at) == 0,
                _ => self.variables(at) & !self.bound == 0,
            };
            if !is_known || !self.is_open(at) {
                continue;
            }
            self.done |= 1 << at;
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
    fn look(&self, at: usize, new: u32, strict: bool) -> Option<Look> {
        let (table, terms) = self.table(at)?;
        let known = columns(terms, self.bound) | constants(terms);
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
            term => constant(term, self.symbols).map(Known::Constant),
        };
        let prefix = order[..known.count_ones() as usize].iter().map(value).collect::<Option<_>>()?;
        let (Literal::Positive(atom) | Literal::Negative(atom)) = &self.body[at] else { return None };
        Some(Look { relation: atom.relation, order, prefix })
    }
}

/// The columns that have one of these variables.
pub(super) fn columns(terms: &[Term], variables: u32) -> usize {
    let has = |term: &Term| matches!(term, Term::Variable(it) if variables & bit(*it) != 0);
    terms.iter().enumerate().fold(0, |mask, (at, term)| mask | usize::from(has(term)) << at)
}

pub(super) fn constants(terms: &[Term]) -> usize {
    let is = |term: &Term| matches!(term, Term::Text(_) | Term::Number(_));
    terms.iter().enumerate().fold(0, |mask, (at, term)| mask | usize::from(is(term)) << at)
}

/// The symbol of a constant, if it occurs anywhere.
fn constant(term: &Term, symbols: &Symbols) -> Option<Sym> {
    match term {
        Term::Text(text) => symbols.find_text(text),
        Term::Number(number) => symbols.find_number(*number),
        Term::Variable(_) | Term::Any => None,
    }
}
