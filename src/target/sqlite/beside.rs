//! The files that SQLite keeps beside a database: `NAME-wal`, `NAME-shm`, `NAME-journal`.
//!
//! SQLite writes over and removes whatever has these names. They may be another
//! program's files (`--db notes` beside `notes-journal`), so before SQLite sees them it
//! is checked that each is a file, not a link, and that its first bytes are SQLite's.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Place};

/// What a file beside the database begins with: one of these, or zeros where it was
/// made or taken back and nothing is in it.
const STARTS: [(&str, &[[u8; 4]]); 3] = [
    ("-wal", &[[0x37, 0x7f, 0x06, 0x82], [0x37, 0x7f, 0x06, 0x83]]),
    // The number 3007000, as the machine writes numbers.
    ("-shm", &[[0x18, 0xe2, 0x2d, 0x00], [0x00, 0x2d, 0xe2, 0x18]]),
    ("-journal", &[[0xd9, 0xd5, 0x05, 0xf9]]),
];

/// The path of a file beside the database.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(suffix);
    PathBuf::from(beside)
}

/// Refuses a database that has other programs' files under these names.
pub(super) fn check(path: &Path) -> Result<(), Diagnostic> {
    // SQLite puts them beside the file that a link leads to.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    for (suffix, starts) in STARTS {
        let file = beside(&path, suffix);
        let Ok(found) = file.symlink_metadata() else { continue };
        let what = if found.is_symlink() {
            "is a link, and links are not followed"
        } else if !found.is_file() {
            "is not a file"
        } else if is_sqlites(&file, starts).unwrap_or(true) {
            // What cannot be read here cannot be read by SQLite, which says so.
            continue;
        } else {
            "is a file of another program, or damaged"
        };
        let shown = file.display().to_string();
        return Err(Diagnostic::error("foreign-file", format!("`{shown}` {what}"))
            .at(Place::file(shown))
            .because("SQLite keeps its own files beside the store under this name, and would write over it")
            .help("it is left as it is: name another store with `--db`, or move that file away"));
    }
    Ok(())
}

fn is_sqlites(file: &Path, starts: &[[u8; 4]]) -> io::Result<bool> {
    let mut start = Vec::new();
    File::open(file)?.take(4).read_to_end(&mut start)?;
    Ok(start.iter().all(|byte| *byte == 0) || starts.iter().any(|known| known == &*start))
}
