//! The value of an aggregate in an explanation: what it comes to, for which group, and the
//! first of the ways that make it. The relations behind it are never named.

use super::super::aggregate::{Aggregate, Fold};
use super::super::compare::BEYOND;
use super::super::program::{Atom, Comparison, Literal, RelationId, Rule};
use super::super::rows::Row;
use super::super::symbols::{Sym, Value};
use super::explainer::{Binding, Explainer, known};
use super::goal::{Counted, Part, Total};

/// So many of the ways that make a value are shown.
pub(super) const FIRST: usize = 3;

/// A rule for what stands in braces, the parts that a row of it rests on, and the values of
/// its variables.
type Braced<'a> = (&'a Rule, Vec<&'a Literal>, Vec<Option<Sym>>);

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
        let value = is.clone();
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
        let (aggregate, of) = match self.fold(atom) {
            Some((Rule { fold: Some(Fold::One(aggregate)), .. }, rows)) => {
                let columns = &self.program.declaration(rows).columns;
                let own = declaration.columns.len() - 1
                    ..columns.len() - usize::from(*aggregate != Aggregate::Count);
                let own = columns.get(own).unwrap_or_default();
                (Some(*aggregate), own.iter().map(|column| column.ty.clone()).collect())
            }
            _ => (None, Vec::new()),
        };
        Some(Total { text, aggregate, value, wanted, of, ways, first, holds })
    }

    /// The aggregate that an atom stands for, if its group is known, with the reasons of what
    /// makes it.
    pub fn total_deep(
        &mut self,
        literal: &Literal,
        body: &[Literal],
        way: &Binding,
        near: bool,
        depth: usize,
    ) -> Option<Total> {
        let atom = literal.atom()?;
        let group = self.group(atom, way)?;
        let mut total = self.total(literal, body, way)?;
        let (rule, rows) = self.fold(atom)?;
        let ranked = self.ranked(rows, rule.fold.as_ref()?, &group);
        let counted = ranked.iter().filter_map(|row| {
            let (rule, told, way) = self.counted(rows, row)?;
            Some((rule.clone(), told.into_iter().cloned().collect::<Vec<_>>(), way))
        });
        let counted: Vec<_> = counted.take(total.first.len()).collect();
        for (counted, (rule, told, way)) in total.first.iter_mut().zip(counted) {
            for literal in &told {
                let Some(atom) = literal.positive() else { continue };
                counted.parts.extend(match self.total(literal, &rule.body, &way) {
                    Some(total) => Some(Part::Aggregate(total)),
                    None => {
                        let pattern = self.pattern(atom, &way);
                        Some(Part::Row(self.goal(atom.relation, &pattern, near, depth + 1)))
                    }
                });
            }
        }
        Some(total)
    }

    /// The group that an aggregate is about: ` for Node = "n1"`.
    pub(super) fn of_group(&self, atom: &Atom, group: Option<&[Sym]>) -> String {
        let columns = self.program.declaration(atom.relation).columns.iter();
        let groups = columns.zip(group.unwrap_or_default());
        let groups: Vec<String> =
            groups.map(|(column, sym)| format!("{} = {}", column.name, self.quoted(*sym))).collect();
        if groups.is_empty() { String::new() } else { format!(" for {}", groups.join(", ")) }
    }

    /// Whether an aggregate was worked out only for the groups that parts outside of its braces
    /// give, and one of those is missing: then nothing is known of it.
    pub fn leans_on_missing(&self, literal: &Literal, body: &[Literal], held: &[Literal]) -> bool {
        let Some(atom) = literal.atom().filter(|atom| self.is_total(atom)) else { return false };
        let is_plain = |it: &&Literal| it.positive().is_some_and(|atom| !self.is_total(atom));
        let Some((_, rows)) = self.fold(atom) else { return false };
        let is_outside = |rule: &Rule| {
            let outside = |at: &Atom| at.span.start < rule.span.start || at.span.end > rule.span.end;
            rule.body.iter().filter_map(Literal::positive).any(outside)
        };
        body.iter().filter(is_plain).any(|it| !held.contains(it))
            && self.program.rules_for(rows).any(is_outside)
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
    fn first_ways(&self, atom: &Atom, group: &[Sym]) -> (usize, Vec<Counted>) {
        let Some((folded, rows)) = self.fold(atom) else { return (0, Vec::new()) };
        let Some(fold) = &folded.fold else { return (0, Vec::new()) };
        let has_value = matches!(fold, Fold::One(aggregate) if *aggregate != Aggregate::Count);
        let first = self.ranked(rows, fold, group).into_iter().take(FIRST).filter_map(|row| {
            let value = row.last().filter(|_| has_value);
            let value = value.map(|sym| self.symbols.value(*sym).to_string());
            Some(Counted { text: self.way(rows, &row)?, value, parts: Vec::new() })
        });
        (self.evaluation.rows_with_prefix(rows, group).count(), first.collect())
    }

    /// The rows of a group, those that matter most first.
    pub(super) fn ranked(&self, rows: RelationId, fold: &Fold, group: &[Sym]) -> Vec<Row> {
        let mut all: Vec<Row> = self.evaluation.rows_with_prefix(rows, group).collect();
        let aggregate = match fold {
            Fold::First(first) => return first.ranked(&all, self.symbols),
            Fold::One(aggregate) => *aggregate,
        };
        let weight = |row: &Row| match (aggregate, row.last().map(|sym| self.symbols.value(*sym))) {
            (Aggregate::Min, Some(Value::Number(number))) => i128::from(number),
            (Aggregate::Sum | Aggregate::Max, Some(Value::Number(number))) => -i128::from(number),
            _ => 0,
        };
        let values = |row: &Row| row.iter().map(|sym| self.symbols.value(*sym)).collect::<Vec<_>>();
        all.sort_by(|one, other| (weight(one), values(one)).cmp(&(weight(other), values(other))));
        all
    }

    /// A way in which the body of an aggregate holds: `on("p1", "n1")`.
    pub(super) fn way(&self, rows: RelationId, row: &[Sym]) -> Option<String> {
        let (rule, told, way) = self.counted(rows, row)?;
        let told = told.into_iter().filter_map(|literal| match self.total(literal, &rule.body, &way) {
            Some(total) => Some(total.text),
            None => literal.positive().map(|atom| self.atom(rule, atom, &way)),
        });
        Some(told.collect::<Vec<_>>().join(", "))
    }

    /// What a row of what stands in braces rests on.
    fn counted(&self, rows: RelationId, row: &[Sym]) -> Option<Braced<'_>> {
        self.program.rules_for(rows).find_map(|rule| {
            let inside = |atom: &Atom| atom.span.start >= rule.span.start && atom.span.end <= rule.span.end;
            let unified = self.unify(rule, &known(row))?;
            let way = self.ways(&unified.body, &unified.binding, 1, &mut |_| true).pop()?;
            let told = rule.body.iter().filter(|literal| literal.positive().is_some_and(inside));
            Some((rule, told.collect(), unified.spread(&way)))
        })
    }
}
