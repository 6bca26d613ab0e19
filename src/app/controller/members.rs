//! Who the controllers are, and which of them may write what.
//!
//! ```text
//!   members/ID   a key a member, under its lease; its value says what the member had seen last
//!   term         written by each member that comes
//! ```
//! A daemonset belongs to one member by [`owner`]. Every write compares two things: that the
//! member's own key is still the one it made, so one whose lease has ended cannot write; and that
//! the term is the one its share was worked out in, so one that has not heard of a new member
//! cannot write what may be that one's now.
//!
//! So two never write for one daemonset without the second knowing all that the first wrote.
//! Within a term members only go. Say X and Y both write for a daemonset in one term, X first. X
//! took itself for its owner among at least those who were alive, Y among them; so Y is its owner
//! only among members without X, which Y knows from hearing that X's key went. What is heard
//! comes in the order of the store: Y has heard all that X wrote before. And X cannot write after.

use std::collections::BTreeMap;

use super::share::owner;
use crate::kube::{Name, ObjectKey};

/// The members as they were heard of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Members {
    /// Each with the revision that made its key.
    live: BTreeMap<Name, i64>,
    /// The revision that wrote the term last; 0 where nobody did.
    term: i64,
}

/// What a write of a member compares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// The member.
    pub member: Name,
    /// The revision that made its key.
    pub created: i64,
    /// The revision that wrote the term.
    pub term: i64,
}

impl Members {
    /// That a member's key is there, made by the revision `created`.
    pub fn came(&mut self, member: Name, created: i64) {
        self.live.insert(member, created);
    }

    /// That a member's key is gone.
    pub fn went(&mut self, member: &str) {
        self.live.remove(member);
    }

    /// That the term was written.
    pub fn begins(&mut self, term: i64) {
        self.term = term;
    }

    /// The member that a daemonset, or something that belongs to none, belongs to.
    #[must_use]
    pub fn owner(&self, thing: &ObjectKey) -> Option<&str> {
        owner(self.live.keys().map(|it| &**it), &thing.to_string())
    }

    /// What the writes of a member compare; nothing where it is none, as far as is known.
    #[must_use]
    pub fn guard(&self, member: &str, created: i64) -> Option<Guard> {
        let (member, found) = self.live.get_key_value(member)?;
        (*found == created).then(|| Guard { member: member.clone(), created, term: self.term })
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.live.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_went_and_came_back_is_another_one() {
        let mut members = Members::default();
        members.begins(3);
        members.came("a".into(), 3);
        assert_eq!(members.guard("a", 3), Some(Guard { member: "a".into(), created: 3, term: 3 }));
        members.went("a");
        assert_eq!(members.guard("a", 3), None);
        members.begins(9);
        members.came("a".into(), 9);
        assert_eq!(members.guard("a", 3), None, "a lease of before");
        assert_eq!(members.guard("a", 9).map(|it| it.term), Some(9));
    }

    #[test]
    fn what_belongs_to_one_that_goes_is_anothers() {
        let mut members = Members::default();
        ["a", "b", "c"].into_iter().zip(1..).for_each(|(member, at)| members.came(member.into(), at));
        let thing = ObjectKey::new("default", "web");
        let first = members.owner(&thing).map(str::to_owned).unwrap_or_default();
        members.went(&first);
        assert!(members.owner(&thing).is_some_and(|it| it != first));
        assert_eq!(Members::default().owner(&thing), None);
    }
}
