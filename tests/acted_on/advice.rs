//! Advice, each followed to where it leads.

use crate::session::{Session, daemonset, nodes};
use crate::with;

/// The names of the pods in `ops`.
fn pods(session: &Session) -> Vec<String> {
    let out = session.quietly("get pods -n ops --no-headers").out;
    out.lines().filter_map(|line| line.split_whitespace().next()).map(ToOwned::to_owned).collect()
}

#[test]
fn a_selector_that_changes_leaves_no_second_pod_where_the_advice_is_followed() {
    for (folder, snapshot) in
        [("selector-changes", None), ("selector-changes-labels", Some("selector_advice"))]
    {
        let mut session = with(folder);
        session.ok(&format!("apply {folder}/v1 -q"));
        let told = session.fails(&format!("apply {folder}/v2"));
        assert!(!told.contains("--cascade"), "{told}");
        assert!(session.fails(&format!("plan {folder}/v2")).contains("may not change"));
        session.ok("delete daemonset kured -n ops");
        session.ok(&format!("apply {folder}/v2 -q"));
        assert_eq!(pods(&session).len(), 1, "{folder}");
        if let Some(name) = snapshot {
            session.snapshot(name);
        }
    }
}

#[test]
fn nobody_is_told_to_satisfy_what_no_label_can() {
    let mut session = with("gt-floats");
    let told = session.ok("explain fl hi -n ops -f gt-floats/in");
    assert!(told.contains("no label of hi can satisfy") && !told.contains("make hi satisfy"), "{told}");
    assert!(session.ok("explain it lo -n ops -f gt-floats/in").contains("make lo satisfy"));
    let term = "affinity:\n  nodeAffinity:\n    requiredDuringSchedulingIgnoredDuringExecution:\n      \
                nodeSelectorTerms:\n      - matchFields:\n        - {key: metadata.name, operator: In, values: [b]}\n";
    session.write("all.yaml", nodes(&["a", "b"]) + "---\n" + &daemonset("agent", "agent:1", term, ""));
    let told = session.ok("explain agent a -f all.yaml");
    assert!(!told.contains("make a satisfy"), "{told}");
    session.snapshot("hopeless_advice");
}

#[test]
fn undo_says_what_the_history_holds() {
    let mut session = with("history-limit-0-undo");
    session.ok("apply history-limit-0-undo/v1 -q");
    session.ok("apply history-limit-0-undo/v2 -q");
    session.ok("rollout history ds/rz -n ops");
    let told = session.fails("rollout undo ds/rz -n ops");
    assert!(
        told.contains("no last revision to roll back to") && !told.contains("one template only"),
        "{told}"
    );
    let told = session.fails("rollout undo ds/rz -n ops --to-revision=7");
    assert!(told.contains("unable to find specified revision 7 in history"), "{told}");
    session.say("the advice: apply the former manifest");
    session.ok("apply history-limit-0-undo/v1 -q");
    session.take("tests/acted_on", "history-limit-0");
    session.ok("apply history-limit-0/in -q");
    session.ok("rollout history ds/rh -n ops");
    session.ok("rollout undo ds/rh -n ops -q");
    session.fails("rollout status ds/rh -n ops");
    session.snapshot("history_limit");
}

#[test]
fn an_apply_that_undoes_a_rollback_says_so_before() {
    let mut session = Session::new();
    session.write("nodes.yaml", nodes(&["a"]));
    let agent = |image: &str| daemonset("agent", image, "", "");
    session.write("agent.yaml", agent("agent:1"));
    session.ok("apply nodes.yaml agent.yaml -q");
    session.write("agent.yaml", agent("agent:2"));
    session.ok("apply nodes.yaml agent.yaml -q");
    assert!(session.quietly("plan nodes.yaml agent.yaml").err.is_empty());
    session.later(60);
    session.ok("rollout undo ds/agent -q");
    session.ok("rollout history ds/agent");
    session.later(60);
    for command in ["plan", "apply --dry-run", "plan --cordon a"] {
        let said = session.quietly(&format!("{command} nodes.yaml agent.yaml"));
        assert!(said.err.contains("warning[undoes-rollback]"), "{command}: {}", said.err);
        assert!(said.err.contains("revision 1 at 2026-03-02T09:01:00Z"), "{command}: {}", said.err);
    }
    session.ok("plan nodes.yaml agent.yaml");
    session.say("the template in the manifest keeps the rollback, also after a restart");
    session.ok("rollout restart ds/agent -q");
    session.write("agent.yaml", agent("agent:1"));
    let said = session.run("apply nodes.yaml agent.yaml");
    assert!(said.code == 0 && said.err.is_empty(), "{}", said.err);
    session.say("and the other one undoes it no more than once");
    session.write("agent.yaml", agent("agent:2"));
    let said = session.quietly("apply nodes.yaml agent.yaml");
    assert!(said.code == 0 && said.err.is_empty(), "{}", said.err);
    session.snapshot("undo_undone");
}

#[test]
fn history_shows_images_and_what_changed() {
    let mut session = Session::new();
    session.write("nodes.yaml", nodes(&["a"]));
    session.write("agent.yaml", daemonset("agent", "agent:1", "", ""));
    session.ok("apply nodes.yaml agent.yaml -q");
    session.write(
        "agent.yaml",
        daemonset("agent", "agent:2", "hostNetwork: true\npriorityClassName: high\n", ""),
    );
    session.ok("apply nodes.yaml agent.yaml -q");
    session.later(60);
    session.ok("rollout restart ds/agent -q");
    let shown = session.ok("rollout history ds/agent");
    assert!(shown.contains("agent:2"), "{shown}");
    session.ok("rollout history ds/agent --revision=2");
    session.snapshot("history_images");
}
