//! What goes wrong with a cluster, told for people: what, where, why, and what to do.

use serde::Deserialize;

use super::access::Whence;
use super::connect::Cluster;
use crate::diagnostic::Diagnostic;

/// Why something was not answered.
#[derive(Debug)]
pub struct Trouble {
    /// The status that the server answered with; 0 where it did not answer.
    pub status: u16,
    /// What a person is told.
    pub told: Diagnostic,
}

impl Trouble {
    /// Where there was no answer.
    pub(super) fn of(told: Diagnostic) -> Trouble {
        Trouble { status: 0, told }
    }

    /// Whether who asks may not read that.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.status == 403
    }

    /// Whether the server has nothing of that kind.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.status == 404
    }
}

impl From<Trouble> for Diagnostic {
    fn from(trouble: Trouble) -> Diagnostic {
        trouble.told
    }
}

impl From<Trouble> for Vec<Diagnostic> {
    fn from(trouble: Trouble) -> Vec<Diagnostic> {
        vec![trouble.told]
    }
}

/// What a server says of why it refuses something.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Said {
    message: String,
}

/// The trouble that an answer is which is none; `what` was asked for, as `pods`.
pub(super) fn refused(status: u16, body: &[u8], cluster: &Cluster, what: &str) -> Trouble {
    let said: Said = serde_json::from_slice(body).unwrap_or_default();
    let told = by_status(status, &said.message, cluster, what);
    Trouble { status, told: if said.message.is_empty() { told } else { told.because(said.message) } }
}

fn by_status(status: u16, said: &str, cluster: &Cluster, what: &str) -> Diagnostic {
    let name = &cluster.name;
    match status {
        401 => Diagnostic::error("unauthorized", format!("the cluster `{name}` does not know who asks"))
            .help(match cluster.whence {
                Whence::Kubeconfig => {
                    "the token or certificate in the kubeconfig is wrong or has expired: log in again"
                }
                Whence::ServiceAccount => {
                    "the token of this pod's service account has expired, or the account is gone"
                }
            }),
        403 => Diagnostic::error("forbidden", format!("{what} of the cluster `{name}` may not be read"))
            .help("examples/cluster-reader has a ClusterRole with all that is read"),
        404 => Diagnostic::error("not-served", format!("the cluster `{name}` does not serve {what}"))
            .help(format!("is there an API server at {}?", cluster.address)),
        410 => Diagnostic::error(
            "changed-meanwhile",
            format!("{what} of the cluster `{name}` changed faster than they were read"),
        ),
        429 => Diagnostic::error(
            "too-many-requests",
            format!("the cluster `{name}` has too much to do to list {what}"),
        )
        .help("try it again later"),
        _ => {
            let told = Diagnostic::error(
                "bad-answer",
                format!("the cluster `{name}` answered {status} where {what} were asked for"),
            );
            if said.is_empty() {
                told.help(format!("is there an API server at {}?", cluster.address))
            } else {
                told
            }
        }
    }
}
