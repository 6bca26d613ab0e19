//! Slots: who may have a pod down for a rollout. There are as many names as pods may be down,
//! and a name is one agent's or free.
//!
//! ```text
//!  DIR/slots/<namespace>_<daemonset>.<n>     made whole by a hard link, or refused: it is taken
//! ```
//! The folder must be one for all (a mount): copies that are synchronised some time later would
//! give one slot to two.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde::{Deserialize, Serialize};

use crate::kube::{Name, ObjectKey};

/// Who has a slot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Slot {
    /// The node; empty where the file does not say.
    pub node: Name,
    /// The hash of the template that it is for.
    pub revision: Name,
}

/// The slots of a folder.
#[derive(Debug, Clone)]
pub struct Slots {
    path: PathBuf,
}

impl Slots {
    /// Those that are handed out in a folder of reports.
    #[must_use]
    pub fn new(reports: &Path) -> Self {
        Slots { path: reports.join("slots") }
    }

    /// The slots of a daemonset that are taken.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn taken(&self, daemonset: &ObjectKey) -> io::Result<BTreeMap<usize, Slot>> {
        let mut taken = BTreeMap::new();
        let dir = match Dir::open_ambient_dir(&self.path, ambient_authority()) {
            Ok(dir) => dir,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(taken),
            Err(error) => return Err(error),
        };
        for entry in dir.entries()? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let number = name.rsplit_once('.').filter(|(of, _)| *of == stem(daemonset));
            let Some(number) = number.and_then(|(_, number)| number.parse().ok()) else { continue };
            let mut text = String::new();
            match dir.open(&name).and_then(|file| file.take(4096).read_to_string(&mut text)) {
                // Given back meanwhile.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                // Whoever has it, it is taken.
                read => {
                    read?;
                    taken.insert(number, serde_json::from_str(&text).unwrap_or_default());
                }
            }
        }
        Ok(taken)
    }

    /// Takes a slot, if it is free; says whether it was.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn take(&self, daemonset: &ObjectKey, number: usize, slot: &Slot) -> io::Result<bool> {
        if !self.path.is_dir() {
            Dir::create_ambient_dir_all(&self.path, ambient_authority())?;
        }
        let dir = Dir::open_ambient_dir(&self.path, ambient_authority())?;
        let temporary = format!(".{}.tmp", slot.node);
        let mut file = dir.create(&temporary)?;
        file.write_all(serde_json::to_string(slot).map_err(io::Error::other)?.as_bytes())?;
        file.sync_all()?;
        drop(file);
        let name = format!("{}.{number}", stem(daemonset));
        let linked = dir.hard_link(&temporary, &dir, &name);
        dir.remove_file(&temporary)?;
        match linked {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Gives a slot back.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn give_back(&self, daemonset: &ObjectKey, number: usize) -> io::Result<()> {
        let dir = Dir::open_ambient_dir(&self.path, ambient_authority())?;
        match dir.remove_file(format!("{}.{number}", stem(daemonset))) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// No namespace has a `_`, and no number a dot.
fn stem(daemonset: &ObjectKey) -> String {
    format!("{}_{}", daemonset.namespace, daemonset.name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_slot_is_one_agents_or_free() {
        let root = tempfile::tempdir().unwrap();
        let slots = Slots::new(root.path());
        let (web, other) = (ObjectKey::new("default", "web"), ObjectKey::new("default", "web.2"));
        let of = |node: &str| Slot { node: node.into(), revision: "r1".into() };
        assert_eq!(slots.taken(&web).unwrap(), BTreeMap::new());
        assert!(slots.take(&web, 0, &of("n1")).unwrap());
        assert!(!slots.take(&web, 0, &of("n2")).unwrap());
        assert!(slots.take(&other, 0, &of("n2")).unwrap());
        assert_eq!(slots.taken(&web).unwrap(), [(0, of("n1"))].into());
        slots.give_back(&web, 0).unwrap();
        slots.give_back(&web, 0).unwrap();
        assert!(slots.take(&web, 0, &of("n2")).unwrap());
        std::fs::write(root.path().join("slots/default_web.1"), "").unwrap();
        assert_eq!(slots.taken(&web).unwrap()[&1], Slot::default());
    }

    /// Many at once: one of them gets it.
    #[test]
    fn of_many_that_want_one_slot_one_gets_it() {
        let root = tempfile::tempdir().unwrap();
        let slots = Slots::new(root.path());
        let web = ObjectKey::new("default", "web");
        let got: usize = std::thread::scope(|scope| {
            let take = |nth: usize| {
                let (slots, web) = (&slots, &web);
                move || {
                    slots
                        .take(web, 0, &Slot { node: format!("n{nth}").into(), revision: "r".into() })
                        .unwrap()
                }
            };
            let all: Vec<_> = (0..8).map(|nth| scope.spawn(take(nth))).collect();
            all.into_iter().map(|it| usize::from(it.join().unwrap())).sum()
        });
        assert_eq!(got, 1);
    }
}
