//! Which of several members a thing belongs to: rendezvous hashing.
//!
//! Each member has a weight for each thing, a hash of both names; the heaviest has it. So all who
//! know the same members agree without a word, a member that goes leaves its things to the others
//! evenly, and no other thing moves.

use sha2::{Digest, Sha256};

/// The member that a thing belongs to; nobody where there is no member. The order and the number
/// of times in which members are named make no difference.
pub fn owner<'m>(members: impl IntoIterator<Item = &'m str>, thing: &str) -> Option<&'m str> {
    members.into_iter().max_by_key(|member| (weight(member, thing), *member))
}

/// It must stay what it is: members of different versions have to agree.
fn weight(member: &str, thing: &str) -> u64 {
    let digest = Sha256::new().chain_update(member).chain_update([0]).chain_update(thing).finalize();
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As it is defined: the heaviest of all, told in the plainest way.
    fn naive(members: &[String], thing: &str) -> Option<String> {
        let mut all: Vec<(u64, String)> = members.iter().map(|it| (weight(it, thing), it.clone())).collect();
        all.sort();
        all.pop().map(|(_, member)| member)
    }

    fn members() -> impl Strategy<Value = Vec<String>> {
        proptest::collection::btree_set("[a-z]{1,6}", 0..7).prop_map(|set| set.into_iter().collect())
    }

    fn of<'m>(members: &'m [String], thing: &str) -> Option<&'m str> {
        owner(members.iter().map(String::as_str), thing)
    }

    proptest! {
        #[test]
        fn all_agree_in_whatever_order_they_know_the_members(all in members(), thing in "[a-z/]{1,12}") {
            let mut other_way = all.clone();
            other_way.reverse();
            prop_assert_eq!(of(&all, &thing), of(&other_way, &thing));
            prop_assert_eq!(of(&all, &thing).map(str::to_owned), naive(&all, &thing));
        }

        #[test]
        fn nothing_moves_but_what_the_one_that_goes_had(all in members(), thing in "[a-z/]{1,12}") {
            for gone in &all {
                let rest: Vec<String> = all.iter().filter(|it| *it != gone).cloned().collect();
                let (before, after) = (of(&all, &thing), of(&rest, &thing));
                if before != Some(gone) {
                    prop_assert_eq!(before, after);
                }
            }
        }
    }

    #[test]
    fn each_has_about_as_many_as_any_other() {
        for members in 1..=5_usize {
            let members: Vec<String> = (0..members).map(|it| format!("controller-{it}")).collect();
            let owned =
                |it: &String| (0..2_000).filter(|n| of(&members, &format!("x/{n}")) == Some(it)).count();
            let even = 2_000 / members.len();
            for count in members.iter().map(owned) {
                assert!(count * 10 > even * 8 && count * 10 < even * 12, "{count} of {even}");
            }
        }
        assert_eq!(owner([], "x"), None);
    }

    #[test]
    fn versions_agree() {
        let owners =
            ["logging/agent", "kube-system/proxy", "default/web"].map(|it| owner(["a", "b", "c"], it));
        assert_eq!(owners, [Some("c"), Some("a"), Some("c")]);
    }
}
