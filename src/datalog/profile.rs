//! What each rule costs: how often it runs, what it looks at, what it finds, how long it takes;
//! and, of the dearest, in what order it is joined and how many bindings each part makes.
//!
//! Runs are counted and timed as they happen, rule by rule, where a clock is handed in; else
//! nothing is. What a part of a rule makes is counted afterwards, by joining the first parts
//! alone: so a join that nobody asks about counts nothing.

use std::time::{Duration, Instant};

use super::budget::{Budget, Limits};
use super::evaluation::Evaluation;
use super::facts::Facts;
use super::plan::{Check, Known, Proposer, RulePlan, Start};
use super::planner::plan;
use super::program::{Literal, Program, RelationId, Rule};
use super::recorder::{Recorder, Runs};
use super::run::run;
use super::source::Span;
use super::symbols::Symbols;
use super::view::Context;
use crate::diagnostic::Diagnostic;

/// So many rows at the most are looked at again to count what the parts of one rule make.
const AGAIN: u64 = 200_000_000;

/// What a rule cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleCost {
    /// The relation that it derives; of an aggregate its text.
    pub relation: String,
    /// The rule as it was written.
    pub text: String,
    /// The text it is from.
    pub file: String,
    /// The line it starts on.
    pub line: u32,
    /// Whether it is a part of the tool.
    pub builtin: bool,
    /// Which of its ways it is, and how many it has.
    pub way: (usize, usize),
    /// How often it was run: a recursive one in each round.
    pub runs: u64,
    /// How many rows it looked at.
    pub looks: u64,
    /// How many rows it found, some of them more than once.
    pub found: u64,
    /// How many rows its relation has in the end.
    pub rows: usize,
    /// How long it took, with the indexes that it had to have made.
    pub time: Duration,
    /// Its join, of the dearest rules.
    pub steps: Vec<StepCost>,
    /// What would make it cheaper.
    pub help: Vec<String>,
}

/// What a step of a join made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepCost {
    /// The atoms that give the values.
    pub parts: Vec<String>,
    /// What the values must pass then.
    pub tests: Vec<String>,
    /// How many bindings it made.
    pub made: u64,
    /// How many passed.
    pub stay: u64,
    /// Whether nothing that is known by then restricts it.
    pub is_free: bool,
}

impl Evaluation {
    /// Evaluates as [`Evaluation::new`] does, and says what each rule that ran cost, the dearest
    /// first; of the first `top` also how they are joined. Where a limit ends it, what they
    /// cost until then.
    pub fn profile(
        program: &Program,
        symbols: &mut Symbols,
        facts: Facts,
        wanted: &[RelationId],
        limits: &Limits,
        clock: fn() -> Instant,
        top: usize,
    ) -> (Result<Evaluation, Diagnostic>, Vec<RuleCost>) {
        let rules = &program.body.rules;
        let mut budget = Budget::new(limits, rules.len());
        budget.recorder = Some(Recorder::new(clock, rules.len()));
        let done = Evaluation::within(program, symbols, facts, wanted, &budget);
        let Some(recorder) = &budget.recorder else { return (done, Vec::new()) };
        let mut costs: Vec<(usize, RuleCost)> = Vec::new();
        for ways in rules.chunk_by(|one, other| one.span == other.span) {
            for (nth, rule) in ways.iter().enumerate() {
                let at = costs_place(rules, rule);
                let runs = recorder.of(at);
                if runs.runs > 0 {
                    let rows = done.as_ref().map_or(0, |done| done.len(rule.head.relation));
                    costs.push((at, cost(program, rule, (nth + 1, ways.len()), runs, rows)));
                }
            }
        }
        costs.sort_by(|(_, a), (_, b)| {
            (b.time, b.looks, &a.file, a.line).cmp(&(a.time, a.looks, &b.file, b.line))
        });
        if let Ok(done) = &done {
            for (at, cost) in costs.iter_mut().take(top) {
                cost.steps = done.steps(&rules[*at], symbols);
                cost.help = help(cost, done.is_recursive(&rules[*at]));
            }
        }
        (done, costs.into_iter().map(|(_, cost)| cost).collect())
    }

    fn is_recursive(&self, rule: &Rule) -> bool {
        let mut strata = self.program.body.strata.iter();
        strata.any(|stratum| stratum.recursive && stratum.has(rule.head.relation))
    }

    /// The join of a rule, each step with what it makes of the rows as they are now.
    fn steps(&self, rule: &Rule, symbols: &Symbols) -> Vec<StepCost> {
        if rule.fold.is_some() {
            return Vec::new();
        }
        let plan =
            plan(Some(&rule.head), &rule.body, rule.variables.len(), Start::Nothing, symbols, &self.tables);
        let limits = Limits { rows_per_rule: AGAIN, watch: None, ..self.limits };
        let meter = Budget::new(&limits, 1).meter(0);
        let context = Context { tables: &self.tables, symbols, before: None, meter: &meter };
        let count = |plan: &RulePlan| {
            let mut count = 0;
            run(&context, plan, None, &mut |_| count += 1);
            count
        };
        let mut described = Described { evaluation: self, rule, bound: 0, told: 0 };
        let prefix = |steps: usize, tested: bool| {
            let mut first =
                RulePlan { computed: Vec::new(), steps: plan.steps[..steps].to_vec(), ..plan.clone() };
            if !tested {
                let checks = first.steps.last_mut().map_or(&mut first.checks, |step| &mut step.checks);
                // What is worked out is known from here on.
                checks.retain(|check| matches!(check, Check::Compute(_)));
            }
            first
        };
        let sources = plan.source.iter().map(|source| (0, std::slice::from_ref(source)));
        let later = plan.steps.iter().enumerate().map(|(at, step)| (at + 1, step.proposers.as_slice()));
        let mut steps = Vec::new();
        for (at, proposers) in sources.chain(later) {
            let (parts, tests) = described.step(proposers);
            let made = count(&prefix(at, false));
            let stay = if tests.is_empty() { made } else { count(&prefix(at, true)) };
            if meter.is_stopped() {
                break;
            }
            let is_free = at > 0 && proposers.iter().all(|it| !it.look.prefix.iter().any(is_slot));
            steps.push(StepCost { parts, tests, made, stay, is_free: is_free && !steps.is_empty() });
        }
        steps
    }
}

fn is_slot(known: &Known) -> bool {
    matches!(known, Known::Slot(_))
}

/// The place of a rule among all of them.
fn costs_place(rules: &[Rule], rule: &Rule) -> usize {
    rules.iter().position(|it| std::ptr::eq(it, rule)).unwrap_or(rules.len())
}

fn cost(program: &Program, rule: &Rule, way: (usize, usize), runs: Runs, rows: usize) -> RuleCost {
    let Runs { runs, looks, found, time } = runs;
    RuleCost {
        relation: program.declaration(rule.head.relation).name.to_string(),
        text: rule.text.to_string(),
        file: rule.file.to_string(),
        line: rule.line,
        builtin: rule.builtin,
        way,
        runs,
        looks,
        found,
        rows,
        time,
        ..RuleCost::default()
    }
}

/// The parts of a rule as they come in its plan.
struct Described<'a> {
    evaluation: &'a Evaluation,
    rule: &'a Rule,
    /// Variables that have a value, and parts that were told, as bits.
    bound: u64,
    told: u64,
}

impl Described<'_> {
    /// The atoms of a step, and what can be tested behind it.
    fn step(&mut self, proposers: &[Proposer]) -> (Vec<String>, Vec<String>) {
        let mut parts = Vec::new();
        for proposer in proposers {
            self.told |= 1 << proposer.literal;
            self.bound |= proposer.take.iter().fold(0, |all, (_, slot)| all | 1 << slot);
            parts.extend(self.rule.body.get(proposer.literal).map(|literal| self.text(literal)));
        }
        let mut tests = Vec::new();
        for (at, literal) in self.rule.body.iter().enumerate() {
            let mut variables: Box<dyn Iterator<Item = _>> = match literal {
                Literal::Positive(atom) | Literal::Negative(atom) => Box::new(atom.variables()),
                Literal::Comparison(comparison) => Box::new(comparison.variables()),
            };
            if self.told & 1 << at == 0 && variables.all(|it| self.bound & 1 << it.0 != 0) {
                self.told |= 1 << at;
                tests.push(self.text(literal));
            }
        }
        (parts, tests)
    }

    fn text(&self, literal: &Literal) -> String {
        let body = &self.evaluation.program.body;
        let slice = |span: Span| {
            let text = body.texts.get(span.source as usize).map_or("", |text| text.slice(span));
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        match literal {
            Literal::Positive(atom) => slice(atom.span),
            Literal::Negative(atom) => format!("!{}", slice(atom.span).trim_start_matches('!')),
            Literal::Comparison(comparison) => slice(comparison.span),
        }
    }
}

/// Fewer bindings than this are not worth a word.
const FEW: u64 = 10_000;

/// What would make a rule cheaper, as far as its join says so.
fn help(cost: &RuleCost, is_recursive: bool) -> Vec<String> {
    let mut help = Vec::new();
    let free = cost.steps.iter().enumerate().filter(|(_, step)| step.is_free && step.made >= FEW);
    for (at, step) in free {
        let (part, made) = (step.parts.join(" and "), thousands(step.made));
        help.push(format!(
            "part {} (`{part}`) shares no variable with the parts before it, so all pairs are made, {made}: \
             join them by a common variable, or by a relation that says which belong together",
            at + 1
        ));
    }
    let dear =
        cost.steps.iter().enumerate().filter(|(_, step)| step.made >= FEW && step.made / 10 > step.stay);
    if let Some((at, step)) = dear.max_by_key(|(_, step)| step.made) {
        let tests = step.tests.join("`, `");
        help.push(format!(
            "part {} (`{}`) makes {} bindings, of which {} stay: `{tests}` stands behind it and tests each. \
             A relation that has as columns what it compares is joined, not searched",
            at + 1,
            step.parts.join("` and `"),
            thousands(step.made),
            thousands(step.stay),
        ));
    }
    let pairs = cost.steps.windows(2).enumerate();
    let wasted = pairs.filter(|(_, pair)| pair[0].stay >= FEW && pair[0].stay / 100 > pair[1].made);
    if let Some((at, pair)) = wasted.max_by_key(|(_, pair)| pair[0].stay) {
        help.push(format!(
            "of {} bindings of part {} only {} are found in part {} (`{}`): ask for less before it, \
             as by a constant or by a relation of what part {} needs",
            thousands(pair[0].stay),
            at + 1,
            thousands(pair[1].made),
            at + 2,
            pair[1].parts.join("` and `"),
            at + 2,
        ));
    }
    let each = cost.found / (cost.rows as u64).max(1);
    if cost.found >= FEW && each >= 10 && cost.rows > 0 {
        help.push(format!(
            "each row is found {} times: what is in no column of the head is gone through for each of them; \
             give it a relation of its own, or write `_` where any value will do",
            thousands(each)
        ));
    }
    if is_recursive && cost.runs > 1_000 {
        help.push(format!(
            "it runs in {} rounds: each takes one step; join longer ones",
            thousands(cost.runs)
        ));
    }
    help
}

/// A number with its thousands parted.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::Source;
    use super::*;

    /// A clock that stands still: what is counted is compared, what takes time is not.
    fn costs(rules: &str, rows: i64) -> Vec<RuleCost> {
        let text = format!(
            ".type N\n.decl n(a: N, b: number) input\n.decl r(a: N, b: N) output\n.decl far(a: N, b: N) output\n{rules}\n"
        );
        let loaded = Program::load(&[Source { file: "t", text: &text, builtin: false, folder: "" }]);
        let program = loaded.program.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
        let (mut symbols, mut facts) = (Symbols::new(), Facts::new());
        let relation = |name: &str| program.relation(name).unwrap_or_else(|| panic!("{name}"));
        for at in 0..rows {
            facts.insert(relation("n"), &[symbols.text(&format!("n{at}")), symbols.number(at)]);
        }
        let wanted = [relation("r"), relation("far")];
        let limits = Limits::default();
        let clock = Instant::now;
        let (done, mut costs) =
            Evaluation::profile(&program, &mut symbols, facts, &wanted, &limits, clock, 10);
        assert!(done.is_ok());
        costs.sort_by_key(|cost| cost.line);
        costs
    }

    #[test]
    fn a_comparison_behind_all_pairs_is_named() {
        let costs = costs("r(A, B) :- n(A, X), n(B, Y), X = Y + 150.", 200);
        assert_eq!((costs.len(), costs[0].runs, costs[0].found, costs[0].rows), (1, 1, 50, 50));
        let steps: Vec<String> = costs[0]
            .steps
            .iter()
            .map(|it| {
                format!(
                    "{} | {} | {} {} {}",
                    it.parts.join(","),
                    it.tests.join(","),
                    it.made,
                    it.stay,
                    it.is_free
                )
            })
            .collect();
        assert_eq!(steps, ["n(A, X) |  | 200 200 false", "n(B, Y) | X = Y + 150 | 40000 50 true"]);
        assert!(costs[0].looks >= 40_000, "{}", costs[0].looks);
        assert_eq!(costs[0].help.len(), 2, "{:?}", costs[0].help);
        assert!(costs[0].help[1].contains("makes 40,000 bindings, of which 50 stay: `X = Y + 150`"));
    }

    #[test]
    fn a_recursive_rule_runs_once_a_round() {
        let chain = "r(A, B) :- n(A, X), n(B, Y), Y = X + 1.\nfar(A, B) :- r(A, B).\nfar(A, C) :- far(A, B), r(B, C).";
        let costs = costs(chain, 30);
        let runs: Vec<(u64, u64)> = costs.iter().map(|cost| (cost.runs, cost.found)).collect();
        assert_eq!(runs, [(1, 29), (1, 29), (29, 406)]);
    }

    #[test]
    fn thousands_are_parted() {
        assert_eq!([0, 12, 123, 1_234, 1_234_567].map(thousands), ["0", "12", "123", "1,234", "1,234,567"]);
    }
}
