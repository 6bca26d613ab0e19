//! Opening the file: what is there, is it ours, may it be written.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::beside::beside;
use super::fault::Fault;
use super::lock::Lock;
use super::store::Store;
use super::{beside, log, migrate, shared, sum};
use crate::diagnostic::{Diagnostic, Place};

/// How long SQLite itself waits for a program that is not dsrules.
const BUSY: Duration = Duration::from_secs(5);

/// How many prepared statements are kept.
const STATEMENTS: usize = 128;

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct Open {
    /// Whether the store is written. Then this process is its only writer until the
    /// store is dropped.
    pub write: bool,
    /// What to do when there is no such file.
    pub missing: Missing,
    /// How long to wait for another writer.
    pub lock_wait: Duration,
    /// What a second writer is told is writing, as `dsrules apply`.
    pub holder: String,
}

/// What to do when there is no store file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Say so.
    Refuse,
    /// Make it.
    Create,
    /// Take an empty store that is nowhere on disk.
    Empty,
}

impl Open {
    /// To read; a missing store is an error.
    #[must_use]
    pub fn read() -> Self {
        Open { write: false, missing: Missing::Refuse, lock_wait: Duration::ZERO, holder: String::new() }
    }

    /// To write as `holder`; a missing store is made.
    #[must_use]
    pub fn write(holder: impl Into<String>) -> Self {
        Open { write: true, missing: Missing::Create, lock_wait: Duration::ZERO, holder: holder.into() }
    }

    /// Waits this long for another writer.
    #[must_use]
    pub fn wait(mut self, lock_wait: Duration) -> Self {
        self.lock_wait = lock_wait;
        self
    }

    /// Does this when there is no such file.
    #[must_use]
    pub fn missing(mut self, missing: Missing) -> Self {
        self.missing = missing;
        self
    }
}

impl Store {
    /// Opens a store file.
    ///
    /// # Errors
    /// When it is missing, no store of ours, damaged, of another version, or locked.
    pub fn open(path: &Path, options: &Open) -> Result<Store, Diagnostic> {
        open(path, options)
    }

    /// A store that is gone when it is dropped.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn in_memory() -> Result<Store, Diagnostic> {
        in_memory()
    }
}

fn open(path: &Path, options: &Open) -> Result<Store, Diagnostic> {
    let shown = path.display().to_string();
    if !look(path, &shown, options.write)? {
        match options.missing {
            Missing::Refuse => return Err(migrate::empty(&shown)),
            Missing::Empty => return in_memory(),
            Missing::Create => {}
        }
    }
    beside::check(path)?;
    let lock = if options.write { Some(Lock::take(path, &options.holder, options.lock_wait)?) } else { None };
    // Whoever closes a store takes its name from the lock and the log into the file.
    let has_log = beside(path, "-wal").metadata().is_ok_and(|log| log.len() > 0);
    let left_open = lock.as_ref().is_some_and(|lock| lock.abandoned || has_log);
    let tell = |fault: Fault| fault.tell(&shown, "open it");
    if left_open && has_log && !log::is_whole(&beside(path, "-wal")).unwrap_or(true) {
        return Err(lost(&shown));
    }
    let mut connection = connect(path, options.write).map_err(tell)?;
    configure(&connection).map_err(tell)?;
    // First look, then touch: a file that is not ours stays as it is.
    let version = migrate::version(&connection, &shown)?;
    if left_open {
        quick_check(&connection).map_err(tell)?;
    }
    if options.write {
        keep_log(&connection).map_err(tell)?;
    }
    match migrate::migrate(&mut connection, version, &shown, options.write) {
        Err(told) if told.code == "no-store" && options.missing == Missing::Empty => return in_memory(),
        migrated => migrated?,
    }
    Ok(Store::new(connection, shown, version == 0, lock))
}

fn in_memory() -> Result<Store, Diagnostic> {
    let path = "(in memory)";
    let tell = |fault: Fault| fault.tell(path, "open it");
    let mut connection = Connection::open_in_memory().map_err(|error| tell(error.into()))?;
    configure(&connection).map_err(tell)?;
    migrate::migrate(&mut connection, 0, path, true)?;
    Ok(Store::new(connection, path.to_owned(), true, None))
}

/// Whether there is such a file. What SQLite would say in riddles is said here first.
fn look(path: &Path, shown: &str, write: bool) -> Result<bool, Diagnostic> {
    let refuse = |code, message: String, help: &str| {
        Err(Diagnostic::error(code, message).at(Place::file(shown)).help(help))
    };
    let found = match path.metadata() {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if path.is_symlink() {
                let message = format!("the store `{shown}` is a link that leads nowhere");
                return refuse("cannot-open-store", message, "name the file itself with `--db`");
            }
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            if write && folder.is_some_and(|folder| !folder.is_dir()) {
                let message = format!("the folder of the store `{shown}` does not exist");
                return refuse(
                    "cannot-open-store",
                    message,
                    "make the folder, or name another file with `--db`",
                );
            }
            return Ok(false);
        }
        Err(error) => {
            return Err(Diagnostic::error(
                "cannot-open-store",
                format!("the store `{shown}` cannot be opened"),
            )
            .at(Place::file(shown))
            .because(error.to_string())
            .help("name another file with `--db`"));
        }
    };
    if !found.is_file() {
        let what = if found.is_dir() { "is a folder" } else { "is not a file" };
        return refuse("not-a-store", format!("the store `{shown}` {what}"), "name a file with `--db`");
    }
    if write && found.permissions().readonly() {
        let message = format!("the store `{shown}` is read-only");
        return refuse("read-only-store", message, "make the file writable, or name another one with `--db`");
    }
    Ok(true)
}

fn connect(path: &Path, write: bool) -> Result<Connection, Fault> {
    if write {
        let access = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        return Ok(Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?);
    }
    let access = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, access)?;
    match connection.pragma_query_value(None, "schema_version", |_| Ok(())) {
        // WAL needs a file beside the database, and on a disk that is read-only there can
        // be none. Without a log nobody is writing, so the file itself is the whole state.
        Err(error) if cannot_log(&error) && !beside(path, "-wal").exists() => {
            let uri = format!("file:{}?immutable=1", escape(path));
            Ok(Connection::open_with_flags(uri, access | OpenFlags::SQLITE_OPEN_URI)?)
        }
        _ => Ok(connection),
    }
}

fn cannot_log(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
}

/// A path as the path of a URI.
fn escape(path: &Path) -> String {
    path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

fn configure(connection: &Connection) -> Result<(), Fault> {
    connection.busy_timeout(BUSY)?;
    sum::register(connection)?;
    shared::register(connection)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "foreign_keys", true)?;
    // 64 MiB of pages: a load of millions of rows reads each page once, a save writes it once.
    connection.pragma_update(None, "cache_size", -65536)?;
    Ok(())
}

/// What was committed last is in the log, and the log is damaged.
fn lost(shown: &str) -> Diagnostic {
    Diagnostic::error("corrupt-store", format!("the log of the store `{shown}` is damaged"))
        .at(Place::file(format!("{shown}-wal")))
        .because("what was committed last cannot be read back from it")
        .help(format!(
            "restore the store from a copy, or go on with what it held before: move `{shown}-wal` away and apply the manifests again"
        ))
}

/// Whether the pages fit together, before anything is written to a file that nobody
/// closed: a machine that went down may have left anything.
fn quick_check(connection: &Connection) -> Result<(), Fault> {
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" { Ok(()) } else { Err(Fault::Damaged(format!("SQLite's quick_check says: {found}"))) }
}

/// Write-ahead logging: readers see the last committed state while a writer works, and
/// a commit is on disk when it returns.
fn keep_log(connection: &Connection) -> Result<(), Fault> {
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "full")?;
    Ok(())
}
