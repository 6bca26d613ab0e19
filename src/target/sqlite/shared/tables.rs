//! The tables whose rows are shared: what of a row is its key, and what its value.

/// A table whose rows are shared.
#[derive(Debug)]
pub(super) struct Table {
    /// Its name, with which paths begin.
    pub(super) name: &'static str,
    /// The columns of its key, in the order of the path.
    pub(super) keys: &'static [&'static str],
    /// The other columns, in the order of the table; of objects none is named, as their values are
    /// whole objects.
    pub(super) columns: &'static [Column],
    /// How a row's path is told from its columns, where it is not just the key.
    pub(super) place: Place,
    /// Whether a row is an object, and has the version of its key.
    pub(super) is_object: bool,
    /// Whether it is written whatever is there.
    pub(super) careless: bool,
    /// When rows are handed on that are there, and that are gone: the lowest first. In every part
    /// of the sequence from its start things are there before what needs them, and are gone after.
    pub(super) ranks: (u8, u8),
    /// What its number of rows is on record by.
    pub(super) counted: Counted,
}

/// What a path has beside the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing.
    Key,
    /// The node that a pod is on or else meant for, in front.
    Node,
    /// A hash of what tells it from others about the same, behind.
    Hash,
}

/// What a number of rows is on record by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    /// The table.
    Table,
    /// The input, which is the first column of the key.
    Input,
}

/// A column that is part of a value.
#[derive(Debug)]
pub(super) struct Column {
    /// Its name, in the table and in the value.
    pub(super) name: &'static str,
    /// What it holds.
    pub(super) holds: Holds,
}

/// What a column holds, and how a value has that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// Text; an empty one is left away.
    Text,
    /// A number; 0 is left away.
    Number,
    /// Text or nothing.
    MaybeText,
    /// JSON, which stays as it is written.
    Json,
}

const fn column(name: &'static str, holds: Holds) -> Column {
    Column { name, holds }
}

const PLAIN: Table = Table {
    name: "",
    keys: &[],
    columns: &[],
    place: Place::Key,
    is_object: false,
    careless: false,
    ranks: (0, 0),
    counted: Counted::Table,
};

/// All of them.
pub(super) static TABLES: [Table; 13] = [
    Table {
        name: "own_files",
        keys: &["input", "path", "relation"],
        columns: &[column("kind", Holds::Number), column("text", Holds::Text)],
        ranks: (0, 6),
        ..PLAIN
    },
    Table {
        name: "brought",
        keys: &["input", "kind", "namespace", "name"],
        columns: &[column("file", Holds::MaybeText), column("written", Holds::Number)],
        ranks: (1, 6),
        counted: Counted::Input,
        ..PLAIN
    },
    Table { name: "objects", keys: &["kind", "namespace", "name"], is_object: true, ranks: (2, 5), ..PLAIN },
    Table { name: "nodes", keys: &["name"], is_object: true, ranks: (2, 5), ..PLAIN },
    Table { name: "daemonsets", keys: &["namespace", "name"], is_object: true, ranks: (2, 5), ..PLAIN },
    Table {
        name: "controllerrevisions",
        keys: &["namespace", "name"],
        is_object: true,
        ranks: (2, 5),
        ..PLAIN
    },
    Table {
        name: "backoff",
        keys: &["daemonset_uid", "node"],
        columns: &[column("seconds", Holds::Number), column("since", Holds::Number)],
        ranks: (3, 6),
        ..PLAIN
    },
    Table {
        name: "attempts",
        keys: &["namespace", "daemonset", "node"],
        columns: &[column("attempts", Holds::Number)],
        ranks: (3, 6),
        ..PLAIN
    },
    Table {
        name: "incarnations",
        keys: &["kind", "namespace", "name"],
        columns: &[column("made", Holds::Number)],
        ranks: (3, 6),
        ..PLAIN
    },
    Table { name: "deleted_owners", keys: &["uid"], ranks: (3, 6), ..PLAIN },
    // What goes from a node goes before what comes to it.
    Table {
        name: "pods",
        keys: &["namespace", "name"],
        place: Place::Node,
        is_object: true,
        ranks: (4, 4),
        ..PLAIN
    },
    Table {
        name: "refusals",
        keys: &["namespace", "name"],
        columns: &[
            column("meant", Holds::Text),
            column("filter", Holds::Text),
            column("said", Holds::Text),
            column("reasons", Holds::Json),
            column("preemption", Holds::Text),
            column("nodes", Holds::Number),
            column("since", Holds::Number),
        ],
        ranks: (6, 6),
        ..PLAIN
    },
    Table {
        name: "files",
        keys: &["input", "path"],
        columns: &[column("sha256", Holds::Text)],
        ranks: (7, 6),
        counted: Counted::Input,
        ..PLAIN
    },
];

/// Events: a row has a number of its own, and the path a hash of what tells it from others.
pub(super) static EVENTS: Table = Table {
    name: "events",
    keys: &["namespace", "name"],
    columns: &[
        column("type", Holds::Text),
        column("reason", Holds::Text),
        column("combined", Holds::Number),
        column("message", Holds::Text),
        column("count", Holds::Number),
        column("first_seen", Holds::Number),
        column("last_seen", Holds::Number),
        column("kind", Holds::Text),
        column("owner", Holds::Text),
        column("source", Holds::Text),
    ],
    place: Place::Hash,
    careless: true,
    ranks: (7, 7),
    ..PLAIN
};

/// What tells an event from others about the same object.
const EVENT_HASH: &str =
    "path_hash(ROW.kind, ROW.type, ROW.reason, ROW.combined, iif(ROW.combined, '', ROW.message))";

/// All tables.
pub(super) fn all() -> impl Iterator<Item = &'static Table> {
    TABLES.iter().chain([&EVENTS])
}

/// The table with which a path begins.
pub(super) fn of(path: &str) -> Option<&'static Table> {
    let (name, _) = path.split_once('/')?;
    all().find(|table| table.name == name)
}

impl Table {
    /// SQL for the path of the row `row`.
    pub(super) fn path(&self, row: &str) -> String {
        let mut parts = vec![format!("'{}'", self.name)];
        if self.place == Place::Node {
            parts.push(format!("path_part({})", node(row)));
        }
        parts.extend(self.keys.iter().map(|key| format!("path_part({row}.{key})")));
        if self.place == Place::Hash {
            parts.push(EVENT_HASH.replace("ROW", row));
        }
        parts.join(" || '/' || ")
    }

    /// How many parts a path has behind the table's name.
    pub(super) fn parts(&self) -> usize {
        self.keys.len() + usize::from(self.place != Place::Key)
    }

    /// SQL for the condition that a row has this key, and this place, which are bound in the order
    /// of the path.
    pub(super) fn is(&self) -> String {
        let skip = usize::from(self.place == Place::Node);
        let keys = self.keys.iter().zip(1 + skip..);
        let mut is: Vec<String> = keys.map(|(key, at)| format!("t.{key} = ?{at}")).collect();
        match self.place {
            Place::Key => {}
            Place::Node => is.push(format!("{} = ?1", node("t"))),
            Place::Hash => is.push(format!("{} = ?{}", EVENT_HASH.replace("ROW", "t"), self.keys.len() + 1)),
        }
        is.join(" AND ")
    }

    /// All columns but the sum, in the order of the table.
    pub(super) fn all_columns(&self) -> Vec<&'static str> {
        let own = self.columns.iter().map(|column| column.name);
        self.keys.iter().copied().chain(own).collect()
    }
}

/// SQL for the node that a pod is on or else meant for.
fn node(row: &str) -> String {
    format!("coalesce({row}.node, {row}.pinned, '')")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::target::sqlite::Store;

    /// No column of a table is forgotten, and none is named that is not there.
    #[test]
    fn the_tables_are_those_of_the_schema() {
        let store = Store::in_memory().unwrap();
        let columns = |table: &str| -> Vec<String> {
            let mut statement =
                store.connection.prepare("SELECT name FROM pragma_table_info(?1) ORDER BY cid").unwrap();
            let names = statement.query_map([table], |row| row.get(0)).unwrap();
            names.collect::<Result<_, _>>().unwrap()
        };
        for table in TABLES.iter().filter(|table| !table.is_object) {
            let there = columns(table.name);
            let own = ["sum", "id"];
            let there: Vec<&str> = there.iter().map(|it| &**it).filter(|it| !own.contains(it)).collect();
            assert_eq!(table.all_columns(), there, "{}", table.name);
        }
    }
}
