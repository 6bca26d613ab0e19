//! What goes wrong with a SQLite file, in words for a person.
//!
//! Inside `sqlite/` a failure is a [`Fault`]; it becomes a diagnostic where it leaves.
//! Whatever it is, the open transaction is rolled back, so nothing has changed.

use rusqlite::{Error, ErrorCode};

use crate::diagnostic::{Diagnostic, Place};

/// A failure of SQLite, or content that dsrules has not written.
#[derive(Debug)]
pub(super) enum Fault {
    Sql(Error),
    Content(String),
    /// Content that dsrules has written otherwise.
    Damaged(String),
    /// A caller's own, passed through.
    Told(Box<Diagnostic>),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::Sql(error)
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Fault::Content(format!("a column that holds JSON is not JSON: {error}"))
    }
}

impl Fault {
    /// The diagnostic of a failure to `doing` (as `read the pods`) in the file `path`.
    pub(super) fn tell(self, path: &str, doing: &str) -> Diagnostic {
        let ((code, message, help), why) = match self {
            Fault::Told(told) => return *told,
            Fault::Damaged(what) => {
                let (code, message, help) = corrupt(path);
                return Diagnostic::error(code, message).at(Place::file(path)).because(what).help(help);
            }
            Fault::Content(why) => (corrupt(path), why),
            Fault::Sql(error) => {
                let said = words(&error, path, doing);
                let why = match error {
                    Error::SqliteFailure(error, text) => text.unwrap_or_else(|| error.to_string()),
                    error => error.to_string(),
                };
                (said, why)
            }
        };
        let told = Diagnostic::error(code, message)
            .at(Place::file(path))
            .because(format!("SQLite could not {doing}: {why}"));
        if help.is_empty() { told } else { told.help(help) }
    }
}

type Words = (&'static str, String, &'static str);

fn corrupt(path: &str) -> Words {
    (
        "corrupt-store",
        format!("the store `{path}` is damaged"),
        "restore it from a copy, or make it anew: move it away and apply the manifests again",
    )
}

fn words(error: &Error, path: &str, doing: &str) -> Words {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => (
            "not-a-store",
            format!("`{path}` is not a SQLite database"),
            "name another file with `--db`, or move this one away",
        ),
        Some(ErrorCode::DatabaseCorrupt) => corrupt(path),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
            "store-locked",
            format!("another program is writing to the store `{path}`"),
            "wait until it is done, or wait longer with `--lock-timeout`",
        ),
        Some(ErrorCode::ReadOnly) => (
            "read-only-store",
            format!("the store `{path}` is read-only"),
            "make the file and its folder writable, or name another file with `--db`",
        ),
        Some(ErrorCode::DiskFull) => (
            "disk-full",
            format!("there is no room to write the store `{path}`"),
            "free some space and run the command again; nothing was changed",
        ),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => (
            "cannot-open-store",
            format!("the store `{path}` cannot be opened"),
            "check that you may read it, and to change it, write to it and its folder",
        ),
        Some(ErrorCode::SystemIoFailure) => (
            "store-io",
            format!("the store `{path}` cannot be read or written"),
            "check the disk that it is on",
        ),
        // No code: a value of another type than the schema says, or of no row.
        None => corrupt(path),
        Some(_) => ("store-failed", format!("the store `{path}` failed to {doing}"), ""),
    }
}
