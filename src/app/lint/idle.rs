//! Rules that derive nothing from a cluster: mostly, what they ask for is not there.

use crate::app::derived::State;
use crate::datalog::{Atom, Literal, Program, Rule, Term, quoted};
use crate::diagnostic::Diagnostic;
use crate::policy::relations;

/// Notes of the rules of one's own that fire in none of these states. Constraints are not
/// among them: that they do not fire is what they are for. Nor is what waits for its time, or
/// one in which something is told that says why.
pub(super) fn never_fired(program: &Program, states: &[&State], told: &[Diagnostic]) -> Vec<Diagnostic> {
    let clock = [relations::now, relations::minute_of_day, relations::weekday, relations::date];
    let clock = clock.map(|handle| program.id(handle));
    let is_asked = |rule: &Rule| {
        let head = rule.head.relation;
        let needs = program.needed(&[head]);
        !rule.builtin
            && !rule.body.is_empty()
            && program.declaration(head).constraint.is_none()
            && !clock.iter().any(|id| needs(*id))
    };
    let fires = |rule: &Rule| states.iter().any(|it| it.evaluation.fires(rule, &it.symbols));
    let says_why = |rule: &Rule| {
        let last = rule.line as usize + rule.text.lines().count();
        told.iter().filter(|it| matches!(it.code, "unknown-constant" | "always-false")).any(|it| {
            let inside = |line: u32| (rule.line..).contains(&line) && (line as usize) < last;
            it.place.as_ref().is_some_and(|place| place.file == rule.file && inside(place.line))
        })
    };
    let mut found = Vec::new();
    for rule in program.written().filter(|rule| is_asked(&rule.ways[0])) {
        if says_why(&rule.ways[0]) || rule.ways.iter().any(fires) {
            continue;
        }
        let first = &rule.ways[0];
        let note = Diagnostic::note("never-fired", "this rule derives nothing from the given cluster")
            .at(program.place_of_head(first));
        let why = first
            .body
            .iter()
            .filter_map(Literal::positive)
            .find(|atom| states.iter().all(|state| !has_rows(atom, state)));
        found.push(match why {
            Some(atom) => note.because(format!("there is no row `{}`", shown(program, atom))),
            None => note.because("each of its parts may hold, and not all of them together"),
        });
    }
    found
}

/// Whether a relation has a row with the constants of an atom.
fn has_rows(atom: &Atom, state: &State) -> bool {
    let constants = atom.terms.iter().map(|term| term.constant().map(|value| state.symbols.find(value)));
    let constants: Vec<_> = constants.collect();
    let mut rows = state.evaluation.rows(atom.relation);
    rows.any(|row| {
        let mut cells = constants.iter().zip(row.iter());
        cells.all(|(constant, sym)| constant.as_ref().is_none_or(|it| *it == Some(*sym)))
    })
}

/// An atom with its constants, and `_` for all else.
fn shown(program: &Program, atom: &Atom) -> String {
    let term = |term: &Term| match term {
        Term::Text(text) => quoted(text),
        Term::Number(number) => number.to_string(),
        Term::Variable(_) | Term::Any => "_".to_owned(),
    };
    let terms: Vec<String> = atom.terms.iter().map(term).collect();
    format!("{}({})", program.declaration(atom.relation).name, terms.join(", "))
}
