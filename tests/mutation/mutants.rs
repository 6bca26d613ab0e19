//! Every small change of every rule.

use std::collections::BTreeMap;

use dsrules::datalog::{Literal, Program, Rule, Term};

/// One change of one rule.
pub struct Mutant {
    /// The file of the rule.
    pub file: String,
    /// The rule and what is done to it: `pods.dl create 2: without missing(…)`.
    pub name: String,
    /// The place of the rule among all rules.
    pub at: usize,
    /// What stands there instead.
    pub instead: Option<Rule>,
}

/// The texts that decide. What `cluster.dl` derives is only for people's own rules.
const DECIDING: [&str; 8] = [
    "placement.dl",
    "ownership.dl",
    "pods.dl",
    "rollout.dl",
    "history.dl",
    "status.dl",
    "waiting.dl",
    "ports.dl",
];

/// All mutants of the rules that decide, in the order of the rules.
pub fn all(program: &Program) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (at, rule) in program.rules().enumerate() {
        let head = program.declaration(rule.head.relation).name.to_string();
        let number = seen.entry(head.clone()).or_default();
        *number += 1;
        let file = rule.file.trim_start_matches("rules/").to_owned();
        if !DECIDING.contains(&&*file) {
            continue;
        }
        let label = format!("{file} {head} {number}");
        let mut add = |what: String, instead: Option<Rule>| {
            mutants.push(Mutant { file: file.clone(), name: format!("{label}: {what}"), at, instead });
        };
        add("left out".into(), None);
        for (part, literal) in rule.body.iter().enumerate() {
            let shown = shown(program, rule, literal);
            let mut without = rule.clone();
            without.body.remove(part);
            add(format!("without {shown}"), Some(without));
            let mut flipped = rule.clone();
            flipped.body[part] = opposite(literal);
            add(format!("not {shown}"), Some(flipped));
        }
    }
    mutants
}

/// The rules of a program with a mutant's rule in place of the right one.
pub fn rules(program: &Program, mutant: &Mutant) -> Vec<Rule> {
    let rules = program.rules().enumerate();
    rules
        .filter_map(|(at, rule)| if at == mutant.at { mutant.instead.clone() } else { Some(rule.clone()) })
        .collect()
}

fn opposite(literal: &Literal) -> Literal {
    match literal.clone() {
        Literal::Positive(atom) => Literal::Negative(atom),
        Literal::Negative(atom) => Literal::Positive(atom),
        Literal::Comparison(mut comparison) => {
            comparison.operator = comparison.operator.opposite();
            Literal::Comparison(comparison)
        }
    }
}

/// A literal as it would be written.
fn shown(program: &Program, rule: &Rule, literal: &Literal) -> String {
    let term = |term: &Term| match term {
        Term::Variable(variable) => rule.variables[variable.0].to_string(),
        Term::Any => "_".into(),
        Term::Text(text) => format!("\"{text}\""),
        Term::Number(number) => number.to_string(),
    };
    match literal {
        Literal::Positive(atom) | Literal::Negative(atom) => {
            let negated = if matches!(literal, Literal::Negative(_)) { "!" } else { "" };
            let name = &program.declaration(atom.relation).name;
            let terms: Vec<String> = atom.terms.iter().map(term).collect();
            format!("{negated}{name}({})", terms.join(", "))
        }
        Literal::Comparison(comparison) => comparison.shown(&term),
    }
}
