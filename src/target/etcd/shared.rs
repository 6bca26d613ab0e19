//! A prefix of an etcd, as one replica knows it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::layout::Layout;
use super::value::{decode, encode};
use crate::diagnostic::Diagnostic;
use crate::etcd::{Access, Compare, Etcd, Op, Range, Thread, Trouble, Txn, Why};

/// The version of keys and values.
const SCHEMA: u32 = 1;

/// What `meta` says.
#[derive(Debug, Serialize, Deserialize)]
struct Meta {
    program: String,
    schema: u32,
}

/// A prefix of an etcd.
#[derive(Debug)]
pub struct Shared {
    pub(super) etcd: Etcd,
    pub(super) thread: Arc<Thread>,
    pub(super) layout: Layout,
    pub(super) prefix: String,
    /// The cluster's number.
    pub(super) cluster: u64,
    /// The revision at which `meta` was written.
    pub(super) meta: i64,
    /// What else is to be so whenever something is written.
    pub(super) guards: Vec<Compare>,
    /// Who writes, as `head` says it.
    pub(super) holder: String,
}

impl Shared {
    /// Connects, and looks whether the prefix is ours; one that has nothing becomes ours when
    /// `make` says so.
    ///
    /// # Errors
    /// When etcd cannot be asked, or the prefix is another program's or of another dsrules.
    pub fn connect(access: &Access, holder: &str, make: bool) -> Result<Shared, Diagnostic> {
        let no_thread = |error: std::io::Error| {
            Diagnostic::error("no-thread", "etcd cannot be asked").because(error.to_string())
        };
        let thread = Arc::new(Thread::start().map_err(no_thread)?);
        let (asked, layout) = (access.clone(), Layout::new(&access.prefix));
        let (keys, shown) = (layout.clone(), access.shown());
        let connected = thread.wait(async move {
            let etcd = Etcd::connect(&asked).await?;
            let cluster = etcd.about().await?.cluster;
            let meta = claim(&etcd, &keys, &asked.prefix, &shown, make).await?;
            Ok::<_, Diagnostic>((etcd, cluster, meta))
        });
        let (etcd, cluster, meta) = connected.ok_or_else(broken)??;
        let (prefix, holder) = (access.prefix.clone(), holder.to_owned());
        Ok(Shared { etcd, thread, layout, prefix, cluster, meta, guards: Vec::new(), holder })
    }

    /// From now on nothing is written unless these are so too.
    pub fn guard(&mut self, guards: Vec<Compare>) {
        self.guards = guards;
    }

    /// The client, for what is no row.
    #[must_use]
    pub fn etcd(&self) -> &Etcd {
        &self.etcd
    }

    /// Where keys are.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Waits for what is asked of etcd.
    pub(super) fn wait<T: Send + 'static>(
        &self,
        asked: impl Future<Output = Result<T, Trouble>> + Send + 'static,
    ) -> Result<T, Diagnostic> {
        Ok(self.thread.wait(asked).ok_or_else(broken)??)
    }
}

pub(super) fn broken() -> Diagnostic {
    Diagnostic::error("bug", "what asks etcd has ended by itself").help("this is a mistake in dsrules")
}

/// Looks whether a prefix is ours; gives the revision of what says so.
async fn claim(
    etcd: &Etcd,
    layout: &Layout,
    prefix: &str,
    shown: &str,
    make: bool,
) -> Result<i64, Diagnostic> {
    if let (Some(meta), _) = etcd.get(&layout.meta()).await? {
        check(&layout.meta(), &meta.value, shown)?;
        return Ok(meta.mod_revision);
    }
    let root = Range::prefix(format!("{prefix}/"));
    if etcd.count(&root).await? > 0 {
        return Err(Diagnostic::error("foreign-prefix", format!("`{shown}` is used by another program"))
            .because(format!(
                "there are keys under `{prefix}/`, and no `{}` says that they are dsrules'",
                layout.meta()
            ))
            .help("name another prefix"));
    }
    if !make {
        return Err(Diagnostic::error("no-store", format!("there is no store `{shown}`"))
            .because(format!("etcd has no key under `{prefix}/`"))
            .help("`dsrules apply PATH --store …` makes one"));
    }
    let meta = Meta { program: "dsrules".to_owned(), schema: SCHEMA };
    let json = serde_json::to_string(&meta).unwrap_or_default();
    let txn = Txn {
        compares: vec![Compare::unchanged(layout.meta(), 0)],
        then: vec![Op::put(layout.meta(), encode(&json))],
        otherwise: vec![Op::Get(Range::key(layout.meta()))],
    };
    let done = match etcd.txn(&txn).await {
        Err(trouble) if trouble.why == Why::Unsure => etcd.txn(&txn).await,
        done => done,
    }?;
    match done.told.first().and_then(|keys| keys.first()) {
        Some(meta) => check(&layout.meta(), &meta.value, shown).map(|()| meta.mod_revision),
        None => Ok(done.revision),
    }
}

fn check(key: &str, value: &[u8], shown: &str) -> Result<(), Diagnostic> {
    let meta = decode(key, value).and_then(|json| {
        serde_json::from_str::<Meta>(json).map_err(|error| {
            Diagnostic::error("foreign-value", format!("`{key}` says nothing")).because(error.to_string())
        })
    })?;
    if meta.program != "dsrules" {
        return Err(Diagnostic::error("foreign-prefix", format!("`{shown}` is used by {}", meta.program))
            .help("name another prefix"));
    }
    if meta.schema != SCHEMA {
        let (code, which) =
            if meta.schema > SCHEMA { ("newer-store", "a newer") } else { ("older-store", "an older") };
        return Err(Diagnostic::error(code, format!("`{shown}` is of {which} dsrules"))
            .because(format!("its keys have version {}, this dsrules knows {SCHEMA}", meta.schema))
            .help("use the same dsrules everywhere, or name another prefix"));
    }
    Ok(())
}
