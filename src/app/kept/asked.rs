//! What was asked, so that it can be asked again from anywhere: paths are full ones, and what came
//! from a pipe is there as text.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::app::manifests::Manifests;
use crate::app::open::Database;
use crate::app::options::{MaxDelete, Options, Schedule};
use crate::app::request::Request;
use crate::datalog::Limits;
use crate::diagnostic::Diagnostic;
use crate::manifest::{self, FieldValidation, Input};
use crate::plan::Readiness;
use crate::policy;
use crate::target::tree::{Destination, Format};

/// A request.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asked {
    inputs: Vec<Named>,
    recursive: bool,
    validate: Validation,
    namespace: String,
    id: String,
    takes_over: bool,
    prune: bool,
    allow_empty: bool,
    max_delete: Option<String>,
    ignore_violations: bool,
    observes: bool,
    schedule: Option<Schedule>,
    rows: usize,
    /// The memory that was asked for.
    #[serde(default)]
    memory: Option<usize>,
    rules: Vec<PathBuf>,
    facts: Vec<PathBuf>,
    params: Vec<String>,
    tree: Option<Tree>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Named {
    Path(PathBuf),
    Text { name: String, text: String },
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Validation {
    Strict,
    Warn,
    Ignore,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Tree {
    folder: PathBuf,
    format: String,
    at: Option<PathBuf>,
}

impl Asked {
    pub(super) fn of(request: &Request) -> Result<Asked, Diagnostic> {
        let named = |input: &Input| match input {
            Input::Path(path) => Ok(Named::Path(full(path))),
            Input::Text { name, bytes } => {
                let text = String::from_utf8(bytes.to_vec()).map_err(|_| {
                    Diagnostic::error(
                        "plan-unwritable",
                        "what came from the pipe is no text, and cannot be kept",
                    )
                })?;
                Ok(Named::Text { name: name.to_string(), text })
            }
        };
        let (manifests, options) = (&request.manifests, &request.options);
        let tree = request.tree.as_ref().map(|tree| Tree {
            folder: full(&tree.folder),
            format: tree.format.name().to_owned(),
            at: tree.at.clone(),
        });
        let all = |paths: &[PathBuf]| paths.iter().map(|path| full(path)).collect();
        Ok(Asked {
            inputs: manifests.inputs.iter().map(named).collect::<Result<_, Diagnostic>>()?,
            recursive: manifests.options.recursive,
            validate: match manifests.options.validate {
                FieldValidation::Strict => Validation::Strict,
                FieldValidation::Warn => Validation::Warn,
                FieldValidation::Ignore => Validation::Ignore,
            },
            namespace: manifests.options.default_namespace.clone(),
            id: request.id.clone(),
            takes_over: request.takes_over,
            prune: options.prune,
            allow_empty: options.allow_empty,
            max_delete: options.max_delete.map(|most| match most {
                MaxDelete::Pods(pods) => pods.to_string(),
                MaxDelete::Percent(percent) => format!("{percent}%"),
            }),
            ignore_violations: options.ignore_violations,
            observes: options.readiness == Readiness::Observe,
            schedule: options.schedule,
            rows: options.limits.rows_per_relation,
            memory: options.limits.asked.then_some(options.limits.bytes),
            rules: all(&request.rules.rules),
            facts: all(&request.rules.facts),
            params: request.rules.params.clone(),
            tree,
        })
    }

    /// The same again, at the time `now`.
    pub(super) fn request(&self, database: Database, now: i64) -> Result<Request, Diagnostic> {
        let input = |named: &Named| match named {
            Named::Path(path) => Input::Path(path.clone()),
            Named::Text { name, text } => {
                Input::Text { name: name.as_str().into(), bytes: Arc::new(text.clone().into_bytes()) }
            }
        };
        let tree = self.tree.as_ref().map(Tree::destination).transpose()?;
        let manifests = manifest::Options {
            recursive: self.recursive,
            validate: match self.validate {
                Validation::Strict => FieldValidation::Strict,
                Validation::Warn => FieldValidation::Warn,
                Validation::Ignore => FieldValidation::Ignore,
            },
            default_namespace: self.namespace.clone(),
            secrets: tree.as_ref().is_some_and(|tree| tree.format.fills()),
            ..manifest::Options::default()
        };
        Ok(Request {
            database,
            manifests: Manifests { inputs: self.inputs.iter().map(input).collect(), options: manifests },
            id: self.id.clone(),
            takes_over: self.takes_over,
            keep_going: false,
            remind: false,
            rules: policy::Asked {
                rules: self.rules.clone(),
                facts: self.facts.clone(),
                params: self.params.clone(),
                ..policy::Asked::default()
            },
            tree,
            exports: Vec::new(),
            options: self.options(now),
        })
    }

    fn limits(&self) -> Limits {
        let limits = Limits::of_rows(self.rows);
        self.memory.map_or(limits, |bytes| limits.of_bytes(bytes))
    }

    fn options(&self, now: i64) -> Options {
        let most = |text: &String| match text.strip_suffix('%') {
            Some(percent) => percent.parse().ok().map(MaxDelete::Percent),
            None => text.parse().ok().map(MaxDelete::Pods),
        };
        Options {
            prune: self.prune,
            allow_empty: self.allow_empty,
            max_delete: self.max_delete.as_ref().and_then(most),
            ignore_violations: self.ignore_violations,
            readiness: if self.observes { Readiness::Observe } else { Readiness::Assume },
            schedule: self.schedule,
            limits: self.limits(),
            ..Options::at(now)
        }
    }
}

impl Tree {
    fn destination(&self) -> Result<Destination, Diagnostic> {
        let format = Format::ALL.into_iter().find(|format| format.name() == self.format);
        Destination::find(self.folder.clone(), format, self.at.clone())
    }
}

fn full(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
