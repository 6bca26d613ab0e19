//! Texts that are compared with numbers, read as times: `Now > "2026-12-24T18:00Z"`.
//!
//! Only what is a time becomes one; other texts stay, and the check says what is wrong.

use super::define::definitions;
use super::functions::{Sort, time};
use super::program::{Body, Comparison, Expression, Literal, Term, Variable};

/// Reads the times of a body.
pub(super) fn read_times(body: &Body, literals: &mut [Literal]) {
    let mut numbers = 0u64;
    for literal in literals.iter() {
        let (Literal::Positive(atom) | Literal::Negative(atom)) = literal else { continue };
        let Some(declaration) = body.declarations.get(atom.relation.index()) else { continue };
        for (column, term) in declaration.columns.iter().zip(&atom.terms) {
            if let Term::Variable(variable) = term
                && column.ty.is_number()
            {
                numbers |= 1 << variable.0;
            }
        }
    }
    for (at, variable) in definitions(literals) {
        if let Literal::Comparison(comparison) = &literals[at]
            && [&comparison.left, &comparison.right].into_iter().any(|side| is_number(side, numbers))
        {
            numbers |= 1 << variable.0;
        }
    }
    for literal in literals {
        let Literal::Comparison(Comparison { left, right, .. }) = literal else { continue };
        if is_number(left, numbers) {
            read(right);
        } else if is_number(right, numbers) {
            read(left);
        }
    }
}

fn is_number(expression: &Expression, numbers: u64) -> bool {
    match expression {
        Expression::Term(Term::Number(_), _)
        | Expression::Written(..)
        | Expression::Negate(_)
        | Expression::Binary(..) => true,
        Expression::Term(Term::Variable(Variable(at)), _) => numbers & 1 << at != 0,
        Expression::Call(function, ..) => function.gives() == Sort::Number,
        Expression::Term(..) | Expression::Pattern(_) | Expression::List(_) => false,
    }
}

fn read(side: &mut Expression) {
    match side {
        Expression::List(items) => items.iter_mut().for_each(read),
        Expression::Term(Term::Text(text), span) => {
            if let Some(seconds) = time(text) {
                *side = Expression::Written(seconds, format!("\"{text}\"").into(), *span);
            }
        }
        _ => {}
    }
}
