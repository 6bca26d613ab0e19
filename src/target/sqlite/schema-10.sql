-- Version 10: what happened. Each run that changed objects is a row, and what rows were before it
-- is kept for as long as the store is told to remember, so that a past moment can be put together
-- again (see src/target/sqlite/past.rs). What a run made needs no former version: it has a larger
-- `resource_version` than what was there before.

CREATE TABLE runs (
    run     INTEGER PRIMARY KEY,
    time    INTEGER NOT NULL,
    command TEXT    NOT NULL,
    user    TEXT    NOT NULL,
    host    TEXT    NOT NULL,
    input   TEXT    NOT NULL,
    files   TEXT    NOT NULL,  -- the files that differ from those of the run before: JSON, path to SHA-256
    version INTEGER NOT NULL,  -- the store's resource_version when it was done
    parts   INTEGER NOT NULL,  -- how many rows of `history` it has
    came    INTEGER NOT NULL,  -- how many pods it made
    went    INTEGER NOT NULL,  -- how many it took away
    sum     INTEGER NOT NULL
) STRICT;
CREATE INDEX runs_by_time ON runs (time);

CREATE TABLE history (
    run   INTEGER NOT NULL,
    about TEXT    NOT NULL,  -- the table of which it has former rows; `done`: what the run did, and why
    part  INTEGER NOT NULL,
    data  BLOB    NOT NULL,  -- lines of JSON, compressed (RFC 1950), and cut
    sum   INTEGER NOT NULL,
    PRIMARY KEY (run, about, part)
) STRICT;
