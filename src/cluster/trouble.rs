//! What goes wrong with a cluster, told for people: what, where, why, and what to do.

use ::kube::Error;
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

/// What a person is told of an error of the client, about the cluster `name` at `address`.
#[must_use]
pub fn told(error: &Error, name: &str, address: &str) -> Diagnostic {
    match error {
        Error::Api(status) => {
            Diagnostic::error("refused", format!("the cluster `{name}` refuses it: {}", status.message))
        }
        Error::Auth(why) => Diagnostic::error(
            "no-credentials",
            format!("there is nothing to log in to the cluster `{name}` with"),
        )
        .because(causes(why))
        .help("what the kubeconfig says of the user is wrong, or has expired: log in again"),
        Error::RustlsTls(why) => bad_certificate(name, address, causes(why)),
        Error::Service(_) | Error::HyperError(_) => {
            let why = causes(error);
            if why.to_ascii_lowercase().contains("certificate") {
                return bad_certificate(name, address, why);
            }
            Diagnostic::error("unreachable", format!("the cluster `{name}` does not answer at {address}"))
                .because(why)
                .help("is the address in the kubeconfig right, and is the way there open (VPN, proxy, firewall)?")
        }
        other => {
            Diagnostic::error("bad-answer", format!("the cluster `{name}` gives no answer that can be read"))
                .because(causes(other))
        }
    }
}

fn bad_certificate(name: &str, address: &str, why: String) -> Diagnostic {
    Diagnostic::error("bad-certificate", format!("the certificate of the cluster `{name}` at {address} is not trusted"))
        .because(why)
        .help("`certificate-authority` in the kubeconfig must be that of the cluster, and the address one of the certificate's")
}

/// An error with its causes, each once.
fn causes(error: &dyn std::error::Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !texts.iter().any(|it| it.contains(&text)) {
            texts.push(text);
        }
        next = cause.source();
    }
    texts.last().cloned().unwrap_or_default()
}
