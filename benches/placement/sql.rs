//! The same question in SQL: indexed tables in memory, one statement. Filling the
//! tables is not counted.

use dsrules::state::World;
use rusqlite::{Connection, params};

use super::Pair;

const TABLES: &str = "
    CREATE TABLE node (id INTEGER PRIMARY KEY);
    CREATE TABLE label (node INTEGER, key TEXT, value TEXT, PRIMARY KEY (node, key)) WITHOUT ROWID;
    CREATE TABLE taint (node INTEGER, key TEXT, value TEXT, effect TEXT);
    CREATE INDEX taint_of_node ON taint (node);
    CREATE TABLE daemonset (id INTEGER PRIMARY KEY, affinity INTEGER);
    CREATE TABLE selector (daemonset INTEGER, key TEXT, value TEXT);
    CREATE INDEX selector_of ON selector (daemonset);
    CREATE TABLE term (id INTEGER PRIMARY KEY, daemonset INTEGER);
    CREATE INDEX term_of ON term (daemonset);
    CREATE TABLE requirement (id INTEGER PRIMARY KEY, term INTEGER, key TEXT, operator TEXT);
    CREATE INDEX requirement_of ON requirement (term);
    CREATE TABLE listed (requirement INTEGER, value TEXT, PRIMARY KEY (requirement, value)) WITHOUT ROWID;
    CREATE TABLE toleration (daemonset INTEGER, key TEXT, operator TEXT, value TEXT, effect TEXT);
    CREATE INDEX toleration_of ON toleration (daemonset);
    CREATE TABLE added (key TEXT, effect TEXT, PRIMARY KEY (key, effect)) WITHOUT ROWID;
    INSERT INTO added VALUES
        ('node.kubernetes.io/not-ready', 'NoExecute'), ('node.kubernetes.io/unreachable', 'NoExecute'),
        ('node.kubernetes.io/disk-pressure', 'NoSchedule'), ('node.kubernetes.io/memory-pressure', 'NoSchedule'),
        ('node.kubernetes.io/pid-pressure', 'NoSchedule'), ('node.kubernetes.io/unschedulable', 'NoSchedule');
";

const QUESTION: &str = "
    SELECT d.id, n.id FROM daemonset d, node n
    WHERE NOT EXISTS (
        SELECT 1 FROM selector s WHERE s.daemonset = d.id AND NOT EXISTS (
            SELECT 1 FROM label l WHERE l.node = n.id AND l.key = s.key AND l.value = s.value))
    AND (d.affinity = 0 OR EXISTS (
        SELECT 1 FROM term t WHERE t.daemonset = d.id
        AND EXISTS (SELECT 1 FROM requirement r WHERE r.term = t.id)
        AND NOT EXISTS (
            SELECT 1 FROM requirement r LEFT JOIN label l ON l.node = n.id AND l.key = r.key
            WHERE r.term = t.id AND NOT CASE r.operator
                WHEN 'In' THEN l.value IS NOT NULL
                    AND EXISTS (SELECT 1 FROM listed v WHERE v.requirement = r.id AND v.value = l.value)
                WHEN 'NotIn' THEN l.value IS NULL
                    OR NOT EXISTS (SELECT 1 FROM listed v WHERE v.requirement = r.id AND v.value = l.value)
                WHEN 'Exists' THEN l.value IS NOT NULL
                WHEN 'DoesNotExist' THEN l.value IS NULL
                ELSE 0 END)))
    AND NOT EXISTS (
        SELECT 1 FROM taint t WHERE t.node = n.id AND t.effect <> 'PreferNoSchedule'
        AND NOT EXISTS (SELECT 1 FROM added a WHERE a.key = t.key AND a.effect = t.effect)
        AND NOT EXISTS (
            SELECT 1 FROM toleration o WHERE o.daemonset = d.id
            AND o.effect IN ('', t.effect) AND o.key IN ('', t.key)
            AND (o.operator = 'Exists' OR o.value = t.value)))";

pub fn load(world: &World) -> Connection {
    fill(world).expect("SQLite takes the workload")
}

fn fill(world: &World) -> rusqlite::Result<Connection> {
    let database = Connection::open_in_memory()?;
    database.execute_batch(TABLES)?;
    database.execute_batch("BEGIN")?;
    let put = |sql: &str, values: &[&dyn rusqlite::ToSql]| database.prepare_cached(sql)?.execute(values);
    for (node, at) in world.nodes.values().zip(0_u32..) {
        put("INSERT INTO node VALUES (?1)", &[&at])?;
        for (key, value) in node.meta.labels.iter() {
            put("INSERT INTO label VALUES (?1, ?2, ?3)", params![at, &**key, &**value])?;
        }
        for taint in &node.taints {
            let row = params![at, &*taint.key, &*taint.value, &*taint.effect];
            put("INSERT INTO taint VALUES (?1, ?2, ?3, ?4)", row)?;
        }
    }
    for (daemonset, at) in world.daemonsets.values().zip(0_u32..) {
        let template = &daemonset.template;
        put("INSERT INTO daemonset VALUES (?1, ?2)", params![at, template.affinity.is_some()])?;
        for (key, value) in template.node_selector.iter() {
            put("INSERT INTO selector VALUES (?1, ?2, ?3)", params![at, &**key, &**value])?;
        }
        for term in template.affinity.iter().flatten() {
            put("INSERT INTO term (daemonset) VALUES (?1)", &[&at])?;
            let of = database.last_insert_rowid();
            for it in &term.expressions {
                let row = params![of, &*it.key, &*it.operator];
                put("INSERT INTO requirement (term, key, operator) VALUES (?1, ?2, ?3)", row)?;
                let of = database.last_insert_rowid();
                for value in &it.values {
                    put("INSERT OR IGNORE INTO listed VALUES (?1, ?2)", params![of, &**value])?;
                }
            }
        }
        for it in &template.tolerations {
            let row = params![at, &*it.key, &*it.operator, &*it.value, &*it.effect];
            put("INSERT INTO toleration VALUES (?1, ?2, ?3, ?4, ?5)", row)?;
        }
    }
    database.execute_batch("COMMIT; ANALYZE")?;
    Ok(database)
}

pub fn pairs(database: &Connection) -> Vec<Pair> {
    let mut statement = database.prepare(QUESTION).expect("the question is SQL");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("SQLite answers");
    rows.collect::<rusqlite::Result<_>>().expect("SQLite answers")
}
