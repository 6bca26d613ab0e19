//! What goes wrong with etcd, told for people: what, where, why, and what to do.

use std::error::Error;

use tonic::{Code, Status};

use crate::diagnostic::Diagnostic;

/// Why something was not answered, for who decides what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// No member could be asked.
    Unreachable,
    /// It was sent, and nobody knows whether it was done.
    Unsure,
    /// The revision that was asked for is compacted: everything is to be read anew.
    Compacted,
    /// The revision that was asked for is yet to come: this is an older etcd, or another.
    Ahead,
    /// etcd has no space left.
    Full,
    /// Who asks is not known, or may not do that.
    Refused,
    /// The lease has ended.
    NoLease,
    /// There is more in a request than etcd takes.
    TooLarge,
    /// Something else.
    Other,
}

/// Why something was not answered.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// For who decides what to do about it.
    pub why: Why,
    /// What a person is told.
    pub told: Diagnostic,
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

impl Trouble {
    pub(super) fn new(why: Why, told: Diagnostic) -> Trouble {
        Trouble { why, told }
    }

    /// That nothing was heard for too long.
    #[must_use]
    pub fn silence() -> Trouble {
        Trouble::silent("any of its addresses", false)
    }

    /// Whether another member, or the same one later, may answer.
    #[must_use]
    pub fn passes(&self) -> bool {
        matches!(self.why, Why::Unreachable | Why::Unsure)
    }

    /// The answer of a member which is none.
    pub(super) fn of(status: &Status, member: &str) -> Trouble {
        let said = status.message();
        let why = why(status);
        let told = match why {
            Why::Unreachable => unreachable(status, member),
            Why::Unsure => Diagnostic::error("etcd-unsure", format!("etcd at {member} broke off"))
                .because(format!("it says: {}", reason(status)))
                .help("what was asked for may have been done or not; run the command again. If it always breaks off: does it speak TLS, or want a certificate? `etcds://`, --etcd-cert"),
            Why::Compacted => {
                Diagnostic::error("etcd-compacted", format!("etcd at {member} no longer knows what changed"))
                    .because("the revision that this goes on from is compacted")
            }
            Why::Ahead => Diagnostic::error("etcd-behind", format!("etcd at {member} is older than what was read of it"))
                .because("it has not come to the revision that this goes on from: was it restored, or made anew?"),
            Why::Full => Diagnostic::error("etcd-full", format!("etcd at {member} has no space left"))
                .because("its database has reached its quota; it takes deletes alone")
                .help("compact and defragment it, then `etcdctl alarm disarm`; or raise --quota-backend-bytes"),
            Why::Refused => refused(said, member),
            Why::NoLease => Diagnostic::error("etcd-lease", "a lease has ended").because(format!("etcd at {member} says: {said}")),
            Why::TooLarge => Diagnostic::error("etcd-too-large", format!("etcd at {member} does not take so much at once"))
                .because(format!("it says: {said}"))
                .help("its --max-txn-ops is to be 128 or more, and its --max-request-bytes 1.5 MiB, as they are by default"),
            Why::Other => Diagnostic::error("etcd-answer", format!("etcd at {member} does not answer as it should"))
                .because(format!("it says: {}", reason(status)))
                .help("is it etcd 3.4 or newer that listens there for clients?"),
        };
        Trouble { why, told }
    }

    /// A member that says nothing for too long.
    pub(super) fn silent(member: &str, sent: bool) -> Trouble {
        let told = Diagnostic::error("etcd-silent", format!("etcd at {member} does not answer"))
            .because("it was waited for, and there may be no majority of members")
            .help("`etcdctl endpoint status --cluster` says how each of them is");
        Trouble { why: if sent { Why::Unsure } else { Why::Unreachable }, told }
    }
}

/// Whether the token that was sent is not valid, or no longer.
pub(super) fn is_stale(status: &Status) -> bool {
    status.message().contains("invalid auth token")
        || status.message().contains("auth revision in the header is old")
}

/// Whether etcd asks for no users at all.
pub(super) fn asks_for_no_user(status: &Status) -> bool {
    status.message().contains("authentication is not enabled")
}

/// Why, by etcd's own words: it has more of them than gRPC has codes.
fn why(status: &Status) -> Why {
    let says = |words: &[&str]| words.iter().any(|word| status.message().contains(word));
    match status.code() {
        _ if says(&["has been compacted"]) => Why::Compacted,
        _ if says(&["is a future revision"]) => Why::Ahead,
        _ if says(&["database space exceeded"]) => Why::Full,
        _ if says(&["requested lease not found"]) => Why::NoLease,
        _ if says(&["request is too large", "too many operations in txn", "larger than max"]) => {
            Why::TooLarge
        }
        Code::Unauthenticated | Code::PermissionDenied => Why::Refused,
        _ if says(&["user name is empty", "authentication failed", "invalid auth token"]) => Why::Refused,
        _ if was_not_sent(status) => Why::Unreachable,
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::ResourceExhausted => Why::Unsure,
        Code::Unknown | Code::Internal if status.source().is_some() => Why::Unsure,
        _ => Why::Other,
    }
}

/// Whether there was no connection to send it on, or the member knows that it cannot.
fn was_not_sent(status: &Status) -> bool {
    let mut next: Option<&(dyn Error + 'static)> = status.source();
    while let Some(error) = next {
        if error.is::<tonic::ConnectError>() {
            return true;
        }
        next = error.source();
    }
    status.message().contains("etcdserver: no leader") || status.message().contains("not ready")
}

/// The innermost reason, which says most.
fn reason(status: &Status) -> String {
    let mut last = status.message().to_owned();
    let mut next: Option<&(dyn Error + 'static)> = status.source();
    while let Some(error) = next {
        last = error.to_string();
        next = error.source();
    }
    if last.is_empty() { format!("{:?}", status.code()) } else { last }
}

fn unreachable(status: &Status, member: &str) -> Diagnostic {
    let why = reason(status);
    let told = Diagnostic::error("etcd-unreachable", format!("etcd at {member} cannot be reached"))
        .because(why.as_str());
    let is_tls = [
        "certificate",
        "Certificate",
        "CorruptMessage",
        "corrupt message",
        "HandshakeFailure",
        "UnknownIssuer",
        "UnknownCA",
        "tls",
    ]
    .iter()
    .any(|word| why.contains(word));
    if is_tls {
        return told.help("does it speak TLS, by which certificate? `etcds://` with --etcd-cacert, --etcd-cert and --etcd-key");
    }
    told.help("is it there, and is that the port for clients? `etcdctl endpoint health` asks the same")
}

fn refused(said: &str, member: &str) -> Diagnostic {
    let told = |code, message: String| Diagnostic::error(code, message).because(format!("it says: {said}"));
    if said.contains("user name is empty") {
        return told("etcd-user", format!("etcd at {member} wants to know who asks"))
            .help("name a user with --etcd-user, and the password with DSRULES_ETCD_PASSWORD or --etcd-password-file");
    }
    if said.contains("permission denied") {
        return told("etcd-forbidden", format!("etcd at {member} does not allow that to this user"))
            .help("the user needs a role with readwrite on the prefix: `etcdctl role grant-permission ROLE readwrite PREFIX/ --prefix=true`");
    }
    told("etcd-user", format!("etcd at {member} does not take this user and password"))
        .help("`--etcd-user`, and DSRULES_ETCD_PASSWORD or --etcd-password-file, say who asks")
}
