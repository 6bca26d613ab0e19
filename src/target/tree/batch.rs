//! Folders written a batch at a time: each step is taken for all folders of the batch, on
//! several cores, and then what it wrote is made to last before the next one.
//!
//! A batch is bounded by its files, their bytes and its folders, so memory and open files do
//! not grow with the tree. One with a handful of files is synced file by file; so is any
//! where not all of a file system can be synced at once, by many threads then, as each
//! waits for the disk.

use std::sync::{Mutex, MutexGuard, PoisonError};

use cap_std::fs::File;

use super::disk::{Handle, Witness};
use super::durable::{self, MANY};
use super::folder::failed;
use super::mend::{How, Job, STEPS, Work};
use super::report::TreeReport;
use super::stop::Stop;
use crate::cores;
use crate::meter;

/// At most so many files, unless one folder has more.
const FILES: usize = 4096;

/// At most so many bytes, unless one folder has more.
const BYTES: usize = 32 << 20;

/// How many threads wait for the disk where each file is synced by itself.
const WAITING: usize = 16;

/// As many threads as there are cores.
const COMPUTING: usize = 0;

/// What is being written to a tree.
pub(super) struct Batches<'r> {
    root: &'r Handle,
    /// The tree's folder, as it is told.
    shown: String,
    /// Where everything can be made to last at once: the tree's folder, opened before
    /// anything was written, so that what fails from then on is told.
    all: Option<File>,
    jobs: Vec<Job>,
    files: usize,
    bytes: usize,
    /// How many folders a batch may have.
    folders: usize,
    stop: Stop,
    report: TreeReport,
    /// What is not known to be on the disk.
    open: Open,
}

/// What is written and not known to be on the disk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Open {
    Nothing,
    /// Names in the tree's folder.
    Root,
    /// Whatever a batch wrote.
    All,
}

impl<'r> Batches<'r> {
    pub(super) fn new(root: &'r Handle, shown: String) -> Self {
        let relied = |all: &File| root.witness().is_some() || durable::can_sync_all(all);
        Batches {
            root,
            shown,
            all: root.itself().ok().filter(relied),
            jobs: Vec::new(),
            files: 0,
            bytes: 0,
            folders: durable::folders(),
            stop: Stop::default(),
            report: TreeReport::default(),
            open: Open::Nothing,
        }
    }

    /// Adds a folder; the batch is written when it is full.
    pub(super) fn add(&mut self, job: Job) {
        let data = job.files.data.files.values();
        self.files += job.files.own.len() + data.len();
        self.bytes += data.map(|file| file.bytes.len()).sum::<usize>();
        self.bytes += job.files.own.values().map(|text| text.text.len()).sum::<usize>();
        self.jobs.push(job);
        if self.files >= FILES || self.bytes >= BYTES || self.jobs.len() >= self.folders {
            self.run();
        }
    }

    /// Writes what is left, and makes everything last.
    pub(super) fn finish(mut self) -> TreeReport {
        self.run();
        let flushed = match (self.open, &self.all) {
            (Open::Nothing, _) => Ok(()),
            (Open::All, Some(all)) => self.root.flush_all(all),
            _ => self.root.flush(),
        };
        // What ended the run is told, and that alone.
        if let Err(error) = flushed
            && !self.stop.is_set()
        {
            self.report.problems.push(failed(&self.shown, "written to disk", &error));
        }
        self.report.problems.extend(self.stop.into_told());
        self.report
    }

    /// Writes a batch.
    fn run(&mut self) {
        (self.files, self.bytes) = (0, 0);
        let mut jobs = std::mem::take(&mut self.jobs);
        let said: Vec<TreeReport> = jobs.iter_mut().map(|job| std::mem::take(&mut job.report)).collect();
        let looked = match self.stop.is_set() {
            true => Vec::new(),
            false => self.on(COMPUTING, jobs.len(), |nth| Work::look(self.root, nth, &jobs[nth])),
        };
        let works: Vec<Mutex<Work<'_>>> = looked.into_iter().map(Mutex::new).collect();
        self.write(&works);
        let mut done =
            works.into_iter().map(|work| work.into_inner().unwrap_or_else(PoisonError::into_inner));
        meter::add(said.len());
        for said in said {
            self.report.add(said);
            done.next().into_iter().for_each(|work| self.report.add(work.report()));
        }
    }

    fn write(&mut self, works: &[Mutex<Work<'_>>]) {
        let count: usize = works.iter().map(|work| lock(work).count()).sum();
        let asked = self.root.witness().and_then(Witness::together);
        let all = self.all.as_ref().filter(|_| asked.unwrap_or(count >= MANY));
        let how = How { root: self.root, syncs: all.is_none(), stop: &self.stop };
        let threads = if how.syncs && count >= MANY { WAITING } else { COMPUTING };
        for step in 0..STEPS {
            self.on(threads, works.len(), |nth| lock(&works[nth]).step(step, &how));
            // Each is asked.
            if works.iter().filter(|work| lock(work).take_waits()).count() == 0 {
                continue;
            }
            let Some(all) = all else {
                self.open = self.open.max(Open::Root);
                continue;
            };
            self.open = Open::All;
            // What nothing more is done about is made to last with what comes next.
            if works.iter().any(|work| lock(work).goes_on()) {
                match self.root.flush_all(all) {
                    Ok(()) => self.open = Open::Nothing,
                    Err(error) => self.stop.set(failed(&self.shown, "written to disk", &error)),
                }
            }
        }
    }

    /// Does work on threads; on one where somebody looks on, who is to see one order.
    fn on<T: Send>(&self, threads: usize, count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
        match (self.root.witness(), threads) {
            (Some(_), _) => cores::on_one(count, work),
            (None, COMPUTING) => cores::on_all(count, work),
            (None, threads) => cores::on_some(threads, count, work),
        }
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
