-- Version 6: pods are found by the node that they are on or else meant for, and by what owns
-- them and the labels that they have, so that a question about one node or one daemonset does
-- not read two million pods.
--
-- A save that writes a good part of the pods drops these indexes and makes them anew (see
-- src/target/sqlite/bulk.rs).

CREATE INDEX pods_by_target ON pods (coalesce(node, pinned));
CREATE INDEX pods_by_owner ON pods (owner, labels);
