//! The two sides of a diff: folders as they are, revisions as folders for the time being.

use std::path::{Path, PathBuf};

use dsrules::app::Manifests;
use dsrules::diagnostic::Diagnostic;
use dsrules::manifest::Input;
use dsrules::source::check_out;
use tempfile::TempDir;

use crate::cli::context::Context;
use crate::cli::exit::Failure;
use crate::cli::options::input::HowArgs;

/// What the working copy is called.
const WORKING_COPY: &str = "the working copy";

/// One side.
pub struct Side {
    /// What it is called.
    pub name: String,
    /// What is read.
    path: PathBuf,
    /// The folder from which on its files are named.
    pub root: PathBuf,
}

/// Both, and where revisions stand as long as it is there.
pub struct Sides {
    pub base: Side,
    pub head: Side,
    _folder: TempDir,
}

impl Sides {
    /// Finds both. From here on files of revisions are called as git calls them.
    pub fn find(
        base: &str,
        head: Option<&str>,
        path: Option<&Path>,
        context: &mut Context,
    ) -> Result<Sides, Failure> {
        let unwritten = |error: std::io::Error| {
            Diagnostic::error("no-folder", "no folder can be made for revisions").because(error.to_string())
        };
        let folder = tempfile::Builder::new().prefix("dsrules-").tempdir().map_err(unwritten)?;
        let here = path.unwrap_or(Path::new("."));
        if head.is_none() {
            there(here)?;
        }
        let base = side(base, path, &folder.path().join("base"), context)?;
        let head = match head {
            Some(head) => side(head, path, &folder.path().join("head"), context)?,
            None if base.root.starts_with(folder.path()) => {
                Side { name: WORKING_COPY.to_owned(), root: ".".into(), path: here.to_owned() }
            }
            None => {
                let what = format!("`{}` is a folder, and there is nothing to compare it with", base.name);
                let told = Diagnostic::error("no-head", what);
                return Err(told.help("name a second one: `dsrules diff OLD NEW`").into());
            }
        };
        Ok(Sides { base, head, _folder: folder })
    }
}

impl Side {
    /// As the library takes it.
    pub fn manifests(&self, how: &HowArgs) -> Result<Manifests, Diagnostic> {
        Ok(Manifests { inputs: vec![Input::Path(self.path.clone())], options: how.options() })
    }
}

/// A folder, if there is one of that name and no path in the repository is given; else a revision,
/// which is written into a folder.
fn side(name: &str, path: Option<&Path>, into: &Path, context: &mut Context) -> Result<Side, Failure> {
    let folder = Path::new(name);
    if path.is_none() && folder.exists() {
        let root = if folder.is_dir() { folder } else { folder.parent().unwrap_or(Path::new("")) };
        return Ok(Side { name: name.to_owned(), path: folder.to_owned(), root: root.to_owned() });
    }
    let path = path.unwrap_or(Path::new("."));
    let found = check_out(Path::new("."), name, path, into)?;
    let root = into.display();
    context.call(format!("{root}/"), format!("{name}:"));
    context.call(root.to_string(), name.to_owned());
    context.tell(found.warnings);
    if !found.has_path {
        context.note(&format!("note: `{name}` has no `{}`, and stands for no manifests", path.display()));
    }
    Ok(Side { name: name.to_owned(), path: found.path, root: into.to_owned() })
}

fn there(path: &Path) -> Result<(), Diagnostic> {
    if path.exists() {
        return Ok(());
    }
    let what = format!("there is no `{}` in the working copy", path.display());
    Err(Diagnostic::error("no-path", what).help("name the folder from here on, or a HEAD to compare with"))
}
