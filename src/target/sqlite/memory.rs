//! The store as the working memory: each of its methods by the name that it has there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::events::StoredEvent;
use super::placement::{Placement, PlacementOf};
use super::store::Store;
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, Name, ObjectKey, Status};
use crate::state::{
    Account, Done, FilesOf, Input, InputFile, KnownFile, Moment, OwnFile, Part, Run, Whole, World,
};
use crate::target::memory::{Memory, ReadPod, Selected, VisitObject, Wanted};

impl Memory for Store {
    fn keep_private(&self) -> Result<(), Diagnostic> {
        Store::keep_private(self)
    }

    fn begin(&mut self) -> Result<(), Diagnostic> {
        let begun = self.follow_to_write().and_then(|()| Store::begin(self));
        if begun.is_err() || self.upstream.is_none() {
            self.upstream.iter_mut().for_each(|upstream| upstream.end());
            return begun;
        }
        self.versions.clear();
        self.forget_changes()
    }

    fn commit(&mut self) -> Result<(), Diagnostic> {
        self.hand_on()?;
        let committed = Store::commit(self);
        self.upstream.iter_mut().for_each(|upstream| upstream.end());
        committed
    }

    fn follow(&mut self) -> Result<bool, Diagnostic> {
        Store::follow(self)
    }

    fn settle(&mut self, world: &mut World) -> Result<bool, Diagnostic> {
        if self.upstream.is_some() { Store::settle(self, world) } else { Ok(true) }
    }

    fn rollback(&mut self) {
        Store::rollback(self)
    }

    fn load(&self) -> Result<World, Diagnostic> {
        Store::load(self)
    }

    fn load_part(&self, part: &Part) -> Result<World, Diagnostic> {
        Store::load_part(self, part)
    }

    fn moment(&self) -> Result<(u64, i64), Diagnostic> {
        Store::moment(self)
    }

    fn has_allocatable(&self) -> Result<bool, Diagnostic> {
        Store::has_allocatable(self)
    }

    fn load_details(&self, world: &mut World) -> Result<(), Diagnostic> {
        Store::load_details(self, world)
    }

    fn load_whole(&self, world: &mut World, whole: Whole) -> Result<(), Diagnostic> {
        Store::load_whole(self, world, whole)
    }

    fn save(&mut self, world: &mut World) -> Result<(), Diagnostic> {
        Store::save(self, world)
    }

    fn object(&self, kind: Kind, key: &ObjectKey) -> Result<Option<Value>, Diagnostic> {
        Store::object(self, kind, key)
    }

    fn objects(&self, kind: Kind, namespace: Option<&str>, visit: VisitObject<'_>) -> Result<(), Diagnostic> {
        Store::objects(self, kind, namespace, visit)
    }

    fn pods(
        &self,
        selected: &Selected<'_>,
        namespace: Option<&str>,
        visit: VisitObject<'_>,
    ) -> Result<(), Diagnostic> {
        Store::pods(self, selected, namespace, visit)
    }

    fn phases(&self, uid: &str) -> Result<BTreeMap<Name, usize>, Diagnostic> {
        Store::phases(self, uid)
    }

    fn keys(&self, kind: Kind) -> Result<Vec<ObjectKey>, Diagnostic> {
        Store::keys(self, kind)
    }

    fn kinds(&self) -> Result<Vec<Kind>, Diagnostic> {
        Store::kinds(self)
    }

    fn bound_pods(&self, owner: &str) -> Result<BTreeMap<Name, Vec<ObjectKey>>, Diagnostic> {
        Store::bound_pods(self, owner)
    }

    fn read_pods(&self) -> Result<ReadPod<'_>, Diagnostic> {
        let mut pods = self.pod_reader()?;
        Ok(Box::new(move |key| pods.read(key)))
    }

    fn events(&self, about: Option<&ObjectKey>) -> Result<Vec<StoredEvent>, Diagnostic> {
        Store::events(self, about)
    }

    fn events_about(&self, of: &str, about: &ObjectKey) -> Result<Vec<StoredEvent>, Diagnostic> {
        Store::events_about(self, of, about)
    }

    fn count_of_events(&self) -> Result<Option<usize>, Diagnostic> {
        Store::count_of_events(self)
    }

    fn statuses(&self) -> Result<Vec<(ObjectKey, Status)>, Diagnostic> {
        Store::statuses(self)
    }

    fn input(&self, id: &str) -> Result<Input, Diagnostic> {
        Store::input(self, id)
    }

    fn known_files(&self, id: &str) -> Result<BTreeMap<Name, KnownFile>, Diagnostic> {
        Store::known_files(self, id)
    }

    fn input_but(&self, id: &str, passed: &BTreeSet<Name>) -> Result<Input, Diagnostic> {
        Store::input_but(self, id, passed)
    }

    fn has_input(&self, id: &str) -> Result<bool, Diagnostic> {
        Store::has_input(self, id)
    }

    fn files_having(
        &self,
        id: &str,
        objects: &BTreeSet<(Kind, &ObjectKey)>,
    ) -> Result<BTreeMap<(Kind, ObjectKey), Name>, Diagnostic> {
        Store::files_having(self, id, objects)
    }

    fn objects_of(
        &self,
        id: &str,
        passed: &BTreeSet<Name>,
        kinds: &BTreeMap<Kind, usize>,
        most: usize,
    ) -> Result<Vec<(Kind, ObjectKey)>, Diagnostic> {
        Store::objects_of(self, id, passed, kinds, most)
    }

    fn inputs(&self) -> Result<Vec<(String, usize)>, Diagnostic> {
        Store::inputs(self)
    }

    fn files_of(&self, objects: &BTreeSet<(Kind, ObjectKey)>) -> Result<FilesOf, Diagnostic> {
        Store::files_of(self, objects)
    }

    fn save_input(
        &mut self,
        id: &str,
        files: &[InputFile],
        passed: &BTreeSet<Name>,
    ) -> Result<(), Diagnostic> {
        Store::save_input(self, id, files, passed)
    }

    fn change_input(
        &mut self,
        id: &str,
        files: &[(Option<InputFile>, Option<InputFile>)],
    ) -> Result<(), Diagnostic> {
        Store::change_input(self, id, files)
    }

    fn own_files(&self, but: Option<&str>) -> Result<Vec<OwnFile>, Diagnostic> {
        Store::own_files(self, but)
    }

    fn save_own_files(&mut self, input: &str, files: &[OwnFile]) -> Result<(), Diagnostic> {
        Store::save_own_files(self, input, files)
    }

    fn placement(&self) -> Result<Placement, Diagnostic> {
        Store::placement(self)
    }

    fn save_placement(&mut self, before: Option<&Placement>, after: &Placement) -> Result<(), Diagnostic> {
        Store::save_placement(self, before, after)
    }

    fn is_settled(&self, asked: &str) -> Result<bool, Diagnostic> {
        Store::is_settled(self, asked)
    }

    fn placement_of(&self, nodes: &BTreeSet<Name>) -> Result<PlacementOf, Diagnostic> {
        Store::placement_of(self, nodes)
    }

    fn rest(&self, about: &str) -> Result<Option<String>, Diagnostic> {
        Store::rest(self, about)
    }

    fn set_rest(&mut self, known: Option<(&str, &str)>) -> Result<(), Diagnostic> {
        Store::set_rest(self, known)
    }

    fn remember(&mut self, account: &Account) -> Result<(), Diagnostic> {
        // What others do to a shared store is not noticed, so nothing is remembered of it.
        if self.upstream.is_some() { Ok(()) } else { Store::remember(self, account) }
    }

    fn keeps(&self) -> Result<Option<i64>, Diagnostic> {
        Store::keeps(self)
    }

    fn runs(&self) -> Result<Vec<Run>, Diagnostic> {
        Store::runs(self)
    }

    fn done(&self, run: u64, wanted: Wanted<'_>) -> Result<Done, Diagnostic> {
        Store::done(self, run, wanted)
    }

    fn run_at(&self, to: Moment) -> Result<Run, Diagnostic> {
        Store::run_at(self, to)
    }

    fn go_back(&mut self, to: Moment) -> Result<Run, Diagnostic> {
        Store::go_back(self, to)
    }

    fn set_settled(&mut self, asked: Option<&str>) -> Result<(), Diagnostic> {
        Store::set_settled(self, asked)
    }
}
