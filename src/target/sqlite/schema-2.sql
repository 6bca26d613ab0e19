-- Version 2: what was written can be told from what a disk made of it.
--
-- `sum` is the CRC-32 of the columns before it, in their order (see src/target/sqlite/sum.rs);
-- `row_sum` is dsrules' own function, so tables are read with sqlite3 and written with
-- dsrules. A row with another sum is damaged, and dsrules says so where it reads it.
-- Not here: what is derived anew anyway (classes, profiles, fits, barred) and the memory
-- of the event recorder (event_series).

-- What the last apply asked for that left nothing to do; at most one row.
CREATE TABLE settled (
    asked TEXT PRIMARY KEY,  -- SHA-256 of the input, how it is read, and the rules
    rows  TEXT NOT NULL,     -- SHA-256 of how many rows there were, of what versions
    sum   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

DELETE FROM meta WHERE name IN ('settled_for', 'settled_as');
ALTER TABLE meta ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE meta SET sum = row_sum(name, value);

ALTER TABLE owners ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE owners SET sum = row_sum(id, kind, name, uid);

ALTER TABLE label_sets ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE label_sets SET sum = row_sum(id, labels);

ALTER TABLE pod_bases ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE pod_bases SET sum = row_sum(id, fingerprint, body);

ALTER TABLE namespaces ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE namespaces SET sum = row_sum(name, uid, resource_version, generation, created, deleting, written,
    written_spec, owner, labels, body);

ALTER TABLE nodes ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE nodes SET sum = row_sum(name, uid, resource_version, generation, created, deleting, written,
    written_spec, owner, labels, taints, unschedulable, ready, version);

ALTER TABLE node_bodies ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE node_bodies SET sum = row_sum(name, body, status);

ALTER TABLE daemonsets ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE daemonsets SET sum = row_sum(namespace, name, uid, resource_version, generation, created, deleting,
    written, written_spec, owner, labels, status, body);

ALTER TABLE controllerrevisions ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE controllerrevisions SET sum = row_sum(namespace, name, uid, resource_version, generation, created,
    deleting, written, written_spec, owner, labels, revision, body);

ALTER TABLE pods ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE pods SET sum = row_sum(namespace, name, node, pinned, phase, ready, ready_since, uid,
    resource_version, generation, created, deleting, written, written_spec, owner, labels, base);

ALTER TABLE pod_bodies ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE pod_bodies SET sum = row_sum(namespace, name, body, status);

ALTER TABLE backoff ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE backoff SET sum = row_sum(daemonset_uid, node, seconds, since);

ALTER TABLE attempts ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE attempts SET sum = row_sum(namespace, daemonset, node, attempts);

ALTER TABLE incarnations ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE incarnations SET sum = row_sum(kind, namespace, name, made);

ALTER TABLE deleted_owners ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE deleted_owners SET sum = row_sum(uid);

ALTER TABLE events ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE events SET sum = row_sum(id, namespace, name, type, reason, combined, message, count, first_seen,
    last_seen);

ALTER TABLE files ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE files SET sum = row_sum(input, path, sha256);

ALTER TABLE brought ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE brought SET sum = row_sum(input, kind, namespace, name, file, written);

ALTER TABLE own_files ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
UPDATE own_files SET sum = row_sum(input, path, facts, text);

-- How many rows a table has, of those where it matters: a row that is gone has no sum.
CREATE TABLE counts (
    kind  TEXT NOT NULL,    -- the table
    part  TEXT NOT NULL,    -- of which input; empty: all of them
    count INTEGER NOT NULL,
    sum   INTEGER NOT NULL,
    PRIMARY KEY (kind, part)
) STRICT, WITHOUT ROWID;

INSERT INTO counts SELECT 'files', input, count(*), row_sum('files', input, count(*)) FROM files GROUP BY input;
INSERT INTO counts SELECT 'brought', input, count(*), row_sum('brought', input, count(*)) FROM brought
    GROUP BY input;

-- What an index does not lead to is not seen, so `brought` is read in full.
DROP INDEX brought_by_object;
