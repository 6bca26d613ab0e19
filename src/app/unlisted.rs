//! Unchanged objects in a plan: of very many a person is told their number.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, Name, ObjectKey};
use crate::plan::{Applied, Plan};
use crate::state::Change;
use crate::target::Memory;

/// Of each kind so many unchanged objects are told of where they are not all.
const TOLD: usize = 10;

/// Puts into a plan the objects of known files, in the order in which they would have been
/// applied: `all` of them, or of each kind the first and how many more there are. They have so
/// many of these `kinds`.
pub(super) fn list<'k>(
    plan: &mut Plan,
    store: &dyn Memory,
    id: &str,
    files: &BTreeSet<Name>,
    kinds: impl Iterator<Item = (&'k Kind, &'k usize)>,
    all: bool,
) -> Result<(), Diagnostic> {
    if files.is_empty() {
        return Ok(());
    }
    let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
    for (kind, count) in kinds {
        *counts.entry(*kind).or_default() += count;
    }
    let told = store.objects_of(id, files, &counts, if all { usize::MAX } else { TOLD })?;
    for (kind, _) in &told {
        counts.entry(*kind).and_modify(|count| *count = count.saturating_sub(1));
    }
    counts.retain(|_, count| *count > 0);
    plan.unlisted = counts;
    insert(plan, told);
    Ok(())
}

/// Puts unchanged objects into a plan, in the order in which all are applied; what is pruned
/// comes last.
pub(super) fn insert(plan: &mut Plan, unchanged: impl IntoIterator<Item = (Kind, ObjectKey)>) {
    let objects = &mut plan.objects;
    let end = objects.iter().position(|it| it.change == Change::Pruned).unwrap_or(objects.len());
    let pruned = objects.split_off(end);
    let unchanged = unchanged.into_iter();
    objects.extend(unchanged.map(|(kind, key)| Applied { kind, key, change: Change::Unchanged }));
    objects.sort_by(|a, b| (a.kind, &a.key).cmp(&(b.kind, &b.key)));
    objects.extend(pruned);
}
