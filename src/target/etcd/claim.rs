//! Whose a prefix is: a key says so, and whoever comes looks at it before all else.

use serde::{Deserialize, Serialize};

use super::wire;
use crate::diagnostic::Diagnostic;
use crate::etcd::{Compare, Etcd, Op, Range, Txn, Why};

/// The version of keys and values.
const SCHEMA: u32 = 1;
/// Whose they are.
const PROGRAM: &str = "dsrules";

/// What the key says.
#[derive(Debug, Serialize, Deserialize)]
struct Meta {
    program: String,
    schema: u32,
}

/// Looks whether a prefix is ours; gives the revision that wrote what says so. One that has nothing
/// becomes ours when `make` says so.
///
/// # Errors
/// When etcd cannot be asked, or the prefix is another program's or of another dsrules.
pub async fn claim(etcd: &Etcd, prefix: &str, make: bool) -> Result<i64, Diagnostic> {
    let (key, shown) = (format!("{}{}", wire::base(prefix), wire::META), etcd.name());
    if let (Some(meta), _) = etcd.get(&key).await? {
        check(&key, &meta.value, shown)?;
        return Ok(meta.mod_revision);
    }
    if etcd.get(&format!("{}{}", wire::base(prefix), wire::FILLING)).await?.0.is_some() {
        return Err(Diagnostic::error(
            "half-restored",
            format!("`{shown}` is being restored, or was half restored"),
        )
        .because("it is no store before all of its snapshot is there")
        .help("run `dsrules restore` with the same file again: it goes on"));
    }
    if etcd.count(&Range::prefix(format!("{prefix}/"))).await? > 0 {
        return Err(Diagnostic::error("foreign-prefix", format!("`{shown}` is used by another program"))
            .because(format!("there are keys under `{prefix}/`, and no `{key}` says that they are dsrules'"))
            .help("name another prefix"));
    }
    if !make {
        return Err(Diagnostic::error("no-store", format!("there is no store `{shown}`"))
            .because(format!("etcd has no key under `{prefix}/`"))
            .help("`dsrules apply PATH --store …` makes one"));
    }
    let meta = Meta { program: PROGRAM.to_owned(), schema: SCHEMA };
    let txn = Txn {
        compares: vec![Compare::unchanged(key.clone(), 0)],
        then: vec![Op::put(key.clone(), serde_json::to_vec(&meta).unwrap_or_default())],
        otherwise: vec![Op::Get(Range::key(key.clone()))],
    };
    let done = match etcd.txn(&txn).await {
        Err(trouble) if trouble.why == Why::Unsure => etcd.txn(&txn).await,
        done => done,
    }?;
    match done.told.first().and_then(|keys| keys.first()) {
        Some(meta) => check(&key, &meta.value, shown).map(|()| meta.mod_revision),
        None => Ok(done.revision),
    }
}

fn check(key: &str, value: &[u8], shown: &str) -> Result<(), Diagnostic> {
    let meta: Meta = serde_json::from_slice(value).map_err(|error| {
        Diagnostic::error("foreign-prefix", format!("`{shown}` is no store that dsrules can read"))
            .because(format!("the key `{key}` does not say whose it is: {error}"))
            .help("name another prefix; or, if it was ours, restore a snapshot into one")
    })?;
    if meta.program != PROGRAM {
        return Err(Diagnostic::error("foreign-prefix", format!("`{shown}` is used by {}", meta.program))
            .because(format!("the key `{key}` says so"))
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
