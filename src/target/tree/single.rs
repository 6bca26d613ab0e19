//! A single file that stands in no tree: read, and replaced whole.

use std::io::{self, ErrorKind, Read};
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::disk::Handle;
use crate::diagnostic::Diagnostic;

/// What stands in a file; `None` where there is none.
///
/// # Errors
/// When it is no file, or cannot be read.
pub fn read_file(path: &Path) -> Result<Option<String>, Diagnostic> {
    let read = || {
        let (dir, name) = place(path)?;
        let mut bytes = Vec::new();
        dir.file(&name)?.read_to_end(&mut bytes)?;
        Ok::<_, io::Error>(String::from_utf8_lossy(&bytes).into_owned())
    };
    match read() {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound && folder(path).is_dir() => Ok(None),
        Err(error) => Err(failed(path, &error)),
    }
}

/// Writes a file: who reads it sees all of the old or all of the new text.
///
/// # Errors
/// When it cannot be written; then it is as it was.
pub fn write_file(path: &Path, text: &str) -> Result<(), Diagnostic> {
    let write = || {
        let (dir, name) = place(path)?;
        // What a run left that was stopped as it wrote.
        let temporary = format!(".{name}.dsrules.tmp");
        match dir.remove_file(&temporary) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        dir.replace_by(&temporary, &name, text.as_bytes())?;
        dir.flush()
    };
    write().map_err(|error: io::Error| failed(path, &error))
}

/// The folder that a file is in.
fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."))
}

fn place(path: &Path) -> io::Result<(Handle, String)> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| io::Error::other("it is no name of a file"))?;
    Ok((Handle::new(Dir::open_ambient_dir(folder(path), ambient_authority())?, None), name.to_owned()))
}

fn failed(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::error("export", format!("`{}` cannot be written: {error}", path.display()))
        .help("nothing else is undone by it; the next run writes it")
}
