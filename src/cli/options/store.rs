//! Which store that many share is meant.

use clap::Args;
use dsrules::diagnostic::Diagnostic;
use dsrules::etcd::Access;

/// The shared store.
#[derive(Debug, Clone, Args)]
pub struct StoreArgs {
    /// The etcd that has the fleet's objects, as `etcd://HOST:2379,HOST:2379/PREFIX`
    #[arg(long, value_name = "URL", env = "DSRULES_STORE")]
    store: Option<String>,
}

impl StoreArgs {
    /// As the library takes it.
    pub fn access(&self) -> Result<Access, Diagnostic> {
        let store = self.store.as_deref().ok_or_else(|| {
            Diagnostic::error("no-store", "no store is named that controllers and agents share")
                .help("name one as `--store etcd://HOST:2379/PREFIX`, or in DSRULES_STORE")
        })?;
        Access::parse(store)
    }
}
