//! Where manifests come from: paths, `-f`, `-R`, `-` for stdin, as kubectl takes them.

use std::io;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use dsrules::app::{Manifests, id_of};
use dsrules::diagnostic::Diagnostic;
use dsrules::manifest::{FieldValidation, Input, Options};

/// What is read: paths, or the same after `-f`.
#[derive(Debug, Clone, Args)]
pub struct InputArgs {
    /// Manifests: files or folders (.yaml, .yml, .json), or `-` for stdin
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    pub files: FileArgs,
}

/// What is read where only `-f` names it, and how.
#[derive(Debug, Clone, Args)]
pub struct FileArgs {
    /// A manifest file or folder; the same as PATH, may be given several times
    #[arg(long, short = 'f', value_name = "PATH")]
    filename: Vec<PathBuf>,
    #[command(flatten)]
    pub how: HowArgs,
}

/// How manifests are read.
#[derive(Debug, Clone, Args)]
pub struct HowArgs {
    /// Read the folders in folders too
    #[arg(long, short = 'R')]
    recursive: bool,
    /// The namespace of objects that name none
    #[arg(long, short = 'n', value_name = "NAMESPACE", default_value = "default")]
    pub namespace: String,
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

impl From<Validate> for FieldValidation {
    fn from(validate: Validate) -> Self {
        match validate {
            Validate::Strict => FieldValidation::Strict,
            Validate::Warn => FieldValidation::Warn,
            Validate::Ignore => FieldValidation::Ignore,
        }
    }
}

impl InputArgs {
    /// The name under which the store remembers what this input brought.
    pub fn id(&self) -> String {
        id_of(self.named())
    }

    /// Whether nothing was named.
    pub fn is_empty(&self) -> bool {
        self.named().next().is_none()
    }

    /// What was named, in order.
    pub fn named(&self) -> impl Iterator<Item = &PathBuf> {
        self.paths.iter().chain(&self.files.filename)
    }

    /// As the library takes it, with what comes from stdin.
    pub fn manifests(&self) -> Result<Manifests, Diagnostic> {
        self.files.manifests_of(self.named())
    }
}

impl FileArgs {
    /// The name under which the store remembers what this input brought.
    pub fn id(&self) -> String {
        id_of(self.filename.iter())
    }

    /// As the library takes it, with what comes from stdin.
    pub fn manifests(&self) -> Result<Manifests, Diagnostic> {
        self.manifests_of(self.filename.iter())
    }

    /// The same, of other paths.
    pub fn manifests_of<'p>(
        &self,
        paths: impl Iterator<Item = &'p PathBuf>,
    ) -> Result<Manifests, Diagnostic> {
        let options = self.how.options();
        Ok(Manifests { inputs: inputs(paths, &options)?, options })
    }
}

impl HowArgs {
    /// As the library takes it.
    pub fn options(&self) -> Options {
        Options {
            recursive: self.recursive,
            validate: self.validate.into(),
            default_namespace: self.namespace.clone(),
            ..Options::default()
        }
    }
}

/// What is named, with `-` for what comes from stdin.
pub fn inputs<'a>(
    named: impl IntoIterator<Item = &'a PathBuf>,
    options: &Options,
) -> Result<Vec<Input>, Diagnostic> {
    let mut inputs = Vec::new();
    for path in named {
        if path.as_os_str() != "-" {
            inputs.push(Input::Path(path.clone()));
        } else if inputs.iter().any(|input| matches!(input, Input::Text { .. })) {
            return Err(Diagnostic::error("stdin-twice", "stdin (`-`) is named twice")
                .help("it can be read only once: leave one `-` away"));
        } else {
            inputs.push(Input::from_reader("<stdin>", io::stdin().lock(), &options.limits)?);
        }
    }
    Ok(inputs)
}
