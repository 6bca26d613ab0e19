//! Transactions: what is to be so, and what is done then.

use super::api::compare::{CompareResult, CompareTarget, TargetUnion};
use super::api::kv_client::KvClient;
use super::api::request_op::Request;
use super::api::response_op::Response;
use super::api::{self, DeleteRangeRequest, KeyValue, PutRequest, RangeRequest, RequestOp, TxnRequest};
use super::ask::Again;
use super::connect::Etcd;
use super::range::Range;
use super::trouble::Trouble;

/// What is to be so, for a transaction to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Compare(api::Compare);

impl Compare {
    /// A key was changed last at this revision; 0: it is not there.
    #[must_use]
    pub fn unchanged(key: impl Into<Vec<u8>>, revision: i64) -> Compare {
        Compare::of(key.into(), CompareTarget::Mod, TargetUnion::ModRevision(revision))
    }

    /// A key was made at this revision, whatever became of it since; 0: it is not there.
    #[must_use]
    pub fn same(key: impl Into<Vec<u8>>, created: i64) -> Compare {
        Compare::of(key.into(), CompareTarget::Create, TargetUnion::CreateRevision(created))
    }

    /// A key has this value.
    #[must_use]
    pub fn value(key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Compare {
        Compare::of(key.into(), CompareTarget::Value, TargetUnion::Value(value.into()))
    }

    /// A key is there as long as this lease is.
    #[must_use]
    pub fn lease(key: impl Into<Vec<u8>>, lease: i64) -> Compare {
        Compare::of(key.into(), CompareTarget::Lease, TargetUnion::Lease(lease))
    }

    /// No key of a range was written after this revision. What is gone is not looked at.
    #[must_use]
    pub fn not_since(range: Range, revision: i64) -> Compare {
        let is = TargetUnion::ModRevision(revision.saturating_add(1));
        let mut compare = Compare::of(range.key, CompareTarget::Mod, is);
        compare.0.result = CompareResult::Less.into();
        compare.0.range_end = range.end;
        compare
    }

    fn of(key: Vec<u8>, target: CompareTarget, is: TargetUnion) -> Compare {
        Compare(api::Compare {
            result: CompareResult::Equal.into(),
            target: target.into(),
            key,
            range_end: Vec::new(),
            target_union: Some(is),
        })
    }

    /// The key that is looked at.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.0.key
    }
}

/// One operation of a transaction.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// A key gets a value, and goes with the lease unless that is 0.
    Put {
        /// The key.
        key: Vec<u8>,
        /// Its value.
        value: Vec<u8>,
        /// The lease.
        lease: i64,
    },
    /// A key goes, or all of a range.
    Delete(Range),
    /// What is there is told.
    Get(Range),
}

impl Op {
    /// A key gets a value, for good.
    #[must_use]
    pub fn put(key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Op {
        Op::Put { key: key.into(), value: value.into(), lease: 0 }
    }

    /// How much of a request it takes, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Op::Put { key, value, .. } => key.len() + value.len() + 32,
            Op::Delete(range) | Op::Get(range) => range.key.len() + range.end.len() + 32,
        }
    }

    fn request(&self) -> RequestOp {
        let request = match self.clone() {
            Op::Put { key, value, lease } => {
                Request::RequestPut(PutRequest { key, value, lease, ..PutRequest::default() })
            }
            Op::Delete(Range { key, end }) => {
                Request::RequestDeleteRange(DeleteRangeRequest { key, range_end: end, prev_kv: false })
            }
            Op::Get(Range { key, end }) => {
                Request::RequestRange(RangeRequest { key, range_end: end, ..RangeRequest::default() })
            }
        };
        RequestOp { request: Some(request) }
    }
}

/// A transaction: all of it is done at one revision, or nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Txn {
    /// What is to be so.
    pub compares: Vec<Compare>,
    /// What is done then.
    pub then: Vec<Op>,
    /// What is done otherwise.
    pub otherwise: Vec<Op>,
}

/// What came of a transaction.
#[derive(Debug, Clone, Default)]
pub struct Done {
    /// Whether all was as it is to be.
    pub succeeded: bool,
    /// The revision of the store then: where something was written, the one of that.
    pub revision: i64,
    /// What [`Op::Get`] told, each.
    pub told: Vec<Vec<KeyValue>>,
}

impl Etcd {
    /// Carries out a transaction.
    ///
    /// # Errors
    /// When no member answers, or it may not be done; [`Why::Unsure`](super::Why::Unsure) where
    /// nobody knows whether it was.
    pub async fn txn(&self, txn: &Txn) -> Result<Done, Trouble> {
        let requests = |ops: &[Op]| ops.iter().map(Op::request).collect();
        let request = TxnRequest {
            compare: txn.compares.iter().map(|it| it.0.clone()).collect(),
            success: requests(&txn.then),
            failure: requests(&txn.otherwise),
        };
        let changes = |ops: &[Op]| ops.iter().any(|op| !matches!(op, Op::Get(_)));
        let changes = changes(&txn.then) || changes(&txn.otherwise);
        let again = if changes { Again::Unsent } else { Again::Safe };
        let ask = |link| {
            let request = request.clone();
            async move { KvClient::new(link).txn(request).await }
        };
        let answer = self.ask(again, ask).await?;
        let told = answer.responses.into_iter().filter_map(|it| match it.response {
            Some(Response::ResponseRange(range)) => Some(range.kvs),
            _ => None,
        });
        Ok(Done {
            succeeded: answer.succeeded,
            revision: answer.header.unwrap_or_default().revision,
            told: told.collect(),
        })
    }

    /// Gives a key a value, whatever it has; it goes with the lease unless that is 0.
    ///
    /// # Errors
    /// When no member answers, or it may not be done.
    pub async fn put(
        &self,
        key: impl Into<Vec<u8>>,
        value: impl Into<Vec<u8>>,
        lease: i64,
    ) -> Result<i64, Trouble> {
        let request = PutRequest { key: key.into(), value: value.into(), lease, ..PutRequest::default() };
        let ask = |link| {
            let request = request.clone();
            async move { KvClient::new(link).put(request).await }
        };
        let answer = self.ask(Again::Safe, ask).await?;
        Ok(answer.header.unwrap_or_default().revision)
    }
}
