-- Version 9: whether anything was written since the store was found settled is known by a number,
-- so that nothing has to be added up. Whoever writes counts, also with sqlite3; where dsrules
-- writes very many rows, it puts these triggers aside and counts once (see
-- src/target/sqlite/bulk.rs).

CREATE TABLE edits (
    count INTEGER NOT NULL
) STRICT;

INSERT INTO edits VALUES (0);

-- Nodes that say what they have for pods: whether there is any is asked of every store.
CREATE INDEX node_bodies_saying ON node_bodies (name)
    WHERE instr(status, '"allocatable"') > 0 OR instr(status, '"capacity"') > 0;

CREATE TRIGGER edits_objects_inserted AFTER INSERT ON objects BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_objects_updated AFTER UPDATE ON objects BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_objects_deleted AFTER DELETE ON objects BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_nodes_inserted AFTER INSERT ON nodes BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_nodes_updated AFTER UPDATE ON nodes BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_nodes_deleted AFTER DELETE ON nodes BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_node_bodies_inserted AFTER INSERT ON node_bodies BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_node_bodies_updated AFTER UPDATE ON node_bodies BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_node_bodies_deleted AFTER DELETE ON node_bodies BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_daemonsets_inserted AFTER INSERT ON daemonsets BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_daemonsets_updated AFTER UPDATE ON daemonsets BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_daemonsets_deleted AFTER DELETE ON daemonsets BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_controllerrevisions_inserted AFTER INSERT ON controllerrevisions BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_controllerrevisions_updated AFTER UPDATE ON controllerrevisions BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_controllerrevisions_deleted AFTER DELETE ON controllerrevisions BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_pods_inserted AFTER INSERT ON pods BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_pods_updated AFTER UPDATE ON pods BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_pods_deleted AFTER DELETE ON pods BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_pod_bodies_inserted AFTER INSERT ON pod_bodies BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_pod_bodies_updated AFTER UPDATE ON pod_bodies BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_pod_bodies_deleted AFTER DELETE ON pod_bodies BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_owners_inserted AFTER INSERT ON owners BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_owners_updated AFTER UPDATE ON owners BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_owners_deleted AFTER DELETE ON owners BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_label_sets_inserted AFTER INSERT ON label_sets BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_label_sets_updated AFTER UPDATE ON label_sets BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_label_sets_deleted AFTER DELETE ON label_sets BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_pod_bases_inserted AFTER INSERT ON pod_bases BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_pod_bases_updated AFTER UPDATE ON pod_bases BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_pod_bases_deleted AFTER DELETE ON pod_bases BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_backoff_inserted AFTER INSERT ON backoff BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_backoff_updated AFTER UPDATE ON backoff BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_backoff_deleted AFTER DELETE ON backoff BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_attempts_inserted AFTER INSERT ON attempts BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_attempts_updated AFTER UPDATE ON attempts BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_attempts_deleted AFTER DELETE ON attempts BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_incarnations_inserted AFTER INSERT ON incarnations BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_incarnations_updated AFTER UPDATE ON incarnations BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_incarnations_deleted AFTER DELETE ON incarnations BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_deleted_owners_inserted AFTER INSERT ON deleted_owners BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_deleted_owners_updated AFTER UPDATE ON deleted_owners BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_deleted_owners_deleted AFTER DELETE ON deleted_owners BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_refusals_inserted AFTER INSERT ON refusals BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_refusals_updated AFTER UPDATE ON refusals BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_refusals_deleted AFTER DELETE ON refusals BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_brought_inserted AFTER INSERT ON brought BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_brought_updated AFTER UPDATE ON brought BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_brought_deleted AFTER DELETE ON brought BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_own_files_inserted AFTER INSERT ON own_files BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_own_files_updated AFTER UPDATE ON own_files BEGIN UPDATE edits SET count = count + 1; END;
CREATE TRIGGER edits_own_files_deleted AFTER DELETE ON own_files BEGIN UPDATE edits SET count = count + 1; END;
