//! A prefix as a file, and back, equal to the byte: all keys that go with no lease, as they are at one
//! revision.
//!
//! ```text
//! {"dsrules":"store","v":1}            what it is
//! {"key":"nodes//n1","value":"…"}      a key each, in order
//! {"keys":1,"sha256":"…"}              how many there are, and the hash of all that stands above
//! ```
//! A prefix that is being filled says so, and which file it is filled from: who ends in between goes
//! on, and nobody else takes it for a store.

use std::borrow::Cow;
use std::io::Write;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::batch::Batch;
use super::claim::claim;
use super::link::{Link, broken};
use super::wire;
use crate::diagnostic::Diagnostic;
use crate::etcd::{Access, Compare, KeyValue, Op, Range, Trouble, Txn};
use crate::hash::hex;

/// What the first line says.
const KIND: &str = "store";
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Head<'l> {
    dsrules: Cow<'l, str>,
    v: u32,
}

#[derive(Serialize, Deserialize)]
struct Line<'l> {
    #[serde(borrow)]
    key: Cow<'l, str>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    value: Option<Cow<'l, str>>,
    /// A value that is no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<Vec<u8>>,
}

#[derive(Serialize, Deserialize, PartialEq, Eq)]
struct Foot {
    keys: usize,
    sha256: String,
}

/// Writes a prefix down; gives how many keys it has.
///
/// # Errors
/// When it is no store of ours, etcd cannot be asked, or it cannot be written.
pub fn snapshot(access: &Access, out: &mut dyn Write) -> Result<usize, Diagnostic> {
    let asked = Link::new(access)?;
    let (etcd, prefix) = (asked.etcd.clone(), access.prefix.clone());
    asked.thread.wait(async move { claim(&etcd, &prefix, false).await }).ok_or_else(broken)??;
    let mut file = Writing { out, hash: Sha256::new(), keys: 0 };
    file.line(&Head { dsrules: KIND.into(), v: VERSION })?;
    asked.each_page(|keys| {
        keys.iter().filter(|kv| kv.lease == 0).try_for_each(|kv| file.key(&asked.base, kv))
    })?;
    file.end()
}

struct Writing<'o> {
    out: &'o mut dyn Write,
    hash: Sha256,
    keys: usize,
}

impl Writing<'_> {
    fn line(&mut self, line: &impl Serialize) -> Result<(), Diagnostic> {
        let failed =
            |why: String| Diagnostic::error("unwritable", "the snapshot cannot be written").because(why);
        let mut text = serde_json::to_vec(line).map_err(|error| failed(error.to_string()))?;
        text.push(b'\n');
        self.hash.update(&text);
        self.out.write_all(&text).map_err(|error| failed(error.to_string()))
    }

    fn key(&mut self, base: &str, kv: &KeyValue) -> Result<(), Diagnostic> {
        let key = String::from_utf8_lossy(&kv.key);
        let key = Cow::Borrowed(key.strip_prefix(base).unwrap_or(&key));
        let value = std::str::from_utf8(&kv.value).ok().map(Cow::Borrowed);
        let bytes = value.is_none().then(|| kv.value.clone());
        self.keys += 1;
        self.line(&Line { key, value, bytes })
    }

    fn end(mut self) -> Result<usize, Diagnostic> {
        let foot = Foot { keys: self.keys, sha256: hex(&self.hash.clone().finalize()) };
        self.line(&foot)?;
        Ok(self.keys)
    }
}

/// Fills a prefix that has nothing with what was written down; gives how many keys that are.
///
/// # Errors
/// When the file is no whole snapshot, the prefix has something, or etcd cannot be asked.
pub fn restore(access: &Access, file: &[u8]) -> Result<usize, Diagnostic> {
    let (lines, foot) = read(file)?;
    let asked = Link::new(access)?;
    let (filling, meta) = (asked.key(wire::FILLING), asked.key(wire::META));
    begin(&asked, access, &filling, &meta, &foot.sha256)?;
    let guard = || {
        vec![
            Compare::value(filling.clone(), foot.sha256.clone().into_bytes()),
            Compare::unchanged(meta.clone(), 0),
        ]
    };
    let mut batch = Batch::default();
    let mut last = None;
    for line in lines {
        let value = line.bytes.unwrap_or_else(|| line.value.unwrap_or_default().into_owned().into_bytes());
        if line.key == wire::META {
            last = Some(value);
            continue;
        }
        let op = Op::put(asked.key(&line.key), value);
        if !batch.has_room(op.size(), 0) {
            fill(&asked, guard(), std::mem::take(&mut batch).ops)?;
        }
        batch.push(op);
    }
    fill(&asked, guard(), batch.ops)?;
    // Only now is it a store.
    let then = vec![Op::Delete(Range::key(filling.clone())), Op::put(meta.clone(), last.unwrap_or_default())];
    fill(&asked, guard(), then)?;
    Ok(foot.keys)
}

/// Says of a prefix that it is being filled; one that has anything else is left alone.
fn begin(asked: &Link, access: &Access, filling: &str, meta: &str, hash: &str) -> Result<(), Diagnostic> {
    let (etcd, key) = (asked.etcd.clone(), filling.to_owned());
    let before = asked.wait(async move { etcd.get(&key).await })?.0;
    if before.is_some_and(|it| it.value == hash.as_bytes()) {
        return Ok(());
    }
    let (etcd, all) = (asked.etcd.clone(), Range::prefix(format!("{}/", access.prefix)));
    let empty = Txn {
        compares: vec![Compare::unchanged(meta, 0), Compare::unchanged(filling, 0)],
        then: vec![Op::put(filling, hash)],
        ..Txn::default()
    };
    let shown = access.shown();
    let begun = asked.wait(async move {
        let is_empty = etcd.count(&all).await? == 0;
        Ok::<_, Trouble>(is_empty && etcd.txn(&empty).await?.succeeded)
    });
    if !begun? {
        return Err(Diagnostic::error("not-empty", format!("`{shown}` has keys already"))
            .because("what is there would be mixed with what is restored; nothing was written")
            .help(format!(
                "name another prefix; or, if what is there is to go: `etcdctl del --prefix {}/`",
                access.prefix
            )));
    }
    Ok(())
}

fn fill(asked: &Link, compares: Vec<Compare>, then: Vec<Op>) -> Result<(), Diagnostic> {
    let (etcd, txn) = (asked.etcd.clone(), Txn { compares, then, ..Txn::default() });
    if txn.then.is_empty() || asked.wait(async move { etcd.txn(&txn).await })?.succeeded {
        return Ok(());
    }
    Err(Diagnostic::error(
        "conflict",
        format!("`{}` was changed by somebody else meanwhile", asked.etcd.name()),
    )
    .because("it is not being filled from this file any longer")
    .help("look at who uses this prefix; then begin with an empty one"))
}

/// The lines of a snapshot, once all of it is known to be there.
fn read(file: &[u8]) -> Result<(Vec<Line<'_>>, Foot), Diagnostic> {
    let wrong = |why: String| {
        Diagnostic::error("bad-snapshot", "this is no whole snapshot of a store")
            .because(why)
            .help("nothing was written; `dsrules snapshot --store …` makes one")
    };
    let mut lines: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').collect();
    let (Some(last), Some(first)) = (lines.pop(), lines.first().copied()) else {
        return Err(wrong("it has less than two lines".to_owned()));
    };
    let head: Head<'_> = serde_json::from_slice(first)
        .map_err(|error| wrong(format!("its first line says nothing: {error}")))?;
    if head.dsrules != KIND || head.v != VERSION {
        return Err(wrong(format!("it is of version {}, and this dsrules knows {VERSION}", head.v)));
    }
    let foot: Foot = serde_json::from_slice(last)
        .map_err(|error| wrong(format!("its last line does not say that it is the end: {error}")))?;
    let above = file.strip_suffix(last).unwrap_or(file);
    if hex(&Sha256::digest(above)) != foot.sha256 || lines.len() != foot.keys + 1 {
        return Err(wrong("it was changed after it was written: its hash is another one".to_owned()));
    }
    let read = lines.into_iter().skip(1).enumerate().map(|(nth, line)| {
        serde_json::from_slice::<Line<'_>>(line).map_err(|error| wrong(format!("line {}: {error}", nth + 2)))
    });
    Ok((read.collect::<Result<_, _>>()?, foot))
}
