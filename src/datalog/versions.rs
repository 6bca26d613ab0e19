//! Comparisons of versions: where one side is a version, the other one is read as one too.

use super::functions::{Function, Sort};
use super::program::Expression;

/// Two sides of a comparison: what is compared with a version is one too.
pub(super) fn versions(left: Expression, right: Expression) -> (Expression, Expression) {
    let is = |side: &Expression| matches!(side, Expression::Call(Function::Version, ..));
    let as_version = |side: Expression| match side {
        Expression::Term(_, span) => Expression::Call(Function::Version, vec![side], span),
        Expression::Call(function, _, span) if function.gives() == Sort::Text => {
            Expression::Call(Function::Version, vec![side], span)
        }
        other => other,
    };
    match right {
        Expression::List(items) => {
            let any = is(&left) || items.iter().any(is);
            let left = if any { as_version(left) } else { left };
            let items = items.into_iter().map(|item| if any { as_version(item) } else { item });
            (left, Expression::List(items.collect()))
        }
        right if is(&left) || is(&right) => (as_version(left), as_version(right)),
        right => (left, right),
    }
}
