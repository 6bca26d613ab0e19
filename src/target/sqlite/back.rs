//! A store as it was: its runs, what they did, and its tables at a moment that is over.
//!
//! Nothing is copied. Views and tables of this connection alone, with the names of the store's
//! own, stand before these: what no later run changed is read from the table itself, and beside
//! it are the former rows that later runs kept. So whatever reads the store reads the past by the
//! same statements, checksums and all, and it costs what has changed since.

use rusqlite::{Connection, Row};

use super::columns::{signed, text, unsigned};
use super::fault::Fault;
use super::packed::{self, unpack};
use super::past::{Notice, TRACKED, Tracked, number};
use super::store::Store;
use super::{past, sum};
use crate::diagnostic::{Diagnostic, Place};
use crate::kube::timestamp;
use crate::state::{Account, Done, DoneLines, Moment, Run};
use crate::target::memory::Wanted;

const RUNS: &str =
    "SELECT run, time, command, user, host, input, files, version, parts, came, went, sum FROM main.runs";

impl Store {
    /// Puts what a run did on record, if any object is another one than before it: after all else
    /// of its transaction but what is known of the store as it is then.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn remember(&mut self, account: &Account) -> Result<(), Diagnostic> {
        self.write("record what was done", |connection| past::remember(connection, account))
    }

    /// For how many seconds it was told to remember what happened.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn keeps(&self) -> Result<Option<i64>, Diagnostic> {
        self.run("read how long it remembers", |connection| number(connection, "keep"))
    }

    /// The runs that are remembered, the last one first.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn runs(&self) -> Result<Vec<Run>, Diagnostic> {
        self.run("read what happened", |connection| {
            let remembered = number(connection, "remembered")?.unwrap_or(0);
            let runs = all(connection)?.into_iter().rev().filter(|it| signed(it.run.run) > remembered);
            Ok(runs.map(|it| it.run).collect())
        })
    }

    /// What a run did; of what came and went only what is wanted.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn done(&self, run: u64, wanted: Wanted<'_>) -> Result<Done, Diagnostic> {
        self.run("read what happened", |connection| {
            Ok(DoneLines::read(&unpack(connection, signed(run), "done")?.0, wanted)?)
        })
    }

    /// The run that left the store as it was at a moment.
    ///
    /// # Errors
    /// When that is not remembered, or the store is damaged or cannot be read.
    pub fn run_at(&self, to: Moment) -> Result<Run, Diagnostic> {
        let runs = self.run("read what happened", all)?;
        let run = found(&runs, to).and_then(|at| runs.get(at));
        run.map(|it| it.run.clone()).ok_or_else(|| self.forgotten(&runs, to))
    }

    /// Shows the tables as they were at a moment, from now on, and gives the run that left them
    /// so. The store is only read then.
    ///
    /// # Errors
    /// When that is not remembered, or the store is damaged or cannot be read.
    pub fn go_back(&mut self, to: Moment) -> Result<Run, Diagnostic> {
        let runs = self.run("read what happened", |connection| {
            // All is read as it is now, whatever is committed meanwhile.
            connection.execute_batch("BEGIN")?;
            all(connection)
        })?;
        let Some(at) = found(&runs, to) else { return Err(self.forgotten(&runs, to)) };
        let (Some(run), later) = (runs.get(at), runs.get(at + 1..).unwrap_or_default()) else {
            return Err(self.forgotten(&runs, to));
        };
        self.run("read what it was", |connection| go_back(connection, run, later))?;
        Ok(run.run.clone())
    }

    /// The diagnostic of a moment that is not remembered.
    fn forgotten(&self, runs: &[Stored], to: Moment) -> Diagnostic {
        let what = match to {
            Moment::Time(time) => format!("what there was at {} is not remembered", timestamp(time)),
            Moment::Run(run) => format!("the run @{run} is not remembered"),
        };
        let told = Diagnostic::error("not-remembered", what).at(Place::file(self.path.as_str()));
        let (Some(first), Some(last)) = (runs.first(), runs.last()) else {
            return told
                .because("no run is on record here yet")
                .help("what happens from the next `dsrules apply` on is remembered");
        };
        let (first, last) = (&first.run, &last.run);
        let told = told.because(format!(
            "what is remembered goes back to {} (@{}), and on to @{}",
            timestamp(first.time),
            first.run,
            last.run
        ));
        told.help(
            "`dsrules log` lists the runs; `dsrules apply --keep 90d` remembers for longer from then on",
        )
    }
}

/// A run with what only the store knows of it.
struct Stored {
    run: Run,
    /// The store's version when it was done.
    version: i64,
    /// How many parts are kept of it.
    parts: usize,
}

/// The run that left the store as it was at a moment.
fn found(runs: &[Stored], to: Moment) -> Option<usize> {
    match to {
        Moment::Time(time) => runs.iter().rposition(|it| it.run.time <= time),
        Moment::Run(run) => runs.iter().position(|it| it.run.run == run),
    }
}

/// All runs that are on record, in their order.
fn all(connection: &Connection) -> Result<Vec<Stored>, Fault> {
    let mut statement = connection.prepare_cached(&format!("{RUNS} ORDER BY run"))?;
    let (mut rows, mut runs) = (statement.query([])?, Vec::new());
    while let Some(row) = rows.next()? {
        sum::check(row, "runs", 0, 11)?;
        runs.push(stored(row)?);
    }
    sum::expect(connection, "runs", runs.len())?;
    Ok(runs)
}

fn stored(row: &Row<'_>) -> Result<Stored, Fault> {
    let count = |column| Ok::<_, Fault>(usize::try_from(row.get::<_, i64>(column)?).unwrap_or(0));
    let run = Run {
        run: unsigned(row.get(0)?),
        time: row.get(1)?,
        command: row.get(2)?,
        user: row.get(3)?,
        host: row.get(4)?,
        input: row.get(5)?,
        files: serde_json::from_str(text(row, 6)?)?,
        came: count(9)?,
        went: count(10)?,
    };
    Ok(Stored { run, version: row.get(7)?, parts: count(8)? })
}

fn go_back(connection: &Connection, run: &Stored, later: &[Stored]) -> Result<(), Fault> {
    for it in &TRACKED {
        connection.execute_batch(&format!(
            "CREATE TEMP TABLE past_{0} AS SELECT 1 AS was, * FROM main.{0} WHERE 0;
             CREATE UNIQUE INDEX temp.past_{0}_key ON past_{0} ({1})",
            it.table,
            it.keys.join(", ")
        ))?;
    }
    for run_after in later {
        let number = signed(run_after.run.run);
        let mut parts = unpack(connection, number, "done")?.1;
        for it in &TRACKED {
            let (lines, found) = unpack(connection, number, it.table)?;
            fill(connection, it, &lines, run.version)?;
            parts += found;
        }
        if parts != run_after.parts {
            return Err(sum::missing("history", &number.to_string()));
        }
    }
    for it in &TRACKED {
        connection.execute_batch(&view(it, &it.columns(connection)?, run.version))?;
    }
    connection.execute_batch(&format!(
        "CREATE TEMP TABLE meta AS SELECT * FROM main.meta;
         UPDATE temp.meta SET value = {0}, sum = row_sum(name, {0}) WHERE name = 'resource_version';
         CREATE TEMP TABLE counts AS SELECT * FROM main.counts WHERE 0;
         CREATE TEMP TABLE known_files AS SELECT * FROM main.known_files WHERE 0;
         CREATE TEMP TABLE settled AS SELECT * FROM main.settled WHERE 0;
         CREATE TEMP TABLE rest AS SELECT * FROM main.rest WHERE 0;",
        run.version
    ))?;
    // Of what inputs brought more is not taken for granted than is found.
    for table in ["files", "brought"] {
        connection.execute_batch(&format!(
            "INSERT INTO temp.counts SELECT '{table}', input, count(*), row_sum('{table}', input, count(*))
             FROM temp.{table} GROUP BY input"
        ))?;
    }
    Ok(())
}

/// Takes former rows over: the first that was kept of each since the moment is what was there.
fn fill(connection: &Connection, it: &Tracked, lines: &str, version: i64) -> Result<(), Fault> {
    if lines.is_empty() {
        return Ok(());
    }
    let columns = it.columns(connection)?;
    let at = columns.iter().position(|column| column == "resource_version");
    let marks = super::columns::marks(columns.len() + 1);
    let sql = format!("INSERT OR IGNORE INTO temp.past_{} VALUES ({marks})", it.table);
    let mut put = connection.prepare(&sql)?;
    for line in lines.lines() {
        let values = packed::row(line)?;
        let is_later = it.notice == Notice::Versioned
            && at
                .and_then(|at| values.get(at + 1))
                .and_then(packed::Kept::number)
                .is_some_and(|it| it > version);
        if !is_later {
            put.execute(rusqlite::params_from_iter(values))?;
        }
    }
    Ok(())
}

/// What stands before a table: its rows as they were at a version.
fn view(it: &Tracked, columns: &[String], version: i64) -> String {
    let (table, all) = (it.table, columns.join(", "));
    let unless = format!("NOT EXISTS (SELECT 1 FROM temp.past_{table} p WHERE {})", it.same("p", "t"));
    let stayed = match it.notice {
        Notice::Versioned => format!("t.resource_version <= {version}"),
        Notice::Each | Notice::Beside => unless,
        Notice::Numbered => "1".to_owned(),
    };
    let there = match it.notice {
        Notice::Beside => " AND name IN (SELECT name FROM temp.nodes)",
        _ => "",
    };
    format!(
        "CREATE TEMP VIEW {table} AS SELECT {all} FROM main.{table} t WHERE {stayed}{there}
         UNION ALL SELECT {all} FROM temp.past_{table} WHERE was = 1{there};"
    )
}
