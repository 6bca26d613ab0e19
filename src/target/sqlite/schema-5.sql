-- Version 5: why the scheduler leaves pods pending is kept with them, and events are about
-- pods as well, and from whoever they are.
--
-- A row that was damaged stays so: its sum becomes one that no row has.

CREATE TABLE refusals (
    namespace  TEXT    NOT NULL,
    name       TEXT    NOT NULL,  -- of the pod
    meant      TEXT    NOT NULL,  -- the node that it is meant for
    filter     TEXT    NOT NULL,
    said       TEXT    NOT NULL,
    reasons    TEXT    NOT NULL,  -- a list, as JSON
    preemption TEXT    NOT NULL,
    nodes      INTEGER NOT NULL,  -- how many there were
    since      INTEGER NOT NULL,
    sum        INTEGER NOT NULL,
    PRIMARY KEY (namespace, name)
) STRICT, WITHOUT ROWID;

ALTER TABLE events RENAME TO events_4;

CREATE TABLE events (
    id         INTEGER PRIMARY KEY,
    namespace  TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    type       TEXT    NOT NULL,  -- Normal or Warning
    reason     TEXT    NOT NULL,
    combined   INTEGER NOT NULL,
    message    TEXT    NOT NULL,
    count      INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    kind       TEXT    NOT NULL,  -- of what it is about: DaemonSet or Pod
    owner      TEXT    NOT NULL,  -- the daemonset of the pod, or empty
    source     TEXT    NOT NULL,
    sum        INTEGER NOT NULL,
    UNIQUE (namespace, name, kind, type, reason, combined, message)
) STRICT;

INSERT INTO events
    SELECT id, namespace, name, type, reason, combined, message, count, first_seen, last_seen,
        'DaemonSet', '', 'daemonset-controller',
        iif(sum = row_sum(id, namespace, name, type, reason, combined, message, count, first_seen, last_seen),
            row_sum(id, namespace, name, type, reason, combined, message, count, first_seen, last_seen,
                'DaemonSet', '', 'daemonset-controller'),
            -1)
    FROM events_4;

DROP TABLE events_4;

DROP TABLE event_series;

CREATE TABLE event_series (
    namespace TEXT    NOT NULL,
    name      TEXT    NOT NULL,
    kind      TEXT    NOT NULL,
    type      TEXT    NOT NULL,
    reason    TEXT    NOT NULL,
    since     INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    PRIMARY KEY (namespace, name, kind, type, reason)
) STRICT, WITHOUT ROWID;
