//! What is put on record of a run: what led to it, what came and went, and by which rule.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::differs::differs;
use crate::app::options::Options;
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, Name, ObjectKey};
use crate::manifest::{Places, ReadFile};
use crate::plan::{Action, Applied, Plan};
use crate::state::{Account, Change, DoneLines, Group, InputFile, Led, OwnFile, World};
use crate::target::{Item, Memory};
use crate::validate::path::FieldPath;

/// Of more objects it is not looked up in which line and field they differ.
const LOOKED_UP: usize = 256;

/// So many nodes and pods that changed are put on record by name.
pub(super) const NAMED: usize = 4096;

/// What a run was told by its input.
pub(in crate::app) struct Heard<'a> {
    /// The input's id.
    pub(in crate::app) id: &'a str,
    /// Its files that were read.
    pub(in crate::app) files: BTreeMap<&'a Name, &'a str>,
    /// What stands in files.
    pub(in crate::app) held: Vec<(&'a Name, Held<'a>)>,
    /// Where objects stand that came as texts.
    pub(in crate::app) texts: Places,
    /// The user's rules, where they may be other ones.
    pub(in crate::app) own: Option<&'a [OwnFile]>,
}

impl<'a> Heard<'a> {
    /// Of an input that was read.
    pub(in crate::app) fn of(id: &'a str, files: &'a [ReadFile], texts: Places, own: &'a [OwnFile]) -> Self {
        Heard {
            id,
            held: files.iter().map(|file| (&file.path, Held::Read(&file.objects))).collect(),
            files: files.iter().map(|file| (&file.path, &*file.sha256)).collect(),
            texts,
            own: Some(own),
        }
    }

    /// Of files that changed.
    pub(in crate::app) fn of_delta(
        id: &'a str,
        files: &'a [(Option<InputFile>, Option<InputFile>)],
        own: Option<&'a [OwnFile]>,
    ) -> Self {
        let now = || files.iter().filter_map(|(_, now)| now.as_ref());
        Heard {
            id,
            held: now().map(|file| (&file.path, Held::Changed(&file.objects))).collect(),
            files: now().map(|file| (&file.path, &*file.sha256)).collect(),
            texts: Places::default(),
            own,
        }
    }

    /// Of nothing but a command.
    pub(in crate::app) fn nothing() -> Heard<'static> {
        Heard { id: "", held: Vec::new(), files: BTreeMap::new(), texts: Places::default(), own: None }
    }
}

/// The objects of a file, as they are known.
pub(in crate::app) enum Held<'a> {
    Read(&'a [(Kind, ObjectKey)]),
    Changed(&'a [(Kind, ObjectKey, u64)]),
}

impl Heard<'_> {
    /// The files of these objects.
    fn files_of(&self, asked: &[&Applied]) -> Vec<Option<Name>> {
        let numbers: BTreeMap<(Kind, &ObjectKey), usize> =
            asked.iter().zip(0..).map(|(it, nth)| ((it.kind, &it.key), nth)).collect();
        let (mut found, mut left) = (vec![None; asked.len()], asked.len());
        for (file, held) in &self.held {
            let objects: &mut dyn Iterator<Item = (Kind, &ObjectKey)> = match held {
                Held::Read(held) => &mut held.iter().map(|(kind, key)| (*kind, key)),
                Held::Changed(held) => &mut held.iter().map(|(kind, key, _)| (*kind, key)),
            };
            for it in objects {
                if let Some(place) = numbers.get(&it).and_then(|nth| found.get_mut(*nth)) {
                    left = left.saturating_sub(1);
                    *place = Some((*file).clone());
                }
            }
            if left == 0 {
                break;
            }
        }
        found
    }
}

/// The account of a run that is about to be saved.
///
/// # Errors
/// When the store cannot be read.
pub(in crate::app) fn account(
    store: &dyn Memory,
    heard: &Heard<'_>,
    plan: &Plan,
    world: &World,
    options: &Options,
) -> Result<Account, Diagnostic> {
    let mut done = DoneLines::default();
    let led = led(store, heard, &plan.objects, world)?;
    let in_files: BTreeSet<&Name> = led.iter().filter_map(|led| led.file.as_ref()).collect();
    let hash = |path: &Name| heard.files.get(path).map_or_else(String::new, |hash| (*hash).to_owned());
    let files = in_files.into_iter().map(|path| (path.clone(), hash(path))).collect();
    led.into_iter().for_each(|led| done.led(led));
    done.rules(rules(store, heard)?);
    plan.waves.iter().for_each(|wave| moves(&wave.actions, plan, &mut done));
    Ok(Account { time: options.now, by: options.by.clone(), input: heard.id.to_owned(), files, done })
}

/// Files of the user's that are other ones than before.
fn rules(store: &dyn Memory, heard: &Heard<'_>) -> Result<Vec<Name>, Diagnostic> {
    let Some(own) = heard.own else { return Ok(Vec::new()) };
    let before = store.own_files(None)?;
    let new = own.iter().filter(|file| !before.contains(file));
    let paths: BTreeSet<Name> = new.map(|file| file.path.clone()).collect();
    Ok(paths.into_iter().collect())
}

/// What came and went, together with what it has alike.
fn moves(actions: &[Action], plan: &Plan, done: &mut DoneLines) {
    let mut last: Option<(&Action, Option<&String>)> = None;
    for action in actions {
        let cause = match (&action.daemonset, &action.node) {
            _ if plan.causes.is_empty() => None,
            (Some(daemonset), Some(node)) => plan.causes.get(&(daemonset.clone(), node.clone())),
            _ => None,
        };
        let is_alike = last.is_some_and(|(before, of_it)| {
            before.verb == action.verb
                && Arc::ptr_eq(&before.because, &action.because)
                && before.daemonset == action.daemonset
                && of_it == cause
        });
        if !is_alike {
            done.group(Group {
                verb: action.verb.name().into(),
                pod: action.verb.is_of_pods(),
                daemonset: action.daemonset.clone(),
                sentence: action.because.sentence.clone(),
                rule: action.because.rule.as_str().into(),
                cause: cause.map(|cause| cause.as_str().into()),
            });
        }
        done.member(action.node.as_ref(), &action.object);
        last = Some((action, cause));
    }
}

/// The objects that the run was told to change, with the lines that say so.
fn led(
    store: &dyn Memory,
    heard: &Heard<'_>,
    objects: &[Applied],
    world: &World,
) -> Result<Vec<Led>, Diagnostic> {
    let changed: Vec<&Applied> = objects.iter().filter(|it| it.change != Change::Unchanged).collect();
    let is_many = |kind: Kind| matches!(kind, Kind::Node | Kind::Pod);
    let gone = changed.iter().filter(|it| it.change == Change::Pruned).take(NAMED);
    let gone = store.files_of(&gone.map(|it| (it.kind, it.key.clone())).collect())?;
    let mut named = 0;
    let mut is_named = |it: &&&Applied| {
        named += usize::from(is_many(it.kind));
        !is_many(it.kind) || named <= NAMED
    };
    let chosen: Vec<&Applied> = changed.iter().filter(|it| is_named(it)).copied().collect();
    let held = heard.files_of(&chosen);
    let (mut all, mut paths) = (Vec::new(), Vec::new());
    for (it, known) in chosen.into_iter().zip(held) {
        let file = known.or_else(|| Some(gone.get(&(it.kind, it.key.clone()))?.0.clone()));
        let mut led = Led {
            kind: it.kind,
            key: it.key.clone(),
            change: it.change,
            file,
            line: 0,
            field: String::new(),
            was: String::new(),
            is: String::new(),
        };
        let mut path = FieldPath::default();
        if changed.len() <= LOOKED_UP
            && it.change == Change::Configured
            && let Some(now) = Item::of(world, it.kind, &it.key).and_then(|item| item.value())
            && let Some(before) = store.object(it.kind, &it.key)?
            && let Some(found) = differs(&before, &now)
        {
            (led.field, led.was, led.is) = (found.path.to_string(), found.was, found.is);
            path = found.path;
        }
        all.push(led);
        paths.push(path);
    }
    if changed.len() <= LOOKED_UP {
        locate(&mut all, paths, heard);
    }
    Ok(all)
}

/// Looks up where it stands.
fn locate(all: &mut [Led], paths: Vec<FieldPath>, heard: &Heard<'_>) {
    let there =
        all.iter().zip(paths).filter(|(led, _)| !matches!(led.change, Change::Pruned | Change::Deleted));
    let (told, wanted): (Vec<_>, Vec<_>) =
        there.map(|(led, path)| ((led.kind, led.key.clone(), led.file.clone()), path)).unzip();
    let held = told
        .iter()
        .filter_map(|(kind, key, file)| Some((*kind, key.clone(), PathBuf::from(&**file.as_ref()?))));
    let places = heard.texts.clone().and(held.collect());
    let wanted: Vec<_> = told.iter().zip(wanted).map(|((kind, key, _), path)| (*kind, key, path)).collect();
    let lines: BTreeMap<(Kind, ObjectKey), u32> = told
        .iter()
        .zip(places.find_paths(&wanted))
        .filter_map(|((kind, key, _), place)| Some(((*kind, key.clone()), place?.line)))
        .collect();
    for led in all {
        led.line = lines.get(&(led.kind, led.key.clone())).copied().unwrap_or(0);
    }
}
