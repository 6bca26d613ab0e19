//! The reasoner: a program, the facts of a world, and what follows from them.
//!
//! It is asked again after each change of the world. The first time everything is
//! derived; after that only what the changed objects touch.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::datalog::explain::{RuleRef, said, said_of_all};
use crate::datalog::{Changes, Evaluation, Handle, Limits, Program, RelationId, Row, Sym, Symbols};
use crate::diagnostic::Diagnostic;
use crate::facts::{self, Encoder, Grouping};
use crate::kube::{Name, ObjectKey};
use crate::policy::{constraints, relations};
use crate::state::{Changed, World};

/// So many changed objects are always few.
const ALWAYS_FEW_OBJECTS: usize = 512;
/// More than this part of all objects is not few: deriving anew is cheaper then.
const FEW_OBJECTS_IN: usize = 32;
/// So many symbols are never too many: a watcher meets new names with each pod, and where
/// there are few, deriving anew costs less than keeping what nothing has any longer.
const ALWAYS_FEW_SYMBOLS: usize = 4_000;

/// How a derivation was made.
#[derive(Debug)]
pub enum Derived {
    /// From the start.
    Anew,
    /// From what changed: the rows that came and went.
    Changed(Changes),
}

/// The relations that a plan needs, and the constraints it is judged by: rows that must not be,
/// and a user's rows that may not be alike, also where no rule that decides reads them.
#[must_use]
pub fn wanted(program: &Program) -> Vec<RelationId> {
    let asked = program.asked().iter().copied();
    let unique = program.declarations().filter(|it| !it.builtin && !it.unique.is_empty());
    let judged = constraints(program).into_iter().chain(unique.map(|it| it.id));
    relations::outputs(program).into_iter().chain(judged).chain(asked).collect()
}

/// A program with the facts of one world and what it derives from them.
pub struct Reasoner {
    program: Program,
    encoder: Encoder,
    evaluation: Option<Evaluation>,
    wanted: Vec<RelationId>,
    limits: Limits,
    /// How many symbols and objects there were when everything was derived anew.
    known: usize,
    objects: usize,
}

impl Reasoner {
    /// A reasoner that has derived nothing yet.
    #[must_use]
    pub fn new(program: &Program, grouping: Grouping) -> Self {
        let wanted = wanted(program);
        Reasoner {
            program: program.clone(),
            encoder: Encoder::new(program.clone(), grouping, &wanted),
            evaluation: None,
            wanted,
            limits: Limits::default(),
            known: 0,
            objects: 0,
        }
    }

    /// Brings what is derived up to date with the world as it is at `now`, given which
    /// objects changed since the last time.
    ///
    /// # Errors
    /// When a rule derives more than the limits allow; the next time everything is
    /// derived anew.
    pub fn derive(&mut self, world: &World, changed: &Changed, now: i64) -> Result<Derived, Diagnostic> {
        let evaluation = self.evaluation.take();
        let limits = facts::limited(&self.limits, &self.program, world);
        let few = changed
            .objects()
            .filter(|changed| changed.len() <= ALWAYS_FEW_OBJECTS.max(self.objects / FEW_OBJECTS_IN));
        // Symbols and groups that nothing has any longer are got rid of in the same way.
        let fresh = self.encoder.symbols.len() <= (self.known * 2).max(ALWAYS_FEW_SYMBOLS);
        if let Some(mut evaluation) = evaluation
            && let Some(changed) = few
            && fresh
        {
            let (added, removed) = self.encoder.changes(world, &evaluation, changed, now);
            evaluation.limit(limits);
            let changes = evaluation.update(&self.encoder.symbols, added, removed)?;
            self.evaluation = Some(evaluation);
            return Ok(Derived::Changed(changes));
        }
        self.encoder = Encoder::new(self.program.clone(), self.encoder.grouping(), &self.wanted);
        let facts = self.encoder.all(world, now);
        let symbols = &mut self.encoder.symbols;
        self.evaluation = Some(Evaluation::new(&self.program, symbols, facts, &self.wanted, &limits)?);
        self.known = self.encoder.symbols.len();
        self.objects = world.nodes.len() + world.daemonsets.len() + world.revisions.len() + world.pods.len();
        Ok(Derived::Anew)
    }

    /// Lets go of what was derived, and of all symbols; the next time everything is derived
    /// anew.
    pub fn forget(&mut self) {
        self.evaluation = None;
        self.encoder = Encoder::new(self.program.clone(), self.encoder.grouping(), &self.wanted);
    }

    /// Lets constraints see what a plan does to pods (verb, daemonset, node), until the next
    /// derivation.
    ///
    /// # Errors
    /// When a rule derives more than the limits allow; the next time everything is
    /// derived anew.
    pub fn plan<'a>(
        &mut self,
        planned: impl Iterator<Item = (&'a str, &'a ObjectKey, &'a str)>,
    ) -> Result<(), Diagnostic> {
        let Some(mut evaluation) = self.evaluation.take() else { return Ok(()) };
        let (added, removed) = self.encoder.planned(&evaluation, planned);
        evaluation.update(&self.encoder.symbols, added, removed)?;
        self.evaluation = Some(evaluation);
        Ok(())
    }

    /// Whether a row was derived.
    #[must_use]
    pub fn contains(&self, relation: Handle, row: &[Sym]) -> bool {
        let id = self.program.id(relation);
        self.evaluation.as_ref().is_some_and(|evaluation| evaluation.contains(id, row))
    }

    /// How many rows a relation has.
    #[must_use]
    pub fn len(&self, relation: Handle) -> usize {
        self.evaluation.as_ref().map_or(0, |evaluation| evaluation.len(self.program.id(relation)))
    }

    /// The tolerations that the rules add to the pods of a daemonset, in order: key and
    /// effect.
    #[must_use]
    pub fn added_tolerations(&self, daemonset: &ObjectKey) -> Vec<(Name, Name)> {
        let Some(it) = self.symbols().find_text(&daemonset.to_string()) else { return Vec::new() };
        let class = self.rows_of(relations::in_class, &[it]).map(|row| row[1]).next();
        let tolerant =
            class.and_then(|class| self.rows_of(relations::class, &[class]).map(|row| row[3]).next());
        let mut added: Vec<(i64, Name, Name)> = tolerant
            .into_iter()
            .flat_map(|tolerant| self.rows_of(relations::added_toleration, &[tolerant]).collect::<Vec<_>>())
            .map(|row| (self.number(row[1]), self.name(row[2]), self.name(row[3])))
            .collect();
        added.sort();
        added.into_iter().map(|(_, key, effect)| (key, effect)).collect()
    }

    /// Whether the rules let a pod of the daemonset start on the node, by their groups.
    #[must_use]
    pub fn may_start(&self, daemonset: &ObjectKey, node: &str) -> bool {
        let pair = self.groups(daemonset, node);
        pair.is_some_and(|(class, profile)| self.contains(relations::may_start, &[class, profile]))
    }

    /// The groups that the rules know the two by: the daemonset's class, the node's profile.
    #[must_use]
    pub fn groups(&self, daemonset: &ObjectKey, node: &str) -> Option<(Sym, Sym)> {
        let group = |relation: Handle, member: &str| {
            let member = self.symbols().find_text(member)?;
            self.rows_of(relation, &[member]).map(|row| row[1]).next()
        };
        group(relations::in_class, &daemonset.to_string()).zip(group(relations::in_profile, node))
    }

    /// The same, with other limits on what rules may derive.
    #[must_use]
    pub fn limited(self, limits: Limits) -> Self {
        Reasoner { limits, ..self }
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The symbols of all rows.
    #[must_use]
    pub fn symbols(&self) -> &Symbols {
        &self.encoder.symbols
    }

    /// What was derived.
    #[must_use]
    pub fn evaluation(&self) -> Option<&Evaluation> {
        self.evaluation.as_ref()
    }

    /// All rows of a relation.
    pub fn rows(&self, relation: Handle) -> impl Iterator<Item = Row> + '_ {
        self.rows_of(relation, &[])
    }

    /// The rows of a relation that begin with these symbols.
    pub fn rows_of<'a>(&'a self, relation: Handle, prefix: &'a [Sym]) -> impl Iterator<Item = Row> + 'a {
        let id = self.program.id(relation);
        let evaluation = self.evaluation.iter();
        evaluation.flat_map(move |evaluation| evaluation.rows_with_prefix(id, prefix))
    }

    /// What the rule says that derived a row, and that rule, as `policy.dl:7`; nothing
    /// of a row that is not there.
    #[must_use]
    pub fn told(&self, relation: Handle, row: &[Sym]) -> Option<(String, String)> {
        let id = self.program.id(relation);
        let (sentence, rule) = said(&self.program, self.symbols(), self.evaluation.as_ref()?, id, row)?;
        Some((sentence, format!("{}:{}", rule.file, rule.line)))
    }

    /// What [`Self::told`] tells of each row of a relation; nothing where it cannot be told
    /// of all at once.
    #[must_use]
    pub fn told_of_all(&self, relation: Handle) -> Option<BTreeMap<Vec<Sym>, (String, String)>> {
        let id = self.program.id(relation);
        let all = said_of_all(&self.program, self.symbols(), self.evaluation.as_ref()?, id)?;
        let told = |(row, (sentence, rule)): (_, (_, RuleRef))| {
            (row, (sentence, format!("{}:{}", rule.file, rule.line)))
        };
        Some(all.into_iter().map(told).collect())
    }

    /// The text of a symbol; empty for a number.
    #[must_use]
    pub fn text(&self, symbol: Sym) -> &str {
        self.encoder.symbols.text_of(symbol)
    }

    /// The number of a symbol; 0 for a text.
    #[must_use]
    pub fn number(&self, symbol: Sym) -> i64 {
        self.encoder.symbols.number_of(symbol)
    }

    /// The key that a daemonset's, pod's or revision's symbol stands for.
    #[must_use]
    pub fn key(&self, symbol: Sym) -> ObjectKey {
        let text = self.text(symbol);
        match text.split_once('/') {
            Some((namespace, name)) => ObjectKey::new(namespace, name),
            None => ObjectKey::new("", text),
        }
    }

    /// The name that a node's symbol stands for.
    #[must_use]
    pub fn name(&self, symbol: Sym) -> Arc<str> {
        self.text(symbol).into()
    }
}
