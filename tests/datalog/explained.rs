//! Explanations of random rows of random programs, against the naive evaluator.
//!
//! Of a row that holds: every step is an instance of its rule whose parts hold, no row rests
//! on itself, and the leaves are facts. Of one that does not hold: what is named fails, and
//! when the facts that are named as missing are added, and those that stand in the way are
//! taken away, it holds. `DSRULES_TIMES` asks for as many times more rows of each.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use dsrules::datalog::explain::{Goal, Part, Tried, proof, tree};
use dsrules::datalog::{Evaluation, Program, Source, Sym, Symbols};

use super::mend::{End, Mender, is_number};
use super::naive::{self, Binding, Data, Row, Val, bindings, folded, holds, value};
use super::random::{Choices, Comparison, Expression, Literal, Rule, Rules, Term};
use super::shapes::Shapes;
use super::{all_rows, cases, evaluated, facts, sym};

/// A program with facts, and what follows.
pub struct Case {
    pub rules: Rules,
    text: String,
    program: Program,
    symbols: RefCell<Symbols>,
    evaluation: Evaluation,
    pub data: Data,
    /// Values that are there, or nearly: of texts and of numbers.
    pub domain: [Vec<Val>; 2],
    pub shapes: Rc<Shapes>,
}

impl Drop for Case {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.text);
        }
    }
}

impl Case {
    pub fn new(rules: &Rules, shapes: &Rc<Shapes>, input: &Data) -> Option<Self> {
        let text = rules.text();
        // A user's own, so that what is absent is told too.
        let program =
            Program::load(&[Source { file: "random.dl", text: &text, builtin: false, folder: "" }]).program;
        let program = program.unwrap();
        let mut symbols = Symbols::new();
        let given = facts(&program, &mut symbols, all_rows(input));
        let evaluation = evaluated(&program, &mut symbols, given)?;
        let data = naive::evaluate(rules, input)?;
        let (symbols, domain) = (RefCell::new(symbols), domain(&data));
        Some(Case {
            rules: rules.clone(),
            text,
            program,
            symbols,
            evaluation,
            data,
            domain,
            shapes: shapes.clone(),
        })
    }

    pub fn explain(&self, relation: &str, row: &Row) -> Goal {
        let id = self.program.relation(relation).unwrap();
        let mut symbols = self.symbols.borrow_mut();
        let row: Vec<Sym> = row.iter().map(|value| sym(&mut symbols, value)).collect();
        tree(&self.program, &symbols, &self.evaluation, id, &row)
    }

    /// By one way in which it holds, and what that rests on once.
    pub fn proof(&self, relation: &str, row: &Row) -> Goal {
        let id = self.program.relation(relation).unwrap();
        let mut symbols = self.symbols.borrow_mut();
        let row: Vec<Sym> = row.iter().map(|value| sym(&mut symbols, value)).collect();
        proof(&self.program, &symbols, &self.evaluation, id, &row)
    }

    pub fn has(&self, relation: &str, row: &Row) -> bool {
        self.data.get(relation).is_some_and(|rows| rows.contains(row))
    }

    /// The rule of a way, by its line: the rules are the last ones.
    pub fn rule(&self, tried: &Tried) -> &Rule {
        &self.rules.rules[tried.rule.line as usize - 1 - (self.text.lines().count() - self.rules.rules.len())]
    }

    /// Whether a way is an instance of its rule, with this row as its head.
    fn derives(&self, tried: &Tried, row: &Row) -> bool {
        let rule = self.rule(tried);
        let mut found = false;
        for body in bodies(rule) {
            bindings(&body, 0, bound(tried), &self.data, &mut |binding| {
                let head: Row = rule.head.terms.iter().filter_map(|term| value(term, binding)).collect();
                found |= head == *row;
            });
        }
        found
    }
}

/// What a rule with `;` stands for.
pub fn bodies(rule: &Rule) -> Vec<Vec<Literal>> {
    match rule.ways.as_slice() {
        [] => vec![rule.body.clone()],
        ways => ways.iter().map(|way| [rule.body.clone(), way.clone()].concat()).collect(),
    }
}

/// A value of a column or a variable, of which is known whether it is a number.
fn read(text: &str, is_number: bool) -> Val {
    if is_number { Val::Number(text.parse().unwrap()) } else { Val::Text(text.to_owned()) }
}

pub fn bound(tried: &Tried) -> Binding {
    let named = tried.bound.iter().filter(|(name, _)| name.chars().all(char::is_alphanumeric));
    named.map(|(name, text)| (name.to_string(), read(text, is_number(name)))).collect()
}

/// The values of a goal; none where any would do.
pub fn cells(goal: &Goal) -> Vec<Option<Val>> {
    let typed = goal.values.iter().zip(&goal.types);
    typed.map(|(text, ty)| Some(read(text.as_deref()?, &**ty == "number"))).collect()
}

pub fn row_of(goal: &Goal) -> Row {
    cells(goal).into_iter().collect::<Option<Row>>().unwrap_or_else(|| panic!("{} is open", goal.fact))
}

/// Which columns must have one value, as `X` stands in both.
fn equal(goal: &Goal) -> Vec<(usize, usize)> {
    let inner = goal.fact.split_once('(').unwrap().1.strip_suffix(')').unwrap();
    let cells: Vec<&str> = inner.split(", ").collect();
    let pairs = (0..cells.len()).flat_map(|at| (0..at).map(move |other| (at, other)));
    pairs.filter(|(at, other)| cells[*at] != "_" && cells[*at] == cells[*other]).collect()
}

/// What one explanation was found to say.
#[derive(Debug, Default)]
pub struct Seen {
    told: BTreeSet<(String, Row)>,
    /// The rows that are being explained, from the outside in.
    open: Vec<(String, Row)>,
    pub steps: usize,
    pub cut: usize,
}

impl Seen {
    /// Checks why a row is there.
    pub fn there(&mut self, case: &Case, goal: &Goal) {
        let row = row_of(goal);
        assert!(goal.holds && case.has(&goal.relation, &row), "{} is not there", goal.fact);
        self.steps += 1;
        if goal.input {
            return assert_eq!(case.rules.level(&goal.relation), 0, "{} is no fact", goal.fact);
        }
        let entry = (goal.relation.clone(), row.clone());
        match goal.note.as_deref() {
            Some("told above") => {
                assert!(self.told.contains(&entry), "{} was not told", goal.fact);
                return assert!(!self.open.contains(&entry), "{} rests on itself", goal.fact);
            }
            Some(_) => {
                self.cut += 1;
                return;
            }
            None => {}
        }
        assert!(!goal.rules.is_empty(), "nothing says why {} is there", goal.fact);
        assert!(!self.open.contains(&entry), "{} rests on itself", goal.fact);
        self.told.insert(entry.clone());
        self.open.push(entry);
        for tried in &goal.rules {
            assert!(case.derives(tried, &row), "{} is not by {}", goal.fact, tried.rule.text);
            assert!(tried.parts.iter().all(Part::holds), "{}: not all holds", goal.fact);
            let atoms = case.rule(tried).body.iter().filter(|it| matches!(it, Literal::Positive(_))).count();
            let rows = tried.parts.iter().filter(|part| matches!(part, Part::Row(_))).count();
            assert_eq!(rows, atoms, "{}: parts of {} are left out", goal.fact, tried.rule.text);
            tried.parts.iter().for_each(|part| self.part(case, part));
        }
        self.open.pop();
    }

    fn part(&mut self, case: &Case, part: &Part) {
        match part {
            Part::Row(goal) | Part::Not(goal) if goal.holds => self.there(case, goal),
            Part::Row(goal) | Part::Not(goal) => self.absent(case, goal),
            Part::Aggregate(total) => {
                let parts = total.first.iter().flat_map(|counted| &counted.parts);
                parts.for_each(|part| self.part(case, part));
            }
            Part::Comparison(_) => {}
        }
    }

    /// Checks why a row is not there.
    pub fn absent(&mut self, case: &Case, goal: &Goal) {
        let (cells, equal) = (cells(goal), equal(goal));
        let fits = |row: &&Row| {
            let mut values = row.iter().zip(&cells);
            values.all(|(value, cell)| cell.as_ref().is_none_or(|it| it == value))
                && equal.iter().all(|(at, other)| row[*at] == row[*other])
        };
        let there = case.data.get(&goal.relation).into_iter().flatten().find(fits);
        assert!(!goal.holds && there.is_none(), "{} is there", goal.fact);
        self.steps += 1;
        for tried in &goal.rules {
            let rule = case.rule(tried);
            let failing: Vec<&Part> = tried.parts.iter().filter(|part| !part.holds()).collect();
            assert!(!failing.is_empty(), "{}: nothing fails of {}", goal.fact, tried.rule.text);
            let known = bound(tried);
            for part in &tried.parts {
                match part {
                    // What holds is not why: it is named alone.
                    Part::Row(goal) if goal.holds => {
                        assert!(case.has(&goal.relation, &row_of(goal)), "{} is not there", goal.fact);
                    }
                    part => self.part(case, part),
                }
                let false_ones = match part {
                    part if part.holds() => continue,
                    Part::Comparison(_) => {
                        bodies(rule).iter().flatten().filter(|it| is_false(it, &known)).count()
                    }
                    Part::Aggregate(_) => {
                        let is_other = |it: &&Literal| is_otherwise(it, &known, &case.data);
                        bodies(rule).iter().flatten().filter(is_other).count()
                    }
                    _ => 1,
                };
                assert!(false_ones > 0, "{}: {part:?} of {} holds", goal.fact, tried.rule.text);
            }
        }
    }
}

pub fn is_known(expression: &Expression, known: &Binding) -> bool {
    match expression {
        Expression::Term(Term::Variable(name)) => known.contains_key(name),
        Expression::Term(_) | Expression::Pattern(_) => true,
        Expression::Negate(inner) | Expression::Call(_, inner, _) => is_known(inner, known),
        Expression::Binary(left, _, right) => is_known(left, known) && is_known(right, known),
    }
}

/// Whether a comparison is false, or gives no value.
pub fn is_false(literal: &Literal, known: &Binding) -> bool {
    let Literal::Comparison(comparison) = literal else { return false };
    let Comparison { left, operator, right } = comparison;
    if !right.iter().all(|right| is_known(right, known)) {
        // `to_number(X) = N` may give N its value.
        let is_open = matches!(right.as_slice(), [Expression::Term(Term::Variable(_))]) && *operator == "=";
        return is_open && is_known(left, known) && naive::worth(left, known).is_none();
    }
    match left {
        left if is_known(left, known) => !holds(comparison, known),
        Expression::Term(Term::Variable(_)) if *operator == "=" => naive::worth(&right[0], known).is_none(),
        _ => false,
    }
}

/// Whether an aggregate has another value than the rule needs, or none; or `first` is not so.
fn is_otherwise(literal: &Literal, known: &Binding, data: &Data) -> bool {
    match literal {
        Literal::Aggregate(aggregate) => match folded(aggregate, known, data) {
            Some(found) => known.get(&aggregate.result).is_some_and(|wanted| *wanted != found),
            None => true,
        },
        Literal::First(first) => {
            if let Term::Variable(name) = &first.most
                && !known.contains_key(name)
            {
                return true;
            }
            let mut holds = false;
            bindings(std::slice::from_ref(literal), 0, known.clone(), data, &mut |_| holds = true);
            !holds
        }
        _ => false,
    }
}

/// The values of the rows, with those that rules and random rows have, and a new one.
fn domain(data: &Data) -> [Vec<Val>; 2] {
    let texts = ["a", "B/a", "-7", "say \"d\"\\", "1.10", "v1.9/a", "new", ""];
    let texts = texts.map(|text| Val::Text(text.to_owned()));
    let far = i64::from(i16::MAX);
    let numbers = [0, 1, 2, -1, i64::MAX, 3, 4, 5, 6, 8, -far, 1 - far, 2 - far, -1 - far, i64::MAX - far];
    let numbers = numbers.map(Val::Number);
    let values: BTreeSet<&Val> = data.values().flatten().flatten().collect();
    let all = values.into_iter().cloned().chain(texts).chain(numbers).collect::<BTreeSet<Val>>();
    let (texts, numbers) = all.into_iter().partition(|value| matches!(value, Val::Text(_)));
    [texts, numbers]
}

/// How it went with rows that do not hold.
#[derive(Debug, Default)]
struct Flips {
    /// What was named was done, and the row holds.
    flipped: usize,
    /// As it was named in the first explanation, without another one.
    at_once: usize,
    /// No values make the comparisons of a rule hold, whatever the facts are.
    never: usize,
    /// It was not found how.
    open: usize,
    rounds: usize,
}

/// Does what is named, again and again, until the row holds.
fn flip(
    case: &Case,
    input: &Data,
    relation: &str,
    row: &Row,
    choices: &mut Choices,
    flips: &mut Flips,
) -> End {
    let mut ends = BTreeSet::new();
    for _ in 0..TURNS {
        let mut next: Option<Case> = None;
        let mut input = input.clone();
        for round in 0..ROUNDS {
            let case = next.as_ref().unwrap_or(case);
            if case.has(relation, row) {
                flips.flipped += 1;
                flips.at_once += usize::from(round == 1);
                return End::Done;
            }
            flips.rounds += 1;
            let goal = case.explain(relation, row);
            let mut mender = Mender::new(case, input.clone(), choices);
            let end = mender.want(&goal, row);
            if end != End::Done || mender.input == input {
                ends.insert(if round > 0 { End::Unknown } else { end });
                break;
            }
            input = mender.input;
            next = Case::new(&case.rules, &case.shapes, &input);
            // A sum is too large, or two rows may not both be there.
            if next.is_none() {
                ends.insert(End::Unknown);
                break;
            }
        }
        if ends.contains(&End::Never) {
            break;
        }
    }
    if ends.contains(&End::Never) {
        flips.never += 1;
        return End::Never;
    }
    flips.open += 1;
    End::Unknown
}

/// So often it is begun anew, with other values.
const TURNS: usize = 4;
/// So many explanations are asked for until a row holds.
const ROUNDS: usize = 12;

/// The facts that a row rests on, and those that must not be there.
#[derive(Default)]
struct Leaves {
    there: BTreeSet<(String, Row)>,
    absent: BTreeSet<(String, Row)>,
}

impl Leaves {
    fn of(&mut self, case: &Case, goal: &Goal, choices: &mut Choices) {
        if goal.input && goal.holds {
            self.there.insert((goal.relation.clone(), row_of(goal)));
        }
        let parts = goal.rules.iter().flat_map(|tried| &tried.parts);
        parts.for_each(|part| self.of_part(case, part, choices));
    }

    fn of_part(&mut self, case: &Case, part: &Part, choices: &mut Choices) {
        match part {
            Part::Row(goal) => self.of(case, goal, choices),
            Part::Not(goal) if goal.input => {
                let cells = cells(goal).into_iter().zip(&goal.types);
                let mut any = |ty: &str| choices.one(&case.domain[usize::from(ty == "number")]).cloned();
                let row: Option<Row> = cells.map(|(cell, ty)| cell.or_else(|| any(ty))).collect();
                self.absent.insert((goal.relation.clone(), row.unwrap()));
            }
            Part::Aggregate(total) => {
                let parts = total.first.iter().flat_map(|way| &way.parts);
                parts.for_each(|part| self.of_part(case, part, choices));
            }
            _ => {}
        }
    }

    /// Facts without which the row may not hold.
    fn spoilt(&self, input: &Data, choices: &mut Choices) -> Data {
        let mut input = input.clone();
        let (there, absent): (Vec<_>, Vec<_>) = (self.there.iter().collect(), self.absent.iter().collect());
        for _ in 0..1 + choices.pick(3) {
            match (choices.pick(3), choices.one(&there), choices.one(&absent)) {
                (1.., Some((relation, row)), _) | (_, Some((relation, row)), None) => {
                    input.get_mut(relation).unwrap().remove(row);
                }
                (_, _, Some((relation, row))) => _ = input.get_mut(relation).unwrap().insert(row.clone()),
                _ => {}
            }
        }
        input
    }
}

/// Checks why a row is not there, and that it is there when that is mended.
fn check_absent(
    case: &Case,
    input: &Data,
    relation: &str,
    row: &Row,
    choices: &mut Choices,
    flips: &mut Flips,
) {
    Seen::default().absent(case, &case.explain(relation, row));
    flip(case, input, relation, row, choices, flips);
}

#[test]
fn explanations_are_proofs_and_name_causes() {
    let wanted = cases(100) as usize;
    let (mut there, mut steps, mut cut) = (0, 0, 0);
    // Rows that were there until facts were changed, rows that are there with other facts, and
    // any rows.
    let (mut lost, mut other, mut random) = (Flips::default(), Flips::default(), 0);
    let count = |flips: &Flips| flips.flipped + flips.never + flips.open;
    for seed in 0_u64.. {
        if there >= wanted && count(&lost) + count(&other) >= wanted {
            break;
        }
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x2545_F491_4F6C_DD1D;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            u16::try_from(state >> 48).unwrap()
        };
        let mut choices = Choices::new((0..400).map(|_| next()).collect());
        let rules = Rules::random(&mut choices);
        let shapes = Rc::new(Shapes::new(&rules));
        let input = rules.random_input(&mut choices, 6);
        let Some(case) = Case::new(&rules, &shapes, &input) else { continue };
        // With other facts other rows are there.
        let there_then = Case::new(&rules, &shapes, &rules.random_input(&mut choices, 6));
        let derived = rules.relations.iter().filter(|relation| rules.level(&relation.name) > 0);
        for relation in derived {
            let name = &relation.name;
            let rows: Vec<Row> = case.data.get(name).into_iter().flatten().take(2).cloned().collect();
            for row in rows {
                let goal = case.proof(name, &row);
                let mut seen = Seen::default();
                seen.there(&case, &goal);
                there += 1;
                steps += seen.steps;
                cut += seen.cut;
                let mut leaves = Leaves::default();
                leaves.of(&case, &goal, &mut choices);
                for _ in 0..3 {
                    let less = leaves.spoilt(&input, &mut choices);
                    let less_case = Case::new(&rules, &shapes, &less);
                    if let Some(case) = less_case.filter(|case| !case.has(name, &row)) {
                        check_absent(&case, &less, name, &row, &mut choices, &mut lost);
                        break;
                    }
                }
            }
            let held = there_then.as_ref().and_then(|case| case.data.get(name));
            let rows = held.into_iter().flatten().filter(|row| !case.has(name, row)).take(2);
            for row in rows {
                check_absent(&case, &input, name, row, &mut choices, &mut other);
            }
            let row = rules.random_values(&mut choices, name);
            if !case.has(name, &row) {
                Seen::default().absent(&case, &case.explain(name, &row));
                random += 1;
            }
        }
    }
    println!(
        "{there} rows hold, in {steps} steps, {cut} cut\nlost: {lost:?}\nother: {other:?}\n{random} random rows"
    );
    assert!(steps > there && cut * 100 < steps, "{steps} steps, {cut} cut");
    // There are facts with which each of them holds, and they are found by what is named.
    for flips in [lost, other] {
        assert!((flips.never + flips.open) * 50 <= count(&flips), "{flips:?}");
    }
}
