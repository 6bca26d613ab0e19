//! Rule files in their one layout: which files are meant, and what each would be. Nothing is
//! written here.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::datalog;
use crate::diagnostic::{Diagnostic, Place};

/// A rule file, as it is and as it should be.
#[derive(Debug)]
pub struct Formatted {
    /// Where it stands.
    pub path: PathBuf,
    /// Its text.
    pub before: String,
    /// The text in its layout.
    pub after: String,
}

/// Reads the named files and all rule files in the named folders and below, but for hidden
/// folders. What cannot be read or is no rule text is told, and the others are still looked
/// at.
#[must_use]
pub fn format(paths: &[PathBuf]) -> (Vec<Formatted>, Vec<Diagnostic>) {
    let (mut formatted, mut found) = (Vec::new(), Vec::new());
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let inside = inside(path, &mut found);
            if inside.is_empty() && found.is_empty() {
                found.push(
                    Diagnostic::error("no-rules", "there are no rule files in the folder or below")
                        .at(Place::file(path.display().to_string()))
                        .help("rule files end in `.dl`"),
                );
            }
            files.extend(inside);
        } else {
            files.push(path.clone());
        }
    }
    files.sort();
    files.dedup();
    for path in files {
        match fs::read_to_string(&path) {
            Ok(before) => match datalog::format(&path.display().to_string(), &before) {
                Ok(after) => formatted.push(Formatted { path, before, after }),
                Err(wrong) => found.extend(wrong),
            },
            Err(error) => found.push(unreadable(&path, &error)),
        }
    }
    (formatted, found)
}

fn inside(folder: &Path, found: &mut Vec<Diagnostic>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let hidden = |entry: &walkdir::DirEntry| {
        entry.depth() > 0 && entry.file_name().to_str().is_some_and(|name| name.starts_with('.'))
    };
    for entry in WalkDir::new(folder).into_iter().filter_entry(|entry| !hidden(entry)) {
        match entry {
            Ok(entry) => {
                let is_rules = entry.path().extension().is_some_and(|extension| extension == "dl");
                if is_rules && entry.file_type().is_file() {
                    // As it was named: a leading `./` would only be noise.
                    files.push(entry.path().strip_prefix(".").unwrap_or(entry.path()).to_owned());
                }
            }
            Err(error) => {
                let path = error.path().unwrap_or(folder).to_owned();
                found.push(unreadable(&path, &io::Error::from(error)));
            }
        }
    }
    files
}

fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    let shown = path.display().to_string();
    Diagnostic::error("unreadable-rules", format!("`{shown}` cannot be read"))
        .at(Place::file(shown.clone()))
        .because(error.to_string())
        .help("name rule files, which are UTF-8 text and end in `.dl`, or folders of them")
}
