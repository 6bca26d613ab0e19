//! All pods of a world, in the order of their keys.
//!
//! There may be millions, each of which says its own key, so a map would have every key twice.
//! They are in blocks, one after the other: a pod is found by halving, first the blocks, then
//! the pods of one, and one more moves only those behind it in its block.

use std::ops::Index;

use crate::kube::{ObjectKey, Pod};

/// So many pods are in a block at the most.
const MOST: usize = 128;
/// So many blocks are filled at a time where many pods come at once.
const BLOCKS: usize = 64;

/// Pods by key, as a map from [`ObjectKey`] would have them.
#[derive(Debug, Clone, Default)]
pub struct Pods {
    /// Sorted, and none is empty.
    blocks: Vec<Vec<Pod>>,
    len: usize,
}

/// Where a pod is, or where it would have to be.
enum Spot {
    There(usize, usize),
    Before(usize, usize),
}

impl Pods {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The pod of this key.
    #[must_use]
    pub fn get(&self, key: &ObjectKey) -> Option<&Pod> {
        match self.spot(key) {
            Spot::There(block, at) => self.blocks.get(block)?.get(at),
            Spot::Before(..) => None,
        }
    }

    /// The same, to be changed; its key stays what it is.
    pub fn get_mut(&mut self, key: &ObjectKey) -> Option<&mut Pod> {
        match self.spot(key) {
            Spot::There(block, at) => self.blocks.get_mut(block)?.get_mut(at),
            Spot::Before(..) => None,
        }
    }

    /// Whether there is one of this key.
    #[must_use]
    pub fn contains_key(&self, key: &ObjectKey) -> bool {
        matches!(self.spot(key), Spot::There(..))
    }

    /// Puts a pod in by its key, and gives the one back that had it.
    pub fn insert(&mut self, key: ObjectKey, mut pod: Pod) -> Option<Pod> {
        pod.meta.key = key;
        let (block, at) = match self.spot(&pod.meta.key) {
            Spot::There(block, at) => return Some(std::mem::replace(&mut self.blocks[block][at], pod)),
            Spot::Before(block, at) => (block, at),
        };
        self.len += 1;
        match self.blocks.get_mut(block) {
            Some(pods) if pods.len() < MOST => pods.insert(at, pod),
            // Whoever reads pods in order fills each block.
            Some(pods) if at == pods.len() => self.blocks.insert(block + 1, vec![pod]),
            Some(pods) => {
                let mut behind = pods.split_off(MOST / 2);
                pods.shrink_to_fit();
                match at.checked_sub(MOST / 2) {
                    Some(at) => behind.insert(at, pod),
                    None => pods.insert(at, pod),
                }
                self.blocks.insert(block + 1, behind);
            }
            None => self.blocks.push(vec![pod]),
        }
        None
    }

    /// Puts many pods in at once. Only blocks that some of them belong into are made anew.
    pub fn add(&mut self, mut more: Vec<Pod>) {
        more.sort_unstable_by(|one, other| one.meta.key.cmp(&other.meta.key));
        let mut more = more.into_iter().peekable();
        let mut filled = Filled::default();
        for block in std::mem::take(&mut self.blocks) {
            let Some(last) = block.last().map(|pod| pod.meta.key.clone()) else { continue };
            if more.peek().is_none_or(|next| next.meta.key > last) {
                filled.keep(block);
                continue;
            }
            for pod in block {
                while let Some(next) = more.next_if(|next| next.meta.key < pod.meta.key) {
                    filled.push(next);
                }
                let other = more.next_if(|next| next.meta.key == pod.meta.key);
                filled.push(other.unwrap_or(pod));
            }
        }
        more.for_each(|pod| filled.push(pod));
        *self = filled.pods();
    }

    /// Takes a pod out.
    pub fn remove(&mut self, key: &ObjectKey) -> Option<Pod> {
        let Spot::There(block, at) = self.spot(key) else { return None };
        let pod = self.blocks[block].remove(at);
        if self.blocks[block].is_empty() {
            self.blocks.remove(block);
        }
        self.len -= 1;
        Some(pod)
    }

    /// Takes out those that are not wanted.
    pub fn retain(&mut self, mut is_wanted: impl FnMut(&ObjectKey, &mut Pod) -> bool) {
        for block in &mut self.blocks {
            block.retain_mut(|pod| {
                let key = pod.meta.key.clone();
                is_wanted(&key, pod)
            });
        }
        self.blocks.retain(|block| !block.is_empty());
        self.len = self.blocks.iter().map(Vec::len).sum();
    }

    /// The pods, in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Pod> + Clone {
        self.blocks.iter().flatten()
    }

    /// The same, to be changed; their keys stay what they are.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Pod> {
        self.blocks.iter_mut().flatten()
    }

    /// Their keys, in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &ObjectKey> + Clone {
        self.values().map(|pod| &pod.meta.key)
    }

    /// Each with its key, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&ObjectKey, &Pod)> + Clone {
        self.values().map(|pod| (&pod.meta.key, pod))
    }

    fn spot(&self, key: &ObjectKey) -> Spot {
        let ends_before = |block: &Vec<Pod>| block.last().is_some_and(|pod| pod.meta.key < *key);
        // Whoever reads pods in order puts each at the end.
        let block = match self.blocks.last() {
            Some(last) if ends_before(last) => return Spot::Before(self.blocks.len() - 1, last.len()),
            _ => self.blocks.partition_point(ends_before),
        };
        let Some(pods) = self.blocks.get(block) else { return Spot::Before(block, 0) };
        match pods.binary_search_by(|pod| pod.meta.key.cmp(key)) {
            Ok(at) => Spot::There(block, at),
            Err(at) => Spot::Before(block, at),
        }
    }
}

/// Blocks that are put together anew.
#[derive(Default)]
struct Filled {
    blocks: Vec<Vec<Pod>>,
    len: usize,
    /// Those that are in no block yet.
    next: Vec<Pod>,
}

impl Filled {
    fn push(&mut self, pod: Pod) {
        self.next.push(pod);
        if self.next.len() == MOST * BLOCKS {
            self.cut();
        }
    }

    /// A block as it is.
    fn keep(&mut self, block: Vec<Pod>) {
        self.cut();
        self.len += block.len();
        self.blocks.push(block);
    }

    /// Makes blocks of about one size.
    fn cut(&mut self) {
        self.len += self.next.len();
        let blocks = self.next.len().div_ceil(MOST).max(1);
        let each = self.next.len().div_ceil(blocks).max(1);
        let mut pods = self.next.drain(..);
        while pods.len() > 0 {
            self.blocks.push(pods.by_ref().take(each).collect());
        }
    }

    fn pods(mut self) -> Pods {
        self.cut();
        Pods { blocks: self.blocks, len: self.len }
    }
}

impl PartialEq for Pods {
    fn eq(&self, other: &Pods) -> bool {
        self.len == other.len && self.values().eq(other.values())
    }
}

impl Index<&ObjectKey> for Pods {
    type Output = Pod;

    /// # Panics
    /// When there is no such pod.
    #[allow(clippy::expect_used)] // Whoever indexes has just found it; what is looked for is `get`.
    fn index(&self, key: &ObjectKey) -> &Pod {
        self.get(key).expect("a pod that is there")
    }
}

impl FromIterator<(ObjectKey, Pod)> for Pods {
    fn from_iter<T: IntoIterator<Item = (ObjectKey, Pod)>>(pods: T) -> Self {
        let mut all = Pods::default();
        pods.into_iter().for_each(|(key, pod)| drop(all.insert(key, pod)));
        all
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn pod(number: u16, uid: usize) -> (ObjectKey, Pod) {
        let key = ObjectKey::new("default", format!("p-{number}"));
        let mut pod = Pod::from_value(key.clone(), Arc::new(json!({})));
        pod.meta.uid = uid.to_string().as_str().into();
        (key, pod)
    }

    #[derive(Debug, Clone)]
    enum Step {
        Insert(u16),
        Remove(u16),
        Add(Vec<u16>),
        Only(u16),
    }

    fn step() -> impl Strategy<Value = Step> {
        let number = || 0..700_u16;
        prop_oneof![
            4 => number().prop_map(Step::Insert),
            4 => number().prop_map(Step::Remove),
            3 => proptest::collection::vec(number(), 0..400).prop_map(Step::Add),
            1 => (2..9_u16).prop_map(Step::Only),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]
        #[test]
        fn pods_are_what_a_map_would_have(steps in proptest::collection::vec(step(), 1..40)) {
            let (mut pods, mut map) = (Pods::default(), BTreeMap::new());
            for (uid, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Insert(number) => {
                        let (key, pod) = pod(number, uid);
                        prop_assert_eq!(pods.insert(key.clone(), pod.clone()), map.insert(key, pod));
                    }
                    Step::Remove(number) => {
                        let key = pod(number, uid).0;
                        prop_assert_eq!(pods.get(&key), map.get(&key));
                        prop_assert_eq!(pods.remove(&key), map.remove(&key));
                    }
                    Step::Add(numbers) => {
                        let more: BTreeMap<_, _> = numbers.into_iter().map(|it| pod(it, uid)).collect();
                        pods.add(more.values().rev().cloned().collect());
                        map.extend(more);
                    }
                    Step::Only(of) => {
                        let is_wanted = |key: &ObjectKey| !key.name.len().is_multiple_of(usize::from(of));
                        pods.retain(|key, _| is_wanted(key));
                        map.retain(|key, _| is_wanted(key));
                    }
                }
                prop_assert!(pods.iter().eq(map.iter()));
                prop_assert_eq!(pods.len(), map.len());
                prop_assert!(pods.blocks.iter().all(|block| (1..=MOST).contains(&block.len())));
                prop_assert_eq!(&pods, &map.clone().into_iter().collect());
            }
        }
    }
}
