//! Where rows are put together: names to symbols, relations that are asked for, groups
//! that were given already. What becomes a row of which relation is said beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::alone::Alone;
use super::filled::{Filled, filled};
use super::paths::Demand;
use crate::datalog::Kind::Input;
use crate::datalog::{Atom, Facts, Handle, Program, RelationId, Sym, Symbols};
use crate::kube::{Kind, Labels, Name, ObjectKey, Requirement};
use crate::policy::relations;

/// Whether objects that no rule can tell apart are compared once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Grouping {
    /// They are: the cost follows the kinds of objects.
    #[default]
    On,
    /// Each object stands for itself: for explanations about one pair, and to prove
    /// that grouping decides nothing.
    Off,
}

/// What a pod asks for: resources and amounts.
pub(super) type Asked = Arc<[(Sym, Sym)]>;

/// The state of the translation: symbols, and which shared rows were given already.
pub struct Encoder {
    /// The program whose input relations are filled.
    pub(super) program: Program,
    /// By relation: whether it is filled, because it is asked for, directly or not.
    needed: Vec<bool>,
    /// The relations whose rows begin with an object of the kind.
    pub(super) owned: BTreeMap<Kind, Vec<RelationId>>,
    /// What fills relations with objects that have no view of their own.
    pub(super) plain: BTreeMap<Kind, Vec<Filled>>,
    /// What is asked of fields, and of objects of any kind.
    pub(super) demand: Demand,
    /// Names to symbols.
    pub symbols: Symbols,
    pub(super) grouping: Grouping,
    /// What stands for itself, because it is asked about.
    pub(super) alone: Alone,
    /// Label keys that some daemonset's placement asks for.
    pub(super) keys: BTreeSet<Name>,
    /// Node names that some daemonset's placement names.
    pub(super) named: BTreeSet<Name>,
    /// Groups whose own rows were given.
    pub(super) known: FxHashSet<(&'static str, Sym)>,
    /// Profiles by their labels and taints.
    pub(super) profiles: FxHashMap<(Sym, Sym), Sym>,
    /// Label sets by the address of their shared map, so that each is read once.
    pub(super) sets: FxHashMap<(usize, usize), (Sym, Labels, Name)>,
    /// Names that many objects share, by their address, so that each is looked up once.
    pub(super) names: FxHashMap<usize, (Sym, Name)>,
    /// What the pods of a template ask for, by the fingerprint of what they have in common.
    pub(super) requests: FxHashMap<Name, Asked>,
    /// What the pods of a template need of their node, by the same fingerprint.
    pub(super) shapes: FxHashMap<Name, Sym>,
    /// What the pods of a template have of the network, by the same fingerprint.
    pub(super) nets: FxHashMap<Name, Sym>,
    /// What the pods of a template tolerate, by the same fingerprint.
    pub(super) tolerances: FxHashMap<Name, Sym>,
    /// Where a key's text is put together.
    pub(super) buffer: String,
    pub(super) out: Facts,
}

impl Encoder {
    /// A translation for `program` that has given nothing yet. It fills what the
    /// `wanted` relations depend on.
    #[must_use]
    pub fn new(program: Program, grouping: Grouping, wanted: &[RelationId]) -> Self {
        let needed = program.needed(wanted);
        let demand = Demand::of(&program, &needed, std::iter::empty());
        let plain = Kind::ALL.into_iter().map(|kind| (kind, filled(&program, &needed, kind))).collect();
        let needed = program.declarations().map(|it| needed(it.id)).collect();
        let mut owned: BTreeMap<Kind, Vec<RelationId>> = BTreeMap::new();
        for declaration in program.declarations().filter(|it| it.builtin && it.kind == Input) {
            if let Some(kind) = declaration.columns.first().and_then(|column| kind_of(&column.ty)) {
                owned.entry(kind).or_default().push(declaration.id);
            }
        }
        Encoder {
            program,
            needed,
            owned,
            plain,
            demand,
            symbols: Symbols::new(),
            grouping,
            alone: Alone::default(),
            keys: BTreeSet::new(),
            named: BTreeSet::new(),
            known: FxHashSet::default(),
            profiles: FxHashMap::default(),
            sets: FxHashMap::default(),
            names: FxHashMap::default(),
            requests: FxHashMap::default(),
            shapes: FxHashMap::default(),
            nets: FxHashMap::default(),
            tolerances: FxHashMap::default(),
            buffer: String::new(),
            out: Facts::new(),
        }
    }

    /// Lets it give what a query of these `atoms` asks for, beside the rules.
    #[must_use]
    pub fn asked<'a>(mut self, atoms: impl Iterator<Item = &'a Atom>, wanted: &[RelationId]) -> Self {
        let atoms: Vec<&Atom> = atoms.collect();
        self.demand = Demand::of(&self.program, self.program.needed(wanted), atoms.into_iter());
        self
    }

    /// Lets objects be groups of their own, by their names, so that what is derived of
    /// them can be told.
    pub fn single_out(&mut self, alone: Alone) {
        self.alone = alone;
    }

    /// Whether a node is grouped with others.
    pub(super) fn groups_node(&self, name: &Name) -> bool {
        self.grouping == Grouping::On && !self.alone.nodes.contains(name)
    }

    /// Whether a daemonset is grouped with others.
    pub(super) fn groups_daemonset(&self, key: &ObjectKey) -> bool {
        self.grouping == Grouping::On && !self.alone.daemonsets.contains(key)
    }

    /// Whether a pod or revision is grouped with others of equal labels.
    pub(super) fn groups_labels(&self, kind: Kind, key: &ObjectKey) -> bool {
        self.grouping == Grouping::On && !self.alone.has_labels_of(kind, key)
    }

    /// How it groups.
    #[must_use]
    pub fn grouping(&self) -> Grouping {
        self.grouping
    }

    /// The symbol an object is known by.
    pub fn subject(&mut self, kind: Kind, key: &ObjectKey) -> Sym {
        match kind {
            Kind::Node => self.symbols.text(&key.name),
            _ => {
                self.buffer.clear();
                if !key.namespace.is_empty() {
                    self.buffer.push_str(&key.namespace);
                    self.buffer.push('/');
                }
                self.buffer.push_str(&key.name);
                self.symbols.text(&self.buffer)
            }
        }
    }

    /// The symbol of a name that many objects share.
    pub(super) fn shared(&mut self, name: &Name) -> Sym {
        if let Some((symbol, _)) = self.names.get(&address(name)) {
            return *symbol;
        }
        let symbol = self.symbols.text(name);
        // Keeping the name alive keeps its address its own.
        self.names.insert(address(name), (symbol, name.clone()));
        symbol
    }

    /// The relation, if anyone asks for it.
    pub(super) fn relation(&self, handle: Handle) -> Option<RelationId> {
        let id = self.program.id(handle);
        self.needed.get(id.index()).copied().unwrap_or(false).then_some(id)
    }

    /// Whether anyone asks for the rows of this relation.
    pub(super) fn uses(&self, handle: Handle) -> bool {
        self.relation(handle).is_some()
    }

    /// One row; a relation that nobody asks for is not filled.
    pub(super) fn row(&mut self, relation: Handle, row: &[Sym]) {
        if let Some(id) = self.relation(relation) {
            self.out.insert(id, row);
        }
    }

    pub(super) fn text(&mut self, text: &str) -> Sym {
        self.symbols.text(text)
    }

    /// Whether this is the first time that the rows of a shared thing are asked for.
    pub(super) fn first(&mut self, what: &'static str, thing: Sym) -> bool {
        self.known.insert((what, thing))
    }

    /// A requirement with what it says; its symbol is its text.
    pub(super) fn requirement(&mut self, requirement: &Requirement) -> Sym {
        let symbol = self.text(&requirement.to_string());
        if !self.first("requirement", symbol) {
            return symbol;
        }
        let key = self.key(&requirement.key);
        let operator = self.text(&requirement.operator);
        self.row(relations::requirement, &[symbol, key, operator]);
        for value in &requirement.values {
            let value = self.value(value);
            self.row(relations::requirement_value, &[symbol, value]);
        }
        if let [value] = requirement.values.as_slice()
            && let Ok(number) = value.parse::<i64>()
        {
            let number = self.symbols.number(number);
            self.row(relations::requirement_number, &[symbol, number]);
        }
        let size = self.symbols.number(i64::try_from(requirement.values.len()).unwrap_or(i64::MAX));
        self.row(relations::requirement_size, &[symbol, size]);
        symbol
    }

    pub(super) fn key(&mut self, key: &str) -> Sym {
        let symbol = self.text(key);
        if self.first("key", symbol) && !crate::kube::is_label_key(key) {
            self.row(relations::bad_key, &[symbol]);
        }
        symbol
    }

    pub(super) fn value(&mut self, value: &str) -> Sym {
        let symbol = self.text(value);
        if self.first("value", symbol) && !crate::kube::is_label_value(value) {
            self.row(relations::bad_value, &[symbol]);
        }
        symbol
    }

    /// A row of an object and texts.
    pub(super) fn text_row(&mut self, relation: Handle, it: Sym, texts: &[&str]) {
        if self.uses(relation) {
            let mut row = vec![it];
            row.extend(texts.iter().map(|text| self.symbols.text(text)));
            self.row(relation, &row);
        }
    }

    /// A row of an object, texts and numbers.
    pub(super) fn number_row(&mut self, relation: Handle, it: Sym, texts: &[&str], numbers: &[i64]) {
        if self.uses(relation) {
            let mut row = vec![it];
            row.extend(texts.iter().map(|text| self.symbols.text(text)));
            row.extend(numbers.iter().map(|number| self.symbols.number(*number)));
            self.row(relation, &row);
        }
    }

    /// A row for each entry of a map of texts, as annotations are.
    pub(super) fn pairs(&mut self, relation: Handle, it: Sym, map: &serde_json::Value) {
        if self.uses(relation) {
            for (key, value) in crate::kube::labels_of(map) {
                self.text_row(relation, it, &[&key, &value]);
            }
        }
    }
}

/// The kind of the objects whose symbols are of a type of the rules.
fn kind_of(ty: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| relations::type_of(*kind) == ty)
}

/// Where a name lies.
pub(super) fn address(name: &Name) -> usize {
    name.as_ptr() as usize
}
