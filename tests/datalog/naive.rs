//! Datalog by brute force: every rule over every combination of rows, again and again
//! until nothing is new. No index, no plan, no symbols, nothing shared with the engine.

use std::collections::{BTreeMap, BTreeSet};

use super::random::{Aggregate, Atom, Comparison, Expression, First, Literal, Relation, Rules, Term};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Val {
    Text(String),
    Number(i64),
    /// A number that was worked out and that no row can hold.
    Beyond,
}

pub type Row = Vec<Val>;
pub type Data = BTreeMap<String, BTreeSet<Row>>;
pub type Binding = BTreeMap<String, Val>;

/// All rows of all relations, without the empty ones; none if a number is beyond them, or two
/// rows are alike that may not be.
pub fn evaluate(rules: &Rules, input: &Data) -> Option<Data> {
    let mut data = input.clone();
    let mut beyond = false;
    for level in 0..=rules.levels() {
        loop {
            let mut new = Vec::new();
            for rule in rules.rules.iter().filter(|rule| rules.level(&rule.head.relation) == level) {
                let mut ways: Vec<Vec<Literal>> =
                    rule.ways.iter().map(|way| [rule.body.clone(), way.clone()].concat()).collect();
                if ways.is_empty() {
                    ways.push(rule.body.clone());
                }
                for way in ways {
                    bindings(&way, 0, Binding::new(), &data, &mut |binding| {
                        beyond |= binding.values().any(|value| *value == Val::Beyond);
                        let row: Row =
                            rule.head.terms.iter().filter_map(|term| value(term, binding)).collect();
                        new.push((rule.head.relation.clone(), row));
                    });
                }
            }
            let before = count(&data);
            for (relation, row) in new {
                data.entry(relation).or_default().insert(row);
            }
            if beyond || count(&data) == before {
                break;
            }
        }
    }
    data.retain(|_, rows| !rows.is_empty());
    (!beyond && rules.relations.iter().all(|relation| is_unique(relation, &data))).then_some(data)
}

fn is_unique(relation: &Relation, data: &Data) -> bool {
    let rows: Vec<&Row> = data.get(&relation.name).into_iter().flatten().collect();
    let keys: BTreeSet<Vec<&Val>> =
        rows.iter().map(|row| relation.unique.iter().map(|at| &row[*at]).collect()).collect();
    relation.unique.is_empty() || keys.len() == rows.len()
}

fn count(data: &Data) -> usize {
    data.values().map(BTreeSet::len).sum()
}

pub fn value(term: &Term, binding: &Binding) -> Option<Val> {
    match term {
        Term::Any => None,
        Term::Variable(name) => binding.get(name).cloned(),
        Term::Constant(value) => Some(value.clone()),
    }
}

/// All ways in which the body holds from the literal `at` on.
pub fn bindings(body: &[Literal], at: usize, binding: Binding, data: &Data, each: &mut dyn FnMut(&Binding)) {
    let none = BTreeSet::new();
    match body.get(at) {
        None => each(&binding),
        Some(Literal::Positive(atom)) => {
            for row in data.get(&atom.relation).unwrap_or(&none) {
                if let Some(binding) = matched(atom, row, &binding) {
                    bindings(body, at + 1, binding, data, each);
                }
            }
        }
        Some(Literal::Negative(atom)) => {
            let rows = data.get(&atom.relation).unwrap_or(&none);
            if !rows.iter().any(|row| matched(atom, row, &binding).is_some()) {
                bindings(body, at + 1, binding, data, each);
            }
        }
        Some(Literal::Aggregate(aggregate)) => {
            if let Some(found) = folded(aggregate, &binding, data) {
                let mut binding = binding;
                if aggregate.used {
                    binding.insert(aggregate.result.clone(), found);
                }
                bindings(body, at + 1, binding, data, each);
            }
        }
        Some(Literal::First(first)) => {
            for values in taken(first, &binding, data) {
                let names = first.values.iter().zip(values);
                let mut binding = binding.clone();
                let fits = names.fold(true, |fits, (name, value)| {
                    fits && *binding.entry(name.clone()).or_insert(value.clone()) == value
                });
                if fits {
                    bindings(body, at + 1, binding, data, each);
                }
            }
        }
        Some(Literal::Comparison(comparison)) => {
            if let Expression::Term(Term::Variable(name)) = &comparison.left
                && comparison.operator == "="
                && !binding.contains_key(name)
            {
                let found = match worth(&comparison.right[0], &binding) {
                    None => return,
                    Some(Worth::Text(text)) => Val::Text(text),
                    Some(Worth::Number(number)) => i64::try_from(number).map_or(Val::Beyond, Val::Number),
                    Some(Worth::Beyond) => Val::Beyond,
                    Some(Worth::Version(_)) => panic!("a version is no value of a variable"),
                };
                let mut binding = binding;
                binding.insert(name.clone(), found);
                bindings(body, at + 1, binding, data, each);
            } else if holds(comparison, &binding) {
                bindings(body, at + 1, binding, data, each);
            }
        }
    }
}

/// The value of an aggregate for what is known outside of it.
pub fn folded(aggregate: &Aggregate, binding: &Binding, data: &Data) -> Option<Val> {
    let value = |way: &Binding| match worth(aggregate.value.as_ref()?, way)? {
        Worth::Number(number) => Some(number),
        other => panic!("{other:?} is added up"),
    };
    let mut ways = BTreeSet::new();
    for body in &aggregate.ways {
        bindings(body, 0, binding.clone(), data, &mut |way| {
            // What has no value is no way.
            if aggregate.value.is_none() || value(way).is_some() {
                ways.insert(way.clone());
            }
        });
    }
    let numbers: Vec<i128> = ways.iter().filter_map(value).collect();
    let sum = numbers.iter().sum();
    let found = match aggregate.name {
        "count" => ways.len() as i128,
        "sum" => sum,
        "min" => *numbers.iter().min()?,
        "max" => *numbers.iter().max()?,
        _ => sum.checked_div(numbers.len() as i128)?,
    };
    Some(i64::try_from(found).map_or(Val::Beyond, Val::Number))
}

/// The first values of what is known outside, each once.
fn taken(first: &First, binding: &Binding, data: &Data) -> Vec<Row> {
    let mut outside = binding.clone();
    first.values.iter().for_each(|name| _ = outside.remove(name));
    let mut rows: Vec<(Vec<Worth>, Row)> = Vec::new();
    for body in &first.ways {
        bindings(body, 0, outside.clone(), data, &mut |way| {
            let keys = first.keys.iter().map(|(key, _)| worth(key, way)).collect::<Option<Vec<_>>>();
            rows.extend(keys.map(|keys| (keys, first.values.iter().map(|name| way[name].clone()).collect())));
        });
    }
    rows.sort_by(|(a, one), (b, other)| {
        let orders = a.iter().zip(b).zip(&first.keys);
        let orders = orders.map(|((a, b), (_, is_last))| if *is_last { b.cmp(a) } else { a.cmp(b) });
        orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then).then(one.cmp(other))
    });
    let mut found: Vec<Row> = Vec::new();
    for (_, row) in rows {
        if !found.contains(&row) {
            found.push(row);
        }
    }
    let most = match value(&first.most, binding) {
        Some(Val::Number(most)) => usize::try_from(most).unwrap_or(0),
        other => panic!("{other:?} is how many"),
    };
    found.truncate(most);
    found
}

pub fn matched(atom: &Atom, row: &Row, binding: &Binding) -> Option<Binding> {
    let mut binding = binding.clone();
    for (term, found) in atom.terms.iter().zip(row) {
        match value(term, &binding) {
            Some(known) if known != *found => return None,
            Some(_) => {}
            None => {
                if let Term::Variable(name) = term {
                    binding.insert(name.clone(), found.clone());
                }
            }
        }
    }
    Some(binding)
}

pub fn holds(comparison: &Comparison, binding: &Binding) -> bool {
    let mut right = comparison.right.iter().map(|right| {
        if let Expression::Pattern(pattern) = right {
            let Worth::Text(text) = worth(&comparison.left, binding)? else { return None };
            return Some(finds(pattern, &text) != comparison.operator.starts_with('!'));
        }
        let (left, right) = (worth(&comparison.left, binding)?, worth(right, binding)?);
        let known = left != Worth::Beyond && right != Worth::Beyond;
        if let (Worth::Text(left), Worth::Text(right)) = (&left, &right) {
            match comparison.operator.trim_start_matches('!') {
                "starts_with" => {
                    return Some(left.starts_with(right) != comparison.operator.starts_with('!'));
                }
                "ends_with" => return Some(left.ends_with(right)),
                "contains" => return Some(left.contains(right) != comparison.operator.starts_with('!')),
                _ => {}
            }
        }
        let operator = match comparison.operator {
            "in" => "=",
            "not in" | "!in" => "!=",
            operator => operator,
        };
        Some(!known || ordered(operator, &left, &right))
    });
    let holds = |holds: Option<bool>| holds.unwrap_or(false);
    if comparison.operator == "not in" || comparison.operator == "!in" {
        right.all(holds)
    } else {
        right.any(holds)
    }
}

/// What the random regular expressions say.
fn finds(pattern: &str, text: &str) -> bool {
    match pattern {
        "^B" => text.starts_with('B'),
        "a$" => text.ends_with('a'),
        "^a$" => text == "a",
        "[0-9]" => text.contains(|c: char| c.is_ascii_digit()),
        "(?i)b" => text.contains(['b', 'B']),
        other => panic!("{other} is new"),
    }
}

/// The numbers of a version, as far as random texts are ones; without noughts at the end.
fn version(text: &str) -> Option<Vec<u64>> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let text = text.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
    let numbers = text.split('.').map(|part| part.parse::<u64>().ok());
    let mut numbers = numbers.collect::<Option<Vec<u64>>>()?;
    while numbers.last() == Some(&0) {
        numbers.pop();
    }
    Some(numbers)
}

/// A number is exact, also where it is no 64-bit number.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Worth {
    Text(String),
    Number(i128),
    Version(Vec<u64>),
    /// It comes from a number that no row can hold: it passes all that it is compared with.
    Beyond,
}

/// What an expression is worth; nothing where it divides by zero.
pub fn worth(expression: &Expression, binding: &Binding) -> Option<Worth> {
    let numbers = |parts: &[&Expression]| {
        let mut numbers = Vec::new();
        for part in parts {
            match worth(part, binding)? {
                Worth::Number(number) => numbers.push(number),
                Worth::Beyond => return Some(Err(Worth::Beyond)),
                Worth::Text(_) | Worth::Version(_) => return None,
            }
        }
        Some(Ok(numbers))
    };
    Some(match expression {
        Expression::Pattern(_) => return None,
        Expression::Term(term) => match value(term, binding)? {
            Val::Text(text) => Worth::Text(text),
            Val::Number(number) => Worth::Number(number.into()),
            Val::Beyond => Worth::Beyond,
        },
        Expression::Call(name, text, at) => {
            let Worth::Text(text) = worth(text, binding)? else { return None };
            match *name {
                "lower" => Worth::Text(text.to_lowercase()),
                "split" => Worth::Text(text.split('/').nth(*at)?.to_owned()),
                "version" => Worth::Version(version(&text)?),
                "length" => Worth::Number(text.chars().count() as i128),
                _ => Worth::Number(text.parse::<i64>().ok()?.into()),
            }
        }
        Expression::Negate(inner) => match numbers(&[inner])? {
            Ok(numbers) => Worth::Number(-numbers[0]),
            Err(beyond) => beyond,
        },
        Expression::Binary(left, sign, right) => {
            let (left, right) = match numbers(&[left, right])? {
                Ok(numbers) => (numbers[0], numbers[1]),
                Err(beyond) => return Some(beyond),
            };
            if right == 0 && matches!(*sign, "/" | "%") {
                return None;
            }
            Worth::Number(match *sign {
                "+" => left + right,
                "-" => left - right,
                "*" => left * right,
                "/" => left / right,
                _ => left % right,
            })
        }
    })
}

fn ordered<T: Ord>(operator: &str, left: &T, right: &T) -> bool {
    match operator {
        "=" => left == right,
        "!=" => left != right,
        "<" => left < right,
        "<=" => left <= right,
        ">" => left > right,
        _ => left >= right,
    }
}
