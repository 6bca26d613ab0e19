-- dsrules' store: one SQLite file, readable by a person with sqlite3.
--
-- This is version 1 of the schema. It never changes once it is released: later
-- versions are steps that follow it (see src/target/sqlite/migrate.rs).
--
-- What a user wrote stands in `body`, every field of it, as JSON. What an API server
-- adds (uid, resource_version, generation, created, deleting) and what is asked often
-- stands in columns, and a column wins over the same field of the body: `objects` and
-- `dsrules get -o json` put the two together. Times are seconds of Unix time.
-- `written` and `written_spec` are fingerprints of the manifest that wrote the object
-- last and of its spec; 0 where no manifest did.
--
-- Start with the views: pod_list, eligible, daemonset_status, node_labels, node_taints.

PRAGMA application_id = 0x64737275; -- "dsru"

-- Counters of the whole store: resource_version is the last one that was given.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Controlling owners (ownerReferences with controller: true), each kept once.
CREATE TABLE owners (
    id   INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    uid  TEXT NOT NULL,
    UNIQUE (uid, kind, name)
) STRICT;

-- Label sets of pods, each kept once: a JSON object with sorted keys.
CREATE TABLE label_sets (
    id     INTEGER PRIMARY KEY,
    labels TEXT NOT NULL UNIQUE
) STRICT;

-- What the pods made from one template have in common: a Pod without what is a single
-- pod's own. Two million pods need not repeat it.
CREATE TABLE pod_bases (
    id          INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    body        TEXT NOT NULL
) STRICT;

CREATE TABLE namespaces (
    name             TEXT PRIMARY KEY,
    uid              TEXT NOT NULL,
    resource_version INTEGER NOT NULL,
    generation       INTEGER NOT NULL,
    created          INTEGER NOT NULL,
    deleting         INTEGER,
    written          INTEGER NOT NULL,
    written_spec     INTEGER NOT NULL,
    owner            INTEGER,          -- owners.id
    labels           TEXT NOT NULL,    -- JSON object
    body             TEXT NOT NULL
) STRICT;

CREATE TABLE nodes (
    name             TEXT PRIMARY KEY,
    uid              TEXT NOT NULL,
    resource_version INTEGER NOT NULL,
    generation       INTEGER NOT NULL,
    created          INTEGER NOT NULL,
    deleting         INTEGER,
    written          INTEGER NOT NULL,
    written_spec     INTEGER NOT NULL,
    owner            INTEGER,          -- owners.id
    labels           TEXT NOT NULL,    -- JSON object
    taints           TEXT NOT NULL,    -- JSON array of {key, value, effect}
    unschedulable    INTEGER NOT NULL, -- 1: cordoned
    ready            TEXT NOT NULL,    -- status of the Ready condition, or empty
    version          TEXT NOT NULL     -- the kubelet's
) STRICT, WITHOUT ROWID;

-- Apart from `nodes`, so that reading all nodes does not read past their bodies.
CREATE TABLE node_bodies (
    name   TEXT PRIMARY KEY REFERENCES nodes ON DELETE CASCADE,
    body   TEXT NOT NULL, -- as the last manifest wrote it
    status TEXT           -- from the last manifest that had one
) STRICT;

CREATE TABLE daemonsets (
    namespace        TEXT NOT NULL,
    name             TEXT NOT NULL,
    uid              TEXT NOT NULL,
    resource_version INTEGER NOT NULL,
    generation       INTEGER NOT NULL,
    created          INTEGER NOT NULL,
    deleting         INTEGER,
    written          INTEGER NOT NULL,
    written_spec     INTEGER NOT NULL,
    owner            INTEGER,          -- owners.id
    labels           TEXT NOT NULL,    -- JSON object
    status           TEXT NOT NULL,    -- DaemonSetStatus, as JSON
    body             TEXT NOT NULL,
    PRIMARY KEY (namespace, name)
) STRICT;

CREATE TABLE controllerrevisions (
    namespace        TEXT NOT NULL,
    name             TEXT NOT NULL,
    uid              TEXT NOT NULL,
    resource_version INTEGER NOT NULL,
    generation       INTEGER NOT NULL,
    created          INTEGER NOT NULL,
    deleting         INTEGER,
    written          INTEGER NOT NULL,
    written_spec     INTEGER NOT NULL,
    owner            INTEGER,          -- owners.id
    labels           TEXT NOT NULL,    -- JSON object
    revision         INTEGER NOT NULL,
    body             TEXT NOT NULL,
    PRIMARY KEY (namespace, name)
) STRICT;

-- The dictionary columns (owner, labels, base) are no foreign keys: with them, dropping
-- one unused base would read two million pods, or they would need three more indexes.
CREATE TABLE pods (
    namespace        TEXT NOT NULL,
    name             TEXT NOT NULL,
    node             TEXT,             -- spec.nodeName
    pinned           TEXT,             -- the node its affinity names
    phase            TEXT NOT NULL,
    ready            INTEGER NOT NULL, -- 1: the Ready condition is True
    ready_since      INTEGER,
    uid              TEXT NOT NULL,
    resource_version INTEGER NOT NULL,
    generation       INTEGER NOT NULL,
    created          INTEGER NOT NULL,
    deleting         INTEGER,
    written          INTEGER NOT NULL,
    written_spec     INTEGER NOT NULL,
    owner            INTEGER,          -- owners.id
    labels           INTEGER NOT NULL, -- label_sets.id
    base             INTEGER,          -- pod_bases.id; NULL: the body is in pod_bodies
    PRIMARY KEY (namespace, name)
) STRICT, WITHOUT ROWID;

-- Only of pods that a manifest wrote.
CREATE TABLE pod_bodies (
    namespace TEXT NOT NULL,
    name      TEXT NOT NULL,
    body      TEXT NOT NULL, -- as the last manifest wrote it
    status    TEXT,          -- from the last manifest that had one
    PRIMARY KEY (namespace, name),
    FOREIGN KEY (namespace, name) REFERENCES pods ON DELETE CASCADE
) STRICT;

-- How long a failed pod of a daemonset on a node is left alone.
CREATE TABLE backoff (
    daemonset_uid TEXT NOT NULL,
    node          TEXT NOT NULL,
    seconds       INTEGER NOT NULL,
    since         INTEGER NOT NULL,
    PRIMARY KEY (daemonset_uid, node)
) STRICT, WITHOUT ROWID;

-- How many pods of a daemonset were deleted before on a node: goes into the next name.
CREATE TABLE attempts (
    namespace TEXT NOT NULL,
    daemonset TEXT NOT NULL,
    node      TEXT NOT NULL,
    attempts  INTEGER NOT NULL,
    PRIMARY KEY (namespace, daemonset, node)
) STRICT, WITHOUT ROWID;

-- How often an object was made before: goes into the next one's uid.
CREATE TABLE incarnations (
    kind      TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name      TEXT NOT NULL,
    made      INTEGER NOT NULL,
    PRIMARY KEY (kind, namespace, name)
) STRICT, WITHOUT ROWID;

-- Uids of daemonsets that were deleted with their pods; kept until those are gone.
CREATE TABLE deleted_owners (
    uid TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- core/v1 Events about daemonsets; equal ones are counted, and many that differ in the
-- message alone are one row with `combined` = 1, as client-go's recorder does it.
CREATE TABLE events (
    id         INTEGER PRIMARY KEY,
    namespace  TEXT NOT NULL,
    name       TEXT NOT NULL,    -- of the daemonset
    type       TEXT NOT NULL,    -- Normal or Warning
    reason     TEXT NOT NULL,
    combined   INTEGER NOT NULL,
    message    TEXT NOT NULL,
    count      INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    UNIQUE (namespace, name, type, reason, combined, message)
) STRICT;

-- The recorder's memory: since when events of this kind come without a long pause.
CREATE TABLE event_series (
    namespace TEXT NOT NULL,
    name      TEXT NOT NULL,
    type      TEXT NOT NULL,
    reason    TEXT NOT NULL,
    since     INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    PRIMARY KEY (namespace, name, type, reason)
) STRICT, WITHOUT ROWID;

-- The files of each input (what was named on the command line), by content.
CREATE TABLE files (
    input  TEXT NOT NULL,
    path   TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (input, path)
) STRICT, WITHOUT ROWID;

-- What each input brought, for --prune. The file is NULL when no file of that input
-- has the object any longer.
CREATE TABLE brought (
    input     TEXT NOT NULL,
    kind      TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name      TEXT NOT NULL,
    file      TEXT,
    written   INTEGER NOT NULL,
    PRIMARY KEY (input, kind, namespace, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX brought_by_object ON brought (kind, namespace, name);

-- What the rules derived. Daemonsets with equal constraints are one class, nodes that
-- no rule tells apart are one profile; the numbers mean nothing else.
CREATE TABLE classes (
    namespace TEXT NOT NULL,
    daemonset TEXT NOT NULL,
    class     INTEGER NOT NULL,
    PRIMARY KEY (namespace, daemonset)
) STRICT, WITHOUT ROWID;

CREATE TABLE profiles (
    node    TEXT PRIMARY KEY,
    profile INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX nodes_of_profile ON profiles (profile);

CREATE TABLE fits (
    class     INTEGER NOT NULL,
    profile   INTEGER NOT NULL,
    may_start INTEGER NOT NULL, -- 1: a pod is to be there
    may_stay  INTEGER NOT NULL, -- 1: a pod that is there is left there
    PRIMARY KEY (class, profile)
) STRICT, WITHOUT ROWID;

-- What a user's rules keep apart, though it would fit.
CREATE TABLE barred (
    namespace TEXT NOT NULL,
    daemonset TEXT NOT NULL,
    node      TEXT NOT NULL,
    PRIMARY KEY (namespace, daemonset, node)
) STRICT, WITHOUT ROWID;

-- The user's rules and facts, as each input's last apply used them: what is derived
-- later is derived with them.
CREATE TABLE own_files (
    input TEXT    NOT NULL,
    path  TEXT    NOT NULL,
    facts INTEGER NOT NULL, -- 1: a table of facts (CSV); 0: a rule text
    text  TEXT    NOT NULL,
    PRIMARY KEY (input, path)
) STRICT;

-- The nodes on which a daemonset's pod is to run:
--     select node from eligible where daemonset = 'fluentd';
CREATE VIEW eligible AS
    SELECT c.namespace, c.daemonset, p.node, f.may_start, f.may_stay
    FROM classes c JOIN fits f USING (class) JOIN profiles p USING (profile)
    WHERE f.may_start = 1 AND NOT EXISTS (
        SELECT 1 FROM barred b
        WHERE b.namespace = c.namespace AND b.daemonset = c.daemonset AND b.node = p.node);

-- All daemonsets and nodes of which the rules said something, as a person reads it.
CREATE VIEW placement AS
    SELECT c.namespace, c.daemonset, p.node,
           f.may_start AND b.node IS NULL AS may_start, f.may_stay AND b.node IS NULL AS may_stay
    FROM classes c JOIN fits f USING (class) JOIN profiles p USING (profile)
    LEFT JOIN barred b ON b.namespace = c.namespace AND b.daemonset = c.daemonset AND b.node = p.node;

CREATE VIEW node_labels AS
    SELECT n.name AS node, l.key, l.value FROM nodes n, json_each(n.labels) l;

CREATE VIEW node_taints AS
    SELECT n.name AS node, t.value ->> 'key' AS key, t.value ->> 'value' AS value,
           t.value ->> 'effect' AS effect
    FROM nodes n, json_each(n.taints) t;

CREATE VIEW pod_list AS
    SELECT p.namespace, p.name, p.node, o.kind AS owner_kind, o.name AS owner, p.phase, p.ready,
           l.labels, datetime(p.created, 'unixepoch') AS created, p.deleting IS NOT NULL AS deleting
    FROM pods p LEFT JOIN owners o ON o.id = p.owner LEFT JOIN label_sets l ON l.id = p.labels;

CREATE VIEW daemonset_status AS
    SELECT namespace, name,
           coalesce(status ->> 'desiredNumberScheduled', 0) AS desired,
           coalesce(status ->> 'currentNumberScheduled', 0) AS current,
           coalesce(status ->> 'numberReady', 0)            AS ready,
           coalesce(status ->> 'updatedNumberScheduled', 0) AS up_to_date,
           coalesce(status ->> 'numberAvailable', 0)        AS available,
           coalesce(status ->> 'numberUnavailable', 0)      AS unavailable,
           coalesce(status ->> 'numberMisscheduled', 0)     AS misscheduled
    FROM daemonsets;
