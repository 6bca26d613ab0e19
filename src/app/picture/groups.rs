//! Nodes that no rule tells apart.

use std::collections::{BTreeMap, HashMap};

use super::cells::Apart;
use crate::kube::Name;

/// Nodes that no rule tells apart: of each daemonset the rules say the same of all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// The first of them in the list of all nodes.
    pub first: usize,
    /// How many there are.
    pub count: usize,
}

/// The names in the order in which they are shown, and the groups that they are in: the group
/// whose first node comes first by name is the first.
pub(super) fn groups(
    nodes: impl Iterator<Item = Name>,
    now: &HashMap<Name, Apart>,
    after: &HashMap<Name, Apart>,
) -> (Vec<Name>, Vec<Group>) {
    let mut found: BTreeMap<(Option<&Apart>, Option<&Apart>), Vec<Name>> = BTreeMap::new();
    for node in nodes {
        found.entry((now.get(&node), after.get(&node))).or_default().push(node);
    }
    let mut all: Vec<Vec<Name>> = found.into_values().collect();
    all.iter_mut().for_each(|names| names.sort());
    all.sort();
    let mut first = 0;
    let groups = all.iter().map(|names| {
        let group = Group { first, count: names.len() };
        first += names.len();
        group
    });
    let groups = groups.collect();
    (all.into_iter().flatten().collect(), groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_answers_stand_together_by_their_first_name() {
        let of = |names: &[(&str, Apart)]| -> HashMap<Name, Apart> {
            names.iter().map(|(name, apart)| (Name::from(*name), *apart)).collect()
        };
        let now = of(&[("a", (1, 0)), ("b", (0, 0)), ("c", (1, 0)), ("d", (0, 1))]);
        let after = of(&[("a", (1, 0)), ("b", (0, 0)), ("c", (1, 0)), ("d", (0, 1)), ("e", (0, 0))]);
        let (names, groups) = groups("edcba".chars().map(|it| Name::from(it.to_string())), &now, &after);
        assert_eq!(names.join(""), "acbde");
        let sizes: Vec<(usize, usize)> = groups.iter().map(|it| (it.first, it.count)).collect();
        assert_eq!(sizes, [(0, 2), (2, 1), (3, 1), (4, 1)]);
    }
}
