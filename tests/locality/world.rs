//! Random programs about hosts and the units on them, and random facts for these.

use std::collections::{BTreeMap, BTreeSet};

use dsrules::datalog::locality::{Lies, Locality};
use dsrules::datalog::{Evaluation, Facts, Limits, Program, RelationId, Source, Symbols, Value};

use crate::dice::Dice;

/// A relation's name with the texts of a row.
pub type Fact = (String, Vec<String>);
pub type Data = BTreeSet<Fact>;

const INPUTS: &[(&str, &[&str])] = &[
    ("host", &["Host"]),
    ("unit", &["Unit", "Host"]),
    ("host_mark", &["Host", "Mark"]),
    ("unit_mark", &["Unit", "Mark"]),
    ("mark", &["Mark", "Zone"]),
    ("kind", &["Kind"]),
    ("kind_zone", &["Kind", "Zone"]),
    ("kind_mark", &["Kind", "Mark"]),
];

pub fn lies(ty: &str) -> Lies {
    match ty {
        "Host" | "Unit" => Lies::Placed,
        "Mark" => Lies::Shared,
        _ => Lies::Common,
    }
}

/// A program with the columns of all its relations.
pub struct Case {
    pub text: String,
    pub program: Program,
    pub columns: BTreeMap<String, Vec<String>>,
}

type Columns = (String, Vec<String>);

fn variable(dice: &mut Dice, ty: &str) -> String {
    format!("{}{}", ty.replace("number", "Number"), dice.below(2))
}

fn atom(
    dice: &mut Dice,
    (name, columns): &Columns,
    bound: Option<&BTreeSet<String>>,
) -> Option<(String, Vec<String>)> {
    let mut variables = Vec::new();
    let mut terms = Vec::new();
    for ty in columns {
        let variable = variable(dice, ty);
        let fits = bound.is_none_or(|bound| bound.contains(&variable));
        if !fits || dice.chance(10) {
            terms.push("_".to_owned());
        } else {
            terms.push(variable.clone());
            variables.push(variable);
        }
    }
    Some((format!("{name}({})", terms.join(", ")), variables))
}

fn rule(dice: &mut Dice, head: &Columns, known: &[Columns]) -> Option<String> {
    let (mut body, mut bound) = (Vec::new(), BTreeSet::new());
    let own = dice.chance(10).then_some(head);
    for _ in 0..1 + dice.below(3) {
        let from = own.filter(|_| dice.chance(40)).unwrap_or_else(|| &known[dice.below(known.len())]);
        let (text, variables) = atom(dice, from, None)?;
        body.push(text);
        bound.extend(variables);
    }
    while dice.chance(35) {
        let from = dice.pick(known);
        let (text, _) = atom(dice, from, Some(&bound))?;
        body.push(format!("!{text}"));
    }
    let mut terms = Vec::new();
    for ty in &head.1 {
        if ty == "number" {
            let from = dice.pick(known);
            let (text, _) = atom(dice, from, None)?;
            body.push(format!("N = count : {{ {text} }}"));
            terms.push("N".to_owned());
            continue;
        }
        let of_type: Vec<&String> = bound.iter().filter(|it| it[..it.len() - 1] == **ty).collect();
        terms.push((*of_type.get(dice.below(of_type.len().max(1)))?).clone());
    }
    Some(format!("{}({}) :- {}.", head.0, terms.join(", "), body.join(", ")))
}

impl Case {
    /// A random program, if the dice come to one that is sound.
    pub fn random(dice: &mut Dice) -> Option<Case> {
        let mut text =
            ".type Host export\n.type Unit export\n.type Mark export\n.type Kind export\n.type Zone export\n"
                .to_owned();
        let mut known: Vec<Columns> = Vec::new();
        for (name, columns) in INPUTS {
            let columns: Vec<String> = columns.iter().map(|it| (*it).to_owned()).collect();
            text += &declared(&(name.to_string(), columns.clone()), "input export");
            known.push((name.to_string(), columns));
        }
        let listed = ("listed".to_owned(), vec!["Host".to_owned(), "Zone".to_owned()]);
        let mut own = declared(&listed, "input");
        own += "listed(\"h0\", \"z0\"). listed(\"h3\", \"z1\").\n";
        let mut of_users = known.clone();
        of_users.push(listed);
        for nth in 0..2 + dice.below(8) {
            let is_own = dice.chance(30);
            let types = ["Host", "Host", "Unit", "Unit", "Mark", "Kind", "Zone", "number"];
            let count = 1 + dice.below(3);
            let mut columns: Vec<String> = (0..count).map(|_| dice.pick(&types).to_string()).collect();
            if columns.iter().filter(|it| *it == "number").count() > 1 || columns == ["number"] {
                columns = vec!["Host".to_owned()];
            }
            let head = (format!("r{nth}"), columns);
            let from = if is_own { &of_users } else { &known };
            let rules: Vec<String> = (0..1 + dice.below(2)).filter_map(|_| rule(dice, &head, from)).collect();
            if rules.is_empty() {
                continue;
            }
            let into = if is_own { &mut own } else { &mut text };
            *into += &declared(&head, if is_own { "" } else { "export" });
            *into += &(rules.join("\n") + "\n");
            if !is_own {
                known.push(head.clone());
            }
            of_users.push(head);
        }
        let sources = [
            Source { file: "tool.dl", text: &text, builtin: true, folder: "" },
            Source { file: "own.dl", text: &own, builtin: false, folder: "own" },
        ];
        let loaded = Program::load(&sources);
        if std::env::var("DSRULES_SHOW").is_ok() {
            loaded
                .diagnostics
                .iter()
                .filter(|it| it.is_error())
                .for_each(|it| println!("{}", it.render(false)));
        }
        let program = loaded.program?;
        Some(Case { text: text + "-- own --\n" + &own, program, columns: of_users.into_iter().collect() })
    }

    pub fn wanted(&self) -> Vec<RelationId> {
        self.columns.keys().filter_map(|name| self.program.relation(name)).collect()
    }
}

fn declared((name, columns): &Columns, what: &str) -> String {
    let columns: Vec<String> = columns.iter().enumerate().map(|(at, ty)| format!("c{at}: {ty}")).collect();
    format!(".decl {name}({}) {what}\n", columns.join(", "))
}

/// Random facts.
pub fn facts(dice: &mut Dice) -> Data {
    let mut data = Data::new();
    let mut add = |name: &str, row: &[String]| data.insert((name.to_owned(), row.to_vec()));
    let pick = |dice: &mut Dice, of: &str, count: usize| format!("{of}{}", dice.below(count));
    for host in (0..6).map(|nth| format!("h{nth}")) {
        if dice.chance(85) {
            add("host", std::slice::from_ref(&host));
        }
        for _ in 0..dice.below(3) {
            add("host_mark", &[host.clone(), pick(dice, "m", 4)]);
        }
    }
    for unit in (0..8).map(|nth| format!("u{nth}")) {
        if dice.chance(75) {
            add("unit", &[unit.clone(), pick(dice, "h", 6)]);
            if dice.chance(60) {
                add("unit_mark", &[unit, pick(dice, "m", 4)]);
            }
        }
    }
    for mark in (0..4).map(|nth| format!("m{nth}")) {
        // What is said of a value is the same for good.
        add("mark", &[mark.clone(), format!("z{}", mark.len() % 3)]);
        add("mark", &[mark.clone(), format!("z{}", usize::from(mark.ends_with(['1', '2'])))]);
    }
    for kind in (0..3).map(|nth| format!("k{nth}")) {
        add("kind", std::slice::from_ref(&kind));
        if dice.chance(60) {
            add("kind_zone", &[kind.clone(), pick(dice, "z", 3)]);
        }
        if dice.chance(40) {
            add("kind_mark", &[kind, pick(dice, "m", 4)]);
        }
    }
    data
}

/// The host that a value is on: of a unit that is on none, itself.
pub fn host_of(value: &str, data: &Data) -> String {
    let on = data.iter().find(|(name, row)| name == "unit" && row[0] == value);
    on.map_or_else(|| value.to_owned(), |(_, row)| row[1].clone())
}

/// The facts that are seen with these hosts.
pub fn seen(data: &Data, hosts: &BTreeSet<String>) -> Data {
    let is_on = |value: &String| hosts.contains(&host_of(value, data));
    let mut found: Data = data
        .iter()
        .filter(|(name, row)| match name.as_str() {
            "host" | "unit" | "host_mark" | "unit_mark" => is_on(&row[0]),
            name => name != "mark",
        })
        .cloned()
        .collect();
    let marks: BTreeSet<String> = found
        .iter()
        .filter(|(name, _)| matches!(name.as_str(), "host_mark" | "unit_mark" | "kind_mark"))
        .map(|(_, row)| row[1].clone())
        .collect();
    found.extend(data.iter().filter(|(name, row)| name == "mark" && marks.contains(&row[0])).cloned());
    found
}

/// Facts and what follows from them.
pub struct Derived {
    pub symbols: Symbols,
    pub evaluation: Evaluation,
}

impl Derived {
    pub fn of(case: &Case, data: &Data) -> Option<Derived> {
        let mut symbols = Symbols::new();
        let facts = rows(case, &mut symbols, data.iter());
        let wanted = case.wanted();
        let limits = Limits::default();
        let evaluation = Evaluation::new(&case.program, &mut symbols, facts, &wanted, &limits).ok()?;
        Some(Derived { symbols, evaluation })
    }

    /// All rows of a relation.
    pub fn rows(&self, relation: RelationId) -> BTreeSet<Vec<String>> {
        let text = |sym| match self.symbols.value(sym) {
            Value::Text(text) => text.to_owned(),
            Value::Number(number) => number.to_string(),
        };
        self.evaluation.rows(relation).map(|row| row.iter().map(|sym| text(*sym)).collect()).collect()
    }
}

pub fn rows<'a>(case: &Case, symbols: &mut Symbols, data: impl Iterator<Item = &'a Fact>) -> Facts {
    let mut facts = Facts::new();
    for (name, row) in data {
        let row: Vec<_> = row.iter().map(|text| symbols.text(text)).collect();
        if let Some(id) = case.program.relation(name) {
            facts.insert(id, &row);
        }
    }
    facts
}

/// The rows of a relation about the hosts and the marks that are seen.
pub fn about(
    case: &Case,
    name: &str,
    rows: BTreeSet<Vec<String>>,
    hosts: &BTreeSet<String>,
    data: &[&Data],
) -> BTreeSet<Vec<String>> {
    let is_seen = |(ty, value): (&String, &String)| match lies(ty) {
        Lies::Placed => data.iter().any(|data| hosts.contains(&host_of(value, data))),
        Lies::Shared => {
            data.iter().any(|data| data.iter().any(|(name, row)| name == "mark" && row[0] == *value))
        }
        _ => true,
    };
    rows.into_iter().filter(|row| case.columns[name].iter().zip(row).all(is_seen)).collect()
}

/// The relations that are exact, whatever other parts have.
pub fn locality(case: &Case, wanted: &[RelationId], empty: &BTreeSet<RelationId>) -> Locality {
    Locality::of(&case.program, wanted, lies, |id| empty.contains(&id))
}
