//! Query: any question in the language of the rules.

use serde_json::Value as Json;

use super::listener::Listener;
use super::seen::Seen;
use crate::datalog::{Evaluation, Limits, Query, Sym, Value};
use crate::diagnostic::Diagnostic;
use crate::facts::{Encoder, Grouping};
use crate::policy;

/// What was found.
pub struct Answered {
    /// The variables that were asked for.
    pub names: Vec<String>,
    /// Their values, row by row.
    pub rows: Vec<Vec<Json>>,
}

/// Answers a rule's body at the time `now`, in seconds of Unix time.
///
/// # Errors
/// When it cannot be read, and when the rules derive more than the limits allow.
pub fn query(
    text: &str,
    seen: &Seen,
    limits: &Limits,
    now: i64,
    listener: &dyn Listener,
) -> Result<Answered, Vec<Diagnostic>> {
    let query = Query::compile(&seen.program, text)?;
    let wrong = query.atoms().filter_map(|atom| {
        let place = query.places(atom).nth(1)?;
        Some(policy::wrong_path(&seen.program, atom)?.at(place))
    });
    let (errors, warnings): (Vec<_>, Vec<_>) = wrong.partition(Diagnostic::is_error);
    if !errors.is_empty() {
        return Err(errors);
    }
    listener.tell(warnings);
    let wanted = query.relations();
    let mut encoder = Encoder::new(seen.program.clone(), Grouping::On, &wanted).asked(query.atoms(), &wanted);
    let facts = encoder.all(&*seen.world_for(&query)?, now);
    let symbols = &mut encoder.symbols;
    let evaluation = Evaluation::new(&seen.program, symbols, facts, &wanted, limits)?;
    let value = |sym: &Sym| match symbols.value(*sym) {
        Value::Text(text) => Json::from(text),
        Value::Number(number) => Json::from(number),
    };
    let rows = query.run(&evaluation, symbols)?;
    let rows = rows.iter().map(|row| row.iter().map(value).collect()).collect();
    Ok(Answered { names: query.variables().map(ToOwned::to_owned).collect(), rows })
}
