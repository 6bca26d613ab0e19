-- Version 7: files of inputs that need not be read again while they have the same content.
--
-- A file is known while all its objects are in the store as it wrote them: a row goes with any
-- other write of one of them, whoever makes it. A file on record that is not known is read
-- again, and what is on record of its input is looked at as a whole.

CREATE TABLE known_files (
    input  TEXT    NOT NULL,
    path   TEXT    NOT NULL,
    sha256 TEXT    NOT NULL,
    how    TEXT    NOT NULL,  -- how it was read; empty where reading it says more than its objects
    kinds  TEXT    NOT NULL,  -- how many objects of each kind it brought, as JSON
    sum    INTEGER NOT NULL,
    PRIMARY KEY (input, path)
) STRICT, WITHOUT ROWID;

CREATE INDEX brought_of_file ON brought (input, file);

-- `counts` names the inputs that brought anything.
CREATE VIEW known_by_object AS
    SELECT b.input, b.file, b.kind, b.namespace, b.name
    FROM counts c CROSS JOIN brought b ON b.input = c.part
    WHERE c.kind = 'brought' AND b.file IS NOT NULL;

CREATE TRIGGER nodes_written AFTER UPDATE OF written ON nodes WHEN old.written <> new.written BEGIN
    DELETE FROM known_files WHERE (input, path) IN (SELECT input, file FROM known_by_object
        WHERE kind = 'Node' AND namespace = '' AND name = old.name);
END;
CREATE TRIGGER nodes_gone AFTER DELETE ON nodes BEGIN
    DELETE FROM known_files WHERE (input, path) IN (SELECT input, file FROM known_by_object
        WHERE kind = 'Node' AND namespace = '' AND name = old.name);
END;

CREATE TRIGGER daemonsets_written AFTER UPDATE OF written ON daemonsets WHEN old.written <> new.written BEGIN
    DELETE FROM known_files WHERE (input, path) IN (SELECT input, file FROM known_by_object
        WHERE kind = 'DaemonSet' AND namespace = old.namespace AND name = old.name);
END;
CREATE TRIGGER daemonsets_gone AFTER DELETE ON daemonsets BEGIN
    DELETE FROM known_files WHERE (input, path) IN (SELECT input, file FROM known_by_object
        WHERE kind = 'DaemonSet' AND namespace = old.namespace AND name = old.name);
END;

CREATE TRIGGER controllerrevisions_written AFTER UPDATE OF written ON controllerrevisions
WHEN old.written <> new.written BEGIN
    DELETE FROM known_files WHERE (input, path) IN (SELECT input, file FROM known_by_object
        WHERE kind = 'ControllerRevision' AND namespace = old.namespace AND name = old.name);
END;
CREATE TRIGGER controllerrevisions_gone AFTER DELETE ON controllerrevisions WHEN old.written <> 0 BEGIN
    DELETE FROM known_files WHERE (input, path) IN (SELECT input, file FROM known_by_object
        WHERE kind = 'ControllerRevision' AND namespace = old.namespace AND name = old.name);
END;

-- A pod that no manifest wrote has no fingerprint, and there are many of them.
CREATE TRIGGER pods_written AFTER UPDATE OF written ON pods WHEN old.written <> new.written BEGIN
    DELETE FROM known_files WHERE (input, path) IN (SELECT input, file FROM known_by_object
        WHERE kind = 'Pod' AND namespace = old.namespace AND name = old.name);
END;
CREATE TRIGGER pods_gone AFTER DELETE ON pods WHEN old.written <> 0 BEGIN
    DELETE FROM known_files WHERE (input, path) IN (SELECT input, file FROM known_by_object
        WHERE kind = 'Pod' AND namespace = old.namespace AND name = old.name);
END;

CREATE TRIGGER objects_written AFTER UPDATE OF written ON objects WHEN old.written <> new.written BEGIN
    DELETE FROM known_files WHERE (input, path) IN (SELECT input, file FROM known_by_object
        WHERE kind = old.kind AND namespace = old.namespace AND name = old.name);
END;
CREATE TRIGGER objects_gone AFTER DELETE ON objects BEGIN
    DELETE FROM known_files WHERE (input, path) IN (SELECT input, file FROM known_by_object
        WHERE kind = old.kind AND namespace = old.namespace AND name = old.name);
END;

CREATE TRIGGER brought_changed AFTER UPDATE ON brought BEGIN
    DELETE FROM known_files WHERE input = old.input AND path = old.file;
END;
CREATE TRIGGER brought_gone AFTER DELETE ON brought BEGIN
    DELETE FROM known_files WHERE input = old.input AND path = old.file;
END;
