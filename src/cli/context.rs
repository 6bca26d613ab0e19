//! What a command has at hand: output, colour, the clock, the database's name.

use std::cell::Cell;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;

use anstream::{AutoStream, ColorChoice};
use dsrules::app::cluster::Observed;
use dsrules::app::{Database, Listener};
use dsrules::diagnostic::Diagnostic;
use dsrules::etcd::Access;
use dsrules::report::{Fit, Paint};
use dsrules::state::{By, Moment};
use tracing_subscriber::filter::{EnvFilter, LevelFilter};

use super::interrupt;
use super::options::global::{Global, LogFormat, When};
use super::options::moment::At;
use super::progress::Progress;

/// The store's file where none is named.
pub const DATABASE: &str = "dsrules.db";
/// And where it is a replica.
const REPLICA: &str = "dsrules.replica.db";

/// What was typed as global options, as it is meant.
pub struct Context {
    /// Results go here.
    pub out: Box<dyn Write>,
    /// How wide the terminal is that results go to, if they go to one.
    width: Option<usize>,
    /// Whether results are coloured.
    pub paint: Paint,
    /// The store's file.
    pub database: Database,
    /// Whether it was named.
    named: bool,
    /// The live cluster that is looked at in place of a store.
    observed: Option<Observed>,
    /// Whether results go to a terminal.
    pub terminal: bool,
    /// Whether only results and errors are wanted.
    pub quiet: bool,
    /// Whether all of it is wanted (`-v`).
    pub verbose: bool,
    /// The time of this command, in seconds of Unix time: read once, so all of it happens
    /// at one time.
    now: i64,
    /// Whether lines for machines are wanted (`--log-format json`).
    pub json: bool,
    /// Whether the time was given and stands still.
    stopped: bool,
    colour_errors: bool,
    told: Cell<bool>,
    /// What is shown in place of the beginnings of paths.
    called: Vec<(String, String)>,
    committed: Cell<bool>,
    /// The command and its options.
    typed: String,
}

impl Context {
    /// Reads the environment and the clock.
    pub fn new(global: &Global, typed: String) -> Result<Self, Diagnostic> {
        let (colour, colour_errors) = match global.color {
            When::Always => (true, true),
            When::Never => (false, false),
            When::Auto => (
                AutoStream::choice(&io::stdout()) != ColorChoice::Never,
                AutoStream::choice(&io::stderr()) != ColorChoice::Never,
            ),
        };
        log(global, colour_errors);
        let stdout = io::stdout();
        // A person sees lines as they come; a file or a pipe takes larger pieces.
        let terminal = stdout.is_terminal();
        let size = if terminal { 0 } else { 64 * 1024 };
        if global.db.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
            return Err(Diagnostic::error("no-database", "the name of the database is empty")
                .help("leave `--db` and DSRULES_DB away for `dsrules.db`"));
        }
        let shared = global.store.access()?;
        let default = if shared.is_some() { REPLICA } else { DATABASE };
        Ok(Context {
            width: width(&stdout),
            out: Box::new(BufWriter::with_capacity(size, stdout)),
            paint: Paint(colour),
            database: Database {
                path: global.db.clone().unwrap_or_else(|| default.into()),
                wait: global.lock_timeout,
                shared,
                cluster: None,
                at: None,
            },
            observed: None,
            named: global.db.is_some(),
            terminal,
            quiet: global.quiet,
            verbose: global.verbose > 0,
            now: global.now.unwrap_or_else(clock),
            json: global.log_format == LogFormat::Json,
            stopped: global.now.is_some(),
            colour_errors,
            told: Cell::new(false),
            called: Vec::new(),
            committed: Cell::new(false),
            typed,
        })
    }

    /// Who runs what, for the record: what `DSRULES_BY` says, or the user and the machine.
    pub fn by(&self) -> By {
        let said = std::env::var("DSRULES_BY").ok();
        let (user, host) = match said.as_deref().map(|said| said.split_once('@').unwrap_or((said, ""))) {
            Some((user, host)) => (user.to_owned(), host.to_owned()),
            None => (user(), rustix::system::uname().nodename().to_string_lossy().into_owned()),
        };
        By { command: self.typed.clone(), user, host, keep: None }
    }

    /// From here on the store holds what the command was asked for, whatever fails.
    pub fn commit(&self) {
        self.committed.set(true);
    }

    /// Whether the store holds what the command was asked for.
    pub fn is_committed(&self) -> bool {
        self.committed.get()
    }

    /// From here on a live cluster is what there is, in place of a store.
    pub fn look_at(&mut self, observed: Observed) {
        self.database = observed.database.clone();
        self.observed = Some(observed);
    }

    /// From here on what there was at a moment is what there is, and so is its time.
    pub fn look_back(&mut self, at: At) -> Result<(), Diagnostic> {
        let run = self.database.run_at(at.moment(self.now))?;
        self.now = match at.moment(self.now) {
            Moment::Time(time) => time,
            Moment::Run(_) => run.time,
        };
        self.database.at = Some(Moment::Run(run.run));
        self.stopped = true;
        Ok(())
    }

    /// Whether a live cluster is what there is.
    pub fn looks_at_a_cluster(&self) -> bool {
        self.observed.is_some()
    }

    /// Where text for a person goes: no wider than the terminal.
    pub fn fitted(&mut self) -> Fit<'_> {
        Fit::new(&mut *self.out, self.width)
    }

    /// The store's file, or this one where none is named.
    pub fn database_or(&self, path: impl FnOnce() -> PathBuf) -> Database {
        let mut database = Database { shared: None, ..self.database.clone() };
        if !self.named {
            database.path = path();
        }
        database
    }

    /// The shared store that is named.
    pub fn shared(&self) -> Result<Access, Diagnostic> {
        self.database.shared.clone().ok_or_else(|| {
            Diagnostic::error("no-store", "no store is named that controllers and agents share")
                .help("name one as `--store etcd://HOST:2379/PREFIX`, or in DSRULES_STORE")
        })
    }

    /// What time it is by now, for a command that goes on for long.
    pub fn clock(&self) -> i64 {
        if self.stopped { self.now } else { clock() }
    }

    /// The time that stands still, if one was given.
    pub fn stopped_at(&self) -> Option<i64> {
        self.stopped.then_some(self.now)
    }

    /// The time of this command in seconds of Unix time.
    pub fn seconds(&self) -> i64 {
        self.now
    }

    /// From here on paths that begin with `path` are shown as if they began with `name`.
    pub fn call(&mut self, path: String, name: String) {
        self.called.push((path, name));
    }

    /// A text with paths as they are to be shown.
    pub fn as_called(&self, text: &str) -> String {
        self.called.iter().fold(text.to_owned(), |text, (path, name)| text.replace(path, name))
    }

    /// Tells diagnostics, sorted by place, with a count where there are several errors.
    pub fn tell(&self, diagnostics: Vec<Diagnostic>) {
        let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
        self.tell_of(diagnostics, errors);
    }

    /// Tells diagnostics of `errors` errors in all, of which not every one may be told.
    pub fn tell_of(&self, mut diagnostics: Vec<Diagnostic>, errors: usize) {
        Diagnostic::sort(&mut diagnostics);
        let mut text = String::new();
        for diagnostic in &diagnostics {
            if !self.quiet || diagnostic.is_error() {
                text.push_str(&diagnostic.render(self.colour_errors));
                text.push_str("\n\n");
            }
        }
        if errors > 1 {
            text.push_str(&format!("{errors} errors\n"));
        }
        if text.is_empty() {
            return;
        }
        let text = self.as_called(&text);
        let gap = if self.told.replace(true) { "\n" } else { "" };
        // Where even stderr is gone there is nobody to tell.
        let _ = io::stderr().write_all(format!("{gap}{}\n", text.trim_end()).as_bytes());
    }

    /// Says where there is what was not found.
    pub fn note_elsewhere(&self, namespace: Option<String>) {
        if let Some(namespace) = namespace {
            self.note(&format!(
                "There are some in {namespace}: `-n {namespace}`, or `-A` for all namespaces."
            ));
        }
    }

    /// Says something on stderr that is no result, unless `--quiet`.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(io::stderr(), "{}", dsrules::diagnostic::visible(text));
        }
    }
}

impl Listener for Context {
    fn tell(&self, found: Vec<Diagnostic>) {
        Context::tell(self, found);
    }

    fn note(&self, note: &str) {
        Context::note(self, note);
    }

    fn stage(&self, name: &'static str) {
        Progress::stage(name);
        interrupt::stage(name);
    }
}

/// The width of a terminal: `COLUMNS` if that is set, else what the terminal says.
fn width(stdout: &io::Stdout) -> Option<usize> {
    if !stdout.is_terminal() {
        return None;
    }
    let named = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    named.or_else(|| terminal_size::terminal_size_of(stdout).map(|(width, _)| usize::from(width.0)))
}

/// The name of the user, or the number where it has none.
fn user() -> String {
    let named = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    named
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()))
}

/// The time, in seconds of Unix time.
pub fn clock() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// Sends the library's traces to stderr: warnings, and more with each `-v`.
fn log(global: &Global, colour: bool) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => LevelFilter::ERROR,
        (_, 0) => LevelFilter::WARN,
        (_, 1) => LevelFilter::INFO,
        (_, 2) => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    // What the client of a cluster logs as an error may pass, or is told in better words.
    let client = if global.verbose < 2 { ",kube_client=off,kube_runtime=off" } else { "" };
    let filter = EnvFilter::new(format!("{level}{client}"));
    let subscriber =
        tracing_subscriber::fmt().with_writer(io::stderr).with_env_filter(filter).with_ansi(colour);
    // Only a second call in one process could fail.
    let _ = match global.log_format {
        LogFormat::Text => tracing::subscriber::set_global_default(
            subscriber.without_time().with_target(false).compact().finish(),
        ),
        LogFormat::Json => tracing::subscriber::set_global_default(subscriber.json().finish()),
    };
}
