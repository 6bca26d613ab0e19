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

use rustc_hash::FxHashMap;

/// An interned value.
pub type Sym = u32;

/// What a [`Sym`] stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

#[derive(Debug, Clone, Copy)]
enum Entry {
    Text { start: usize, len: usize },
    Number(i64),
}

/// The interner of texts and integers.
#[derive(Debug, Clone, Default)]
pub struct Symbols {
    texts: String,
    entries: Vec<Entry>,
    numbers: FxHashMap<i64, Sym>,
    /// Open addressing over the texts: a half of the hash above a [`Sym`] plus one, or 0 for
    /// a free place. The length is a power of two and at most three quarters are taken.
    /// With the hash at hand, other texts are not looked at and growing reads no text.
    places: Vec<u64>,
    taken: usize,
    /// Keyed at random, as texts come from outside and could be made to collide.
    hasher: RandomState,
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
        self.entries.len()
    }

    /// Whether no value is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The symbol of a text, made if need be.
    pub fn text(&mut self, text: &str) -> Sym {
        if self.taken * 4 >= self.places.len() * 3 {
            self.grow();
        }
        let hash = self.hash(text);
        let (place, found) = self.place(text, hash);
        if let Some(sym) = found {
            return sym;
        }
        let entry = Entry::Text { start: self.texts.len(), len: text.len() };
        self.texts.push_str(text);
        let sym = self.push(entry);
        self.places[place] = hash & HIGH | u64::from(sym + 1);
        self.taken += 1;
        sym
    }

    /// The symbol of an integer, made if need be.
    pub fn number(&mut self, number: i64) -> Sym {
        if let Some(sym) = self.numbers.get(&number) {
            return *sym;
        }
        let sym = self.push(Entry::Number(number));
        self.numbers.insert(number, sym);
        sym
    }

    /// The symbol of a text, if it was seen before.
    #[must_use]
    pub fn find_text(&self, text: &str) -> Option<Sym> {
        if self.places.is_empty() { None } else { self.place(text, self.hash(text)).1 }
    }

    /// The symbol of an integer, if it was seen before.
    #[must_use]
    pub fn find_number(&self, number: i64) -> Option<Sym> {
        self.numbers.get(&number).copied()
    }

    /// What a symbol stands for. A symbol of another interner gives an empty text.
    #[must_use]
    pub fn value(&self, sym: Sym) -> Value<'_> {
        match self.entries.get(sym as usize) {
            Some(Entry::Text { start, len }) => Value::Text(&self.texts[*start..*start + *len]),
            Some(Entry::Number(number)) => Value::Number(*number),
            None => Value::Text(""),
        }
    }

    fn push(&mut self, entry: Entry) -> Sym {
        let sym = Sym::try_from(self.entries.len()).unwrap_or(Sym::MAX - 1);
        self.entries.push(entry);
        sym
    }

    fn hash(&self, text: &str) -> u64 {
        self.hasher.hash_one(text)
    }

    /// Where `text` is or would be put, and its symbol if it is there.
    fn place(&self, text: &str, hash: u64) -> (usize, Option<Sym>) {
        let mask = self.places.len() - 1;
        let mut at = first_place(hash, mask);
        loop {
            let place = self.places[at];
            if place == 0 {
                return (at, None);
            }
            let sym = low(place) - 1;
            if place & HIGH == hash & HIGH && self.value(sym) == Value::Text(text) {
                return (at, Some(sym));
            }
            at = (at + 1) & mask;
        }
    }

    fn grow(&mut self) {
        let size = (self.places.len() * 2).max(64);
        let old = std::mem::replace(&mut self.places, vec![0; size]);
        for place in old.into_iter().filter(|place| *place != 0) {
            let mut at = first_place(place, size - 1);
            while self.places[at] != 0 {
                at = (at + 1) & (size - 1);
            }
            self.places[at] = place;
        }
    }
}

/// The half of a hash that is kept.
const HIGH: u64 = 0xFFFF_FFFF_0000_0000;

fn low(place: u64) -> u32 {
    // The mask leaves what fits.
    u32::try_from(place & !HIGH).unwrap_or(u32::MAX)
}

/// Where the search for a hash begins; it depends on the kept half only.
fn first_place(hash: u64, mask: usize) -> usize {
    usize::try_from(hash >> 32).unwrap_or(0) & mask
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
        assert_eq!(symbols.find_number(7), Some(number));
        assert_eq!(symbols.value(number), Value::Number(7));
        assert_eq!(symbols.len(), 1002);
    }

    #[test]
    fn the_empty_interner_answers() {
        let symbols = Symbols::new();
        assert_eq!(symbols.find_text(""), None);
        assert_eq!(symbols.value(9), Value::Text(""));
    }
}
