//! Names, keys and values that a rule asks for and that nothing in the cluster has.
//!
//! A rule that asks for `kubernetes.io/oss` is no error: it just never fires. What is told
//! is a key or a name that nothing has, and a value that nothing has and that is nearly one
//! that is there. A value that nothing like it has (`"MemoryPressure", "True"`) is what
//! the rule waits for.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::derived::State;
use crate::datalog::{
    Atom, Comparison, Declaration, Expression, Kind, Literal, Operator, Program, RelationId, Rule, Sym, Term,
    Value,
};
use crate::diagnostic::{Diagnostic, Place, nearest};
use crate::policy::relations;

/// Types whose values are names of things that are there or not, and what one is called.
const NAMES: [(&str, &str); 3] = [("Node", "node"), ("DaemonSet", "daemonset"), ("Namespace", "namespace")];
/// The type of keys of labels, taints and annotations.
const KEY: &str = "Key";
/// Values of fewer characters are all near each other.
const SHORT: usize = 4;

/// Warnings of them.
pub(super) fn unknown(program: &Program, states: &[&State]) -> Vec<Diagnostic> {
    let passing: BTreeSet<RelationId> = relations::PASSING.iter().map(|handle| program.id(*handle)).collect();
    let mut search = Search { program, states, passing, names: BTreeMap::new(), found: Vec::new() };
    for rule in program.rules().filter(|rule| !rule.builtin) {
        search.rule(rule);
    }
    search.found.sort_by(|a, b| (&a.place, &a.message).cmp(&(&b.place, &b.message)));
    search.found.dedup();
    search.found
}

/// A constant and the column it is asked for in.
type Asked<'a> = (usize, &'a str);

struct Search<'a> {
    program: &'a Program,
    states: &'a [&'a State],
    /// What is there for a moment alone.
    passing: BTreeSet<RelationId>,
    /// By type, the names that are there.
    names: BTreeMap<&'static str, BTreeSet<String>>,
    found: Vec<Diagnostic>,
}

impl<'a> Search<'a> {
    fn rule(&mut self, rule: &'a Rule) {
        self.atom(&rule.head);
        for literal in &rule.body {
            match literal {
                Literal::Positive(atom) | Literal::Negative(atom) => self.atom(atom),
                Literal::Comparison(comparison) => self.comparison(rule, comparison),
            }
        }
    }

    fn atom(&mut self, atom: &'a Atom) {
        let declaration = self.program.declaration(atom.relation);
        let constants = constants(atom);
        let places: Vec<Place> = self.program.places(atom).collect();
        for (column, text) in &constants {
            if let Some((ty, what)) = NAMES.iter().find(|(ty, _)| **ty == *declaration.columns[*column].ty) {
                self.name(ty, what, text, &places[*column]);
            }
        }
        if let Some((at, warning)) = self.in_rows(declaration, &constants) {
            self.found.extend(places.get(at).map(|place| warning.at(place.clone())));
        }
    }

    /// A variable that is compared with texts is looked up where its values come from.
    fn comparison(&mut self, rule: &'a Rule, comparison: &'a Comparison) {
        let sides = [(&comparison.left, &comparison.right), (&comparison.right, &comparison.left)];
        let is_asked = matches!(
            comparison.operator,
            Operator::Equal | Operator::NotEqual | Operator::In | Operator::NotIn
        );
        for (one, other) in sides.into_iter().filter(|_| is_asked) {
            let Some(variable) = one.term().and_then(Term::variable) else { continue };
            let texts: Vec<(&str, Place)> = match other {
                Expression::List(items) => items.iter().filter_map(|item| self.text(item)).collect(),
                item => self.text(item).into_iter().collect(),
            };
            let atoms = rule.body.iter().filter_map(Literal::positive);
            let columns: Vec<(&Atom, usize)> = atoms
                .filter_map(|atom| {
                    let is_it = |term: &Term| term.variable() == Some(variable);
                    Some((atom, atom.terms.iter().position(is_it)?))
                })
                .collect();
            for (text, place) in texts {
                self.compared(&columns, text, &place);
            }
        }
    }

    fn text(&self, expression: &'a Expression) -> Option<(&'a str, Place)> {
        match expression {
            Expression::Term(Term::Text(text), span) => Some((text, self.program.place_of_value(*span))),
            _ => None,
        }
    }

    fn compared(&mut self, columns: &[(&'a Atom, usize)], text: &'a str, place: &Place) {
        let mut warnings = Vec::new();
        for (atom, column) in columns {
            let declaration = self.program.declaration(atom.relation);
            if let Some((ty, what)) = NAMES.iter().find(|(ty, _)| **ty == *declaration.columns[*column].ty) {
                return self.name(ty, what, text, place);
            }
            let mut constants = constants(atom);
            constants.push((*column, text));
            match self.in_rows(declaration, &constants) {
                Some((at, warning)) if at == *column => warnings.push(warning),
                _ => return,
            }
        }
        self.found.extend(warnings.into_iter().next().map(|warning| warning.at(place.clone())));
    }

    /// A name of something that is not there.
    fn name(&mut self, ty: &'static str, what: &str, name: &str, place: &Place) {
        let (program, states) = (self.program, self.states);
        let names = self.names.entry(ty).or_insert_with(|| names(program, states, ty));
        // A name without its namespace is told as that.
        let is_bare = ty == "DaemonSet" && !name.contains('/');
        if names.is_empty() || names.contains(name) || is_bare {
            return;
        }
        let warning = Diagnostic::warning("unknown-constant", format!("there is no {what} `{name}`"));
        let near = nearest(name, names.iter().map(String::as_str));
        self.found.push(helped(warning, near).at(place.clone()));
    }

    /// The first constant that no row of an input has beside those before it.
    fn in_rows(&self, declaration: &Declaration, constants: &[Asked<'_>]) -> Option<(usize, Diagnostic)> {
        if declaration.kind != Kind::Input || self.passing.contains(&declaration.id) || constants.is_empty() {
            return None;
        }
        for known in 0..constants.len() {
            let (column, text) = constants[known];
            let ty = &*declaration.columns[column].ty;
            let values = self.values(declaration.id, &constants[..known], column);
            if values.is_empty() {
                return None;
            }
            if values.contains(text) {
                continue;
            }
            let is_long = text.chars().count() >= SHORT;
            let near = nearest(text, values.iter().map(String::as_str)).filter(|_| ty == KEY || is_long);
            if NAMES.iter().any(|(name, _)| *name == ty) || (ty != KEY && near.is_none()) {
                return None;
            }
            let with: Vec<String> = constants[..known].iter().map(|(_, text)| format!("`{text}`")).collect();
            let with = if with.is_empty() { String::new() } else { format!(" of {}", with.join(", ")) };
            let (name, column_name) = (&declaration.name, &declaration.columns[column].name);
            let message = format!("no `{name}`{with} has the {column_name} `{text}`");
            return Some((column, helped(Diagnostic::warning("unknown-constant", message), near)));
        }
        None
    }

    /// The texts of a column in the rows that have some constants.
    fn values(&self, relation: RelationId, fixed: &[Asked<'_>], column: usize) -> BTreeSet<String> {
        let mut values = BTreeSet::new();
        for state in self.states {
            let fixed: Option<Vec<(usize, Sym)>> =
                fixed.iter().map(|(at, text)| Some((*at, state.symbols.find_text(text)?))).collect();
            let Some(fixed) = fixed else { continue };
            let rows =
                state.evaluation.rows(relation).filter(|row| fixed.iter().all(|(at, sym)| row[*at] == *sym));
            let syms: BTreeSet<Sym> = rows.map(|row| row[column]).collect();
            values.extend(syms.into_iter().filter_map(|sym| match state.symbols.value(sym) {
                Value::Text(text) => Some(text.to_owned()),
                Value::Number(_) => None,
            }));
        }
        values
    }
}

/// The texts of an atom, by column.
fn constants(atom: &Atom) -> Vec<Asked<'_>> {
    atom.terms
        .iter()
        .enumerate()
        .filter_map(|(at, term)| if let Term::Text(text) = term { Some((at, &**text)) } else { None })
        .collect()
}

/// The names of a type that the inputs have.
fn names(program: &Program, states: &[&State], ty: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for declaration in program.declarations().filter(|it| it.kind == Kind::Input && it.builtin) {
        for (column, _) in declaration.columns.iter().enumerate().filter(|(_, column)| &*column.ty == ty) {
            for state in states {
                let syms: BTreeSet<Sym> =
                    state.evaluation.rows(declaration.id).map(|row| row[column]).collect();
                names.extend(syms.into_iter().map(|sym| state.symbols.value(sym).to_string()));
            }
        }
    }
    names
}

fn helped(warning: Diagnostic, near: Option<&str>) -> Diagnostic {
    match near {
        Some(near) => warning.help(format!("did you mean `{near}`?")),
        None => warning.help("mend it; if it may come, write `// allow: unknown-constant` over the rule"),
    }
}
