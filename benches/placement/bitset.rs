//! The practical limit: one set of nodes as bits for each label and each taint, and a
//! few ands and ors for each daemonset. A program that can do nothing else.

use std::collections::HashMap;

use dsrules::kube::{DaemonSet, Name, Requirement, Taint, Term};
use dsrules::state::World;

use super::{Pair, loops};

struct Index<'a> {
    words: usize,
    nodes: u32,
    labels: HashMap<&'a Name, HashMap<&'a Name, Vec<u64>>>,
    keys: HashMap<&'a Name, Vec<u64>>,
    taints: Vec<(&'a Taint, Vec<u64>)>,
}

pub fn pairs(world: &World) -> Vec<Pair> {
    let index = Index::new(world);
    let mut pairs = Vec::new();
    for (daemonset, at) in world.daemonsets.values().zip(0..) {
        let fits = index.fits(daemonset);
        pairs.reserve(fits.iter().map(|word| word.count_ones() as usize).sum());
        for (word, base) in fits.iter().zip((0..).step_by(64)) {
            let mut word = *word;
            while word != 0 {
                pairs.push((at, base + word.trailing_zeros()));
                word &= word - 1;
            }
        }
    }
    pairs
}

impl<'a> Index<'a> {
    fn new(world: &'a World) -> Self {
        let words = world.nodes.len().div_ceil(64);
        let mut index = Index {
            words,
            nodes: u32::try_from(world.nodes.len()).expect("few nodes"),
            labels: HashMap::new(),
            keys: HashMap::new(),
            taints: Vec::new(),
        };
        // Only labels that are asked for are worth a set.
        let templates = || world.daemonsets.values().map(|it| &it.template);
        let terms = templates().flat_map(|it| it.affinity.iter().flatten());
        let asked = terms.flat_map(|term| term.expressions.iter().map(|it| &it.key));
        for key in asked.chain(templates().flat_map(|it| it.node_selector.keys())) {
            index.labels.entry(key).or_default();
        }
        for (node, at) in world.nodes.values().zip(0..) {
            let (word, bit) = (at / 64, 1 << (at % 64));
            for (key, value) in node.meta.labels.iter() {
                if let Some(values) = index.labels.get_mut(key) {
                    values.entry(value).or_insert_with(|| vec![0; words])[word] |= bit;
                    index.keys.entry(key).or_insert_with(|| vec![0; words])[word] |= bit;
                }
            }
            for taint in node.taints.iter().filter(|it| &*it.effect != "PreferNoSchedule") {
                let place = index.taints.iter().position(|(it, _)| *it == taint).unwrap_or_else(|| {
                    index.taints.push((taint, vec![0; words]));
                    index.taints.len() - 1
                });
                index.taints[place].1[word] |= bit;
            }
        }
        index
    }

    fn all(&self) -> Vec<u64> {
        let mut all = vec![u64::MAX; self.words];
        if !self.nodes.is_multiple_of(64) {
            all[self.words - 1] = (1 << (self.nodes % 64)) - 1;
        }
        all
    }

    fn fits(&self, daemonset: &DaemonSet) -> Vec<u64> {
        let template = &daemonset.template;
        assert!(template.node_name.is_none(), "no workload names a node");
        let mut fits = self.all();
        for (key, value) in template.node_selector.iter() {
            match self.labels.get(key).and_then(|values| values.get(value)) {
                Some(nodes) => each(&mut fits, nodes, |a, b| a & b),
                None => fits.fill(0),
            }
        }
        if let Some(terms) = &template.affinity {
            let mut any = vec![0; self.words];
            for term in terms {
                each(&mut any, &self.matches(term), |a, b| a | b);
            }
            each(&mut fits, &any, |a, b| a & b);
        }
        for (taint, nodes) in &self.taints {
            if !loops::is_added(taint) && !template.tolerations.iter().any(|it| loops::tolerates(it, taint)) {
                each(&mut fits, nodes, |a, b| a & !b);
            }
        }
        fits
    }

    fn matches(&self, term: &Term) -> Vec<u64> {
        assert!(term.fields.is_empty(), "no workload asks for fields");
        if term.expressions.is_empty() {
            return vec![0; self.words];
        }
        let mut matches = self.all();
        for requirement in &term.expressions {
            self.restrict(&mut matches, requirement);
        }
        matches
    }

    fn restrict(&self, nodes: &mut [u64], requirement: &Requirement) {
        let listed = || {
            let mut listed = vec![0; self.words];
            let values = self.labels.get(&requirement.key);
            for value in &requirement.values {
                if let Some(nodes) = values.and_then(|values| values.get(value)) {
                    each(&mut listed, nodes, |a, b| a | b);
                }
            }
            listed
        };
        let has = || self.keys.get(&requirement.key).cloned().unwrap_or_else(|| vec![0; self.words]);
        match &*requirement.operator {
            "In" => each(nodes, &listed(), |a, b| a & b),
            "NotIn" => each(nodes, &listed(), |a, b| a & !b),
            "Exists" => each(nodes, &has(), |a, b| a & b),
            "DoesNotExist" => each(nodes, &has(), |a, b| a & !b),
            other => panic!("no workload uses {other}"),
        }
    }
}

fn each(to: &mut [u64], from: &[u64], join: impl Fn(u64, u64) -> u64) {
    to.iter_mut().zip(from).for_each(|(a, b)| *a = join(*a, *b));
}
