//! What `plan` and `apply` have in common: the input, the bounds, how it is shown.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use dsrules::app::{self, MaxDelete, Options, settled};
use dsrules::diagnostic::{Diagnostic, counted};
use dsrules::kube::{Kind, ObjectKey};
use dsrules::manifest::Reading;
use dsrules::plan::{Plan, Readiness};
use dsrules::report::{self, Detail, Look};
use dsrules::target::sqlite::{Missing, Open, Store};

use super::input::{InputArgs, absolute, id_of};
use super::rules::RuleArgs;
use super::tree::Tree;
use crate::cli::context::Context;
use crate::cli::exit::Failure;
use crate::cli::progress::Progress;

/// Options of `plan` and `apply`.
#[derive(Debug, Clone, Args)]
pub struct PlanningArgs {
    #[command(flatten)]
    pub input: InputArgs,
    /// Go on with the objects that are right when others are wrong; the exit code is 1 all the same
    #[arg(long)]
    pub keep_going: bool,
    #[command(flatten)]
    pub bounds: BoundArgs,
    /// Remove objects that an earlier apply of the same input brought and that left it
    #[arg(long)]
    pub prune: bool,
    /// With --prune: let the input lose all of its objects
    #[arg(long)]
    pub allow_empty: bool,
    /// Take it for this input of an earlier apply, rather than for the one of its own paths
    #[arg(long, value_name = "PATH")]
    pub input_of: Vec<PathBuf>,
    /// What the plan starts from, where that is not the store.
    #[arg(skip)]
    pub base: Vec<PathBuf>,
    /// How to show it; wide shows every line, however many there are
    #[arg(long, short = 'o', value_name = "FORMAT", value_enum)]
    pub output: Option<Format>,
}

/// Options of every command that makes a plan.
#[derive(Debug, Clone, Args)]
pub struct BoundArgs {
    #[command(flatten)]
    pub rules: RuleArgs,
    /// Go on although rules of your own call the plan a violation
    #[arg(long)]
    pub ignore_violations: bool,
    /// Refuse a plan that deletes more pods for good, as `10` or `5%` [default: 50%, from 20 pods on]
    #[arg(long, value_name = "N|P%", value_parser = max_delete)]
    pub max_delete: Option<MaxDelete>,
    /// Who says that a created pod is ready: nobody has to (a rollout is played to its end), or Pod
    /// manifests of the input (a rollout waits for them)
    #[arg(long, value_name = "HOW", value_enum, default_value_t = Ready::Assume)]
    pub readiness: Ready,
}

/// `--readiness`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Ready {
    // Nobody has to: it is taken as ready, so a rollout is played to its end
    Assume,
    // Pod manifests in the input do; until then a rollout waits
    Observe,
}

/// `-o` of commands that make a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    // JSON, with a version field
    Json,
    // YAML, with a version field
    Yaml,
    // Every line, however many there are
    Wide,
    // Names only
    Name,
}

impl BoundArgs {
    /// As the library takes them.
    pub fn options(&self, context: &Context) -> Options {
        Options {
            readiness: match self.readiness {
                Ready::Assume => Readiness::Assume,
                Ready::Observe => Readiness::Observe,
            },
            max_delete: self.max_delete,
            ignore_violations: self.ignore_violations,
            limits: self.rules.limits(),
            stage: Progress::stage,
            ..Options::at(context.seconds())
        }
    }
}

/// What is asked.
pub struct Asked {
    hash: String,
    hashes: Vec<String>,
}

impl Asked {
    /// The hash, if what was read is what was asked about, and nothing was to be said.
    pub fn of(&self, reading: &Reading) -> Option<String> {
        let read = reading.files.iter().map(|file| &file.sha256);
        (!reading.noted && read.eq(&self.hashes)).then(|| self.hash.clone())
    }
}

impl PlanningArgs {
    /// As the library takes them.
    pub fn options(&self, context: &Context) -> Options {
        Options { prune: self.prune, allow_empty: self.allow_empty, ..self.bounds.options(context) }
    }

    /// The name under which the store remembers what this input brought.
    pub fn id(&self) -> String {
        if self.input_of.is_empty() { self.input.id() } else { id_of(self.input_of.iter()) }
    }

    /// What is asked, where the store may know already that nothing is to be done: not
    /// with rules of a user, which may ask for the time.
    pub fn ask(&self, context: &Context) -> Option<Asked> {
        if self.keep_going || !self.bounds.rules.are_none(&self.input.beside()) {
            return None;
        }
        let (paths, hashes): (Vec<_>, Vec<String>) = self.input.hashes()?.into_iter().unzip();
        let paths = paths.iter().map(|path| match std::path::absolute(path) {
            Ok(path) => path.display().to_string(),
            Err(_) => path.display().to_string(),
        });
        let files: Vec<(String, String)> = paths.zip(hashes.iter().cloned()).collect();
        let hash = settled::asked(&self.id(), &files, &self.input.options(), &self.options(context));
        Some(Asked { hash, hashes })
    }

    /// The plan without anything to do, if the store was found settled for what is asked.
    pub fn unchanged(
        &self,
        asked: Option<&Asked>,
        context: &Context,
    ) -> Result<Option<(Store, Plan)>, Failure> {
        let Some(asked) = asked else { return Ok(None) };
        let open = Open::read().wait(context.lock_timeout).missing(Missing::Empty);
        let store = Store::open(&context.db, &open)?;
        let plan = settled::unchanged(&store, &self.id(), &asked.hash)?;
        Ok(plan.map(|plan| (store, plan)))
    }

    /// Reads the input. Errors in it end the command, or, with `--keep-going`, are told
    /// and given back as a count.
    pub fn read(&self, context: &Context) -> Result<(Reading, usize), Failure> {
        if self.allow_empty && !self.prune {
            return Err(Diagnostic::error("nothing-pruned", "`--allow-empty` is said without `--prune`")
                .help("without `--prune` nothing is removed: say both, or none")
                .into());
        }
        let mut reading = self.input.read(context)?;
        if reading.objects.is_empty() && !reading.has_errors() {
            reading.diagnostics.push(self.input.nothing_read(&reading));
        }
        self.input.point_deeper(&mut reading);
        let count = self.settle(&mut reading, context)?;
        let paths = reading.files.iter_mut().map(|file| &mut file.path);
        for path in paths.chain(&mut reading.unread) {
            *path = absolute(Path::new(&**path)).into();
        }
        Ok((reading, count))
    }

    /// Refuses what may not change of objects that are stored. Errors end the command,
    /// or, with `--keep-going`, are told and given back as a count.
    pub fn check_updates(
        &self,
        reading: &mut Reading,
        store: &Store,
        context: &Context,
    ) -> Result<usize, Failure> {
        self.check_known(reading, store)?;
        reading.check_updates(&self.input.options(), |kind, key| store.object(kind, key))?;
        let count = self.settle(reading, context)?;
        let mut undone = Vec::new();
        for object in reading.objects.iter().filter(|object| object.kind == Kind::DaemonSet) {
            let stored = store.object(object.kind, &object.key)?;
            undone.extend(stored.and_then(|stored| app::undoes_rollback(object, &stored)));
        }
        if !undone.is_empty() {
            context.tell(undone);
        }
        Ok(count)
    }

    /// Refuses to prune what another input brought, or nothing at all: an input is known by
    /// its paths, so a copy of it elsewhere has never brought anything.
    fn check_known(&self, reading: &Reading, store: &Store) -> Result<(), Diagnostic> {
        if !self.prune || (self.input_of.is_empty() && reading.objects.is_empty()) {
            return Ok(());
        }
        let id = self.id();
        let known = store.inputs()?;
        if known.is_empty() || known.iter().any(|(input, _)| *input == id) {
            return Ok(());
        }
        const SHOWN: usize = 10;
        let shown = |input: &str| input.replace('\n', " and ");
        let what = format!("`--prune` over an input that was never applied: `{}`", shown(&id));
        let mut error = Diagnostic::error("unknown-input", what)
            .because("it has brought nothing that could have left it");
        for (input, count) in known.iter().take(SHOWN) {
            error = error.because(format!("known is `{}`, of {}", shown(input), counted(*count, "object")));
        }
        if known.len() > SHOWN {
            error = error.because(format!("and {} more", known.len() - SHOWN));
        }
        Err(error.help(
            "name the input that it takes the place of with `--input-of PATH`, or apply it without `--prune` first; \
             `dsrules plan --base DIR` compares two folders without a store",
        ))
    }

    /// Says so if objects left the input that nobody asked to remove.
    pub fn tell_left(&self, reading: &Reading, store: &Store, context: &Context) -> Result<(), Diagnostic> {
        if self.prune || context.quiet {
            return Ok(());
        }
        let options = Options { prune: true, allow_empty: true, ..self.options(context) };
        let left = app::gone(store, &self.id(), reading, &options)?;
        let stored = |(kind, key): &&(Kind, ObjectKey)| store.object(*kind, key).is_ok_and(|it| it.is_some());
        let left: Vec<&(Kind, ObjectKey)> = left.iter().filter(stored).collect();
        let Some((kind, key)) = left.first() else { return Ok(()) };
        let first = format!("{}/{}", kind.resource(), key.name);
        let (which, remove) = match left.len() - 1 {
            0 => (format!("{first} has left the input, and stays"), "removes it"),
            more => (format!("{first} and {more} more have left the input, and stay"), "removes them"),
        };
        context.note(&format!("note: {which}: `--prune` {remove}"));
        Ok(())
    }

    /// Ends with the errors there are, or, with `--keep-going`, tells and counts them;
    /// where nothing is left there is nothing to go on with.
    fn settle(&self, reading: &mut Reading, context: &Context) -> Result<usize, Failure> {
        let mut errors = std::mem::take(&mut reading.diagnostics);
        let is_empty = |error: &Diagnostic| matches!(error.code, "no-objects" | "empty-folder");
        if self.allow_empty {
            errors.retain(|error| !is_empty(error));
        } else if self.prune {
            for error in errors.iter_mut().filter(|error| is_empty(error)) {
                let all = "if everything that it brought is to be removed, say `--allow-empty`";
                error.help = Some(all.to_owned());
            }
        }
        let nothing_left = reading.objects.is_empty() && !self.allow_empty;
        if !errors.is_empty() && (!self.keep_going || nothing_left) {
            return Err(errors.into());
        }
        let count = errors.len();
        if count > 0 {
            context.tell(errors);
        }
        Ok(count)
    }
}

/// Shows a plan that is to be done, or was `done`, and what becomes of the tree.
pub fn show(
    plan: &Plan,
    tree: &Tree,
    output: Option<Format>,
    done: bool,
    context: &mut Context,
) -> Result<(), Failure> {
    let detail = if output == Some(Format::Wide) || context.verbose { Detail::Wide } else { Detail::Short };
    let look = Look { detail, paint: context.paint, done };
    let out = &mut context.out;
    match output {
        Some(Format::Json) => report::write_json(&report::plan_document(plan, tree.files()), out)?,
        Some(Format::Yaml) => report::write_yaml(&report::plan_document(plan, tree.files()), out)?,
        Some(Format::Name) => report::plan_names(plan, out)?,
        Some(Format::Wide) | None => {
            let mut out = context.fitted();
            report::applied(&plan.objects, look, &mut out)?;
            report::plan_text(plan, look, &mut out)?;
            report::statuses(&plan.statuses, &mut out)?;
            drop(out);
            tree.show(context)?;
        }
    }
    Ok(())
}

fn max_delete(text: &str) -> Result<MaxDelete, String> {
    let number = |text: &str| text.parse::<usize>().map_err(|_| "not a number (`10`) or a percentage (`5%`)");
    Ok(match text.strip_suffix('%') {
        Some(percent) => match number(percent)? {
            percent @ 0..=100 => MaxDelete::Percent(percent),
            _ => return Err("a percentage is at most 100%".to_owned()),
        },
        None => MaxDelete::Pods(number(text)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_numbers_or_percentages() {
        assert_eq!(max_delete("10"), Ok(MaxDelete::Pods(10)));
        assert_eq!(max_delete("5%"), Ok(MaxDelete::Percent(5)));
        for wrong in ["", "%", "-1", "101%", "5.5%", "ten"] {
            assert!(max_delete(wrong).is_err(), "{wrong}");
        }
    }
}
