//! Rules that depend on their own effect are refused, those that come to rest are not, and
//! what is not seen in the rules is noticed in the plan.

use std::path::Path;

use crate::session::Session;

fn data(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/circles");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn begun() -> Session {
    let session = Session::new();
    session.write("cluster.yaml", data("cluster.yaml"));
    session
}

#[test]
fn rules_that_depend_on_their_own_effect_are_refused() {
    let mut session = begun();
    for rule in data("refused.txt").lines() {
        session.write("own.dl", rule.replace(". ", ".\n"));
        session.fails("plan cluster.yaml --rules own.dl");
        let applied = session.quietly("apply cluster.yaml --rules own.dl");
        assert_eq!(applied.code, 1, "{rule}");
    }
    assert!(!session.quietly("get nodes").out.contains("node-1"), "nothing was stored");
    session.snapshot("circles_refused");
}

#[test]
fn rules_that_come_to_rest_are_taken() {
    for rule in data("fine.txt").lines() {
        let session = begun();
        session.write("own.dl", rule.replace(". ", ".\n"));
        for line in ["apply cluster.yaml -q --rules own.dl", "apply cluster.yaml -q --rules own.dl"] {
            let said = session.quietly(line);
            assert_eq!(said.code, 0, "{rule}\n{}", said.err);
        }
        let after = session.quietly("plan cluster.yaml --rules own.dl --detailed-exitcode");
        assert_eq!(after.code, 0, "{rule}\n{}", after.out);
    }
}

#[test]
fn a_plan_that_goes_in_circles_is_noticed() {
    let mut session = begun();
    session.say("nothing in the rule says that the pod is a daemonset's");
    session.write(
        "own.dl",
        "/// an agent is on {Node}.\nblocked(DaemonSet, Node) :- daemonset(DaemonSet), pod_label(Pod, \"app\", \"agent\"), pod_target(Pod, Node).\n",
    );
    session.fails("plan cluster.yaml --rules own.dl");
    session.fails("apply cluster.yaml --rules own.dl");
    assert!(!session.quietly("get nodes").out.contains("node-1"), "nothing was stored");
    session.say("each runs where the other one is, and they swap places");
    session.write("before.dl", "blocked(\"ns/agent\", \"node-1\").\nblocked(\"ns/proxy\", \"node-2\").\n");
    session.ok("apply cluster.yaml -q --rules before.dl");
    session.write(
        "own.dl",
        "blocked(\"ns/agent\", N) :- node(N), !has_pod(\"ns/proxy\", N).\nblocked(\"ns/proxy\", N) :- node(N), !has_pod(\"ns/agent\", N).\n",
    );
    session.fails("apply cluster.yaml --rules own.dl");
    assert_eq!(session.nodes_of("agent"), ["node-2"]);
    session.snapshot("circles_noticed");
}
