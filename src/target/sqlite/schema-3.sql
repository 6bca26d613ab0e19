-- Version 3: one table for all kinds of which nothing more is asked than what every object
-- has, so that a new kind needs no table of its own. Namespaces move there.
--
-- A row that was damaged stays so: its sum becomes one that no row has.

CREATE TABLE objects (
    kind             TEXT NOT NULL,
    namespace        TEXT NOT NULL,    -- empty where the kind has none
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
    body             TEXT NOT NULL,
    sum              INTEGER NOT NULL,
    PRIMARY KEY (kind, namespace, name)
) STRICT;

INSERT INTO objects
    SELECT 'Namespace', '', name, uid, resource_version, generation, created, deleting, written, written_spec,
        owner, labels, body,
        iif(sum = row_sum(name, uid, resource_version, generation, created, deleting, written, written_spec,
                owner, labels, body),
            row_sum('Namespace', '', name, uid, resource_version, generation, created, deleting, written,
                written_spec, owner, labels, body),
            -1)
    FROM namespaces;

DROP TABLE namespaces;

UPDATE counts SET kind = 'objects', sum = iif(sum = row_sum(kind, part, count),
    row_sum('objects', part, count), -1) WHERE kind = 'namespaces';

CREATE VIEW namespaces AS
    SELECT name, uid, resource_version, generation, created, deleting, labels, body FROM objects
    WHERE kind = 'Namespace';
