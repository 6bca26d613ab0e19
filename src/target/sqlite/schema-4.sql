-- Version 4: of a user's files it is known what each is, and which input its facts are for,
-- as one file may fill several.
--
-- A row that was damaged stays so: its sum becomes one that no row has.

ALTER TABLE own_files RENAME TO own_files_3;

CREATE TABLE own_files (
    input    TEXT    NOT NULL,
    path     TEXT    NOT NULL,
    relation TEXT    NOT NULL,  -- empty: the file is named after it
    kind     INTEGER NOT NULL,  -- 0: a rule text; 1: facts (CSV); 2: values of parameters; 3: facts (JSON)
    text     TEXT    NOT NULL,
    sum      INTEGER NOT NULL,
    PRIMARY KEY (input, path, relation)
) STRICT;

INSERT INTO own_files
    SELECT input, path, '', facts, text,
        iif(sum = row_sum(input, path, facts, text), row_sum(input, path, '', facts, text), -1)
    FROM own_files_3;

DROP TABLE own_files_3;
