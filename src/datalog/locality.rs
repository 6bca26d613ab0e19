//! Which relations can be derived of a part of the facts as of all of them.
//!
//! Facts come in parts that have nothing to do with each other but by rules: a machine and
//! what is on it. A value of a *placed* type belongs to one part; one of a *shared* type is
//! the same wherever it stands, and what is said of it is there wherever it is; everything
//! else is *common*, and known whole. Seen are some parts, with all that is common.
//!
//! ```text
//!  fails(Pod) :- on(Pod, Node), broken(Node).        local: Pod leads to Node, and no further
//!  alone(Node) :- node(Node), !twin(Node, _).        local if each twin(A, B) is of one part
//!  busy(Set) :- create(Set, Node).                   gathers: any part may make it so
//! ```
//!
//! A relation is *exact* if its rows about the parts that are seen, or about shared values
//! that stand there, or about what is common, are those that all facts would give. What
//! gathers over parts is exact where it is known that the other parts give nothing to it,
//! and whatever rests on it then is as well.

use std::collections::BTreeSet;

use super::expression::{Term, Variable};
use super::program::{Atom, Kind, Literal, Program, RelationId, Rule};
use super::query::Query;

/// How the values of a type lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lies {
    /// Each in one part.
    Placed,
    /// Wherever it stands, the same is said of it.
    Shared,
    /// The same, and it is in its text what that is: no rule asks for all there are.
    Spelled,
    /// All of them are known.
    Common,
}

/// What a program's relations are of a part of the facts.
#[derive(Debug, Clone)]
pub struct Locality {
    types: Vec<Vec<Lies>>,
    exact: Vec<bool>,
    /// By relation: whether other parts may give rows to it.
    gathers: Vec<bool>,
    /// By relation: whether rows of other parts may change with it.
    felt: Vec<bool>,
    /// Relations without rows for which rules that join what lies apart do no harm.
    relied: Vec<RelationId>,
}

impl Locality {
    /// Looks at the rules for what is `wanted`. Of a type `lies` says how its values lie. Inputs
    /// of the tool keep to it: all placed values of a row are of one part, what is said of a
    /// shared value stands with that value first, and what a common fact names is there. Inputs
    /// of a user are known whole. The relations that are `empty` have no rows in any part, as
    /// far as is known; see [`Locality::relied`].
    #[must_use]
    pub fn of(
        program: &Program,
        wanted: &[RelationId],
        lies: impl Fn(&str) -> Lies,
        empty: impl Fn(RelationId) -> bool,
    ) -> Locality {
        let types: Vec<Vec<Lies>> = program
            .body
            .declarations
            .iter()
            .map(|it| it.columns.iter().map(|column| lies(&column.ty)).collect())
            .collect();
        let needed = program.needed(wanted);
        let rules: Vec<&Rule> = program.body.rules.iter().filter(|rule| needed(rule.head.relation)).collect();
        let empty: Vec<bool> = program.body.declarations.iter().map(|it| empty(it.id)).collect();
        let count = types.len();
        let (exact, gathers) = (vec![true; count], vec![false; count]);
        let mut looked = Looked { program, types, empty, exact, gathers, named: false };
        // What is found wanting makes others so, until nothing more is.
        loop {
            let mut more = false;
            for rule in &rules {
                let head = rule.head.relation.index();
                match looked.rule(rule) {
                    Found::Gathers if !looked.gathers[head] => (looked.gathers[head], more) = (true, true),
                    Found::Wanting if looked.exact[head] && looked.without_rows(rule, None).is_none() => {
                        (looked.exact[head], more) = (false, true);
                    }
                    _ => {}
                }
            }
            if !more {
                break;
            }
        }
        let wanting = rules.iter().filter(|rule| looked.rule(rule) == Found::Wanting);
        let relied: BTreeSet<RelationId> =
            wanting.filter_map(|rule| looked.without_rows(rule, None)).collect();
        let felt = looked.felt(&rules);
        let Looked { types, exact, gathers, .. } = looked;
        Locality { types, exact, gathers, felt, relied: relied.into_iter().collect() }
    }

    /// Whether a relation is exact, if those that gather and that it rests on have no rows of
    /// other parts.
    #[must_use]
    pub fn is_exact(&self, relation: RelationId) -> bool {
        self.exact.get(relation.index()).copied().unwrap_or(false)
    }

    /// The relations that other parts may give rows to, of those that are wanted or that these
    /// need.
    pub fn gathering(&self) -> impl Iterator<Item = RelationId> + '_ {
        places(&self.gathers)
    }

    /// The relations with which rows of other parts may change.
    pub fn felt(&self) -> impl Iterator<Item = RelationId> + '_ {
        places(&self.felt)
    }

    /// The relations of which it was taken for granted that they have no rows: all is as it was
    /// found as long as that is so.
    #[must_use]
    pub fn relied(&self) -> &[RelationId] {
        &self.relied
    }

    /// The placed values that a query names, each with its type, if it asks about nothing but
    /// their parts and what is common: then these parts are all that has to be seen.
    #[must_use]
    pub fn named<'q>(&self, program: &'q Program, query: &'q Query) -> Option<BTreeSet<(&'q str, &'q str)>> {
        let Locality { types, exact, gathers, .. } = self.clone();
        let looked = Looked { program, types, empty: Vec::new(), exact, gathers, named: true };
        let mut found = BTreeSet::new();
        for way in query.ways()? {
            let known = looked.reached(way, BTreeSet::new());
            let mut atoms = way.iter().filter_map(Literal::atom);
            if !atoms.all(|atom| self.is_exact(atom.relation) && looked.is_seen(atom, &known)) {
                return None;
            }
            for atom in way.iter().filter_map(Literal::atom) {
                let types = program.declaration(atom.relation).columns.iter().map(|column| &*column.ty);
                let lies = &self.types[atom.relation.index()];
                for ((ty, lies), term) in types.zip(lies).zip(&atom.terms) {
                    if let (Lies::Placed, Term::Text(text)) = (lies, term) {
                        found.insert((ty, &**text));
                    }
                }
            }
        }
        Some(found)
    }
}

/// The relations of which something is true.
fn places(of: &[bool]) -> impl Iterator<Item = RelationId> + '_ {
    let all = of.iter().enumerate().filter(|(_, it)| **it);
    all.filter_map(|(at, _)| u32::try_from(at).ok().map(RelationId))
}

/// What a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Local,
    Gathers,
    Wanting,
}

struct Looked<'a> {
    program: &'a Program,
    types: Vec<Vec<Lies>>,
    empty: Vec<bool>,
    exact: Vec<bool>,
    gathers: Vec<bool>,
    /// Whether what is named is seen.
    named: bool,
}

impl Looked<'_> {
    fn rule(&self, rule: &Rule) -> Found {
        let atoms = || rule.body.iter().filter_map(Literal::atom);
        if !self.rests_on_exact(rule) {
            return Found::Wanting;
        }
        let head: BTreeSet<Variable> = self.values(&rule.head, Lies::Placed).collect();
        let known: BTreeSet<Variable> = match head.first() {
            Some(first) => BTreeSet::from([*first]),
            None => self.values(&rule.head, Lies::Shared).collect(),
        };
        let reached = self.reached(&rule.body, known);
        let head_is_reached =
            head.is_subset(&reached) && self.values(&rule.head, Lies::Shared).all(|it| reached.contains(&it));
        if head_is_reached && atoms().all(|atom| self.is_seen(atom, &reached)) {
            return Found::Local;
        }
        self.gathered(rule)
    }

    /// The relation, but for this one, without whose rows a rule derives nothing, and that has
    /// none: one that is exact, as else that could not be seen of a part.
    fn without_rows(&self, rule: &Rule, but: Option<RelationId>) -> Option<RelationId> {
        let atoms = rule.body.iter().filter_map(Literal::positive).map(|atom| atom.relation);
        atoms.filter(|it| Some(*it) != but).find(|it| self.empty[it.index()] && self.exact[it.index()])
    }

    /// The relations about what is common that rules read beside what lies in parts: with
    /// them the rows of any part may change.
    fn felt(&self, rules: &[&Rule]) -> Vec<bool> {
        let mut felt = vec![false; self.types.len()];
        let is_common = |atom: &Atom| self.types[atom.relation.index()].iter().all(|it| *it == Lies::Common);
        for rule in rules {
            let atoms = || rule.body.iter().filter_map(Literal::atom);
            if is_common(&rule.head) && atoms().all(is_common) {
                continue;
            }
            for atom in atoms().filter(|atom| is_common(atom)) {
                if self.without_rows(rule, Some(atom.relation)).is_none() {
                    felt[atom.relation.index()] = true;
                }
            }
        }
        felt
    }

    fn rests_on_exact(&self, rule: &Rule) -> bool {
        rule.body.iter().filter_map(Literal::atom).all(|atom| self.exact[atom.relation.index()])
    }

    /// Of a rule without a part in its head: whether one part alone makes each of its rows.
    fn gathered(&self, rule: &Rule) -> Found {
        let is_common = self.types[rule.head.relation.index()].iter().all(|lies| *lies == Lies::Common);
        let is_placed = |atom: &&Atom| !self.is_whole(atom) && self.has(atom, Lies::Placed);
        let Some(first) = rule.body.iter().filter_map(Literal::positive).find(is_placed) else {
            return Found::Wanting;
        };
        let known = self.values(first, Lies::Placed).chain(self.values(first, Lies::Shared));
        let reached = self.reached(&rule.body, known.collect());
        let mut atoms = rule.body.iter().filter_map(Literal::atom);
        let is_seen = atoms.all(|atom| std::ptr::eq(atom, first) || self.is_seen(atom, &reached));
        if is_common && !rule.folds() && is_seen { Found::Gathers } else { Found::Wanting }
    }

    /// What the known values of a rule lead to, by atoms that must hold.
    fn reached(&self, body: &[Literal], mut known: BTreeSet<Variable>) -> BTreeSet<Variable> {
        loop {
            let before = known.len();
            for atom in body.iter().filter_map(Literal::positive) {
                if !self.is_whole(atom) && self.leads(atom, &known) {
                    known.extend(self.values(atom, Lies::Placed).chain(self.values(atom, Lies::Shared)));
                }
            }
            if known.len() == before {
                return known;
            }
        }
    }

    /// Whether the rows of an atom that fit the known values are of parts that are seen.
    fn leads(&self, atom: &Atom, known: &BTreeSet<Variable>) -> bool {
        if self.has(atom, Lies::Placed) {
            let is_named = self.named && self.terms(atom, Lies::Placed).any(|it| it.constant().is_some());
            return is_named || self.values(atom, Lies::Placed).any(|it| known.contains(&it));
        }
        // What is said of a shared value stands with it, and what a common fact names is there.
        let known_first =
            || atom.terms.first().and_then(Term::variable).is_some_and(|it| known.contains(&it));
        self.is_input(atom.relation)
            && match self.types[atom.relation.index()].first() {
                Some(Lies::Shared) => known_first(),
                Some(Lies::Common | Lies::Spelled) => true,
                Some(Lies::Placed) | None => false,
            }
    }

    /// Whether all rows of an atom that matter to a rule are there.
    fn is_seen(&self, atom: &Atom, known: &BTreeSet<Variable>) -> bool {
        if self.is_whole(atom) || self.leads(atom, known) {
            return true;
        }
        let shared = |term: &Term| term.variable().is_some_and(|it| known.contains(&it));
        let types = &self.types[atom.relation.index()];
        !self.has(atom, Lies::Placed)
            && atom
                .terms
                .iter()
                .zip(types)
                .all(|(term, lies)| matches!(lies, Lies::Common | Lies::Spelled) || shared(term))
    }

    /// Whether all rows of a relation are there, whatever is seen.
    fn is_whole(&self, atom: &Atom) -> bool {
        self.is_input(atom.relation) && !self.program.declaration(atom.relation).builtin
    }

    fn is_input(&self, relation: RelationId) -> bool {
        self.program.declaration(relation).kind == Kind::Input
    }

    fn has(&self, atom: &Atom, lies: Lies) -> bool {
        self.types[atom.relation.index()].contains(&lies)
    }

    /// The terms of an atom that lie so.
    fn terms<'a>(&'a self, atom: &'a Atom, lies: Lies) -> impl Iterator<Item = &'a Term> {
        let pairs = atom.terms.iter().zip(&self.types[atom.relation.index()]);
        pairs.filter(move |(_, it)| **it == lies).map(|(term, _)| term)
    }

    /// The variables of an atom that lie so.
    fn values<'a>(&'a self, atom: &'a Atom, lies: Lies) -> impl Iterator<Item = Variable> + 'a {
        self.terms(atom, lies).filter_map(Term::variable)
    }
}
