//! What a shell offers for the word that is being typed: commands, options and their values as
//! clap knows them, and names out of the store.
//!
//! The shell's script, which `completions` writes, runs the program with the words so far. What
//! an argument names is said here, for all commands at once.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};

use clap::{ArgMatches, Command};
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use dsrules::app::{Database, names};
use dsrules::kube::{Kind, ObjectKey};

use super::context::DATABASE;

/// By this variable a script says that it is one, and of which shell.
pub const VARIABLE: &str = "DSRULES_COMPLETE";

/// What the arguments of this name stand for, whatever the command is.
const ARGUMENTS: &[(&str, Named)] = &[
    ("about", Named::Objects(&[Kind::DaemonSet, Kind::Node, Kind::Pod])),
    ("cordon", Named::Of(Kind::Node)),
    ("daemonset", Named::Of(Kind::DaemonSet)),
    ("namespace", Named::Namespaces),
    ("node", Named::Of(Kind::Node)),
    ("nodes", Named::Of(Kind::Node)),
    ("remove", Named::Objects(&[Kind::DaemonSet, Kind::Node])),
    ("resources", Named::Resources),
    ("uncordon", Named::Of(Kind::Node)),
    ("what", Named::Pair),
];

/// What words name.
#[derive(Debug, Clone, Copy)]
enum Named {
    /// A namespace.
    Namespaces,
    /// An object of a kind, by its name.
    Of(Kind),
    /// An object, as `KIND/NAME`.
    Objects(&'static [Kind]),
    /// A kind and then names of it, or `KIND/NAME`.
    Resources,
    /// A daemonset and then a node.
    Pair,
}

/// Answers and ends, where it is a shell that asks.
pub fn answer(command: fn() -> Command) {
    CompleteEnv::with_factory(move || with_names(command(), command)).var(VARIABLE).complete();
}

/// A command line whose arguments know what they name.
fn with_names(all: Command, command: fn() -> Command) -> Command {
    let named = |arg: clap::Arg| match ARGUMENTS.iter().find(|(id, _)| arg.get_id() == *id) {
        Some((_, what)) => {
            let offer = move |word: &OsStr| offered(*what, word, command);
            arg.add(ArgValueCompleter::new(offer))
        }
        None => arg,
    };
    all.mut_args(named).mut_subcommands(|inner| with_names(inner, command))
}

/// What fits a word. Where the store cannot be read there is nothing to offer.
fn offered(what: Named, word: &OsStr, command: fn() -> Command) -> Vec<CompletionCandidate> {
    let Some(word) = word.to_str() else { return Vec::new() };
    let typed = Typed::new(command);
    let fits = |name: &String| name.starts_with(word) && !name.contains(char::is_control);
    typed.names(what, word).into_iter().filter(fits).map(CompletionCandidate::new).collect()
}

/// The words so far, as far as they can be made out.
struct Typed {
    matches: ArgMatches,
    database: Database,
}

impl Typed {
    fn new(command: fn() -> Command) -> Typed {
        let mut words: Vec<OsString> = std::env::args_os().skip_while(|word| word != "--").skip(1).collect();
        // Scripts say where the word is that is being typed; else it is the last one.
        let index = std::env::var("_CLAP_COMPLETE_INDEX").ok().and_then(|index| index.parse().ok());
        words.truncate(index.unwrap_or(words.len().saturating_sub(1)));
        let mut matches = command().ignore_errors(true).try_get_matches_from(words).unwrap_or_default();
        while let Some((_, inner)) = matches.remove_subcommand() {
            matches = inner;
        }
        let path = values(&matches, "db").into_iter().next().unwrap_or_else(|| DATABASE.to_owned());
        Typed { matches, database: Database { path: path.into(), ..Database::default() } }
    }

    fn names(&self, what: Named, word: &str) -> Vec<String> {
        match what {
            Named::Namespaces => self.namespaces(),
            Named::Of(kind) => self.of(kind, true),
            Named::Objects(kinds) => {
                kinds.iter().flat_map(|kind| self.objects(*kind, &short(*kind))).collect()
            }
            Named::Resources => match (word.split_once('/'), values(&self.matches, "resources").first()) {
                (Some((typed, _)), _) => {
                    Kind::from_resource(typed).map_or_else(Vec::new, |kind| self.objects(kind, typed))
                }
                (None, Some(first)) if !first.contains('/') => {
                    Kind::from_resource(first).map_or_else(Vec::new, |kind| self.of(kind, false))
                }
                (None, _) => Kind::ALL.iter().map(|kind| short(*kind)).collect(),
            },
            Named::Pair => match values(&self.matches, "what").first() {
                Some(pod) if Kind::from_resource(pod) == Some(Kind::Pod) => self.of(Kind::Pod, false),
                Some(_) => self.of(Kind::Node, false),
                None => [self.of(Kind::DaemonSet, true), self.objects(Kind::Node, "node")].concat(),
            },
        }
    }

    /// The names of a kind in the namespace that is meant; `elsewhere` with the others by both
    /// their names.
    fn of(&self, kind: Kind, elsewhere: bool) -> Vec<String> {
        let namespace = self.namespace();
        let is_here = |key: &ObjectKey| !kind.namespaced() || *key.namespace == *namespace;
        let (here, others): (Vec<_>, Vec<_>) = self.keys(kind).into_iter().partition(is_here);
        let others = others.into_iter().filter(|_| elsewhere).map(|key| key.to_string());
        here.into_iter().map(|key| key.name.to_string()).chain(others).collect()
    }

    /// `KIND/NAME`, with the kind as it was typed.
    fn objects(&self, kind: Kind, typed: &str) -> Vec<String> {
        self.of(kind, false).into_iter().map(|name| format!("{typed}/{name}")).collect()
    }

    fn namespaces(&self) -> Vec<String> {
        let own = self.keys(Kind::Namespace).into_iter().map(|key| key.name);
        let used = self.keys(Kind::DaemonSet).into_iter().map(|key| key.namespace);
        let all: BTreeSet<String> = own.chain(used).map(|name| name.to_string()).collect();
        all.into_iter().collect()
    }

    fn namespace(&self) -> String {
        values(&self.matches, "namespace").pop().unwrap_or_else(|| "default".to_owned())
    }

    fn keys(&self, kind: Kind) -> Vec<ObjectKey> {
        names(&self.database, kind).unwrap_or_default()
    }
}

/// The values of an argument, as they were typed.
fn values(matches: &ArgMatches, id: &str) -> Vec<String> {
    let values = matches.try_get_raw(id).ok().flatten().into_iter().flatten();
    values.map(|value| value.to_string_lossy().into_owned()).collect()
}

/// How people name a kind.
fn short(kind: Kind) -> String {
    kind.name().to_lowercase()
}
