//! Where the passes of a plan look things up: what was derived, the world, the counts.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::action::{Action, Because, Verb, action};
use super::reasons::{Cause, because, causes};
use super::tally::Tally;
use crate::datalog::{Handle, Row, Sym};
use crate::kube::{DaemonSet, Name, ObjectKey, Status};
use crate::policy::relations;
use crate::reason::Reasoner;
use crate::state::World;

/// Where the pass looks things up.
pub(super) struct Context<'a> {
    pub reasoner: &'a Reasoner,
    pub world: &'a World,
    pub tally: &'a Tally,
    causes: BTreeMap<Handle, Vec<Cause>>,
    /// Names of nodes that were asked for: thousands of actions share each.
    names: RefCell<FxHashMap<Sym, Name>>,
    /// What rules say of all that they hold, where that is very much: sentence and rule.
    pub holds: OnceCell<Option<Said>>,
}

/// Sentence and rule of each row of a relation.
pub(super) type Said = BTreeMap<Vec<Sym>, (String, String)>;

impl<'a> Context<'a> {
    pub(super) fn new(reasoner: &'a Reasoner, world: &'a World, tally: &'a Tally) -> Self {
        let causes =
            relations::CAUSED.iter().map(|head| (*head, causes(reasoner.program(), *head))).collect();
        Context { reasoner, world, tally, causes, names: RefCell::default(), holds: OnceCell::new() }
    }

    /// The rules that derive a relation, each with its reason.
    pub(super) fn causes(&self, head: Handle) -> &[Cause] {
        self.causes.get(&head).map_or(&[], Vec::as_slice)
    }

    /// A pod to be created; its name is given when it is.
    pub(super) fn create(&self, daemonset: &ObjectKey, node: Sym, because: &Arc<Because>) -> Action {
        let node = self.name(node);
        action(daemonset, Verb::Create, Some(node), ObjectKey::new("", ""), because)
    }

    pub(super) fn delete(
        &self,
        daemonset: &ObjectKey,
        pod: Sym,
        node: Sym,
        because: &Arc<Because>,
    ) -> Action {
        let node = self.name(node);
        action(daemonset, Verb::Delete, Some(node), self.reasoner.key(pod), because)
    }

    fn name(&self, node: Sym) -> Name {
        let mut names = self.names.borrow_mut();
        names.entry(node).or_insert_with(|| self.reasoner.name(node)).clone()
    }

    pub(super) fn status(&self, daemonset: &DaemonSet, it: Sym) -> Status {
        let count = |relation| i64::try_from(self.tally.count(relation, it)).unwrap_or(i64::MAX);
        let desired = i64::try_from(self.desired(it)).unwrap_or(i64::MAX);
        let available = count(relations::scheduled_available);
        Status {
            current_number_scheduled: count(relations::scheduled),
            number_misscheduled: count(relations::misscheduled),
            desired_number_scheduled: desired,
            number_ready: count(relations::scheduled_ready),
            observed_generation: daemonset.meta.generation,
            updated_number_scheduled: count(relations::scheduled_updated),
            number_available: available,
            number_unavailable: desired - available,
            collision_count: daemonset.status.collision_count,
        }
    }

    /// How many nodes should run a pod of the daemonset.
    pub(super) fn desired(&self, it: Sym) -> usize {
        let class = self.reasoner.rows_of(relations::in_class, &[it]).next();
        let fits = class.map_or(0, |row| self.tally.eligible(row[1]));
        fits.saturating_sub(self.tally.count(relations::kept_off, it))
    }

    pub(super) fn has(&self, relation: Handle, it: Sym) -> bool {
        self.reasoner.rows_of(relation, &[it]).next().is_some()
    }

    /// Why the pods of a daemonset on a node are not available, in the words of the rule
    /// for the first of them; nothing where they are.
    fn trouble(&self, it: Sym, node: Sym) -> Option<String> {
        let evaluation = self.reasoner.evaluation()?;
        self.causes(relations::awaited).iter().find_map(|cause| {
            let mut rows = evaluation.rows_with_prefix(cause.relation, &[it, node]);
            rows.next().map(|row| cause.sentence(self.reasoner, &row))
        })
    }

    /// A reason that rests on a pod that is not available, with why it is not.
    pub(super) fn because_of_trouble(&self, because: &Arc<Because>, it: Sym, node: Sym) -> Arc<Because> {
        let Some(trouble) = self.trouble(it, node) else { return because.clone() };
        let sentence = format!("{}: {trouble}", because.sentence.trim_end_matches('.')).into();
        Arc::new(Because { sentence, rule: because.rule.clone() })
    }

    /// The only rule that derives the relation.
    pub(super) fn because(&self, relation: Handle) -> Arc<Because> {
        let program = self.reasoner.program();
        let rule = program.rules_for(program.id(relation)).next();
        rule.map(because).unwrap_or_default()
    }

    /// The rows that the rules of a relation fire on, by rule, each with its reason.
    pub(super) fn caused<'b>(
        &'b self,
        head: Handle,
        prefix: &'b [Sym],
    ) -> impl Iterator<Item = (Row, Arc<Because>)> + 'b {
        let evaluation = self.reasoner.evaluation();
        let causes = self.causes(head);
        evaluation
            .into_iter()
            .flat_map(move |evaluation| causes.iter().map(move |it| (evaluation, it)))
            .flat_map(move |(evaluation, cause)| {
                let rows = evaluation.rows_with_prefix(cause.relation, prefix);
                rows.map(|row| (row, cause.because(self.reasoner, &row)))
            })
    }
}
