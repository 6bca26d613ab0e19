//! How each daemonset stands on each node of a world, as the rules have it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::app::derived::{State, Wanted, derive_wanted};
use crate::datalog::{Handle, Limits, Program, RelationId, Row, Sym};
use crate::diagnostic::Diagnostic;
use crate::facts::Grouping;
use crate::kube::{Name, ObjectKey};
use crate::policy::relations;
use crate::state::World;

/// What is read beside what is asked for a picture: what tells nodes apart.
const APART: &[Handle] = &[
    relations::blocked,
    relations::hold,
    relations::in_class,
    relations::in_profile,
    relations::may_start,
    relations::may_stay,
];

/// A word for each daemonset on each node.
#[derive(Debug, Clone, Default)]
pub struct Cells {
    /// By node, then by daemonset: the place of the word, or nothing of what is not there.
    places: Vec<u8>,
    daemonsets: usize,
}

/// A place of what is not there.
const NOWHERE: u8 = u8::MAX;

impl Cells {
    /// The place of the word for a daemonset on a node; nothing where one of them is not there.
    #[must_use]
    pub fn at(&self, node: usize, daemonset: usize) -> Option<usize> {
        let place = *self.places.get(node * self.daemonsets + daemonset)?;
        (place != NOWHERE).then_some(usize::from(place))
    }

    /// The places of all daemonsets on a node.
    pub fn of_node(&self, node: usize) -> impl Iterator<Item = Option<usize>> + '_ {
        (0..self.daemonsets).map(move |daemonset| self.at(node, daemonset))
    }
}

/// What the rules say of a world.
pub(super) struct Drawn<'p> {
    state: State,
    program: &'p Program,
}

impl<'p> Drawn<'p> {
    /// Asks them.
    ///
    /// # Errors
    /// When a rule derives more than the limits allow.
    pub fn of(
        program: &'p Program,
        world: &World,
        now: i64,
        limits: &Limits,
    ) -> Result<Drawn<'p>, Diagnostic> {
        let ids: Vec<RelationId> = relations::PICTURE.iter().chain(APART).map(|it| program.id(*it)).collect();
        let wanted = Wanted { relations: &ids, atoms: &[], grouping: Grouping::On };
        Ok(Drawn { state: derive_wanted(program, world, now, None, &wanted, limits)?, program })
    }

    /// The words, the one that is looked at first at the beginning, and that of a pair of which
    /// nothing is said at the end.
    pub fn words(&self) -> Vec<Name> {
        let ordered: BTreeMap<i64, Name> = self
            .rows(relations::standing)
            .map(|row| (self.number(row[0]), Name::from(self.text(row[1]))))
            .collect();
        ordered.into_values().collect()
    }

    /// A word for each pair of those that are there; of several the first.
    pub fn cells(&self, world: &World, nodes: &[Name], daemonsets: &[ObjectKey], words: &[Name]) -> Cells {
        let last = u8::try_from(words.len().saturating_sub(1)).unwrap_or(NOWHERE);
        let place_of: HashMap<&str, u8> = words.iter().map(|word| &**word).zip(0..).collect();
        let rows: HashMap<Name, usize> = nodes.iter().cloned().zip(0..).collect();
        let columns: HashMap<String, usize> = daemonsets.iter().map(ToString::to_string).zip(0..).collect();
        let mut places = Vec::with_capacity(nodes.len() * daemonsets.len());
        for node in nodes {
            let is_there = world.nodes.contains_key(&ObjectKey::new("", node.clone()));
            places.extend(
                daemonsets
                    .iter()
                    .map(|key| if is_there && world.daemonsets.contains_key(key) { last } else { NOWHERE }),
            );
        }
        for row in self.rows(relations::stands) {
            let (daemonset, node) = (self.text(row[0]), self.text(row[1]));
            let (Some(column), Some(line)) = (columns.get(daemonset), rows.get(node)) else { continue };
            let Some(place) = place_of.get(self.text(row[2])) else { continue };
            if let Some(cell) = places.get_mut(line * daemonsets.len() + column)
                && *cell != NOWHERE
            {
                *cell = (*cell).min(*place);
            }
        }
        Cells { places, daemonsets: daemonsets.len() }
    }

    /// What the rules say of each node, by its name: two nodes with equal answers are not told
    /// apart. Each answer is a daemonset's, and what it says.
    pub fn apart(&self) -> HashMap<Name, Apart> {
        let mut by_profile: HashMap<Sym, Answers> = HashMap::new();
        let mut classes: HashMap<Sym, Vec<Sym>> = HashMap::new();
        for row in self.rows(relations::in_class) {
            classes.entry(row[1]).or_default().push(row[0]);
        }
        for (bit, relation) in [(1, relations::may_stay), (2, relations::may_start)] {
            for row in self.rows(relation) {
                let answers = by_profile.entry(row[1]).or_default();
                for daemonset in classes.get(&row[0]).into_iter().flatten() {
                    answers.insert((*daemonset, bit));
                }
            }
        }
        let mut own: HashMap<Sym, Answers> = HashMap::new();
        for (bit, relation) in [(4, relations::blocked), (8, relations::hold)] {
            for row in self.rows(relation) {
                own.entry(row[1]).or_default().insert((row[0], bit));
            }
        }
        let mut numbers: HashMap<Answers, usize> = HashMap::new();
        let mut number = |answers: Option<&Answers>| {
            let next = numbers.len();
            *numbers.entry(answers.cloned().unwrap_or_default()).or_insert(next)
        };
        let nodes = self.rows(relations::in_profile).map(|row| {
            let apart = (number(by_profile.get(&row[1])), number(own.get(&row[0])));
            (Name::from(self.text(row[0])), apart)
        });
        nodes.collect()
    }

    fn rows(&self, relation: Handle) -> impl Iterator<Item = Row> + '_ {
        self.state.evaluation.rows(self.program.id(relation))
    }

    fn text(&self, sym: Sym) -> &str {
        self.state.symbols.text_of(sym)
    }

    fn number(&self, sym: Sym) -> i64 {
        self.state.symbols.number_of(sym)
    }
}

/// What the rules say of a node: by what it is, and by rules of a user's own.
pub(super) type Apart = (usize, usize);

/// Answers about daemonsets.
type Answers = BTreeSet<(Sym, u8)>;
