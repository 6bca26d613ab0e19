//! The reason of an action is that of the rule that made it, and rules of one's own are
//! named with their own sentence.
#![allow(clippy::unwrap_used, missing_docs)]

#[allow(dead_code)]
#[path = "cli/session.rs"]
mod session;

use session::{Session, daemonset, nodes};

#[test]
fn blocked_pods_go_and_stay_away_with_the_rules_own_sentence() {
    let session = Session::new();
    session.write("nodes.yaml", nodes(&["a", "b", "c"]));
    session.write("agent.yaml", daemonset("agent", "x:1", "", ""));
    assert_eq!(session.quietly("apply nodes.yaml agent.yaml").code, 0);
    session
        .write("quiet.dl", "/// {N} is kept quiet.\nblocked(\"default/agent\", N) :- node(N), N != \"c\".\n");
    let said = session.quietly("plan nodes.yaml agent.yaml --rules quiet.dl").out;
    assert!(said.contains("may not stay on a: a is kept quiet. [quiet.dl:2]"), "{said}");
    assert!(
        said.contains(
            "blocked default/agent: 2 nodes that it fits: a is kept quiet  [quiet.dl:2]\n    a, b\n"
        ),
        "{said}"
    );
    let json = session.quietly("plan nodes.yaml agent.yaml --rules quiet.dl -o json").out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["blocked"][0]["nodes"], serde_json::json!(["a", "b"]));
    let said = session.quietly("explain agent --rules quiet.dl").out;
    assert!(
        said.contains("2 nodes, each is blocked by the rule quiet.dl:2: the node is kept quiet"),
        "{said}"
    );
}

#[test]
fn held_pods_are_named_with_the_rules_own_sentence() {
    let session = Session::new();
    session.write("nodes.yaml", nodes(&["a", "b"]));
    session.write("agent.yaml", daemonset("agent", "x:1", "", ""));
    assert_eq!(session.quietly("apply nodes.yaml agent.yaml").code, 0);
    session.write("agent.yaml", daemonset("agent", "x:2", "", ""));
    session.write("calm.dl", "/// {N} is busy.\nhold(\"default/agent\", N) :- node(N), N = \"a\".\n");
    let said = session.quietly("plan nodes.yaml agent.yaml --rules calm.dl").out;
    assert!(said.contains("1 pod of a former template waits: a rule holds each of them"), "{said}");
    assert!(said.contains("\n    held on 1 node: a is busy  [calm.dl:2]\n"), "{said}");
}

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  labels:\n    app: agent\n  \
                   ownerReferences:\n  - apiVersion: apps/v1\n    kind: DaemonSet\n    name: agent\n    \
                   uid: u\n    controller: true\nspec:\n  affinity:\n    nodeAffinity:\n      \
                   requiredDuringSchedulingIgnoredDuringExecution:\n        nodeSelectorTerms:\n        \
                   - matchFields:\n          - key: metadata.name\n            operator: In\n            \
                   values: [gone]\n  containers:\n  - name: main\n    image: x:1\n";

#[test]
fn a_pod_that_was_never_bound_was_bound_to_no_node() {
    let session = Session::new();
    session.write("nodes.yaml", nodes(&["a"]));
    let owner = daemonset("agent", "x:1", "", "").replace("  name: agent\n", "  name: agent\n  uid: u\n");
    session.write("all.yaml", format!("{owner}---\n{POD}"));
    let said = session.quietly("plan nodes.yaml all.yaml").out;
    assert!(said.contains("p is pending for gone, which does not exist."), "{said}");
    assert!(!said.contains("was bound"), "{said}");
}

#[test]
fn a_revision_without_a_number_did_not_come_back() {
    let session = Session::new();
    session.write("nodes.yaml", nodes(&["a"]));
    session.write("agent.yaml", daemonset("agent", "x:1", "", ""));
    session.write("old.yaml", daemonset("agent", "x:0", "", ""));
    assert_eq!(session.quietly("apply nodes.yaml old.yaml").code, 0);
    assert_eq!(session.quietly("apply nodes.yaml agent.yaml").code, 0);
    let stored = session.quietly("get controllerrevisions -o json").out;
    let mut list: serde_json::Value = serde_json::from_str(&stored).unwrap();
    let newest = list["items"].as_array_mut().unwrap().iter_mut().max_by_key(|it| it["revision"].as_i64());
    newest.unwrap()["revision"] = serde_json::json!(0);
    session.write("revisions.json", list.to_string());
    let said = session.quietly("plan revisions.json").out;
    assert!(said.contains("holds the template that agent has now and has no number yet."), "{said}");
    assert!(!said.contains("went back"), "{said}");
}
