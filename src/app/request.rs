//! What apply and plan are asked for, and what comes of every use case that plans.

use super::export::{Export, Exported};
use super::follow::Followed;
use super::manifests::Manifests;
use super::open::Database;
use super::options::Options;
use super::planning::Planned;
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, ObjectKey};
use crate::manifest::Places;
use crate::plan::{About, Judged, Plan};
use crate::policy::Asked;
use crate::state::Change;
use crate::target::tree::Destination;

/// Manifests that are to be applied, or to be planned.
#[derive(Debug, Clone)]
pub struct Request {
    /// The store.
    pub database: Database,
    /// What is read.
    pub manifests: Manifests,
    /// Under which the store remembers what the input brought.
    pub id: String,
    /// Whether the input takes the place of another one, whose id it is.
    pub takes_over: bool,
    /// Whether to go on with the objects that are right when others are wrong.
    pub keep_going: bool,
    /// Whether to say which objects have left the input and stay.
    pub remind: bool,
    /// The user's own rules.
    pub rules: Asked,
    /// The folder of Pod manifests that follows the store.
    pub tree: Option<Destination>,
    /// Files for other programs that follow the store.
    pub exports: Vec<Export>,
    /// How the plan is made.
    pub options: Options,
}

impl Request {
    /// Whether it is asked what a live cluster comes to by itself.
    pub(super) fn is_about_the_cluster_alone(&self) -> bool {
        self.database.cluster.is_some() && self.manifests.is_empty()
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// What changes, or was changed.
    pub plan: Plan,
    /// Whether it was carried out, and the store holds it.
    pub done: bool,
    /// What constraints say of the plan; violations refuse it.
    pub judged: Vec<Judged>,
    /// What else is to be said of it.
    pub said: Vec<Diagnostic>,
    /// Where the objects of the input stand.
    pub places: Places,
    /// Why the plan is too much to be carried out. It is given all the same: it is what a
    /// person has to look at.
    pub too_much: Option<Diagnostic>,
    /// What became of the tree, or would; nothing if none was named.
    pub tree: Result<Option<Followed>, Diagnostic>,
    /// What became of the files for other programs.
    pub exported: Vec<Exported>,
    /// How many errors of the input were told and gone past.
    pub errors: usize,
    /// How many files were not read, because they did not change since they were applied.
    pub passed: usize,
}

impl Outcome {
    /// A store that holds already what was asked for.
    pub(super) fn unchanged(plan: Plan, done: bool, tree: Result<Option<Followed>, Diagnostic>) -> Outcome {
        let (judged, said, places) = (Vec::new(), Vec::new(), Places::default());
        Outcome {
            plan,
            done,
            judged,
            said,
            places,
            too_much: None,
            tree,
            exported: Vec::new(),
            errors: 0,
            passed: 0,
        }
    }

    /// A plan that was carried out, or was not.
    pub(super) fn of(planned: Planned, done: bool, tree: Result<Option<Followed>, Diagnostic>) -> Outcome {
        let Planned { plan, judged, said, .. } = planned;
        Outcome { judged, said, ..Outcome::unchanged(plan, done, tree) }
    }

    /// Whether a user's rules refuse the plan.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.judged.iter().any(Judged::refuses)
    }

    /// How many violations refuse it.
    #[must_use]
    pub fn violations(&self) -> usize {
        self.judged.iter().filter(|it| it.refuses()).map(|it| it.count).sum()
    }

    /// Looks up where the objects stand that constraints speak of: all of them, or only
    /// those of rules that are built in, which a person is shown in place of the rule.
    pub fn locate(&mut self, all: bool) {
        let mut findings = self.judged.iter_mut().flat_map(|it| &mut it.findings);
        let mut about: Vec<&mut About> = Vec::new();
        findings.by_ref().filter(|it| all || it.place.is_none()).for_each(|it| about.extend(&mut it.objects));
        locate(&self.places, about);
    }

    /// Whether there is, or was, anything to do.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        let tree = self.tree.as_ref().ok().and_then(Option::as_ref);
        tree.is_some_and(|tree| !tree.report.changes.is_empty())
            || !self.plan.waves.is_empty()
            || self.plan.objects.iter().any(|object| object.change != Change::Unchanged)
    }
}

/// Says of objects where they stand.
pub(super) fn locate(places: &Places, mut about: Vec<&mut About>) {
    let wanted: Vec<(Kind, &ObjectKey, &str)> =
        about.iter().map(|it| (it.kind, &it.key, it.field.as_str())).collect();
    let found = places.find(&wanted);
    about.iter_mut().zip(found).for_each(|(it, place)| it.place = place);
}
