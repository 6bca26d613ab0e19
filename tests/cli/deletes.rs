//! `delete`: by name, by label, with each cascade; what is not there; what it takes along.

use crate::session::{Session, daemonset, nodes};

fn begun() -> Session {
    let session = Session::new();
    session.write("nodes.yaml", nodes(&["a", "b"]));
    let sets = [daemonset("agent", "agent:1", "", ""), daemonset("other", "other:1", "", "")];
    session.write("sets.yaml", sets.join("---\n"));
    assert_eq!(session.quietly("apply nodes.yaml sets.yaml").code, 0);
    session
}

#[test]
fn each_cascade_does_to_the_pods_what_it_says() {
    for (cascade, left) in [
        ("", 0),
        ("--cascade", 0),
        ("--cascade=background", 0),
        ("--cascade=foreground", 0),
        ("--cascade=true", 0),
        ("--cascade=orphan", 2),
        ("--cascade=false", 2),
    ] {
        let session = begun();
        let said = session.quietly(&format!("delete daemonset agent {cascade}"));
        assert_eq!(said.code, 0, "{cascade}: {}", said.err);
        let pods = session.quietly("get pods -l app=agent --no-headers");
        assert_eq!(pods.out.lines().count(), left, "{cascade}");
        assert_eq!(session.nodes_of("other"), ["a", "b"], "{cascade}");
    }
}

#[test]
fn things_are_deleted_by_name_by_label_or_all_of_them() {
    let mut session = begun();
    session.ok("delete ds agent --dry-run");
    assert_eq!(session.nodes_of("agent"), ["a", "b"]);
    session.ok("delete ds -l app=agent");
    session.ok("delete daemonset.apps/agent --ignore-not-found");
    session.fails("delete daemonset agent");
    session.fails("delete daemonset othr");
    session.fails("delete daemonset");
    session.fails("delete daemonset other -l app=other");
    session.fails("delete events --all");
    session.ok("delete pods -l app=other");
    session.say("their daemonset is still there, so they come back");
    assert_eq!(session.nodes_of("other"), ["a", "b"]);
    session.ok("delete ds --all -o name");
    session.ok("delete ds --all");
    session.ok("get all");
    session.snapshot("delete");
}

#[test]
fn a_namespace_takes_along_what_is_in_it() {
    let session = Session::new();
    session.write("nodes.yaml", nodes(&["a"]));
    session.write("space.yaml", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: team\n");
    session.write("agent.yaml", daemonset("agent", "agent:1", "", ""));
    assert_eq!(session.quietly("apply nodes.yaml space.yaml agent.yaml -n team").code, 0);
    assert_eq!(session.nodes_of("agent"), ["a"]);
    let said = session.quietly("delete namespace team");
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("- deleted   -   daemonset agent"), "{}", said.out);
    assert_eq!(session.quietly("get all -A").out, "");
}
