//! `rollout undo` to what a revision holds, when that is nothing a daemonset can have.

use std::path::Path;

use crate::session::Session;

fn begun() -> Session {
    let session = Session::new();
    for file in ["cluster.yaml", "revisions.yaml"] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/restores").join(file);
        session.write(file, std::fs::read(from).unwrap());
    }
    session
}

#[test]
fn what_a_revision_holds_is_looked_at_before_it_is_restored() {
    let mut session = begun();
    session.ok("apply cluster.yaml revisions.yaml -q");
    let before = session.quietly("get ds,pods,controllerrevisions -A -o yaml").out;
    for revision in 1..=4 {
        session.fails(&format!("rollout undo ds/agent -n ns --to-revision {revision}"));
        session.quietly(&format!("rollout undo ds/agent -n ns --to-revision {revision} --dry-run"));
    }
    assert_eq!(session.quietly("get ds,pods,controllerrevisions -A -o yaml").out, before);
    session.ok("rollout undo ds/agent -n ns --to-revision 5");
    session.snapshot("restores");
}

#[test]
fn a_revision_is_written_once() {
    let mut session = begun();
    session.ok("apply cluster.yaml revisions.yaml -q");
    let text = std::fs::read_to_string(session.path("revisions.yaml")).unwrap();
    session.say("with the defaults that an API server fills in it is the same one");
    session.write(
        "revisions.yaml",
        text.replace(
            "spec: {containers: [{name: main, image: \"agent:5\"",
            "spec: {dnsPolicy: ClusterFirst, containers: [{name: main, image: \"agent:5\"",
        ),
    );
    session.ok("apply revisions.yaml -q");
    session.write("revisions.yaml", text.replace("agent:5", "agent:6"));
    session.fails("apply revisions.yaml");
    session.write("revisions.yaml", text.replace("revision: 5", "revision: 50"));
    session.ok("apply revisions.yaml -q");
    session.snapshot("revision_written_once");
}

#[test]
fn the_last_second_of_the_last_year_is_a_time() {
    let mut session = begun();
    session.ok("apply cluster.yaml -q --now 9999-12-31T23:59:58Z");
    session.ok("get nodes --now 9999-12-31T23:59:59Z");
    session.ok("describe node node-1 --now 9999-12-31T23:59:59Z");
    session.ok("query node_created(_N,T),date(Y,M,D),weekday(W) --now 9999-12-31T23:59:59Z");
    session.ok("rollout restart ds/agent -n ns --now 9999-12-31T23:59:59Z");
    let node = session.quietly("get node node-1 -o yaml").out;
    assert!(node.contains("creationTimestamp: \"9999-12-31T23:59:59Z\""), "{node}");
    let again = session.quietly("get ds agent -n ns -o yaml").out;
    session.write("again.yaml", again);
    session.ok("validate again.yaml");
    let said = session.run("get nodes --now 2026-06-30T23:59:60Z");
    assert_eq!(said.code, 1);
    session.snapshot("last_second");
}
