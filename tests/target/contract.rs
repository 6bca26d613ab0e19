//! What a target promises, as checks that run on any of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dsrules::kube::{Compact, DaemonSet, Kind, Meta, Node, ObjectKey, Plain, Pod, Revision};
use dsrules::target::{Batch, Conflict, Cursor, Found, Item, Refused, Target, Version, Write};
use serde_json::json;

/// Where a target is: it can be opened again and again, and it can be made to fail.
pub trait Place: Sync {
    fn open(&self) -> Box<dyn Target>;
    /// Lets every write of this pod fail, or no longer. No handle is open meanwhile.
    fn hinder(&self, pod: &ObjectKey, is_hindered: bool);
}

/// An object with whatever the world keeps of its kind.
pub enum Owned {
    Node(Node, Compact),
    DaemonSet(DaemonSet),
    Revision(Revision),
    Pod(Pod),
    Plain(Kind, Plain),
}

/// The versions that a writer gives: larger than all before.
static VERSION: AtomicU64 = AtomicU64::new(1);

impl Owned {
    /// An object of this kind and name that says `word`.
    pub fn new(kind: Kind, name: &str, word: &str) -> Self {
        let key = key(kind, name);
        let mut value = json!({ "metadata": { "name": name, "labels": { "word": word } }, "spec": {} });
        if kind.namespaced() {
            value["metadata"]["namespace"] = json!(&*key.namespace);
        }
        if kind == Kind::Pod {
            value["spec"] = json!({ "nodeName": "n1", "containers": [{ "name": "c", "image": word }] });
        }
        let value = Arc::new(value);
        let mut owned = match kind {
            Kind::Node => Owned::Node(Node::from_value(key, &value), Compact::from(&*value)),
            Kind::DaemonSet => Owned::DaemonSet(DaemonSet::from_value(key, value)),
            Kind::ControllerRevision => Owned::Revision(Revision::from_value(key, value)),
            Kind::Pod => Owned::Pod(Pod::from_value(key, value)),
            _ => Owned::Plain(kind, Plain { meta: Meta::from_value(key, &value), value }),
        };
        owned.meta().resource_version = VERSION.fetch_add(1, Ordering::Relaxed);
        owned
    }

    fn meta(&mut self) -> &mut Meta {
        match self {
            Owned::Node(it, _) => &mut it.meta,
            Owned::DaemonSet(it) => &mut it.meta,
            Owned::Revision(it) => &mut it.meta,
            Owned::Pod(it) => &mut it.meta,
            Owned::Plain(_, it) => &mut it.meta,
        }
    }

    pub fn item(&self) -> Item<'_> {
        match self {
            Owned::Node(it, body) => Item::Node(it, Some(body)),
            Owned::DaemonSet(it) => Item::DaemonSet(it),
            Owned::Revision(it) => Item::ControllerRevision(it),
            Owned::Pod(it) => Item::Pod(it),
            Owned::Plain(kind, it) => Item::Plain(*kind, it),
        }
    }
}

pub fn key(kind: Kind, name: &str) -> ObjectKey {
    ObjectKey::new(if kind.namespaced() { "default" } else { "" }, name)
}

fn create(target: &mut dyn Target, kind: Kind, name: &str, word: &str) -> Result<(), Refused> {
    target.write(&[Write::Create(Owned::new(kind, name, word).item())])
}

fn replace(
    target: &mut dyn Target,
    kind: Kind,
    name: &str,
    word: &str,
    version: &Version,
) -> Result<(), Refused> {
    target.write(&[Write::Replace(Owned::new(kind, name, word).item(), version.clone())])
}

fn delete(target: &mut dyn Target, kind: Kind, name: &str, version: &Version) -> Result<(), Refused> {
    target.write(&[Write::Delete(kind, &key(kind, name), version.clone())])
}

fn get(target: &dyn Target, kind: Kind, name: &str) -> Option<Found> {
    target.get(kind, &key(kind, name)).unwrap()
}

fn version(target: &dyn Target, kind: Kind, name: &str) -> Version {
    get(target, kind, name).unwrap().version
}

fn word(found: &Found) -> String {
    found.value["metadata"]["labels"]["word"].as_str().unwrap().to_owned()
}

/// All objects of a kind, by name, with their words.
fn all(target: &dyn Target, kind: Kind) -> (Vec<(String, String)>, Cursor) {
    let mut all = Vec::new();
    let cursor = target.list(kind, &mut |key, found| {
        all.push((key, found));
        Ok(())
    });
    for (key, found) in &all {
        assert_eq!(target.get(kind, key).unwrap().as_ref(), Some(found), "a listing and a get agree");
    }
    let words = all.iter().map(|(key, found)| (key.name.to_string(), word(found)));
    (words.collect(), cursor.unwrap())
}

fn pairs(words: &[(&str, &str)]) -> Vec<(String, String)> {
    words.iter().map(|(name, word)| ((*name).to_owned(), (*word).to_owned())).collect()
}

fn conflict(done: Result<(), Refused>) -> Conflict {
    match done {
        Err(Refused::Conflict(conflict)) => *conflict,
        other => panic!("not a conflict: {other:?}"),
    }
}

/// What is made must not be there.
pub fn creates_if_absent(place: &dyn Place) {
    let mut target = place.open();
    for kind in target.promises().kinds {
        assert_eq!(get(&*target, *kind, "a"), None);
        create(&mut *target, *kind, "a", "one").unwrap();
        let there = version(&*target, *kind, "a");
        let told = conflict(create(&mut *target, *kind, "a", "two"));
        assert_eq!((told.kind, &told.key), (*kind, &key(*kind, "a")));
        assert_eq!((told.expected, told.found), (None, Some(there.clone())));
        assert_eq!(word(&get(&*target, *kind, "a").unwrap()), "one", "the first one stays");
        assert_eq!(version(&*target, *kind, "a"), there);
    }
}

/// What is replaced must be there in the version that was read.
pub fn replaces_if_version(place: &dyn Place) {
    let mut target = place.open();
    for kind in target.promises().kinds {
        create(&mut *target, *kind, "a", "one").unwrap();
        let first = version(&*target, *kind, "a");
        replace(&mut *target, *kind, "a", "two", &first).unwrap();
        let second = version(&*target, *kind, "a");
        assert_ne!(first, second);
        let told = conflict(replace(&mut *target, *kind, "a", "three", &first));
        assert_eq!((told.expected, told.found), (Some(first), Some(second.clone())));
        assert_eq!(word(&get(&*target, *kind, "a").unwrap()), "two");
        let told = conflict(replace(&mut *target, *kind, "none", "one", &second));
        assert_eq!((told.expected, told.found), (Some(second), None));
        assert_eq!(all(&*target, *kind).0, pairs(&[("a", "two")]));
    }
}

/// What is deleted must be there in the version that was read, and is gone then.
pub fn deletes_if_version(place: &dyn Place) {
    let mut target = place.open();
    for kind in target.promises().kinds {
        create(&mut *target, *kind, "a", "one").unwrap();
        create(&mut *target, *kind, "b", "one").unwrap();
        let first = version(&*target, *kind, "a");
        replace(&mut *target, *kind, "a", "two", &first).unwrap();
        let told = conflict(delete(&mut *target, *kind, "a", &first));
        assert_eq!(told.expected, Some(first));
        let second = version(&*target, *kind, "a");
        delete(&mut *target, *kind, "a", &second).unwrap();
        assert_eq!(get(&*target, *kind, "a"), None);
        let told = conflict(delete(&mut *target, *kind, "a", &second));
        assert_eq!((told.expected, told.found), (Some(second), None));
        create(&mut *target, *kind, "a", "three").unwrap();
        assert_eq!(all(&*target, *kind).0, pairs(&[("a", "three"), ("b", "one")]));
    }
}

/// A handle that is opened later finds what an earlier one wrote.
pub fn keeps_what_was_written(place: &dyn Place) {
    let kinds = place.open().promises().kinds;
    for kind in kinds {
        create(&mut *place.open(), *kind, "b", "one").unwrap();
        create(&mut *place.open(), *kind, "a", "one").unwrap();
        assert_eq!(all(&*place.open(), *kind).0, pairs(&[("a", "one"), ("b", "one")]));
    }
}

/// A batch with a conflict in it leaves what the target promises, and so does one of which
/// a write fails; the next run goes on from there.
pub fn leaves_what_it_promises(place: &dyn Place) {
    let mut target = place.open();
    let kind = Kind::Pod;
    let names = |target: &dyn Target| -> Vec<String> {
        all(target, kind).0.into_iter().map(|(name, _)| name).collect()
    };
    create(&mut *target, kind, "c", "one").unwrap();
    let of = |name: &str| Owned::new(kind, name, "two");
    let (b, c, d) = (of("b"), of("c"), of("d"));
    let batch = [Write::Create(b.item()), Write::Create(c.item()), Write::Create(d.item())];
    assert_eq!(conflict(target.write(&batch)).key, key(kind, "c"));
    let before: &[&str] = match target.promises().batch {
        Batch::Whole => &["c"],
        Batch::Sequence => &["b", "c"],
    };
    assert_eq!(names(&*target), before);
    drop(target);

    place.hinder(&key(kind, "x"), true);
    let mut target = place.open();
    let (v, x, z) = (of("v"), of("x"), of("z"));
    let batch = [Write::Create(v.item()), Write::Create(x.item()), Write::Create(z.item())];
    assert!(matches!(target.write(&batch), Err(Refused::Told(_))), "it fails, and is no conflict");
    let mut left = before.to_vec();
    if target.promises().batch == Batch::Sequence {
        left.push("v");
    }
    assert_eq!(names(&*target), left);
    drop(target);

    place.hinder(&key(kind, "x"), false);
    let mut target = place.open();
    let rest: Vec<Owned> = ["v", "x", "z"].into_iter().filter(|name| !left.contains(name)).map(of).collect();
    let batch: Vec<Write<'_>> = rest.iter().map(|it| Write::Create(it.item())).collect();
    target.write(&batch).unwrap();
    left.retain(|name| *name != "v");
    left.extend(["v", "x", "z"]);
    assert_eq!(names(&*target), left);
}

/// A small generator of numbers: the same ones for the same seed.
fn dice(mut seed: u64) -> impl FnMut(usize) -> usize {
    move |sides| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % sides
    }
}

/// Random writes, right and wrong ones, do just what a map would do; who follows the
/// changes knows the same in the end.
pub fn does_as_a_map_does(place: &dyn Place, seed: u64) {
    const NAMES: [&str; 4] = ["a", "b", "c", "d"];
    let kind = Kind::Pod;
    let mut dice = dice(seed);
    let mut target = place.open();
    let mut model: BTreeMap<&str, (String, Version)> = BTreeMap::new();
    let mut follower = Follower::new(&*target, kind);
    let mut stale = Version::number(0);
    for step in 0..60 {
        let name = NAMES[dice(NAMES.len())];
        let new = format!("w{step}");
        let there = model.get(name).map(|(_, version)| version.clone());
        let expected = if dice(4) == 0 { Some(stale.clone()) } else { there.clone() };
        let done = match (dice(3), &expected) {
            (0, _) | (_, None) => {
                let done = create(&mut *target, kind, name, &new);
                assert_eq!(done.is_ok(), there.is_none(), "{step}: {done:?}");
                done.map(|()| Some(new))
            }
            (1, Some(expected)) => {
                let done = delete(&mut *target, kind, name, expected);
                assert_eq!(done.is_ok(), there.as_ref() == Some(expected), "{step}: {done:?}");
                done.map(|()| None)
            }
            (_, Some(expected)) => {
                let done = replace(&mut *target, kind, name, &new, expected);
                assert_eq!(done.is_ok(), there.as_ref() == Some(expected), "{step}: {done:?}");
                done.map(|()| Some(new))
            }
        };
        match done {
            Ok(Some(new)) => {
                stale = there.unwrap_or(stale);
                model.insert(name, (new, version(&*target, kind, name)));
            }
            Ok(None) => {
                stale = there.unwrap_or(stale);
                model.remove(name);
            }
            Err(refused) => assert_eq!(conflict(Err(refused)).found, there),
        }
        let known: Vec<_> = model.iter().map(|(name, (word, _))| (*name, &**word)).collect();
        assert_eq!(all(&*target, kind).0, pairs(&known), "{step}");
        if dice(5) == 0 {
            follower.follow(&*target);
            assert_eq!(follower.known(), pairs(&known), "{step}");
        }
    }
}

/// Somebody who knows a target's objects by listing them once and hearing of changes.
pub struct Follower {
    kind: Kind,
    known: BTreeMap<ObjectKey, Found>,
    cursor: Cursor,
    /// How often everything had to be listed.
    pub listed: usize,
}

impl Follower {
    pub fn new(target: &dyn Target, kind: Kind) -> Self {
        let (known, cursor) = Follower::list(target, kind);
        Follower { kind, known, cursor, listed: 1 }
    }

    fn list(target: &dyn Target, kind: Kind) -> (BTreeMap<ObjectKey, Found>, Cursor) {
        let mut known = BTreeMap::new();
        let cursor = target.list(kind, &mut |key, found| {
            known.insert(key, found);
            Ok(())
        });
        (known, cursor.unwrap())
    }

    /// Hears what is new, and gives the names in the order in which they were told.
    pub fn follow(&mut self, target: &dyn Target) -> Vec<String> {
        let (mut told, known) = (Vec::new(), &mut self.known);
        let cursor = target.changes(self.kind, &self.cursor, &mut |key, found| {
            told.push(key.name.to_string());
            match found {
                Some(found) => drop(known.insert(key, found)),
                None => drop(known.remove(&key)),
            }
            Ok(())
        });
        match cursor.unwrap() {
            Some(cursor) => self.cursor = cursor,
            None => {
                (self.known, self.cursor) = Follower::list(target, self.kind);
                self.listed += 1;
            }
        }
        told
    }

    pub fn known(&self) -> Vec<(String, String)> {
        self.known.iter().map(|(key, found)| (key.name.to_string(), word(found))).collect()
    }
}

/// A follower hears of each change once, in their order, and of nothing else.
pub fn tells_changes_in_order(place: &dyn Place) {
    let mut target = place.open();
    if !target.promises().watches {
        return;
    }
    for kind in target.promises().kinds {
        create(&mut *target, *kind, "a", "one").unwrap();
        create(&mut *target, *kind, "b", "one").unwrap();
        let mut follower = Follower::new(&*target, *kind);
        assert_eq!(follower.follow(&*target), Vec::<String>::new());
        create(&mut *target, *kind, "d", "one").unwrap();
        let b = version(&*target, *kind, "b");
        delete(&mut *target, *kind, "b", &b).unwrap();
        let a = version(&*target, *kind, "a");
        replace(&mut *target, *kind, "a", "two", &a).unwrap();
        create(&mut *target, *kind, "c", "one").unwrap();
        assert_eq!(follower.follow(&*target), ["d", "b", "a", "c"]);
        assert_eq!(follower.known(), pairs(&[("a", "two"), ("c", "one"), ("d", "one")]));
        assert_eq!(follower.follow(&*target), Vec::<String>::new());
        // Gone and made again, and made and gone again.
        let c = version(&*target, *kind, "c");
        delete(&mut *target, *kind, "c", &c).unwrap();
        create(&mut *target, *kind, "c", "two").unwrap();
        create(&mut *target, *kind, "e", "one").unwrap();
        let e = version(&*target, *kind, "e");
        delete(&mut *target, *kind, "e", &e).unwrap();
        follower.follow(&*target);
        assert_eq!(follower.known(), pairs(&[("a", "two"), ("c", "two"), ("d", "one")]));
        assert_eq!(follower.listed, 1);
    }
}

/// Many writers add one to the same number; none of the additions is lost.
pub fn lets_one_of_two_writers_win(place: &dyn Place) {
    const WRITERS: usize = 4;
    const EACH: usize = 8;
    let kind = Kind::Pod;
    let made = std::thread::scope(|scope| {
        let first = || scope.spawn(|| create(&mut *place.open(), kind, "a", "w0").is_ok());
        let writers: Vec<_> = (0..WRITERS).map(|_| first()).collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).filter(|won| *won).count()
    });
    assert_eq!(made, 1, "one of them made it");
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                let mut added = 0;
                while added < EACH {
                    let found = get(&*place.open(), kind, "a").unwrap();
                    let number: usize = word(&found)[1..].parse().unwrap();
                    // A new handle: between a read and a write anybody may come.
                    let done =
                        replace(&mut *place.open(), kind, "a", &format!("w{}", number + 1), &found.version);
                    match done {
                        Ok(()) => added += 1,
                        refused => drop(conflict(refused)),
                    }
                }
            });
        }
    });
    assert_eq!(word(&get(&*place.open(), kind, "a").unwrap()), format!("w{}", WRITERS * EACH));
}
