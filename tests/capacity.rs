//! What pods take of their nodes and what is free: what rules say of it, and what a person
//! is shown.
#![allow(clippy::unwrap_used, dead_code)]

#[path = "cli/session.rs"]
mod session;

use session::Session;

/// A store with the nodes, daemonsets and pods of `tests/capacity`.
fn applied() -> Session {
    let session = Session::new();
    session.take("tests", "capacity");
    let said = session.quietly("apply capacity");
    assert_eq!(said.code, 0, "{}", said.err);
    session
}

#[test]
fn rules_may_ask_what_is_requested_and_what_is_free() {
    let mut session = applied();
    session.ok("query 'requested(Node, Resource, Amount), daemon_requested(Node, Resource, OfDaemons)'");
    session.ok("query 'free(Node, Resource, Amount)'");
    session.say("more is requested there than there is");
    session.ok("query 'overcommitted(Node, Resource)'");
    session.say("what an autoscaler counts for such a node");
    session.ok("query 'daemonset_overhead(Node, Resource, Amount)'");
    session.ok("query 'requested_by(DaemonSet, Resource, Amount)'");
    session.snapshot("capacity_rules");
}
