//! Where manifests come from: paths, `-f`, `-R`, `-` for stdin, as kubectl takes them.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use dsrules::diagnostic::Diagnostic;
use dsrules::kube::Kind;
use dsrules::manifest::{self, FieldValidation, Input, Options, Reading};

use crate::cli::context::Context;
use crate::cli::exit::Failure;

/// What is read.
#[derive(Debug, Clone, Args)]
pub struct InputArgs {
    /// Manifests: files or folders (.yaml, .yml, .json), or `-` for stdin
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A manifest file or folder; the same as PATH, may be given several times
    #[arg(long, short = 'f', value_name = "PATH")]
    filename: Vec<PathBuf>,
    /// Read the folders in folders too
    #[arg(long, short = 'R')]
    recursive: bool,
    /// The namespace of objects that name none
    #[arg(long, short = 'n', value_name = "NAMESPACE", default_value = "default")]
    namespace: String,
    /// What an unknown field is: an error, a warning, or nothing
    #[arg(long, value_name = "HOW", value_enum, default_value_t = Validate::Strict)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "strict")]
    validate: Validate,
}

/// kubectl's words for `--validate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Validate {
    // An error
    #[value(alias = "true")]
    Strict,
    // A warning
    Warn,
    // Nothing is said
    #[value(alias = "false")]
    Ignore,
}

impl InputArgs {
    /// The name under which the store remembers what this input brought: the same paths,
    /// however and from wherever they are written, are the same input.
    pub fn id(&self) -> String {
        id_of(self.named())
    }

    /// The same, of other paths.
    pub fn of(&self, paths: &[PathBuf]) -> InputArgs {
        InputArgs { paths: paths.to_vec(), filename: Vec::new(), ..self.clone() }
    }

    /// Whether nothing was named.
    pub fn is_empty(&self) -> bool {
        self.named().next().is_none()
    }

    /// The namespace of objects that name none.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The files and folders that were named, without stdin.
    fn paths(&self) -> Vec<PathBuf> {
        self.named().filter(|path| path.as_os_str() != "-").cloned().collect()
    }

    /// Where a `dsrules.yaml` may stand: the folders that are read.
    pub fn beside(&self) -> Vec<PathBuf> {
        beside(&self.paths(), &self.options())
    }

    /// What was named, in order.
    fn named(&self) -> impl Iterator<Item = &PathBuf> {
        self.paths.iter().chain(&self.filename)
    }

    /// How to read it.
    pub fn options(&self) -> Options {
        Options {
            recursive: self.recursive,
            validate: match self.validate {
                Validate::Strict => FieldValidation::Strict,
                Validate::Warn => FieldValidation::Warn,
                Validate::Ignore => FieldValidation::Ignore,
            },
            default_namespace: self.namespace.clone(),
            ..Options::default()
        }
    }

    /// The files with the hashes of their content, where that is all that is named.
    pub fn hashes(&self) -> Option<Vec<(PathBuf, String)>> {
        let path = |path: &PathBuf| (path.as_os_str() != "-").then(|| Input::Path(path.clone()));
        let inputs: Vec<Input> = self.named().map(path).collect::<Option<_>>()?;
        manifest::hashes(&inputs, &self.options())
    }

    /// Reads all of it, and tells nothing of it.
    pub fn read_silently(&self) -> Result<Reading, Failure> {
        let options = self.options();
        let inputs = inputs(self.named(), &options)?;
        if inputs.is_empty() {
            return Err(Diagnostic::error("no-input", "no manifest was named")
                .help("name files or folders, as `dsrules apply examples/quickstart`, or `-` for stdin")
                .into());
        }
        let is_blank =
            |input: &Input| matches!(input, Input::Text { bytes, .. } if bytes.trim_ascii().is_empty());
        let blank = inputs.len() > 1 && inputs.iter().any(is_blank);
        let mut reading = manifest::read(&inputs, &options);
        if blank {
            // Among other inputs it would not be missed.
            let warning = Diagnostic::warning("empty-stdin", "nothing came from stdin (`-`)");
            reading.diagnostics.push(warning.help("look whether the command before the pipe failed"));
        }
        Ok(reading)
    }

    /// Reads all of it. What is no error is told here; errors are left in the reading.
    pub fn read(&self, context: &Context) -> Result<Reading, Failure> {
        let mut reading = self.read_silently()?;
        let told: Vec<Diagnostic> = reading.diagnostics.extract_if(.., |found| !found.is_error()).collect();
        if !told.is_empty() {
            context.tell(told);
        }
        if !self.recursive && !reading.has_errors() && !reading.objects.is_empty() {
            let kinds = || reading.objects.iter().map(|object| object.kind);
            let is_whole =
                kinds().any(|kind| kind == Kind::Node) && kinds().any(|kind| kind == Kind::DaemonSet);
            if let Some(folder) = self.paths().iter().find(|path| !is_whole && has_deeper(path)) {
                let shown = folder.display();
                context.note(&format!("note: the folders in `{shown}` were not read: `-R` reads them too"));
            }
        }
        // Without any other object this is an error, or the whole of the answer.
        if !reading.has_errors() && !reading.objects.is_empty() {
            note_others(&reading, context);
        }
        Ok(reading)
    }
}

impl InputArgs {
    /// The error for an input without a single object that is of use here: what is planned
    /// for it would be about something else.
    pub fn nothing_read(&self, reading: &Reading) -> Diagnostic {
        let count: usize = reading.others.values().sum();
        let kinds: Vec<&str> = reading.others.keys().take(SHOWN).map(String::as_str).collect();
        let error = Diagnostic::error("no-objects", "nothing was read that could be planned");
        let error = match count {
            0 => error,
            1 => error.because(format!("dsrules has no use for its only object: {}", kinds.join(", "))),
            _ => error.because(format!("dsrules has no use for its {count} objects: {}", kinds.join(", "))),
        };
        let read = Kind::ALL.map(|kind| kind.name()).join(", ");
        error.help(format!("name files or folders with objects of the kinds that it reads: {read}"))
    }

    /// Names `-R` in what is said of an input without objects, where that is the way out.
    pub fn point_deeper(&self, reading: &mut Reading) {
        let mut empty = reading.diagnostics.iter_mut().filter(|error| error.code == "no-objects");
        let Some(error) = empty.next() else { return };
        if let Some(folder) = self.paths().iter().find(|path| !self.recursive && has_deeper(path)) {
            let folder = folder.display();
            error.help =
                Some(format!("there are manifests in the folders in `{folder}`: `-R` reads them too"));
        }
    }
}

/// Names what was read and is of no use here.
pub fn note_others(reading: &Reading, context: &Context) {
    if reading.others.is_empty() {
        return;
    }
    let mut others: Vec<String> =
        reading.others.iter().take(SHOWN).map(|(kind, count)| format!("{count} {kind}")).collect();
    if reading.others.len() > SHOWN {
        others.push(format!("and {} kinds more", reading.others.len() - SHOWN));
    }
    context.note(&format!("note: left alone what dsrules has no use for: {}", others.join(", ")));
}

/// So many kinds that are left alone are named.
const SHOWN: usize = 20;

/// What is named, with `-` for what comes from stdin.
pub fn inputs<'a>(
    named: impl IntoIterator<Item = &'a PathBuf>,
    options: &Options,
) -> Result<Vec<Input>, Failure> {
    let mut inputs = Vec::new();
    for path in named {
        if path.as_os_str() != "-" {
            inputs.push(Input::Path(path.clone()));
        } else if inputs.iter().any(|input| matches!(input, Input::Text { .. })) {
            return Err(Diagnostic::error("stdin-twice", "stdin (`-`) is named twice")
                .help("it can be read only once: leave one `-` away")
                .into());
        } else {
            inputs.push(Input::from_reader("<stdin>", io::stdin().lock(), &options.limits)?);
        }
    }
    Ok(inputs)
}

/// Whether there are manifests in the folders of a folder.
fn has_deeper(folder: &Path) -> bool {
    let is_hidden = |entry: &walkdir::DirEntry| entry.file_name().as_encoded_bytes().starts_with(b".");
    let walk = walkdir::WalkDir::new(folder).min_depth(1).into_iter();
    let mut files = walk.filter_entry(|entry| !is_hidden(entry)).filter_map(Result::ok);
    files.any(|entry| entry.depth() > 1 && manifest::is_manifest(entry.path()))
}

/// The name of the input that these paths are.
pub fn id_of<'p>(paths: impl Iterator<Item = &'p PathBuf>) -> String {
    let mut paths: Vec<String> = paths.map(|path| absolute(path)).collect();
    paths.sort();
    paths.dedup();
    paths.join("\n")
}

/// A path that means the same file from every folder; as it is where that is not known.
pub fn absolute(path: &Path) -> String {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// The paths, and the folders in them that manifests are read from.
pub fn beside(paths: &[PathBuf], options: &Options) -> Vec<PathBuf> {
    let mut folders = BTreeSet::new();
    if options.recursive {
        for path in paths {
            // What is wrong with a path is said when it is read.
            let files = manifest::list(path, true, &options.limits).unwrap_or_default();
            folders.extend(files.iter().filter_map(|file| file.parent()).map(Path::to_owned));
        }
    }
    paths.iter().cloned().chain(folders).collect()
}
