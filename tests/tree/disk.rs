//! A disk that keeps only what was synced, as a model: what a run did is played on it step by
//! step, and then the power is cut.
//!
//! A file that was not synced may hold anything afterwards that begins as it did: nothing,
//! a part, zeros. Of a folder that was not synced each change is there or not, whatever
//! became of the others.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use dsrules::target::tree::Step;

/// A file or folder. Names lead to it by its number.
#[derive(Clone)]
enum Inode {
    File { now: Vec<u8>, kept: Option<Vec<u8>> },
    Folder { now: BTreeMap<String, usize>, kept: BTreeMap<String, usize>, open: Vec<Change> },
}

/// One change of a folder's names, all of it or nothing.
#[derive(Clone)]
struct Change {
    removed: Option<String>,
    added: Option<(String, usize)>,
}

impl Change {
    fn make(&self, names: &mut BTreeMap<String, usize>) {
        if let Some(name) = &self.removed {
            names.remove(name);
        }
        if let Some((name, inode)) = &self.added {
            names.insert(name.clone(), *inode);
        }
    }
}

#[derive(Clone)]
pub struct Disk(Vec<Inode>);

/// What is lost when the power is cut.
#[derive(Clone, Copy, Debug)]
pub enum Loss {
    /// Nothing: as if the process alone had ended.
    Nothing,
    /// All that was not synced.
    All,
    /// The n-th change, and all that was not synced of files.
    But(usize),
    /// All but the n-th change.
    Only(usize),
    /// Some of it, by chance.
    Some(u64),
}

impl Loss {
    fn keeps(self, nth: usize) -> bool {
        match self {
            Loss::Nothing => true,
            Loss::All => false,
            Loss::But(lost) => nth != lost,
            Loss::Only(kept) => nth == kept,
            Loss::Some(seed) => mixed(seed, nth).is_multiple_of(2),
        }
    }

    /// What is in a file that was not synced.
    fn content(self, nth: usize, now: &[u8], kept: Option<&[u8]>) -> Vec<u8> {
        let seed = match self {
            Loss::Nothing => return now.to_vec(),
            Loss::All => return kept.unwrap_or_default().to_vec(),
            Loss::But(seed) | Loss::Only(seed) => seed as u64,
            Loss::Some(seed) => seed,
        };
        match mixed(seed ^ 77, nth) % 4 {
            0 => kept.unwrap_or_default().to_vec(),
            1 => now.to_vec(),
            2 => now[..now.len() / 2].to_vec(),
            _ => vec![0; now.len()],
        }
    }
}

fn mixed(seed: u64, nth: usize) -> u64 {
    let mut it = seed.wrapping_add(nth as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    it ^= it >> 29;
    it = it.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    it ^ it >> 32
}

impl Disk {
    /// A disk that holds what is in a folder, all of it synced.
    pub fn of(dir: &Path) -> Self {
        let mut disk =
            Disk(vec![Inode::Folder { now: BTreeMap::new(), kept: BTreeMap::new(), open: Vec::new() }]);
        disk.read(dir, 0);
        disk.sync_all();
        disk
    }

    fn read(&mut self, dir: &Path, folder: usize) {
        for entry in fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let is_dir = entry.file_type().unwrap().is_dir();
            let inode = if is_dir { self.folder() } else { self.file(fs::read(entry.path()).unwrap()) };
            self.change(folder, None, Some((entry.file_name().into_string().unwrap(), inode)));
            if is_dir {
                self.read(&entry.path(), inode);
            }
        }
    }

    fn folder(&mut self) -> usize {
        self.0.push(Inode::Folder { now: BTreeMap::new(), kept: BTreeMap::new(), open: Vec::new() });
        self.0.len() - 1
    }

    fn file(&mut self, now: Vec<u8>) -> usize {
        self.0.push(Inode::File { now, kept: None });
        self.0.len() - 1
    }

    fn change(&mut self, folder: usize, removed: Option<String>, added: Option<(String, usize)>) {
        let Inode::Folder { now, open, .. } = &mut self.0[folder] else { panic!("a folder") };
        let change = Change { removed, added };
        change.make(now);
        open.push(change);
    }

    /// The folder that a path is in, and its name there.
    fn parent<'p>(&self, path: &'p str) -> (usize, &'p str) {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        (self.find(folder), name)
    }

    fn find(&self, path: &str) -> usize {
        path.split('/').filter(|name| !name.is_empty()).fold(0, |folder, name| {
            let Inode::Folder { now, .. } = &self.0[folder] else { panic!("a folder") };
            now[name]
        })
    }

    fn sync(&mut self, nth: usize) {
        match &mut self.0[nth] {
            Inode::File { now, kept } => *kept = Some(now.clone()),
            Inode::Folder { now, kept, open } => {
                *kept = now.clone();
                open.clear();
            }
        }
    }

    fn sync_all(&mut self) {
        (0..self.0.len()).for_each(|nth| self.sync(nth));
    }

    /// Takes a step, as the run did.
    pub fn take(&mut self, step: &Step) {
        match step {
            Step::MakeFolder(path) | Step::Make(path) => {
                let inode = match step {
                    Step::Make(_) => self.file(Vec::new()),
                    _ => self.folder(),
                };
                let (folder, name) = self.parent(path);
                self.change(folder, None, Some((name.to_owned(), inode)));
            }
            Step::Fill(path, bytes) => {
                let inode = self.find(path);
                let Inode::File { now, .. } = &mut self.0[inode] else { panic!("a file") };
                now.clone_from(bytes);
            }
            Step::Permit(_) => {}
            Step::SyncFile(path) | Step::SyncFolder(path) => self.sync(self.find(path)),
            Step::SyncAll => self.sync_all(),
            Step::Remove(path) | Step::RemoveFolder(path) | Step::RemoveAll(path) => {
                let (folder, name) = self.parent(path);
                self.change(folder, Some(name.to_owned()), None);
            }
            Step::Link(from, to) => {
                let inode = self.find(from);
                let (folder, name) = self.parent(to);
                self.change(folder, None, Some((name.to_owned(), inode)));
            }
            Step::Rename { from, to, .. } => {
                let inode = self.find(from);
                let ((old, from), (new, to)) = (self.parent(from), self.parent(to));
                let added = Some((to.to_owned(), inode));
                if old == new {
                    self.change(old, Some(from.to_owned()), added);
                } else {
                    self.change(new, None, added);
                    self.change(old, Some(from.to_owned()), None);
                }
            }
        }
    }

    /// How many changes of folders are not synced.
    pub fn open(&self) -> usize {
        self.0.iter().map(|inode| if let Inode::Folder { open, .. } = inode { open.len() } else { 0 }).sum()
    }

    /// Cuts the power, and writes what is left into an empty folder.
    pub fn cut(&self, loss: Loss, into: &Path) {
        let mut nth = 0;
        let mut names = Vec::new();
        for inode in &self.0 {
            let mut left = BTreeMap::new();
            if let Inode::Folder { kept, open, .. } = inode {
                left.clone_from(kept);
                for change in open {
                    if loss.keeps(nth) {
                        change.make(&mut left);
                    }
                    nth += 1;
                }
            }
            names.push(left);
        }
        self.write(0, &names, loss, into);
    }

    fn write(&self, folder: usize, names: &[BTreeMap<String, usize>], loss: Loss, into: &Path) {
        for (name, inode) in &names[folder] {
            let path = into.join(name);
            match &self.0[*inode] {
                Inode::File { now, kept } if kept.as_ref() == Some(now) => fs::write(path, now).unwrap(),
                Inode::File { now, kept } => {
                    fs::write(path, loss.content(*inode, now, kept.as_deref())).unwrap();
                }
                Inode::Folder { .. } => {
                    fs::create_dir(&path).unwrap();
                    self.write(*inode, names, loss, &path);
                }
            }
        }
    }
}
