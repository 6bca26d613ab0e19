//! The working memory: a target that also keeps what is known beside the objects.
//!
//! Rules and reads never leave it. It holds whole worlds and what inputs brought, in one
//! transaction: what is done between `begin` and `commit` is there as a whole or not at
//! all. Today it is the store itself; where objects are kept elsewhere, it is the replica.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::contract::Target;
use super::sqlite::{Placement, PlacementOf, StoredEvent};
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, Name, ObjectKey, Status};
use crate::state::{
    Account, Done, FilesOf, Group, Input, InputFile, KnownFile, Moment, OwnFile, Part, Run, Whole, World,
};

/// Is given each object of a listing.
pub type VisitObject<'v> = &'v mut dyn FnMut(ObjectKey, Value) -> Result<(), Diagnostic>;

/// Pods that are found without a look at all of them.
pub enum Selected<'s> {
    /// Those on a node, or else meant for it.
    On(&'s str),
    /// Those of a controller with this uid.
    Of(&'s str),
    /// Those with labels that this is true of.
    With(&'s dyn Fn(&BTreeMap<Name, Name>) -> bool),
}

/// Says whether something is wanted of what came and went: by what it has alike with others, its
/// node and its name.
pub type Wanted<'w> = &'w mut dyn FnMut(&Group, Option<&str>, &ObjectKey) -> bool;

/// Gives a pod, or `None` when it is gone.
pub type ReadPod<'r> = Box<dyn FnMut(&ObjectKey) -> Result<Option<Value>, Diagnostic> + 'r>;

/// A target with all that a use case knows.
pub trait Memory: Target {
    /// Lets nobody but its owner read it: what is secret in Secrets is to be written.
    ///
    /// # Errors
    /// When that cannot be done.
    fn keep_private(&self) -> Result<(), Diagnostic>;

    /// Begins the one transaction of a use case that writes.
    ///
    /// # Errors
    /// When somebody else is writing.
    fn begin(&mut self) -> Result<(), Diagnostic>;

    /// Makes all that was saved since [`begin`](Memory::begin) last.
    ///
    /// # Errors
    /// When it cannot be written; then nothing has changed.
    fn commit(&mut self) -> Result<(), Diagnostic>;

    /// Takes in what others wrote where objects are shared, outside of a transaction; says whether
    /// that was anything. [`begin`](Memory::begin) does it too.
    ///
    /// # Errors
    /// When they cannot be asked.
    fn follow(&mut self) -> Result<bool, Diagnostic>;

    /// Brings a world that was committed to the versions that its objects got. Says whether it is
    /// what there is: else others wrote meanwhile, and it must be loaded again.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn settle(&mut self, world: &mut World) -> Result<bool, Diagnostic>;

    /// Drops all that was saved since [`begin`](Memory::begin); so does dropping the memory.
    fn rollback(&mut self);

    /// Reads the world. Inside [`begin`](Memory::begin) it is what this writer changes; else it
    /// is one committed state.
    ///
    /// # Errors
    /// When it is damaged or cannot be read.
    fn load(&self) -> Result<World, Diagnostic>;

    /// Reads a part of the world, at the cost of that part: nodes and pods that are none of it
    /// are neither there nor read. All that may be done with a whole world may be done with it,
    /// where it concerns the part; a [`save`](Memory::save) that finds something else than the
    /// part says is a conflict.
    ///
    /// # Errors
    /// As [`load`](Memory::load); of what is not read nobody knows whether it is damaged.
    fn load_part(&self, part: &Part) -> Result<World, Diagnostic>;

    /// The last resourceVersion that was given, and a number that is another one once another
    /// program has committed since.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn moment(&self) -> Result<(u64, i64), Diagnostic>;

    /// Reads what nodes say beside what every world keeps, for rules that ask for it.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn load_details(&self, world: &mut World) -> Result<(), Diagnostic>;

    /// Whether some node says what it has for pods: [`load_details`](Memory::load_details) says
    /// which.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn has_allocatable(&self) -> Result<bool, Diagnostic>;

    /// Reads the whole objects of the kinds of which every world keeps a view alone, for rules
    /// that ask for more.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn load_whole(&self, world: &mut World, whole: Whole) -> Result<(), Diagnostic>;

    /// Writes what is dirty in a world as a [`Target`], and what it counts; then nothing is
    /// dirty.
    ///
    /// # Errors
    /// When it cannot be written, or somebody else wrote since the world was loaded; then
    /// nothing has changed, and the world must be loaded again.
    fn save(&mut self, world: &mut World) -> Result<(), Diagnostic>;

    /// One whole object.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn object(&self, kind: Kind, key: &ObjectKey) -> Result<Option<Value>, Diagnostic>;

    /// Visits all objects of a kind in key order, or those of one namespace. A failure of the
    /// visitor ends the visit.
    ///
    /// # Errors
    /// As [`load`](Memory::load), and what the visitor fails with.
    fn objects(&self, kind: Kind, namespace: Option<&str>, visit: VisitObject<'_>) -> Result<(), Diagnostic>;

    /// Visits the pods that are selected in key order, or those of one namespace, at the cost of
    /// these. A failure of the visitor ends the visit.
    ///
    /// # Errors
    /// As [`load_part`](Memory::load_part), and what the visitor fails with.
    fn pods(
        &self,
        selected: &Selected<'_>,
        namespace: Option<&str>,
        visit: VisitObject<'_>,
    ) -> Result<(), Diagnostic>;

    /// How many pods of a controller with this uid are in which phase.
    ///
    /// # Errors
    /// As [`load_part`](Memory::load_part).
    fn phases(&self, uid: &str) -> Result<BTreeMap<Name, usize>, Diagnostic>;

    /// The keys of all objects of a kind, in order.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn keys(&self, kind: Kind) -> Result<Vec<ObjectKey>, Diagnostic>;

    /// The kinds without a table of their own of which there are objects.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn kinds(&self) -> Result<Vec<Kind>, Diagnostic>;

    /// The pods that are bound to a node and not being deleted, by node; only those whose
    /// controlling owner is of the kind `owner`, and those without one.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn bound_pods(&self, owner: &str) -> Result<BTreeMap<Name, Vec<ObjectKey>>, Diagnostic>;

    /// A reader of single pods, in any order.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn read_pods(&self) -> Result<ReadPod<'_>, Diagnostic>;

    /// All events, or those about one daemonset, in the order in which they were last seen.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn events(&self, about: Option<&ObjectKey>) -> Result<Vec<StoredEvent>, Diagnostic>;

    /// The events about one object itself, at their cost; the name of its kind comes first.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn events_about(&self, of: &str, about: &ObjectKey) -> Result<Vec<StoredEvent>, Diagnostic>;

    /// How many events there are, where that is on record.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn count_of_events(&self) -> Result<Option<usize>, Diagnostic>;

    /// The status of every daemonset, in key order.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn statuses(&self) -> Result<Vec<(ObjectKey, Status)>, Diagnostic>;

    /// What is on record of the input `id`; nothing of one that is new.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn input(&self, id: &str) -> Result<Input, Diagnostic>;

    /// The files of the input `id` of which all objects are stored as the file wrote them, by
    /// path.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn known_files(&self, id: &str) -> Result<BTreeMap<Name, KnownFile>, Diagnostic>;

    /// What is on record of the input `id` but for these files, which are known: at the cost
    /// of the others.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn input_but(&self, id: &str, passed: &BTreeSet<Name>) -> Result<Input, Diagnostic>;

    /// Whether anything is on record of the input `id`.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn has_input(&self, id: &str) -> Result<bool, Diagnostic>;

    /// The files of the input `id` that have these objects, each with its file.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn files_having(
        &self,
        id: &str,
        objects: &BTreeSet<(Kind, &ObjectKey)>,
    ) -> Result<BTreeMap<(Kind, ObjectKey), Name>, Diagnostic>;

    /// The objects of these files of the input `id`, by kind and key, which have so many of each
    /// kind; of each kind at most as many as are asked for.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn objects_of(
        &self,
        id: &str,
        passed: &BTreeSet<Name>,
        kinds: &BTreeMap<Kind, usize>,
        most: usize,
    ) -> Result<Vec<(Kind, ObjectKey)>, Diagnostic>;

    /// The inputs that are on record, each with how many objects its applies brought.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn inputs(&self) -> Result<Vec<(String, usize)>, Diagnostic>;

    /// The files that have these objects, of whatever input, each with its hash.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn files_of(&self, objects: &BTreeSet<(Kind, ObjectKey)>) -> Result<FilesOf, Diagnostic>;

    /// Records what the input `id` is now; after [`save`](Memory::save), in the same
    /// transaction. Of files that were passed over it stays what it was.
    ///
    /// # Errors
    /// When it cannot be written.
    fn save_input(
        &mut self,
        id: &str,
        files: &[InputFile],
        passed: &BTreeSet<Name>,
    ) -> Result<(), Diagnostic>;

    /// Records what changed about some files of the input `id`: each as it is on record and as
    /// it is now; after [`save`](Memory::save), in the same transaction.
    ///
    /// # Errors
    /// When it cannot be written.
    fn change_input(
        &mut self,
        id: &str,
        files: &[(Option<InputFile>, Option<InputFile>)],
    ) -> Result<(), Diagnostic>;

    /// The user's rules and facts of all inputs, or of all but one, each once, in path order.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn own_files(&self, but: Option<&str>) -> Result<Vec<OwnFile>, Diagnostic>;

    /// Remembers the user's files that go with an input, instead of those it had before.
    ///
    /// # Errors
    /// When they cannot be written.
    fn save_own_files(&mut self, input: &str, files: &[OwnFile]) -> Result<(), Diagnostic>;

    /// The placement that was saved last.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn placement(&self) -> Result<Placement, Diagnostic>;

    /// Writes what differs from `before`, which must be what was saved last.
    ///
    /// # Errors
    /// When it cannot be written.
    fn save_placement(&mut self, before: Option<&Placement>, after: &Placement) -> Result<(), Diagnostic>;

    /// Whether it was found settled for what `asked` stands for, and has not changed since.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn is_settled(&self, asked: &str) -> Result<bool, Diagnostic>;

    /// The placement of some nodes as it was saved last.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn placement_of(&self, nodes: &BTreeSet<Name>) -> Result<PlacementOf, Diagnostic>;

    /// What is known of it where nothing is left to do, with the rules that `about` stands for;
    /// nothing if it has changed since.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn rest(&self, about: &str) -> Result<Option<String>, Diagnostic>;

    /// Records what is known of it as it is now, and with which rules: in the transaction that
    /// makes it so, after all else.
    ///
    /// # Errors
    /// When it cannot be written.
    fn set_rest(&mut self, known: Option<(&str, &str)>) -> Result<(), Diagnostic>;

    /// Puts what a run did on record, if it changed any object: after all else of its
    /// transaction but what is known of the store as it is then.
    ///
    /// # Errors
    /// When it cannot be written.
    fn remember(&mut self, account: &Account) -> Result<(), Diagnostic>;

    /// For how many seconds it was told to remember what happened.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn keeps(&self) -> Result<Option<i64>, Diagnostic>;

    /// The runs that it remembers, the last one first.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn runs(&self) -> Result<Vec<Run>, Diagnostic>;

    /// What a run did; of what came and went only what is wanted.
    ///
    /// # Errors
    /// As [`load`](Memory::load).
    fn done(&self, run: u64, wanted: Wanted<'_>) -> Result<Done, Diagnostic>;

    /// The run that left it as it was at a moment.
    ///
    /// # Errors
    /// As [`go_back`](Memory::go_back).
    fn run_at(&self, to: Moment) -> Result<Run, Diagnostic>;

    /// Shows what was there at a moment that is over, from now on; gives the run that left it
    /// so. Then it is only read.
    ///
    /// # Errors
    /// When that is not remembered, and as [`load`](Memory::load).
    fn go_back(&mut self, to: Moment) -> Result<Run, Diagnostic>;

    /// Records what it is settled for as it is now.
    ///
    /// # Errors
    /// When it cannot be written.
    fn set_settled(&mut self, asked: Option<&str>) -> Result<(), Diagnostic>;
}
