//! `rollout`: status, history, undo, restart, in kubectl's words.

use crate::session::{Session, daemonset, nodes};

fn begun() -> Session {
    let session = Session::new();
    session.write("nodes.yaml", nodes(&["a", "b"]));
    session.write("agent.yaml", daemonset("agent", "agent:1", "", ""));
    session
}

#[test]
fn a_rollout_is_followed_undone_and_repeated() {
    let mut session = begun();
    session.ok("apply nodes.yaml agent.yaml -q");
    session.ok("rollout status daemonset/agent");
    session.write("agent.yaml", daemonset("agent", "agent:2", "", ""));
    session.later(60);
    session.ok("apply agent.yaml");
    session.ok("rollout history daemonset/agent");
    session.ok("rollout history ds agent --revision 1");
    session.fails("rollout history ds/agent --revision 7");
    session.later(60);
    session.ok("rollout undo ds/agent --dry-run");
    session.ok("rollout undo ds/agent");
    session.ok("rollout history ds/agent");
    session.ok("rollout undo ds/agent --to-revision 3");
    session.fails("rollout undo ds/agent --to-revision 9");
    session.later(60);
    session.ok("rollout restart ds/agent");
    session.fails("rollout restart ds/agent");
    session.ok("describe ds agent");
    session.ok("get controllerrevisions");
    session.snapshot("rollout");
}

#[test]
fn a_rollout_waits_for_pods_that_are_observed() {
    let mut session = begun();
    session.ok("apply nodes.yaml agent.yaml --readiness observe");
    session.run("rollout status ds/agent");
    session.ok("get pods");
    session.say("a cluster says that they run");
    let running = |image: &str, pods: &str| {
        let list: serde_json::Value = serde_json::from_str(pods).unwrap();
        let mut items = list["items"].clone();
        for pod in items.as_array_mut().unwrap() {
            assert_eq!(pod["spec"]["containers"][0]["image"], image);
            pod["status"] = serde_json::json!({ "phase": "Running", "conditions": [
                { "type": "Ready", "status": "True", "lastTransitionTime": "2026-03-02T09:00:30Z" }] });
        }
        serde_json::json!({ "apiVersion": "v1", "kind": "List", "items": items }).to_string()
    };
    let pods = session.quietly("get pods -o json").out;
    session.write("pods.json", running("agent:1", &pods));
    session.later(60);
    session.ok("apply pods.json --readiness observe");
    session.ok("rollout status ds/agent");
    session.say("a new template: one pod goes, and no more until its successor is ready");
    session.write("agent.yaml", daemonset("agent", "agent:2", "", ""));
    session.later(60);
    session.ok("apply agent.yaml --readiness observe");
    let status = session.run("rollout status ds/agent");
    assert_eq!((status.code, status.err.as_str()), (1, ""));
    session.snapshot("rollout_observed");
}

#[test]
fn what_has_no_rollout_says_so() {
    let mut session = begun();
    session.write("agent.yaml", daemonset("agent", "agent:1", "", "updateStrategy:\n  type: OnDelete"));
    session.ok("apply nodes.yaml agent.yaml -q");
    session.fails("rollout status ds/agent");
    session.fails("rollout undo ds/agent");
    session.fails("rollout status node/a");
    session.fails("rollout status ds");
    session.fails("rollout restart ds/agnt");
    session.snapshot("rollout_errors");
}
