//! What `get` can be told.

use clap::Args;
use dsrules::app::{Database, FieldSelector, LabelSelector, Lookup};
use dsrules::report::Columns;

use crate::cli::options::moment::AtArgs;
use crate::cli::options::output::Format;
use crate::cli::options::sort::SortKey;

/// Arguments of `get`.
#[derive(Debug, Args)]
pub struct GetArgs {
    /// What to show: `pods`, `nodes,daemonsets`, `all`, `events`; names may follow, or TYPE/NAME
    #[arg(value_name = "TYPE [NAME...] | TYPE/NAME", required = true, num_args = 1..)]
    pub resources: Vec<String>,
    /// Not here: what would change it is another command
    #[arg(long, short = 'w', hide = true)]
    pub watch: bool,
    /// The namespace to look in
    #[arg(long, short = 'n', value_name = "NAMESPACE", default_value = "default")]
    pub namespace: String,
    /// Look in all namespaces
    #[arg(long, short = 'A')]
    pub all_namespaces: bool,
    /// Only objects with these labels, as `app=web,tier in (a,b),!old`
    #[arg(long, short = 'l', value_name = "LABELS")]
    pub selector: Option<LabelSelector>,
    /// Only objects with these fields, as `spec.nodeName=n1`
    #[arg(long, value_name = "FIELDS")]
    pub field_selector: Option<FieldSelector>,
    /// How to show it
    #[arg(long, short = 'o', value_name = "FORMAT", value_enum)]
    pub output: Option<Format>,
    /// Leave the heads of tables away
    #[arg(long)]
    pub no_headers: bool,
    /// Sort by a field, as `.metadata.creationTimestamp`
    #[arg(long, value_name = "FIELD")]
    pub sort_by: Option<SortKey>,
    #[command(flatten)]
    pub at: AtArgs,
}

impl GetArgs {
    /// As the library takes it.
    pub fn lookup(&self, database: &Database, now: i64) -> Lookup {
        Lookup {
            database: database.clone(),
            namespace: (!self.all_namespaces).then(|| self.namespace.clone()),
            selector: self.selector.clone(),
            fields: self.field_selector.clone(),
            now,
        }
    }

    /// The columns of a table, of objects of several kinds or of one.
    pub fn columns(&self, several: bool, now: i64) -> Columns {
        Columns {
            namespace: self.all_namespaces,
            wide: self.output == Some(Format::Wide),
            kind: several,
            now,
        }
    }
}
