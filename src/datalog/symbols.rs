//! Every value the rules see, as a small number.
//!
//! A relation of millions of rows must not hold strings: each text and each integer
//! gets a [`Sym`] the first time it is seen, and rows hold only those. Equal values
//! have equal numbers, so joins and `=` never look at the text; only `<` and its kin
//! do. The numbers say nothing about order.
//!
//! Texts lie one after the other in one allocation, because millions of short strings
//! cost more in the allocator than in bytes.

use std::fmt;
use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;
use rustc_hash::FxHashMap;
use serde::Serialize;

use super::late::{Late, Owned};

/// An interned value.
pub type Sym = u32;

/// What a [`Sym`] stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(untagged)]
pub enum Value<'a> {
    /// A text.
    Text(&'a str),
    /// An integer.
    Number(i64),
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => f.write_str(text),
            Value::Number(number) => write!(f, "{number}"),
        }
    }
}

/// A number, or where a text lies; in as few bytes as will do, as there are millions.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// The number or the start of the text: its lower half, its upper half.
    halves: [u32; 2],
    /// The length of the text, or [`NUMBER`].
    len: u32,
}

const NUMBER: u32 = u32::MAX;

impl Entry {
    fn new(value: u64, len: u32) -> Self {
        let half = |by: u32| u32::try_from(value >> by & u64::from(u32::MAX)).unwrap_or(0);
        Entry { halves: [half(0), half(32)], len }
    }

    fn number(number: i64) -> Self {
        Entry::new(number.cast_unsigned(), NUMBER)
    }

    /// Texts of four gigabytes do not come up.
    fn text(start: usize, len: usize) -> Self {
        Entry::new(start as u64, u32::try_from(len).unwrap_or(NUMBER).min(NUMBER - 1))
    }

    fn value<'t>(&self, texts: &'t str) -> Value<'t> {
        let value = u64::from(self.halves[1]) << 32 | u64::from(self.halves[0]);
        if self.len == NUMBER {
            return Value::Number(value.cast_signed());
        }
        let start = usize::try_from(value).unwrap_or(usize::MAX);
        Value::Text(texts.get(start..start.saturating_add(self.len as usize)).unwrap_or(""))
    }
}

/// The interner of texts and integers.
#[derive(Debug, Clone, Default)]
pub struct Symbols {
    texts: String,
    entries: Vec<Entry>,
    numbers: FxHashMap<i64, Sym>,
    /// The texts' symbols, each with a half of the text's hash: so other texts are not
    /// looked at, and growing reads none.
    places: HashTable<(u32, Sym)>,
    /// Keyed at random, as texts come from outside and could be made to collide.
    hasher: RandomState,
    /// Values that rules worked out since the interner was changed.
    late: Late,
}

impl Symbols {
    /// An interner that knows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many values are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len() + self.late.len()
    }

    /// Whether no value is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The symbol of a text, made if need be.
    pub fn text(&mut self, text: &str) -> Sym {
        self.settle();
        self.insert_text(text)
    }

    fn insert_text(&mut self, text: &str) -> Sym {
        let hash = self.hash(text);
        if let Some(sym) = self.place(text, hash) {
            return sym;
        }
        let entry = Entry::text(self.texts.len(), text.len());
        self.texts.push_str(text);
        let sym = self.push(entry);
        self.places.insert_unique(spread(hash), (hash, sym), |(hash, _)| spread(*hash));
        sym
    }

    /// The symbol of an integer, made if need be.
    pub fn number(&mut self, number: i64) -> Sym {
        self.settle();
        self.insert_number(number)
    }

    fn insert_number(&mut self, number: i64) -> Sym {
        if let Some(sym) = self.numbers.get(&number) {
            return *sym;
        }
        let sym = self.push(Entry::number(number));
        self.numbers.insert(number, sym);
        sym
    }

    /// The symbol of a value, made if need be.
    pub fn intern(&mut self, value: Value<'_>) -> Sym {
        match value {
            Value::Text(text) => self.text(text),
            Value::Number(number) => self.number(number),
        }
    }

    /// The symbol of a value, if it was seen before.
    #[must_use]
    pub fn find(&self, value: Value<'_>) -> Option<Sym> {
        match value {
            Value::Text(text) => self.find_text(text),
            Value::Number(number) => self.find_number(number),
        }
    }

    /// The symbol of a text, if it was seen before.
    #[must_use]
    pub fn find_text(&self, text: &str) -> Option<Sym> {
        let late = || self.number_of_late(self.late.find(&Owned::Text(text.into()))?);
        self.place(text, self.hash(text)).or_else(late)
    }

    /// The symbol of an integer, if it was seen before.
    fn find_number(&self, number: i64) -> Option<Sym> {
        let late = || self.number_of_late(self.late.find(&Owned::Number(number))?);
        self.numbers.get(&number).copied().or_else(late)
    }

    /// The symbol of a value that a rule works out, made if need be; none if there are too
    /// many such values.
    pub(super) fn worked_out(&self, value: Value<'_>) -> Option<Sym> {
        let (known, owned) = match value {
            Value::Text(text) => (self.place(text, self.hash(text)), Owned::Text(text.into())),
            Value::Number(number) => (self.numbers.get(&number).copied(), Owned::Number(number)),
        };
        known.or_else(|| self.number_of_late(self.late.place(owned)?))
    }

    fn number_of_late(&self, place: u32) -> Option<Sym> {
        let base = Sym::try_from(self.entries.len()).ok()?;
        // The largest is no symbol.
        base.checked_add(place).filter(|sym| *sym < Sym::MAX)
    }

    /// Takes in what rules worked out, under the symbols that it has.
    fn settle(&mut self) {
        if self.late.len() == 0 {
            return;
        }
        for value in std::mem::take(&mut self.late).into_values() {
            match value {
                Owned::Text(text) => self.insert_text(&text),
                Owned::Number(number) => self.insert_number(number),
            };
        }
    }

    /// What a symbol stands for. A symbol of another interner gives an empty text.
    #[must_use]
    pub fn value(&self, sym: Sym) -> Value<'_> {
        match self.entries.get(sym as usize) {
            Some(entry) => entry.value(&self.texts),
            None => match self.late.get((sym as usize).saturating_sub(self.entries.len())) {
                Some(Owned::Text(text)) => Value::Text(text),
                Some(Owned::Number(number)) => Value::Number(*number),
                None => Value::Text(""),
            },
        }
    }

    /// The text that a symbol stands for; empty for a number.
    #[must_use]
    pub fn text_of(&self, sym: Sym) -> &str {
        match self.value(sym) {
            Value::Text(text) => text,
            Value::Number(_) => "",
        }
    }

    /// The number that a symbol stands for; 0 for a text.
    #[must_use]
    pub fn number_of(&self, sym: Sym) -> i64 {
        match self.value(sym) {
            Value::Number(number) => number,
            Value::Text(_) => 0,
        }
    }

    fn push(&mut self, entry: Entry) -> Sym {
        let sym = Sym::try_from(self.entries.len()).unwrap_or(Sym::MAX - 1);
        self.entries.push(entry);
        sym
    }

    fn hash(&self, text: &str) -> u32 {
        // The upper half is as good as all of it, and half as large.
        u32::try_from(self.hasher.hash_one(text) >> 32).unwrap_or(0)
    }

    fn place(&self, text: &str, hash: u32) -> Option<Sym> {
        let is = |found: &(u32, Sym)| found.0 == hash && self.value(found.1) == Value::Text(text);
        self.places.find(spread(hash), is).map(|(_, sym)| *sym)
    }
}

/// The table takes its place from the lower bits of a hash and a tag from the upper ones.
fn spread(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_one_symbol() {
        let mut symbols = Symbols::new();
        let texts: Vec<Sym> = (0..1000).map(|n| symbols.text(&format!("node-{n}"))).collect();
        let number = symbols.number(7);
        let seven = symbols.text("7");
        assert_ne!(number, seven);
        for (n, sym) in texts.iter().enumerate() {
            assert_eq!(symbols.text(&format!("node-{n}")), *sym);
            assert_eq!(symbols.value(*sym).to_string(), format!("node-{n}"));
        }
        assert_eq!(symbols.find_text("node-1000"), None);
        assert_eq!(symbols.find_text("7"), Some(seven));
        assert_eq!(symbols.find(Value::Number(7)), Some(number));
        assert_eq!(symbols.value(number), Value::Number(7));
        assert_eq!(symbols.len(), 1002);
    }

    #[test]
    fn numbers_of_any_size_come_back() {
        let mut symbols = Symbols::new();
        for number in [0, -1, 1, i64::MAX, i64::MIN, 1 << 32, -(1 << 32), i64::from(u32::MAX)] {
            let symbol = symbols.number(number);
            assert_eq!(symbols.value(symbol), Value::Number(number));
        }
    }

    #[test]
    fn what_is_worked_out_keeps_its_symbol() {
        let mut symbols = Symbols::new();
        let one = symbols.number(1);
        assert_eq!(symbols.worked_out(Value::Number(1)), Some(one));
        let two = symbols.worked_out(Value::Number(2)).unwrap_or(0);
        let text = symbols.worked_out(Value::Text("two")).unwrap_or(0);
        let all = |symbols: &Symbols| {
            assert_eq!([symbols.value(two), symbols.value(text)], [Value::Number(2), Value::Text("two")]);
            assert_eq!([symbols.find(Value::Number(2)), symbols.find_text("two")], [Some(two), Some(text)]);
            assert_eq!(symbols.worked_out(Value::Text("two")), Some(text));
        };
        all(&symbols);
        assert_eq!(symbols.len(), 3);
        all(&symbols.clone());
        let three = symbols.number(3);
        assert_eq!(symbols.value(three), Value::Number(3));
        all(&symbols);
        assert_eq!([symbols.number(2), symbols.text("two")], [two, text]);
        assert_eq!(symbols.len(), 4);
    }

    #[test]
    fn the_empty_interner_answers() {
        let symbols = Symbols::new();
        assert_eq!(symbols.find_text(""), None);
        assert_eq!(symbols.value(9), Value::Text(""));
    }
}
