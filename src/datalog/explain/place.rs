//! The place of a row among those that `first` takes of, in an explanation: the 2nd of 5.

use super::super::aggregate::Fold;
use super::super::program::{Atom, Literal};
use super::super::rows::Row;
use super::super::symbols::Sym;
use super::explainer::{Binding, Explainer};
use super::goal::{Counted, Total};
use super::total::FIRST;

impl Explainer<'_> {
    /// What `first` that an atom stands for says of a row.
    pub fn place(&self, literal: &Literal, body: &[Literal], way: &Binding) -> Option<Total> {
        let atom = literal.positive()?;
        let (rule, rows) = self.fold(atom)?;
        let Some(Fold::First(first)) = &rule.fold else { return None };
        let declaration = self.program.declaration(atom.relation);
        let group = self.group(atom, way);
        let of_group = |group: &Vec<Sym>| self.evaluation.rows_with_prefix(rows, group).collect::<Vec<Row>>();
        let ranked = group.as_ref().map(|group| first.ranked(&of_group(group), self.symbols));
        let ranked = ranked.unwrap_or_default();
        let columns = atom.terms.len() - 1;
        let names = declaration.columns[columns - first.values..].iter();
        let terms = &atom.terms[columns - first.values..columns];
        let sym = |term| self.symbols.find(self.filled_term(term, way).constant()?);
        let wanted: Vec<Option<Sym>> = terms.iter().map(sym).collect();
        let taken: Vec<String> = names
            .zip(&wanted)
            .map(|(column, sym)| match sym {
                Some(sym) => format!("{} = {}", column.name, self.quoted(*sym)),
                None => column.name.to_string(),
            })
            .collect();
        let is_it = |row: &Row| {
            first.taken(row).iter().zip(&wanted).all(|(sym, wanted)| wanted.is_none_or(|it| it == *sym))
        };
        let is_known = wanted.iter().all(Option::is_some);
        let at = ranked.iter().position(is_it).filter(|_| is_known);
        let place = at.map_or_else(|| "none".to_owned(), |at| nth(at + 1));
        let text = format!(
            "{} is {place} of {} in {}{}",
            taken.join(", "),
            ranked.len(),
            declaration.name,
            self.of_group(atom, group.as_deref())
        );
        let shown = ranked
            .iter()
            .take(FIRST)
            .filter_map(|row| Some(Counted { text: self.way(rows, row)?, value: None, parts: Vec::new() }));
        let holds = at.is_some() && self.is_among(atom, body, way);
        Some(Total {
            text,
            aggregate: None,
            value: None,
            wanted: None,
            of: Vec::new(),
            ways: ranked.len(),
            first: shown.collect(),
            holds,
        })
    }

    /// Whether a place is one of the first.
    fn is_among(&self, atom: &Atom, body: &[Literal], way: &Binding) -> bool {
        let is_of_it = |literal: &&Literal| match literal {
            Literal::Positive(it) => it.span == atom.span,
            Literal::Comparison(it) => it.span == atom.span,
            Literal::Negative(_) => false,
        };
        let both: Vec<Literal> = body.iter().filter(is_of_it).cloned().collect();
        !self.ways(&both, way, 1, &mut |_| true).is_empty()
    }
}

/// `1st`, `2nd`, `11th`
fn nth(number: usize) -> String {
    let ending = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}
