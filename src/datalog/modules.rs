//! Modules: whose a name is, and who sees it.
//!
//! The texts of one folder are a module, which has the folder's name; the tool's own texts are
//! one, too. A name means (1) what the module declares itself, (2) what another module of the
//! user exports, (3) what the tool exports; `module::name` leaves those of other modules out.
//! So what is declared in one place never changes what a name means in another, unless it is
//! exported to it, and a name of one's own never clashes. A query stands in no module and sees
//! all names, the user's first.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The module of the tool's own texts.
pub const OWN_MODULE: &str = "dsrules";

/// What errors call a text that is typed, and the folder that it counts as: its module sees all
/// names, as a query does, but its own go first.
pub const QUERY: &str = "<query>";

/// A module, by its place among those of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ModuleId(u32);

impl ModuleId {
    /// That of the tool's own texts.
    pub const BUILTIN: ModuleId = ModuleId(0);
}

#[derive(Debug, Clone)]
struct Module {
    name: Arc<str>,
    folder: Arc<str>,
}

/// All modules of a program.
#[derive(Debug, Clone)]
pub(super) struct Modules(Vec<Module>);

impl Default for Modules {
    fn default() -> Self {
        Modules(vec![Module { name: OWN_MODULE.into(), folder: "".into() }])
    }
}

impl Modules {
    /// The module of a user's folder.
    pub fn of_folder(&mut self, folder: &str) -> ModuleId {
        let known = self.0.iter().skip(1).position(|it| &*it.folder == folder);
        let at = known.map_or(self.0.len(), |at| at + 1);
        if at == self.0.len() {
            self.0.push(Module { name: name_of(folder).into(), folder: folder.into() });
        }
        ModuleId(u32::try_from(at).unwrap_or(u32::MAX))
    }

    /// The module of the rules that are typed with a query, if there are some.
    pub fn of_query(&self) -> Option<ModuleId> {
        let at = self.0.iter().position(|it| &*it.folder == QUERY)?;
        u32::try_from(at).ok().map(ModuleId)
    }

    pub fn is_query(&self, module: ModuleId) -> bool {
        self.folder(module) == QUERY
    }

    pub fn name(&self, module: ModuleId) -> &Arc<str> {
        &self.0[module.0 as usize].name
    }

    pub fn folder(&self, module: ModuleId) -> &str {
        &self.0[module.0 as usize].folder
    }

    /// The names of all modules that have one.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|it| &*it.name).filter(|name| !name.is_empty())
    }
}

/// What rules call the module of a folder: its last part, with `_` for what no name has, and
/// in front of what is the tool's.
fn name_of(folder: &str) -> String {
    let last = folder.trim_end_matches('/').rsplit('/').next().unwrap_or("");
    let is_odd = last == OWN_MODULE || last.starts_with(|c: char| c.is_ascii_digit());
    let mark = if is_odd { "_" } else { "" };
    let letters = last.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    mark.chars().chain(letters).collect()
}

/// One meaning of a name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<T> {
    pub module: ModuleId,
    pub exported: bool,
    pub it: T,
}

/// What a name means where it stands.
#[derive(Debug, Clone)]
pub(super) enum Seen<T> {
    One(T),
    /// Several modules give it a meaning, and none goes before the others.
    Several(Vec<Entry<T>>),
    /// It is declared elsewhere, and not exported.
    Hidden(Vec<Entry<T>>),
    /// There is no module of the name in front of `::`.
    NoModule,
    Nothing,
}

/// All meanings of all names.
#[derive(Debug, Clone)]
pub(super) struct Named<T>(BTreeMap<Arc<str>, Vec<Entry<T>>>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Named(BTreeMap::new())
    }
}

impl<T: Copy> Named<T> {
    pub fn add(&mut self, name: Arc<str>, entry: Entry<T>) {
        self.0.entry(name).or_default().push(entry);
    }

    /// All that have the name.
    pub fn all(&self, name: &str) -> &[Entry<T>] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// What a module itself declares under a name.
    pub fn of(&self, module: ModuleId, name: &str) -> Option<Entry<T>> {
        self.all(name).iter().find(|entry| entry.module == module).copied()
    }

    /// What a name, perhaps with a module in front, means to a text of a module; or to a query.
    pub fn seen(&self, modules: &Modules, from: Option<ModuleId>, written: &str) -> Seen<T> {
        let (qualifier, name) =
            written.rsplit_once("::").map_or((None, written), |(module, name)| (Some(module), name));
        let is_named = |entry: &&Entry<T>| qualifier.is_none_or(|it| it == &**modules.name(entry.module));
        let builtin = |entry: &Entry<T>| entry.module == ModuleId::BUILTIN;
        let (own, others, tools): Tests<'_, T> = match from {
            Some(from) if modules.is_query(from) => {
                (&move |entry| entry.module == from, &|entry| !builtin(entry), &builtin)
            }
            Some(from) => (
                &move |entry| entry.module == from,
                &move |entry| entry.exported && !builtin(entry) && from != ModuleId::BUILTIN,
                &|entry| entry.exported && builtin(entry),
            ),
            None => (&|entry| !builtin(entry), &|_| false, &builtin),
        };
        for is_meant in [own, others, tools] {
            let mut found = self.all(name).iter().filter(is_named).filter(|entry| is_meant(entry));
            match (found.next(), found.next()) {
                (None, _) => {}
                (Some(one), None) => return Seen::One(one.it),
                (Some(one), Some(other)) => {
                    return Seen::Several([one, other].into_iter().chain(found).copied().collect());
                }
            }
        }
        let hidden: Vec<Entry<T>> = self.all(name).iter().filter(is_named).copied().collect();
        match qualifier {
            _ if !hidden.is_empty() => Seen::Hidden(hidden),
            Some(module) if modules.names().all(|name| name != module) => Seen::NoModule,
            _ => Seen::Nothing,
        }
    }

    /// The names that mean something to a text of a module, or to a query.
    pub fn known(&self, modules: &Modules, from: Option<ModuleId>) -> impl Iterator<Item = &str> {
        let from = from.filter(|from| !modules.is_query(*from));
        let is_seen = move |entry: &Entry<T>| entry.exported || from.is_none_or(|it| it == entry.module);
        self.0.iter().filter(move |(_, entries)| entries.iter().any(is_seen)).map(|(name, _)| &**name)
    }
}

/// Whether an entry is meant in the first, the second and the last place.
type Tests<'a, T> =
    (&'a dyn Fn(&Entry<T>) -> bool, &'a dyn Fn(&Entry<T>) -> bool, &'a dyn Fn(&Entry<T>) -> bool);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_named_after_its_folder() {
        for (folder, name) in [
            ("/srv/policy", "policy"),
            ("teams/canary-first/", "canary_first"),
            ("10-base", "_10_base"),
            ("/srv/dsrules", "_dsrules"),
            ("/", ""),
            ("", ""),
            ("ä.b", "__b"),
        ] {
            assert_eq!(name_of(folder), name, "{folder}");
        }
    }

    #[test]
    fn what_is_nearest_is_meant() {
        let mut modules = Modules::default();
        let [a, b, c] = ["x/a", "x/b", "y/b"].map(|folder| modules.of_folder(folder));
        assert_eq!(modules.of_folder("x/b"), b);
        let mut names = Named::default();
        let tool = ModuleId::BUILTIN;
        for (name, module, exported, it) in [
            ("all", tool, true, 1),
            ("all", a, false, 2),
            ("all", b, true, 3),
            ("tools", tool, false, 4),
            ("both", b, true, 5),
            ("both", c, true, 6),
        ] {
            names.add(name.into(), Entry { module, exported, it });
        }
        let seen = |from, name: &str| match names.seen(&modules, from, name) {
            Seen::One(it) => it.to_string(),
            Seen::Several(all) => format!("{} of them", all.len()),
            Seen::Hidden(_) => "hidden".to_owned(),
            Seen::NoModule => "no module".to_owned(),
            Seen::Nothing => "nothing".to_owned(),
        };
        assert_eq!([tool, a, b, c].map(|from| seen(Some(from), "all")), ["1", "2", "3", "3"]);
        assert_eq!(seen(None, "all"), "2 of them");
        assert_eq!(
            ["dsrules::all", "b::all", "a::all"].map(|name| seen(Some(c), name)),
            ["1", "3", "hidden"]
        );
        assert_eq!([Some(tool), Some(a), None].map(|from| seen(from, "tools")), ["4", "hidden", "4"]);
        assert_eq!([a, b, tool].map(|from| seen(Some(from), "both")), ["2 of them", "5", "hidden"]);
        assert_eq!(
            ["d::all", "a::none", "none"].map(|name| seen(None, name)),
            ["no module", "nothing", "nothing"]
        );
        assert_eq!(names.known(&modules, Some(a)).collect::<Vec<_>>(), ["all", "both"]);
    }
}
