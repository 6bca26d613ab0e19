//! What is done to one node's folder, in steps between which everything that was written is
//! made to last: by itself, or with the other folders of a batch.
//!
//! | step | a folder that is there | one that is not |
//! |---|---|---|
//! | `write` | files under temporary names, an index of the old and the new ones too | all of it, under a hidden name |
//! | `name` | files of volumes and the index get their names | the folder gets its name |
//! | `swap` | old files go, new ones get their names; the index of the new ones is written | |
//! | `end` | that index gets its name; files of volumes that nobody mounts go | |
//! | `leave` | a folder that is not wanted any more goes | |
//!
//! So nothing has its name before it is on the disk, the index names a file before it is
//! there and until it is gone, and what a pod mounts is there before it. Files go before
//! new ones come, because two pods may want the same port.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};

use super::data::{self, Prepared};
use super::disk::{Handle, temporary};
use super::files::{Files, Text};
use super::folder::Folder;
use super::index::{INDEX, Index};
use super::leftovers;
use super::place::{FileName, NodeFolder};
use super::report::{Done, TreeChange, TreeReport};
use super::stop::{Failures, Stop};

/// How many steps there are.
pub(super) const STEPS: usize = 5;

/// A folder that is to be made what it has to be.
pub(super) struct Job {
    pub(super) node: NodeFolder,
    pub(super) files: Files,
    /// What was to be said of it before.
    pub(super) report: TreeReport,
}

/// How a batch is written.
pub(super) struct How<'a> {
    pub(super) root: &'a Handle,
    /// Whether each file and folder is made to last by itself; else the batch is, after each
    /// step.
    pub(super) syncs: bool,
    pub(super) stop: &'a Stop,
}

/// A job that is being done.
pub(super) struct Work<'a> {
    nth: usize,
    node: &'a NodeFolder,
    wanted: &'a Files,
    report: TreeReport,
    failures: Failures,
    state: State<'a>,
    /// Whether something was written that has to be on the disk before the next step.
    waits: bool,
}

/// How far it is.
enum State<'a> {
    /// There is nothing left to do.
    Done,
    /// The folder is to be made, or is, under its hidden name, with these changes.
    New(TreeReport),
    Old(Box<Old<'a>>),
}

/// A folder that was there.
struct Old<'a> {
    folder: Folder<'a>,
    /// The files to be removed.
    stale: Vec<String>,
    /// The files that will be there.
    files: BTreeSet<String>,
    writes: Vec<Write<'a>>,
    /// Whether the index has to be written in any case.
    rewritten: bool,
    data: Prepared,
    /// The index under its temporary name.
    index: Option<String>,
}

struct Write<'a> {
    file: &'a FileName,
    text: &'a Text,
    done: Done,
    /// Its temporary name, once it is written.
    temporary: String,
}

impl<'a> Work<'a> {
    /// Looks what is to be done; the `nth` of a batch.
    pub(super) fn look(root: &Handle, nth: usize, job: &'a Job) -> Self {
        let Job { node, files: wanted, .. } = job;
        let mut work = Work {
            nth,
            node,
            wanted,
            report: TreeReport::default(),
            failures: Failures::default(),
            state: State::Done,
            waits: false,
        };
        match Folder::open(root, node, true) {
            Ok(None) if wanted.own.is_empty() => {}
            Ok(None) => work.state = State::New(TreeReport::default()),
            Ok(Some(folder)) => {
                let old = Old::look(folder, wanted, &mut work.report);
                if !old.is_just_so(wanted) {
                    work.state = State::Old(Box::new(old));
                }
            }
            Err(told) => work.report.problems.push(told),
        }
        work
    }

    /// How many files are to be written, at least.
    pub(super) fn count(&self) -> usize {
        match &self.state {
            State::Done => 0,
            State::New(_) => self.wanted.own.len() + self.wanted.data.files.len() + 1,
            State::Old(old) => old.stale.len() + old.writes.len() + self.wanted.data.files.len(),
        }
    }

    /// Whether there are steps left to take.
    pub(super) fn goes_on(&self) -> bool {
        !matches!(self.state, State::Done)
    }

    /// Whether something was written since this was asked last.
    pub(super) fn take_waits(&mut self) -> bool {
        std::mem::take(&mut self.waits)
    }

    /// What was done, in the end.
    pub(super) fn report(mut self) -> TreeReport {
        self.failures.tell(&mut self.report);
        self.report
    }

    /// Takes a step.
    pub(super) fn step(&mut self, step: usize, how: &How<'_>) {
        match step {
            _ if how.stop.is_set() => self.give_up(how),
            0 => self.write(how),
            1 => self.name(how),
            2 => self.swap(how),
            3 => self.end(how),
            _ => self.leave(how),
        }
    }

    fn write(&mut self, how: &How<'_>) {
        match std::mem::replace(&mut self.state, State::Done) {
            State::Done => {}
            State::New(mut made) => match self.make(how, &mut made) {
                Ok(true) => {
                    self.waits = true;
                    self.state = State::New(made);
                }
                Ok(false) => drop(leftovers::remove(how.root, &leftovers::new(self.nth))),
                Err(error) => self.unmade(how, &error),
            },
            State::Old(mut old) => match self.prepare(&mut old, how) {
                Ok(true) => self.state = State::Old(old),
                Ok(false) => old.forget(),
                Err(error) => {
                    self.failures.add(how.stop, self.node, "written", &error);
                    old.forget();
                }
            },
        }
    }

    fn name(&mut self, how: &How<'_>) {
        match std::mem::replace(&mut self.state, State::Done) {
            State::Done => {}
            State::New(made) => match how.root.rename_folder(&leftovers::new(self.nth), self.node) {
                Ok(()) => {
                    self.report.changes.extend(made.changes);
                    self.waits = true;
                }
                Err(error) => self.unmade(how, &error),
            },
            State::Old(mut old) => match self.install(&mut old, how) {
                Ok(true) => self.state = State::Old(old),
                Ok(false) => old.forget(),
                Err(error) => {
                    self.failures.add(how.stop, self.node, "written", &error);
                    old.forget();
                }
            },
        }
    }

    fn swap(&mut self, how: &How<'_>) {
        if let State::Old(mut old) = std::mem::replace(&mut self.state, State::Done) {
            let before = self.report.changes.len();
            self.remove(&mut old, how);
            self.replace(&mut old, how);
            let mut done = Ok(());
            if old.folder.indexed || old.rewritten || !old.files.is_empty() {
                done = old.prepare_index(old.files.clone(), how.syncs);
            }
            self.waits |= self.report.changes.len() > before || old.index.is_some();
            if how.syncs && self.waits {
                done = done.and_then(|()| old.folder.dir.flush());
            }
            match done {
                Ok(()) => self.state = State::Old(old),
                Err(error) => {
                    self.failures.add(how.stop, self.node, "written", &error);
                    old.forget();
                }
            }
        }
    }

    fn end(&mut self, how: &How<'_>) {
        if let State::Old(mut old) = std::mem::replace(&mut self.state, State::Done) {
            let mut done = Ok(());
            if let Some(temporary) = old.index.take() {
                self.waits = true;
                done = old.folder.install_index(&temporary);
            }
            let (dir, data) = (&old.folder.dir, &self.wanted.data);
            let cleaned = data::clean(dir, self.node, data, how.syncs, &mut self.report);
            self.waits |= self.is_done(how, "removed", cleaned).unwrap_or(true);
            if how.syncs && self.waits {
                done = done.and_then(|()| old.folder.dir.flush());
            }
            match done {
                Ok(()) if self.wanted.own.is_empty() => self.state = State::Old(old),
                Ok(()) => {}
                Err(error) => self.failures.add(how.stop, self.node, "written", &error),
            }
        }
    }

    fn leave(&mut self, how: &How<'_>) {
        if let State::Old(old) = std::mem::replace(&mut self.state, State::Done) {
            match old.folder.leave(how.root, &temporary(self.nth), how.syncs) {
                Ok(left) => self.waits = left,
                Err(error) => self.failures.add(how.stop, self.node, "removed", &error),
            }
        }
    }

    /// Removes what has only a temporary name.
    fn give_up(&mut self, how: &How<'_>) {
        match std::mem::replace(&mut self.state, State::Done) {
            State::Done => {}
            State::New(_) => drop(leftovers::remove(how.root, &leftovers::new(self.nth))),
            State::Old(old) => old.forget(),
        }
    }

    fn unmade(&mut self, how: &How<'_>, error: &io::Error) {
        let _ = leftovers::remove(how.root, &leftovers::new(self.nth));
        self.failures.add(how.stop, self.node, "made", error);
    }

    /// Makes the folder under its hidden name, with all that is to be in it; not where files of
    /// volumes cannot be written, which is told.
    fn make(&mut self, how: &How<'_>, made: &mut TreeReport) -> io::Result<bool> {
        let (name, wanted) = (leftovers::new(self.nth), self.wanted);
        let files = wanted.own.keys().map(ToString::to_string).collect();
        let index = Index { node: self.node.to_string(), made: true, files, written: wanted.written.clone() };
        how.root.create_dir(&name)?;
        let dir = how.root.open(&name)?;
        dir.write(INDEX, index.text()?.as_bytes(), None, how.syncs)?;
        let mut data = Prepared::default();
        if !self.prepare_data(&dir, &mut data, how) || !self.install_data(data, how, made) {
            return Ok(false);
        }
        for (file, text) in &wanted.own {
            match dir.write(file, text.text.as_bytes(), text.mode(), how.syncs) {
                Ok(()) => made
                    .changes
                    .push(TreeChange { path: format!("{}/{file}", self.node), done: Done::Created }),
                Err(error) => self.failed(how, file, "written", &error),
            }
        }
        if how.syncs {
            dir.flush()?;
        }
        Ok(true)
    }

    /// Writes what is not just so under temporary names; not where files of volumes cannot be
    /// written.
    fn prepare(&mut self, old: &mut Old<'a>, how: &How<'_>) -> io::Result<bool> {
        if !self.prepare_data(&old.folder.dir, &mut old.data, how) {
            return Ok(false);
        }
        if !old.writes.is_empty() {
            let all = old.files.iter().chain(&old.stale).cloned().collect();
            old.prepare_index(all, how.syncs)?;
        }
        for mut write in std::mem::take(&mut old.writes) {
            match old.folder.prepare(write.text, how.syncs) {
                Ok(temporary) => {
                    write.temporary = temporary;
                    old.writes.push(write);
                }
                Err(error) => self.failed(how, write.file, "written", &error),
            }
        }
        self.waits = !old.data.is_empty() || old.index.is_some() || !old.writes.is_empty();
        Ok(true)
    }

    /// Gives the index and the files of volumes their names.
    fn install(&mut self, old: &mut Old<'a>, how: &How<'_>) -> io::Result<bool> {
        self.waits = !old.data.is_empty() || old.index.is_some();
        if let Some(temporary) = old.index.take() {
            old.folder.install_index(&temporary)?;
        }
        let mut report = std::mem::take(&mut self.report);
        let done = self.install_data(std::mem::take(&mut old.data), how, &mut report);
        self.report = report;
        if how.syncs && self.waits {
            old.folder.dir.flush()?;
        }
        Ok(done)
    }

    /// Removes the files that are not wanted.
    fn remove(&mut self, old: &mut Old<'a>, how: &How<'_>) {
        for name in std::mem::take(&mut old.stale) {
            match old.folder.dir.remove_file(&name) {
                Ok(()) => self.report.changes.push(old.folder.change(&name, Done::Removed)),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    self.failed(how, &name, "removed", &error);
                    old.files.insert(name);
                }
            }
        }
    }

    /// Gives the files that were written their names.
    fn replace(&mut self, old: &mut Old<'a>, how: &How<'_>) {
        for Write { file, done, temporary, .. } in std::mem::take(&mut old.writes) {
            match old.folder.install(&temporary, file, done) {
                Ok(()) => self.report.changes.push(old.folder.change(file, done)),
                Err(error) if done == Done::Created && error.kind() == ErrorKind::AlreadyExists => {
                    self.report.problems.push(old.folder.foreign(file));
                    old.files.remove(&**file);
                }
                Err(error) => self.failed(how, file, "written", &error),
            }
        }
    }

    /// Whether the files of volumes could be written; else it is told.
    fn prepare_data(&mut self, dir: &Handle, data: &mut Prepared, how: &How<'_>) -> bool {
        let done = data::prepare(dir, &self.wanted.data, how.syncs, data, &mut self.report);
        self.is_done(how, "written", done).is_some()
    }

    fn install_data(&mut self, data: Prepared, how: &How<'_>, report: &mut TreeReport) -> bool {
        let done = data::install(self.node, data, how.syncs, report);
        self.is_done(how, "written", done).is_some()
    }

    /// What came of files of volumes; else it is told.
    fn is_done<T>(&mut self, how: &How<'_>, what: &str, done: Result<T, data::Failed>) -> Option<T> {
        done.map_err(|(path, error)| {
            self.failures.add(how.stop, &data::shown(self.node, &path), what, &error);
        })
        .ok()
    }

    fn failed(&mut self, how: &How<'_>, file: &str, what: &str, error: &io::Error) {
        self.failures.add(how.stop, &format!("{}/{file}", self.node), what, error);
    }
}

impl<'a> Old<'a> {
    /// Compares what is there with what is to be.
    fn look(mut folder: Folder<'a>, wanted: &'a Files, report: &mut TreeReport) -> Self {
        let stale = folder.stale(wanted);
        let (mut files, mut writes) = (BTreeSet::new(), Vec::new());
        for (file, text) in &wanted.own {
            match folder.todo(file, text) {
                Ok(None) => report.unchanged += 1,
                Ok(Some(done)) => writes.push(Write { file, text, done, temporary: String::new() }),
                Err(told) => {
                    report.problems.push(told);
                    continue;
                }
            }
            files.insert(file.to_string());
        }
        let rewritten = folder.index.written != wanted.written;
        folder.index.written = wanted.written.clone();
        folder.indexed &= !rewritten;
        Old { folder, stale, files, writes, rewritten, data: Prepared::default(), index: None }
    }

    /// Whether there is nothing to do at all.
    fn is_just_so(&self, wanted: &Files) -> bool {
        let has_data = self.folder.has(data::FOLDER) || !wanted.data.folders.is_empty();
        let is_changed = self.rewritten || !self.stale.is_empty() || !self.writes.is_empty();
        !(has_data || is_changed || wanted.own.is_empty() || self.folder.index_differs(&self.files))
    }

    /// Writes an index that names these files, where what is there differs.
    fn prepare_index(&mut self, files: BTreeSet<String>, syncs: bool) -> io::Result<()> {
        if self.folder.index_differs(&files) {
            self.index = Some(self.folder.prepare_index(files, syncs)?);
        }
        Ok(())
    }

    /// Removes what has only a temporary name.
    fn forget(self) {
        data::forget(self.data);
        let written = self.writes.into_iter().map(|write| write.temporary).filter(|it| !it.is_empty());
        for temporary in written.chain(self.index) {
            let _ = self.folder.dir.remove_file(&temporary);
        }
    }
}
