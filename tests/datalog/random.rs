//! Random programs that are well typed, safe and stratified, made from a stream of
//! choices: a shorter stream with smaller choices is a simpler program, so proptest's
//! shrinking finds small ones.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::braces::Braces;
use super::naive::{Data, Row, Val};

/// Numbers that decide; once used up, every choice is the first.
pub struct Choices {
    stream: Vec<u16>,
    at: usize,
}

impl Choices {
    pub fn new(stream: Vec<u16>) -> Self {
        Choices { stream, at: 0 }
    }

    /// A number below `below`.
    pub fn pick(&mut self, below: usize) -> usize {
        let choice = if self.stream.is_empty() { 0 } else { self.stream[self.at % self.stream.len()] };
        // A stream is gone through several times, but says something else each time.
        let turn = self.at / self.stream.len().max(1);
        self.at += 1;
        if below == 0 { 0 } else { (usize::from(choice) + turn * 7919) % below }
    }

    pub fn one<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        if of.is_empty() { None } else { Some(&of[self.pick(of.len())]) }
    }
}

#[derive(Debug, Clone)]
pub enum Term {
    Any,
    Variable(String),
    Constant(Val),
}

#[derive(Debug, Clone)]
pub struct Atom {
    pub relation: String,
    pub terms: Vec<Term>,
}

#[derive(Debug, Clone)]
pub enum Expression {
    Term(Term),
    Negate(Box<Expression>),
    /// Two sides and the sign between them.
    Binary(Box<Expression>, &'static str, Box<Expression>),
    /// A function of a text, and for `split` the number of the part.
    Call(&'static str, Box<Expression>, usize),
    /// A regular expression.
    Pattern(&'static str),
}

/// `left operator right`; several on the right are a list.
#[derive(Debug, Clone)]
pub struct Comparison {
    pub left: Expression,
    pub operator: &'static str,
    pub right: Vec<Expression>,
}

#[derive(Debug, Clone)]
pub enum Literal {
    Positive(Atom),
    Negative(Atom),
    Comparison(Comparison),
    Aggregate(Aggregate),
    First(First),
}

/// `first most values by keys : { ways }`
#[derive(Debug, Clone)]
pub struct First {
    pub most: Term,
    pub values: Vec<String>,
    pub keys: Vec<(Expression, bool)>,
    pub ways: Vec<Vec<Literal>>,
}

/// `result = name value : { ways }`
#[derive(Debug, Clone)]
pub struct Aggregate {
    pub result: String,
    pub name: &'static str,
    /// What is added up or compared.
    pub value: Option<Expression>,
    pub ways: Vec<Vec<Literal>>,
    /// Whether the rule asks for the result: if not, it may be beyond all numbers.
    pub used: bool,
}

#[derive(Debug, Clone)]
pub struct Rule {
    pub head: Atom,
    /// What all ways share, and behind it what each of them has of its own: none is one.
    pub body: Vec<Literal>,
    pub ways: Vec<Vec<Literal>>,
}

/// A relation; `numbers` says of each column whether it holds numbers.
#[derive(Debug, Clone)]
pub struct Relation {
    pub name: String,
    pub numbers: Vec<bool>,
    /// 0 is input; negation reaches only lower levels.
    level: usize,
    /// Columns that no two rows may have alike; seldom any.
    pub unique: Vec<usize>,
}

#[derive(Debug, Clone)]
pub struct Rules {
    pub relations: Vec<Relation>,
    pub rules: Vec<Rule>,
}

/// Rows with the names of their relations.
pub type Change = Vec<(String, Row)>;

const OPERATORS: [&str; 6] = ["!=", "<", "=", "<=", ">", ">="];
const TESTS: [&str; 5] = ["starts_with", "ends_with", "contains", "!contains", "!starts_with"];
/// Regular expressions whose meaning the naive evaluator has in words of its own.
pub const PATTERNS: [&str; 5] = ["^B", "a$", "^a$", "[0-9]", "(?i)b"];
const SIGNS: [&str; 5] = ["*", "+", "-", "/", "%"];

impl Rules {
    pub fn random(choices: &mut Choices) -> Self {
        let mut relations = Vec::new();
        let (inputs, derived) = (1 + choices.pick(4), 1 + choices.pick(5));
        for at in 0..inputs + derived {
            // Mostly two columns, sometimes none, seldom many.
            let columns = [2, 1, 2, 3, 2, 4, 1, 5, 0, 6, 2, 8][choices.pick(12)];
            let numbers = (0..columns).map(|_| choices.pick(4) == 3).collect();
            let level = if at < inputs { 0 } else { 1 + (at - inputs) / 2 };
            let name = if at < inputs { format!("in{at}") } else { format!("r{at}") };
            let unique = if columns > 1 && choices.pick(16) == 15 {
                let columns = (0..columns).filter(|_| choices.pick(2) == 1);
                columns.skip(1).collect()
            } else {
                Vec::new()
            };
            relations.push(Relation { name, numbers, level, unique });
        }
        let mut rules = Rules { relations, rules: Vec::new() };
        for head in inputs..rules.relations.len() {
            for _ in 0..1 + choices.pick(3) {
                let rule = rules.rule(choices, &rules.relations[head]);
                rules.rules.push(rule);
            }
        }
        rules
    }

    pub fn levels(&self) -> usize {
        self.relations.iter().map(|relation| relation.level).max().unwrap_or(0)
    }

    pub fn level(&self, name: &str) -> usize {
        self.relations.iter().find(|relation| relation.name == name).map_or(0, |relation| relation.level)
    }

    fn rule(&self, choices: &mut Choices, head: &Relation) -> Rule {
        let below: Vec<&Relation> = self.relations.iter().filter(|other| other.level < head.level).collect();
        let usable: Vec<&Relation> =
            self.relations.iter().filter(|other| other.level <= head.level).collect();
        let mut body = Vec::new();
        // The variables that are bound, of texts and of numbers.
        let mut bound = [BTreeSet::new(), BTreeSet::new()];
        for _ in 0..choices.pick(4) {
            let Some(relation) = choices.one(&usable) else { continue };
            let terms = relation.numbers.iter().map(|number| {
                let number = *number;
                match choices.pick(8) {
                    0..=5 => {
                        let name = format!(
                            "{}{}",
                            if number { "N" } else { "X" },
                            choices.pick(if number { 2 } else { 4 })
                        );
                        bound[usize::from(number)].insert(name.clone());
                        Term::Variable(name)
                    }
                    6 => Term::Any,
                    _ => Term::Constant(constant(choices, number)),
                }
            });
            let terms = terms.collect();
            body.push(Literal::Positive(Atom { relation: relation.name.clone(), terms }));
        }
        let mut bound = bound.map(|names| names.into_iter().collect::<Vec<String>>());
        let given = bound.clone();
        // A relation that counts on from its own rows would never end.
        let ends = body.iter().all(|literal| match literal {
            Literal::Positive(atom) => self.level(&atom.relation) < head.level,
            _ => true,
        });
        for at in 0..[0, 0, 1, 2][choices.pick(4)] {
            let number = choices.pick(4) < 3;
            let name = format!("{}{at}", if number { "D" } else { "E" });
            let left = Expression::Term(Term::Variable(name.clone()));
            let right = vec![calculation(choices, number, &bound, 2)];
            body.push(Literal::Comparison(Comparison { left, operator: "=", right }));
            bound[usize::from(number)].push(name);
        }
        // Values of aggregates that are never beyond all numbers.
        let mut exact = Vec::new();
        for at in 0..[0, 0, 1, 2][choices.pick(4)] {
            let braces = Braces { rules: self, below: &below, given: &given, groups: ends, exact: &exact };
            if choices.pick(3) == 2 {
                let first = braces.first(choices, at);
                for name in first.iter().flat_map(|first| &first.values) {
                    bound[usize::from(name.starts_with('N'))].push(name.clone());
                }
                body.extend(first.map(Literal::First));
                continue;
            }
            let aggregate = braces.aggregate(choices, at);
            bound[1].extend(aggregate.as_ref().map(|it| it.result.clone()));
            exact.extend(aggregate.as_ref().filter(|it| it.name != "sum").map(|it| it.result.clone()));
            body.extend(aggregate.map(Literal::Aggregate));
        }
        let defined = body.len();
        self.tests(choices, &below, &bound, &mut body);
        let mut ways = Vec::new();
        if choices.pick(4) == 3 {
            for _ in 0..2 + choices.pick(2) {
                let mut way = Vec::new();
                self.tests(choices, &below, &bound, &mut way);
                way.push(Literal::Comparison(comparison(choices, &bound)));
                ways.push(way);
            }
        }
        // Any order of the body means the same.
        for at in (defined + 1..body.len()).rev() {
            body.swap(at, defined + choices.pick(at + 1 - defined));
        }
        let bound = if ends { bound } else { given };
        let terms = head.numbers.iter().map(|number| known(choices, *number, &bound)).collect();
        let head = Atom { relation: head.name.clone(), terms };
        let all: Vec<String> =
            body.iter().chain(ways.iter().flatten()).map(shown).chain([atom(&head)]).collect();
        for (at, literal) in body.iter_mut().enumerate() {
            if let Literal::Aggregate(aggregate) = literal {
                let mut others = all.iter().enumerate().filter(|(other, _)| *other != at);
                aggregate.used = others.any(|(_, text)| text.contains(&aggregate.result));
            }
        }
        Rule { head, body, ways }
    }

    /// Parts that bind nothing.
    pub fn tests(
        &self,
        choices: &mut Choices,
        below: &[&Relation],
        bound: &[Vec<String>; 2],
        body: &mut Vec<Literal>,
    ) {
        for _ in 0..choices.pick(3) {
            let Some(relation) = choices.one(below) else { continue };
            let term = |number: &bool| match choices.pick(4) {
                3 => Term::Any,
                _ => known(choices, *number, bound),
            };
            let terms = relation.numbers.iter().map(term).collect();
            body.push(Literal::Negative(Atom { relation: relation.name.clone(), terms }));
        }
        if choices.pick(3) == 2 {
            body.push(Literal::Comparison(comparison(choices, bound)));
        }
    }

    pub fn text(&self) -> String {
        let mut text = ".type T\n.param two: number = 2\n.param letter: T = \"a\"\n".to_owned();
        for relation in &self.relations {
            let columns = relation.numbers.iter().enumerate();
            let columns =
                columns.map(|(at, number)| format!("c{at}: {}", if *number { "number" } else { "T" }));
            let kind = if relation.level == 0 { "input" } else { "output" };
            let columns: Vec<String> = columns.collect();
            let unique: Vec<String> = relation.unique.iter().map(|at| format!("c{at}")).collect();
            let unique =
                if unique.is_empty() { String::new() } else { format!(" unique({})", unique.join(", ")) };
            writeln!(text, ".decl {}({}) {kind}{unique}", relation.name, columns.join(", ")).unwrap();
        }
        for rule in &self.rules {
            // Written backwards: where a variable is bound must not matter to the engine.
            let all = |body: &[Literal]| body.iter().rev().map(shown).collect::<Vec<_>>().join(", ");
            let ways: Vec<String> = rule.ways.iter().map(|way| all(way)).collect();
            let mut body = all(&rule.body);
            match (body.is_empty(), ways.is_empty()) {
                (_, true) => {}
                (true, _) => body = ways.join("; "),
                _ => body = format!("({}) /* or; ( */, {body}", ways.join(" ; ")),
            }
            let arrow = if body.is_empty() { "" } else { " :- " };
            writeln!(text, "{}{arrow}{body}.", atom(&rule.head)).unwrap();
        }
        text
    }

    pub fn random_input(&self, choices: &mut Choices, most: usize) -> Data {
        let mut data = Data::new();
        for relation in self.relations.iter().filter(|relation| relation.level == 0) {
            let rows = data.entry(relation.name.clone()).or_default();
            for _ in 0..choices.pick(most + 1) {
                rows.insert(random_row(choices, relation));
            }
        }
        data
    }

    /// Values that fit a relation.
    pub fn random_values(&self, choices: &mut Choices, name: &str) -> Row {
        let found = self.relations.iter().find(|relation| relation.name == name);
        found.map(|relation| random_row(choices, relation)).unwrap_or_default()
    }

    /// Rows to add and rows to remove; some are there already, some are not.
    pub fn random_change(&self, choices: &mut Choices, data: &Data) -> (Change, Change) {
        let inputs: Vec<&Relation> = self.relations.iter().filter(|relation| relation.level == 0).collect();
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        for _ in 0..1 + choices.pick(3) {
            let Some(relation) = choices.one(&inputs) else { continue };
            let there: Vec<&Row> = data.get(&relation.name).into_iter().flatten().collect();
            match (choices.pick(5), choices.one(&there)) {
                (0 | 1, Some(row)) => removed.push((relation.name.clone(), (*row).clone())),
                (2, _) => removed.push((relation.name.clone(), random_row(choices, relation))),
                _ => added.push((relation.name.clone(), random_row(choices, relation))),
            }
        }
        (added, removed)
    }
}

fn random_row(choices: &mut Choices, relation: &Relation) -> Row {
    relation.numbers.iter().map(|number| constant(choices, *number)).collect()
}

fn constant(choices: &mut Choices, number: bool) -> Val {
    if number {
        Val::Number(
            [0, 1, 2, -1, i64::MAX][choices.pick(5)] - i64::from(i16::MAX) * i64::from(choices.pick(9) == 8),
        )
    } else {
        Val::Text(["a", "B/a", "-7", "say \"d\"\\", "1.10", "v1.9/a"][choices.pick(6)].to_owned())
    }
}

/// A bound variable of the type, or a constant.
pub fn known(choices: &mut Choices, number: bool, bound: &[Vec<String>; 2]) -> Term {
    match choices.one(&bound[usize::from(number)]) {
        Some(name) if choices.pick(6) < 5 => Term::Variable(name.clone()),
        _ => Term::Constant(constant(choices, number)),
    }
}

fn term(term: &Term) -> String {
    match term {
        Term::Any => "_".to_owned(),
        Term::Variable(name) => name.clone(),
        Term::Constant(Val::Number(2)) => "two".to_owned(),
        Term::Constant(Val::Number(number)) => number.to_string(),
        Term::Constant(Val::Beyond) => unreachable!("no row has it"),
        Term::Constant(Val::Text(text)) if text == "a" => "letter".to_owned(),
        Term::Constant(Val::Text(text)) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

fn atom(atom: &Atom) -> String {
    format!("{}({})", atom.relation, atom.terms.iter().map(term).collect::<Vec<_>>().join(", "))
}

fn shown(literal: &Literal) -> String {
    match literal {
        Literal::Positive(found) => atom(found),
        Literal::Negative(found) => format!("!{}", atom(found)),
        Literal::Aggregate(Aggregate { result, name, value, ways, .. }) => {
            let value = value.as_ref().map(expression).unwrap_or_default();
            format!("{result} = {name} {value} : {{ {} }}", inner(ways))
        }
        Literal::First(First { most, values, keys, ways }) => {
            let keys: Vec<String> = keys
                .iter()
                .map(|(key, is_last)| format!("{}{}", expression(key), if *is_last { " desc" } else { "" }))
                .collect();
            let by = if keys.is_empty() { String::new() } else { format!("by {}", keys.join(", ")) };
            format!("first {} ({}) {by} : {{ {} }}", term(most), values.join(", "), inner(ways))
        }
        Literal::Comparison(comparison) => {
            let right: Vec<String> = comparison.right.iter().map(expression).collect();
            let right = match comparison.operator {
                "in" | "not in" | "!in" => format!("[{}]", right.join(", ")),
                _ => right.join(""),
            };
            let left = expression(&comparison.left);
            match comparison.operator.split_once("with") {
                Some(_) => format!("{}({left}, {right})", comparison.operator),
                None if comparison.operator.ends_with("contains")
                    || comparison.operator.ends_with("matches") =>
                {
                    format!("{}({left}, {right})", comparison.operator)
                }
                None => format!("{left} {} {right}", comparison.operator),
            }
        }
    }
}

fn inner(ways: &[Vec<Literal>]) -> String {
    let way = |way: &Vec<Literal>| way.iter().map(shown).collect::<Vec<_>>().join(", ");
    ways.iter().map(way).collect::<Vec<_>>().join("; ")
}

/// With a parenthesis around each part: what binds tighter is the engine's tests' matter.
fn expression(it: &Expression) -> String {
    match it {
        Expression::Term(it) => term(it),
        Expression::Pattern(text) => format!("\"{text}\""),
        Expression::Call("version", text, _) => match &**text {
            Expression::Term(Term::Constant(Val::Text(text))) if text.starts_with('1') => {
                format!("v\"{text}\"")
            }
            text => format!("version({})", expression(text)),
        },
        Expression::Negate(inner) => format!("-({})", expression(inner)),
        Expression::Call("split", text, at) => format!("split({}, \"/\", {at})", expression(text)),
        Expression::Call(name, text, _) => format!("{name}({})", expression(text)),
        Expression::Binary(left, sign, right) => {
            format!("({}) {sign} ({})", expression(left), expression(right))
        }
    }
}

fn comparison(choices: &mut Choices, bound: &[Vec<String>; 2]) -> Comparison {
    let number = choices.pick(2) == 1;
    let left = calculation(choices, number, bound, 2);
    if !number && choices.pick(6) == 5 {
        let right = vec![Expression::Pattern(PATTERNS[choices.pick(PATTERNS.len())])];
        return Comparison { left, right, operator: ["matches", "!matches"][choices.pick(2)] };
    }
    if !number && choices.pick(6) == 5 {
        let right = Expression::Term(Term::Constant(Val::Text("1.9.0".to_owned())));
        let version = |of: Expression| Expression::Call("version", Box::new(of), 0);
        let operator = OPERATORS[choices.pick(OPERATORS.len())];
        return Comparison { left: version(left), right: vec![version(right)], operator };
    }
    if !number && choices.pick(3) == 2 {
        let right = vec![calculation(choices, number, bound, 1)];
        return Comparison { left, right, operator: TESTS[choices.pick(TESTS.len())] };
    }
    if choices.pick(4) == 3 {
        let right = (0..1 + choices.pick(3)).map(|_| Expression::Term(known(choices, number, bound)));
        return Comparison {
            left,
            right: right.collect(),
            operator: ["in", "not in", "!in"][choices.pick(3)],
        };
    }
    let right = calculation(choices, number, bound, 2);
    // Which of two equations defines a variable is a matter of their order.
    let is_defined = |side: &Expression| matches!(side, Expression::Term(Term::Variable(name)) if name.starts_with(['D', 'E']));
    let operators = if is_defined(&left) || is_defined(&right) { &OPERATORS[3..] } else { &OPERATORS[..] };
    Comparison { left, operator: operators[choices.pick(operators.len())], right: vec![right] }
}

/// A value, or a calculation so deep.
fn calculation(choices: &mut Choices, number: bool, bound: &[Vec<String>; 2], depth: usize) -> Expression {
    if depth > 0 && choices.pick(5) == 4 {
        let text = Box::new(calculation(choices, false, bound, depth - 1));
        let names = if number { ["length", "to_number"] } else { ["lower", "split"] };
        return Expression::Call(names[choices.pick(2)], text, choices.pick(3));
    }
    match choices.pick(if number && depth > 0 { 6 } else { 1 }) {
        3 | 4 => {
            let left = Box::new(calculation(choices, number, bound, depth - 1));
            let right = Box::new(calculation(choices, number, bound, depth - 1));
            // Products of products would not fit the 128 bits that are had on the way.
            let signs = if depth > 1 { &SIGNS[1..] } else { &SIGNS[..] };
            Expression::Binary(left, signs[choices.pick(signs.len())], right)
        }
        5 => Expression::Negate(Box::new(calculation(choices, number, bound, depth - 1))),
        _ => Expression::Term(known(choices, number, bound)),
    }
}
