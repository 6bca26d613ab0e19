//! Values that rules work out while they run.
//!
//! Rules run on several cores over one interner that none of them may change. What they
//! work out is kept beside it, numbered on from its last symbol, until it is changed the
//! next time and takes it in under the same numbers.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// So many values may be kept: rules that count on without an end have to be stopped.
pub(super) const MOST: usize = 10_000_000;

/// The values, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Late {
    entries: boxcar::Vec<Owned>,
    places: RwLock<HashMap<Owned, u32>>,
}

/// A value of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Owned {
    Text(Box<str>),
    Number(i64),
}

impl Late {
    pub fn len(&self) -> usize {
        self.entries.count()
    }

    pub fn get(&self, at: usize) -> Option<&Owned> {
        self.entries.get(at)
    }

    /// The place of a value, if it is there.
    pub fn find(&self, value: &Owned) -> Option<u32> {
        if self.len() == 0 {
            return None;
        }
        self.places.read().unwrap_or_else(PoisonError::into_inner).get(value).copied()
    }

    /// The place of a value, which is made if need be; none if there are too many.
    pub fn place(&self, value: Owned) -> Option<u32> {
        if let Some(place) = self.find(&value) {
            return Some(place);
        }
        let mut places = self.places.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.get(&value) {
            return Some(*place);
        }
        let place = u32::try_from(self.len()).ok().filter(|place| (*place as usize) < MOST)?;
        // Only here are values added, one at a time.
        self.entries.push(value.clone());
        places.insert(value, place);
        Some(place)
    }

    /// All values in order.
    pub fn into_values(self) -> impl Iterator<Item = Owned> {
        self.entries.into_iter()
    }
}

impl Clone for Late {
    fn clone(&self) -> Self {
        let places = self.places.read().unwrap_or_else(PoisonError::into_inner);
        Late { entries: self.entries.clone(), places: RwLock::new(places.clone()) }
    }
}
