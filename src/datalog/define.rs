//! Which comparisons of a body give a variable its value: `X = A + B`, where no atom
//! binds `X`.
//!
//! Which one it is depends on the body alone and not on how it is joined: the first, as
//! they stand, whose other side is known by then. So what a rule derives, and what is too
//! large to be worked out, does not depend on the plan.

use super::program::{Atom, Comparison, Expression, Literal, Operator, Variable};

/// The comparisons that define a variable, by their place in the body, in an order in
/// which each needs only what is known before it.
pub(super) fn definitions(body: &[Literal]) -> Vec<(usize, Variable)> {
    let mut known = in_atoms(body);
    let mut found: Vec<(usize, Variable)> = Vec::new();
    loop {
        let open = body.iter().enumerate().filter(|(at, _)| found.iter().all(|(done, _)| done != at));
        let is_known = |variable: Variable| known & 1 << variable.0 != 0;
        let next = open.filter_map(|(at, literal)| match literal {
            Literal::Comparison(comparison) => Some((at, defined(comparison, is_known)?.0)),
            _ => None,
        });
        let Some((at, variable)) = next.into_iter().next() else { return found };
        known |= 1 << variable.0;
        found.push((at, variable));
    }
}

/// The variables that positive atoms bind, as bits.
pub(super) fn in_atoms(body: &[Literal]) -> u64 {
    let atoms = body.iter().filter_map(|literal| match literal {
        Literal::Positive(atom) => Some(atom),
        _ => None,
    });
    atoms.flat_map(Atom::variables).fold(0, |known, variable| known | 1 << variable.0)
}

/// The variables that have a value, as bits.
pub(super) fn bound(body: &[Literal]) -> u64 {
    definitions(body).into_iter().fold(in_atoms(body), |known, (_, variable)| known | 1 << variable.0)
}

/// The variable that a comparison gives a value, when what is known is known, and the
/// expression that it is the value of.
pub(super) fn defined(
    comparison: &Comparison,
    is_known: impl Fn(Variable) -> bool,
) -> Option<(Variable, &Expression)> {
    if comparison.operator != Operator::Equal {
        return None;
    }
    let side = |one: &Expression, other: &'_ Expression| {
        let variable = one.variable().filter(|variable| !is_known(*variable))?;
        other.variables().all(&is_known).then_some(variable)
    };
    let (left, right) = (&comparison.left, &comparison.right);
    side(left, right)
        .map(|variable| (variable, right))
        .or_else(|| side(right, left).map(|variable| (variable, left)))
}
