-- Version 8: what is known of a store in which nothing is left to do: a change of a few nodes
-- is then planned without reading the others. It holds for the rows that it was found for.

CREATE TABLE rest (
    about TEXT PRIMARY KEY,  -- SHA-256 of the rules, and how it is planned with them
    known TEXT NOT NULL,     -- JSON: which relations have no rows, what is counted
    rows  TEXT NOT NULL,     -- as in `settled`
    sum   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
