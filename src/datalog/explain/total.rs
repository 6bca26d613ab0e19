//! The value of an aggregate in an explanation: what it comes to, for which group, and the
//! first of the ways that make it. The relations behind it are never named.

use serde::Serialize;

use super::super::compare::BEYOND;
use super::super::program::{Atom, Comparison, Literal, RelationId, Rule};
use super::super::symbols::{Sym, Value};
use super::explainer::{Binding, Explainer, known};

/// So many of the ways that make a value are shown.
pub(super) const FIRST: usize = 3;

/// An aggregate with its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Total {
    /// What it comes to: `2 = count : { on(Pod, Node) } for Node = "n1"`.
    pub text: String,
    /// In how many ways its body holds.
    pub ways: usize,
    /// The first of them: `on("p1", "n1")`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub first: Vec<String>,
    /// Whether it has the value that the rule needs.
    pub holds: bool,
}

impl std::fmt::Display for Total {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} ({})",
            self.text,
            if self.ways == 1 { "1 row".to_owned() } else { format!("{} rows", self.ways) }
        )
    }
}

impl Explainer<'_> {
    /// Whether an atom stands for an aggregate.
    pub fn is_total(&self, atom: &Atom) -> bool {
        self.program.declaration(atom.relation).within.is_some()
    }

    /// Whether a comparison only says that an aggregate of nothing is 0: it is shown with it.
    pub fn is_of_total(&self, comparison: &Comparison, body: &[Literal]) -> bool {
        let mut atoms = body.iter().filter_map(Literal::atom);
        atoms.any(|atom| self.is_total(atom) && atom.span == comparison.span)
    }

    /// Whether one way of a rule is not worth telling, as the other one is: that of a group
    /// with a value where there is none, or the other way round.
    pub fn is_other_way(&self, body: &[Literal], way: &Binding) -> bool {
        body.iter().any(|literal| match literal {
            Literal::Positive(atom) if self.is_total(atom) => {
                let or_nothing = self
                    .fold(atom)
                    .is_some_and(|(fold, _)| fold.fold.as_ref().is_some_and(|it| it.of_nothing()));
                let group = self.group(atom, way);
                or_nothing && group.is_some_and(|group| self.value_of(atom, &group).is_none())
            }
            Literal::Negative(atom) if self.is_total(atom) => {
                self.group(atom, way).is_some_and(|group| self.value_of(atom, &group).is_some())
            }
            _ => false,
        })
    }

    /// The aggregate that an atom stands for.
    pub fn total(&self, literal: &Literal, body: &[Literal], way: &Binding) -> Option<Total> {
        let atom = literal.atom().filter(|atom| self.is_total(atom))?;
        if let Some(total) = self.place(literal, body, way) {
            return Some(total);
        }
        let declaration = self.program.declaration(atom.relation);
        let group = self.group(atom, way);
        let found = group.as_ref().and_then(|group| self.value_of(atom, group));
        let shown = |sym: Sym| match sym {
            BEYOND => "more than 64 bits hold".to_owned(),
            sym => self.symbols.value(sym).to_string(),
        };
        let wanted = if literal.positive().is_some() {
            atom.terms.last().and_then(|term| term.variable())
        } else {
            let mut zeros = body.iter().filter_map(|literal| match literal {
                Literal::Comparison(it) if it.span == atom.span => it.left.variable(),
                _ => None,
            });
            zeros.next()
        };
        let wanted = wanted.and_then(|variable| way.get(variable.0).copied().flatten());
        let is_positive = literal.positive().is_some();
        let is = found.map(shown).or_else(|| (!is_positive).then(|| "0".to_owned()));
        let holds = group.is_some()
            && match (is_positive, found, wanted) {
                (true, Some(found), wanted) => wanted.is_none_or(|wanted| wanted == found),
                (true, None, _) | (false, Some(_), _) => false,
                (false, None, wanted) => {
                    wanted.is_none_or(|wanted| self.symbols.value(wanted) == Value::Number(0))
                }
            };
        let wanted = wanted.map(shown);
        let mut text = match (&is, &wanted) {
            (_, Some(wanted)) => format!("{wanted} = {}", declaration.name),
            (Some(is), None) => format!("{is} = {}", declaration.name),
            (None, None) => declaration.name.to_string(),
        };
        text += &self.of_group(atom, group.as_deref());
        match is {
            _ if holds || group.is_none() => {}
            Some(is) => text += &format!(", but it is {is}"),
            None => text += ", but there is none",
        }
        let (ways, first) = group.map_or((0, Vec::new()), |group| self.first_ways(atom, &group));
        Some(Total { text, ways, first, holds })
    }

    /// The group that an aggregate is about: ` for Node = "n1"`.
    pub(super) fn of_group(&self, atom: &Atom, group: Option<&[Sym]>) -> String {
        let columns = self.program.declaration(atom.relation).columns.iter();
        let groups = columns.zip(group.unwrap_or_default());
        let groups: Vec<String> =
            groups.map(|(column, sym)| format!("{} = {}", column.name, self.quoted(*sym))).collect();
        if groups.is_empty() { String::new() } else { format!(" for {}", groups.join(", ")) }
    }

    /// The rule that folds the rows of an aggregate, and their relation.
    pub(super) fn fold(&self, atom: &Atom) -> Option<(&Rule, RelationId)> {
        let rule = self.program.rules_for(atom.relation).next()?;
        Some((rule, rule.body.first()?.atom()?.relation))
    }

    /// The group that an atom asks for, if its values are known.
    pub(super) fn group(&self, atom: &Atom, way: &Binding) -> Option<Vec<Sym>> {
        let (rule, _) = self.fold(atom)?;
        let groups = rule.fold.as_ref()?.groups(atom.terms.len());
        let sym = |term| self.symbols.find(self.filled_term(term, way).constant()?);
        atom.terms[..groups].iter().map(sym).collect()
    }

    fn value_of(&self, atom: &Atom, group: &[Sym]) -> Option<Sym> {
        self.evaluation.rows_with_prefix(atom.relation, group).next()?.last().copied()
    }

    /// In how many ways the body of an aggregate holds for a group, and the first of them.
    fn first_ways(&self, atom: &Atom, group: &[Sym]) -> (usize, Vec<String>) {
        let Some((_, rows)) = self.fold(atom) else { return (0, Vec::new()) };
        let of_group = || self.evaluation.rows_with_prefix(rows, group);
        let first = of_group().take(FIRST).filter_map(|row| self.way(rows, &row));
        (of_group().count(), first.collect())
    }

    /// A way in which the body of an aggregate holds: `on("p1", "n1")`.
    pub(super) fn way(&self, rows: RelationId, row: &[Sym]) -> Option<String> {
        self.program.rules_for(rows).find_map(|rule| {
            let inside = |atom: &Atom| atom.span.start >= rule.span.start && atom.span.end <= rule.span.end;
            let unified = self.unify(rule, &known(row))?;
            let way = self.ways(&unified.body, &unified.binding, 1, &mut |_| true).pop()?;
            let way = unified.spread(&way);
            let told = rule.body.iter().filter(|literal| literal.positive().is_some_and(inside));
            let told = told.filter_map(|literal| match self.total(literal, &rule.body, &way) {
                Some(total) => Some(total.text),
                None => literal.positive().map(|atom| self.atom(rule, atom, &way)),
            });
            Some(told.collect::<Vec<_>>().join(", "))
        })
    }
}
