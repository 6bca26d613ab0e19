//! Types of columns; of numbers also what they count.
//!
//! ```text
//!  .type Node                     texts, which no other type has
//!  .type Seconds <: number        a unit
//!  .type Grace <: Seconds         a name for seconds that are a grace
//! ```
//! Texts of two types are never the same. Numbers may meet if they are of one unit, or if
//! one of them has none, as `number` itself. Some units the language knows by name, as it
//! writes numbers in them (`30d`, `64Mi`, `"2026-12-24"`), or has functions that give them.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::units::{self, AMOUNT, SECONDS, TIME};

/// The built-in type of integers.
pub const NUMBER: &str = "number";

/// The type of a column: its name, and what its values are.
#[derive(Clone, PartialEq, Eq)]
pub struct Type {
    name: Arc<str>,
    values: Values,
}

#[derive(Clone, PartialEq, Eq)]
enum Values {
    Texts,
    Numbers,
    /// Numbers of a unit.
    Of(Arc<str>),
}

impl Type {
    /// One of texts.
    pub(super) fn texts(name: impl Into<Arc<str>>) -> Self {
        Type { name: name.into(), values: Values::Texts }
    }

    /// `number`
    pub(super) fn number() -> Self {
        Type { name: NUMBER.into(), values: Values::Numbers }
    }

    /// That of numbers of a unit, or of none.
    pub(super) fn of_unit(unit: Option<Arc<str>>) -> Self {
        unit.map_or_else(Type::number, |unit| Type { name: unit.clone(), values: Values::Of(unit) })
    }

    /// `.type NAME <: base`; none if the base has texts.
    pub(super) fn below(name: Arc<str>, base: &Type) -> Option<Self> {
        let unit = match &base.values {
            Values::Texts => return None,
            Values::Numbers => name.clone(),
            Values::Of(unit) => unit.clone(),
        };
        Some(Type { name, values: Values::Of(unit) })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Whether its values are numbers.
    #[must_use]
    pub fn is_number(&self) -> bool {
        self.values != Values::Texts
    }

    /// With its article: `a `Node``, `an `Amount``.
    #[must_use]
    pub(super) fn with_article(&self) -> String {
        let article = if self.starts_with(['A', 'E', 'I', 'O']) { "an" } else { "a" };
        format!("{article} `{}`", self.name)
    }

    /// The unit of its numbers, if they have one.
    #[must_use]
    pub fn unit(&self) -> Option<&Arc<str>> {
        match &self.values {
            Values::Of(unit) => Some(unit),
            Values::Texts | Values::Numbers => None,
        }
    }

    /// Whether a value may be of both: numbers of one unit, or one of none; else the same.
    pub(super) fn meets(&self, other: &Type) -> bool {
        match (&self.values, &other.values) {
            (Values::Of(one), Values::Of(other)) => one == other,
            (Values::Texts, _) | (_, Values::Texts) => self == other,
            _ => true,
        }
    }

    /// The number that a text writes, as a rule may, if it is one of this type: `30d` and
    /// `2026-12-24` are numbers, but no `Amount`.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<i64> {
        let plain = || text.parse::<i64>().ok();
        let with_unit = || {
            let (number, written) = match units::literal(text) {
                Ok(number) => (number, units::unit(text)),
                Err(_) => (super::functions::time(text)?, Some(TIME)),
            };
            let wrong = written.zip(self.unit()).is_some_and(|(written, unit)| *written != **unit);
            (!wrong).then_some(number)
        };
        if self.is_number() { plain().or_else(with_unit) } else { None }
    }

    /// How one writes a value of it: a number, with what may stand behind it.
    #[must_use]
    pub fn example(&self) -> &'static str {
        match self.unit().map(|unit| &**unit) {
            _ if !self.is_number() => "write a text in quotes",
            None => {
                "write a whole number, one with a unit (`100m`, `64Mi`, `30d`), or a time (`2026-12-24T18:00Z`)"
            }
            Some(TIME) => "write a time (`2026-12-24T18:00Z`), or seconds of Unix time",
            Some(SECONDS) => "write seconds, or a number with a unit: `90`, `30s`, `5min`, `12h`, `30d`",
            Some(AMOUNT) => "write a whole number, or one with a unit: `500m`, `1.5cpu`, `64Mi`",
            Some(_) => "write a whole number without a unit",
        }
    }
}

impl Deref for Type {
    type Target = str;

    fn deref(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}

impl fmt::Debug for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_meet_in_one_unit_or_none() {
        let below = |name: &str, base: &Type| Type::below(name.into(), base);
        let number = Type::number();
        let seconds = below(SECONDS, &number).unwrap();
        let [grace, delay] = ["Grace", "Delay"].map(|name| below(name, &seconds).unwrap());
        let cost = below("Cost", &number).unwrap();
        let node = Type::texts("Node");
        assert_eq!(below("Spot", &node), None);
        for (one, other, meet) in [
            (&number, &seconds, true),
            (&seconds, &grace, true),
            (&grace, &delay, true),
            (&grace, &cost, false),
            (&number, &node, false),
            (&node, &node, true),
            (&node, &Type::texts("Pod"), false),
        ] {
            assert_eq!((one.meets(other), other.meets(one)), (meet, meet), "{one} {other}");
        }
    }

    #[test]
    fn a_text_is_read_in_the_unit_of_its_type() {
        let [time, seconds, amount, cost] =
            [TIME, SECONDS, AMOUNT, "Cost"].map(|unit| Type::of_unit(Some(unit.into())));
        let number = Type::number();
        for (text, read) in [
            ("7", [Some(7); 5]),
            ("+7", [Some(7); 5]),
            ("2k", [Some(2000); 5]),
            ("1h", [Some(3600), None, Some(3600), None, None]),
            ("64Ki", [Some(65536), None, None, Some(65536), None]),
            ("500m", [Some(500), None, None, Some(500), None]),
            ("1970-01-02", [Some(86400), Some(86400), None, None, None]),
            ("1.5", [None; 5]),
            ("many", [None; 5]),
        ] {
            let types = [&number, &time, &seconds, &amount, &cost];
            assert_eq!(types.map(|ty| ty.read(text)), read, "{text}");
        }
        assert_eq!(Type::texts("Node").read("7"), None);
    }
}
