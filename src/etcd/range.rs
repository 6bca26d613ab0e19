//! Keys and their values, in pages.

use super::api::kv_client::KvClient;
use super::api::{CompactionRequest, KeyValue, RangeRequest};
use super::ask::Again;
use super::connect::Etcd;
use super::trouble::Trouble;

/// So many keys are in a page at first, and so much is to be in one.
const FIRST: i64 = 500;
const MOST: i64 = 10_000;
const WANTED: usize = 2 << 20;
/// No answer is larger.
const LARGEST: usize = 512 << 20;

/// From a key to before another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// The first key.
    pub key: Vec<u8>,
    /// The key behind the last; empty for the one key alone.
    pub end: Vec<u8>,
}

impl Range {
    /// One key.
    #[must_use]
    pub fn key(key: impl Into<Vec<u8>>) -> Range {
        Range { key: key.into(), end: Vec::new() }
    }

    /// All keys that begin so.
    #[must_use]
    pub fn prefix(prefix: impl Into<Vec<u8>>) -> Range {
        let key = prefix.into();
        let mut end = key.clone();
        // The next text of that length: what cannot be counted up falls away.
        while let Some(last) = end.pop() {
            if last < u8::MAX {
                end.push(last + 1);
                return Range { key, end };
            }
        }
        Range { key, end: vec![0] }
    }
}

/// Some keys with their values.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The keys, in their order.
    pub keys: Vec<KeyValue>,
    /// The revision of the whole store when it was asked.
    pub revision: i64,
    /// The cluster that answered.
    pub cluster: u64,
    /// Whether there are more.
    pub more: bool,
}

/// A range of keys that is read page by page, each about as large as the others.
#[derive(Debug)]
pub struct Pages {
    etcd: Etcd,
    /// What is left to be read.
    range: Option<Range>,
    /// Of which all is read; 0 before the first page.
    pub revision: i64,
    limit: i64,
}

impl Pages {
    /// The next page; nothing behind the last.
    ///
    /// # Errors
    /// As [`Etcd::page`].
    pub async fn next(&mut self) -> Result<Option<Vec<KeyValue>>, Trouble> {
        let Some(mut range) = self.range.take() else { return Ok(None) };
        let page = self.etcd.page(&range, self.limit, self.revision).await?;
        if self.revision == 0 {
            self.revision = page.revision;
        }
        if let Some(last) = page.keys.last().filter(|_| page.more) {
            range.key.clone_from(&last.key);
            range.key.push(0);
            let size = page.keys.iter().map(|it| it.key.len() + it.value.len()).sum::<usize>();
            let each = (size / page.keys.len()).max(1);
            self.limit = i64::try_from(WANTED / each).unwrap_or(MOST).clamp(1, MOST);
            self.range = Some(range);
        }
        Ok(Some(page.keys))
    }
}

impl Etcd {
    /// One key, if it is there, and the revision of the store.
    ///
    /// # Errors
    /// When no member answers, or it may not be read.
    pub async fn get(&self, key: &str) -> Result<(Option<KeyValue>, i64), Trouble> {
        let mut page = self.page(&Range::key(key), 0, 0).await?;
        Ok((page.keys.pop(), page.revision))
    }

    /// At most `limit` keys (0: all) as they were at a revision (0: as they are).
    ///
    /// # Errors
    /// When no member answers, the revision is compacted, or it may not be read.
    pub async fn page(&self, range: &Range, limit: i64, revision: i64) -> Result<Page, Trouble> {
        let request = RangeRequest {
            key: range.key.clone(),
            range_end: range.end.clone(),
            limit,
            revision,
            ..RangeRequest::default()
        };
        self.range(request).await
    }

    /// How many keys there are.
    ///
    /// # Errors
    /// As [`page`](Etcd::page).
    pub async fn count(&self, range: &Range) -> Result<i64, Trouble> {
        let request = RangeRequest {
            key: range.key.clone(),
            range_end: range.end.clone(),
            count_only: true,
            ..RangeRequest::default()
        };
        let ask = |link| {
            let request = request.clone();
            async move { KvClient::new(link).range(request).await }
        };
        Ok(self.ask(Again::Safe, ask).await?.count)
    }

    /// All keys as they are at one revision, to be read page by page.
    #[must_use]
    pub fn walk(&self, range: Range) -> Pages {
        Pages { etcd: self.clone(), range: Some(range), revision: 0, limit: FIRST }
    }

    /// The same, each page given to a visitor; gives the revision. A failure of the visitor ends it.
    ///
    /// # Errors
    /// As [`page`](Etcd::page), and what the visitor fails with.
    pub async fn pages<E: From<Trouble>>(
        &self,
        range: &Range,
        mut visit: impl FnMut(Vec<KeyValue>) -> Result<(), E>,
    ) -> Result<i64, E> {
        let mut pages = self.walk(range.clone());
        while let Some(keys) = pages.next().await? {
            visit(keys)?;
        }
        Ok(pages.revision)
    }

    async fn range(&self, request: RangeRequest) -> Result<Page, Trouble> {
        let ask = |link| {
            let request = request.clone();
            async move { KvClient::new(link).max_decoding_message_size(LARGEST).range(request).await }
        };
        let answer = self.ask(Again::Safe, ask).await?;
        let header = answer.header.unwrap_or_default();
        let (revision, cluster) = (header.revision, header.cluster_id);
        Ok(Page { keys: answer.kvs, revision, cluster, more: answer.more })
    }

    /// Has etcd forget what was before a revision.
    ///
    /// # Errors
    /// When no member answers, it may not be done, or is done already.
    pub async fn compact(&self, revision: i64) -> Result<(), Trouble> {
        let ask = |link| async move {
            KvClient::new(link).compact(CompactionRequest { revision, physical: false }).await
        };
        self.ask(Again::Safe, ask).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_a_range() {
        let end = |prefix: &[u8]| Range::prefix(prefix).end;
        assert_eq!(end(b"a/"), b"a0");
        assert_eq!(end(b"a\xff"), b"b");
        assert_eq!(end(b"\xff\xff"), b"\0");
        assert_eq!(end(b""), b"\0");
    }
}
