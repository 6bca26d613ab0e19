//! core/v1 Events, counted and combined as client-go's event recorder does it.
//!
//! An event that comes again with the same message is counted. When, without a pause
//! of ten minutes, a tenth message of the same type and reason comes about the same
//! object, it and all later ones become one event with `(combined from similar events)`
//! before the last message: 100,000 created pods are ten rows. The recorder's spam
//! filter, which drops events, stands where they are made (`plan/simulation.rs`). Where
//! the recorder forgets a message by chance, here it is always the newest.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde_json::{Value, json};

use super::columns::text;
use super::fault::Fault;
use super::store::Store;
use super::sum;
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, ObjectKey, timestamp};
use crate::state::Event;

/// client-go's defaultAggregateMaxEvents: this many messages are combined.
const MANY: i64 = 10;

/// client-go's defaultAggregateIntervalInSeconds: after such a pause all begins anew.
const PAUSE: i64 = 600;

/// How long an event is kept after it was last seen. An API server keeps them an hour;
/// here they are the only record between two commands, so it is a week.
const KEPT: i64 = 7 * 24 * 60 * 60;

/// An event as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoredEvent {
    /// What it is about.
    pub about: ObjectKey,
    /// The kind of that: `DaemonSet` or `Pod`.
    pub of: String,
    /// The daemonset that the pod it is about belonged to, or empty.
    pub owner: String,
    /// Who recorded it.
    pub source: String,
    /// `Normal` or `Warning`.
    pub kind: String,
    /// The reason, as `SuccessfulCreate`.
    pub reason: String,
    /// The last message.
    pub message: String,
    /// How often it was seen.
    pub count: i64,
    /// First seen, in seconds of Unix time.
    pub first_seen: i64,
    /// Last seen, in seconds of Unix time.
    pub last_seen: i64,
}

impl StoredEvent {
    /// What was last seen before this goes when one is recorded that is of `newest`.
    #[must_use]
    pub fn kept_since(newest: i64) -> i64 {
        newest.saturating_sub(KEPT)
    }

    /// The event as `kubectl get events -o json` shows it.
    #[must_use]
    pub fn object(&self) -> Value {
        let version = Kind::from_name(&self.of).map_or("v1", |kind| kind.api_version());
        json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": { "namespace": &*self.about.namespace },
            "involvedObject": { "apiVersion": version, "kind": self.of,
                "namespace": &*self.about.namespace, "name": &*self.about.name },
            "type": self.kind, "reason": self.reason, "message": self.message, "count": self.count,
            "firstTimestamp": timestamp(self.first_seen), "lastTimestamp": timestamp(self.last_seen),
            "source": { "component": self.source },
        })
    }
}

impl Store {
    /// All events, or those about one daemonset and its pods, in the order in which they were
    /// last seen.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn events(&self, about: Option<&ObjectKey>) -> Result<Vec<StoredEvent>, Diagnostic> {
        self.run("read the events", |connection| {
            let sql = format!("SELECT {COLUMNS} FROM events ORDER BY last_seen, id");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query([])?;
            let (mut events, mut found) = (Vec::new(), 0);
            while let Some(row) = rows.next()? {
                let event = stored(row)?;
                found += 1;
                let daemonset =
                    if event.of == Kind::DaemonSet.name() { &*event.about.name } else { &event.owner };
                let is_meant =
                    |it: &ObjectKey| it.namespace == event.about.namespace && *it.name == *daemonset;
                if about.is_none_or(is_meant) {
                    events.push(event);
                }
            }
            sum::expect(connection, "events", found)?;
            Ok(events)
        })
    }

    /// The events about one object itself, at their cost.
    ///
    /// # Errors
    /// As [`events`](Store::events).
    pub fn events_about(&self, of: &str, about: &ObjectKey) -> Result<Vec<StoredEvent>, Diagnostic> {
        self.run("read the events", |connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM events WHERE namespace = ?1 AND name = ?2 AND kind = ?3
                    ORDER BY last_seen, id"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![&*about.namespace, &*about.name, of])?;
            let mut events = Vec::new();
            while let Some(row) = rows.next()? {
                events.push(stored(row)?);
            }
            Ok(events)
        })
    }

    /// How many events there are, where that is on record.
    ///
    /// # Errors
    /// As [`events`](Store::events).
    pub fn count_of_events(&self) -> Result<Option<usize>, Diagnostic> {
        self.run("count the events", |connection| sum::on_record(connection, "events", sum::ALL))
    }
}

/// What is read of an event.
const COLUMNS: &str = "id, namespace, name, type, reason, combined, message, count, first_seen, last_seen,
    kind, owner, source, sum";

fn stored(row: &Row<'_>) -> Result<StoredEvent, Fault> {
    sum::check(row, "events", 0, 13)?;
    Ok(StoredEvent {
        about: ObjectKey::new(text(row, 1)?, text(row, 2)?),
        of: row.get(10)?,
        owner: row.get(11)?,
        source: row.get(12)?,
        kind: row.get(3)?,
        reason: row.get(4)?,
        message: row.get(6)?,
        count: row.get(7)?,
        first_seen: row.get(8)?,
        last_seen: row.get(9)?,
    })
}

/// Writes new events, in order.
pub(super) fn record(connection: &Connection, events: &[Event]) -> Result<(), Fault> {
    for event in events {
        let combined = combine(connection, event)?;
        count(connection, event, combined)?;
    }
    if let Some(newest) = events.iter().map(|event| event.time).max() {
        let oldest = StoredEvent::kept_since(newest);
        connection.prepare_cached("DELETE FROM events WHERE last_seen < ?1")?.execute([oldest])?;
        connection.prepare_cached("DELETE FROM event_series WHERE last_seen < ?1")?.execute([oldest])?;
        sum::count(connection, "events")?;
    }
    Ok(())
}

/// Whether the event is one too many of its series (EventAggregator.EventAggregate).
fn combine(connection: &Connection, event: &Event) -> Result<bool, Fault> {
    let (of, about) = (event.of.name(), &event.about);
    let series = params![&*about.namespace, &*about.name, of, event.kind, event.reason];
    let sql = "SELECT since, last_seen FROM event_series
        WHERE namespace = ?1 AND name = ?2 AND kind = ?3 AND type = ?4 AND reason = ?5";
    let found: Option<(i64, i64)> =
        connection.prepare_cached(sql)?.query_row(series, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let since = found.filter(|(_, last)| event.time - last <= PAUSE).map_or(event.time, |(since, _)| since);
    connection
        .prepare_cached("INSERT OR REPLACE INTO event_series VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
        .execute(params![&*about.namespace, &*about.name, of, event.kind, event.reason, since, event.time])?;
    let sql = "SELECT count(*) FROM events WHERE namespace = ?1 AND name = ?2 AND kind = ?3 AND type = ?4
        AND reason = ?5 AND combined = 0 AND last_seen >= ?6 AND message <> ?7";
    let others: i64 = connection.prepare_cached(sql)?.query_row(
        params![&*about.namespace, &*about.name, of, event.kind, event.reason, since, event.message],
        |row| row.get(0),
    )?;
    Ok(others + 1 >= MANY)
}

/// Counts an event that is there, else adds it (eventLogger.eventObserve).
fn count(connection: &Connection, event: &Event, combined: bool) -> Result<(), Fault> {
    let message = if combined {
        format!("(combined from similar events): {}", event.message)
    } else {
        event.message.clone()
    };
    let sql = "UPDATE events SET count = count + 1, last_seen = ?1, message = ?2,
        sum = row_sum(id, namespace, name, type, reason, combined, ?2, count + 1, first_seen, ?1,
            kind, owner, source)
        WHERE namespace = ?3 AND name = ?4 AND type = ?5 AND reason = ?6 AND combined = ?7 AND kind = ?8
        AND (combined = 1 OR message = ?2)";
    let key = (&*event.about.namespace, &*event.about.name, event.kind, event.reason);
    let of = event.of.name();
    let seen = connection
        .prepare_cached(sql)?
        .execute(params![event.time, message, key.0, key.1, key.2, key.3, combined, of])?;
    if seen == 0 {
        let sql = "INSERT INTO events
            (id, namespace, name, type, reason, combined, message, count, first_seen, last_seen,
            kind, owner, source, sum)
            SELECT n, ?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?7, ?8, ?9, ?10,
                row_sum(n, ?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?7, ?8, ?9, ?10)
            FROM (SELECT coalesce(max(id), 0) + 1 AS n FROM events)";
        let owner = event.owner.as_deref().unwrap_or("");
        let values =
            params![key.0, key.1, key.2, key.3, combined, message, event.time, of, owner, event.source];
        connection.prepare_cached(sql)?.execute(values)?;
    }
    Ok(())
}
